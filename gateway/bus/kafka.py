"""The bus on a Kafka-protocol broker: a topic per noun, the case as key, every event acknowledged by all replicas.

The producer is idempotent; one that lost its place with the broker (a restarted broker forgets it) is rebuilt, and what was not
acknowledged is sent again under the same event ids. Nothing is marked as published without its acknowledgement.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from contracts.events import EVENT_TYPES

log = structlog.get_logger("gateway.bus")

_ACK_S = 10.0


class BusUnavailable(Exception):
    """The broker did not acknowledge in time: the events stay unpublished and are tried again by the relay."""


def topic_of(prefix: str, event_type: str) -> str:
    """The topic of an event: its noun."""
    return f"{prefix}.{event_type.partition('.')[0]}"


class KafkaBus:
    """Publishes to a broker. Consumers elsewhere de-duplicate by event id and order by ``sequence`` per case."""

    def __init__(self, servers: str, prefix: str = "mediation", partitions: int = 12, replicas: int = -1) -> None:
        self._servers = servers
        self._prefix = prefix
        self._partitions = partitions
        self._replicas = replicas
        self._producer: AIOKafkaProducer | None = None
        self._topics_made = False

    async def publish(self, envelopes: list[dict[str, Any]]) -> None:
        """See ``EventBus``.

        Raises:
            BusUnavailable: not all were acknowledged; those that were may come again.
        """
        if not envelopes:
            return
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type((KafkaError, OSError, TimeoutError)),
                stop=stop_after_delay(_ACK_S * 2),
                wait=wait_random_exponential(0.2, 2.0),
                reraise=True,
            ):
                with attempt:
                    await self._send(envelopes)
        except (KafkaError, OSError, TimeoutError) as error:
            raise BusUnavailable(type(error).__name__) from None

    async def _send(self, envelopes: list[dict[str, Any]]) -> None:
        producer = await self._ready()
        try:
            async with asyncio.timeout(_ACK_S):
                waiting = []
                for envelope in envelopes:
                    key = str(envelope.get("partitionkey") or envelope["subject"]).encode()
                    topic = topic_of(self._prefix, envelope["type"])
                    waiting.append(await producer.send(topic, orjson.dumps(envelope), key=key))
                await producer.flush()
                for sent in waiting:
                    await sent
        except BaseException:
            await self._drop()
            raise

    async def _ready(self) -> AIOKafkaProducer:
        if self._producer is None:
            if not self._topics_made:
                await self._make_topics()
                self._topics_made = True
            producer = AIOKafkaProducer(
                bootstrap_servers=self._servers,
                acks="all",
                enable_idempotence=True,
                request_timeout_ms=int(_ACK_S * 1000),
                max_request_size=1024 * 1024,
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _make_topics(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers)
        await admin.start()
        try:
            nouns = sorted({event_type.partition(".")[0] for event_type in EVENT_TYPES})
            topics = [
                NewTopic(f"{self._prefix}.{noun}", num_partitions=self._partitions, replication_factor=self._replicas)
                for noun in nouns
            ]
            try:
                await admin.create_topics(topics)
            except TopicAlreadyExistsError:
                log.debug("topics_exist", count=len(topics))
        finally:
            await admin.close()

    async def _drop(self) -> None:
        """Give up a producer that failed: a rebuilt one gets a new id from the broker."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                async with asyncio.timeout(5):
                    await producer.stop()
            except (KafkaError, OSError, TimeoutError, asyncio.CancelledError) as error:
                log.warning("producer_dropped", error=type(error).__name__)

    async def close(self) -> None:
        """Flush and leave."""
        await self._drop()
