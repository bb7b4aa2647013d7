"""The two HMACs: the page's worked signature, and a login's proof told independently."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from adapters.court_mediation import security

TIMESTAMP = "1790672703"
NONCE = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
BODY = b'{"tsbh":"TS20260929000001","tslx":"sqsl"}'
SIGNATURE = "e887b265d4715aa0288279374123a82df9ed0eea3406f3c03640750f5cc0c2e4"


def test_the_worked_signature_of_the_page() -> None:
    signed = f"{TIMESTAMP}{NONCE}".encode() + BODY
    assert hashlib.sha256(signed).hexdigest() == "94ae191ff5fb0581a5b63bc85592d96ed0df5be5860387bbb09d254c25c2b20c"
    assert security.push_signature(bytes(32), TIMESTAMP, NONCE, BODY) == SIGNATURE
    assert security.push_holds(bytes(32), TIMESTAMP, NONCE, BODY, SIGNATURE)


@pytest.mark.parametrize(
    ("timestamp", "nonce", "body", "signature"),
    [
        ("1790672704", NONCE, BODY, SIGNATURE),
        (TIMESTAMP, "1" + NONCE[1:], BODY, SIGNATURE),
        (TIMESTAMP, NONCE, BODY + b"\n", SIGNATURE),
        (TIMESTAMP, NONCE, BODY, SIGNATURE.upper()),
        (TIMESTAMP, NONCE, BODY, SIGNATURE[:-1]),
        (TIMESTAMP, NONCE, BODY, ""),
    ],
)
def test_any_change_breaks_it(timestamp: str, nonce: str, body: bytes, signature: str) -> None:
    assert not security.push_holds(bytes(32), timestamp, nonce, body, signature)


def test_the_proof_of_the_password() -> None:
    key, message = "密码Aa1".encode(), b"sdtj37010220261012100030"
    proof = security.password_proof("密码Aa1", "sdtj370102", "20261012100030")
    assert proof == hmac.new(key, message, "sha256").hexdigest().upper()
    assert len(proof) == 64
    assert proof == proof.upper() != security.password_proof("密码Aa1", "sdtj370102", "20261012100031")


def test_the_proof_is_rfc_2104s_own_construction() -> None:
    key, message = b"password".ljust(64, b"\0"), b"user20261012100030"
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + message).digest()
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest().upper()
    assert security.password_proof("password", "user", "20261012100030") == outer
