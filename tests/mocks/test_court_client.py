"""The signature of the court's page, worked: the mock and the tests' own client make the same."""

import hashlib

from mocks.court_mediation.notices import signature
from tests.mocks.court_client import sealed


def test_the_worked_signature() -> None:
    body = b'{"tsbh":"TS20260929000001","tslx":"sqsl"}'
    stamp, nonce = "1790672703", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    text = stamp.encode() + nonce.encode() + body
    assert hashlib.sha256(text).hexdigest() == "94ae191ff5fb0581a5b63bc85592d96ed0df5be5860387bbb09d254c25c2b20c"
    for sign in (sealed, signature):
        seal = sign(bytes(32), stamp, nonce, body)
        assert seal == "e887b265d4715aa0288279374123a82df9ed0eea3406f3c03640750f5cc0c2e4"
