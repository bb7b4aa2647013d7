"""Upstream systems and operators as callers: API keys ``<prefix>.<secret>``, hashed at rest, with scopes and organisations.

The secret has 32 random bytes, so a plain SHA-256 is enough at rest (nobody can enumerate it)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

SCOPES = (
    "cases:write",
    "cases:read",
    "events:read",
    "webhooks:write",
    "ledger:read",
    "ops:read",
    "ops:write",
    "audit:read",
)
"""Every scope there is."""

UPSTREAM_SCOPES = ("cases:write", "cases:read", "events:read", "webhooks:write", "ledger:read")
"""What a mediation organisation's system gets."""

OPERATOR_SCOPES = ("cases:read", "events:read", "ledger:read", "ops:read", "ops:write", "audit:read")
"""What an operator gets."""

OVER_ALL = frozenset({"ops:read", "ops:write", "audit:read"})
"""Scopes over everybody's deliveries, tasks and callbacks: they are for who acts for all organisations (``*``), no other."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh key: ``shown`` goes to the client once, ``secret_hash`` into the store."""

    prefix: str
    shown: str
    secret_hash: bytes


def make_key() -> NewKey:
    """A fresh API key."""
    prefix = "mg" + secrets.token_hex(6)
    secret = secrets.token_urlsafe(32)
    return NewKey(prefix, f"{prefix}.{secret}", hash_secret(secret))


def hash_secret(secret: str) -> bytes:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def same_secret(secret: str, secret_hash: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(hash_secret(secret), secret_hash)
