"""The door: the receiver's checks in the page's order, refusals in the platform's dialect, the acknowledgement."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.hr_arbitration import HrArbitration
from contracts import gm
from contracts.adapter import InboundCall
from contracts.errors import CallbackRejected
from tests.adapters.aside import Aside
from tests.adapters.hr_arbitration import platform
from tests.adapters.hr_arbitration.platform import (
    APPID,
    OLD_SM4_KEY,
    SM4_KEY,
    Nonces,
    call_of,
    callback,
    callback_head,
    plain,
    read_reply,
    sealed,
    settings,
    signed,
    tools,
)

BODY = {
    "AAE036": "20260930170000",
    "BZC002": "cnf_1",
    "BZR001": "90071992547409931234",
    "BZC005": "历劳人仲审〔2026〕5号",
}


def _adapter(nonces: Nonces | None = None, **changes: Any) -> HrArbitration:
    return HrArbitration("hr", settings(**changes), tools(nonces=nonces or Nonces()))


async def test_a_sound_call_is_let_in() -> None:
    call = callback("ZC2001", BODY)
    admitted = await _adapter().authenticate(call)
    assert admitted.event_id == "EV20260930000001"
    assert len(admitted.digest) == 64


async def test_the_digest_is_of_the_content_alone() -> None:
    adapter = _adapter(previous=True)
    reordered = dict(reversed(BODY.items()))
    same = [
        callback("ZC2001", BODY),
        callback("ZC2001", reordered, key=OLD_SM4_KEY, timestamp="20260930170603"),
        callback("ZC2001", {key.lower(): value for key, value in BODY.items()}),
    ]
    others = [
        callback("ZC2001", BODY | {"AAE011": "x"}),
        callback("ZC2002", BODY),
    ]
    digests = [(await adapter.authenticate(call)).digest for call in [*same, *others]]
    assert len(set(digests[:3])) == 1
    assert len(set(digests)) == 3


def _head_without_sign() -> InboundCall:
    return call_of(plain({"head": callback_head("ZC2001"), "body": sealed(SM4_KEY, plain(BODY))}))


def _changed(change: Callable[[dict[str, Any]], None]) -> InboundCall:
    envelope = json.loads(callback("ZC2001", BODY).body)
    change(envelope)
    return call_of(plain(envelope))


def _resigned(change: Callable[[bytes], bytes]) -> InboundCall:
    def resign(envelope: dict[str, Any]) -> None:
        raw = change(base64.b64decode(envelope["head"]["sign"]))
        envelope["head"]["sign"] = base64.b64encode(raw).decode()

    return _changed(resign)


def _with(field: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(envelope: dict[str, Any]) -> None:
        envelope["head"][field] = value

    return change


def _other_body(envelope: dict[str, Any]) -> None:
    envelope["body"] = sealed(SM4_KEY, plain(BODY))


def _signed_by(private: str, public: str, signer_id: bytes) -> InboundCall:
    key = gm.Sm2Private.from_hex(private, gm.Sm2Public.from_hex(public))
    return call_of(signed(callback_head("ZC2001"), sealed(SM4_KEY, plain(BODY)), key, signer_id))


_OWN = (platform.GATEWAY_PRIVATE, platform.GATEWAY_PUBLIC)
_THEIRS = (platform.PLATFORM_PRIVATE, platform.PLATFORM_PUBLIC)
_OUT_OF_RANGE = bytes(31) + b"\1" + bytes(32)

NEGATIVE: list[tuple[str, Callable[[], InboundCall], str]] = [
    ("unsigned", _head_without_sign, "3001"),
    ("an empty signature", lambda: _changed(_with("sign", "")), "3001"),
    ("a signature that is no text", lambda: _changed(_with("sign", 1)), "3001"),
    ("a field too many", lambda: _changed(_with("extra", "x")), "3001"),
    ("a number in the head", lambda: _changed(_with("timestamp", 20260930170503)), "3001"),
    ("capital nonce", lambda: callback("ZC2001", BODY, nonce="A" * 32), "3001"),
    ("another version", lambda: callback("ZC2001", BODY, version="2.0.0"), "3001"),
    ("DER of other length", lambda: _resigned(gm.der_from_raw), "3004"),
    ("63 bytes", lambda: _resigned(lambda raw: raw[:63]), "3004"),
    ("65 bytes", lambda: _resigned(lambda raw: raw + b"\0"), "3004"),
    ("unpadded base64", lambda: _changed(lambda e: _with("sign", e["head"]["sign"][:86])(e)), "3004"),
    ("another application", lambda: callback("ZC2001", BODY, appid="OTHERAPP01"), "3002"),
    ("stale", lambda: callback("ZC2001", BODY, timestamp="20260930170002"), "3003"),
    ("from the future", lambda: callback("ZC2001", BODY, timestamp="20260930171004"), "3003"),
    ("no such time", lambda: callback("ZC2001", BODY, timestamp="20260930179999"), "3003"),
    ("another key", lambda: _signed_by(*_OWN, platform.PLATFORM_ID), "3004"),
    ("another signer ID", lambda: _signed_by(*_THEIRS, platform.GATEWAY_ID), "3004"),
    ("tampered body", lambda: _changed(_other_body), "3004"),
    ("tampered serial number", lambda: _changed(_with("serialno", "EV20260930000002")), "3004"),
    ("tampered service", lambda: _changed(_with("serviceid", "ZC2002")), "3004"),
    ("tampered nonce", lambda: _changed(_with("nonce", "0" * 32)), "3004"),
    ("flipped signature", lambda: _resigned(lambda raw: raw[:63] + bytes([raw[63] ^ 1])), "3004"),
    ("r and s swapped", lambda: _resigned(lambda raw: raw[32:] + raw[:32]), "3004"),
    ("s of zero", lambda: _resigned(lambda _: _OUT_OF_RANGE), "3004"),
    ("another spelling of the signature", lambda: _changed(lambda e: _with("sign", _respelt(e))(e)), "3004"),
    ("empty body", lambda: call_of(signed(callback_head("ZC2001"), "")), "3006"),
    ("body no base64", lambda: call_of(signed(callback_head("ZC2001"), "no base64")), "3006"),
    ("wrong SM4 key", lambda: callback("ZC2001", BODY, key=OLD_SM4_KEY), "3006"),
    ("a list inside", lambda: call_of(signed(callback_head("ZC2001"), sealed(SM4_KEY, b"[]"))), "3006"),
    (
        "doubled keys inside",
        lambda: call_of(signed(callback_head("ZC2001"), sealed(SM4_KEY, b'{"A":"1","A":"2"}'))),
        "3006",
    ),
    ("a service of ours", lambda: callback("TJ1001", BODY), "3008"),
    ("a service of nobody", lambda: callback("ZC9999", BODY), "3008"),
]


def _respelt(envelope: dict[str, Any]) -> str:
    """The same 64 bytes with other unused bits in the last character."""
    sign: str = envelope["head"]["sign"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return sign[:85] + alphabet[alphabet.index(sign[85]) ^ 1] + "=="


@pytest.mark.parametrize(
    ("make", "code"), [(make, code) for _, make, code in NEGATIVE], ids=[n for n, _, _ in NEGATIVE]
)
async def test_what_is_refused_in_the_platforms_dialect(make: Callable[[], InboundCall], code: str) -> None:
    nonces = Nonces()
    call = make()
    with pytest.raises(CallbackRejected) as refused:
        await _adapter(nonces).authenticate(call)
    assert refused.value.code == code
    reply = refused.value.reply
    assert reply.status == 200
    head = read_reply(reply)
    assert head["code"] == code
    asked = json.loads(call.body)["head"]
    for ours, theirs in (
        ("reqnonce", "nonce"),
        ("serialno", "serialno"),
        ("serviceid", "serviceid"),
        ("appid", "appid"),
    ):
        assert head[ours] in (asked[theirs], "")
    if code >= "3002":
        assert head["reqnonce"] == asked["nonce"]
    # Nonces are recorded only after the signature held: a forger cannot use up the platform's.
    assert bool(nonces.asked) == (code >= "3005")


async def test_the_same_bytes_again_are_a_replay() -> None:
    adapter = _adapter()
    call = callback("ZC2001", BODY)
    await adapter.authenticate(call)
    with pytest.raises(CallbackRejected) as refused:
        await adapter.authenticate(call)
    assert read_reply(refused.value.reply)["code"] == "3005"


async def test_a_repeat_with_a_new_nonce_is_let_in() -> None:
    adapter = _adapter()
    first = await adapter.authenticate(callback("ZC2001", BODY))
    assert await adapter.authenticate(callback("ZC2001", BODY, timestamp="20260930170604")) == first


@pytest.mark.parametrize("timestamp", ["20260930170003", "20260930171003"])
async def test_three_hundred_seconds_are_allowed(timestamp: str) -> None:
    assert await _adapter().authenticate(callback("ZC2001", BODY, timestamp=timestamp))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"head":{},"body":1}',
        b'{"head":{},"body":""} trailing',
        b'{"head":{"a":"1","a":"2"},"body":""}',
        b"\xff",
    ],
)
async def test_what_is_no_envelope_is_answered_400(body: bytes) -> None:
    with pytest.raises(CallbackRejected) as refused:
        await _adapter().authenticate(call_of(body))
    reply = refused.value.reply
    assert reply.status == 400
    assert (reply.header("Content-Type") or "").startswith("text/plain")


@pytest.mark.parametrize(
    "body",
    [
        b'{"head":{},"body":[' + b"[[]]," * 395_000 + b"[]]}",
        b'{"head":{},"body":[' + b"0," * 600_000 + b"0]}",
        b'{"head":{' + b'"a":"",' * 250_000 + b'"b":""},"body":""}',
        b'{"head":' + b"[" * 300 + b"]" * 300 + b',"body":""}',
    ],
)
async def test_more_than_an_envelope_holds_is_refused_unparsed(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.http.json.loads", lambda *_, **__: pytest.fail("parsed"))
    with pytest.raises(CallbackRejected) as refused:
        await _adapter().authenticate(call_of(body))
    assert refused.value.code == "http_400_too_many_values"
    assert refused.value.reply.status == 400


async def test_long_calls_are_read_off_the_loop() -> None:
    aside = Aside()
    adapter = HrArbitration("hr", settings(), tools(blocking=aside))
    call = callback("ZC2001", BODY | {"AAE013": "长" * 40_000})
    assert await adapter.authenticate(call)
    assert aside.did == ["read_envelope", "platform_signed", "_digest"]
    await adapter.acknowledge(call, duplicate=False)
    assert aside.did[3:] == ["read_envelope", "seal"]


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (call_of(b"x" * (2 * 1024 * 1024 + 1)), 413),
        (call_of(callback("ZC2001", BODY).body, path="/other"), 404),
        (call_of(callback("ZC2001", BODY).body, path=""), 404),
        (call_of(b"", method="GET"), 405),
    ],
)
async def test_other_doors(call: InboundCall, status: int) -> None:
    with pytest.raises(CallbackRejected) as refused:
        await _adapter().authenticate(call)
    assert refused.value.reply.status == status
    assert refused.value.reply.body == b""


async def test_the_previous_key_still_opens() -> None:
    call = callback("ZC2001", BODY, key=OLD_SM4_KEY)
    assert await _adapter(previous=True).authenticate(call)


@pytest.mark.parametrize(("duplicate", "code"), [(False, "0000"), (True, "1001")])
async def test_the_acknowledgement_is_signed(duplicate: bool, code: str) -> None:
    call = callback("ZC2001", BODY)
    reply = await _adapter().acknowledge(call, duplicate=duplicate)
    assert reply.status == 200
    assert reply.header("content-type") == "application/json; charset=UTF-8"
    head = read_reply(reply)
    asked = json.loads(call.body)["head"]
    assert head["code"] == code
    assert (head["reqnonce"], head["serialno"], head["serviceid"]) == (asked["nonce"], asked["serialno"], "ZC2001")
    assert head["appid"] == APPID
    assert head["timestamp"] == "20260930170503"
    assert head["nonce"] != asked["nonce"]
    assert head.keys() == set(callback_head("ZC2001")) | {"sign", "reqnonce", "code", "message"}


async def test_an_unreadable_head_is_echoed_empty() -> None:
    call = _changed(_with("serialno", "not a serial number"))
    with pytest.raises(CallbackRejected) as refused:
        await _adapter().authenticate(call)
    head = read_reply(refused.value.reply)
    assert head["serialno"] == ""
    assert head["serviceid"] == "ZC2001"
