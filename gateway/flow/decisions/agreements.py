"""Agreements and their performance (调解协议, 履行)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts.agreement import Agreement, Performance, effective_at
from contracts.deadlines import Clock, clocks_started_by, states_after
from contracts.findings import Code, Finding
from contracts.lists import SettledClaims
from contracts.messages import MessageType
from contracts.status import CaseStatus
from gateway.flow.decisions.cases import check_step, check_version, ms, open_case
from gateway.flow.order import Decision, Known, Refused
from gateway.store.unit import MatterMove, NewMatter


def concluded(
    agreement: Agreement, known: Known, agreement_id: str, message_id: str, now: datetime, if_match: int | None
) -> Decision:
    """A new agreement, or a new version of one that nobody has yet (协议报送)."""
    case, matter = known.case, known.case_matter
    if case is None or matter is None:
        raise Refused(404, "not_found")
    open_case(matter.status)
    word = CaseStatus.AGREED if agreement.settled_claims is SettledClaims.ALL else CaseStatus.PARTLY_AGREED
    revised = known.target is not None and known.target.kind == "agreement"
    if not revised:
        check_step(matter.status, word.value, "")
    effect = effective_at(agreement)
    made = Decision(agreement_id, "concluded", matter.organization)
    facts: dict[str, Any] = {
        "agreement": agreement_id,
        "settled_claims": str(agreement.settled_claims),
        "effect_rule": str(agreement.effect_rule),
        "effective_at": effect.isoformat(),
    }
    if revised and known.target is not None:
        check_version(known.target.version, if_match)
        made.version = known.target.version + 1
        made.moves.append(MatterMove(agreement_id, known.target.status, made.version, message_id))
        made.supersedes = frozenset({MessageType.AGREEMENT_CONCLUDED})
        facts["version"] = made.version
    else:
        key = f"{matter.organization}|{agreement.agreement_no}"
        made.matters.append(NewMatter(agreement_id, "agreement", matter.id, key, "concluded", message_id))
    clocks = [
        (agreement_id, clock)
        for clock in clocks_started_by("agreement.effective", {"effective_at": effect, "at": effect})
    ]
    made.clocks += clocks
    facts["clocks"] = [clock_fact(clock) for _, clock in clocks]
    made.events.append(("agreement.concluded", agreement_id, facts))
    if effect <= now:
        made.events.append(("agreement.effective", agreement_id, facts))
    if not revised:
        _terms(made, agreement, agreement_id, message_id)
        if word.value != matter.status:
            made.moves.append(MatterMove(matter.id, word.value, matter.version, matter.message, since=ms(effect)))
            told = {"status": word.value, "state_before": matter.status, "at": effect.isoformat()}
            made.events.append((f"case.{word.value}", matter.id, told | {"reason_code": "agreement_reached"}))
            turns = states_after(f"case.{word.value}", {"at": effect})
            made.clock_turns += [(matter.id, rule, state.value) for rule, state in turns.items()]
    limits = [clock for _, clock in clocks if clock.rule in ("D04", "D07")]
    made.safe_at = min((clock.latest_safe_time for clock in limits), default=None)
    return made


def clock_fact(clock: Clock) -> dict[str, str]:
    """A clock as events and answers show it."""
    return {"rule": clock.rule, "due": clock.due.isoformat(), "state": str(clock.state)}


def _terms(made: Decision, agreement: Agreement, agreement_id: str, message_id: str) -> None:
    """Each term of payment is performed from the effect on (履行中)."""
    for term in agreement.terms:
        if term.amount is None:
            continue
        identifier = f"{agreement_id}/{term.no}"
        made.matters.append(NewMatter(identifier, "fulfilment", agreement_id, identifier, "performing", message_id))
        dates = [part.due_date for part in term.installments] + ([term.due_date] if term.due_date else [])
        for last in dates[-1:]:
            told = {"performance_until": last, "effective_at": effective_at(agreement)}
            made.clocks += [(identifier, clock) for clock in clocks_started_by("fulfilment.performing", told)]


def performed(performance: Performance, known: Known, message_id: str) -> Decision:
    """What became of one term (履行情况)."""
    agreement, target = known.agreement, known.target
    if agreement is None or target is None or known.file is None:
        raise Refused(404, "not_found")
    if known.case_matter is not None:
        open_case(known.case_matter.status)
    identifier = f"{target.id}/{performance.term_no}"
    word = str(performance.status)
    made = Decision(target.id, target.status, target.organization, version=target.version)
    made.business_key = f"performance|{identifier}|{word}|{performance.at.isoformat()}"
    standing = known.file.matters.get(identifier)
    before = "performing" if standing is None else standing.status
    if standing is None:
        made.matters.append(
            NewMatter(identifier, "fulfilment", target.id, identifier, word, message_id, since=ms(performance.at))
        )
    else:
        made.moves.append(MatterMove(identifier, word, standing.version, message_id, since=ms(performance.at)))
    facts: dict[str, Any] = {
        "agreement": target.id,
        "term_no": performance.term_no,
        "status": word,
        "state_before": before,
        "at": performance.at.isoformat(),
    }
    made.events.append((f"fulfilment.{word}", identifier, facts))
    told = {"at": performance.at}
    made.clocks = [(identifier, clock) for clock in clocks_started_by(f"fulfilment.{word}", told)]
    made.clock_turns = [
        (identifier, rule, state.value) for rule, state in states_after(f"fulfilment.{word}", told).items()
    ]
    return made


def refuse(code: Code, pointer: str = "", status: int = 422) -> Refused:
    """A refusal with one finding that has no parameters."""
    return Refused(status, code, (Finding.of(pointer, code),))
