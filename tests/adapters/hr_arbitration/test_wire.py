"""The envelope's bytes: the page's worked string-to-sign, strict base64, keys in either case, sizes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hr_arbitration import wire
from contracts import gm
from tests.adapters.hr_arbitration import platform

WORKED = {
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


def test_the_worked_example_of_the_page() -> None:
    string = wire.string_to_sign(WORKED | {"sign": "never inside"}, WORKED_BODY)
    assert string == (
        b"appid=SDTJ37000001&enctype=SM4/CBC/PKCS7&nonce=0f1e2d3c4b5a69788796a5b4c3d2e1f0&serialno=dlv_01JB2Z9K7Q4N"
        b"&serviceid=TJ1003&signtype=SM2&timestamp=20260930170503&version=1.0.0"
        b"&body=AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8="
    )
    assert gm.sm3(string).hex() == "12398b7a5231adc55f90b6e38bdb5553ff98c054c18b9898ac8c99dce9e7428a"


def test_values_go_in_raw_and_empty_ones_stay() -> None:
    head = {"serialno": "", "message": "a&b=成功 c", "code": "0000"}
    assert wire.string_to_sign(head, "") == "code=0000&message=a&b=成功 c&serialno=&body=".encode()


def test_an_escaped_slash_is_a_slash() -> None:
    envelope = wire.read_envelope(b'{"head":{"enctype":"SM4\\/CBC\\/PKCS7"},"body":"AA\\/="}')
    assert wire.string_to_sign(envelope.head, envelope.body) == b"enctype=SM4/CBC/PKCS7&body=AA/="


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>",
        "<html>维护</html>".encode("gb18030"),
        b"[]",
        b"{}",
        b'{"head":{}}',
        b'{"body":""}',
        b'{"head":[],"body":""}',
        b'{"head":{},"body":null}',
        b'{"head":{},"body":{}}',
        b'{"head":{},"body":"","more":1}',
        b'{"head":{},"head":{},"body":""}',
        b'{"head":{"appid":"a","appid":"b"},"body":""}',
        b'{"head":{"a":[[[1]]]},"body":""}',
    ],
)
def test_what_is_no_envelope(raw: bytes) -> None:
    with pytest.raises(wire.NotAnEnvelope):
        wire.read_envelope(raw)


def test_a_sound_head_is_sound() -> None:
    assert wire.call_head_is_sound(WORKED | {"sign": "A" * 86 + "=="})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("appid", "sdtj37000001"),
        ("appid", "SHORT"),
        ("serviceid", "TJ103"),
        ("serialno", "with space in it"),
        ("serialno", "a" * 65),
        ("timestamp", "2026093017050"),
        ("timestamp", "２０２６０９３０１７０５０３"),
        ("nonce", "0F1E2D3C4B5A69788796A5B4C3D2E1F0"),
        ("nonce", "0f1e"),
        ("version", "1.0.1"),
        ("enctype", "SM4/ECB/PKCS7"),
        ("signtype", "RSA"),
        ("sign", ""),
        ("sign", None),
        ("timestamp", 20260930170503),
        ("nonce", WORKED["nonce"] + "\n"),
    ],
)
def test_a_field_out_of_its_pattern(name: str, value: object) -> None:
    head: dict[str, Any] = WORKED | {"sign": "A" * 86 + "=="} | {name: value}
    assert not wire.call_head_is_sound(head)


@pytest.mark.parametrize("value", ["A" * 87 + "=", "A" * 88, "A" * 86, "A" * 85 + "-=="])
def test_a_signature_of_another_form_is_a_wrong_one_and_no_wrong_head(value: str) -> None:
    """Page §2: DER and other lengths are 3004."""
    assert wire.call_head_is_sound(WORKED | {"sign": value})
    assert not wire.is_raw_signature(value)


def test_a_field_too_few_or_too_many() -> None:
    whole: dict[str, Any] = WORKED | {"sign": "A" * 86 + "=="}
    assert not wire.call_head_is_sound(whole | {"extra": ""})
    for name in whole:
        assert not wire.call_head_is_sound({key: value for key, value in whole.items() if key != name})


@given(st.binary(max_size=100))
def test_base64_has_one_spelling(raw: bytes) -> None:
    text = wire.encode(raw)
    assert wire.decode(text) == raw
    for other in (text + "\n", text.rstrip("=") if text.endswith("=") else text + "=", " " + text):
        with pytest.raises(ValueError, match="not base64"):
            wire.decode(other)


@pytest.mark.parametrize("text", ["AA==BB==", "AB==", "A-_=", "QQ", "Q", "QQ= =", "ＱＱ=="])
def test_other_spellings_of_base64(text: str) -> None:
    with pytest.raises(ValueError, match="not base64"):
        wire.decode(text)


def test_keys_are_read_without_regard_to_case() -> None:
    assert wire.upper_keys({"bzr001": "x", "bzr003": [{"Bzr004": "y"}]}) == {"BZR001": "x", "BZR003": [{"BZR004": "y"}]}
    assert wire.upper_keys({"bzr001": "low", "BZR001": "up"}) == {"BZR001": "up"}
    assert wire.upper_keys({"BZR001": "up", "bzr001": "low"}) == {"BZR001": "up"}


def test_numbers_that_the_page_forbids_are_read_as_their_digits() -> None:
    assert wire.texts({"A": 90071992547409931234}, "A") == "90071992547409931234"
    assert wire.texts({"A": True}, "A") == ""
    assert wire.texts({"A": ["x"]}, "A") == ""
    assert wire.texts({}, "A") == ""


@pytest.mark.parametrize("size", [0, 1, 2, 15, 16, 17, 1000, 100_001])
def test_the_estimate_of_a_sealed_message_is_not_too_small(size: int) -> None:
    plaintext = platform.plain({"A": "x" * size})
    keys = platform.keys()
    raw = keys.seal(dict.fromkeys(WORKED, "x" * 64), {"A": "x" * size}, bytes(16))
    assert len(raw) <= wire.sealed_size(len(plaintext)) < len(raw) + wire.HEAD_ROOM


def test_the_estimate_of_a_file_is_not_too_small() -> None:
    size = 100_000
    body = {"BZF002": "0" * 64, "BZF003": "application/pdf", "BZF004": str(size), "BZF006": wire.encode(bytes(size))}
    raw = platform.keys().seal(dict.fromkeys(WORKED, "x" * 64), body, bytes(16))
    assert len(raw) <= wire.sealed_file_size(size) < len(raw) + 4 * wire.HEAD_ROOM


def test_limits_of_the_services() -> None:
    large, small = 16 * 1024 * 1024, 2 * 1024 * 1024
    assert [wire.request_limit(service) for service in ("TJ9002", "TJ9003", "TJ1001")] == [large, small, small]
    assert [wire.reply_limit(service) for service in ("TJ9002", "TJ9003", "TJ1001")] == [small, large, small]
