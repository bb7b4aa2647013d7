"""The bus on a Kafka-protocol broker: a topic per noun, the case as key, every event acknowledged by all replicas.

The producer is idempotent; one that lost its place with the broker (a restarted broker may forget it) is rebuilt, and what was
not acknowledged is sent again under the same event ids. Nothing counts as published without its acknowledgement.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from contracts.events import EVENT_NOUNS
from gateway.bus.port import BusUnavailable

log = structlog.get_logger("gateway.bus")

_REQUEST_MS = 5_000
_ACK_S = 12.0
"""How long a whole batch may take until the producer is thought stuck, and rebuilt."""
_TRIES = 2
_LEAVE_S = 3.0

CONTENT_TYPE = b"application/cloudevents+json; charset=utf-8"

FAULTS = (KafkaError, OSError, TimeoutError)
"""What a broker's absence looks like."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the broker is, and how to get in. ``prefix`` begins every topic's name."""

    servers: str
    prefix: str = "mediation"
    partitions: int = 12
    replicas: int = -1
    retention_days: int = 30
    tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def access(self) -> dict[str, Any]:
        """The arguments that every client of the cluster needs."""
        found: dict[str, Any] = {"bootstrap_servers": self.servers, "request_timeout_ms": _REQUEST_MS}
        protocol = "SSL" if self.tls else "PLAINTEXT"
        if self.tls:
            found["ssl_context"] = ssl.create_default_context()
        if self.user is not None:
            protocol = "SASL_SSL" if self.tls else "SASL_PLAINTEXT"
            found |= {
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return found | {"security_protocol": protocol}

    def topic_of(self, event_type: str) -> str:
        """The topic of an event: its noun."""
        return f"{self.prefix}.{event_type.partition('.')[0]}"


async def make_topics(cluster: Cluster, names: Iterable[str]) -> None:
    """Create the topics that are not there. Those that are stay as they are: their settings are the operator's.

    Raises:
        KafkaError: the broker refuses one that is not there.
    """
    settings = {
        "cleanup.policy": "delete",
        "retention.ms": str(cluster.retention_days * 86_400_000),
        "min.insync.replicas": "2" if cluster.replicas >= 3 else "1",
    }
    admin = AIOKafkaAdminClient(**cluster.access())
    try:
        await admin.start()
        there = set(await admin.list_topics())
        missing = [
            NewTopic(name, cluster.partitions, cluster.replicas, topic_configs=settings)
            for name in sorted(names)
            if name not in there
        ]
        if not missing:
            return
        answer = await admin.create_topics(missing)
        for _, code, *_ in answer.topic_errors:
            if code and for_code(code) is not TopicAlreadyExistsError:
                raise for_code(code)
        log.info("topics_made", count=len(missing))
    finally:
        await admin.close()


class KafkaBus:
    """Publishes to a broker. Consumers elsewhere de-duplicate by event id and order by ``sequence`` per case."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._producer: AIOKafkaProducer | None = None
        self._topics_made = False

    async def publish(self, envelopes: list[dict[str, Any]]) -> None:
        """See ``EventBus``."""
        if not envelopes:
            return
        for tried in range(1, _TRIES + 1):
            try:
                async with asyncio.timeout(_ACK_S):
                    await self._send(envelopes)
                    return
            except FAULTS as error:
                # A producer with a failed batch would send the later ones: that breaks the order. A new one begins anew.
                await self._drop()
                log.warning("publish_failed", error=type(error).__name__, tries=tried)
                if tried == _TRIES:
                    raise BusUnavailable(type(error).__name__) from None
            except BaseException:
                await self._drop()
                raise

    async def _send(self, envelopes: list[dict[str, Any]]) -> None:
        producer = await self._ready()
        sent = []
        for envelope in envelopes:
            key = str(envelope.get("partitionkey") or envelope["subject"]).encode()
            topic = self._cluster.topic_of(envelope["type"])
            headers = [("content-type", CONTENT_TYPE)]
            sent.append(await producer.send(topic, orjson.dumps(envelope), key=key, headers=headers))
        for acknowledged in asyncio.as_completed(sent):
            await acknowledged  # the first that fails ends it all

    async def _ready(self) -> AIOKafkaProducer:
        if self._producer is None:
            if not self._topics_made:
                await make_topics(self._cluster, (f"{self._cluster.prefix}.{noun}" for noun in EVENT_NOUNS))
                self._topics_made = True
            producer = AIOKafkaProducer(
                **self._cluster.access(),
                acks="all",
                enable_idempotence=True,
                linger_ms=2,
                max_request_size=1024 * 1024,
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _drop(self) -> None:
        """Give up a producer that failed: a rebuilt one gets a new id from the broker."""
        producer, self._producer = self._producer, None
        self._topics_made = False  # the broker that comes back may be an empty one
        if producer is not None:
            await leave(producer)

    async def close(self) -> None:
        """Leave."""
        await self._drop()


async def leave(client: Any) -> None:
    """Stop a client of the broker, whether the broker answers or not."""
    stopping = asyncio.ensure_future(client.stop())
    with contextlib.suppress(*FAULTS):
        async with asyncio.timeout(_LEAVE_S):
            await asyncio.shield(stopping)
            return
    stopping.cancel()
    with contextlib.suppress(asyncio.CancelledError, *FAULTS):
        await stopping
