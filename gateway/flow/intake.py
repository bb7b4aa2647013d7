"""Step 1, intake: a canonical document comes in; document, message, one delivery per route and an event are stored in one
transaction; then, and only then, the caller hears 202."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import orjson
import structlog

from contracts.case import Case
from contracts.deliveries import Hand
from contracts.document import Document
from contracts.findings import Code, Finding
from contracts.messages import MESSAGE_TYPES, MessageType, RetryClass
from contracts.moments import to_ms
from contracts.status import Noun
from gateway.flow.clock import Clockwork
from gateway.flow.decisions.checks import may_be_a_repeat
from gateway.flow.decisions.keys import effect_key, thing_key
from gateway.flow.examining.examination import Examination, Examined
from gateway.flow.examining.judgement import Judgement
from gateway.flow.examining.refusals import Refusals
from gateway.flow.moving.envelope import Publisher, compact
from gateway.flow.moving.fault_points import Reach, nowhere
from gateway.flow.moving.moves import move_delivery, yields
from gateway.flow.moving.order import Decision, Known, Order, Refused
from gateway.flow.moving.references import fold
from gateway.flow.moving.rounds import FLIGHT_S
from gateway.flow.route import Hop, Question, Router
from gateway.observability.traces import current, upstream
from gateway.store.engine import Row
from gateway.store.places import of_document
from gateway.store.store import Store
from gateway.store.unit import (
    Committed,
    InFlight,
    Key,
    KeyConflict,
    MatterConflict,
    Moved,
    NewDelivery,
    NewEvent,
    NewMessage,
    NewReference,
    NewTask,
    Outcome,
    Replayed,
    Unit,
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
        self._router = router
        self._judgement = judgement
        self._examination = examination
        self._publisher = publisher
        self._accepted = accepted
        self._clockwork = Clockwork(store)
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
            document, known = examined.document, examined.known
            about = self._about(order, known)
            message_id = self._store.ids.new("message", after=about if known.file is None else known.file.subject)
            try:
                decision = await self._judgement.decide(order, examined.unopposed, known, about, message_id)
            except Refused as refusal:
                return await self._posted_before(order, examined, digest, refusal)
            decision.warnings[:0] = examined.warnings
            if decision.repeated:
                held = await self._first_of(order, document)
                if held is not None and bytes(held["digest"]) == digest:
                    return _replay(bytes(held["answer"]), held["about"])
                unit, accepted = self._answered_alone(order, known, decision, digest, fresh=held is None)
                if not unit.keys:
                    return accepted
            else:
                unit, accepted = self._unit(order, document, known, decision, message_id, digest)
            await self._reach("judged")
            unit.trace = current()
            with self._store.tracer.span("commit", message=message_id):
                outcome = await self._store.commit(unit)
            if isinstance(outcome, Committed):
                await self._reach("stored")
                if unit.messages and decision.document is None and len(order.raw) <= _SMALL:  # kept as it came
                    self._store.lately.keep(message_id, document)
                log.info("accepted", type=order.type.value, subject=unit.subject, client=order.principal.client)
                self._accepted()
                return accepted
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
        if bytes(row["digest"]) != digest:
            raise Refused(422, "idempotency_key_reused")
        return _replay(bytes(row["answer"]), row["about"])

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
        if held is not None and bytes(held["digest"]) == digest:
            return _replay(bytes(held["answer"]), held["about"])
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

    def _unit(
        self,
        order: Order,
        document: Document,
        known: Known,
        decision: Decision,
        message_id: str,
        digest: bytes,
    ) -> tuple[Unit, Accepted]:
        file = known.file
        subject = file.subject if file is not None else decision.about
        decision.settle_clocks()
        unit = Unit(
            subject=subject,
            organization=decision.organization,
            expected=file.sequence if file is not None else None,
            subject_kind="case"
            if subject.startswith("case_")
            else (MESSAGE_TYPES[order.type].opens or Noun.CASE).value,
            beside=self._beside(known, decision, subject),
            matters=decision.matters,
            matter_moves=decision.moves,
        )
        raw = order.raw if decision.document is None else decision.document.to_json()
        carried = decision.document or document
        correlation = self._store.ids.new("correlation")
        unit.messages.append(
            NewMessage(
                message_id,
                order.type.value,
                decision.about,
                decision.version,
                order.principal.client,
                correlation,
                carried.schema_version,
                self._store.seal(raw, of_document(message_id)),
            )
        )
        unit.events = [
            NewEvent(self._store.ids.new("event"), kind, about, compact(facts))
            for kind, about, facts in decision.events
        ]
        hops = self._hops(order, carried, known, decision)
        self._owe(unit, order.type, decision, message_id, hops)
        self._supersede(unit, known, decision)
        if order.type is MessageType.CASE_SUBMITTED:
            unit.holders = [hop.endpoint for hop in hops]
        elif decision.origin is not None and known.referral is not None:
            unit.holders = [hop.endpoint for hop in hops if hop.endpoint == known.referral.endpoint]
        self._clockwork.start(unit, decision.clocks)
        self._clockwork.turn(unit, decision.clock_turns)
        unit.closed_tasks += decision.closed_tasks
        unit.tasks += decision.tasks
        unit.references += [
            NewReference(endpoint, kind, value, thing, fold(value))
            for endpoint, kind, value, thing in decision.references
        ]
        unit.people = [(self._store.sealer.blind(kind, number), role) for kind, number, role in decision.people]
        answer = self._answer(decision, unit.deliveries)
        if order.key is not None:
            unit.keys.append(Key(order.principal.client, order.key, digest, decision.about, answer))
        if decision.business_key is not None:
            unit.keys.append(Key("", decision.business_key, digest, decision.about, answer))
        if decision.origin is not None:  # nobody else's bytes are these: whoever comes second is in conflict
            unit.keys.append(Key("", decision.origin, decision.about.encode(), decision.about, answer))
        return unit, Accepted(decision.about, answer, decision.version)

    def _answered_alone(
        self, order: Order, known: Known, decision: Decision, digest: bytes, *, fresh: bool
    ) -> tuple[Unit, Accepted]:
        """A step that changes nothing leaves its answer under its keys: a repeat of it is answered alike, though the world has
        moved on. The step may also be a twin's of this very call, just made: the key tells. ``fresh``: nothing came under its
        business key yet."""
        subject = decision.about if known.file is None else known.file.subject
        answer = self._answer(decision, [])
        unit = Unit(subject, decision.organization, None if known.file is None else known.file.sequence)
        if order.key is not None and known.file is not None:
            unit.keys.append(Key(order.principal.client, order.key, digest, decision.about, answer))
        if fresh and decision.business_key is not None and known.file is not None:
            unit.keys.append(Key("", decision.business_key, digest, decision.about, answer))
        return unit, Accepted(decision.about, answer, decision.version)

    @staticmethod
    def _beside(known: Known, decision: Decision, subject: str) -> list[tuple[str, int]]:
        """The other files that the decision stands on: a case on its referral, a referral's result on its agreement. Held until
        the commit, else a recall, or the delivery that is required, could slip between."""
        files = [known.agreement_file]
        if decision.origin is not None:
            files.append(known.referral_file)
        return [(file.subject, file.sequence) for file in files if file is not None and file.subject != subject]

    def _hops(self, order: Order, document: Document, known: Known, decision: Decision) -> list[Hop]:
        case = document if isinstance(document, Case) else known.case
        sender = known.referral.endpoint if known.referral is not None else None
        question = Question(
            order.type,
            decision.about,
            document,
            case,
            known.file,
            order.principal.client,
            sender,
            known.referral_file,
            known.agreement_id,
            known.agreement_file,
        )
        hops = self._router.hops(question)
        if order.revises and decision.origin is not None:
            # Whoever handed the case over holds it from now on: it gets this version as it would have got the first.
            first = replace(question, type=MessageType.CASE_SUBMITTED, file=None)
            held = {hop.endpoint for hop in hops}
            hops += [hop for hop in self._router.hops(first) if hop.endpoint == sender and hop.endpoint not in held]
        return hops

    def _owe(self, unit: Unit, kind: MessageType, decision: Decision, message_id: str, hops: list[Hop]) -> None:
        described = MESSAGE_TYPES[kind]
        retry = described.retry or RetryClass.STANDARD
        safe_at = None if decision.safe_at is None else to_ms(decision.safe_at)
        unit.deliveries += [
            NewDelivery(
                self._store.ids.new("delivery"),
                message_id,
                kind.value,
                decision.about,
                hop.endpoint,
                retry.value,
                hop.requires,
                safe_at if retry is RetryClass.STATUTORY else None,
                described.overtakes,
            )
            for hop in hops
        ]
        if safe_at is not None and retry is RetryClass.STATUTORY and safe_at <= self._store.now_ms():
            # Made when its time was over already: it goes at once, and a person is told (``design.md`` §7).
            unit.tasks += [
                NewTask(self._store.ids.new("task"), "statutory_late", delivery.id, delivery.endpoint, "made_late")
                for delivery in unit.deliveries
            ]

    def _supersede(self, unit: Unit, known: Known, decision: Decision) -> None:
        """The older version's deliveries that nobody has give way; what waited for them waits for the new one."""
        if not decision.supersedes or known.file is None:
            return
        old = [row for row in known.file.deliveries if row.type in decision.supersedes and row.about == decision.about]
        fresh = {delivery.endpoint: delivery.id for delivery in unit.deliveries}
        inherited: dict[str | None, str | None] = {}
        for row in old:
            if not yields(row):
                continue  # it is settled first, the new version follows it
            move_delivery(unit, self._store.ids, Hand.VERSION, row, "superseded")
            inherited[row.id] = inherited.get(row.requires, row.requires)
            if row.endpoint in fresh:
                unit.repointed.append((row.id, fresh[row.endpoint]))
        # What stands for the old one cannot wait for it: it waits for what the old one waited for.
        unit.deliveries = [
            replace(delivery, requires=inherited.get(delivery.requires, delivery.requires))
            for delivery in unit.deliveries
        ]

    def _answer(self, decision: Decision, deliveries: list[NewDelivery]) -> bytes:
        """The 202's body; a repeat of the same key is answered with the same bytes."""
        case = decision.about if decision.about.startswith("case_") else None
        return orjson.dumps(
            {
                "id": decision.about,
                "status": decision.status,
                "version": decision.version,
                **({} if decision.effective_at is None else {"effective_at": decision.effective_at.isoformat()}),
                "warnings": [finding.as_error() for finding in decision.warnings],
                "deliveries": [
                    {"id": delivery.id, "endpoint": delivery.endpoint, "state": "pending"} for delivery in deliveries
                ],
                "clocks": [
                    {
                        "about": about,
                        "rule": clock.rule,
                        "article": clock.article,
                        "start": clock.start.isoformat(),
                        "due": clock.due.isoformat(),
                        "latest_safe_time": clock.latest_safe_time.isoformat(),
                        "state": str(clock.state),
                        "provisional": clock.provisional,
                    }
                    for about, clock in decision.clocks
                ],
                "links": self._publisher.links(decision.about, case),
            }
        )

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
