"""What a platform's word does, decided from one ``StatusUpdate`` and the file of its subject. Nothing is asked or written: ids
are drawn, what is personal is sealed, and others commit the unit that comes of it.

Late or repeated words never move anything backward and are kept as events; unknown ones stay unknown with their raw value;
a contradiction to a final status goes to a person with both values kept (``messages.md`` §3, §4).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson

from contracts.agreement import Agreement
from contracts.case import Case
from contracts.deadlines import Law
from contracts.deliveries import Hand, may_move
from contracts.lifecycle import Outcome, Step
from contracts.lists import EndReason
from contracts.messages import MessageType
from contracts.moments import from_ms, to_ms
from contracts.status import FILED_MOVES_CASE, LIFECYCLES, CaseStatus, Noun, frees_agreement, is_end, is_final, move
from contracts.update import About, DeliveryWord, StatusUpdate
from gateway.flow.applying.status_reports import report_of
from gateway.flow.clock import Clockwork, overtaken
from gateway.flow.decisions.agreements import open_terms, parts_of, performance_until
from gateway.flow.moving.envelope import compact
from gateway.flow.moving.moves import move_delivery
from gateway.flow.moving.references import fold
from gateway.flow.moving.speaker import Speaker
from gateway.flow.moving.task_details import seal_detail
from gateway.flow.retry import asked_ms
from gateway.flow.route import Question, Router
from gateway.store.casefile import CaseFile, DeliveryRow, Matter
from gateway.store.engine import Row
from gateway.store.places import of_document, of_paper, of_reasons
from gateway.store.store import Store
from gateway.store.unit import (
    MatterMove,
    NewDelivery,
    NewEvent,
    NewMatter,
    NewMessage,
    NewPaper,
    NewReference,
    NewTask,
    Unit,
)

_LONGEST_NUMBER = 100
"""Longer ones are kept, but stand in no event."""

_NOUNS = {
    About.CASE: Noun.CASE,
    About.CONFIRMATION: Noun.CONFIRMATION,
    About.TRANSFER: Noun.TRANSFER,
    About.FULFILMENT: Noun.FULFILMENT,
    About.REFERRAL: Noun.REFERRAL,
}


class Words:
    """Decides what a word changes. ``word_within_ms``: by endpoint, how long a relayed delivery may wait for its word;
    ``unasked``: the endpoints of class ``neither``, whose first acceptance counts, whatever they say afterwards."""

    def __init__(
        self,
        store: Store,
        router: Router,
        word_within_ms: Mapping[str, int],
        law: Law | None = None,
        unasked: Collection[str] = (),
    ) -> None:
        self._store = store
        self._router = router
        self._word_within_ms = word_within_ms
        self._clockwork = Clockwork(store, law)
        self._unasked = frozenset(unasked)

    def _event(self, kind: str, about: str, facts: dict[str, Any]) -> NewEvent:
        return NewEvent(self._store.ids.new("event"), kind, about, compact(facts))

    def _task(
        self,
        kind: str,
        about: str,
        endpoint: str,
        code: str | None,
        detail: dict[str, Any] | None = None,
        due: int | None = None,
    ) -> NewTask:
        identifier = self._store.ids.new("task")
        sealed = None if detail is None else seal_detail(self._store, identifier, detail)
        return NewTask(identifier, kind, about, endpoint, code, sealed, due)

    def unit(self, file: CaseFile, speaker: Speaker, update: StatusUpdate) -> Unit:
        """A unit that applies this event once, and keeps the numbers that it brought."""
        return Unit(
            subject=file.subject,
            organization=file.organization,
            expected=file.sequence,
            applied=[(speaker.endpoint, update.event_id)],
        )

    # ---- about a delivery -------------------------------------------------------------------------------------------------

    def about_delivery(
        self, file: CaseFile, delivery: DeliveryRow, speaker: Speaker, update: StatusUpdate
    ) -> tuple[Unit, str | None]:
        """Settles a relayed or in-doubt delivery; makes no message. Also returns the reason to pause the endpoint, if any."""
        unit = self.unit(file, speaker, update)
        self._keep_numbers(unit, speaker, update, delivery.about)
        match update.status:
            case DeliveryWord.ACCEPTED:
                after = "delivered"
            case DeliveryWord.REFUSED:
                after = "rejected"
            case DeliveryWord.POSTPONED:
                after = "pending"
            case DeliveryWord.TAKEN:
                after = "relayed"
            case DeliveryWord.FAILED:
                return unit, update.reason_code or "platform_failed"
            case _:
                unit.tasks.append(self._task("unmapped_code", delivery.id, speaker.endpoint, update.raw_status[:64]))
                return unit, None
        if not may_move(Hand.WORD, delivery.state, after):
            if after == "rejected" and delivery.state == "delivered" and delivery.endpoint not in self._unasked:
                unit.tasks.append(self._task("contradiction", delivery.id, speaker.endpoint, update.reason_code))
            return unit, None
        if after in ("rejected", "pending") and _of_another_sending(delivery, update):
            return unit, None
        reasons = None
        wait_ms = (
            self._word_within_ms[delivery.endpoint]
            if after == "relayed"
            else asked_ms(timedelta(seconds=update.retry_after_s or 0))
        )
        if update.reasons:
            told = [{"code": r.code, "place": r.place, "text": r.text} for r in update.reasons]
            reasons = self._store.seal(orjson.dumps(told), of_reasons(delivery.id))
        move_delivery(
            unit,
            self._store.ids,
            Hand.WORD,
            delivery,
            after,
            update.reason_code,
            reasons=reasons,
            reference=update.references[0].value if update.references else None,
            wait_ms=wait_ms,
            at=update.at,
        )
        if after == "rejected":
            unit.tasks.append(self._task("rejected", delivery.id, speaker.endpoint, update.reason_code))
        unit.closed_tasks += [(kind, delivery.id, after) for kind in _ANSWERED[after]]
        return unit, None

    # ---- about a matter ---------------------------------------------------------------------------------------------------

    def about_matter(
        self,
        file: CaseFile,
        matter: Matter,
        speaker: Speaker,
        update: StatusUpdate,
        case: Case | None,
        early: tuple[tuple[str, datetime], ...] = (),
        agreement: Agreement | None = None,
        clocks: Sequence[Row] = (),
    ) -> Unit:
        """Moves the one status where the word is a legal step, keeps it as an event in any case, tells the others.

        ``early`` are words about the matter that came before their turn: they are tried again once it has moved.
        ``agreement`` is what a confirmation confirms, or what is performed; ``clocks`` are the file's."""
        unit = self.unit(file, speaker, update)
        if update.about is About.FULFILMENT:
            matter = self._term_of(unit, file, matter, update)
        self._keep_numbers(unit, speaker, update, matter.id.partition("/")[0])
        self._keep_papers(unit, speaker, update, matter)
        noun = _NOUNS[update.about]
        if update.about is About.CASE and update.note is not None and not update.status:
            self._noted(unit, matter, speaker, update)
            return unit
        step = move(noun, matter.status, update.status or "unknown", since=_time(matter.since), at=update.at)
        facts = self._facts(matter, speaker, update)
        if step.outcome is Outcome.UNKNOWN:
            facts["raw_status"] = update.raw_status[:64]
            facts["status"] = "unknown"
            kind = "case" if noun is Noun.FULFILMENT else noun.value
            about = file.subject if noun is Noun.FULFILMENT else matter.id
            unit.events.append(self._event(f"{kind}.unknown_status", about, facts))
            unit.tasks.append(self._task("unmapped_code", matter.id, speaker.endpoint, update.raw_status[:64]))
            return unit
        facts["state_before"] = matter.status
        moved = step.outcome is Outcome.MOVED
        if not moved:
            facts["moved"] = False
            if step.outcome is Outcome.EARLY:
                facts["early"] = True
        unit.events.append(self._event(f"{noun.value}.{update.status}", matter.id, facts))
        words = overtaken(matter.status, update.status, update.at, matter.id, clocks)
        if moved:
            words = [(update.status, update.at), *self._moved(unit, file, matter, noun, step, speaker, update, early)]
        if step.outcome is Outcome.CONTRADICTION:
            detail = {"kept": matter.status, "said": update.status, "at": update.at.isoformat()}
            unit.tasks.append(self._task("contradiction", matter.id, speaker.endpoint, update.raw_status[:64], detail))
        for word, at in words:
            self._clocks(unit, file, matter, noun, replace(update, status=word, at=at), agreement, clocks)
        self._correction(unit, matter, speaker, update, moved=moved)
        if moved and noun is not Noun.REFERRAL:  # a referral is between its platform and its owner alone
            self._tell_others(unit, file, matter, speaker, update, case)
        return unit

    def _clocks(
        self,
        unit: Unit,
        file: CaseFile,
        matter: Matter,
        noun: Noun,
        update: StatusUpdate,
        agreement: Agreement | None,
        clocks: Sequence[Row],
    ) -> None:
        """What the platform's word starts, stops and ends of the law's clocks."""
        told: dict[str, datetime | date | str] = {"at": update.at, f"{update.status}_at": update.at}
        if matter.kind == "confirmation":
            told["route"] = matter.facet or ""
        if matter.kind == "transfer":
            told["to"] = matter.facet or ""
        if update.due_at is not None:
            told["due_at"] = update.due_at
        if agreement is not None and (last := performance_until(agreement)) is not None:
            told["performance_until"] = last
        related = [thing for thing in (matter.parent, file.subject) if thing is not None and thing != matter.id]
        if noun is Noun.CASE:
            related += [found.id for found in file.of_kind("transfer")]
        if noun is Noun.FULFILMENT:
            told["open_terms"] = str(open_terms(file, matter.id, update.status))
            related += [found.id for found in file.of_kind("confirmation") if found.parent == matter.parent]
            if agreement is not None and matter.parent is not None:
                related += parts_of(agreement, matter.parent, int(matter.id.rpartition("/")[2]))
        self._clockwork.told(unit, f"{noun.value}.{update.status}", told, matter.id, *related, clocks=clocks)

    def _facts(self, matter: Matter, speaker: Speaker, update: StatusUpdate) -> dict[str, Any]:
        facts: dict[str, Any] = {"status": update.status, "at": update.at.isoformat(), "endpoint": speaker.endpoint}
        if update.reason_code is not None:
            known = update.reason_code in set(EndReason)
            facts["reason_code" if known else "code"] = update.reason_code[:64]
        match matter.kind:
            case "confirmation":
                facts |= {"confirmation": matter.id, "agreement": matter.parent, "route": matter.facet}
            case "transfer":
                facts |= {"transfer": matter.id, "to": matter.facet}
            case "referral":
                kind, _, task_no = (matter.facet or "").partition("|")
                facts |= {"referral": matter.id, "kind": kind, "task_no": task_no}
            case "fulfilment":
                agreement, _, term = matter.id.partition("/")
                facts |= {"agreement": agreement, "term_no": int(term)}
        if update.references:
            facts["external_refs"] = [
                {"endpoint": speaker.endpoint, "kind": found.kind, "value": found.value}
                for found in update.references
                if len(found.value) <= _LONGEST_NUMBER
            ]
        return facts

    def _moved(
        self,
        unit: Unit,
        file: CaseFile,
        matter: Matter,
        noun: Noun,
        step: Step[StrEnum],
        speaker: Speaker,
        update: StatusUpdate,
        early: tuple[tuple[str, datetime], ...],
    ) -> list[tuple[str, datetime]]:
        """Move it, and on by what came early; returns the early words that now count."""
        counted = []
        for (word, at), further in LIFECYCLES[noun].onward(step.status, step.since, early):
            facts = self._facts(matter, speaker, update)
            facts |= {"status": word, "state_before": step.status.value, "at": at.isoformat()}
            unit.events.append(self._event(f"{noun.value}.{word}", matter.id, facts))
            counted.append((word, at))
            step = further
        status = step.status.value
        active = True
        if matter.kind == "confirmation":
            active = not frees_agreement(status)
        elif matter.kind in ("transfer", "referral"):
            active = not is_final(Noun(matter.kind), status)
        if not any(new.id == matter.id for new in unit.matters):
            since = None if step.since is None else to_ms(step.since)
            unit.matter_moves.append(MatterMove(matter.id, status, matter.version, matter.message, active, since))
        if matter.kind == "transfer" and status == "filed" and matter.facet in FILED_MOVES_CASE:
            self._case_transferred(unit, file, update)
        if matter.kind == "confirmation" and status == "objected":
            unit.tasks.append(self._task("contradiction", matter.id, "", "objected"))
        return counted

    def _case_transferred(self, unit: Unit, file: CaseFile, update: StatusUpdate) -> None:
        case = file.matters.get(file.subject)
        if case is None or not is_end(case.status):
            return
        moved = CaseStatus.TRANSFERRED.value
        since = to_ms(update.at)
        unit.matter_moves.append(MatterMove(case.id, moved, case.version, case.message, since=since))
        # One that was agreed in part went on being mediated until now.
        self._clockwork.told(unit, "case.transferred", {"at": update.at}, case.id)
        facts = {"status": moved, "state_before": case.status, "at": update.at.isoformat()}
        unit.events.append(self._event("case.transferred", case.id, facts))

    def _correction(self, unit: Unit, matter: Matter, speaker: Speaker, update: StatusUpdate, *, moved: bool) -> None:
        if update.status != "correction_required":
            if moved:
                unit.closed_tasks.append(("correction_due", matter.id, update.status))
                unit.closed_tasks.append(("referral_due", matter.id, update.status))
            return
        if moved:
            detail = {
                "reasons": [reason.text for reason in update.reasons],
                "codes": [reason.code for reason in update.reasons],
                "places": [reason.place for reason in update.reasons],
                "note": update.note,
            }
            unit.tasks.append(
                self._task("correction_due", matter.id, speaker.endpoint, None, detail, _due_ms(update.due_at))
            )

    def _noted(self, unit: Unit, matter: Matter, speaker: Speaker, update: StatusUpdate) -> None:
        facts = {"at": update.at.isoformat(), "endpoint": speaker.endpoint}
        unit.events.append(self._event("case.noted", matter.id, facts))
        detail = {"note": update.note}
        unit.tasks.append(
            self._task(
                "supervision", f"{matter.id}/{update.event_id}", speaker.endpoint, None, detail, _due_ms(update.due_at)
            )
        )

    def _keep_numbers(self, unit: Unit, speaker: Speaker, update: StatusUpdate, about: str) -> None:
        unit.references += [
            NewReference(speaker.endpoint, found.kind, found.value, about, fold(found.value))
            for found in update.references
        ]

    def _keep_papers(self, unit: Unit, speaker: Speaker, update: StatusUpdate, matter: Matter) -> None:
        for document in update.documents:
            identifier = self._store.ids.new("paper")
            link = {
                "ref": document.ref,
                "kind": document.kind,
                "name": document.name,
                "link": document.link,
                "expires_at": document.expires_at.isoformat() if document.expires_at else None,
                "size": document.size,
                "sha256": document.sha256,
            }
            sealed = self._store.seal(orjson.dumps(link), of_paper(identifier))
            unit.papers.append(NewPaper(identifier, speaker.endpoint, matter.id, document.ref, sealed))

    def _term_of(self, unit: Unit, file: CaseFile, agreement: Matter, update: StatusUpdate) -> Matter:
        """The fulfilment of one term; opened where nothing was said of it yet."""
        identifier = f"{agreement.id}/{update.term_no or 1}"
        found = file.matters.get(identifier)
        if found is not None:
            return found
        unit.matters.append(
            NewMatter(
                identifier,
                "fulfilment",
                agreement.id,
                identifier,
                "performing" if update.status in ("", "unknown") else update.status,
                agreement.message,
            )
        )
        return Matter(
            identifier,
            "fulfilment",
            file.subject,
            agreement.id,
            file.organization,
            identifier,
            None,
            "performing",
            None,
            1,
            agreement.message,
            True,
            0,
            0,
        )

    def _tell_others(
        self, unit: Unit, file: CaseFile, matter: Matter, speaker: Speaker, update: StatusUpdate, case: Case | None
    ) -> None:
        """``status.reported``: kept as a message, owed to the platforms that hold the case, never back to its source."""
        message_id = self._store.ids.new("message", after=file.subject)
        report = report_of(matter, speaker, update)
        question = Question(MessageType.STATUS_REPORTED, matter.id, report, case, file, speaker.endpoint)
        sealed = self._store.seal(report.model_dump_json(exclude_none=True).encode(), of_document(message_id))
        unit.messages.append(
            NewMessage(
                message_id,
                MessageType.STATUS_REPORTED,
                matter.id.partition("/")[0],
                matter.version,
                speaker.endpoint,
                self._store.ids.new("correlation"),
                "1.0",
                sealed,
            )
        )
        unit.deliveries += [
            NewDelivery(
                self._store.ids.new("delivery"),
                message_id,
                MessageType.STATUS_REPORTED,
                matter.id.partition("/")[0],
                hop.endpoint,
                "standard",
                hop.requires,
            )
            for hop in self._router.hops(question)
        ]


_ANSWERED = {
    "delivered": ("in_doubt", "word_overdue", "rejected", "dead", "statutory_late", "blocked", "alert_unanswered"),
    "rejected": ("in_doubt", "word_overdue"),
    "pending": ("in_doubt", "word_overdue"),
    "relayed": ("in_doubt",),
}
"""Tasks about a delivery that its new state has answered."""


def _of_another_sending(delivery: DeliveryRow, update: StatusUpdate) -> bool:
    """Whether a refusal names an earlier sending than the one that was taken in last: it takes nothing from that one."""
    if delivery.state != "relayed" or delivery.attempts < 2 or update.sending is None or delivery.reference is None:
        return False
    return update.sending != delivery.reference


def _time(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)


def _due_ms(due: date | datetime | None) -> int | None:
    if due is None:
        return None
    if isinstance(due, datetime):
        return to_ms(due)
    return to_ms(datetime.fromisoformat(f"{due.isoformat()}T23:59:59+08:00"))
