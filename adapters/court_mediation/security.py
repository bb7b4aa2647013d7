"""The platform's two HMACs (page §2): the login's proof of the password, and the signature of its pushes."""

from __future__ import annotations

import hashlib
import hmac
import re

NONCE = re.compile(r"[0-9a-f]{32}")
TIMESTAMP = re.compile(r"[0-9]{10}")
SIGNATURE = re.compile(r"[0-9a-f]{64}")


def password_proof(password: str, username: str, yzsj: str) -> str:
    """``password`` of a login: upper-case hex of HMAC-SHA256 over user name and moment, keyed with the password.

    ``yzsj``: the moment in Beijing time, ``yyyyMMddHHmmss``."""
    return hmac.new(password.encode(), f"{username}{yzsj}".encode(), hashlib.sha256).hexdigest().upper()


def push_signature(key: bytes, timestamp: str, nonce: str, body: bytes) -> str:
    """``X-Fy-Signature`` of a push: lower-case hex of HMAC-SHA256 over timestamp, nonce and the raw body.

    Nothing stands between the parts, therefore both have a fixed length."""
    return hmac.new(key, f"{timestamp}{nonce}".encode("ascii") + body, hashlib.sha256).hexdigest()


def push_holds(key: bytes, timestamp: str, nonce: str, body: bytes, signature: str) -> bool:
    """Whether that is the signature, compared in constant time. Upper-case hex is another signature."""
    return hmac.compare_digest(push_signature(key, timestamp, nonce, body), signature)
