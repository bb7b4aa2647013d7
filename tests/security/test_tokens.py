"""Access tokens: what is sealed comes back, and whatever else is given is refused, never an error of another kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.security.clients import SCOPES
from gateway.security.fields import Keys, Sealer
from gateway.security.tokens import LONGEST, Token, TokenRefused, seal, unseal

SEALER = Sealer(Keys.generate())
ISSUER = "urn:mediation-gateway:sd"


@given(st.from_regex(r"mg[0-9a-f]{12}", fullmatch=True), st.sets(st.sampled_from(SCOPES)), st.integers(1, 2**50))
def test_a_token_comes_back_until_its_end(prefix: str, scopes: set[str], until: int) -> None:
    token = Token(prefix, frozenset(scopes), until)
    carried = seal(SEALER, ISSUER, token)
    assert len(carried) <= LONGEST
    assert "." not in carried
    assert unseal(SEALER, ISSUER, carried, until - 1) == token
    with pytest.raises(TokenRefused):
        unseal(SEALER, ISSUER, carried, until)
    with pytest.raises(TokenRefused):
        unseal(SEALER, ISSUER + "x", carried, until - 1)
    with pytest.raises(TokenRefused):
        unseal(Sealer(Keys.generate()), ISSUER, carried, until - 1)


@given(st.one_of(st.text(max_size=80), st.from_regex(r"[A-Za-z0-9_-]{1,120}={0,2}", fullmatch=True)))
def test_anything_else_is_refused(given_text: str) -> None:
    with pytest.raises(TokenRefused):
        unseal(SEALER, ISSUER, given_text, 0)


CARRIED = seal(SEALER, ISSUER, Token("mg0123456789ab", frozenset({"cases:read"}), 10**15))
"""One for all examples: what is drawn hangs on it."""


@given(st.data())
def test_no_character_of_a_token_may_change(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(CARRIED) - 1))
    other = data.draw(st.sampled_from("ABCXYZabcxyz0189-_").filter(lambda one: one != CARRIED[place]))
    with pytest.raises(TokenRefused):
        unseal(SEALER, ISSUER, CARRIED[:place] + other + CARRIED[place + 1 :], 0)
