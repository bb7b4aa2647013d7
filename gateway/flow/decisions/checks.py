"""Checks of a document against those it hangs together with, and against how things stand: all findings come at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from contracts.agreement import Agreement, Performance, effective_at, examine_agreement, examine_performance
from contracts.case import Case, CaseProgress, FollowUp, examine_follow_up
from contracts.chinese_calendar import beijing_day
from contracts.confirmation import ConfirmationRequest, examine_confirmation
from contracts.deadlines import confirmation_deadline, deadline_passed
from contracts.deliveries import TAKEN_STATES
from contracts.document import Document, gathered
from contracts.findings import Code, Finding
from contracts.intake import DocumentRefused
from contracts.messages import MessageType
from contracts.referral import ReferralAnswer, ReferralResult, examine_referral_result
from contracts.status import CaseStatus, TransferStatus, refuse_upstream
from contracts.statutes import NoRuleInForce
from gateway.flow.decisions.agreements import case_word, confirmations_of
from gateway.flow.decisions.cases import comes_of
from gateway.flow.moving.order import ANY_VERSION, Known, Order, Refused

_STANDING: Final = frozenset(
    {
        Code.ILLEGAL_TRANSITION,
        Code.CASE_CLOSED,
        Code.ALREADY_DELIVERED,
        Code.CONFIRMATION_ACTIVE,
        Code.REFERRAL_CLOSED,
        Code.VERSION_STALE,
    }
)
"""Findings about how things stand, not about the document: at another time the same bytes would have been taken (409)."""

_OF_CASES: Final = frozenset(
    {
        MessageType.CASE_REVISED,
        MessageType.CASE_PROGRESSED,
        MessageType.CASE_ALERTED,
        MessageType.CASE_FOLLOWED_UP,
        MessageType.AGREEMENT_CONCLUDED,
        MessageType.AGREEMENT_PERFORMED,
        MessageType.CONFIRMATION_REQUESTED,
        MessageType.TRANSFER_REQUESTED,
    }
)
"""Steps on a case, of which a declined or closed one takes none."""

_CLOSED: Final = frozenset({CaseStatus.DECLINED.value, CaseStatus.CLOSED.value})
_UNTIL_TAKEN: Final = frozenset(
    {MessageType.AGREEMENT_CONCLUDED, MessageType.CONFIRMATION_REQUESTED, MessageType.TRANSFER_REQUESTED}
)
"""What is corrected only while nobody has it."""


def refusal_of(findings: Iterable[Finding], known: Known) -> Refused:
    """The refusal that tells all of the findings, of which one refuses at least."""
    kept = DocumentRefused(findings).findings
    errors = [finding for finding in kept if finding.is_error]
    own = [finding for finding in errors if finding.code not in _STANDING]
    step = next((finding for finding in errors if finding.code is Code.ILLEGAL_TRANSITION), None)
    extra = {} if step is None else {"legal": step.params["legal"]}
    active = next((finding for finding in errors if finding.code is Code.CONFIRMATION_ACTIVE), None)
    about = None if active is None else _active_confirmation(known)
    stale = any(finding.code is Code.VERSION_STALE for finding in errors)
    if stale and not own:
        return Refused(412, Code.VERSION_STALE, kept, about=about, extra=extra)
    return Refused(422 if own else 409, (own or errors)[0].code, kept, about=about, extra=extra)


def may_be_a_repeat(refusal: Refused) -> bool:
    """Whether a document was refused for nothing but how things stand: what it says may have been posted before."""
    errors = [finding.code for finding in refusal.findings if finding.is_error]
    told = {*_STANDING, Code.REFERRAL_NOT_ACCEPTED}
    return all(code in told for code in errors) if errors else refusal.status == 409


def beside(document: Document, known: Known) -> tuple[Finding, ...]:
    """What is wrong with a document beside those that it hangs together with. Of one that is not sound, what can be told.

    Raises:
        Refused: a confirmation of an agreement that took effect before any rule of it.
    """
    if isinstance(document, Agreement) and known.case is not None:
        return examine_agreement(document, known.case)
    if isinstance(document, Performance) and known.agreement is not None:
        return examine_performance(document, known.agreement)
    if isinstance(document, FollowUp) and known.case is not None:
        return gathered(_of_a_party(document, known.case))
    if isinstance(document, ConfirmationRequest) and known.case is not None and known.agreement is not None:
        of_both = examine_confirmation(document, known.case, known.agreement)
        return (*of_both, *gathered(_late(document, known)))
    if isinstance(document, ReferralResult):
        return examine_referral_result(document, known.agreement)
    return ()


def _of_a_party(visit: FollowUp, case: Case) -> Iterator[Finding]:
    yield from examine_follow_up(visit, case)


def _late(request: ConfirmationRequest, known: Known) -> Iterator[Finding]:
    """A request after its deadline, unless it says why: with article and dates. The day that counts is ``applied_at``."""
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


def standing(order: Order, document: Document, known: Known) -> tuple[Finding, ...]:
    """What forbids a document as things stand. Of one that is not sound, what can be told."""
    return gathered(
        _of_the_newest_version(order, known),
        _referral_accepted(document, known),
        _no_other_confirmation(order, known),
        _nobody_has_it(order, known),
        _referral_open(document, known),
        _step_is_legal(order, document, known),
    )


def _of_the_newest_version(order: Order, known: Known) -> Iterator[Finding]:
    """A revision is made from the newest version; the roster keeps to ``If-Match`` where it is given."""
    if order.if_match is None or not (order.revises or order.type is MessageType.MEDIATOR_LISTED):
        return
    there = None if known.target is None else known.target.version
    if there is None or order.if_match not in (ANY_VERSION, there):
        yield Finding.of("", Code.VERSION_STALE)


def _referral_accepted(document: Document, known: Known) -> Iterator[Finding]:
    """A case comes from a referral that its organisation accepted."""
    if not isinstance(document, Case):
        return
    referral = comes_of(document, known)
    if referral is None:
        return
    matter = None if known.referral_file is None else known.referral_file.matters.get(referral)
    if matter is None or matter.organization != document.organization.code or matter.status != "accepted":
        yield Finding.of("/referral", Code.REFERRAL_NOT_ACCEPTED)


def _active_confirmation(known: Known) -> str | None:
    asked = confirmations_of(known, known.agreement_id or "")
    return next((found.id for found in asked if found.active), None)


def _no_other_confirmation(order: Order, known: Known) -> Iterator[Finding]:
    first = order.type is MessageType.CONFIRMATION_REQUESTED and not order.revises
    if first and _active_confirmation(known) is not None:
        yield Finding.of("", Code.CONFIRMATION_ACTIVE)


def _nobody_has_it(order: Order, known: Known) -> Iterator[Finding]:
    """A new version comes too late once a platform has the older one, unless that platform asked for another (补正). A court's
    filing of a confirmation carries the agreement, which it asks for nowhere else."""
    target = known.target
    if not order.revises or order.type not in _UNTIL_TAKEN or target is None or known.file is None:
        return
    if target.kind == "transfer" and target.status == TransferStatus.CORRECTION_REQUIRED:
        return
    held = {(target.id, order.type.value)}
    if target.kind == "agreement":
        held |= {(found.id, MessageType.CONFIRMATION_REQUESTED.value) for found in confirmations_of(known, target.id)}
    if any((row.about, row.type) in held and row.state in TAKEN_STATES for row in known.file.deliveries):
        yield Finding.of("", Code.ALREADY_DELIVERED)


def _referral_open(document: Document, known: Known) -> Iterator[Finding]:
    status = None if known.target is None else known.target.status
    if isinstance(document, ReferralAnswer):
        answered = "accepted" if document.answer == "accept" else "declined"
        if status not in ("offered", answered):
            yield Finding.of("", Code.REFERRAL_CLOSED)
    elif isinstance(document, ReferralResult) and status == "offered":
        yield Finding.of("", Code.REFERRAL_NOT_ACCEPTED)
    elif isinstance(document, ReferralResult) and status != "accepted":
        yield Finding.of("", Code.REFERRAL_CLOSED)


def _step_is_legal(order: Order, document: Document, known: Known) -> Iterator[Finding]:
    """Upstream's own steps are legal ones, and a declined or closed case takes none."""
    matter = known.case_matter
    if matter is None or order.type not in _OF_CASES:
        return
    if isinstance(document, CaseProgress):
        word, pointer = str(document.status), "/status"
    elif matter.status in _CLOSED:
        yield Finding.of("", Code.CASE_CLOSED)
        return
    elif isinstance(document, Agreement):
        word, pointer = str(case_word(document, known) or matter.status), ""
    else:
        return
    refusal = refuse_upstream(matter.status, word)
    if refusal is None:
        return
    if refusal.code == Code.CASE_CLOSED.value:
        yield Finding.of("", Code.CASE_CLOSED)
    else:
        legal = tuple(sorted(str(step) for step in refusal.legal))
        yield Finding.of(pointer, Code.ILLEGAL_TRANSITION, legal=legal)
