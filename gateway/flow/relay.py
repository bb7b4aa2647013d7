"""Step 6, relay: committed events get their cursor, one numberer at a time, and go to the bus."""

from __future__ import annotations

from gateway.bus.port import EventBus
from gateway.flow.envelope import INTERNAL, Publisher, source_numbers
from gateway.store import journal
from gateway.store.store import Store

_BATCH = 500
_CONSUMER = "bus"


class Relay:
    """Numbers and publishes. What has no cursor yet is in no feed and on no bus, so the cursor has no gaps."""

    def __init__(self, store: Store, bus: EventBus, publisher: Publisher) -> None:
        self._store = store
        self._bus = bus
        self._publisher = publisher

    async def turn(self) -> int:
        """Number what is new and publish what is not published; returns how many were published."""
        while await self._store.run(journal.number, _BATCH) == _BATCH:
            pass
        mark = await self._store.runner.read(journal.consumer_mark, _CONSUMER)
        events = await self._store.runner.read(journal.after, mark, _BATCH)
        if not events:
            return 0
        published = [event for event in events if event.type not in INTERNAL]
        numbers = await source_numbers(self._store, published)
        await self._bus.publish([self._publisher.envelope(event, numbers.get(event.subject)) for event in published])
        await self._store.write("set_mark", (_CONSUMER, events[-1].position))
        return len(events)
