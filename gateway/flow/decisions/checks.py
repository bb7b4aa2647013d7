"""Checks of a document against those it hangs together with, made while it is read: all findings come at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from contracts.agreement import effective_at, examine_agreement, examine_performance
from contracts.case import examine_follow_up
from contracts.chinese_calendar import beijing_day
from contracts.confirmation import ConfirmationRequest, examine_confirmation
from contracts.deadlines import confirmation_deadline, deadline_passed
from contracts.findings import Code, Finding
from contracts.messages import MessageType
from contracts.referral import examine_referral_result
from contracts.statutes import NoRuleInForce
from gateway.flow.order import Known, Refused

Check = Callable[[Any], Iterable[Finding]]


def against(kind: MessageType, known: Known) -> Check | None:
    """The check of this kind of document in what is known, ``None`` where it stands alone."""
    case, agreement = known.case, known.agreement
    if kind is MessageType.AGREEMENT_CONCLUDED and case is not None:
        return lambda document: examine_agreement(document, case)
    if kind is MessageType.AGREEMENT_PERFORMED and agreement is not None:
        return lambda document: examine_performance(document, agreement)
    if kind is MessageType.CASE_FOLLOWED_UP and case is not None:
        return lambda document: examine_follow_up(document, case)
    if kind is MessageType.CONFIRMATION_REQUESTED and case is not None and agreement is not None:
        return lambda document: [*examine_confirmation(document, case, agreement), *late(document, known)]
    if kind is MessageType.REFERRAL_RETURNED:
        return lambda document: examine_referral_result(document, agreement)
    return None


def late(request: ConfirmationRequest, known: Known) -> Iterable[Finding]:
    """A request after its deadline, unless it says why: with article and dates. The day that counts is ``applied_at``.

    Raises:
        Refused: the agreement took effect before any rule of this confirmation.
    """
    if known.agreement is None:
        return
    try:
        deadline = confirmation_deadline(str(request.route), effective_at(known.agreement), known.law)
    except NoRuleInForce:
        raise Refused(422, "deadline_unknown") from None
    if request.late_reason is None and deadline_passed(request.applied_at, deadline):
        yield Finding.of(
            "/applied_at",
            Code.DEADLINE_PASSED,
            article=deadline.article,
            due=deadline.due.isoformat(),
            applied=beijing_day(request.applied_at).isoformat(),
        )
