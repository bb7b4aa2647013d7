"""Step 1 once more, from a topic: cases come in as records, by the same checks; each is answered by a receipt, and one that is
refused also by a dead letter. A record counts as read only when its case is durable and its receipt acknowledged.

A dead letter says where the record lies, what it was and why it was refused, never what stands in it: the intake topic is open
to its upstream alone, dead letters are read by whoever keeps the system."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog

from contracts.messages import MessageType
from gateway.bus.kafka import Letter, Writer
from gateway.bus.port import BusUnavailable
from gateway.bus.reader import Reader, Record
from gateway.flow.intake import Accepted, Intake
from gateway.flow.order import Order, Principal, Refused
from gateway.observability.traces import come_from
from gateway.store.engine import StoreUnavailable

log = structlog.get_logger("gateway.topic")

_AT_ONCE = 64
_POISON_TRIES = 3
_AGAIN_S = 0.5
_KEY_HEADER = "idempotency-key"
_KEY = re.compile(rb"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Topics:
    """The three topics of the intake."""

    intake: str
    receipts: str
    dead: str

    @classmethod
    def of(cls, prefix: str) -> Topics:
        """Their names under a prefix."""
        return cls(f"{prefix}.intake", f"{prefix}.receipts", f"{prefix}.intake.dead")


@dataclass(frozen=True, slots=True)
class Answered:
    """What is said to one record: a status as over HTTP, and the same body. ``code`` is empty where the case was taken."""

    record: Record
    status: int
    code: str
    body: dict[str, Any] = field(default_factory=dict)


class IntakeTopic:
    """Takes cases in from a topic. Records of one key are taken in their order; others side by side."""

    def __init__(
        self,
        intake: Intake,
        principal: Principal,
        reader: Reader,
        writer: Writer,
        topics: Topics,
        now: Callable[[], str],
    ) -> None:
        self._intake = intake
        self._principal = principal
        self._reader = reader
        self._writer = writer
        self._topics = topics
        self._now = now
        self._places = asyncio.Semaphore(_AT_ONCE)
        self.trust_trace = False
        """Whether what is traced goes on with a record's own ``traceparent``."""

    async def turn(self) -> int:
        """Take the next records in; returns how many. Where the broker is away, nothing is lost: they are read again."""
        try:
            records = await self._reader.next(1.0)
            if not records:
                return 0
            lanes: dict[bytes | Record, list[Record]] = {}
            for record in records:
                lanes.setdefault(record.key or record, []).append(record)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._lane(lane)) for lane in lanes.values()]
            answered = [one for task in tasks for one in task.result()]
            await self._writer.write([letter for one in answered for letter in self._letters(one)])
            await self._reader.mark(records)
        except BusUnavailable as error:
            log.warning("topic_unavailable", error=str(error))
            await asyncio.sleep(_AGAIN_S)
            return 0
        log.info("topic_taken", count=len(answered), cases=sum(not one.code for one in answered))
        return len(records)

    async def _lane(self, records: list[Record]) -> list[Answered]:
        return [await self._one(record) for record in records]

    async def _one(self, record: Record) -> Answered:
        if self.trust_trace:
            traces = [content for name, content in record.headers if name.lower() == "traceparent"]
            come_from(traces[0].decode("latin-1") if traces else None)
        async with self._places:
            failures = 0
            while True:
                try:
                    accepted = await self._intake.take(self._order(record))
                except StoreUnavailable:
                    await asyncio.sleep(_AGAIN_S)
                except Refused as refused:
                    if refused.code != "busy":
                        return _refused(record, refused)
                    await asyncio.sleep(_AGAIN_S)
                except Exception as error:  # one record must not hold up the others for ever
                    failures += 1
                    log.error("topic_failed", error=type(error).__name__, tries=failures)
                    if failures == _POISON_TRIES:
                        return Answered(record, 500, "internal", {"code": "internal"})
                    await asyncio.sleep(_AGAIN_S)
                else:
                    return _taken(record, accepted)

    def _order(self, record: Record) -> Order:
        value = record.value or b""
        given = [content for name, content in record.headers if name.lower() == _KEY_HEADER]
        if len(given) > 1 or (given and not _KEY.fullmatch(given[0])):
            raise Refused(400, "idempotency_key_form")
        # A record that is read again is answered as before, not judged anew.
        key = given[0].decode("ascii") if given else f"sha256:{hashlib.sha256(value).hexdigest()}"
        return Order(MessageType.CASE_SUBMITTED, self._principal, value, key=key)

    def _letters(self, answered: Answered) -> list[Letter]:
        record = answered.record
        receipt = {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "status": answered.status,
            "at": self._now(),
            **answered.body,
        }
        letters = [Letter(self._topics.receipts, record.key, orjson.dumps(receipt))]
        if answered.code:
            value = record.value or b""
            letter = {**receipt, "bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}
            marks = (("x-dead-code", answered.code.encode()), ("x-dead-origin", record.place.encode()))
            letters.append(Letter(self._topics.dead, record.key, orjson.dumps(letter), marks))
        return letters

    async def close(self) -> None:
        """Leave the group and the broker."""
        await self._reader.close()
        await self._writer.close()


def _taken(record: Record, accepted: Accepted) -> Answered:
    body = {"replayed": accepted.replayed, "result": orjson.Fragment(accepted.answer)}
    return Answered(record, 202, "", body)


def _refused(record: Record, refused: Refused) -> Answered:
    body: dict[str, Any] = {
        "code": refused.code,
        "errors": [finding.as_error() for finding in refused.findings if finding.is_error],
        "warnings": [finding.as_error() for finding in refused.findings if not finding.is_error],
        **refused.extra,
    }
    if refused.link is not None:
        body["link"] = refused.link
    return Answered(record, refused.status, refused.code, body)
