"""The Chinese commercial ciphers (国密), as adapters and gateway need them: SM2, SM3, SM4-CBC."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from contracts import gm_backends
from contracts.gm_backends import (
    DEFAULT_ID,
    Backend,
    BackendFailed,
    der_from_raw,
    raw_from_der,
    sm3,
    z_a,
)

__all__ = [
    "DEFAULT_ID",
    "BackendFailed",
    "CipherError",
    "Sm2Private",
    "Sm2Public",
    "backends",
    "der_from_raw",
    "open_envelope",
    "raw_from_der",
    "sign",
    "sm3",
    "sm4_cbc_decrypt",
    "sm4_cbc_encrypt",
    "verify",
    "z_a",
]


class CipherError(ValueError):
    """A ciphertext, envelope or key that cannot be what it should be. Its text never quotes one."""


@dataclass(frozen=True, slots=True)
class Sm2Public:
    """An SM2 public key: a point of sm2p256v1, held as ``04 ‖ x ‖ y`` (65 bytes)."""

    point: bytes

    @classmethod
    def from_hex(cls, text: str) -> Sm2Public:
        """Read 130 hex digits (``04``‖x‖y) or 128 (x‖y), any case.

        Raises:
            CipherError: another length, no hex, or not on the curve.
        """
        raw = _hex(text)
        # The length decides, not the first digits: an x may itself begin with 04.
        if len(raw) == 64:
            raw = b"\x04" + raw
        if len(raw) != 65 or raw[0] != 4:
            raise CipherError("an SM2 public key has 130 hex digits beginning with 04, or 128")
        x, y = int.from_bytes(raw[1:33], "big"), int.from_bytes(raw[33:], "big")
        p = gm_backends.P
        if x >= p or y >= p or (y * y - x * x * x - gm_backends.A * x - gm_backends.B) % p:
            raise CipherError("the SM2 public key is not on the curve")
        return cls(raw)

    def hex(self) -> str:
        """130 lower-case hex digits."""
        return self.point.hex()


@dataclass(frozen=True, slots=True)
class Sm2Private:
    """An SM2 private key with its public one. Never printed."""

    scalar: bytes = field(repr=False)
    public: Sm2Public

    @classmethod
    def from_hex(cls, private: str, public: Sm2Public) -> Sm2Private:
        """Read 64 hex digits and prove that both halves belong together by a signature.

        Raises:
            CipherError: another length, out of range, or the private key of another public key.
        """
        raw = _hex(private)
        if len(raw) != 32 or not 1 <= int.from_bytes(raw, "big") <= gm_backends.N - 2:
            raise CipherError("an SM2 private key has 64 hex digits, between 1 and n - 2")
        key = cls(raw, public)
        if not verify(public, DEFAULT_ID, b"pair", sign(key, DEFAULT_ID, b"pair")):
            raise CipherError("the SM2 private and public key are not a pair")
        return key


def sign(key: Sm2Private, signer_id: bytes, message: bytes) -> bytes:
    """SM2 signature (GB/T 32918.2, SM3 with Z_A) over the message, raw r ‖ s, 64 bytes.

    Takes 0.4 ms (OpenSSL) to 20 ms (pure Python): run it off the event loop.

    Raises:
        BackendFailed: no back end here can sign.
    """
    return _backend(signer_id).sign(key.scalar, key.public.point, signer_id, message)


def verify(key: Sm2Public, signer_id: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the raw r ‖ s signature is the key's over the message under this signer ID.

    Anything but 64 bytes (DER, 63, 65) and numbers out of range are simply no signature.
    """
    if len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    n = gm_backends.N
    if not (1 <= r < n and 1 <= s < n) or (r + s) % n == 0:
        return False
    return _backend(signer_id).verify(key.point, signer_id, message, signature)


def open_envelope(key: Sm2Private, ciphertext: bytes) -> bytes:
    """Decrypt an SM2 ciphertext C1 ‖ C3 ‖ C2 (GB/T 32918.4), C1 uncompressed.

    Raises:
        CipherError: DER, the old order C1 ‖ C2 ‖ C3, another key, or anything else that does not open.
    """
    if len(ciphertext) < 98 or ciphertext[0] != 4:
        raise CipherError("not an SM2 ciphertext C1C3C2 with an uncompressed point")
    Sm2Public.from_hex(ciphertext[:65].hex())
    try:
        return _backend(DEFAULT_ID).decrypt(key.scalar, key.public.point, ciphertext)
    except BackendFailed:
        raise CipherError("the SM2 ciphertext does not open: other key, other order of its parts, or damaged") from None


def sm4_cbc_encrypt(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """SM4 (GB/T 32907) in CBC with PKCS#7 padding. Key and IV have 16 bytes."""
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.SM4(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()


def sm4_cbc_decrypt(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """The plaintext of ``sm4_cbc_encrypt``.

    Raises:
        CipherError: not whole blocks, or padding that cannot be.
    """
    if not ciphertext or len(ciphertext) % 16 or len(iv) != 16:
        raise CipherError("not whole SM4 blocks")
    decryptor = Cipher(algorithms.SM4(key), modes.CBC(iv)).decryptor()
    padded = decryptor.update(ciphertext) + decryptor.finalize()
    unpadder = PKCS7(128).unpadder()
    try:
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise CipherError("the SM4 padding is wrong") from None


def backends() -> tuple[Backend, ...]:
    """The SM2 back ends that are found here and gave the known answers, in the order in which they are asked."""
    return tuple(backend for kind in gm_backends.ALL if (backend := _load(kind)) is not None)


def _backend(signer_id: bytes) -> Backend:
    # One after the other, so that the slow one is only tried where no faster one serves.
    for kind in gm_backends.ALL:
        backend = _load(kind)
        if backend is not None and backend.serves(signer_id):
            return backend
    raise BackendFailed("no SM2 back end: install gmalg or use an OpenSSL 3 with SM2")


@functools.cache
def _load(kind: type[Backend]) -> Backend | None:
    try:
        backend = kind()
        return backend if gives_known_answers(backend) else None
    except Exception:  # a foreign library may fail in any way: then it is not there
        return None


_PRIVATE = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
_PUBLIC = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
_OTHER_ID = b"SDHRSSLDZC370000"
_SIGNATURES = {
    # GB/T 32918.5 annex A
    DEFAULT_ID: bytes.fromhex(
        "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
        "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
    ),
    # the same key, nonce and message under another ID, agreed by OpenSSL, Tongsuo and gmalg
    _OTHER_ID: bytes.fromhex(
        "7339d0fca5ca590a768d3269f566f044bd4ce621b92515b93d0bc948cadb5077"
        "4d586c0f071e9c110302bc93ddd2ed6a889053b4d010e5bca99346d5cfebe49b"
    ),
}
_MESSAGE = b"message digest"
# GB/T 32918.5 annex C
_CIPHERTEXT = bytes.fromhex(
    "0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
    "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
    "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
    "21886ca989ca9c7d58087307ca93092d651efa"
)


def gives_known_answers(backend: Backend) -> bool:
    """Whether a back end verifies the standard's signature and no other, signs what it verifies with a new nonce each
    time, and opens the standard's ciphertext and no damaged one."""
    for signer_id, known in _SIGNATURES.items():
        if not backend.serves(signer_id):
            continue
        other = known[:-1] + bytes([known[-1] ^ 1])
        if not backend.verify(_PUBLIC, signer_id, _MESSAGE, known):
            return False
        if backend.verify(_PUBLIC, signer_id, _MESSAGE, other) or backend.verify(_PUBLIC, signer_id, b"", known):
            return False
        made = [backend.sign(_PRIVATE, _PUBLIC, signer_id, _MESSAGE) for _ in range(2)]
        # A repeated r would be a repeated nonce, which gives the private key away.
        if made[0][:32] == made[1][:32] or any(len(one) != 64 for one in made):
            return False
        if not all(backend.verify(_PUBLIC, signer_id, _MESSAGE, one) for one in made):
            return False
    if backend.decrypt(_PRIVATE, _PUBLIC, _CIPHERTEXT) != b"encryption standard":
        return False
    try:
        backend.decrypt(_PRIVATE, _PUBLIC, _CIPHERTEXT[:-1] + b"\0")
    except BackendFailed:
        return True
    return False


def _hex(text: str) -> bytes:
    # bytes.fromhex skips white space
    if not text.isalnum():
        raise CipherError("not hexadecimal")
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise CipherError("not hexadecimal") from None
