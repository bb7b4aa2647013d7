"""What left the house, counted at its one way out: the other side of what the attempts tell."""

from __future__ import annotations

from collections import Counter

import httpx

POLLED = frozenset({"/news", "/ping", "/ledger"})
"""Requests that no delivery makes: polls, probes and lists are no attempts."""


class Sent:
    """Requests by address (host:port) and path, also those whose connection failed; of all houses of a test."""

    def __init__(self) -> None:
        self.many: Counter[tuple[str, str]] = Counter()

    def to(self, url: str, path: str | None = None) -> int:
        """Requests of deliveries to a platform; of one path alone where it is named."""
        place = httpx.URL(url).netloc.decode()
        mine = {where: many for (address, where), many in self.many.items() if address == place}
        return sum(many for where, many in mine.items() if where not in POLLED and path in (None, where))


class Counted(httpx.AsyncBaseTransport):
    """A transport whose requests are counted."""

    def __init__(self, inner: httpx.AsyncBaseTransport, sent: Sent) -> None:
        self._inner = inner
        self._sent = sent

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See ``httpx.AsyncBaseTransport``."""
        self._sent.many[request.url.netloc.decode(), request.url.path] += 1
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the transport behind it."""
        await self._inner.aclose()
