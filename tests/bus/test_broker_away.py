"""The broker dies, freezes, forgets: nothing that was to be published is lost, and no case's order breaks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from aiokafka.errors import OutOfOrderSequenceNumber

from gateway.bus.kafka import Cluster, KafkaBus, Letter, Writer
from gateway.bus.port import BusUnavailable
from tests.bus.listening import cluster, ear_of_topics, event, until
from tests.servers.kafka import Broker, own_broker


@pytest.fixture
def mortal() -> Iterator[Broker]:
    """A broker of this test's own."""
    opened = own_broker()
    yield opened
    opened.remove()


class Outbox:
    """What a relay does: a mark that moves behind acknowledgements alone."""

    def __init__(self, bus: KafkaBus) -> None:
        self.bus = bus
        self.waiting: list[dict[str, Any]] = []
        self.longest = 0
        self.open = asyncio.Lock()

    async def drain(self) -> None:
        """Publish what waits, for ever."""
        while True:
            async with self.open:
                batch = self.waiting[:40]
                try:
                    await self.bus.publish(batch)
                except BusUnavailable:
                    continue
                del self.waiting[: len(batch)]
            await asyncio.sleep(0.001)

    async def drained(self) -> None:
        """Wait until nothing waits."""
        await until(lambda: not self.waiting, lambda: asyncio.sleep(0.01), 20, "everything is published")


class Flow:
    """Seven cases that go on, whatever the broker does."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.sent: list[dict[str, Any]] = []
        self._numbers = {f"case_{case}": count(1) for case in range(7)}

    async def go(self, rounds: int, pause_s: float = 0.004) -> None:
        for _ in range(rounds):
            for case, number in self._numbers.items():
                self.sent.append(event(case, next(number)))
                self.outbox.waiting.append(self.sent[-1])
            self.outbox.longest = max(self.outbox.longest, len(self.outbox.waiting))
            await asyncio.sleep(pause_s)


async def all_heard(place: Cluster, flow: Flow) -> None:
    async with ear_of_topics(place) as ear:
        heard = await ear.until(len(flow.sent), 20)
    assert heard.ids == {one["id"] for one in flow.sent}
    assert heard.in_order()
    assert {case: len(order) for case, order in heard.first_sights().items()} == {
        f"case_{case}": len(flow.sent) // 7 for case in range(7)
    }


async def test_a_killed_broker_costs_repeats_and_never_order_or_an_event(mortal: Broker) -> None:
    place = replace(cluster(mortal.address), ack_s=0.8)
    outbox = Outbox(KafkaBus(place))
    flow = Flow(outbox)
    draining = asyncio.create_task(outbox.drain())
    flowing = asyncio.create_task(flow.go(900))
    for down_s in (0.1, 2.0):
        await asyncio.sleep(0.2)
        async with outbox.open:
            await asyncio.to_thread(mortal.written)
            mortal.pause()
        await asyncio.sleep(0.1)  # the next batch is under way, and nobody answers
        await asyncio.to_thread(mortal.kill)
        await asyncio.sleep(down_s)
        await asyncio.to_thread(mortal.start)
    await flowing
    await outbox.drained()
    draining.cancel()
    assert outbox.longest > 300, "the fault did not come"
    await all_heard(place, flow)
    await outbox.bus.close()


async def test_a_frozen_broker_is_given_up_in_time_and_found_again(mortal: Broker) -> None:
    place = replace(cluster(mortal.address), ack_s=0.6)
    bus = KafkaBus(place)
    await bus.publish([event("case_1", 1)])
    mortal.pause()
    begun = time.monotonic()
    with pytest.raises(BusUnavailable):
        await bus.publish([event("case_1", 2)])
    assert time.monotonic() - begun < 10
    mortal.resume()
    await bus.publish([event("case_1", 2), event("case_1", 3)])
    async with ear_of_topics(place) as ear:
        heard = await ear.until(3)
    assert heard.first_sights() == {"case_1": [1, 2, 3]}
    await bus.close()


async def test_no_broker_is_told_and_not_waited_for(mortal: Broker) -> None:
    mortal.kill()
    bus = KafkaBus(replace(cluster(mortal.address), ack_s=0.5))
    begun = time.monotonic()
    with pytest.raises(BusUnavailable):
        await bus.publish([event("case_1", 1)])
    assert time.monotonic() - begun < 5
    await bus.close()


class Forgotten:
    """A producer whose place the broker no longer knows: every batch comes back out of order."""

    def __init__(self) -> None:
        self.stopped = False

    async def send(self, *_: Any, **__: Any) -> asyncio.Future[Any]:
        answer = asyncio.get_running_loop().create_future()
        answer.set_exception(OutOfOrderSequenceNumber())
        return answer

    async def stop(self) -> None:
        self.stopped = True


async def test_a_producer_that_lost_its_place_is_rebuilt(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    place = cluster(broker.address)
    writer = Writer(place, (f"{place.prefix}.case",))
    lost = Forgotten()
    monkeypatch.setattr(writer, "_producer", lost)
    await writer.write([Letter(f"{place.prefix}.case", b"case_1", b"{}")])
    assert lost.stopped
    await writer.close()


async def test_topics_are_made_with_sane_settings_and_left_alone_when_there(broker: Broker) -> None:
    from aiokafka.admin import AIOKafkaAdminClient

    place = replace(cluster(broker.address), partitions=5)
    bus = KafkaBus(place)
    await bus.publish([event("case_1", 1)])
    await bus.close()
    again = KafkaBus(replace(place, partitions=9))
    await again.publish([event("case_1", 2)])
    await again.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
    await admin.start()
    try:
        topics = {one["topic"]: one for one in await admin.describe_topics() if one["topic"].startswith(place.prefix)}
    finally:
        await admin.close()
    assert set(topics) >= {
        f"{place.prefix}.{noun}" for noun in ("case", "agreement", "confirmation", "delivery", "clock")
    }
    assert {len(one["partitions"]) for one in topics.values()} == {5}
