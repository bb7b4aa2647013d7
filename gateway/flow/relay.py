"""Step 6, relay: committed events get their cursor, one numberer at a time, and in the same transaction one delivery for each
webhook that wants them; then they go to the bus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from gateway.bus.port import BusUnavailable, EventBus
from gateway.flow.moving.envelope import INTERNAL, Publisher, source_numbers
from gateway.flow.moving.fault_points import Reach, nowhere
from gateway.store import journal, webhooks
from gateway.store.engine import many
from gateway.store.journal import EventRow
from gateway.store.store import Store

log = structlog.get_logger("gateway.relay")

_BATCH = 500
BROKER = "broker"
_LEASE_MS = 60_000


class Relay:
    """Numbers and publishes. What has no cursor yet is in no feed, in no webhook and on no bus, so the cursor has no gaps.

    The bus here is the one inside this process: each process has a mark of its own and hears everything, whoever numbered it.
    """

    def __init__(
        self,
        store: Store,
        bus: EventBus,
        publisher: Publisher,
        owed: Callable[[], None] = lambda: None,
        reach: Reach = nowhere,
        numbered: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._reach = reach
        self._bus = bus
        self._publisher = publisher
        self._owed = owed
        self._numbered = numbered
        self._heard: int | None = None

    async def turn(self) -> int:
        """Number what is new, owe it to the webhooks, tell it in this process; returns how much was done."""
        await self._begin()
        while True:
            turn = await self._store.run(webhooks.relay, _BATCH, self._store.ids)
            if turn.owed:
                self._owed()
            if turn.numbered:
                self._numbered()
            if turn.numbered < _BATCH:
                break
        if turn.numbered:
            await self._reach("numbered")
        return await self.hear() or int(turn.behind)

    async def hear(self) -> int:
        """Tell in this process what was numbered since the last time, by any process; returns how many events."""
        mark = await self._begin()
        if not self._bus.listened:
            self._heard = await self._position()  # whoever comes after this look hears what is numbered after it
            return 0
        events = await self._store.runner.read(journal.after, mark, _BATCH)
        if not events:
            return 0
        await self._bus.publish(await envelopes(self._store, self._publisher, events))
        await self._reach("published")
        self._heard = events[-1].position
        return len(events)

    async def _begin(self) -> int:
        """From where this process hears: nobody here can have waited for what was numbered before it came."""
        if self._heard is None:
            self._heard = await self._position()
        return self._heard

    async def _position(self) -> int:
        row = await self._store.row("log_position")
        return 0 if row is None else int(row["position"])


class BrokerRelay:
    """Brings events to the shared broker: one process at a time, by a leased mark that moves only behind acknowledgements.

    A holder that dies costs the length of its lease, and repeats under the same event ids; never the order within a case.
    """

    def __init__(self, store: Store, bus: EventBus, publisher: Publisher, reach: Reach = nowhere) -> None:
        self._store = store
        self._bus = bus
        self._publisher = publisher
        self._reach = reach
        self._token = store.ids.token()
        self._down = False

    async def turn(self) -> int:
        """Publish the next events; returns how many. 0 where there is nothing to do, or another process does it."""
        if not await self.waiting():
            return 0
        held = await self._store.write("lease_mark", (BROKER, self._token, _LEASE_MS))
        if not held:
            return 0
        events = await self._store.runner.read(journal.after, held[0]["position"], _BATCH)
        if not events:
            return 0
        made = await envelopes(self._store, self._publisher, events)
        try:
            with self._store.tracer.span("publish", kind="producer", count=len(made)):
                await self._bus.publish(await traced(self._store, made))
        except BusUnavailable as error:
            if not self._down:
                log.error("bus_unavailable", error=str(error), count=len(made))
            self._down = True
            return 0
        if self._down:
            log.info("bus_back", count=len(made))
        self._down = False
        self._store.watch.published(len(made))
        await self._reach("published")
        await self._store.write("advance_mark", (BROKER, self._token, events[-1].position))
        return len(events)

    async def waiting(self) -> int:
        """How many numbered events are not on the broker yet."""
        row = await self._store.row("unpublished", BROKER)
        return 0 if row is None else row["waiting"]

    async def close(self) -> None:
        """Leave the mark to the other processes, and the broker."""
        try:
            await self._store.write("release_mark", (BROKER, self._token))
        finally:  # the mark's lease ends by itself
            await self._bus.close()


async def envelopes(store: Store, publisher: Publisher, events: list[EventRow]) -> list[dict[str, Any]]:
    """The published form of these events, in order, without those that are nobody else's business."""
    published = [event for event in events if event.type not in INTERNAL]
    numbers = await source_numbers(store, published)
    return [publisher.envelope(event, numbers.get(event.subject)) for event in published]


async def traced(store: Store, made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same with the ``traceparent`` of each event's making (CloudEvents' distributed tracing extension), and a step in each
    such trace that says that it went out. Where nothing is traced nothing is looked up."""
    if not store.tracer.on or not made:
        return made
    rows = await store.runner.read(many, "traces_of", [(envelope["id"],) for envelope in made])
    known = {row["thing"]: row["traceparent"] for row in rows}
    for envelope in made:
        parent = known.get(envelope["id"])
        if parent is not None:
            envelope["traceparent"] = parent
            with store.tracer.span(
                "event", parent=parent, kind="producer", type=envelope["type"], event=envelope["id"]
            ):
                pass
    return made
