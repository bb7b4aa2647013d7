"""The five x-tif headers that prove a request (page §2); they cover no body, TLS does that."""

from __future__ import annotations

import hashlib
from datetime import datetime

NONCE_BYTES = 16
"""Randomness behind one nonce; in hex it has 32 characters, the longest the platform takes."""


def signature(timestamp: str, token: str, nonce: str) -> str:
    """Upper-case hex of SHA-256(timestamp ‖ token ‖ nonce ‖ timestamp), ASCII with nothing between (page §2)."""
    return hashlib.sha256(f"{timestamp}{token}{nonce}{timestamp}".encode("ascii")).hexdigest().upper()


def headers(paasid: str, service_id: str, token: str, at: datetime, random: bytes) -> tuple[tuple[str, str], ...]:
    """The headers of one attempt, in the order in which the platform checks them.

    ``at`` is an aware time (sent as Unix seconds), ``random`` the ``NONCE_BYTES`` bytes of a nonce never used before.
    """
    timestamp = str(int(at.timestamp()))
    nonce = random.hex()
    return (
        ("x-tif-paasid", paasid),
        ("x-tif-serviceId", service_id),
        ("x-tif-timestamp", timestamp),
        ("x-tif-nonce", nonce),
        ("x-tif-signature", signature(timestamp, token, nonce)),
    )
