"""The envelope of the hr_arbitration page (§2, §3): strict JSON, head, string-to-sign, SM4 body."""

from __future__ import annotations

import base64
import binascii
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

#: Deepest nesting that is read; the page needs four levels.
_DEPTH = 32
VERSION = "1.0.0"
ENCTYPE = "SM4/CBC/PKCS7"
SIGNTYPE = "SM2"

#: The patterns of a request's head (§3); ``sign`` is read by the signature check.
REQUEST_HEAD = {
    "appid": re.compile(r"[A-Z0-9]{8,32}"),
    "serviceid": re.compile(r"[A-Z]{2}[0-9]{4}"),
    "serialno": re.compile(r"[0-9A-Za-z_-]{8,64}"),
    "timestamp": re.compile(r"[0-9]{14}"),
    "nonce": re.compile(r"[0-9a-f]{32}"),
    "version": re.compile(re.escape(VERSION)),
    "enctype": re.compile(re.escape(ENCTYPE)),
    "signtype": re.compile(re.escape(SIGNTYPE)),
}
#: The patterns of a reply's head; ``retryafter`` is optional.
REPLY_HEAD = REQUEST_HEAD | {
    "reqnonce": re.compile(r"[0-9a-f]{32}"),
    "code": re.compile(r"[0-9]{4}"),
    "message": re.compile(r".{0,200}", re.DOTALL),
}


class NotJson(Exception):
    """Not one JSON object in UTF-8, or a key stands twice."""


class NotDecrypted(Exception):
    """Base64, IV, padding, UTF-8 or JSON of a body is wrong under every key (3006)."""


def read_object(data: bytes) -> dict[str, Any]:
    """One JSON object in UTF-8 without BOM, no key twice anywhere. Raises :class:`NotJson`."""
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
        )
    except (ValueError, RecursionError) as error:
        raise NotJson("not JSON") from error
    if not isinstance(value, dict) or _too_deep(value):
        raise NotJson("not a JSON object")
    return value


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEPTH):
        level = [
            item
            for holder in level
            for item in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number without end")
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def string_to_sign(head: Mapping[str, str], body: str) -> bytes:
    """Every field of ``head`` but ``sign``, ascending by name, ``name=value`` joined by ``&``, then ``&body=`` (§2)."""
    parts = [f"{name}={head[name]}" for name in sorted(head) if name != "sign"]
    # A lone surrogate cannot be UTF-8; such a string never held a signature, and must not end in an error here.
    return "&".join([*parts, f"body={body}"]).encode("utf-8", "surrogatepass")


def read_base64(text: str) -> bytes:
    """Standard alphabet, padded, no line breaks, no loose bits. Raises ``ValueError``."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64") from error
    if base64.b64encode(data).decode("ascii") != text:
        raise ValueError("not canonical base64")
    return data


def seal(key: bytes, plaintext: Mapping[str, Any]) -> str:
    """``body``: base64(IV ‖ SM4-CBC(plaintext)), PKCS7, a fresh IV."""
    data = json.dumps(plaintext, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    pad = 16 - len(data) % 16
    iv = os.urandom(16)
    encryptor = Cipher(SM4(key), modes.CBC(iv)).encryptor()
    sealed = iv + encryptor.update(data + bytes([pad]) * pad) + encryptor.finalize()
    return base64.b64encode(sealed).decode("ascii")


def unseal(keys: Sequence[bytes], body: str) -> dict[str, Any]:
    """The JSON object of ``body``, by the first key that gives sound padding and one. Raises :class:`NotDecrypted`."""
    try:
        sealed = read_base64(body)
    except ValueError:
        raise NotDecrypted("base64") from None
    if len(sealed) < 32 or len(sealed) % 16:
        raise NotDecrypted("length")
    for key in keys:
        decryptor = Cipher(SM4(key), modes.CBC(sealed[:16])).decryptor()
        padded = decryptor.update(sealed[16:]) + decryptor.finalize()
        pad = padded[-1]
        if not 1 <= pad <= 16 or padded[-pad:] != bytes([pad]) * pad:
            continue
        try:
            return read_object(padded[:-pad])
        except NotJson:
            continue
    raise NotDecrypted("padding, UTF-8 or JSON")
