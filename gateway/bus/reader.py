"""Reads a topic as one member of a group. What was read counts as done only when it is marked; a reader that stands still
although there is more to read is rebuilt."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from gateway.bus.kafka import FAULTS, Cluster, make_topics
from gateway.bus.port import BusUnavailable

log = structlog.get_logger("gateway.bus")

_START_S = 15.0
_SILENT_S = 10.0
"""So long without a record, and the reader is asked whether it has come to the end."""
_ASK_S = 5.0
_SESSION_MS = 15_000
_POLL_MS = 300_000


@dataclass(frozen=True, slots=True)
class Record:
    """One record, and its place."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

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

    async def next(self, within_s: float) -> list[Record]:
        """The next records, per partition in order; none where none came in time.

        Raises:
            BusUnavailable: the broker is away, or the reader stood still: it is rebuilt by the next call.
        """
        try:
            consumer = await self._ready()
            found = await consumer.getmany(timeout_ms=round(1000 * within_s), max_records=self._most)
            records = [
                Record(one.topic, one.partition, one.offset, one.key, one.value, tuple(one.headers))
                for partition in found.values()
                for one in partition
            ]
            if records:
                self._moved_at = time.monotonic()
            elif time.monotonic() - self._moved_at > self._silent_s:
                await self._watch(consumer)
        except FAULTS as error:
            await self.close()
            raise BusUnavailable(type(error).__name__) from None
        return records

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        """Nothing came for a while: that is well if there is nothing.

        Raises:
            TimeoutError: there is more, or the broker does not say.
        """
        self._moved_at = time.monotonic()
        mine = list(consumer.assignment())
        if not mine:
            return  # the others of the group have every partition
        async with asyncio.timeout(_ASK_S):
            ends = await consumer.end_offsets(mine)
            at = [await consumer.position(partition) for partition in mine]
        if any(place < ends[partition] for place, partition in zip(at, mine, strict=True)):
            log.error("reader_stuck", count=len(mine))
            raise TimeoutError

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
        """Leave the group."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await _leave(consumer)


async def _leave(consumer: AIOKafkaConsumer) -> None:
    with contextlib.suppress(*FAULTS):
        await consumer.stop()
