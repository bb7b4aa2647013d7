"""Who calls: bearer API keys, looked up by prefix, compared in constant time, remembered for a few seconds."""

from __future__ import annotations

import time

import orjson
from starlette.requests import Request

from gateway.flow.house import House
from gateway.flow.order import Principal, Refused
from gateway.security.clients import same_secret

_REMEMBERED_S = 5.0
_MOST = 1000


class Door:
    """Recognises callers."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._known: dict[str, tuple[float, bytes, Principal]] = {}

    async def principal(self, request: Request, scope: str) -> Principal:
        """The caller, who must hold the scope.

        Raises:
            Refused: 401 without a valid key, 403 without the scope.
        """
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        prefix, _, secret = token.strip().partition(".")
        if kind.lower() != "bearer" or not prefix or not secret or len(token) > 200 or not token.isascii():
            raise Refused(401, "unauthorized")
        found = await self._find(prefix)
        if found is None or not same_secret(secret, found[0]):
            raise Refused(401, "unauthorized")
        if scope not in found[1].scopes:
            raise Refused(403, "forbidden", extra={"scope": scope})
        return found[1]

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
        self._known[prefix] = (now + _REMEMBERED_S, bytes(row["secret_hash"]), principal)
        return self._known[prefix][1:]
