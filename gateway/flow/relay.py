"""Step 6, relay: committed events get their cursor, one numberer at a time, and in the same transaction one delivery for each
webhook that wants them; then they go to the bus."""

from __future__ import annotations

from collections.abc import Callable

from gateway.bus.port import EventBus
from gateway.flow.envelope import INTERNAL, Publisher, source_numbers
from gateway.store import journal, webhooks
from gateway.store.store import Store

_BATCH = 500
_CONSUMER = "bus"


class Relay:
    """Numbers and publishes. What has no cursor yet is in no feed, in no webhook and on no bus, so the cursor has no gaps."""

    def __init__(
        self, store: Store, bus: EventBus, publisher: Publisher, owed: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._bus = bus
        self._publisher = publisher
        self._owed = owed

    async def turn(self) -> int:
        """Number what is new, owe it to the webhooks, publish what is not published; returns how much was done."""
        while True:
            turn = await self._store.run(webhooks.relay, _BATCH, self._store.ids)
            if turn.owed:
                self._owed()
            if turn.numbered < _BATCH:
                break
        mark = await self._store.runner.read(journal.consumer_mark, _CONSUMER)
        events = await self._store.runner.read(journal.after, mark, _BATCH)
        if not events:
            return int(turn.behind)
        published = [event for event in events if event.type not in INTERNAL]
        numbers = await source_numbers(self._store, published)
        await self._bus.publish([self._publisher.envelope(event, numbers.get(event.subject)) for event in published])
        await self._store.write("set_mark", (_CONSUMER, events[-1].position))
        return len(events)
