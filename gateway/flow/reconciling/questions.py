"""What a reconciliation asks a platform (对账): behind its deliveries, while a slot is free, within a share of the rate."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

import orjson

from contracts.adapter import Exchange
from contracts.errors import RetryableError
from contracts.holdings import Held, Holding, Period
from contracts.moments import from_ms
from gateway.flow.delivering import wires
from gateway.flow.delivering.line import Line
from gateway.flow.moving.order import Principal
from gateway.flow.reconciling.comparing import Method
from gateway.store.engine import Row
from gateway.store.places import of_wire
from gateway.store.store import Store

T = TypeVar("T")

GATEWAY: Final = "gateway"
"""Who asks for the daily ones."""

QUESTIONS: Final = 5
"""The most questions of one page of work."""

_MARGIN: Final = timedelta(days=1)
"""A list of filings is asked for from so long before the period on: a lost answer's filing is older than its delivery's end."""

_ENDED: Final = frozenset({"delivered", "dead", "expired"})


class Unaskable(Exception):
    """The platform has no such question, or the bytes that were sent are not kept."""


class NoRoom(Exception):
    """The endpoint is paused, quiet, broken or busy with deliveries; ``wait_ms`` until it is looked at again."""

    def __init__(self, wait_ms: int) -> None:
        super().__init__(wait_ms)
        self.wait_ms = wait_ms


@dataclass(slots=True)
class Run:
    """One reconciliation at work."""

    id: str
    line: Line
    method: Method
    since: int
    until: int
    phase: str
    place: str | None
    found: int
    healer: str
    reason: str
    kinds: frozenset[str]

    @staticmethod
    def of(row: Row, line: Line) -> Run:
        """From its row."""
        return Run(
            row["id"],
            line,
            Method(row["method"]),
            row["since"],
            row["until"],
            row["phase"],
            row["place"],
            row["found"],
            row["healer"] or GATEWAY,
            f"{(row['reason'] or '')[:400]} [{row['id']}]".strip(),
            frozenset(orjson.loads(row["kinds"] or "[]")),
        )

    @property
    def endpoint(self) -> str:
        """The endpoint's name."""
        return self.line.name

    @property
    def principal(self) -> Principal:
        """Who had it mended."""
        return Principal(self.healer, frozenset({"*"}), frozenset())

    def listed_of(self) -> Period:
        """The period of the platform's list."""
        since, until = from_ms(self.since), from_ms(self.until)
        return Period(since - _MARGIN, until) if self.method is Method.LISTING else Period(since, until)

    def holds(self, row: Row) -> bool:
        """Whether one of our deliveries is of the period: what has ended, by its end; what is in doubt stands in doubt now."""
        ended = row["finished_at"]
        return row["state"] not in _ENDED or ended is None or self.since <= ended < self.until

    def after(self, phase: str) -> str:
        """The phase that follows."""
        phases = self.method.phases
        place = phases.index(phase) + 1
        return phases[place] if place < len(phases) else "done"


class Questions:
    """Asks platforms. ``share``: the part of a platform's agreed rate that may be taken."""

    def __init__(self, store: Store, share: float) -> None:
        self._store = store
        self._share = share

    async def listed(self, run: Run) -> Held:
        """One page of the platform's list. Where it is also polled, this is the poll's turn."""
        adapter = run.line.endpoint.adapter
        cursor = run.place
        if cursor is None and run.method is not Method.LISTING:
            earlier = await self._store.row("listing_before", run.endpoint, run.since)
            cursor = None if earlier is None else earlier["cursor"]
        if not adapter.info.polls:
            return await self._out(run, lambda exchange: adapter.list_held(run.listed_of(), cursor, exchange))
        # The list is the poll's own: the poll stands back, and its agreed pause lies before a first page and behind each.
        await self._room(run)
        pause_s = run.line.limits.poll_every_s[0]
        await self._store.write("set_poll_at", (run.endpoint, round(1000 * (2 * pause_s + run.line.limits.deadline_s))))
        try:
            if run.place is None:
                await asyncio.sleep(pause_s)
            return await self._out(run, lambda exchange: adapter.list_held(run.listed_of(), cursor, exchange))
        finally:
            await self._store.write("set_poll_at", (run.endpoint, round(1000 * pause_s)))

    async def held(self, run: Run, delivery: str) -> Holding | None:
        """Ask for one of our deliveries.

        Raises:
            Unaskable: the platform has no such question, or the bytes that were sent are not kept.
        """
        adapter = run.line.endpoint.adapter
        row = await self._store.row("delivery_wire", delivery)
        if not adapter.can_be_asked() or row is None or row["wire_sealed"] is None:
            raise Unaskable
        wire = wires.unpack(self._store.unseal(row["wire_sealed"], of_wire(delivery)))
        return await self._out(run, lambda exchange: adapter.held(wire, exchange))

    async def _out(self, run: Run, ask: Callable[[Exchange], Awaitable[T]]) -> T:
        """One question, while a slot is free, followed by the rest that leaves others their share of the rate.

        Raises:
            NoRoom: not now.
        """
        await self._room(run)
        seconds = run.line.limits.deadline_s
        try:
            async with asyncio.timeout(seconds):
                return await ask(run.line.exchange(self._store.now_ms, seconds))
        except TimeoutError:
            raise RetryableError("timeout", "no whole answer in time") from None
        finally:
            await asyncio.sleep((1 / self._share - 1) / run.line.limits.rate_per_s)

    async def _room(self, run: Run) -> None:
        room = await self._store.row("room_at", run.endpoint)
        if room is None or room["paused"] or room["quiet"] or room["breaker"] != "closed":
            raise NoRoom(5_000)
        if room["live"] >= room["slots"]:
            raise NoRoom(250)


def lease_ms(line: Line) -> int:
    """How long one page of work is held: longer than all its questions may take."""
    return round(1000 * QUESTIONS * (line.limits.deadline_s + 5)) + 60_000
