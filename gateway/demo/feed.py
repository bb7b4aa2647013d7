"""One upstream system's feed: read by cursor, each event on disk before the next page is asked for, so that a consumer that
was killed goes on where it was; what platforms said is kept for those that wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from gateway.client import CallRefused, Event, GatewayClient, GatewayUnreachable
from gateway.demo.client_log import drop_cut_line

_LOOK_S = 0.25
_FULL = 50
"""Events of a page behind which more are surely waiting."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a platform said of a thing of a case: ``noun`` confirmation or transfer, its id, its new status."""

    noun: str
    about: str
    status: str


class Feed:
    """Reads all events of one client into ``path``: one line each with cursor, event id, case, sequence, and what a case may
    wait for (a word, a referral with its task number, a delivery that arrived)."""

    def __init__(self, client: GatewayClient, path: Path) -> None:
        self._client = client
        self._path = path
        self._cursor = "0"
        self._words: dict[str, list[Word]] = {}
        self._referrals: dict[str, str] = {}
        self._arrived: set[str] = set()
        self._news = asyncio.Condition()
        drop_cut_line(path)
        for line in _lines(path):
            self._cursor = line[0]
            self._keep(line)
        self._file = path.open("ab", buffering=0)

    async def run(self) -> None:
        """Read on until cancelled."""
        while True:
            try:
                fresh = await self.read()
            except (CallRefused, GatewayUnreachable):  # it may be starting or ending: ask again
                fresh = 0
            if fresh < _FULL:
                await asyncio.sleep(_LOOK_S)

    async def read(self) -> int:
        """Read one page; returns how many events it had."""
        page = await self._client.events(self._cursor)
        lines = [_line(event) for event in page.items]
        self._file.write(b"".join(orjson.dumps(line) + b"\n" for line in lines))
        for line in lines:
            self._keep(line)
        self._cursor = page.cursor
        if lines:
            async with self._news:
                self._news.notify_all()
        return len(lines)

    async def drain(self) -> None:
        """Read to the end."""
        while await self.read():
            pass

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __iter__(self) -> Iterator[tuple[str, str, str, str]]:
        """(cursor, event id, case, sequence) of each event, in the order in which they came."""
        for cursor, identifier, case, sequence, *_ in _lines(self._path):
            yield cursor, identifier, case, sequence

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

    async def arrived(self, deliveries: Collection[str]) -> None:
        """Wait until all these deliveries have arrived."""
        async with self._news:
            await self._news.wait_for(lambda: self._arrived.issuperset(deliveries))

    def _keep(self, line: list[str]) -> None:
        match line[4:]:
            case [noun, about, status]:
                self._words.setdefault(line[2], []).append(Word(noun, about, status))
            case [task_no, referral]:
                self._referrals[task_no] = referral
            case [delivery]:
                self._arrived.add(delivery)


def _lines(path: Path) -> Iterator[list[str]]:
    with path.open("rb") as file:
        yield from map(orjson.loads, file)


def _line(event: Event) -> list[str]:
    line = [event.cursor, event.id, event.partitionkey or "", event.sequence or ""]
    if event.type == "referral.offered":
        return [*line, event.text("task_no"), event.text("referral")]
    if event.type == "delivery.delivered":
        return [*line, event.text("delivery")]
    word = _word(event)
    return line if word is None else [*line, word.noun, word.about, word.status]


def _word(event: Event) -> Word | None:
    """The word in an event; ``None`` where nobody but us spoke, or nothing moved by it."""
    noun, _, said = event.type.partition(".")
    if noun not in ("confirmation", "transfer") or "endpoint" not in event.data or event.data.get("moved") is False:
        return None
    return Word(noun, event.text(noun), said) if event.text("status") == said else None
