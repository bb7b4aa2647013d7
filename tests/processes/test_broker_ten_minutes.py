"""A broker that is away for ten minutes of the house's clock: cases go on, no more than a batch of events is held in
memory, and afterwards every event is on the broker, in order for each case.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from gateway.bus.kafka import KafkaBus, Letter
from gateway.flow.moving.envelope import INTERNAL
from gateway.flow.relay import _BATCH
from gateway.store.journal import EventRow
from tests.bus.listening import ear_of_topics
from tests.house import Gateways
from tests.processes.test_broker import place_of, post, published, standing
from tests.seam.scene import IDS
from tests.servers.kafka import Broker, own_broker

MINUTES, CASES_A_MINUTE = 10, 16


@pytest.fixture
def mortal() -> Iterator[Broker]:
    """A broker of this test's own."""
    opened = own_broker()
    yield opened
    opened.remove()


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many events each try to publish had, and none that did not come to the broker."""
    tried: list[int] = []
    plain = KafkaBus.publish

    async def counted(bus: KafkaBus, envelopes: list[dict[str, Any]]) -> None:
        tried.append(len(envelopes))
        await plain(bus, envelopes)

    monkeypatch.setattr(KafkaBus, "publish", counted)
    return tried


def alive(*kinds: type) -> list[int]:
    """How many objects of each kind there are."""
    gc.collect()
    everything = gc.get_objects()
    return [sum(1 for one in everything if type(one) is kind) for kind in kinds]


@pytest.mark.timeout(180)
async def test_ten_minutes_without_a_broker(mortal: Broker, tmp_path: Path, batches: list[int]) -> None:
    async with standing(Gateways(tmp_path, broker=mortal.address)) as scene:
        house = await scene.open()
        assert house.broker is not None
        house.broker._bus = KafkaBus(replace(place_of(scene.gateway), ack_s=0.8))  # many tries in a short ten minutes
        cases = [await post(house, number) for number in range(3)]
        await published(house, cases)
        await asyncio.to_thread(mortal.written)
        mortal.kill()
        batches.clear()
        tasks, waiting = [], []
        for minute in range(MINUTES):
            first = 3 + minute * CASES_A_MINUTE
            new = [await post(house, number) for number in range(first, first + CASES_A_MINUTE)]
            for case in new:
                await scene.reaches("delivered", case, IDS)
            cases += new
            scene.gateway.clock.skip(60)
            await asyncio.sleep(0.2)
            assert house.worker.stuck() == []
            letters, rows, producers = alive(Letter, EventRow, AIOKafkaProducer)
            assert letters <= _BATCH
            assert rows <= 2 * _BATCH, "one batch for the broker, one for those who listen here"
            assert producers <= 1
            tasks.append(len(asyncio.all_tasks()))
            waiting.append(await house.broker.waiting())
        assert waiting == sorted(waiting)
        assert waiting[-1] > _BATCH, "the backlog is no longer than a batch: nothing was shown"
        assert max(batches) == _BATCH, "the tries took no more, and came to a whole batch"
        assert len(batches) >= MINUTES
        assert max(tasks[5:]) <= max(tasks[:5]) + 5
        mortal.start()
        await published(house, cases)
        owed = {row["id"] for row in await house.store.rows("events_after", 0, 100_000) if row["type"] not in INTERNAL}
        assert len(owed) > 4 * len(cases)
        async with ear_of_topics(place_of(scene.gateway)) as ear:
            heard = await ear.until(len(owed), 30)
            await ear.step()
    assert heard.ids == owed, "nothing is lost, and nothing else came"
    assert heard.in_order()
    assert heard.first_sights().keys() >= set(cases)
    assert len(cases) == 3 + MINUTES * CASES_A_MINUTE
