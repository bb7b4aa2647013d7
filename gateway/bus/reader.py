"""Reads a topic as one member of a group. What was read counts as done only when it is marked; a reader that stands still
although there is more to read is rebuilt. A record that cannot be read is told as such, and holds up no other."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import struct
import time
import zlib
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, RecordTooLargeError, UnsupportedCodecError
from cramjam import DecompressionError

from gateway.bus.kafka import FAULTS, Cluster, make_topics
from gateway.bus.port import BusUnavailable

log = structlog.get_logger("gateway.bus")

_START_S = 15.0
_SILENT_S = 10.0
"""So long without a record, and the reader is asked whether it has come to the end."""
_ASK_S = 5.0
_SESSION_MS = 15_000
_POLL_MS = 300_000
_TRIES = 3
"""So often a record is fetched before it counts as unreadable: it may have been hurt on the way."""
_CAREFUL = 1000
"""After one that cannot be read so many records are read one by one: the driver does not say which one it was."""

_UNREADABLE = (
    UnsupportedCodecError,
    CorruptRecordException,
    RecordTooLargeError,
    DecompressionError,
    zlib.error,
    gzip.BadGzipFile,
    EOFError,
    struct.error,
    UnicodeError,  # a header's name
    MemoryError,  # little that grows to much
)
"""How the driver fails at what stands in the topic, not at the way to the broker."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record, and its place. ``fault``: why it cannot be read; nothing but its place is known then."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    fault: str = ""

    @property
    def place(self) -> str:
        """Where it stands: topic/partition/offset."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Reader:
    """One topic, one group. A record may be read again after a crash or when the group is rearranged, until it is marked."""

    def __init__(self, cluster: Cluster, topic: str, group: str, most: int = 200, silent_s: float = _SILENT_S) -> None:
        self._cluster = cluster
        self._topic = topic
        self._group = group
        self._most = most
        self._silent_s = silent_s
        self._consumer: AIOKafkaConsumer | None = None
        self._moved_at = 0.0
        self._careful = 0
        self.ended_at = 0.0
        """When it last knew that there was no more (``time.monotonic``)."""

    async def next(self, within_s: float) -> list[Record]:
        """The next records, per partition in order; none where none came in time. What cannot be read is among them.

        Raises:
            BusUnavailable: the broker is away, or the reader stood still: it is rebuilt by the next call, and begins behind
                what is marked.
        """
        try:
            return await self._records(round(1000 * within_s))
        except FAULTS as error:
            await self.close()
            raise BusUnavailable(type(error).__name__) from None
        except Exception:
            await self.close()  # the driver has moved on, and what it had read is lost with the error
            raise

    async def _records(self, within_ms: int) -> list[Record]:
        consumer = await self._ready()
        if self._careful:
            records = await self._one_by_one(consumer, within_ms)
        else:
            try:
                found = await consumer.getmany(timeout_ms=within_ms, max_records=self._most)
            except _UNREADABLE as error:
                log.warning("reader_careful", error=type(error).__name__)
                self._careful = _CAREFUL
                await (
                    self.close()
                )  # readable ones of other partitions are lost with the error: begin behind what is marked
                return []
            records = [_read(one) for partition in found.values() for one in partition]
        if records:
            self._moved_at = time.monotonic()
        elif time.monotonic() - self._moved_at > self._silent_s:
            await self._watch(consumer)
        return records

    async def _one_by_one(self, consumer: AIOKafkaConsumer, within_ms: int) -> list[Record]:
        """The next records, from every partition in turn, so that one which cannot be read is known by its place."""
        mine = list(consumer.assignment())
        async with asyncio.timeout(_ASK_S):
            ends = await consumer.end_offsets(mine)
        found: list[Record] = []
        to_end = True
        while mine and len(found) < self._most:
            for partition in list(mine):
                async with asyncio.timeout(_ASK_S):
                    at = await consumer.position(partition)
                one = await self._one(consumer, partition, at, within_ms) if at < ends[partition] else None
                if one is None:
                    mine.remove(partition)
                    to_end = to_end and at >= ends[partition]
                else:
                    found.append(one)
        if any(record.fault for record in found):
            self._careful = _CAREFUL
        else:
            self._careful = 0 if not mine and to_end else max(0, self._careful - len(found))
        return found

    async def _one(
        self, consumer: AIOKafkaConsumer, partition: TopicPartition, at: int, within_ms: int
    ) -> Record | None:
        fault = ""
        for _ in range(_TRIES):
            try:
                found = await consumer.getmany(partition, timeout_ms=within_ms, max_records=1)
            except _UNREADABLE as error:
                fault = type(error).__name__
                consumer.seek(partition, at)  # drops what was fetched
            else:
                return next((_read(one) for records in found.values() for one in records), None)
        place = {"topic": partition.topic, "partition": partition.partition, "offset": at}
        log.error("record_unreadable", error=fault, **place)
        consumer.seek(partition, at + 1)
        return Record(**place, key=None, value=None, headers=(), fault=fault)

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        """Nothing came for a while: that is well if there is nothing.

        Raises:
            TimeoutError: there is more, or the broker does not say.
        """
        self._moved_at = time.monotonic()
        mine = list(consumer.assignment())
        if mine:  # else the others of the group have every partition
            async with asyncio.timeout(_ASK_S):
                ends = await consumer.end_offsets(mine)
                at = [await consumer.position(partition) for partition in mine]
            if any(place < ends[partition] for place, partition in zip(at, mine, strict=True)):
                log.error("reader_stuck", count=len(mine))
                raise TimeoutError
        self.ended_at = time.monotonic()

    async def mark(self, records: list[Record]) -> None:
        """Everything up to these records is done.

        Raises:
            BusUnavailable: it could not be marked: they will be read again, by this reader or another of the group.
        """
        if self._consumer is None:
            raise BusUnavailable("not connected")
        places: dict[TopicPartition, int] = {}
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            places[partition] = max(places.get(partition, 0), record.offset + 1)
        try:
            async with asyncio.timeout(_ASK_S):
                await self._consumer.commit(places)
        except FAULTS as error:
            await self.close()
            raise BusUnavailable(type(error).__name__) from None

    async def _ready(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            await make_topics(self._cluster, [self._topic])
            consumer = AIOKafkaConsumer(
                self._topic,
                **self._cluster.access(),
                group_id=self._group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                session_timeout_ms=_SESSION_MS,
                heartbeat_interval_ms=_SESSION_MS // 5,
                max_poll_interval_ms=_POLL_MS,
                retry_backoff_ms=200,
            )
            try:
                async with asyncio.timeout(_START_S):
                    await consumer.start()
            except BaseException:
                await _leave(consumer)
                raise
            self._consumer = consumer
            self._moved_at = time.monotonic()
        return self._consumer

    async def close(self) -> None:
        """Leave the group. What was read and is not marked is read again."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await _leave(consumer)


def _read(record: ConsumerRecord) -> Record:
    headers = tuple((name, content or b"") for name, content in record.headers)
    return Record(record.topic, record.partition, record.offset, record.key, record.value, headers)


async def _leave(consumer: AIOKafkaConsumer) -> None:
    """Leave the group. The driver may let the end of its own fetches out as a cancellation (``Fetcher.close``), with its
    connections open: that is not ours, and must not end the loop that reads."""
    stopping = asyncio.ensure_future(consumer.stop())
    try:
        await asyncio.wait([stopping])
    finally:
        stopping.cancel()  # nothing, where it has ended
    with contextlib.suppress(*FAULTS):
        if stopping.cancelled():
            await consumer._client.close()  # the driver has no other word for it
        else:
            stopping.result()
