"""The digest that proves a request, reply or callback, and the forms of what goes into it (page §2)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from adapters.union.form import ENCODING
from contracts.gm import sm3

SIGN = "sign"

SKEW = timedelta(milliseconds=300_000)
"""How far a callback's timestamp may lie from our clock."""
NONCE_KEPT = timedelta(minutes=15)
NONCE_BYTES = 16
"""Randomness behind one nonce; in hex it has 32 characters, the longest the platform takes."""

_SIGN = re.compile(r"[0-9A-F]{64}")
_TIMESTAMP = re.compile(r"[0-9]{13}")
_NONCE = re.compile(r"[0-9A-Za-z]{16,32}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def string_to_sign(parameters: Mapping[str, str], secret: str) -> bytes:
    """What the digest is made over: ``name=value`` of every parameter but ``sign`` and empty ones, values raw, sorted by
    the bytes of the names, joined by ``&``, then ``&key=`` and the secret, in GB18030."""
    # Names are ASCII, so that sorting them as text is sorting by bytes.
    pairs = [f"{name}={parameters[name]}" for name in sorted(parameters) if name != SIGN and parameters[name]]
    return ("&".join(pairs) + f"&key={secret}").encode(ENCODING)


def digest(parameters: Mapping[str, str], secret: str) -> str:
    """SM3 of the string to sign, 64 upper-case hex characters."""
    return sm3(string_to_sign(parameters, secret)).hex().upper()


def signed(parameters: Mapping[str, str], secret: str) -> dict[str, str]:
    """The parameters with their ``sign``."""
    return {**parameters, SIGN: digest(parameters, secret)}


def holds(parameters: Mapping[str, str], secret: str) -> bool:
    """Whether ``sign`` is there, of its form (lower case is none) and right; compared in constant time."""
    given = parameters.get(SIGN, "")
    return _SIGN.fullmatch(given) is not None and hmac.compare_digest(given, digest(parameters, secret))


def stamp(moment: datetime) -> str:
    """An aware time as Unix milliseconds, 13 digits."""
    return str((moment - _EPOCH) // _MILLISECOND)


def read_stamp(text: str) -> datetime | None:
    """The moment of 13 digits, in UTC; ``None`` for any other form."""
    return _EPOCH + int(text) * _MILLISECOND if _TIMESTAMP.fullmatch(text) else None


def is_nonce(text: str) -> bool:
    """Whether the text has the form of a nonce."""
    return _NONCE.fullmatch(text) is not None
