"""Statuses are sorted by who heals them, waits are bounded, and no body of a stranger gets through unsound."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http import (
    LONG,
    LONGEST_WAIT,
    MOST_VALUES,
    Doorway,
    NotJson,
    json_bytes,
    judge_status,
    read_aside,
    read_json_object,
    retry_after,
    seconds,
)
from contracts.adapter import Reply
from contracts.errors import AdapterError, EndpointError, PermanentError, RetryableError
from tests.adapters.aside import Aside

NOW = datetime(2026, 9, 30, 9, 0, tzinfo=UTC)


def _reply(status: int = 503, retry: str | None = None) -> Reply:
    return Reply(status, () if retry is None else (("rEtRy-AfTeR", retry),), "秘密".encode("gb18030"))


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, None),
        ("", None),
        ("120", timedelta(seconds=120)),
        (" 0 ", timedelta(0)),
        ("99999999999999999999999", LONGEST_WAIT),
        ("999999", LONGEST_WAIT),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("Wed, 30 Sep 2026 09:10:00 GMT", timedelta(minutes=10)),
        ("Wed, 30 Sep 2026 09:10:00 -0000", timedelta(minutes=10)),
        ("Wed, 30 Sep 2026 08:00:00 GMT", timedelta(0)),
        ("Wed, 30 Sep 9999 08:00:00 GMT", LONGEST_WAIT),
        ("Wed, 99 Sep 2026 08:00:00 GMT", None),
    ],
)
def test_retry_after(header: str | None, wait: timedelta | None) -> None:
    assert retry_after(_reply(retry=header), NOW) == wait


def test_seconds_of_a_field() -> None:
    assert seconds("30") == timedelta(seconds=30)
    assert seconds("") is None


@pytest.mark.parametrize(
    ("status", "kind", "maybe"),
    [
        (204, RetryableError, True),
        (301, EndpointError, None),
        (400, EndpointError, None),
        (401, EndpointError, None),
        (403, EndpointError, None),
        (404, EndpointError, None),
        (408, RetryableError, False),
        (413, EndpointError, None),
        (422, PermanentError, None),
        (425, RetryableError, False),
        (429, RetryableError, False),
        (500, RetryableError, True),
        (502, RetryableError, True),
        (503, RetryableError, False),
        (504, RetryableError, True),
        (599, RetryableError, True),
    ],
)
def test_statuses(status: int, kind: type[AdapterError], maybe: bool | None) -> None:
    with pytest.raises(kind) as judged:
        judge_status(_reply(status, "60"), NOW, refused=(422,))
    assert judged.value.code == f"http_{status}"
    assert "秘密" not in str(judged.value)
    if isinstance(judged.value, RetryableError):
        assert judged.value.maybe_accepted is maybe
        assert judged.value.retry_after == timedelta(seconds=60)


def test_steps_without_effect_are_never_maybe_accepted() -> None:
    with pytest.raises(RetryableError) as judged:
        judge_status(_reply(502), NOW, maybe_accepted=False)
    assert not judged.value.maybe_accepted
    judge_status(_reply(200), NOW)
    judge_status(_reply(202), NOW, ok=(200, 202))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"<html>", "not_json"),
        (b"\xff{}", "not_utf8"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b"[]", "not_an_object"),
        (b'"x"', "not_an_object"),
        (b'{"a":1,"a":1}', "doubled_key"),
        (b'{"b":{"a":1,"\\u0061":1}}', "doubled_key"),
        (b'{"a":NaN}', "not_json"),
        (b'{"a":-Infinity}', "not_json"),
        (b'{"a":"\\ud800"}', "lone_surrogate"),
        (b'{"\\udfff":1}', "lone_surrogate"),
        (b'{"a":[[1]]}', "too_deep"),
        (b'{"a":' + b"[" * 40_000 + b"]" * 40_000 + b"}", "too_deep"),
        (b'{"a":' + b"[" * 90_000 + b"]" * 90_000 + b"}", "too_many_values"),
        (b'{"a":' + b"1" * 5000 + b"}", "not_json"),
        (b'{"a":"' + b"x" * 200_000 + b'"}', "too_large"),
        (b'{"a":1} x', "not_json"),
        (b'{"a":"\x01"}', "not_json"),
    ],
)
def test_unsound_bodies(body: bytes, code: str) -> None:
    with pytest.raises(NotJson) as refused:
        read_json_object(body, limit=200_004, depth=2)
    assert refused.value.code == code


def test_sound_bodies() -> None:
    assert read_json_object('{"数":[9007199254740993,1.10,"😀"]}'.encode(), depth=2) == {
        "数": [9007199254740993, Decimal("1.10"), "😀"]
    }
    assert read_json_object(b'{"a":[]}', depth=2) == {"a": []}
    assert read_json_object(json_bytes({"a": "中"})) == {"a": "中"}
    assert json_bytes({"a": "中", "b": 1}) == '{"a":"中","b":1}'.encode()


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(noise: bytes) -> None:
    try:
        assert isinstance(read_json_object(noise), dict)
    except NotJson:
        return


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":[' + b"[[]]," * 395_000 + b"[]]}",
        b'{"a":[' + b"0," * MOST_VALUES + b"0]}",
        b'{"a":[' + b'"",' * MOST_VALUES + b'""]}',
        b'{"a":[' + b'"\\"[\\\\",' * MOST_VALUES + b'""]}',
        b"{" + b'"":0,' * MOST_VALUES + b'"":0}',
        b'"' * 1_000_000 + b"," * 1_000_000,
    ],
)
def test_what_holds_too_much_is_refused_before_it_is_parsed(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", _never)
    with pytest.raises(NotJson) as refused:
        read_json_object(body, limit=len(body))
    assert refused.value.code == "too_many_values"


def _never(*_: object, **__: object) -> None:
    pytest.fail("parsed")


def test_what_stands_in_a_text_is_no_value() -> None:
    text = '[{,"\\' * 20_000
    sound = json_bytes({"a": text, "b": [text, "\\"], "c": '\\"'})
    assert read_json_object(sound, values=7) == {"a": text, "b": [text, "\\"], "c": '\\"'}
    with pytest.raises(NotJson, match="too_many_values"):
        read_json_object(sound, values=4)


@given(
    st.recursive(
        st.text('ab"\\[{,', max_size=5) | st.integers(),
        lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text('a"\\[{,', max_size=3), below, max_size=4),
        max_leaves=20,
    )
)
def test_values_are_counted_exactly(value: Any) -> None:
    """Objects and lists, and one less than they hold each."""

    def counted(inner: Any) -> int:
        if not isinstance(inner, dict | list):
            return 0
        below = list(inner.values()) if isinstance(inner, dict) else inner
        return 1 + max(len(below) - 1, 0) + sum(map(counted, below))

    body, many = json_bytes({"x": value}), counted({"x": value})
    assert read_json_object(body, values=many) == {"x": value}
    with pytest.raises(NotJson, match="too_many_values"):
        read_json_object(body, values=many - 1)


async def test_long_bodies_alone_are_read_aside() -> None:
    aside = Aside()

    def read() -> str:
        return "read"

    assert await read_aside(aside, b"x" * LONG, read) == "read"
    assert not aside.did
    assert await read_aside(aside, b"x" * (LONG + 1), read) == "read"
    assert aside.did == ["read"]


async def test_two_at_a_time_pass_a_doorway() -> None:
    inside, most, gate = 0, 0, asyncio.Event()

    async def blocking(function: Callable[..., Any], /, *arguments: Any) -> Any:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await gate.wait()
        inside -= 1
        return function(*arguments)

    doorway = Doorway(blocking)
    calls = [asyncio.create_task(doorway(str, number)) for number in range(7)]
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(*calls) == [str(number) for number in range(7)]
    assert most == 2
