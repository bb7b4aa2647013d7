"""The organisation's answer to a referral, and its result (委派委托的答复与结果)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts.deadlines import clocks_started_by, latest_safe_time, states_after
from contracts.referral import ReferralAnswer, ReferralResult
from contracts.status import is_final
from gateway.flow.decisions.keys import effect_key
from gateway.flow.moving.order import Decision, Known, Refused
from gateway.store.unit import MatterMove


def answered(answer: ReferralAnswer, known: Known) -> Decision:
    """Accept or decline what a platform handed over."""
    target, referral = known.target, known.referral
    if target is None or target.kind != "referral" or referral is None:
        raise Refused(404, "not_found")
    word = "accepted" if answer.answer == "accept" else "declined"
    made = Decision(target.id, word, target.organization, version=target.version)
    made.business_key = effect_key(answer, target.id)
    if target.status == word:
        made.repeated = True
        return made
    active = not is_final("referral", word)
    made.moves.append(MatterMove(target.id, word, target.version, target.message, active))
    made.events.append((f"referral.{word}", target.id, _facts(known, word, target.status, answer.at)))
    made.closed_tasks.append(("referral_due", target.id, word))
    told: dict[str, Any] = {"at": answer.at, "accepted_at": answer.at, "kind": str(referral.kind)}
    if referral.mediation_due_at is not None:
        told["mediation_due_at"] = referral.mediation_due_at
    made.clocks = [(target.id, clock) for clock in clocks_started_by(f"referral.{word}", told, known.law)]
    turns = states_after(f"referral.{word}", told, known.law)
    made.clock_turns = [(target.id, rule, state.value) for rule, state in turns.items()]
    made.safe_at = latest_safe_time(referral.due_at, known.law.safe_margin)
    return made


def returned(result: ReferralResult, known: Known) -> Decision:
    """The mediation's outcome goes back to the platform that asked for it."""
    target, referral = known.target, known.referral
    if target is None or target.kind != "referral" or referral is None:
        raise Refused(404, "not_found")
    made = Decision(target.id, "returned", target.organization, version=target.version)
    made.business_key = effect_key(result, target.id)
    made.moves.append(MatterMove(target.id, "returned", target.version, target.message, active=False))
    made.events.append(("referral.returned", target.id, _facts(known, "returned", target.status, result.at)))
    told = {"at": result.at}
    turns = states_after("referral.returned", told, known.law)
    made.clock_turns = [(target.id, rule, state.value) for rule, state in turns.items()]
    if referral.mediation_due_at is not None:
        made.safe_at = latest_safe_time(referral.mediation_due_at, known.law.safe_margin)
    return made


def _facts(known: Known, status: str, before: str, at: datetime) -> dict[str, Any]:
    referral, target = known.referral, known.target
    if referral is None or target is None:
        raise Refused(404, "not_found")
    return {
        "referral": target.id,
        "kind": str(referral.kind),
        "task_no": referral.task_no,
        "due_at": referral.due_at.isoformat(),
        "status": status,
        "state_before": before,
        "at": at.isoformat(),
    }
