"""The reader of a topic: what is not marked comes again, and one that stands still is rebuilt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.consumer.fetcher import Fetcher

from gateway.bus.kafka import Cluster, Letter, LettersTooLarge, Writer, make_topics
from gateway.bus.port import BusUnavailable
from gateway.bus.reader import Reader, Record
from tests.bus.broken import BREAKS, write_broken
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


# ---- what cannot be read, and what cannot be written


@pytest.mark.parametrize("how", BREAKS)
async def test_a_record_that_cannot_be_read_is_told_and_stepped_over(broker: Broker, how: str) -> None:
    place = replace(cluster(broker.address), partitions=2)
    topic = f"{place.prefix}.in"
    await make_topics(place, [topic])
    producer = AIOKafkaProducer(bootstrap_servers=broker.address)
    await producer.start()
    for number in range(4):
        await producer.send_and_wait(topic, b"before %d" % number, partition=number % 2)
    await write_broken(broker.address, topic, 0, [b"x", b"y", b"z"], how)
    for number in range(4):
        await producer.send_and_wait(topic, b"after %d" % number, partition=number % 2)
    await producer.stop()

    reader = reader_of(place)
    found = await read(reader, 11)
    assert sorted(one.value for one in found if one.value) == sorted(
        b"%s %d" % (when, number) for when in (b"before", b"after") for number in range(4)
    ), "nobody else is lost or read twice"
    unread = [one for one in found if one.fault]
    assert [(one.partition, one.offset) for one in unread] == [(0, 2), (0, 3), (0, 4)]
    await reader.mark(found)
    assert await reader.next(0.3) == []
    assert not reader._careful, "it reads as before"
    await reader.close()

    another = reader_of(place)
    assert await another.next(1.0) == []
    await another.close()


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_every_codec_of_the_protocol_is_read(broker: Broker, codec: str) -> None:
    place = replace(cluster(broker.address), partitions=1)
    await make_topics(place, [f"{place.prefix}.in"])
    producer = AIOKafkaProducer(bootstrap_servers=broker.address, compression_type=codec)
    await producer.start()
    await producer.send_and_wait(f"{place.prefix}.in", b"case " * 1000, headers=[("empty", None)])
    await producer.stop()
    reader = reader_of(place)
    (one,) = await read(reader, 1)
    assert (one.value, one.headers, one.fault) == (b"case " * 1000, (("empty", b""),), "")
    await reader.close()


async def test_what_the_driver_fails_at_otherwise_is_read_again(
    place: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = reader_of(place)
    consumer = await reader._ready()
    get = consumer.getmany

    async def loses(**given: Any) -> Any:
        if await get(**given):
            raise KeyError
        return {}

    monkeypatch.setattr(consumer, "getmany", loses)
    with pytest.raises(KeyError):
        await read(reader, 1)
    assert len(await read(reader, 5)) == 5
    await reader.close()


@pytest.mark.parametrize("most_bytes", [300_000, 8_000_000], ids=["for the driver", "for the broker"])
async def test_a_letter_that_is_too_large_is_told_apart_from_the_others(place: Cluster, most_bytes: int) -> None:
    writer = Writer(place, [f"{place.prefix}.in"], most_bytes)
    small = [Letter(f"{place.prefix}.in", b"s%d" % number, b"small") for number in range(6)]
    large = [Letter(f"{place.prefix}.in", b"l%d" % number, b"x" * (2_000_000 + number)) for number in range(3)]
    with pytest.raises(LettersTooLarge) as caught:
        await writer.write([*small[:3], large[0], *small[3:], *large[1:]])
    assert caught.value.refused == large
    assert [one for one in caught.value.left if one in large] == large
    await writer.write([one for one in caught.value.left if one not in large])
    await writer.close()
    reader = reader_of(place)
    found = {one.key for one in await read(reader, 11)}
    assert found >= {one.key for one in small}
    await reader.close()


async def test_a_cancellation_of_the_drivers_own_does_not_end_who_reads(
    place: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two tries of a fetch the driver sleeps; told to stop then, it lets the end of that sleep out as ours."""

    async def cut(self: Fetcher) -> None:
        await close(self)
        raise asyncio.CancelledError

    close = Fetcher.close
    monkeypatch.setattr(Fetcher, "close", cut)
    reader = reader_of(place)
    assert len(await read(reader, 5)) == 5
    client = getattr(reader._consumer, "_client")  # noqa: B009  # the driver's own, whose connections must be closed
    await reader.close()
    assert client._sync_task is None, "its connections are closed"
