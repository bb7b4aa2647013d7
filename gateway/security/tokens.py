"""Access tokens of the client-credentials grant (RFC 6749 §4.4): short-lived, opaque, sealed by the store's own keys.

A token holds the client's key prefix, its scopes and its end, and nothing that must be kept: the key is looked up at every use,
so a key that is disabled or over takes its tokens along. Sealed and bound to this installation, a token cannot be made, changed
or carried to another gateway.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

import orjson

from gateway.security.fields import SealBroken, Sealer

LASTS_S: Final = 600
"""Seconds that a token is good for."""

LONGEST: Final = 1_000
"""Characters of the longest token that is looked at."""


class TokenRefused(Exception):
    """A token that is none of ours, or whose time is over."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says. ``prefix``: of the key that it was given for; ``until``: milliseconds since 1970."""

    prefix: str
    scopes: frozenset[str]
    until: int


def _place(issuer: str) -> str:
    return f"tokens.access:{issuer}"


def seal(sealer: Sealer, issuer: str, token: Token) -> str:
    """The token as the client carries it: URL-safe characters, no dot (keys have one)."""
    plain = orjson.dumps([token.prefix, sorted(token.scopes), token.until])
    return _text(sealer.seal(plain, _place(issuer)))


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def unseal(sealer: Sealer, issuer: str, given: str, now_ms: int) -> Token:
    """Read a token.

    Raises:
        TokenRefused: not of this issuer, changed, or over.
    """
    if len(given) > LONGEST or not given.isascii():
        raise TokenRefused
    try:
        sealed = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
        prefix, scopes, until = orjson.loads(sealer.open(sealed, _place(issuer)))
    except (binascii.Error, SealBroken):
        raise TokenRefused from None
    if until <= now_ms or _text(sealed) != given:  # one token has one spelling
        raise TokenRefused
    return Token(prefix, frozenset(scopes), until)
