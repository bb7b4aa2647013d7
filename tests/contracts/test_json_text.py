"""Bodies that are no acceptable JSON, and how cheaply they are found out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import json_text
from contracts.findings import Code, Language
from contracts.json_text import DEPTH_LIMIT, Flaw, NotJson, parse


def refused(raw: bytes, **more: Any) -> NotJson:
    with pytest.raises(NotJson) as caught:
        parse(raw, **more)
    return caught.value


@pytest.mark.parametrize(
    ("raw", "flaw", "line", "column"),
    [
        (b"", Flaw.SYNTAX, 1, 1),
        (b'{"a":1,}', Flaw.SYNTAX, 1, 8),
        (b'{"a":1}\n{"b":2}', Flaw.SYNTAX, 2, 1),
        (b"{'a':1}", Flaw.SYNTAX, 1, 2),
        (b'{"a":01}', Flaw.SYNTAX, 1, 7),
        (b'{"a":"\n"}', Flaw.SYNTAX, 1, 7),
        (b'\xef\xbb\xbf{"a":1}', Flaw.MARK, 1, 1),
        (b'{"a":"\xff"}', Flaw.ENCODING, 1, 7),
        ('{"a":"甲"}'.encode("gbk"), Flaw.ENCODING, 1, 7),
        ('{"a":1}'.encode("utf-16"), Flaw.ENCODING, 1, 1),
        (b'{"a":"\xed\xa0\x80"}', Flaw.ENCODING, 1, 7),
        (b'{"a":NaN}', Flaw.CONSTANT, 1, 6),
        (b'{"NaN":"NaN","a":[1,Infinity]}', Flaw.CONSTANT, 1, 21),
        (b'{"a":-Infinity}', Flaw.CONSTANT, 1, 6),
        (b'{"a":1,\n "a":2}', Flaw.DUPLICATE_KEY, 2, 2),
        (b'{"a":{"b":1},"c":{"b":1,"\\u0062":2}}', Flaw.DUPLICATE_KEY, 1, 25),
        (b'{"a":"\\ud800"}', Flaw.SURROGATE, 1, 7),
        (b'{"a":"\\udc00"}', Flaw.SURROGATE, 1, 7),
        (b'{"a":"\\ud83dx\\ude00"}', Flaw.SURROGATE, 1, 7),
        (b'{"a":"\\ud83d\\ud83d\\ude00"}', Flaw.SURROGATE, 1, 7),
        (b'{"\\udc00a":1}', Flaw.SURROGATE, 1, 3),
        (b'{"a":' + b"9" * 101 + b"}", Flaw.NUMBER, 1, 6),
        (b'{"a":1.' + b"0" * 101 + b"}", Flaw.NUMBER, 1, 6),
        (b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", Flaw.DEPTH, 1, 69),
        (b'{"a":' + b'{"b":' * 64 + b"1" + b"}" * 65, Flaw.DEPTH, 1, 321),
    ],
)
def test_refused_with_its_place(raw: bytes, flaw: Flaw, line: int, column: int) -> None:
    error = refused(raw)
    assert (error.flaw, error.line, error.column) == (flaw, line, column)


def test_offset_counts_bytes() -> None:
    error = refused('{"甲":1,"甲":2}'.encode())
    assert (error.offset, error.column) == (9, 8)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":"\\\\ud800"}',
        b'{"a":"\\ud83d\\ude00"}',
        b'{"a":"\\\\\\ud83d\\uDE00\\\\"}',
        b'{"a":' + b"[" * 63 + b"]" * 63 + b"}",
        b'{"a":"' + b"[{" * 100 + b'"}',
        b'{"a":1e-7,"b":[{"a":1},{"a":1}]}',
        b'{"a":' + b"9" * 100 + b"}",
        b" null ",
    ],
)
def test_accepted(raw: bytes) -> None:
    assert parse(raw) == json.loads(raw)


def test_size_is_asked_first() -> None:
    assert refused(b"[" * 10, limit=9).flaw is Flaw.SIZE


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_what_a_json_library_writes_is_read(value: Any) -> None:
    for ascii_only in (True, False):
        written = json.dumps(value, ensure_ascii=ascii_only)
        try:
            raw = written.encode()
        except UnicodeEncodeError:
            continue
        if "\\ud" in written:
            continue
        assert parse(raw) == value


@given(st.binary(max_size=60))
def test_anything_else_is_refused_and_nothing_is_kept(raw: bytes) -> None:
    refusal: NotJson | None = None
    try:
        parse(raw)
    except NotJson as error:
        refusal = error
    if refusal is not None:
        assert refusal.__cause__ is None
        assert refusal.__context__ is None
        assert vars(refusal).keys() == {"flaw", "offset", "line", "column"}


def test_finding_has_reason_and_place() -> None:
    finding = refused(b'{"a":1,\n "a":2}').finding
    assert finding.code is Code.JSON_INVALID
    assert "the same key twice (line 2, column 2)" in finding.message(Language.EN)
    assert "第 2 行第 2 列" in finding.message(Language.ZH)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 2_000_000,
        b'{"a":' * 300_000,
        b'"\\"' * 500_000,
        b"[" * 70 + b'"' + b'\\"' * 900_000,
        b'["' + b"\\ud83d\\ude00" * 150_000,
        b'{"a":' + b"9" * 2_000_000,
        b"{" + b",".join(b'"k%d":1' % number for number in range(100_000)) + b',"k5":1}',
    ],
    ids=["lists", "objects", "quotes", "escapes", "surrogates", "digits", "keys"],
)
def test_two_megabytes_of_malice_are_walked_a_few_times(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """However they are made: a handful of walks, each over the text once and never a character at a time."""
    walks = [Walked(json_text, name, monkeypatch) for name in ("_TOKEN", "_STRING")]
    refused(raw)
    assert sum(walk.begun for walk in walks) <= 3
    assert all(walk.steps <= len(raw) for walk in walks)


class Walked:
    """One pattern of the reader in its place: how many walks over a text it began, how many steps they took in all."""

    def __init__(self, module: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._pattern: re.Pattern[str] = getattr(module, name)
        self.begun = self.steps = 0
        monkeypatch.setattr(module, name, self)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """As ``re.Pattern``."""
        self.begun += 1
        for found in self._pattern.finditer(text):
            self.steps += 1
            yield found

    def sub(self, by: str, text: str) -> str:
        """As ``re.Pattern``."""
        self.begun += 1
        made, steps = self._pattern.subn(by, text)
        self.steps += steps
        return made


@given(st.text(alphabet='"\\u[{a\n'))
def test_what_begins_as_a_string_is_taken_as_one(rest: str) -> None:
    """A quotation mark that is looked at in vain would have to be looked past again from the next one: a pass for each."""
    found = json_text._STRING.match('"' + rest)
    assert found is not None
    assert found.end() == len(rest) + 1 or found[0].endswith('"')


def test_limit_of_depth_is_the_contracts() -> None:
    assert DEPTH_LIMIT == 64
