"""Step 1, intake: a canonical document comes in; document, message, one delivery per route and an event are stored in one
transaction; then, and only then, the caller hears 202."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import orjson
import structlog

from contracts.document import Document
from contracts.findings import Code, Finding
from contracts.messages import MESSAGE_TYPES
from contracts.status import Noun
from gateway.flow.decisions.checks import may_be_a_repeat
from gateway.flow.decisions.keys import effect_key, thing_key
from gateway.flow.examining.acceptance import Acceptance
from gateway.flow.examining.examination import Examination, Examined
from gateway.flow.examining.judgement import Judgement
from gateway.flow.examining.refusals import Refusals
from gateway.flow.moving.envelope import Publisher
from gateway.flow.moving.fault_points import Reach, nowhere
from gateway.flow.moving.order import Known, Order, Refused
from gateway.flow.moving.rounds import FLIGHT_S
from gateway.flow.route import Router
from gateway.observability.traces import current, upstream
from gateway.store.engine import Row
from gateway.store.store import Store
from gateway.store.unit import (
    Committed,
    InFlight,
    KeyConflict,
    MatterConflict,
    Moved,
    Outcome,
    Replayed,
)

log = structlog.get_logger("gateway.intake")

_SMALL = 16_384
"""Bytes of a document that may be remembered for whoever delivers it: read, it takes some ten times as much."""
_AGAIN = 8


@dataclass(frozen=True, slots=True)
class Accepted:
    """A document that is durable: the answer's JSON bytes, where the thing is read, its version."""

    about: str
    answer: bytes
    version: int
    replayed: bool = False


class Intake:
    """Takes documents in."""

    def __init__(
        self,
        store: Store,
        router: Router,
        judgement: Judgement,
        examination: Examination,
        publisher: Publisher,
        accepted: Callable[[], None] = lambda: None,
        reach: Reach = nowhere,
    ) -> None:
        self._store = store
        self._reach = reach
        self._judgement = judgement
        self._examination = examination
        self._publisher = publisher
        self._accepted = accepted
        self._acceptance = Acceptance(store, router, publisher)
        self.refusals = Refusals(store)

    async def take(self, order: Order) -> Accepted:
        """The whole step.

        Raises:
            Refused: with HTTP status, code and every finding.
        """
        started, outcome = time.perf_counter(), "failed"
        kind = order.type.value
        with self._store.tracer.span("intake", parent=upstream(), kind="server", type=kind) as span:
            try:
                accepted = await self._take(order)
                outcome = "replayed" if accepted.replayed else "accepted"
                return accepted
            except Refused as refusal:
                outcome = str(refusal.code)
                self.refusals.note(order.principal.client, outcome)
                raise
            finally:
                span.set(outcome=outcome)
                self._store.watch.taken(kind, outcome, time.perf_counter() - started)

    async def _take(self, order: Order) -> Accepted:
        digest = hashlib.sha256(f"{order.type}\0{order.target}\0{order.revises}\0".encode() + order.raw).digest()
        replayed = await self._replayed(order, digest)
        if replayed is not None:
            return replayed
        for _ in range(_AGAIN):
            examined = await self._examination.of(order)
            known = examined.known
            about = self._about(order, known)
            message_id = self._store.ids.new("message", after=about if known.file is None else known.file.subject)
            try:
                decision = await self._judgement.decide(order, examined.unopposed, known, about, message_id)
            except Refused as refusal:
                return await self._posted_before(order, examined, digest, refusal)
            decision.warnings[:0] = examined.warnings
            if decision.repeated:
                held = await self._first_of(order, examined.document)
                if held is not None and held["digest"] == digest:
                    return _replay(held["answer"], held["about"])
                unit, answer = self._acceptance.alone(order, known, decision, digest, fresh=held is None)
                if not unit.keys:
                    return Accepted(decision.about, answer, decision.version)
            else:
                unit, answer = self._acceptance.of(order, examined, decision, message_id, digest)
            await self._reach("judged")
            unit.trace = current()
            with self._store.tracer.span("commit", message=message_id):
                outcome = await self._store.commit(unit)
            if isinstance(outcome, Committed):
                await self._reach("stored")
                if unit.messages and decision.document is None and len(order.raw) <= _SMALL:  # kept as it came
                    self._store.lately.keep(message_id, examined.document)
                log.info("accepted", type=order.type.value, subject=unit.subject, client=order.principal.client)
                self._accepted()
                return Accepted(decision.about, answer, decision.version)
            if isinstance(outcome, KeyConflict) and outcome.business and decision.origin is not None:
                continue  # a twin took the referral: what is in the way is seen in the next round
            if not isinstance(outcome, Moved | InFlight):
                return self._refused_or_replayed(outcome)
            if isinstance(outcome, InFlight):
                await asyncio.sleep(FLIGHT_S)
        raise Refused(409, "busy")

    async def _replayed(self, order: Order, digest: bytes) -> Accepted | None:
        """A known key answers before anything is judged: the world may have moved on since."""
        if order.key is None:
            return None
        row = await self._store.row("read_key", order.principal.client, order.key)
        if row is None:
            return None
        if row["digest"] != digest:
            raise Refused(422, "idempotency_key_reused")
        return _replay(row["answer"], row["about"])

    async def _first_of(self, order: Order, document: Document) -> Row | None:
        """What came first under the business key of a document that is appended to a thing."""
        key = None if order.revises else effect_key(document, order.target or "")
        return None if key is None else await self._store.row("read_key", "", key)

    async def _posted_before(self, order: Order, examined: Examined, digest: bytes, refusal: Refused) -> Accepted:
        """A repeat without a key, of what can be posted no more as things stand now: the same bytes are answered as at first.

        Raises:
            Refused: 409 with a link to what has the business key; else why it is refused.
        """
        held = await self._first_of(order, examined.document)
        if held is not None and held["digest"] == digest:
            return _replay(held["answer"], held["about"])
        about = refusal.about
        if may_be_a_repeat(refusal):
            known = held["about"] if held is not None else await self._thing_of(order, examined)
            if known is not None:
                raise Refused(409, "already_posted", link=self._link(known))
        if about is not None:
            refusal.link = self._link(about)
        raise refusal

    async def _thing_of(self, order: Order, examined: Examined) -> str | None:
        """The active thing that has the key of the one that the document would open."""
        owner = "" if examined.known.file is None else examined.known.file.organization
        key = None if order.revises else thing_key(examined.document, order.target, owner)
        row = None if key is None else await self._store.row("find_matter", *key)
        return None if row is None else row["id"]

    def _about(self, order: Order, known: Known) -> str:
        kind = MESSAGE_TYPES[order.type].opens
        if kind is None or order.revises:
            return known.target.id if known.target is not None else ""
        if kind is Noun.MEDIATOR and known.target is not None:
            return known.target.id
        return self._store.ids.new(kind.value)

    def _refused_or_replayed(self, outcome: Outcome) -> Accepted:
        if isinstance(outcome, Replayed):
            return _replay(outcome.answer, outcome.about)
        if isinstance(outcome, KeyConflict):
            if outcome.business:
                raise Refused(409, "already_posted", link=self._link(outcome.about))
            raise Refused(422, "idempotency_key_reused")
        if isinstance(outcome, MatterConflict):
            if outcome.kind == "confirmation":
                finding = Finding.of("", Code.CONFIRMATION_ACTIVE)
                raise Refused(409, Code.CONFIRMATION_ACTIVE, (finding,), link=self._link(outcome.id))
            raise Refused(409, "already_posted", link=self._link(outcome.id))
        raise TypeError(f"a document cannot end as {type(outcome).__name__}")

    def _link(self, about: str) -> str | None:
        return self._publisher.links(about, None).get("self")


def _replay(answer: bytes, about: str) -> Accepted:
    return Accepted(about, answer, orjson.loads(answer).get("version", 1), replayed=True)
