"""One upstream system's feed: read by cursor from its beginning, sorted by case, for those that wait for a word."""

from __future__ import annotations

import asyncio

from gateway.client import CallRefused, Event, GatewayClient, GatewayUnreachable

_LOOK_S = 0.25


class Feed:
    """Reads all events of one client. ``seen`` holds (cursor, event id, case, sequence) of each, in the order of the feed."""

    def __init__(self, client: GatewayClient) -> None:
        self._client = client
        self._cursor = "0"
        self._of_case: dict[str, list[Event]] = {}
        self._news = asyncio.Condition()
        self.seen: list[tuple[str, str, str, str]] = []

    async def run(self) -> None:
        """Read on until cancelled."""
        while True:
            try:
                fresh = await self.read()
            except (CallRefused, GatewayUnreachable):  # it may be starting or ending: ask again
                fresh = 0
            if not fresh:
                await asyncio.sleep(_LOOK_S)

    async def read(self) -> int:
        """Read one page; returns how many events it had."""
        page = await self._client.events(self._cursor)
        for event in page.items:
            self.seen.append((event.cursor, event.id, event.partitionkey or "", event.sequence or ""))
            if event.partitionkey is not None and not event.type.startswith("delivery."):
                self._of_case.setdefault(event.partitionkey, []).append(event)
        self._cursor = page.cursor
        if page.items:
            async with self._news:
                self._news.notify_all()
        return len(page.items)

    async def drain(self) -> None:
        """Read to the end."""
        while await self.read():
            pass

    async def word(self, case: str, place: int) -> Event:
        """The event of a case at a place in its order, from 0, deliveries apart; waits until there is one."""
        async with self._news:
            await self._news.wait_for(lambda: len(self._of_case.get(case, ())) > place)
        return self._of_case[case][place]
