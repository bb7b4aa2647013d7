"""What is written of a document that is taken in: one unit of message, deliveries, events, clocks, tasks and keys, and the
body of the 202 that tells it (受理)."""

from __future__ import annotations

from dataclasses import replace

import orjson

from contracts.case import Case
from contracts.deliveries import Hand
from contracts.document import Document
from contracts.messages import MESSAGE_TYPES, MessageType, RetryClass
from contracts.moments import to_ms
from contracts.status import Noun
from gateway.flow.clock import Clockwork
from gateway.flow.examining.examination import Examined
from gateway.flow.moving.envelope import Publisher, compact
from gateway.flow.moving.moves import move_delivery, yields
from gateway.flow.moving.order import Decision, Known, Order
from gateway.flow.moving.references import fold
from gateway.flow.route import Hop, Question, Router
from gateway.store.places import of_document
from gateway.store.store import Store
from gateway.store.unit import Key, NewDelivery, NewEvent, NewMessage, NewReference, NewTask, Unit


class Acceptance:
    """Writes what a decision comes to. Nothing is asked or stored: ids are drawn, what is personal is sealed, and the intake
    commits the unit."""

    def __init__(self, store: Store, router: Router, publisher: Publisher) -> None:
        self._store = store
        self._router = router
        self._publisher = publisher
        self._clockwork = Clockwork(store)

    def of(
        self, order: Order, examined: Examined, decision: Decision, message_id: str, digest: bytes
    ) -> tuple[Unit, bytes]:
        """Everything that the document changes, and the answer. ``digest`` (SHA-256) is that of the call, for its keys."""
        file, known = examined.known.file, examined.known
        subject = file.subject if file is not None else decision.about
        decision.settle_clocks()
        unit = Unit(
            subject=subject,
            organization=decision.organization,
            expected=file.sequence if file is not None else None,
            subject_kind="case"
            if subject.startswith("case_")
            else (MESSAGE_TYPES[order.type].opens or Noun.CASE).value,
            beside=_beside(known, decision, subject),
            matters=decision.matters,
            matter_moves=decision.moves,
        )
        carried = decision.document or examined.document
        unit.messages.append(self._message(order, decision, carried.schema_version, message_id))
        unit.events = [
            NewEvent(self._store.ids.new("event"), kind, about, compact(facts))
            for kind, about, facts in decision.events
        ]
        hops = self._hops(order, carried, known, decision)
        self._owe(unit, order.type, decision, message_id, hops)
        self._supersede(unit, known, decision)
        unit.holders = _holders(order, known, decision, hops)
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
        unit.keys = _keys(order, decision, digest, answer)
        return unit, answer

    def alone(
        self, order: Order, known: Known, decision: Decision, digest: bytes, *, fresh: bool
    ) -> tuple[Unit, bytes]:
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
        return unit, answer

    def _message(self, order: Order, decision: Decision, schema: str, message_id: str) -> NewMessage:
        raw = order.raw if decision.document is None else decision.document.to_json()
        return NewMessage(
            message_id,
            order.type.value,
            decision.about,
            decision.version,
            order.principal.client,
            self._store.ids.new("correlation"),
            schema,
            self._store.seal(raw, of_document(message_id)),
        )

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


def _beside(known: Known, decision: Decision, subject: str) -> list[tuple[str, int]]:
    """The other files that the decision stands on: a case on its referral, a referral's result on its agreement. Held until
    the commit, else a recall, or the delivery that is required, could slip between."""
    files = [known.agreement_file]
    if decision.origin is not None:
        files.append(known.referral_file)
    return [(file.subject, file.sequence) for file in files if file is not None and file.subject != subject]


def _holders(order: Order, known: Known, decision: Decision, hops: list[Hop]) -> list[str]:
    """Who holds the case from now on: whoever gets its first version, or handed it over."""
    if order.type is MessageType.CASE_SUBMITTED:
        return [hop.endpoint for hop in hops]
    if decision.origin is not None and known.referral is not None:
        return [hop.endpoint for hop in hops if hop.endpoint == known.referral.endpoint]
    return []


def _keys(order: Order, decision: Decision, digest: bytes, answer: bytes) -> list[Key]:
    keys = []
    if order.key is not None:
        keys.append(Key(order.principal.client, order.key, digest, decision.about, answer))
    if decision.business_key is not None:
        keys.append(Key("", decision.business_key, digest, decision.about, answer))
    if decision.origin is not None:  # nobody else's bytes are these: whoever comes second is in conflict
        keys.append(Key("", decision.origin, decision.about.encode(), decision.about, answer))
    return keys
