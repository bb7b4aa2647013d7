"""Confirmations of an agreement: arbitration review and judicial confirmation, their supplements and withdrawal
(仲裁审查确认, 司法确认, 补正, 撤回)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts.agreement import effective_at
from contracts.confirmation import (
    ConfirmationRequest,
    ConfirmationSupplement,
    ConfirmationWithdrawal,
)
from contracts.deadlines import (
    Law,
    clocks_started_by,
    confirmation_deadline,
    latest_safe_time,
    states_after,
)
from contracts.messages import MessageType
from contracts.moments import to_ms
from contracts.status import is_final
from gateway.flow.decisions.agreements import clock_fact
from gateway.flow.decisions.cases import check_version
from gateway.flow.decisions.keys import effect_key
from gateway.flow.moving.order import Decision, Known, Refused
from gateway.store.casefile import Matter
from gateway.store.unit import MatterMove, NewMatter


def requested(
    request: ConfirmationRequest, known: Known, confirmation_id: str, message_id: str, if_match: int | None
) -> Decision:
    """A request for confirmation, or a new version of one that nobody has yet."""
    case, agreement, agreement_id = known.case, known.agreement, known.agreement_id
    if case is None or agreement is None or agreement_id is None or known.case_matter is None or known.file is None:
        raise Refused(404, "not_found")
    deadline = confirmation_deadline(str(request.route), effective_at(agreement), known.law)
    made = Decision(confirmation_id, "requested", known.case_matter.organization)
    older = known.target if known.target is not None and known.target.kind == "confirmation" else None
    if older is not None:
        check_version(older.version, if_match)
        made.version, made.status = older.version + 1, older.status
        route = str(request.route)
        made.moves.append(MatterMove(confirmation_id, older.status, made.version, message_id, facet=route))
        made.supersedes = frozenset({MessageType.CONFIRMATION_REQUESTED})
        if older.facet is not None and older.facet != route:
            made.clock_turns += _taken_back(older.facet, (agreement_id, confirmation_id), known.law)
    else:
        made.matters.append(
            NewMatter(
                confirmation_id,
                "confirmation",
                agreement_id,
                agreement_id,
                "requested",
                message_id,
                facet=str(request.route),
                since=to_ms(request.applied_at),
            )
        )
    told: dict[str, datetime | str] = {
        "applied_at": request.applied_at,
        "at": request.applied_at,
        "route": str(request.route),
    }
    clocks = [(confirmation_id, clock) for clock in clocks_started_by("confirmation.requested", told, known.law)]
    made.clocks = clocks
    turns = states_after("confirmation.requested", told, known.law)
    made.clock_turns += [(agreement_id, rule, state.value) for rule, state in turns.items()]
    facts: dict[str, Any] = {
        "confirmation": confirmation_id,
        "agreement": agreement_id,
        "route": str(request.route),
        "status": made.status,
        "at": request.applied_at.isoformat(),
        "clocks": [clock_fact(clock) for _, clock in clocks],
    }
    made.events.append(("confirmation.requested", confirmation_id, facts))
    made.safe_at = latest_safe_time(deadline.due, known.law.safe_margin)
    return made


def _taken_back(route: str, things: tuple[str, str], law: Law) -> list[tuple[str, str, str]]:
    """Nobody has been asked by the other route: its clocks stand as if the request for it had been taken back."""
    back = states_after("confirmation.withdrawn", {"route": route}, law)
    return [(thing, rule, state.value) for thing in things for rule, state in back.items()]


def supplemented(supplement: ConfirmationSupplement, known: Known) -> Decision:
    """What the platform asked for (补正): the confirmation is requested again."""
    target = _open(known)
    if target.status != "correction_required":
        raise Refused(409, "correction_not_open")
    made = Decision(target.id, "requested", target.organization, version=target.version)
    made.business_key = effect_key(supplement, target.id)
    made.moves.append(
        MatterMove(
            target.id,
            "requested",
            target.version,
            target.message,
            since=max(to_ms(supplement.at), (target.since or 0) + 1),
        )
    )
    facts = {
        "confirmation": target.id,
        "agreement": target.parent,
        "route": target.facet,
        "status": "requested",
        "state_before": target.status,
        "at": supplement.at.isoformat(),
    }
    made.events.append(("confirmation.supplemented", target.id, facts))
    told: dict[str, datetime | str] = {"at": supplement.at, "route": target.facet or ""}
    made.clocks = [(target.id, clock) for clock in clocks_started_by("confirmation.supplemented", told, known.law)]
    made.closed_tasks.append(("correction_due", target.id, "supplemented"))
    return made


def withdrawal_requested(withdrawal: ConfirmationWithdrawal, known: Known) -> Decision:
    """The applicants take their application back (撤回); the platform decides."""
    target = _open(known)
    made = Decision(target.id, target.status, target.organization, version=target.version)
    made.business_key = effect_key(withdrawal, target.id)
    facts = {
        "confirmation": target.id,
        "agreement": target.parent,
        "route": target.facet,
        "status": target.status,
        "at": withdrawal.at.isoformat(),
    }
    made.events.append(("confirmation.withdrawal_requested", target.id, facts))
    return made


def _open(known: Known) -> Matter:
    target = known.target
    if target is None or target.kind != "confirmation":
        raise Refused(404, "not_found")
    if is_final("confirmation", target.status):
        raise Refused(409, "confirmation_closed")
    return target
