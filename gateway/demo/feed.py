"""One upstream system's feed: read by cursor from its beginning; what platforms said is kept for those that wait for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gateway.client import CallRefused, Event, GatewayClient, GatewayUnreachable

_LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Word:
    """What a platform said of a thing of a case: ``noun`` confirmation or transfer, its id, its new status."""

    noun: str
    about: str
    status: str


class Feed:
    """Reads all events of one client. ``seen`` holds (cursor, event id, case, sequence) of each, in the order of the feed."""

    def __init__(self, client: GatewayClient) -> None:
        self._client = client
        self._cursor = "0"
        self._words: dict[str, list[Word]] = {}
        self._referrals: dict[str, str] = {}
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
            case = event.partitionkey or ""
            self.seen.append((event.cursor, event.id, case, event.sequence or ""))
            if (word := _word(event)) is not None:
                self._words.setdefault(case, []).append(word)
            if event.type == "referral.offered":
                self._referrals[event.text("task_no")] = event.text("referral")
        self._cursor = page.cursor
        if page.items:
            async with self._news:
                self._news.notify_all()
        return len(page.items)

    async def drain(self) -> None:
        """Read to the end."""
        while await self.read():
            pass

    async def word(self, case: str, place: int) -> Word:
        """The word about a case at a place in their order, from 0; waits until there is one."""
        async with self._news:
            await self._news.wait_for(lambda: len(self._words.get(case, ())) > place)
        return self._words[case][place]

    async def referral(self, task_no: str) -> str:
        """The id of the referral with this task number (任务号); waits until it is offered."""
        async with self._news:
            await self._news.wait_for(lambda: task_no in self._referrals)
        return self._referrals[task_no]


def _word(event: Event) -> Word | None:
    """The word in an event; ``None`` where nobody but us spoke, or nothing moved by it."""
    noun, _, said = event.type.partition(".")
    if noun not in ("confirmation", "transfer") or "endpoint" not in event.data or event.data.get("moved") is False:
        return None
    return Word(noun, event.text(noun), said) if event.text("status") == said else None
