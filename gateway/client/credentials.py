"""Access tokens for the client: the key goes to the token endpoint alone, every call carries a token of ten minutes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Final

import httpx

_TOKEN: Final = "/v1/oauth2/token"  # noqa: S105 -- an address
_EARLY_S: Final = 30.0
"""A token is renewed so long before its end."""


class ClientCredentials(httpx.Auth):
    """Gets a token by client credentials (RFC 6749 §4.4), shares it among the calls, and gets another when it is over.

    Args:
        base_url: the gateway's address.
        key: the API key ``<prefix>.<secret>``: client id and client secret.
        scope: what the tokens shall be good for, space-separated; empty = all that the key has.
    """

    def __init__(self, base_url: str, key: str, scope: str = "") -> None:
        self._url = httpx.URL(base_url.rstrip("/") + _TOKEN)
        prefix, _, secret = key.partition(".")
        self._basic = httpx.BasicAuth(prefix, secret)
        self._form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        self._token = ""
        self._until = 0.0
        self._turn = asyncio.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """A call under a token; once more under a fresh one where the gateway no longer takes it."""
        async with self._turn:
            if time.monotonic() >= self._until:
                await self._read((yield self._asking()))
        used = self._token
        request.headers["Authorization"] = f"Bearer {used}"
        response = yield request
        if response.status_code != 401 or "invalid_token" not in response.headers.get("WWW-Authenticate", ""):
            return
        async with self._turn:
            if self._token == used:
                await self._read((yield self._asking()))
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request

    def _asking(self) -> httpx.Request:
        asked = httpx.Request("POST", self._url, data=self._form)
        return next(self._basic.auth_flow(asked))

    async def _read(self, response: httpx.Response) -> None:
        """Keep the token. Without one the call goes out bare, and its own 401 is told."""
        await response.aread()
        try:
            answer = response.json() if response.is_success else {}
        except ValueError:
            answer = {}
        self._token = str(answer.get("access_token", ""))
        lasts = answer.get("expires_in", 0)
        self._until = time.monotonic() + max(float(lasts) - _EARLY_S, 0.0) if self._token else 0.0
