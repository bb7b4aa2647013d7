"""What a word about a matter does (案件、确认、移送、委派、履行): it moves the one status where it is a legal step, and is
kept as an event in any case.

Late or repeated words never move anything backward; unknown ones stay unknown with their raw value; a contradiction to a
final status goes to a person with both values kept (``messages.md`` §3, §4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from contracts.agreement import Agreement
from contracts.case import Case
from contracts.deadlines import Law
from contracts.lifecycle import Outcome, Step
from contracts.lists import EndReason
from contracts.messages import MessageType
from contracts.moments import from_ms, to_ms
from contracts.status import FILED_MOVES_CASE, LIFECYCLES, CaseStatus, Noun, frees_agreement, is_end, is_final, move
from contracts.update import About
from gateway.flow.applying.draft import LONGEST_CODE, Draft
from gateway.flow.applying.status_reports import report_of
from gateway.flow.clock import Clockwork, overtaken
from gateway.flow.decisions.agreements import open_terms, parts_of, performance_until
from gateway.flow.route import Question, Router
from gateway.store.casefile import Matter
from gateway.store.engine import Row
from gateway.store.places import of_document
from gateway.store.store import Store
from gateway.store.unit import MatterMove, NewDelivery, NewMatter, NewMessage

_LONGEST_NUMBER = 100
"""Longer ones are kept, but stand in no event."""

_NOUNS = {
    About.CASE: Noun.CASE,
    About.CONFIRMATION: Noun.CONFIRMATION,
    About.TRANSFER: Noun.TRANSFER,
    About.FULFILMENT: Noun.FULFILMENT,
    About.REFERRAL: Noun.REFERRAL,
}


@dataclass(frozen=True, slots=True)
class Background:
    """What is known beside the matter: the case, the ``agreement`` that a confirmation confirms or that is performed, words
    that came before their turn (``early``: status and time, in order of arrival; they are tried again once it has moved), and
    the clocks of the file."""

    case: Case | None = None
    agreement: Agreement | None = None
    early: tuple[tuple[str, datetime], ...] = ()
    clocks: Sequence[Row] = ()


class MatterWords:
    """Moves matters by platforms' words, and tells the platforms that hold the case."""

    def __init__(self, store: Store, router: Router, law: Law | None = None) -> None:
        self._store = store
        self._router = router
        self._clockwork = Clockwork(store, law)

    def hear(self, draft: Draft, matter: Matter, background: Background) -> None:
        """Write everything that the word does."""
        update = draft.update
        if update.about is About.FULFILMENT:
            matter = _term_of(draft, matter)
        draft.numbers(matter.id.partition("/")[0])
        draft.papers(matter.id)
        noun = _NOUNS[update.about]
        if update.about is About.CASE and update.note is not None and not update.status:
            _noted(draft, matter)
            return
        step = move(noun, matter.status, update.status or "unknown", since=_time(matter.since), at=update.at)
        if step.outcome is Outcome.UNKNOWN:
            _unknown(draft, matter, noun)
            return
        moved = step.outcome is Outcome.MOVED
        facts = _facts(draft, matter) | {"state_before": matter.status}
        if not moved:
            facts["moved"] = False
            if step.outcome is Outcome.EARLY:
                facts["early"] = True
        draft.event(f"{noun.value}.{update.status}", matter.id, facts)
        words = overtaken(matter.status, update.status, update.at, matter.id, background.clocks)
        if moved:
            words = [(update.status, update.at), *self._moved(draft, matter, noun, step, background.early)]
        if step.outcome is Outcome.CONTRADICTION:
            detail = {"kept": matter.status, "said": update.status, "at": update.at.isoformat()}
            draft.task("contradiction", matter.id, update.raw_status[:LONGEST_CODE], detail)
        for word, at in words:
            self._clocks(draft, matter, noun, (word, at), background)
        _correction(draft, matter, moved=moved)
        if moved and noun is not Noun.REFERRAL:  # a referral is between its platform and its owner alone
            self._tell_others(draft, matter, background.case)

    def _moved(
        self,
        draft: Draft,
        matter: Matter,
        noun: Noun,
        step: Step[StrEnum],
        early: tuple[tuple[str, datetime], ...],
    ) -> list[tuple[str, datetime]]:
        """Move it, and on by what came early; returns the early words that now count."""
        counted, unit = [], draft.unit
        for (word, at), further in LIFECYCLES[noun].onward(step.status, step.since, early):
            facts = _facts(draft, matter)
            facts |= {"status": word, "state_before": step.status.value, "at": at.isoformat()}
            draft.event(f"{noun.value}.{word}", matter.id, facts)
            counted.append((word, at))
            step = further
        status = step.status.value
        if not any(new.id == matter.id for new in unit.matters):
            since = None if step.since is None else to_ms(step.since)
            active = _stays_active(matter.kind, status)
            unit.matter_moves.append(MatterMove(matter.id, status, matter.version, matter.message, active, since))
        if matter.kind == "transfer" and status == "filed" and matter.facet in FILED_MOVES_CASE:
            self._case_transferred(draft)
        if matter.kind == "confirmation" and status == "objected":
            draft.task("contradiction", matter.id, "objected", endpoint="")
        return counted

    def _case_transferred(self, draft: Draft) -> None:
        case, at = draft.file.matters.get(draft.file.subject), draft.update.at
        if case is None or not is_end(case.status):
            return
        moved = CaseStatus.TRANSFERRED.value
        draft.unit.matter_moves.append(MatterMove(case.id, moved, case.version, case.message, since=to_ms(at)))
        # One that was agreed in part went on being mediated until now.
        self._clockwork.told(draft.unit, "case.transferred", {"at": at}, case.id)
        draft.event("case.transferred", case.id, {"status": moved, "state_before": case.status, "at": at.isoformat()})

    def _clocks(
        self, draft: Draft, matter: Matter, noun: Noun, said: tuple[str, datetime], background: Background
    ) -> None:
        """What the word (status and time) starts, stops and ends of the law's clocks."""
        word, at = said
        file, agreement = draft.file, background.agreement
        told: dict[str, datetime | date | str] = {"at": at, f"{word}_at": at}
        if matter.kind == "confirmation":
            told["route"] = matter.facet or ""
        if matter.kind == "transfer":
            told["to"] = matter.facet or ""
        if draft.update.due_at is not None:
            told["due_at"] = draft.update.due_at
        if agreement is not None and (last := performance_until(agreement)) is not None:
            told["performance_until"] = last
        related = [thing for thing in (matter.parent, file.subject) if thing is not None and thing != matter.id]
        if noun is Noun.CASE:
            related += [found.id for found in file.of_kind("transfer")]
        if noun is Noun.FULFILMENT:
            told["open_terms"] = str(open_terms(file, matter.id, word))
            related += [found.id for found in file.of_kind("confirmation") if found.parent == matter.parent]
            if agreement is not None and matter.parent is not None:
                related += parts_of(agreement, matter.parent, int(matter.id.rpartition("/")[2]))
        event = f"{noun.value}.{word}"
        self._clockwork.told(draft.unit, event, told, matter.id, *related, clocks=background.clocks)

    def _tell_others(self, draft: Draft, matter: Matter, case: Case | None) -> None:
        """``status.reported``: kept as a message, owed to the platforms that hold the case, never back to its source."""
        file, source = draft.file, draft.speaker.endpoint
        about = matter.id.partition("/")[0]
        message_id = self._store.ids.new("message", after=file.subject)
        report = report_of(matter, draft.speaker, draft.update)
        question = Question(MessageType.STATUS_REPORTED, matter.id, report, case, file, source)
        sealed = self._store.seal(report.model_dump_json(exclude_none=True).encode(), of_document(message_id))
        draft.unit.messages.append(
            NewMessage(
                message_id,
                MessageType.STATUS_REPORTED,
                about,
                matter.version,
                source,
                self._store.ids.new("correlation"),
                report.schema_version,
                sealed,
            )
        )
        draft.unit.deliveries += [
            NewDelivery(
                self._store.ids.new("delivery"),
                message_id,
                MessageType.STATUS_REPORTED,
                about,
                hop.endpoint,
                "standard",
                hop.requires,
            )
            for hop in self._router.hops(question)
        ]


def _facts(draft: Draft, matter: Matter) -> dict[str, Any]:
    """What the event of a word tells: statuses, ids and numbers, nothing of people."""
    update, endpoint = draft.update, draft.speaker.endpoint
    facts: dict[str, Any] = {"status": update.status, "at": update.at.isoformat(), "endpoint": endpoint}
    if update.reason_code is not None:
        known = update.reason_code in set(EndReason)
        facts["reason_code" if known else "code"] = update.reason_code[:LONGEST_CODE]
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
            {"endpoint": endpoint, "kind": found.kind, "value": found.value}
            for found in update.references
            if len(found.value) <= _LONGEST_NUMBER
        ]
    return facts


def _unknown(draft: Draft, matter: Matter, noun: Noun) -> None:
    """A status that is in no table: told as unknown, with its raw value. That of a term is the case's affair."""
    kind, about = ("case", draft.file.subject) if noun is Noun.FULFILMENT else (noun.value, matter.id)
    said = {"raw_status": draft.update.raw_status[:LONGEST_CODE], "status": "unknown"}
    draft.event(f"{kind}.unknown_status", about, _facts(draft, matter) | said)
    draft.unmapped(matter.id)


def _noted(draft: Draft, matter: Matter) -> None:
    """A note for people (督办): no step, but a task with its term."""
    update = draft.update
    draft.event("case.noted", matter.id, {"at": update.at.isoformat(), "endpoint": draft.speaker.endpoint})
    about = f"{matter.id}/{update.event_id}"
    draft.task("supervision", about, detail={"note": update.note}, due_at=_due_ms(update.due_at))


def _correction(draft: Draft, matter: Matter, *, moved: bool) -> None:
    """补正: a task with what must be corrected and by when; the step after it has answered that."""
    update = draft.update
    if not moved:
        return
    if update.status != "correction_required":
        answered = ("correction_due", "referral_due")
        draft.unit.closed_tasks += [(kind, matter.id, update.status) for kind in answered]
        return
    detail = {
        "reasons": [reason.text for reason in update.reasons],
        "codes": [reason.code for reason in update.reasons],
        "places": [reason.place for reason in update.reasons],
        "note": update.note,
    }
    draft.task("correction_due", matter.id, detail=detail, due_at=_due_ms(update.due_at))


def _term_of(draft: Draft, agreement: Matter) -> Matter:
    """The fulfilment of one term; opened where nothing was said of it yet."""
    status = draft.update.status
    identifier = f"{agreement.id}/{draft.update.term_no or 1}"
    found = draft.file.matters.get(identifier)
    if found is not None:
        return found
    draft.unit.matters.append(
        NewMatter(
            identifier,
            "fulfilment",
            agreement.id,
            identifier,
            "performing" if status in ("", "unknown") else status,
            agreement.message,
        )
    )
    return Matter(
        id=identifier,
        kind="fulfilment",
        subject=draft.file.subject,
        parent=agreement.id,
        organization=draft.file.organization,
        business_key=identifier,
        facet=None,
        status="performing",
        since=None,
        version=1,
        message=agreement.message,
        active=True,
        created_at=0,
        updated_at=0,
    )


def _stays_active(kind: str, status: str) -> bool:
    """Whether its business key stays taken: a final status frees it for another request."""
    if kind == "confirmation":
        return not frees_agreement(status)
    return kind not in ("transfer", "referral") or not is_final(Noun(kind), status)


def _time(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)


def _due_ms(due: date | datetime | None) -> int | None:
    """A moment in ms; of a day its last second in Beijing."""
    if due is None:
        return None
    if isinstance(due, datetime):
        return to_ms(due)
    return to_ms(datetime.fromisoformat(f"{due.isoformat()}T23:59:59+08:00"))
