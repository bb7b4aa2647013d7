"""The reader of a topic: what is not marked comes again, and one that stands still is rebuilt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from gateway.bus.kafka import Cluster, Letter, Writer
from gateway.bus.port import BusUnavailable
from gateway.bus.reader import Reader, Record
from tests.bus.listening import cluster, until
from tests.servers.kafka import Broker


@pytest.fixture
async def place(broker: Broker) -> AsyncIterator[Cluster]:
    """A cluster with five records in the topic ``<prefix>.in``."""
    made = replace(cluster(broker.address), partitions=2)
    writer = Writer(made, [f"{made.prefix}.in"])
    await writer.write([Letter(f"{made.prefix}.in", b"k%d" % number, b"%d" % number) for number in range(5)])
    await writer.close()
    yield made


def reader_of(place: Cluster, **more: Any) -> Reader:
    return Reader(place, f"{place.prefix}.in", f"{place.prefix}-g", **more)


async def read(reader: Reader, count: int) -> list[Record]:
    found: list[Record] = []

    async def step() -> None:
        found.extend(await reader.next(0.2))

    await until(lambda: len(found) >= count, step, 20, f"{count} records")
    return found


async def test_what_is_marked_does_not_come_again(place: Cluster) -> None:
    first = reader_of(place)
    records = await read(first, 5)
    assert sorted(record.value or b"" for record in records) == [b"0", b"1", b"2", b"3", b"4"]
    await first.mark([record for record in records if record.partition == records[0].partition])
    await first.close()
    left = [record.value for record in records if record.partition != records[0].partition]
    second = reader_of(place)
    again = await read(second, len(left)) if left else []
    assert [record.value for record in again] == left
    assert await second.next(0.5) == []
    await second.close()


async def test_a_reader_that_stands_still_is_rebuilt(place: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = reader_of(place, silent_s=0.3)
    consumer = await reader._ready()

    async def nothing(**_: Any) -> dict[Any, Any]:
        await asyncio.sleep(0.02)
        return {}

    monkeypatch.setattr(consumer, "getmany", nothing)
    with pytest.raises(BusUnavailable):
        for _ in range(500):
            await reader.next(0.05)
    assert len(await read(reader, 5)) == 5, "a new consumer reads what the stuck one did not"
    await reader.close()


async def test_a_reader_at_the_end_is_left_in_peace(place: Cluster) -> None:
    reader = reader_of(place, silent_s=0.05)
    await reader.mark(await read(reader, 5))
    consumer = reader._consumer
    for _ in range(5):
        assert await reader.next(0.1) == []
    assert reader._consumer is consumer
    await reader.close()


async def test_nobody_there_is_told(place: Cluster) -> None:
    reader = reader_of(replace(place, servers="127.0.0.1:1", ack_s=0.5))
    with pytest.raises(BusUnavailable):
        await reader.next(0.1)
    with pytest.raises(BusUnavailable):
        await reader.mark([])
