"""API keys: fresh, hashed at rest, compared whole."""

from __future__ import annotations

import re

from gateway.security.clients import OPERATOR_SCOPES, SCOPES, UPSTREAM_SCOPES, hash_secret, make_key, same_secret


def test_a_key_shows_its_secret_once_and_stores_its_hash() -> None:
    key = make_key()
    prefix, _, secret = key.shown.partition(".")
    assert prefix == key.prefix
    assert re.fullmatch(r"mg[0-9a-f]{12}", prefix)
    assert len(secret) >= 43
    assert key.secret_hash == hash_secret(secret)
    assert secret.encode() not in key.secret_hash
    assert same_secret(secret, key.secret_hash)


def test_no_other_secret_opens() -> None:
    key = make_key()
    secret = key.shown.partition(".")[2]
    for wrong in ("", secret[:-1], secret + "A", secret.swapcase(), make_key().shown.partition(".")[2]):
        assert not same_secret(wrong, key.secret_hash)


def test_keys_are_all_different() -> None:
    assert len({make_key().shown for _ in range(100)}) == 100


def test_scopes_are_named_once_and_operators_write_no_documents() -> None:
    assert set(UPSTREAM_SCOPES) | set(OPERATOR_SCOPES) == set(SCOPES)
    assert "cases:write" not in OPERATOR_SCOPES
    assert not {"ops:read", "ops:write", "audit:read"} & set(UPSTREAM_SCOPES)
