"""Transfers of a case, and the roster of mediators (移送, 调解员名册)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts.deadlines import Fact, clocks_started_by, states_after
from contracts.mediator import Mediator
from contracts.messages import MessageType
from contracts.moments import to_ms
from contracts.status import TransferStatus
from contracts.transfer import Transfer
from gateway.flow.decisions.cases import check_key, check_version
from gateway.flow.moving.order import Decision, Known, Refused
from gateway.store.unit import MatterMove, NewMatter


def requested(
    transfer: Transfer, known: Known, transfer_id: str, message_id: str, now: datetime, if_match: int | None
) -> Decision:
    """A transfer to arbitration, court, payment order, legal aid or labour inspection; it moves nothing by itself. A new
    version of one that a platform sent back for correction (补正) asks again."""
    matter = known.case_matter
    if matter is None or known.case is None:
        raise Refused(404, "not_found")
    made = Decision(transfer_id, "requested", matter.organization)
    revised = known.target is not None and known.target.kind == "transfer"
    key = f"{matter.id}|{transfer.to}"
    facts: dict[str, Any] = {"transfer": transfer_id, "to": str(transfer.to), "status": made.status}
    if revised and known.target is not None:
        check_version(known.target.version, if_match)
        check_key(known.target, key)
        made.version, since = known.target.version + 1, None
        if known.target.status != TransferStatus.CORRECTION_REQUIRED:
            made.status = facts["status"] = known.target.status
        else:
            since = max(to_ms(now), (known.target.since or 0) + 1)
            made.closed_tasks.append(("correction_due", transfer_id, "transferred again"))
            facts["state_before"] = known.target.status
        made.moves.append(MatterMove(transfer_id, made.status, made.version, message_id, since=since))
        made.supersedes = frozenset({MessageType.TRANSFER_REQUESTED})
    else:
        made.matters.append(
            NewMatter(
                transfer_id,
                "transfer",
                matter.id,
                key,
                "requested",
                message_id,
                facet=str(transfer.to),
            )
        )
    made.events.append(("transfer.requested", transfer_id, facts))
    told: dict[str, Fact] = {"to": str(transfer.to), "at": now}
    if known.referral is not None:
        told["referral_kind"] = str(known.referral.kind)
    made.clocks = [(transfer_id, clock) for clock in clocks_started_by("transfer.requested", told, known.law)]
    turns = states_after("transfer.requested", told, known.law)
    made.clock_turns = [(matter.id, rule, state.value) for rule, state in turns.items()]
    return made


def listed(
    mediator: Mediator, known: Known, mediator_id: str, message_id: str, if_match: int | None = None
) -> Decision:
    """A mediator on the roster (调解员), new or changed. ``If-Match`` is not asked for, but kept to where it is given."""
    if if_match is not None:
        check_version(0 if known.target is None else known.target.version, if_match if known.target is not None else -1)
    status = "active" if mediator.active else "left"
    made = Decision(mediator_id, status, mediator.organization_code)
    if known.target is not None:
        made.version = known.target.version + 1
        made.moves.append(
            MatterMove(mediator_id, status, made.version, message_id, organization=mediator.organization_code)
        )
        made.supersedes = frozenset({MessageType.MEDIATOR_LISTED})
    else:
        made.matters.append(NewMatter(mediator_id, "mediator", None, mediator.certificate_no, status, message_id))
    made.events.append(("mediator.listed", mediator_id, {"status": status}))
    # A certificate that still expires soon is found again by the daily look.
    made.closed_tasks.append(("certificate_expiring", mediator_id, "listed anew"))
    return made
