"""One-time codes of a second factor (动态码): RFC 6238 over HMAC-SHA-1, six digits, thirty seconds, as in every authenticator.

SHA-1 here is what the authenticators know; its collisions say nothing about an HMAC (RFC 6238 §1.2, RFC 2104).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import quote

STEP_S: Final = 30
_DIGITS: Final = 6
_BYTES: Final = 20
_DRIFT: Final = 1
"""Steps before and after the present one that count too: clocks of telephones are off."""


def make_secret() -> bytes:
    """A new secret of 160 bits (RFC 4226 §4)."""
    return secrets.token_bytes(_BYTES)


def as_text(secret: bytes) -> str:
    """The secret as people type it into their authenticator: base32 (RFC 4648 §6) without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def read_text(text: str) -> bytes | None:
    """What ``as_text`` made, blanks and small letters forgiven; ``None`` for anything else."""
    plain = "".join(text.split()).upper()
    try:
        found = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except (binascii.Error, ValueError):
        return None
    return found if len(found) == _BYTES else None


def address(secret: bytes, issuer: str, name: str) -> str:
    """The address that authenticators take instead of typing."""
    return f"otpauth://totp/{quote(issuer)}:{quote(name)}?secret={as_text(secret)}&issuer={quote(issuer)}"


def code_at(secret: bytes, step: int) -> str:
    """The code of a step (RFC 4226 §5.3)."""
    digest = hmac.new(secret, step.to_bytes(8), hashlib.sha1).digest()
    place = digest[-1] & 0x0F
    number = int.from_bytes(digest[place : place + 4]) & 0x7FFF_FFFF
    return str(number % 10**_DIGITS).zfill(_DIGITS)


def step_of(secret: bytes, code: str, now_ms: int) -> int | None:
    """The step whose code this is, among those that count now; ``None`` for a wrong one. A step is good once: the caller keeps
    the last one used."""
    plain = "".join(code.split())
    present = now_ms // 1000 // STEP_S
    found = None
    for step in range(present - _DRIFT, present + _DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), plain.encode()):
            found = step
    return found
