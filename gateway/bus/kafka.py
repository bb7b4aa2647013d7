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
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAlreadyExistsError,
    for_code,
)

from contracts.events import EVENT_NOUNS
from gateway.bus.port import BusUnavailable

log = structlog.get_logger("gateway.bus")

_TRIES = 2
_LEAVE_S = 3.0

CONTENT_TYPE = b"application/cloudevents+json; charset=utf-8"

FAULTS = (KafkaError, OSError, TimeoutError)
"""What a broker's absence looks like."""

_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the broker is, and how to get in. ``prefix`` begins every topic's name. ``replicas`` 0: as many as there are
    brokers, three at most. ``ack_s``: how long a batch may take until its producer is thought stuck, and is rebuilt."""

    servers: str
    prefix: str = "mediation"
    partitions: int = 12
    replicas: int = 0
    retention_days: int = 30
    tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ack_s: float = 12.0

    def access(self) -> dict[str, Any]:
        """The arguments that every client of the cluster needs."""
        found: dict[str, Any] = {"bootstrap_servers": self.servers, "request_timeout_ms": round(self.ack_s * 400)}
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
    admin = AIOKafkaAdminClient(**cluster.access())
    try:
        await admin.start()
        missing = sorted(set(names) - set(await admin.list_topics()))
        if not missing:
            return
        replicas = cluster.replicas or min(3, len((await admin.describe_cluster())["brokers"]))
        settings = {
            "cleanup.policy": "delete",
            "retention.ms": str(cluster.retention_days * 86_400_000),
            "min.insync.replicas": "2" if replicas >= 3 else "1",
        }
        answer = await admin.create_topics(
            [NewTopic(name, cluster.partitions, replicas, topic_configs=settings) for name in missing]
        )
        for _, code, *_ in answer.topic_errors:
            if code and for_code(code) is not TopicAlreadyExistsError:
                raise for_code(code)
        log.info("topics_made", count=len(missing))
    finally:
        await admin.close()


@dataclass(frozen=True, slots=True)
class Letter:
    """One record to be written."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def size(self) -> int:
        """Its bytes, without what the protocol adds."""
        parts = (self.key or b"", self.value or b"", *(name.encode() + content for name, content in self.headers))
        return sum(map(len, parts))


class LettersTooLarge(BusUnavailable):
    """The broker takes some letters never, however often they come. ``left``: what it has not acknowledged, in the old order;
    ``refused``: those among them that are too large. The others may be written again without them."""

    def __init__(self, left: list[Letter], refused: list[Letter]) -> None:
        super().__init__("letters too large")
        self.left = left
        self.refused = refused


class Writer:
    """Writes records in order, all acknowledged or none counted; makes its topics where they are missing."""

    def __init__(self, cluster: Cluster, topics: Iterable[str], most_bytes: int = 1024 * 1024) -> None:
        self._cluster = cluster
        self._topics = tuple(topics)
        self._most_bytes = most_bytes
        self._producer: AIOKafkaProducer | None = None

    async def write(self, letters: list[Letter]) -> None:
        """Write them all. Records of one key keep this order at their first sight; any may come twice.

        Raises:
            LettersTooLarge: some are too large for the broker, and some others may be unwritten for it.
            BusUnavailable: not all were acknowledged in time.
        """
        for tried in range(1, _TRIES + 1):
            try:
                async with asyncio.timeout(self._cluster.ack_s):
                    await self._send(letters)
                    return
            except FAULTS as error:
                # After a batch that failed for good the broker refuses the producer's later ones, by their numbers; so the
                # order holds, and this producer is of no more use.
                await self.close()
                log.warning("publish_failed", error=type(error).__name__, tries=tried)
                if tried == _TRIES:
                    raise BusUnavailable(type(error).__name__) from None
            except BaseException:
                await self.close()
                raise

    async def _send(self, letters: list[Letter]) -> None:
        producer = await self._ready()
        sent: dict[int, asyncio.Future[Any]] = {}
        refused = set()
        try:
            for place, letter in enumerate(letters):
                try:
                    sent[place] = await producer.send(
                        letter.topic, letter.value, key=letter.key, headers=list(letter.headers)
                    )
                except _TOO_LARGE:
                    refused.add(place)
            if sent:
                await asyncio.wait(sent.values(), return_when=asyncio.FIRST_EXCEPTION)
            failed = {place: error for place, one in sent.items() if one.done() and (error := _error_of(one))}
        finally:
            for waiting in sent.values():
                waiting.add_done_callback(_seen)
        refused |= {place for place, error in failed.items() if isinstance(error, _TOO_LARGE)}
        if refused:
            raise _too_large(letters, refused, {place for place, one in sent.items() if one.done()} - failed.keys())
        if failed:
            raise failed[min(failed)]

    async def _ready(self) -> AIOKafkaProducer:
        if self._producer is None:
            await make_topics(self._cluster, self._topics)
            producer = AIOKafkaProducer(
                **self._cluster.access(),
                acks="all",
                enable_idempotence=True,
                linger_ms=2,
                max_request_size=self._most_bytes,
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def close(self) -> None:
        """Give the producer up; the next write makes a new one, with a new id from the broker."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await leave(producer)


def _error_of(sent: asyncio.Future[Any]) -> BaseException | None:
    return TimeoutError() if sent.cancelled() else sent.exception()


def _too_large(letters: list[Letter], refused: set[int], written: set[int]) -> LettersTooLarge:
    # A topic's bound is one for all: what is no smaller than one that was refused need not be refused by itself.
    least: dict[str, int] = {}
    for place in refused:
        letter = letters[place]
        least[letter.topic] = min(letter.size, least.get(letter.topic, letter.size))
    left = [letter for place, letter in enumerate(letters) if place not in written]
    return LettersTooLarge(left, [one for one in left if one.topic in least and one.size >= least[one.topic]])


def _seen(sent: asyncio.Future[Any]) -> None:
    """Nobody waits for it any more."""
    if not sent.cancelled():
        sent.exception()


class KafkaBus:
    """Publishes events. Consumers elsewhere de-duplicate by event id and order by ``sequence`` per case."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._writer = Writer(cluster, (f"{cluster.prefix}.{noun}" for noun in EVENT_NOUNS))

    @property
    def listened(self) -> bool:
        """A broker keeps everything for whoever comes."""
        return True

    async def publish(self, envelopes: list[dict[str, Any]]) -> None:
        """See ``EventBus``."""
        if envelopes:
            await self._writer.write([self._letter(envelope) for envelope in envelopes])

    def _letter(self, envelope: dict[str, Any]) -> Letter:
        key = str(envelope.get("partitionkey") or envelope["subject"]).encode()
        topic = self._cluster.topic_of(envelope["type"])
        return Letter(topic, key, orjson.dumps(envelope), (("content-type", CONTENT_TYPE),))

    async def close(self) -> None:
        """Leave."""
        await self._writer.close()


async def leave(producer: AIOKafkaProducer) -> None:
    """Stop a producer, whether the broker answers or not."""
    stopping = asyncio.ensure_future(producer.stop())
    with contextlib.suppress(*FAULTS):
        async with asyncio.timeout(_LEAVE_S):
            await asyncio.shield(stopping)
            return
    # The driver flushes before it stops, without end while the broker is away; it has no word for stopping without that.
    stopping.cancel()
    with contextlib.suppress(asyncio.CancelledError, *FAULTS):
        await stopping
    sending = getattr(getattr(producer, "_sender", None), "sender_task", None)
    while sending is not None and not sending.done():
        sending.cancel()  # it goes on to wait for each request in flight, until told again
        await asyncio.wait([sending], timeout=0.1)
    with contextlib.suppress(*FAULTS):
        await producer.client.close()
