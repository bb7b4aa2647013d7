"""The door: the receiver's checks in the page's order, refusals in the platform's dialect, the acknowledgement."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from contracts.adapter import InboundCall, Json
from contracts.errors import CallbackRejected
from tests.adapters.aside import Aside
from tests.adapters.court_mediation.platform import (
    CALLBACK_KEY,
    NOW,
    Nonces,
    adapter,
    call_of,
    push,
    push_body,
    signed_headers,
)

CONTENT: Json = {"uuid": "6F1C0C5A0B7E4D7C9D0E11AA22BB33CC", "sqbh": "cnf_1", "ah": "（2026）鲁0102诉前调确7号"}
BODY = push_body("sqsl", CONTENT)
NONCE = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


async def test_a_sound_push_is_let_in() -> None:
    nonces = Nonces()
    admitted = await adapter(nonces=nonces).authenticate(call_of(BODY, signed_headers(BODY, nonce=NONCE)))
    assert admitted.event_id == "TS20261012000001"
    assert len(admitted.digest) == 64
    assert nonces.asked == [NONCE]


async def test_the_digest_is_of_the_content_alone() -> None:
    def with_link(link: str, **more: str) -> InboundCall:
        rows = [{"c_wsbh": "WS1", "wjlj": link, "wjyxq": link[-5:], **more}]
        return push("cdyx", CONTENT | {"wslist": rows})

    reordered = json.dumps(dict(reversed(json.loads(BODY).items())), indent=2).encode()
    calls = [
        push("sqsl", CONTENT),
        call_of(reordered),
        with_link("https://a.example/1"),
        with_link("https://a.example/2"),
        with_link("https://a.example/2", sha256="0" * 64),
        push("sqsl", CONTENT | {"cbr": "法官"}),
        push("sqbysl", CONTENT),
    ]
    digests = [(await adapter().authenticate(call)).digest for call in calls]
    assert digests[0] == digests[1]
    assert digests[2] == digests[3]
    assert len(set(digests)) == 5


def _without(name: str) -> InboundCall:
    return call_of(BODY, [header for header in signed_headers(BODY) if header[0] != name])


def _doubled(name: str) -> InboundCall:
    headers = signed_headers(BODY)
    return call_of(BODY, [*headers, next((name.lower(), value) for key, value in headers if key == name)])


def _replaced(name: str, change: Callable[[str], str]) -> InboundCall:
    return call_of(BODY, [(key, change(value) if key == name else value) for key, value in signed_headers(BODY)])


def _at(seconds: int) -> InboundCall:
    return call_of(BODY, signed_headers(BODY, now=NOW + timedelta(seconds=seconds)))


def _signed_over_parsed() -> InboundCall:
    """Signed over the JSON as a library would write it again."""
    spaced = json.dumps(json.loads(BODY), ensure_ascii=False, indent=1).encode()
    return call_of(spaced, signed_headers(BODY))


def _dotted() -> InboundCall:
    """Signed with something between the parts."""
    stamp = str(int(NOW.timestamp()))
    signature = hmac.new(CALLBACK_KEY, f"{stamp}.{NONCE}.".encode() + BODY, hashlib.sha256).hexdigest()
    return call_of(BODY, [("X-Fy-Timestamp", stamp), ("X-Fy-Nonce", NONCE), ("X-Fy-Signature", signature)])


NEGATIVE: list[tuple[str, Callable[[], InboundCall], str]] = [
    ("no timestamp", lambda: _without("X-Fy-Timestamp"), "header_form"),
    ("no nonce", lambda: _without("X-Fy-Nonce"), "header_form"),
    ("no signature", lambda: _without("X-Fy-Signature"), "header_form"),
    ("two timestamps", lambda: _doubled("X-Fy-Timestamp"), "header_form"),
    ("two nonces", lambda: _doubled("X-Fy-Nonce"), "header_form"),
    ("two signatures", lambda: _doubled("X-Fy-Signature"), "header_form"),
    ("eleven digits", lambda: _replaced("X-Fy-Timestamp", lambda text: text + "0"), "header_form"),
    ("milliseconds", lambda: call_of(BODY, signed_headers(BODY, timestamp="1790672703000")), "header_form"),
    ("foreign digits", lambda: call_of(BODY, signed_headers(BODY, timestamp="１７９０６７２７０３")), "header_form"),
    ("a sign in the timestamp", lambda: call_of(BODY, signed_headers(BODY, timestamp="+790672703")), "header_form"),
    ("capital nonce", lambda: call_of(BODY, signed_headers(BODY, nonce=NONCE.upper())), "header_form"),
    ("short nonce", lambda: call_of(BODY, signed_headers(BODY, nonce=NONCE[:-1])), "header_form"),
    ("capital signature", lambda: _replaced("X-Fy-Signature", str.upper), "header_form"),
    ("short signature", lambda: _replaced("X-Fy-Signature", lambda text: text[:-2]), "header_form"),
    ("empty signature", lambda: _replaced("X-Fy-Signature", lambda _: ""), "header_form"),
    ("two values in one header", lambda: _replaced("X-Fy-Signature", lambda text: f"{text}, {text}"), "header_form"),
    ("stale", lambda: _at(-301), "stale"),
    ("from the future", lambda: _at(302), "stale"),
    ("long ago", lambda: call_of(BODY, signed_headers(BODY, timestamp="0000000000")), "stale"),
    ("wrong key", lambda: call_of(BODY, signed_headers(BODY, key=b"\x02" * 32)), "wrong_signature"),
    ("empty key", lambda: call_of(BODY, signed_headers(BODY, key=b"")), "wrong_signature"),
    ("zero key", lambda: call_of(BODY, signed_headers(BODY, key=bytes(32))), "wrong_signature"),
    ("the key's hex as key", lambda: call_of(BODY, signed_headers(BODY, key=CALLBACK_KEY.hex().encode())), "wrong_signature"),
    ("tampered body", lambda: call_of(BODY.replace(b"cnf_1", b"cnf_2"), signed_headers(BODY)), "wrong_signature"),
    ("a line end more", lambda: call_of(BODY + b"\n", signed_headers(BODY)), "wrong_signature"),
    ("signed over parsed JSON", _signed_over_parsed, "wrong_signature"),
    ("something between the parts", _dotted, "wrong_signature"),
    ("another timestamp", lambda: _replaced("X-Fy-Timestamp", lambda text: str(int(text) + 1)), "wrong_signature"),
    ("another nonce", lambda: _replaced("X-Fy-Nonce", lambda text: text[::-1]), "wrong_signature"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "call", "code"), NEGATIVE, ids=[row[0] for row in NEGATIVE])
async def test_who_is_not_let_in(name: str, call: Callable[[], InboundCall], code: str) -> None:
    nonces = Nonces()
    with pytest.raises(CallbackRejected) as rejected:
        await adapter(nonces=nonces).authenticate(call())
    assert rejected.value.code == code
    reply = rejected.value.reply
    assert reply.status == 401
    assert reply.header("Content-Type") == "application/json; charset=UTF-8"
    assert json.loads(reply.body)["code"] == "401"
    assert nonces.asked == [], "a nonce is noted only after the signature held"


@pytest.mark.parametrize("seconds", [-300, 0, 300])
async def test_the_edges_of_the_clock(seconds: int) -> None:
    assert (await adapter().authenticate(_at(seconds))).event_id


async def test_a_replay_is_refused_and_a_repeat_is_not() -> None:
    court = adapter()
    call = push("sqsl", CONTENT)
    admitted = await court.authenticate(call)
    with pytest.raises(CallbackRejected) as rejected:
        await court.authenticate(call)
    assert (rejected.value.code, rejected.value.reply.status) == ("replay", 401)
    assert await court.authenticate(push("sqsl", CONTENT)) == admitted


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json_not_json"),
        (b"{", "json_not_json"),
        ('{"tsbh":"推送"}'.encode("gbk"), "json_not_utf8"),
        (b"\xef\xbb\xbf" + BODY, "json_not_json"),
        (b'{"tsbh":"1","tsbh":"2"}', "json_doubled_key"),
        (b'{"tsbh":"1","content":{"a":"1","a":"2"}}', "json_doubled_key"),
        (b'["tsbh"]', "json_not_an_object"),
        (b'{"tsbh":"1","x":NaN}', "json_not_json"),
        (b'{"tsbh":"1","content":' + b"[" * 100 + b"]" * 100 + b"}", "json_too_deep"),
        (b'{"tsbh":1}', "not_strings"),
        (b'{"tsbh":"1","content":{"a":null}}', "not_strings"),
        (b'{"tsbh":"1","content":{"a":[{"b":true}]}}', "not_strings"),
        (b'{"tslx":"sqsl"}', "no_tsbh"),
        (b'{"tsbh":""}', "no_tsbh"),
        (b'{"tsbh":{"a":"b"}}', "no_tsbh"),
        (b'{"tsbh":"' + b"1" * 33 + b'"}', "no_tsbh"),
    ],
)
async def test_a_signed_body_that_is_none(body: bytes, code: str) -> None:
    with pytest.raises(CallbackRejected) as rejected:
        await adapter().authenticate(call_of(body))
    assert rejected.value.code == code
    assert rejected.value.reply.status == 400
    assert json.loads(rejected.value.reply.body)["code"] == "400"


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"path": "/"}, 404), ({"path": "/other"}, 404), ({"path": "/notify/more"}, 404), ({"method": "GET"}, 405)],
)
async def test_other_doors(changes: dict[str, Any], status: int) -> None:
    with pytest.raises(CallbackRejected) as rejected:
        await adapter().authenticate(call_of(BODY, **changes))
    assert rejected.value.reply.status == status


async def test_a_push_over_the_limit() -> None:
    with pytest.raises(CallbackRejected) as rejected:
        await adapter(configured={"push_limit": 100}).authenticate(call_of(BODY))
    assert rejected.value.reply.status == 413


async def test_an_unknown_kind_is_let_in() -> None:
    assert (await adapter().authenticate(push("zzzz", {}))).event_id == "TS20261012000001"


async def test_long_pushes_are_read_off_the_loop_and_bounded() -> None:
    aside = Aside()
    long = push("sqsl", CONTENT | {"cbr": "长" * 10_000})
    assert await adapter(blocking=aside).authenticate(long)
    await adapter(blocking=aside).acknowledge(long, duplicate=False)
    assert aside.did == ["_authenticated", "_number"]
    body = b'{"tsbh":"TS20261012000001","content":{"rows":[' + b'"",' * 200_000 + b'""]}}'
    with pytest.raises(CallbackRejected, match="json_too_many_values"):
        await adapter(blocking=aside).authenticate(call_of(body, signed_headers(body)))


@pytest.mark.parametrize("duplicate", [False, True])
async def test_the_acknowledgement(duplicate: bool) -> None:
    reply = await adapter().acknowledge(push("sqsl", CONTENT), duplicate=duplicate)
    assert reply.status == 200
    assert reply.header("content-type") == "application/json; charset=UTF-8"
    assert json.loads(reply.body) == {"code": "200", "msg": "success", "tsbh": "TS20261012000001"}
