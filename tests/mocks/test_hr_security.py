"""The mock of hr_arbitration at its door: envelope, order of checks, signatures, replies (page §1–§3)."""

import asyncio
import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import gmssl_fast
import pytest

from mocks.hr_arbitration import HrArbitration, sm2
from mocks.hr_arbitration.envelope import string_to_sign
from mocks.server import MockServer
from tests.mocks.hr_client import CASE, PROGRESS, Client, text_to_sign

WORKED_HEAD = {
    "appid": "SDTJ37000001",
    "serviceid": "TJ1003",
    "serialno": "dlv_01JB2Z9K7Q4N",
    "timestamp": "20260930170503",
    "nonce": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "version": "1.0.0",
    "enctype": "SM4/CBC/PKCS7",
    "signtype": "SM2",
}
WORKED_BODY = "AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8="
WORKED_STRING = (
    "appid=SDTJ37000001&enctype=SM4/CBC/PKCS7&nonce=0f1e2d3c4b5a69788796a5b4c3d2e1f0&serialno=dlv_01JB2Z9K7Q4N"
    "&serviceid=TJ1003&signtype=SM2&timestamp=20260930170503&version=1.0.0"
    "&body=AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8="
)


def test_the_worked_example_of_the_page() -> None:
    assert string_to_sign(WORKED_HEAD | {"sign": "x"}, WORKED_BODY) == WORKED_STRING.encode()
    assert text_to_sign(WORKED_HEAD, WORKED_BODY) == WORKED_STRING.encode()
    expected = "12398b7a5231adc55f90b6e38bdb5553ff98c054c18b9898ac8c99dce9e7428a"
    assert sm2.sm3(WORKED_STRING.encode()).hex() == expected


def test_absent_fields_are_left_out_and_empty_ones_stay() -> None:
    assert string_to_sign({"b": "", "a": "1"}, "") == b"a=1&b=&body="


def test_some_sm2_package_proves_itself_and_a_wrong_one_does_not() -> None:
    assert sm2.proves_itself(sm2.backend())

    class IgnoresTheId:
        name = "ignores the ID"
        slow = False

        def public_of(self, private: bytes) -> bytes:
            return sm2.backend().public_of(private)

        def sign(self, private: bytes, public: bytes, signer_id: bytes, message: bytes) -> bytes:
            return sm2.backend().sign(private, public, b"1234567812345678", message)

        def verify(self, public: bytes, signer_id: bytes, message: bytes, signature: bytes) -> bool:
            return sm2.backend().verify(public, b"1234567812345678", message, signature)

    assert not sm2.proves_itself(IgnoresTheId())


def test_the_pure_package_gives_the_same_as_the_fast_one() -> None:
    pure = sm2._Gmalg()
    assert sm2.proves_itself(pure)
    private = sm2.new_private_key()
    public = pure.public_of(private)
    assert public == sm2.backend().public_of(private)
    signature = sm2.backend().sign(private, public, b"SDHRSSLDZC370000", b"m")
    assert pure.verify(public, b"SDHRSSLDZC370000", b"m", signature)
    assert sm2.backend().verify(
        public, b"SDHRSSLDZC370000", b"m", pure.sign(private, public, b"SDHRSSLDZC370000", b"m")
    )


async def test_probe_and_reply(client: Client) -> None:
    reply = await client.send("TJ0001", {"BZR002": "PING"})
    assert reply.code == "0000"
    assert reply.content == {"BZR002": "PONG"}
    assert set(reply.head) == {
        *("appid", "serviceid", "serialno", "reqnonce", "timestamp", "nonce", "version", "enctype", "signtype"),
        *("code", "message", "sign"),
    }
    assert (await client.send("TJ0001", {"BZR002": "HELLO"})).code == "4002"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"head":{}}',
        b'{"head":{},"body":1}',
        b'{"head":[],"body":""}',
        b'{"head":{},"body":"","more":""}',
        b'{"head":{},"body":"a","body":"b"}',
        b'{"head":{"appid":"a","appid":"b"},"body":"a"}',
        b'\xef\xbb\xbf{"head":{},"body":""}',
        b'{"head":{},"body":"\xff"}',
        b'{"head":{},"body":' + b"[" * 100_000,
        b'{"head":{"a":NaN},"body":""}',
    ],
)
async def test_http_400_for_what_is_not_an_envelope(client: Client, server: MockServer, data: bytes) -> None:
    reply = await client.post(data)
    assert reply.status == 400
    assert server.platform.journal.entries()[-1]["effect"] == "refused"


async def test_http_400_for_content_type_and_coding(client: Client) -> None:
    head = client.head("TJ0001", "dlv_00000001")
    data = client.envelope(head, client.seal(b'{"BZR002":"PING"}'))
    assert (await client.post(data, **{"Content-Type": "text/plain"})).status == 400
    assert (await client.post(data, **{"Content-Type": "application/json; charset=gbk"})).status == 400
    assert (await client.post(data, **{"Content-Encoding": "gzip"})).status == 400
    assert (await client.post(data)).code == "0000"


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": None},
        {"extra": "1"},
        {"appid": "lower000"},
        {"serviceid": "TJ101"},
        {"serialno": "short"},
        {"serialno": "dlv_01JB2Z9K7Q4N "},
        {"timestamp": "2026093017050"},
        {"timestamp": "20261330170503"},
        {"nonce": "0F1E2D3C4B5A69788796A5B4C3D2E1F0"},
        {"version": "1.0.1"},
        {"enctype": "SM4/ECB"},
        {"signtype": "RSA"},
    ],
)
async def test_3001_for_the_head(client: Client, changes: dict[str, Any]) -> None:
    head = client.head("TJ0001", "dlv_00000001", **changes)
    reply = await client.post(client.envelope(head, client.seal(b'{"BZR002":"PING"}')))
    assert reply.code == "3001"
    for name in ("serviceid", "serialno"):
        assert reply.head[name] == ("" if name in changes else head[name])
    assert reply.head["reqnonce"] == ("" if "nonce" in changes else head["nonce"])


async def test_3001_for_empty_body_and_values_that_are_no_strings(client: Client) -> None:
    head = client.head("TJ0001", "dlv_00000001")
    assert (await client.post(client.envelope(head, ""))).code == "3001"
    envelope = {"head": head | {"version": 1, "sign": "x"}, "body": "AAAA"}
    assert (await client.post(json.dumps(envelope).encode())).code == "3001"
    envelope = {"head": head, "body": "AAAA"}
    assert (await client.post(json.dumps(envelope).encode())).code == "3001"


async def test_3002_for_appid(client: Client) -> None:
    assert (await client.send("TJ0001", {"BZR002": "PING"}, appid="SDTJ37000002")).code == "3002"


@pytest.mark.parametrize("server", [{"allowed_services": ["TJ1001"]}], indirect=True)
async def test_3002_for_right(client: Client) -> None:
    assert (await client.send("TJ0001", {"BZR002": "PING"})).code == "3002"


async def test_3003_is_300_seconds_both_ways_on_the_platforms_clock(client: Client, server: MockServer) -> None:
    for seconds, code in ((299, "0000"), (302, "3003"), (-299, "0000"), (-302, "3003")):
        server.clock.reset()
        server.clock.shift(seconds)
        reply = await client.send("TJ0001", {"BZR002": "PING"})
        assert reply.code == code, seconds
    told = reply.head["timestamp"]
    assert abs(int(told[8:10]) * 60 + int(told[10:12]) - client.now().hour * 60 - client.now().minute) in (
        5,
        6,
        1434,
        1435,
    )


def spoiled(kind: str, sign: str) -> str:
    raw = base64.b64decode(sign)
    match kind:
        case "unpadded":
            return sign.rstrip("=")
        case "63 bytes":
            return base64.b64encode(raw[:63]).decode()
        case "65 bytes":
            return base64.b64encode(raw + b"\0").decode()
        case "der":
            parts = [int.from_bytes(part, "big").to_bytes(33, "big").lstrip(b"\0") for part in (raw[:32], raw[32:])]
            parts = [b"\0" + part if part[0] & 0x80 else part for part in parts]
            body = b"".join(b"\x02" + bytes([len(part)]) + part for part in parts)
            return base64.b64encode(b"\x30" + bytes([len(body)]) + body).decode()
        case "hex":
            return raw.hex()
        case "url alphabet":
            return "-" + sign[1:]
        case "line break":
            return sign[:76] + "\n" + sign[76:]
        case "zeros":
            return base64.b64encode(bytes(64)).decode()
        case _:
            return base64.b64encode(bytes([raw[0] ^ 1]) + raw[1:]).decode()


@pytest.mark.parametrize(
    "kind", ["unpadded", "63 bytes", "65 bytes", "der", "hex", "url alphabet", "line break", "zeros", "one bit"]
)
async def test_3004_for_the_signature(client: Client, kind: str) -> None:
    head = client.head("TJ0001", "dlv_00000001")
    body = client.seal(b'{"BZR002":"PING"}')
    head["sign"] = spoiled(kind, client.sign(head, body))
    assert (await client.post(json.dumps({"head": head, "body": body}).encode())).code == "3004"


async def test_3004_for_another_signer_and_for_a_digest_in_place_of_the_string(client: Client) -> None:
    head = client.head("TJ0001", "dlv_00000001")
    body = client.seal(b'{"BZR002":"PING"}')
    other = gmssl_fast.SM2.generate()
    for signature in (
        other.sign(text_to_sign(head, body)),
        client.signer.sign(gmssl_fast.sm3(text_to_sign(head, body))),
        client.signer.sign(text_to_sign(head, "")),
    ):
        sent = head | {"sign": base64.b64encode(signature).decode()}
        assert (await client.post(json.dumps({"head": sent, "body": body}).encode())).code == "3004"


async def test_escaped_slashes_are_signed_as_slashes(client: Client) -> None:
    head = client.head("TJ0001", "dlv_00000001")
    data = client.envelope(head, client.seal(b'{"BZR002":"PING"}'))
    assert (await client.post(data.replace(b"/", b"\\/"))).code == "0000"


async def test_3005_a_nonce_comes_once_and_is_noted_only_under_a_good_signature(
    client: Client, server: MockServer
) -> None:
    body = client.seal(b'{"BZR002":"PING"}')
    head = client.head("TJ0001", "dlv_00000001")
    forged = head | {"sign": base64.b64encode(bytes(64)).decode()}
    assert (await client.post(json.dumps({"head": forged, "body": body}).encode())).code == "3004"
    assert (await client.post(client.envelope(head, body))).code == "0000"
    assert (await client.post(client.envelope(head, body))).code == "3005"
    server.clock.shift(901)
    client.skew = server.clock.now() - client.now()
    again = client.head("TJ0001", "dlv_00000001", nonce=head["nonce"])
    assert (await client.post(client.envelope(again, body))).code == "0000"


async def test_3006_for_what_cannot_be_decrypted(client: Client) -> None:
    good = client.seal(b'{"BZR002":"PING"}')
    raw = base64.b64decode(good)
    bodies = {
        "unpadded base64": good.rstrip("=") if good.endswith("=") else good[:-1],
        "line breaks": good[:10] + "\n" + good[10:],
        "no block": base64.b64encode(raw[:16]).decode(),
        "cut block": base64.b64encode(raw[:-1]).decode(),
        "other key": client.seal(b'{"BZR002":"PING"}', b"0123456789abcdef"),
        "not UTF-8": client.seal(b'{"BZR002":"\xff"}'),
        "BOM": client.seal(b'\xef\xbb\xbf{"BZR002":"PING"}'),
        "list": client.seal(b"[]"),
        "doubled key": client.seal(b'{"BZR002":"PING","BZR002":"PING"}'),
        "not JSON": client.seal(b"PING"),
        "too deep": client.seal(b'{"A":' + b"[" * 900 + b"]" * 900 + b"}"),
        "no number": client.seal(b'{"A":1e999}'),
    }
    for name, body in bodies.items():
        reply = await client.post(client.envelope(client.head("TJ0001", "dlv_00000001"), body))
        assert (name, reply.code, reply.raw) == (name, "3006", None)


async def test_the_previous_key_is_taken_too(tmp_path: Path, client: Client) -> None:
    config = dict(client.config)
    old = b"0123456789abcdef"
    public = bytes.fromhex(config["gateway_public_key"])
    config["sm4_key_envelope_previous"] = base64.b64encode(sm2.wrap_key(old, public)).decode()
    file = tmp_path / "given.json"
    file.write_text(json.dumps(config))
    server = MockServer(HrArbitration, tmp_path / "second", config=file)
    await server.start()
    try:
        second = Client(config | {"base_url": server.url}, client.session)
        for key in (None, old):
            body = second.seal(b'{"BZR002":"PING"}', key)
            assert (await second.post(second.envelope(second.head("TJ0001", "dlv_00000001"), body))).code == "0000"
    finally:
        await server.stop()


async def test_3008_for_an_unknown_service(client: Client) -> None:
    assert (await client.send("TJ7777", {"A": "B"})).code == "3008"


async def test_the_order_of_the_checks(client: Client) -> None:
    """A message with every fault; each step mends one and the next check answers."""
    stale, good_key = "20200101000000", client.key
    used = client.head("TJ0001", "dlv_00000001")
    assert (await client.post(client.envelope(used, client.seal(b'{"BZR002":"PING"}')))).code == "0000"
    broken = {"appid": "SDTJ37000002", "timestamp": stale, "nonce": used["nonce"], "version": "9.9.9"}
    bad_body = client.seal(b"{}", b"0123456789abcdef")

    async def answer(changes: dict[str, str], body: str, *, signed: bool) -> str:
        head = client.head("TJ7777", "dlv_00000001", **changes)
        sign = client.sign(head, body) if signed else base64.b64encode(bytes(64)).decode()
        reply = await client.post(json.dumps({"head": head | {"sign": sign}, "body": body}).encode())
        return reply.code

    assert await answer(broken, bad_body, signed=False) == "3001"
    del broken["version"]
    assert await answer(broken, bad_body, signed=False) == "3002"
    del broken["appid"]
    assert await answer(broken, bad_body, signed=False) == "3003"
    del broken["timestamp"]
    assert await answer(broken, bad_body, signed=False) == "3004"
    assert await answer(broken, bad_body, signed=True) == "3005"
    assert await answer({}, bad_body, signed=True) == "3006"
    assert await answer({}, client.seal(b"{}", good_key), signed=True) == "3008"


async def test_sizes(client: Client, server: MockServer) -> None:
    def sized(service: str, size: int) -> bytes:
        head = client.head(service, "dlv_00000001") | {"sign": "x"}
        frame = json.dumps({"head": head, "body": ""}).encode()
        return frame[:-2] + b"A" * (size - len(frame)) + frame[-2:]

    limit = 2 * 1024 * 1024
    assert (await client.post(sized("TJ1001", limit))).status == 200
    over = await client.post(sized("TJ1001", limit + 1))
    assert (over.status, over.text) == (413, "")
    assert (await client.post(sized("TJ9002", limit + 1))).status == 200
    most = 16 * 1024 * 1024
    assert (await client.post(sized("TJ9002", most))).status == 200
    over = await client.post(sized("TJ9002", most + 1))
    assert (over.status, over.text) == (413, "")
    assert server.platform.records() == []


@pytest.mark.parametrize("server", [{"rate_per_s": 3}], indirect=True)
async def test_2001_over_the_rate(client: Client) -> None:
    replies = [await client.send("TJ0001", {"BZR002": "PING"}) for _ in range(4)]
    assert [reply.code for reply in replies] == ["0000", "0000", "0000", "2001"]
    assert replies[3].head["retryafter"] == "1"
    await asyncio.sleep(1.05)
    assert (await client.send("TJ0001", {"BZR002": "PING"})).code == "0000"


@pytest.mark.parametrize("server", [{"allowed_addresses": ["10.0.0.1"]}], indirect=True)
async def test_403_for_an_address_not_on_the_list(client: Client) -> None:
    assert (await client.send("TJ0001", {"BZR002": "PING"})).status == 403


async def test_oddities(client: Client) -> None:
    replies = [await client.send("TJ0001", {"BZR002": "PING"}) for _ in range(6)]
    assert [next(iter(reply.raw)) for reply in replies] == ["BZR002", "BZR002", "bzr002"] * 2
    assert any("&" in reply.head["message"] and "=" in reply.head["message"] for reply in replies)
    assert any(reply.head["message"] == "成功" for reply in replies)
    reply = await client.done("TJ1001", CASE)
    assert len(reply.ref) == 20
    assert int(reply.ref) > 2**53


async def test_idempotency(client: Client, server: MockServer) -> None:
    await client.done("TJ1001", CASE)
    first = await client.send("TJ1003", PROGRESS, "dlv_repeat_0001")
    assert first.code == "0000"
    server.clock.shift(60)
    shuffled = dict(reversed(list(PROGRESS.items())))
    again = await client.send("TJ1003", shuffled, "dlv_repeat_0001")
    assert (again.code, again.content) == ("1001", first.content)
    other = await client.send("TJ1003", PROGRESS | {"AAE013": "不同"}, "dlv_repeat_0001")
    assert other.code == "4009"
    assert (await client.send("TJ1006", {}, "dlv_repeat_0001")).code == "4001"  # another service is another key
    refused = await client.send("TJ1003", PROGRESS | {"BZS001": "77"}, "dlv_repeat_0002")
    assert refused.code == "4002"
    assert (await client.send("TJ1003", PROGRESS, "dlv_repeat_0002")).code == "0000"  # a refusal leaves no trace
    kinds = [record["kind"] for record in server.platform.records()]
    assert kinds == ["TJ1001", "TJ1003", "TJ1003"]
    entries = [entry for entry in server.platform.journal.entries() if entry["message_id"] == "dlv_repeat_0001"]
    assert [entry["effect"] for entry in entries] == ["created", "repeated", "refused", "refused"]
    assert entries[0]["ref"] == entries[1]["ref"] == first.ref
    assert entries[0]["payload"] == PROGRESS
    assert entries[0]["digest"] == entries[1]["digest"]


async def test_concurrent_repeats_have_one_effect(client: Client, server: MockServer) -> None:
    replies = await asyncio.gather(*(client.send("TJ1001", CASE, "dlv_together_01") for _ in range(5)))
    assert sorted(reply.code for reply in replies) == ["0000", "1001", "1001", "1001", "1001"]
    assert len({reply.ref for reply in replies}) == 1
    assert len(server.platform.records()) == 1


async def test_query_by_serial(client: Client) -> None:
    first = await client.send("TJ1001", CASE, "dlv_query_00001")
    found = await client.done("TJ9001", {"BZR007": "TJ1001", "BZR008": "dlv_query_00001"})
    assert found.content == {"BZR009": "1", **first.content}
    for service, serial in (("TJ1002", "dlv_query_00001"), ("TJ1001", "dlv_query_00002")):
        assert (await client.done("TJ9001", {"BZR007": service, "BZR008": serial})).content == {"BZR009": "0"}


async def test_files(client: Client, server: MockServer) -> None:
    data = bytes(range(256)) * 100
    first = await client.upload(data, "image/png")
    assert first.code == "0000"
    assert len(first.content["BZF001"]) <= 32
    again = await client.upload(data, "image/png")
    assert (again.code, again.content["BZF001"]) == ("1001", first.content["BZF001"])
    assert (await client.upload(data, "image/jpeg")).code == "4009"
    loaded = await client.done("TJ9003", {"BZF001": first.content["BZF001"]})
    assert base64.b64decode(loaded.content["BZF006"]) == data
    assert loaded.content["BZF002"] == hashlib.sha256(data).hexdigest()
    assert loaded.content["BZF003"] == "image/png"
    assert (await client.send("TJ9003", {"BZF001": "unknown"})).code == "4050"
    assert (await client.upload(b"x", "text/plain")).code == "4002"
    assert (await client.upload(b"y", BZF004="2")).findings == [("BZF004", "")]
    assert (await client.upload(b"y", BZF002="0" * 64)).code == "4002"
    assert (await client.upload(b"y", BZF006="eQ")).findings == [("BZF006", "")]
    wrong_serial = {
        "BZF002": hashlib.sha256(b"z").hexdigest(),
        "BZF003": "application/pdf",
        "BZF004": "1",
        "BZF006": base64.b64encode(b"z").decode(),
    }
    assert (await client.send("TJ9002", wrong_serial)).code == "4002"
    assert not any("BZF006" in (entry["payload"] or {}) for entry in server.platform.journal.entries())


@pytest.mark.parametrize("server", [{"file_limit": 10}], indirect=True)
async def test_4003_over_the_limit_of_a_file(client: Client) -> None:
    assert (await client.upload(b"0123456789")).code == "0000"
    assert (await client.upload(b"0123456789a")).code == "4003"


async def test_the_pure_package_serves_as_well(
    client: Client, server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> sm2.Backend:
        raise ImportError("tongsuopy")

    monkeypatch.setattr(sm2, "_Tongsuo", missing)
    sm2.backend.cache_clear()
    try:
        assert sm2.backend().name == "gmalg"
        assert (await client.send("TJ0001", {"BZR002": "PING"})).code == "0000"
        monkeypatch.setattr(sm2, "_Gmalg", missing)
        sm2.backend.cache_clear()
        with pytest.raises(sm2.Sm2Unavailable):
            sm2.backend()
    finally:
        monkeypatch.undo()
        sm2.backend.cache_clear()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"platform_public_key": "04" + "11" * 64}, "platform_public_key"),
        ({"gateway_public_key": "04" + "11" * 64}, "gateway_public_key"),
        ({"sm4_key": "00" * 16}, "sm4_key_envelope"),
        ({"sm4_key": "00"}, "32 hex"),
        ({"platform_private_key": "00"}, "64 hex"),
        ({"unknown": 1}, "unknown key"),
    ],
)
async def test_a_configuration_that_does_not_fit_is_refused(
    tmp_path: Path, client: Client, changes: dict[str, Any], text: str
) -> None:
    file = tmp_path / "given.json"
    file.write_text(json.dumps(client.config | changes))
    wrong = MockServer(HrArbitration, tmp_path / "second", config=file)
    with pytest.raises(ValueError, match=text):
        await wrong.start()


def test_keys_are_read_in_every_form_the_page_allows() -> None:
    public = sm2.public_of(sm2.new_private_key())
    assert sm2.read_public_key(public.hex()) == sm2.read_public_key(public[1:].hex().upper()) == public
    with pytest.raises(ValueError, match="130 hex"):
        sm2.read_public_key("05" + public[1:].hex())
