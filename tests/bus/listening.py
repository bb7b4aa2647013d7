"""How a test hears what was published: one word for both buses."""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer

from contracts.events import EVENT_NOUNS
from gateway.bus.kafka import Cluster, KafkaBus
from gateway.bus.memory import MemoryBus, Subscription
from gateway.bus.port import EventBus


def cluster(address: str) -> Cluster:
    """A cluster of this test's own topics on a broker that others use too."""
    return Cluster(address, prefix=f"t{secrets.token_hex(4)}", partitions=3)


def event(case: str, sequence: int, kind: str = "case.noted") -> dict[str, Any]:
    """An envelope, as far as a bus looks into it."""
    return {
        "specversion": "1.0",
        "id": f"evt_{case}_{sequence}",
        "type": kind,
        "subject": case,
        "partitionkey": case,
        "sequence": f"{sequence:020d}",
        "data": {"case": case},
    }


@dataclass(slots=True)
class Heard:
    """What came, in the order it came."""

    envelopes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ids(self) -> set[str]:
        """The events, once each."""
        return {envelope["id"] for envelope in self.envelopes}

    def first_sights(self) -> dict[str, list[int]]:
        """Per case its events' sequences, each where it was seen first."""
        seen: set[str] = set()
        order: dict[str, list[int]] = defaultdict(list)
        for envelope in self.envelopes:
            if envelope["id"] not in seen and "partitionkey" in envelope:
                seen.add(envelope["id"])
                order[envelope["partitionkey"]].append(int(envelope["sequence"]))
        return order

    def in_order(self) -> bool:
        """Whether no case's event came before an earlier one of the same case and noun (a topic each; across topics the
        sequence tells)."""
        last: dict[tuple[str, str], int] = {}
        seen: set[str] = set()
        for envelope in self.envelopes:
            if envelope["id"] in seen or "partitionkey" not in envelope:
                continue
            seen.add(envelope["id"])
            place = (envelope["partitionkey"], envelope["type"].partition(".")[0])
            if int(envelope["sequence"]) <= last.get(place, 0):
                return False
            last[place] = int(envelope["sequence"])
        return True

    def whole(self) -> dict[str, int]:
        """Per case how many events it has, where none is missing."""
        order = self.first_sights()
        return {case: len(found) for case, found in order.items() if sorted(found) == list(range(1, len(found) + 1))}


async def until(done: Callable[[], bool], step: Callable[[], Awaitable[None]], seconds: float, what: str) -> None:
    """Take steps until it is done."""
    try:
        async with asyncio.timeout(seconds):
            while not done():
                await step()
    except TimeoutError:
        raise AssertionError(f"in vain: {what}") from None


class Ear:
    """A subscriber, of either bus."""

    def __init__(self, source: Subscription | AIOKafkaConsumer) -> None:
        self._source = source
        self.heard = Heard()

    async def step(self) -> None:
        """Hear what there is."""
        if isinstance(self._source, Subscription):
            found = await self._source.next(0.1)
            if found is not None:
                self.heard.envelopes.append(found)
            return
        for records in (await self._source.getmany(timeout_ms=100)).values():
            self.heard.envelopes += [orjson.loads(record.value) for record in records]

    async def until(self, count: int, seconds: float = 10.0) -> Heard:
        """Listen until so many different events have come."""
        await until(lambda: len(self.heard.ids) >= count, self.step, seconds, f"{count} events")
        return self.heard


@asynccontextmanager
async def ear_of_topics(place: Cluster, *, seconds: float = 15.0) -> AsyncIterator[Ear]:
    """A consumer of every event topic, from the beginning."""
    consumer = AIOKafkaConsumer(
        *(f"{place.prefix}.{noun}" for noun in sorted(EVENT_NOUNS)),
        bootstrap_servers=place.servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with asyncio.timeout(seconds):
        await consumer.start()
    try:
        yield Ear(consumer)
    finally:
        await consumer.stop()


@asynccontextmanager
async def memory_bus() -> AsyncIterator[tuple[EventBus, Ear]]:
    """The bus inside the process, and one who listens."""
    bus = MemoryBus()
    async with bus.subscribe() as subscription:
        yield bus, Ear(subscription)
    await bus.close()


@asynccontextmanager
async def kafka_bus(address: str) -> AsyncIterator[tuple[EventBus, Ear]]:
    """The bus on a broker, and one who listens."""
    place = cluster(address)
    bus = KafkaBus(place)
    await bus.publish([event("case_first", 1)])  # makes the topics
    async with ear_of_topics(place) as ear:
        await ear.until(1)
        ear.heard.envelopes.clear()
        yield bus, ear
    await bus.close()
