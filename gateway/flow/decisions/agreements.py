"""Agreements and their performance (调解协议, 履行)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from contracts.agreement import Agreement, Performance, effective_at
from contracts.deadlines import Clock, Fact, Law, clocks_started_by, states_after
from contracts.lists import SettledClaims
from contracts.messages import MessageType
from contracts.moments import to_ms
from contracts.status import CaseStatus, ClockState
from gateway.flow.decisions.cases import check_key, check_version, corrected
from gateway.flow.decisions.keys import effect_key
from gateway.flow.moving.order import Decision, Known, Refused
from gateway.store.casefile import CaseFile, Matter
from gateway.store.unit import MatterMove, NewMatter


def concluded(
    agreement: Agreement, known: Known, agreement_id: str, message_id: str, now: datetime, if_match: int | None
) -> Decision:
    """A new agreement, or a new version of one that nobody has yet (协议报送)."""
    case, matter = known.case, known.case_matter
    if case is None or matter is None:
        raise Refused(404, "not_found")
    older, word = older_version(known), case_word(agreement, known)
    key = f"{matter.organization}|{agreement.agreement_no}"
    effect = effective_at(agreement)
    made = Decision(agreement_id, "concluded", matter.organization, effective_at=effect)
    facts: dict[str, Any] = {
        "agreement": agreement_id,
        "settled_claims": str(agreement.settled_claims),
        "effect_rule": str(agreement.effect_rule),
        "effective_at": effect.isoformat(),
    }
    if older is not None and known.target is not None:
        check_version(known.target.version, if_match)
        check_key(known.target, key)
        made.version = known.target.version + 1
        made.moves.append(MatterMove(agreement_id, known.target.status, made.version, message_id))
        made.supersedes = frozenset({MessageType.AGREEMENT_CONCLUDED})
        facts["version"] = made.version
        asked = [found for found in confirmations_of(known, agreement_id) if found.active]
        for found in asked:
            turns = states_after("confirmation.requested", {"route": found.facet or ""}, known.law)
            made.clock_turns += [(agreement_id, rule, state.value) for rule, state in turns.items()]
    else:
        made.matters.append(NewMatter(agreement_id, "agreement", matter.id, key, "concluded", message_id))
    clocks = [
        (agreement_id, clock)
        for clock in clocks_started_by("agreement.effective", {"effective_at": effect, "at": effect}, known.law)
    ]
    made.clocks += clocks
    made.settle_clocks()
    facts["clocks"] = [clock_fact(clock) for _, clock in made.clocks]
    # Who agrees to perform interrupts the limitation: it runs anew (调解仲裁法 art. 27 ¶2).
    consent = clocks_started_by("case.received", {"limitation_from": effect}, known.law)
    made.clocks += [(matter.id, clock) for clock in consent if clock.rule == "D13"]
    made.events.append(("agreement.concluded", agreement_id, facts))
    if effect <= now:
        made.events.append(("agreement.effective", agreement_id, facts))
    _terms(made, agreement, older, known, message_id, begun=effect <= now)
    if word is not None and word.value != matter.status:
        _case_moved(made, matter, word, effect, known.law)
    limits = [clock for _, clock in clocks if clock.rule in ("D04", "D07")]
    made.safe_at = min((clock.latest_safe_time for clock in limits), default=None)
    return made


def _case_moved(made: Decision, case: Matter, word: CaseStatus, at: datetime, law: Law) -> None:
    """An agreement ends the mediation of its case, or of a part of it (``messages.md`` §4)."""
    made.moves.append(MatterMove(case.id, word.value, case.version, case.message, since=to_ms(at)))
    made.closed_tasks += corrected(case, word.value)
    told = {"status": word.value, "state_before": case.status, "at": at.isoformat()}
    made.events.append((f"case.{word.value}", case.id, told | {"reason_code": "agreement_reached"}))
    turns = states_after(f"case.{word.value}", {"at": at}, law)
    made.clock_turns += [(case.id, rule, state.value) for rule, state in turns.items()]


def older_version(known: Known) -> Agreement | None:
    """The agreement of which the new one is a version."""
    return known.agreement if known.target is not None and known.target.kind == "agreement" else None


def case_word(agreement: Agreement, known: Known) -> CaseStatus | None:
    """The status that an agreement moves its case to; ``None``: a new version that settles what the older one settled."""
    older = older_version(known)
    if older is not None and older.settled_claims is agreement.settled_claims:
        return None
    return CaseStatus.AGREED if agreement.settled_claims is SettledClaims.ALL else CaseStatus.PARTLY_AGREED


def _terms(
    made: Decision, agreement: Agreement, older: Agreement | None, known: Known, message_id: str, *, begun: bool
) -> None:
    """The terms that are to be performed, and their days. A new version may have other ones: what it has no more ends, so that
    nobody waits for its performance, nor is told that its day is over."""
    agreement_id, effect = made.about, effective_at(agreement)
    standing = {} if known.file is None else known.file.matters
    before = set() if older is None else _payable(older)
    fresh = [no for no in sorted(_payable(agreement) - before) if f"{agreement_id}/{no}" not in standing]
    made.matters += [
        NewMatter(f"{agreement_id}/{no}", "fulfilment", agreement_id, f"{agreement_id}/{no}", "performing", message_id)
        for no in fresh
    ]
    if begun:
        facts = {"agreement": agreement_id, "status": "performing", "at": effect.isoformat()}
        made.events += [("fulfilment.performing", f"{agreement_id}/{no}", {**facts, "term_no": no}) for no in fresh]
    for no in sorted(_payable(agreement) ^ before):
        if (found := standing.get(f"{agreement_id}/{no}")) is not None:
            active = no not in before
            made.moves.append(MatterMove(found.id, found.status, found.version, found.message, active))
    days = _performance(agreement, agreement_id, known.law)
    made.clocks += days
    kept = {(about, clock.rule) for about, clock in days}
    gone = [] if older is None else _performance(older, agreement_id, known.law)
    made.clock_turns += [
        (about, clock.rule, ClockState.CANCELLED.value) for about, clock in gone if (about, clock.rule) not in kept
    ]


def _payable(agreement: Agreement) -> set[int]:
    """Numbers of the terms that something is to be paid by."""
    return {term.no for term in agreement.terms if term.amount is not None}


def clock_fact(clock: Clock) -> dict[str, str]:
    """A clock as events and answers show it."""
    return {"rule": clock.rule, "due": clock.due.isoformat(), "state": str(clock.state)}


def _performance(agreement: Agreement, agreement_id: str, law: Law) -> list[tuple[str, Clock]]:
    """The day by which each term, or each of its instalments (``…/term/1``, ``…/term/2``), is to be performed (履行期限)."""
    effect = effective_at(agreement)
    days: list[tuple[str, date]] = []
    for term in agreement.terms:
        about = f"{agreement_id}/{term.no}"
        days += [(f"{about}/{place}", part.due_date) for place, part in enumerate(term.installments, 1)]
        if term.due_date is not None and not term.installments:
            days.append((about, term.due_date))
    return [
        (about, clock)
        for about, day in days
        for clock in clocks_started_by("fulfilment.performing", {"performance_until": day, "effective_at": effect}, law)
    ]


def performance_until(agreement: Agreement) -> date | None:
    """The last day of the whole performance, of the last instalment (民事诉讼法 art. 250); ``None``: no day is set."""
    days = [part.due_date for term in agreement.terms for part in term.installments]
    days += [term.due_date for term in agreement.terms if term.due_date is not None]
    return max(days, default=None)


def confirmations_of(known: Known, agreement_id: str) -> list[Matter]:
    """The confirmations that were asked for of an agreement."""
    held = [] if known.file is None else known.file.of_kind("confirmation")
    return [found for found in held if found.parent == agreement_id]


def performed(performance: Performance, known: Known, message_id: str) -> Decision:
    """What became of one term (履行情况)."""
    agreement, target = known.agreement, known.target
    if agreement is None or target is None or known.file is None:
        raise Refused(404, "not_found")
    identifier = f"{target.id}/{performance.term_no}"
    word = str(performance.status)
    made = Decision(target.id, target.status, target.organization, version=target.version)
    made.business_key = effect_key(performance, target.id)
    standing = known.file.matters.get(identifier)
    before = "performing" if standing is None else standing.status
    if standing is None:
        made.matters.append(
            NewMatter(identifier, "fulfilment", target.id, identifier, word, message_id, since=to_ms(performance.at))
        )
    else:
        made.moves.append(MatterMove(identifier, word, standing.version, message_id, since=to_ms(performance.at)))
    facts: dict[str, Any] = {
        "agreement": target.id,
        "term_no": performance.term_no,
        "status": word,
        "state_before": before,
        "at": performance.at.isoformat(),
    }
    made.events.append((f"fulfilment.{word}", identifier, facts))
    told: dict[str, Fact] = {"at": performance.at, "open_terms": str(open_terms(known.file, identifier, word))}
    made.clocks = [(identifier, clock) for clock in clocks_started_by(f"fulfilment.{word}", told, known.law)]
    things = [identifier, *parts_of(agreement, target.id, performance.term_no)]
    things += [found.id for found in confirmations_of(known, target.id)]
    turns = states_after(f"fulfilment.{word}", told, known.law)
    made.clock_turns = [(thing, rule, state.value) for thing in things for rule, state in turns.items()]
    return made


def parts_of(agreement: Agreement, agreement_id: str, term_no: int) -> list[str]:
    """What the clocks of a term's instalments hang on."""
    parts = sum(len(term.installments) for term in agreement.terms if term.no == term_no)
    return [f"{agreement_id}/{term_no}/{place}" for place in range(1, parts + 1)]


def open_terms(file: CaseFile, term: str, status: str) -> int:
    """How many terms of the term's agreement are still to be performed once this one has the status."""
    agreement = term.partition("/")[0]
    standing = {
        found.id: found.status for found in file.of_kind("fulfilment") if found.parent == agreement and found.active
    }
    return sum(found != "performed" for found in (standing | {term: status}).values())
