"""The language of an answer is that which the caller likes best; Chinese where it does not say."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from contracts.findings import Language
from gateway.web.accepts import language

ZH, EN = Language.ZH, Language.EN


def asked(*headers: str) -> Request:
    listed = [(b"accept-language", header.encode("latin-1")) for header in headers]
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": listed})


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("zh-CN", ZH),
        ("en", EN),
        ("EN-gb", EN),
        ("en;q=0.1, zh-CN;q=0.9", ZH),
        ("zh;q=0.2,en-US;q=0.8", EN),
        ("en,zh", EN),
        ("zh,en", ZH),
        ("en-GB, zh;q=0.5", EN),
        ("fr, en;q=0.5", EN),
        ("fr, de", ZH),
        ("*", ZH),
        ("*;q=0.5, en", EN),
        ("en;q=0.5, *", ZH),
        ("zh;q=0, *", EN),
        ("en;q=0", ZH),
        ("en;q=0, zh;q=0", ZH),
        ("", ZH),
        (" , ,", ZH),
        ("en;q=", ZH),
        ("en;q=x", ZH),
        ("en;q=nan", ZH),
        ("en;q=inf", ZH),
        ("en;q=-1", ZH),
        ("en;q=7, zh;q=0.9", EN),
        (";;;q=1", ZH),
        ("english", ZH),
        ("\xff\xfe", ZH),
        ("fr," * 100_000 + "en", ZH),
        ("en," + "fr," * 100_000, EN),
    ],
)
def test_the_language_that_is_liked_best(header: str, expected: Language) -> None:
    assert language(asked(header)) is expected


def test_a_header_that_comes_in_parts_is_one() -> None:
    assert language(asked("en;q=0.2", "zh;q=0.7")) is ZH
    assert language(asked("zh;q=0.2", "en;q=0.7")) is EN
    assert language(asked()) is ZH
