"""What left the house, counted at its one way out: the other side of what the attempts tell."""

from __future__ import annotations

from collections import Counter

import httpx

POLLED = frozenset({"/news", "/ping"})
"""Requests that no delivery makes: polls and probes are no attempts."""


class Counted(httpx.AsyncBaseTransport):
    """The production transport. ``sent``: requests by address (host:port) and path, also those whose connection failed."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.sent: Counter[tuple[str, str]] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See ``httpx.AsyncBaseTransport``."""
        self.sent[request.url.netloc.decode(), request.url.path] += 1
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the transport behind it."""
        await self._inner.aclose()

    def to(self, url: str) -> int:
        """Requests of deliveries to a platform."""
        place = httpx.URL(url).netloc.decode()
        return sum(many for (address, path), many in self.sent.items() if address == place and path not in POLLED)
