"""Settings and keys are proven at start; both SM4 keys open what travels; nothing secret is printed."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.hr_arbitration import HrArbitration, HrArbitrationSettings, wire
from adapters.hr_arbitration.security import Undecipherable
from contracts import gm, gm_backends
from tests.adapters.hr_arbitration import platform
from tests.adapters.hr_arbitration.platform import OLD_SM4_KEY, SM4_KEY, keys, sealed, settings


def test_the_envelope_opens_to_the_key() -> None:
    assert keys().current == SM4_KEY
    assert keys().previous is None
    assert keys(previous=True).previous == OLD_SM4_KEY


_ENVELOPE = base64.b64decode(platform.envelope_of(SM4_KEY))
_OTHER = gm.Sm2Public.from_hex(platform.PLATFORM_PUBLIC)


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        (
            {"sm4_key_envelope": base64.b64encode(_ENVELOPE[:65] + _ENVELOPE[97:] + _ENVELOPE[65:97]).decode()},
            "sm4_key",
        ),
        ({"sm4_key_envelope": base64.b64encode(gm_backends.der_ciphertext(_ENVELOPE)).decode()}, "sm4_key_envelope"),
        ({"sm4_key_envelope": base64.b64encode(_ENVELOPE[1:]).decode()}, "sm4_key_envelope"),
        ({"sm4_key_envelope": "no base64"}, "sm4_key_envelope"),
        ({"sm4_key_envelope_previous": platform.envelope_of(bytes(15))}, "sm4_key_envelope_previous"),
        ({"gateway_public_key": platform.PLATFORM_PUBLIC}, "gateway_private_key"),
        ({"gateway_private_key": "00" * 32}, "gateway_private_key"),
        ({"platform_public_key": platform.PLATFORM_PUBLIC[:-1] + "0"}, "platform_public_key"),
    ],
)
def test_a_wrong_key_is_a_start_up_error_that_names_the_setting(changes: dict[str, Any], setting: str) -> None:
    with pytest.raises(gm.CipherError, match=setting) as refused:
        HrArbitration("hr", settings(**changes), platform.tools())
    for value in changes.values():
        assert value not in str(refused.value)


def test_keys_are_accepted_in_the_spellings_of_the_page() -> None:
    spelt = settings(
        gateway_public_key=platform.GATEWAY_PUBLIC[2:].upper(),
        gateway_private_key=platform.GATEWAY_PRIVATE.upper(),
        platform_public_key=platform.PLATFORM_PUBLIC.upper(),
    )
    assert HrArbitration("hr", spelt, platform.tools())


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "http://platform.example"},
        {"base_url": "https://user:pass@platform.example"},
        {"base_url": "https://platform.example/?a=1"},
        {"base_url": "ftp://platform.example"},
        {"base_url": "platform.example"},
        {"appid": "lower12345"},
        {"appid": "SDTJ37000001\n"},
        {"gateway_signer_id": ""},
        {"platform_signer_id": "中文"},
        {"unknown": "x"},
    ],
)
def test_settings_that_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**changes)
    assert platform.GATEWAY_PRIVATE not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://platform.example/", "https://platform.example"),
        ("https://platform.example/base/", "https://platform.example/base"),
        ("http://[::1]:9", "http://[::1]:9"),
        ("http://localhost:9", "http://localhost:9"),
        ("http://127.8.8.8:9", "http://127.8.8.8:9"),
    ],
)
def test_addresses(given: str, kept: str) -> None:
    assert settings(base_url=given).base_url == kept


def test_nothing_secret_is_printed() -> None:
    adapter = HrArbitration("hr", settings(previous=True), platform.tools())
    shown = repr(adapter.settings) + repr(adapter._keys) + str(adapter.__dict__)
    for secret in (platform.GATEWAY_PRIVATE, repr(SM4_KEY), repr(OLD_SM4_KEY), SM4_KEY.hex()):
        assert secret not in shown
    assert "gateway_private_key" in HrArbitrationSettings.model_fields


def test_what_travels_under_either_key_opens() -> None:
    both = keys(previous=True)
    for key in (SM4_KEY, OLD_SM4_KEY):
        assert both.open(sealed(key, b'{"bzr001":"x"}')) == {"BZR001": "x"}
    with pytest.raises(Undecipherable):
        keys().open(sealed(OLD_SM4_KEY, b'{"A":"x"}'))


def test_a_sound_padding_around_no_object_goes_on_to_the_previous_key() -> None:
    # Under the wrong key every 256th message has sound padding by chance: find such an IV.
    both = keys(previous=True)
    plaintext = b'{"A":"x"}'
    for number in range(5000):
        iv = number.to_bytes(16, "big")
        body = sealed(OLD_SM4_KEY, plaintext, iv)
        raw = base64.b64decode(body)
        try:
            gm.sm4_cbc_decrypt(SM4_KEY, raw[:16], raw[16:])
        except gm.CipherError:
            continue
        assert both.open(body) == {"A": "x"}
        return
    raise AssertionError("no such IV among 5000")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "no_iv"),
        ("!!!!", "not_base64"),
        (base64.b64encode(bytes(16)).decode(), "no_iv"),
        (base64.b64encode(bytes(33)).decode(), "wrong_padding"),
        (sealed(SM4_KEY, b"[]"), "not_an_object"),
        (sealed(SM4_KEY, b'{"A":"1","A":"2"}'), "doubled_key"),
        (sealed(SM4_KEY, b"\xef\xbb\xbf{}"), "not_json"),
        (sealed(SM4_KEY, '{"A":"劳动"}'.encode("gb18030")), "not_utf8"),
        (sealed(SM4_KEY, b'{"A":' + b"[" * 20 + b"]" * 20 + b"}"), "too_deep"),
        (sealed(SM4_KEY, b""), "not_json"),
    ],
    ids=range(10),  # no body is sealed twice alike, and a test keeps its name
)
def test_what_no_key_opens(body: str, code: str) -> None:
    with pytest.raises(Undecipherable) as refused:
        keys().open(body)
    assert refused.value.code == code


def test_every_seal_is_another_under_another_iv() -> None:
    head = {"appid": platform.APPID}
    first, second = (wire.read_envelope(keys().seal(head, {"A": "x"}, bytes([n]) * 16)) for n in (1, 2))
    assert first.body != second.body
    assert platform.opened(first.body) == platform.opened(second.body) == {"A": "x"}
    assert len(first.field("sign")) == 88
