"""SM2 over whichever installed package proves itself by the known answer of GB/T 32918.5 (hr_arbitration page §2)."""

from __future__ import annotations

import importlib
import secrets
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from cryptography.hazmat.primitives import hashes

_ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_CURVE = bytes.fromhex(
    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"
    "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"
    "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
    "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"
)
#: GB/T 32918.5 annex A.2: key, ID, message and its signature.
_KNOWN_PRIVATE = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
_KNOWN_PUBLIC = bytes.fromhex(
    "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
_KNOWN_ID = b"1234567812345678"
_KNOWN_MESSAGE = b"message digest"
_KNOWN_SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)
_OTHER_ID = b"ANOTHER-SIGNER"


class Sm2Unavailable(Exception):
    """No installed package gave the known answer of GB/T 32918.5."""


def sm3(data: bytes) -> bytes:
    """SM3 (GB/T 32905) of ``data``, 32 bytes."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def identity_digest(signer_id: bytes, public: bytes) -> bytes:
    """Z_A of GB/T 32918.2: SM3 over ENTL (bit length, 2 bytes), ID, a, b, G, public key (65 bytes, ``04`` first)."""
    return sm3(len(signer_id * 8).to_bytes(2, "big") + signer_id + _CURVE + public[1:])


class Backend(Protocol):
    """What is needed of a package. Keys: 32 bytes private, 65 bytes public. Signatures: r‖s, 64 bytes."""

    name: str
    #: Whether one call takes long enough (10 ms) to be run in a thread.
    slow: bool

    def public_of(self, private: bytes) -> bytes:
        """The public key of a private one."""
        ...

    def sign(self, private: bytes, public: bytes, signer_id: bytes, message: bytes) -> bytes:
        """Sign ``message`` (Z_A and SM3 inside)."""
        ...

    def verify(self, public: bytes, signer_id: bytes, message: bytes, signature: bytes) -> bool:
        """Whether the signature holds."""
        ...


class _Tongsuo:
    """Tongsuo's ``EVP_PKEY_sign`` takes e = SM3(Z_A ‖ M) as it is, so that the signer ID is ours to choose."""

    name = "tongsuopy"
    slow = False

    def __init__(self) -> None:
        self._ec: Any = importlib.import_module("tongsuopy.crypto.asymciphers.ec")
        self._serialization: Any = importlib.import_module("tongsuopy.crypto.serialization")
        self._backend: Any = importlib.import_module("tongsuopy.backends.tongsuo").backend
        self._private = cache(self._load_private)
        self._public = cache(self._load_public)

    def _load_private(self, private: bytes) -> Any:
        return self._ec.derive_private_key(int.from_bytes(private, "big"), self._ec.SM2())

    def _load_public(self, public: bytes) -> Any:
        return self._ec.EllipticCurvePublicKey.from_encoded_point(self._ec.SM2(), public)

    def public_of(self, private: bytes) -> bytes:
        return bytes(
            self._private(private)
            .public_key()
            .public_bytes(self._serialization.Encoding.X962, self._serialization.PublicFormat.UncompressedPoint)
        )

    def sign(self, private: bytes, public: bytes, signer_id: bytes, message: bytes) -> bytes:
        digest = sm3(identity_digest(signer_id, public) + message)
        library, ffi = self._backend._lib, self._backend._ffi
        context = self._context(self._private(private), library.EVP_PKEY_sign_init)
        size = ffi.new("size_t *", 128)
        signature = ffi.new("unsigned char[]", 128)
        self._backend.openssl_assert(library.EVP_PKEY_sign(context, signature, size, digest, len(digest)) == 1)
        return raw_of_der(bytes(ffi.buffer(signature)[: size[0]]))

    def verify(self, public: bytes, signer_id: bytes, message: bytes, signature: bytes) -> bool:
        digest = sm3(identity_digest(signer_id, public) + message)
        library = self._backend._lib
        context = self._context(self._public(public), library.EVP_PKEY_verify_init)
        der = der_of_raw(signature)
        result = library.EVP_PKEY_verify(context, der, len(der), digest, len(digest))
        if result != 1:
            self._backend._consume_errors()
        return bool(result == 1)

    def _context(self, key: Any, begin: Any) -> Any:
        library, ffi = self._backend._lib, self._backend._ffi
        context = ffi.gc(library.EVP_PKEY_CTX_new(key._evp_pkey, ffi.NULL), library.EVP_PKEY_CTX_free)
        self._backend.openssl_assert(begin(context) == 1)
        return context


class _Gmalg:
    """Pure Python, some 10 ms a signature and 20 ms a check."""

    name = "gmalg"
    slow = True

    def __init__(self) -> None:
        self._sm2: Any = importlib.import_module("gmalg").SM2

    def public_of(self, private: bytes) -> bytes:
        return bytes(self._sm2().generate_pk(private))

    def sign(self, private: bytes, public: bytes, signer_id: bytes, message: bytes) -> bytes:
        r, s = self._sm2(private, signer_id, public).sign(message)
        return bytes(r).rjust(32, b"\0") + bytes(s).rjust(32, b"\0")

    def verify(self, public: bytes, signer_id: bytes, message: bytes, signature: bytes) -> bool:
        try:
            return bool(self._sm2(None, signer_id, public).verify(message, signature[:32], signature[32:]))
        except (ValueError, ArithmeticError):
            return False


def proves_itself(backend: Backend) -> bool:
    """The known answer: key, signature and its refusals; and that another signer ID is really another one."""
    if backend.public_of(_KNOWN_PRIVATE) != _KNOWN_PUBLIC:
        return False
    if not backend.verify(_KNOWN_PUBLIC, _KNOWN_ID, _KNOWN_MESSAGE, _KNOWN_SIGNATURE):
        return False
    if backend.verify(_KNOWN_PUBLIC, _OTHER_ID, _KNOWN_MESSAGE, _KNOWN_SIGNATURE):
        return False
    if backend.verify(_KNOWN_PUBLIC, _KNOWN_ID, b"message digesT", _KNOWN_SIGNATURE):
        return False
    own = backend.sign(_KNOWN_PRIVATE, _KNOWN_PUBLIC, _OTHER_ID, _KNOWN_MESSAGE)
    return backend.verify(_KNOWN_PUBLIC, _OTHER_ID, _KNOWN_MESSAGE, own)


@cache
def backend() -> Backend:
    """The fastest package that is installed and proves itself. Raises :class:`Sm2Unavailable` when there is none."""
    for kind in (_Tongsuo, _Gmalg):
        try:
            candidate: Backend = kind()
            if proves_itself(candidate):
                return candidate
        except Exception:  # noqa: S112 - whatever a foreign package raises here, it has not proved itself
            continue
    raise Sm2Unavailable("install tongsuopy or gmalg: nothing here signs SM2 with a signer ID of one's own")


@dataclass(frozen=True, slots=True)
class Signer:
    """One side's private key and signer ID."""

    private: bytes
    signer_id: bytes

    def sign(self, message: bytes) -> bytes:
        """r‖s, 64 bytes."""
        return backend().sign(self.private, public_of(self.private), self.signer_id, message)


@dataclass(frozen=True, slots=True)
class Verifier:
    """The other side's public key and signer ID."""

    public: bytes
    signer_id: bytes

    def holds(self, message: bytes, signature: bytes) -> bool:
        """Whether r‖s (64 bytes) is this side's signature of ``message``."""
        if len(signature) != 64:
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        if not (0 < r < _ORDER and 0 < s < _ORDER):
            return False
        return backend().verify(self.public, self.signer_id, message, signature)


@cache
def public_of(private: bytes) -> bytes:
    """The public key (65 bytes, ``04`` first) of ``private``."""
    return backend().public_of(private)


def new_private_key() -> bytes:
    """A fresh private key, 32 bytes, in 1 … n−2."""
    return (secrets.randbelow(_ORDER - 2) + 1).to_bytes(32, "big")


def read_private_key(text: str) -> bytes:
    """A private key of 64 hex. Raises ``ValueError``."""
    key = bytes.fromhex(text)
    if len(key) != 32 or not 0 < int.from_bytes(key, "big") < _ORDER - 1:
        raise ValueError("an SM2 private key is 64 hex digits")
    return key


def read_public_key(text: str) -> bytes:
    """A public key of 130 hex (``04``‖x‖y) or 128 (x‖y), any case. Raises ``ValueError``."""
    key = bytes.fromhex(text)
    if len(key) == 64:
        key = b"\x04" + key
    if len(key) != 65 or key[0] != 4:
        raise ValueError("an SM2 public key is 130 hex digits, 04 first")
    return key


def wrap_key(key: bytes, public: bytes) -> bytes:
    """SM2 ciphertext C1‖C3‖C2 of ``key`` under ``public`` (GB/T 32918.4): 65 + 32 + len(key) bytes."""
    sm2: Any = importlib.import_module("gmalg").SM2
    return bytes(sm2(None, None, public).encrypt(key))


def unwrap_key(wrapped: bytes, private: bytes) -> bytes:
    """What :func:`wrap_key` wrapped. Raises ``ValueError`` when it does not open."""
    sm2: Any = importlib.import_module("gmalg").SM2
    try:
        return bytes(sm2(private).decrypt(wrapped))
    except Exception as error:
        raise ValueError("the SM2 ciphertext C1‖C3‖C2 does not open under this key") from error


def der_of_raw(signature: bytes) -> bytes:
    """SEQUENCE { INTEGER r, INTEGER s } of r‖s."""
    body = b"".join(_der_integer(part) for part in (signature[:32], signature[32:]))
    return b"\x30" + bytes([len(body)]) + body


def _der_integer(part: bytes) -> bytes:
    number = part.lstrip(b"\0") or b"\0"
    if number[0] & 0x80:
        number = b"\0" + number
    return b"\x02" + bytes([len(number)]) + number


def raw_of_der(der: bytes) -> bytes:
    """r‖s of a DER signature shorter than 128 bytes."""
    length_r = der[3]
    r = der[4 : 4 + length_r]
    s = der[6 + length_r : 6 + length_r + der[5 + length_r]]
    return r.lstrip(b"\0").rjust(32, b"\0") + s.lstrip(b"\0").rjust(32, b"\0")
