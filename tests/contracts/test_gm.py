"""The ciphers against the standards' own examples, every back end against every other, and what must be refused."""

from __future__ import annotations

import gmalg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import gm, gm_backends
from contracts.gm_backends import Backend, Gmalg, GmsslFast, Libcrypto, Tongsuo

PRIVATE = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"
PUBLIC = (
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
PLATFORM_ID = b"SDHRSSLDZC370000"
PUB = gm.Sm2Public.from_hex(PUBLIC)
KEY = gm.Sm2Private.from_hex(PRIVATE, PUB)
FOUND = gm.backends()


def test_every_back_end_of_this_environment_gave_the_known_answers() -> None:
    assert [type(backend) for backend in FOUND] == [Libcrypto, Tongsuo, GmsslFast, Gmalg]


@pytest.mark.parametrize("backend", FOUND, ids=lambda one: one.name)
def test_a_back_end_that_lies_is_not_used(backend: Backend) -> None:
    class Liar(type(backend)):  # type: ignore[misc]  # the base is chosen at run time
        def verify(self, public: bytes, signer_id: bytes, message: bytes, signature: bytes) -> bool:
            return True

    assert gm.gives_known_answers(backend)
    assert not gm.gives_known_answers(Liar())


def test_a_back_end_that_signs_with_one_nonce_is_not_used() -> None:
    class Worn(Libcrypto):
        def sign(self, private: bytes, public: bytes, signer_id: bytes, message: bytes) -> bytes:
            return gm._SIGNATURES[signer_id]

    assert not gm.gives_known_answers(Worn())


@pytest.mark.parametrize("signer_id", [gm.DEFAULT_ID, PLATFORM_ID])
@pytest.mark.parametrize("maker", FOUND, ids=lambda one: one.name)
@pytest.mark.parametrize("checker", FOUND, ids=lambda one: one.name)
def test_what_one_signs_every_other_verifies(maker: Backend, checker: Backend, signer_id: bytes) -> None:
    if not (maker.serves(signer_id) and checker.serves(signer_id)):
        assert {maker.name, checker.name} & {"gmssl_fast"}
        return
    made = maker.sign(KEY.scalar, PUB.point, signer_id, "劳动争议".encode())
    assert checker.verify(PUB.point, signer_id, "劳动争议".encode(), made)
    assert not checker.verify(PUB.point, signer_id, b"other", made)


@pytest.mark.parametrize("backend", FOUND, ids=lambda one: one.name)
def test_every_back_end_opens_an_envelope_and_no_damaged_one(backend: Backend) -> None:
    envelope = gmalg.SM2(pk=PUB.point).encrypt(bytes(range(16)))
    assert len(envelope) == 113
    assert backend.decrypt(KEY.scalar, PUB.point, envelope) == bytes(range(16))
    with pytest.raises(gm_backends.BackendFailed):
        backend.decrypt(KEY.scalar, PUB.point, envelope[:-1] + bytes([envelope[-1] ^ 1]))


def test_z_a_of_the_standard() -> None:
    # GB/T 32918.5 annex A.2
    assert gm.z_a(PUB.point, gm.DEFAULT_ID).hex() == "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"
    with pytest.raises(ValueError, match="8191"):
        gm.z_a(PUB.point, b"x" * 8192)


def test_sm3_of_the_standard() -> None:
    # GB/T 32905 annex A
    assert gm.sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_sm4_of_the_standard_inside_cbc() -> None:
    # GB/T 32907 annex A.1: with a zero IV the first block of CBC is the block cipher itself.
    block = bytes.fromhex("0123456789abcdeffedcba9876543210")
    assert gm.sm4_cbc_encrypt(block, bytes(16), block)[:16].hex() == "681edf34d206965e86b3e94f536e4246"


@given(st.binary(max_size=200), st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_sm4_gives_back_what_went_in(text: bytes, key: bytes, iv: bytes) -> None:
    sealed = gm.sm4_cbc_encrypt(key, iv, text)
    assert len(sealed) == (len(text) // 16 + 1) * 16
    assert gm.sm4_cbc_decrypt(key, iv, sealed) == text


@pytest.mark.parametrize("sealed", [b"", bytes(15), bytes(17)])
def test_sm4_refuses_broken_blocks(sealed: bytes) -> None:
    with pytest.raises(gm.CipherError):
        gm.sm4_cbc_decrypt(bytes(16), bytes(16), sealed)


def test_sm4_refuses_wrong_padding() -> None:
    sealed = gm.sm4_cbc_encrypt(bytes(16), bytes(16), b"x" * 15)
    with pytest.raises(gm.CipherError):
        gm.sm4_cbc_decrypt(bytes(16), b"\xff" * 16, sealed)


def test_only_raw_64_bytes_are_a_signature() -> None:
    made = gm.sign(KEY, PLATFORM_ID, b"text")
    assert gm.verify(PUB, PLATFORM_ID, b"text", made)
    assert not gm.verify(PUB, gm.DEFAULT_ID, b"text", made)
    for wrong in (gm.der_from_raw(made), made[:63], made + b"\0", b"\0" * 64, made[:32] + bytes(32)):
        assert not gm.verify(PUB, PLATFORM_ID, b"text", wrong)


@pytest.mark.parametrize("r", [0, gm_backends.N, gm_backends.N + 1, 2**256 - 1])
def test_numbers_out_of_range_are_no_signature(r: int) -> None:
    made = gm.sign(KEY, PLATFORM_ID, b"text")
    assert not gm.verify(PUB, PLATFORM_ID, b"text", r.to_bytes(32, "big") + made[32:])
    s = gm_backends.N - int.from_bytes(made[:32], "big")
    assert not gm.verify(PUB, PLATFORM_ID, b"text", made[:32] + s.to_bytes(32, "big"))


_HALF = st.integers(0, 2**256 - 1) | st.integers(0, 2**16)


@given(_HALF, _HALF)
def test_raw_and_der_are_one_to_one(r: int, s: int) -> None:
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert gm.raw_from_der(gm.der_from_raw(raw)) == raw


@settings(max_examples=300)
@given(st.binary(max_size=80))
def test_no_bytes_break_the_der_reader(noise: bytes) -> None:
    try:
        raw = gm.raw_from_der(noise)
    except ValueError:
        return
    assert gm.der_from_raw(raw) == noise


@pytest.mark.parametrize(
    "der",
    [
        "",
        "3006020101020101ff",  # trailing byte
        "30060201010201",  # cut
        "300702020001020101",  # padded number
        "3006020181020101",  # negative
        "3003020101",  # one number
        "3009020101020101020101",  # three
        "3081060201010201 01".replace(" ", ""),  # BER length
        "3006040101020101",  # other tag
        "30" + f"{0x23 + 3:02x}" + "0221" + "01" + "00" * 32 + "020101",  # 257 bits
    ],
)
def test_der_is_read_strictly(der: str) -> None:
    with pytest.raises(ValueError, match="not a DER signature"):
        gm.raw_from_der(bytes.fromhex(der))


def test_public_keys_are_read_in_every_spelling() -> None:
    for spelling in (PUBLIC, PUBLIC.upper(), PUBLIC[2:], PUBLIC[2:].upper()):
        assert gm.Sm2Public.from_hex(spelling).hex() == PUBLIC


def test_a_point_whose_x_begins_with_04_is_read_by_its_length() -> None:
    # C1 of GB/T 32918.5 annex C is such a point.
    point = gm._CIPHERTEXT[:65]
    assert point[1] == 4
    assert gm.Sm2Public.from_hex(point[1:].hex()).point == point


@pytest.mark.parametrize(
    "text",
    ["", "04", PUBLIC[:-2], PUBLIC + "00", PUBLIC[:-1] + "0", "05" + PUBLIC[2:], "zz" + PUBLIC[2:], PUBLIC[:-1] + " "],
)
def test_what_is_no_public_key(text: str) -> None:
    with pytest.raises(gm.CipherError):
        gm.Sm2Public.from_hex(text)


@pytest.mark.parametrize(
    "text", ["", "00" * 32, f"{gm_backends.N - 1:064x}", PRIVATE[:-1] + "9", PRIVATE[:-2], "g" * 64]
)
def test_what_is_no_private_key(text: str) -> None:
    with pytest.raises(gm.CipherError):
        gm.Sm2Private.from_hex(text, PUB)


def test_a_private_key_is_never_printed() -> None:
    assert PRIVATE not in repr(KEY)
    assert repr(KEY.scalar) not in repr(KEY)


def test_envelopes_in_other_orders_are_refused() -> None:
    envelope = gmalg.SM2(pk=PUB.point).encrypt(bytes(range(16)))
    assert gm.open_envelope(KEY, envelope) == bytes(range(16))
    c1, c3, c2 = envelope[:65], envelope[65:97], envelope[97:]
    for wrong in (c1 + c2 + c3, gm_backends.der_ciphertext(envelope), envelope[1:], c1, b"", b"\x04" + bytes(112)):
        with pytest.raises(gm.CipherError):
            gm.open_envelope(KEY, wrong)


def test_without_any_back_end_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gm_backends, "ALL", ())
    with pytest.raises(gm.BackendFailed, match="no SM2 back end"):
        gm.sign(KEY, PLATFORM_ID, b"text")


def test_libraries_that_are_not_there_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(Gmalg):
        def __init__(self) -> None:
            raise ImportError("not installed")

    monkeypatch.setattr(gm_backends, "ALL", (Gone, GmsslFast, Gmalg))
    assert [backend.name for backend in gm.backends()] == ["gmssl_fast", "gmalg"]
    # gmssl_fast knows the default ID alone: under another the next one is asked.
    for signer_id in (gm.DEFAULT_ID, PLATFORM_ID):
        assert Libcrypto().verify(PUB.point, signer_id, b"text", gm.sign(KEY, signer_id, b"text"))
