"""SM2 over whatever computes it here: four back ends behind one shape, untrusted until they gave the known answers."""

from __future__ import annotations

import ctypes
import functools
import importlib
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from cryptography.hazmat.primitives import hashes

# sm2p256v1 (GB/T 32918.5-2017)
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0

DEFAULT_ID = b"1234567812345678"
"""The signer ID of GM/T 0009 where the parties agreed none."""


class BackendFailed(Exception):
    """A back end could not compute. Its message names the back end alone, never a key or a text."""


def sm3(data: bytes) -> bytes:
    """SM3 (GB/T 32905), 32 bytes."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


@functools.lru_cache(maxsize=64)
def z_a(public: bytes, signer_id: bytes) -> bytes:
    """Z_A (GB/T 32918.2 §5.5): SM3(ENTL ‖ ID ‖ a ‖ b ‖ G ‖ public key), ENTL = bits of the ID in two bytes.

    ``public`` is ``04 ‖ x ‖ y``."""
    entl = len(signer_id) * 8
    if entl > 0xFFFF:
        raise ValueError("signer ID longer than 8191 bytes")
    curve = b"".join(number.to_bytes(32, "big") for number in (A, B, GX, GY))
    return sm3(entl.to_bytes(2, "big") + signer_id + curve + public[1:])


def digest(public: bytes, signer_id: bytes, message: bytes) -> bytes:
    """e = SM3(Z_A ‖ M): what SM2 signs."""
    return sm3(z_a(public, signer_id) + message)


def der_integer(number: int) -> bytes:
    """One DER INTEGER, not negative."""
    content = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return b"\x02" + der_length(len(content)) + content


def der_length(length: int) -> bytes:
    """A DER length."""
    if length < 0x80:
        return bytes([length])
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def der_sequence(*parts: bytes) -> bytes:
    """A DER SEQUENCE of the encoded parts."""
    content = b"".join(parts)
    return b"\x30" + der_length(len(content)) + content


def der_from_raw(raw: bytes) -> bytes:
    """r ‖ s, 32 bytes each, as the DER SEQUENCE that OpenSSL speaks.

    Raises:
        ValueError: not 64 bytes.
    """
    if len(raw) != 64:
        raise ValueError("a raw SM2 signature has 64 bytes")
    return der_sequence(*(der_integer(int.from_bytes(half, "big")) for half in (raw[:32], raw[32:])))


def raw_from_der(der: bytes) -> bytes:
    """The DER SEQUENCE of r and s as r ‖ s, zero-padded to 32 bytes each.

    Raises:
        ValueError: any other encoding (BER lengths, padding, trailing bytes, a negative or overlong number).
    """
    if len(der) < 8 or der[0] != 0x30 or der[1] != len(der) - 2:
        raise ValueError("not a DER signature")
    numbers: list[int] = []
    at = 2
    while at < len(der):
        if der[at] != 0x02 or at + 2 > len(der):
            raise ValueError("not a DER signature")
        content = der[at + 2 : at + 2 + der[at + 1]]
        number = int.from_bytes(content, "big")
        if number >> 256 or der_integer(number) != der[at : at + 2 + len(content)]:
            raise ValueError("not a DER signature")
        numbers.append(number)
        at += 2 + len(content)
    if len(numbers) != 2:
        raise ValueError("not a DER signature")
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def der_ciphertext(ciphertext: bytes) -> bytes:
    """C1 ‖ C3 ‖ C2 as the DER SEQUENCE of GM/T 0009 (x, y, C3, C2)."""
    c3, c2 = ciphertext[65:97], ciphertext[97:]
    return der_sequence(
        der_integer(int.from_bytes(ciphertext[1:33], "big")),
        der_integer(int.from_bytes(ciphertext[33:65], "big")),
        b"\x04\x20" + c3,
        b"\x04" + der_length(len(c2)) + c2,
    )


class Backend(ABC):
    """One way to compute SM2.

    Keys: private 32 bytes, public ``04 ‖ x ‖ y``; signatures raw r ‖ s; ciphertexts C1 ‖ C3 ‖ C2.
    May be called from several threads at once. Raises ``BackendFailed`` where it cannot compute."""

    name: ClassVar[str]

    def serves(self, signer_id: bytes) -> bool:
        """Whether it can sign and verify under this signer ID."""
        return True

    @abstractmethod
    def sign(self, private: bytes, public: bytes, signer_id: bytes, message: bytes) -> bytes: ...

    @abstractmethod
    def verify(self, public: bytes, signer_id: bytes, message: bytes, signature: bytes) -> bool: ...

    @abstractmethod
    def decrypt(self, private: bytes, public: bytes, ciphertext: bytes) -> bytes: ...


class Libcrypto(Backend):
    """The system's OpenSSL 3 by ctypes: kept current by the operating system, fast; some are built without SM2."""

    name = "libcrypto"

    _SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
    _PKCS8 = bytes.fromhex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420")
    _POINT = bytes.fromhex("a144034200")

    def __init__(self) -> None:
        lib = _load_first(("libcrypto.so.3", "libcrypto.3.dylib", "libcrypto-3-x64.dll"))
        lib.OpenSSL_version_num.restype = ctypes.c_ulong
        if lib.OpenSSL_version_num() < 0x30000000:
            raise BackendFailed(self.name)
        pointer, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
        for function, result, arguments in (
            ("d2i_PUBKEY", pointer, (pointer, pointer, ctypes.c_long)),
            ("d2i_AutoPrivateKey", pointer, (pointer, pointer, ctypes.c_long)),
            ("EVP_PKEY_CTX_new", pointer, (pointer, pointer)),
            ("EVP_PKEY_CTX_free", None, (pointer,)),
            ("EVP_PKEY_sign_init", ctypes.c_int, (pointer,)),
            ("EVP_PKEY_verify_init", ctypes.c_int, (pointer,)),
            ("EVP_PKEY_decrypt_init", ctypes.c_int, (pointer,)),
            ("EVP_PKEY_sign", ctypes.c_int, (pointer, pointer, ctypes.POINTER(size), text, size)),
            ("EVP_PKEY_verify", ctypes.c_int, (pointer, text, size, text, size)),
            ("EVP_PKEY_decrypt", ctypes.c_int, (pointer, pointer, ctypes.POINTER(size), text, size)),
            ("ERR_clear_error", None, ()),
        ):
            entry = getattr(lib, function)
            entry.restype, entry.argtypes = result, arguments
        self._lib: Any = lib
        # A key is parsed once and never freed: an endpoint has two, and freeing one in use elsewhere would crash.
        self._private = functools.lru_cache(maxsize=None)(self._read_private)
        self._public = functools.lru_cache(maxsize=None)(self._read_public)

    def sign(self, private: bytes, public: bytes, signer_id: bytes, message: bytes) -> bytes:
        out = self._run("sign", self._private(private, public), digest(public, signer_id, message), 80)
        return raw_from_der(out)

    def verify(self, public: bytes, signer_id: bytes, message: bytes, signature: bytes) -> bool:
        e, der = digest(public, signer_id, message), der_from_raw(signature)
        context = self._lib.EVP_PKEY_CTX_new(self._public(public), None)
        try:
            if not context or self._lib.EVP_PKEY_verify_init(context) != 1:
                raise BackendFailed(self.name)
            return bool(self._lib.EVP_PKEY_verify(context, der, len(der), e, len(e)) == 1)
        finally:
            self._lib.EVP_PKEY_CTX_free(context)
            self._lib.ERR_clear_error()

    def decrypt(self, private: bytes, public: bytes, ciphertext: bytes) -> bytes:
        return self._run("decrypt", self._private(private, public), der_ciphertext(ciphertext), len(ciphertext) + 256)

    def _run(self, what: str, key: int, data: bytes, room: int) -> bytes:
        context = self._lib.EVP_PKEY_CTX_new(key, None)
        try:
            if not context or getattr(self._lib, f"EVP_PKEY_{what}_init")(context) != 1:
                raise BackendFailed(self.name)
            out, length = ctypes.create_string_buffer(room), ctypes.c_size_t(room)
            if getattr(self._lib, f"EVP_PKEY_{what}")(context, out, ctypes.byref(length), data, len(data)) != 1:
                raise BackendFailed(self.name)
            return out.raw[: length.value]
        finally:
            self._lib.EVP_PKEY_CTX_free(context)
            self._lib.ERR_clear_error()

    def _read_private(self, private: bytes, public: bytes) -> int:
        return self._read("d2i_AutoPrivateKey", self._PKCS8 + private + self._POINT + public)

    def _read_public(self, public: bytes) -> int:
        return self._read("d2i_PUBKEY", self._SPKI + public)

    def _read(self, function: str, der: bytes) -> int:
        held = ctypes.create_string_buffer(der, len(der))
        at = ctypes.c_void_p(ctypes.addressof(held))
        key = getattr(self._lib, function)(None, ctypes.byref(at), len(der))
        self._lib.ERR_clear_error()
        if not key:
            raise BackendFailed(self.name)
        return int(key)


def _load_first(names: tuple[str, ...]) -> ctypes.CDLL:
    """The first library that is there. By its version's name alone: some systems end a process that loads another."""
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise BackendFailed(Libcrypto.name)


class Tongsuo(Backend):
    """Tongsuo's own OpenSSL fork in the package ``tongsuopy``: the fastest, last released in 2023."""

    name = "tongsuopy"

    def __init__(self) -> None:
        ec = importlib.import_module("tongsuopy.crypto.asymciphers.ec")
        self._backend: Any = importlib.import_module("tongsuopy.backends.tongsuo").backend
        self._curve = ec.SM2()
        self._ec: Any = ec
        self._private = functools.lru_cache(maxsize=64)(self._read_private)
        self._public = functools.lru_cache(maxsize=64)(self._read_public)

    def sign(self, private: bytes, public: bytes, signer_id: bytes, message: bytes) -> bytes:
        return raw_from_der(self._run("sign", self._private(private), digest(public, signer_id, message), 80))

    def verify(self, public: bytes, signer_id: bytes, message: bytes, signature: bytes) -> bool:
        lib, ffi = self._backend._lib, self._backend._ffi
        e, der = digest(public, signer_id, message), der_from_raw(signature)
        key = self._public(public)
        context = lib.EVP_PKEY_CTX_new(key._evp_pkey, ffi.NULL)
        try:
            if context == ffi.NULL or lib.EVP_PKEY_verify_init(context) != 1:
                raise BackendFailed(self.name)
            return bool(lib.EVP_PKEY_verify(context, der, len(der), e, len(e)) == 1)
        finally:
            lib.EVP_PKEY_CTX_free(context)
            self._backend._consume_errors()

    def decrypt(self, private: bytes, public: bytes, ciphertext: bytes) -> bytes:
        return self._run("decrypt", self._private(private), der_ciphertext(ciphertext), len(ciphertext) + 256)

    def _run(self, what: str, key: Any, data: bytes, room: int) -> bytes:
        lib, ffi = self._backend._lib, self._backend._ffi
        context = lib.EVP_PKEY_CTX_new(key._evp_pkey, ffi.NULL)
        try:
            if context == ffi.NULL or getattr(lib, f"EVP_PKEY_{what}_init")(context) != 1:
                raise BackendFailed(self.name)
            out, length = ffi.new("unsigned char[]", room), ffi.new("size_t *", room)
            if getattr(lib, f"EVP_PKEY_{what}")(context, out, length, data, len(data)) != 1:
                raise BackendFailed(self.name)
            return bytes(ffi.buffer(out, length[0]))
        finally:
            lib.EVP_PKEY_CTX_free(context)
            self._backend._consume_errors()

    def _read_private(self, private: bytes) -> Any:
        return self._as_sm2(self._ec.derive_private_key(int.from_bytes(private, "big"), self._curve))

    def _read_public(self, public: bytes) -> Any:
        return self._as_sm2(self._ec.EllipticCurvePublicKey.from_encoded_point(self._curve, public))

    def _as_sm2(self, key: Any) -> Any:
        self._backend._lib.EVP_PKEY_set_alias_type(key._evp_pkey, self._backend._lib.EVP_PKEY_SM2)
        return key


class GmsslFast(Backend):
    """GmSSL in the package ``gmssl_fast``: signs under the default signer ID alone."""

    name = "gmssl_fast"

    def __init__(self) -> None:
        self._sm2: Any = importlib.import_module("gmssl_fast").SM2
        self._key = functools.lru_cache(maxsize=64)(self._make)

    def serves(self, signer_id: bytes) -> bool:
        return signer_id == DEFAULT_ID

    def sign(self, private: bytes, public: bytes, signer_id: bytes, message: bytes) -> bytes:
        return bytes(self._key(private, public).sign(message))

    def verify(self, public: bytes, signer_id: bytes, message: bytes, signature: bytes) -> bool:
        return bool(self._key(None, public).verify(message, signature))

    def decrypt(self, private: bytes, public: bytes, ciphertext: bytes) -> bytes:
        try:
            return bytes(self._key(private, public).decrypt(ciphertext[1:]))
        except Exception:
            raise BackendFailed(self.name) from None

    def _make(self, private: bytes | None, public: bytes) -> Any:
        return self._sm2(private_key=private.hex() if private else None, public_key=public.hex())


class Gmalg(Backend):
    """Pure Python in the package ``gmalg``: slow (about 20 ms), works everywhere."""

    name = "gmalg"

    def __init__(self) -> None:
        self._sm2: Any = importlib.import_module("gmalg").SM2

    def sign(self, private: bytes, public: bytes, signer_id: bytes, message: bytes) -> bytes:
        r, s = self._sm2(private, signer_id, public).sign(message)
        # gmalg leaves leading zero bytes out.
        return bytes(r).rjust(32, b"\0") + bytes(s).rjust(32, b"\0")

    def verify(self, public: bytes, signer_id: bytes, message: bytes, signature: bytes) -> bool:
        return bool(self._sm2(None, signer_id, public).verify(message, signature[:32], signature[32:]))

    def decrypt(self, private: bytes, public: bytes, ciphertext: bytes) -> bytes:
        try:
            return bytes(self._sm2(private, pk=public).decrypt(ciphertext))
        except Exception:
            raise BackendFailed(self.name) from None


ALL: tuple[type[Backend], ...] = (Libcrypto, Tongsuo, GmsslFast, Gmalg)
"""In the order in which they are asked: kept current first, then fast, then everywhere."""
