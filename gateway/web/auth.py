"""Who calls: bearer API keys, looked up by prefix and compared in constant time, and the short-lived tokens given for them."""

from __future__ import annotations

import time
from dataclasses import replace

import orjson
from starlette.requests import Request

from gateway.flow.house import House
from gateway.flow.moving.order import Principal, Refused
from gateway.security import tokens
from gateway.security.clients import OVER_ALL, same_secret
from gateway.security.tokens import Token, TokenRefused

_REMEMBERED_S = 5.0
_MOST = 1000
_LONGEST_KEY = 200


class Door:
    """Recognises callers."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._known: dict[str, tuple[float, bytes, Principal]] = {}

    async def principal(self, request: Request, scope: str) -> Principal:
        """The caller, who must hold the scope.

        Raises:
            Refused: 401 without a valid key or token, 403 without the scope; ``out_of_scope``: the scope is over all
                organisations, the key acts for some.
        """
        kind, _, credential = request.headers.get("authorization", "").partition(" ")
        credential = credential.strip()
        if kind.lower() != "bearer" or not credential:
            raise Refused(401, "unauthorized")
        found = await (self._by_key(credential) if "." in credential else self._by_token(credential))
        if scope not in found.scopes:
            raise Refused(403, "forbidden", extra={"scope": scope})
        if scope in OVER_ALL and "*" not in found.organizations:
            raise Refused(403, "out_of_scope", extra={"scope": scope})
        return found

    async def _by_key(self, key: str) -> Principal:
        prefix, _, secret = key.partition(".")
        found = await self.client(prefix, secret) if len(key) <= _LONGEST_KEY else None
        if found is None:
            raise Refused(401, "unauthorized")
        return found

    async def _by_token(self, given: str) -> Principal:
        """The client of a token, with the scopes that both it and its key still have."""
        try:
            token = tokens.unseal(self._house.store.sealer, self._issuer, given, self._house.store.now_ms())
        except TokenRefused:
            raise Refused(401, "token_invalid") from None
        found = await self._find(token.prefix)
        if found is None:
            raise Refused(401, "token_invalid")
        return replace(found[1], scopes=found[1].scopes & token.scopes)

    @property
    def _issuer(self) -> str:
        return self._house.publisher.source

    async def client(self, prefix: str, secret: str) -> Principal | None:
        """Whose key this is; ``None``: nobody's, or one that is over."""
        if not prefix or not secret or not (prefix + secret).isascii() or not (prefix + secret).isprintable():
            return None
        found = await self._find(prefix)
        return found[1] if found is not None and same_secret(secret, found[0]) else None

    def token(self, prefix: str, scopes: frozenset[str]) -> str:
        """A fresh token for the client of this key."""
        until = self._house.store.now_ms() + 1000 * tokens.LASTS_S
        return tokens.seal(self._house.store.sealer, self._issuer, Token(prefix, scopes, until))

    async def _find(self, prefix: str) -> tuple[bytes, Principal] | None:
        now = time.monotonic()
        known = self._known.get(prefix)
        if known is not None and known[0] > now:
            return known[1], known[2]
        row = await self._house.store.row("find_client", prefix)
        if row is None or not row["enabled"] or (row["expires_at"] is not None and row["expires_at"] <= row["now"]):
            return None
        principal = Principal(
            row["client"],
            frozenset(orjson.loads(row["organizations"])),
            frozenset(orjson.loads(row["scopes"])),
        )
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[prefix] = (now + _REMEMBERED_S, row["secret_hash"], principal)
        return self._known[prefix][1:]
