"""What both buses promise: everything arrives, in order per case, and repeats keep their ids."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest

from gateway.bus.port import EventBus
from tests.bus.listening import Ear, event, kafka_bus, memory_bus

Both = tuple[EventBus, Ear]


@pytest.fixture(params=["memory", "kafka"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Both]:
    if request.param == "memory":
        async with memory_bus() as found:
            yield found
    else:
        async with kafka_bus(request.getfixturevalue("broker").address) as found:
            yield found


async def test_everything_arrives_in_order_per_case(bus: Both) -> None:
    sender, ear = bus
    chance = random.Random(7)
    waiting = {f"case_{number}": list(range(1, 21)) for number in range(20)}
    events = []
    while waiting:
        case = chance.choice(sorted(waiting))
        events.append(event(case, waiting[case].pop(0)))
        if not waiting[case]:
            del waiting[case]
    for start in range(0, len(events), 90):
        await sender.publish(events[start : start + 90])
    heard = await ear.until(400)
    assert heard.ids == {one["id"] for one in events}
    assert heard.first_sights() == {f"case_{number}": list(range(1, 21)) for number in range(20)}
    assert len(heard.envelopes) == 400


async def test_an_envelope_arrives_as_it_was(bus: Both) -> None:
    sender, ear = bus
    sent = event("case_1", 1) | {"data": {"organization": {"code": "SD-JN-LX-001"}, "text": "调解"}}
    await sender.publish([sent])
    assert (await ear.until(1)).envelopes == [sent]


async def test_nouns_do_not_mix_the_order_of_a_case(bus: Both) -> None:
    """A case's events of one noun keep their order; across nouns the sequence tells it."""
    sender, ear = bus
    kinds = ("case.noted", "delivery.delivered", "clock.started", "task.opened")
    events = [event("case_1", number, kinds[number % 4]) for number in range(40)]
    await sender.publish(events)
    heard = await ear.until(40)
    for kind in kinds:
        order = [int(one["sequence"]) for one in heard.envelopes if one["type"] == kind]
        assert order == sorted(order)
        assert len(order) == 10


async def test_what_is_published_again_keeps_its_id(bus: Both) -> None:
    sender, ear = bus
    events = [event("case_1", number) for number in (1, 2, 3)]
    await sender.publish(events[:2])
    await sender.publish(events)
    heard = await ear.until(3)
    assert heard.first_sights() == {"case_1": [1, 2, 3]}


async def test_without_a_case_the_subject_is_the_key(bus: Both) -> None:
    sender, ear = bus
    sent = {"specversion": "1.0", "id": "evt_p", "type": "endpoint.paused", "subject": "hr", "data": {"endpoint": "hr"}}
    await sender.publish([sent])
    assert (await ear.until(1)).envelopes == [sent]


async def test_nothing_to_publish_is_nothing(bus: Both) -> None:
    sender, ear = bus
    await sender.publish([])
    await sender.publish([event("case_1", 1)])
    assert len((await ear.until(1)).envelopes) == 1


async def test_a_closed_bus_may_be_closed_again(bus: Both) -> None:
    sender, _ = bus
    await sender.close()
    await sender.close()
