"""The bus inside the process: subscribers get every event published after they came, in order, or are told that they fell
behind (they then read the feed by cursor, which has everything)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class FellBehind(Exception):
    """The subscriber was too slow for its bounded queue."""


class Subscription:
    """One subscriber's bounded queue."""

    def __init__(self, size: int) -> None:
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(size)
        self._behind = False

    def offer(self, envelope: dict[str, Any]) -> None:
        """Hand over one event, or remember that there was no place."""
        try:
            self._queue.put_nowait(envelope)
        except asyncio.QueueFull:
            self._behind = True

    async def next(self, within: float) -> dict[str, Any] | None:
        """The next event, ``None`` if none came in time.

        Raises:
            FellBehind: events were lost to this subscriber.
        """
        if self._behind:
            raise FellBehind
        try:
            async with asyncio.timeout(within):
                return await self._queue.get()
        except TimeoutError:
            return None


class MemoryBus:
    """The default bus."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    @property
    def listened(self) -> bool:
        """Whether there is a subscriber now."""
        return bool(self._subscriptions)

    async def publish(self, envelopes: list[dict[str, Any]]) -> None:
        """See ``EventBus``: nothing is kept here, the store's feed is."""
        for subscription in self._subscriptions:
            for envelope in envelopes:
                subscription.offer(envelope)

    @asynccontextmanager
    async def subscribe(self, size: int = 1000) -> AsyncIterator[Subscription]:
        """Every event from now on."""
        subscription = Subscription(size)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def close(self) -> None:
        """Nothing is held."""
