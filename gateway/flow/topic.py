"""Step 1 once more, from a topic: cases come in as records, by the same checks; each is answered by a receipt, and one that is
refused also by a dead letter. A record counts as read only when its case is durable and its receipt acknowledged: until then
nothing after it is read, and what failed is done again. A receipt may come twice, never not at all.

A dead letter says where the record lies, what it was and why it was refused, never what stands in it: the intake topic is open
to its upstream alone, dead letters are read by whoever keeps the system. A record that cannot be read at all (a broken batch, a
codec that nobody knows) is answered by its place, ``record_unreadable``, and the next one is taken."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import structlog

from contracts.messages import MessageType
from gateway.bus.kafka import Letter, LettersTooLarge, Writer
from gateway.bus.port import BusUnavailable
from gateway.bus.reader import Reader, Record
from gateway.flow.intake import Accepted, Intake
from gateway.flow.moving.order import Order, Principal, Refused
from gateway.observability.traces import come_from
from gateway.store.engine import StoreUnavailable

log = structlog.get_logger("gateway.topic")

_AT_ONCE = 64
_POISON_TRIES = 3
_AGAIN_S = 0.5
_KEY_HEADER = "idempotency-key"
_KEY = re.compile(rb"[\x21-\x7e]{1,255}")
_MOST_KEY = 4096
"""Bytes of a record's key that its answers bear whole: with a longer one they might not fit the broker."""
_KEY_SIZE_HEADER = "x-key-bytes"
_BULKY = ("errors", "warnings")


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


@dataclass(slots=True)
class _Batch:
    """Records that are read and not marked yet. ``letters``: what is still to be written about them; ``None``: they are not
    answered yet."""

    records: list[Record]
    letters: list[Letter] | None = None


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
        self._batch: _Batch | None = None
        self._moved_at: float | None = None
        self.trust_trace = False
        """Whether what is traced goes on with a record's own ``traceparent``."""

    def quiet_s(self) -> float | None:
        """How long ago (s) a batch was answered and marked, or the topic found at its end; ``None`` before the first turn."""
        return None if self._moved_at is None else time.monotonic() - max(self._moved_at, self._reader.ended_at)

    async def turn(self) -> int:
        """Take the next records in; returns how many. What failed on the way is done again by the next turn: it reads nothing
        before the last records are answered and marked."""
        if self._moved_at is None:
            self._moved_at = time.monotonic()
        try:
            if self._batch is None:
                records = await self._reader.next(1.0)
                if not records:
                    return 0
                self._batch = _Batch(records)
            return await self._answer(self._batch)
        except BusUnavailable as error:
            log.warning("topic_unavailable", error=str(error))
        except Exception as error:  # the same way: nothing is marked that is not answered
            log.error("topic_failed", error=type(error).__name__)
        await asyncio.sleep(_AGAIN_S)
        return 0

    async def _answer(self, batch: _Batch) -> int:
        if batch.letters is None:
            batch.letters = await self._taken_in(batch.records)
        await self._write(batch)
        # Whether it is marked or not: what is not will be read again, for then the reader begins behind what is.
        self._batch = None
        try:
            await self._reader.mark(batch.records)
        except BaseException:
            await self._reader.close()
            raise
        self._moved_at = time.monotonic()
        return len(batch.records)

    async def _taken_in(self, records: list[Record]) -> list[Letter]:
        lanes: dict[bytes | Record, list[Record]] = {}
        for record in records:
            lanes.setdefault(record.key or record, []).append(record)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._lane(lane)) for lane in lanes.values()]
        answered = [one for task in tasks for one in task.result()]
        log.info("topic_taken", count=len(answered), cases=sum(not one.code for one in answered))
        return [letter for one in answered for letter in self._letters(one)]

    async def _write(self, batch: _Batch) -> None:
        """Write every letter. One that is too large for the broker loses its findings; if that is not enough, it is given up,
        and the log says so: it must not keep the others from being answered."""
        while batch.letters:
            try:
                await self._writer.write(batch.letters)
            except LettersTooLarge as error:
                batch.letters = [
                    one for letter in error.left for one in (_lessened(letter) if letter in error.refused else [letter])
                ]
            else:
                batch.letters = []

    async def _lane(self, records: list[Record]) -> list[Answered]:
        return [await self._one(record) for record in records]

    async def _one(self, record: Record) -> Answered:
        if record.fault:
            return _refused(record, Refused(400, "record_unreadable", extra={"fault": record.fault}))
        async with self._places:
            failures = 0
            while True:
                try:
                    return _taken(record, await self._take(record))
                except StoreUnavailable:
                    pass
                except Refused as refused:
                    if refused.code != "busy":
                        return _refused(record, refused)
                except Exception as error:  # one record must not hold up the others for ever
                    failures += 1
                    log.error("record_failed", error=type(error).__name__, tries=failures)
                    if failures == _POISON_TRIES:
                        return Answered(record, 500, "internal", {"code": "internal"})
                await asyncio.sleep(_AGAIN_S)

    async def _take(self, record: Record) -> Accepted:
        if self.trust_trace:
            traces = [content for name, content in record.headers if name.lower() == "traceparent"]
            come_from(traces[0].decode("latin-1") if traces else None)
        return await self._intake.take(self._order(record))

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
        key, marks = _key_of(record)
        letters = [Letter(self._topics.receipts, key, orjson.dumps(receipt), marks)]
        if answered.code:
            letter = receipt
            if not record.fault:
                value = record.value or b""
                letter = {**receipt, "bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}
            marks += (("x-dead-code", answered.code.encode()), ("x-dead-origin", record.place.encode()))
            letters.append(Letter(self._topics.dead, key, orjson.dumps(letter), marks))
        return letters

    async def close(self) -> None:
        """Leave the group and the broker."""
        await self._reader.close()
        await self._writer.close()


def _key_of(record: Record) -> tuple[bytes | None, tuple[tuple[str, bytes], ...]]:
    """The key of a record's answers, and the header that says when it is not the record's own but its digest."""
    key = record.key
    if key is None or len(key) <= _MOST_KEY:
        return key, ()
    return b"sha256:" + hashlib.sha256(key).hexdigest().encode(), ((_KEY_SIZE_HEADER, b"%d" % len(key)),)


def _lessened(letter: Letter) -> list[Letter]:
    """The letter without its findings; none where it has lost them already."""
    said = orjson.loads(letter.value or b"{}")
    if "shortened" in said:
        log.error("letter_lost", topic=said["topic"], partition=said["partition"], offset=said["offset"])
        return []
    if isinstance(result := said.get("result"), dict):
        said["result"] = {**result, "warnings": []}
    less = {name: [] if name in _BULKY else content for name, content in said.items()} | {"shortened": True}
    return [replace(letter, value=orjson.dumps(less))]


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
