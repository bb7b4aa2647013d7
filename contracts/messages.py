"""The table of message types: what travels, after what, to whom, and how long it may take (``messages.md`` §1).

A type is stated here alone. Intake, routes, retry classes and adapters take it from ``MESSAGE_TYPES``; what it publishes,
its clock and its business key are what its decision makes of the document (``gateway.flow.decisions``).
Recipients are the defaults of the configuration; conditions are named here and judged by the gateway's router.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from contracts.agreement import Agreement, Performance
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress, FollowUp
from contracts.confirmation import ConfirmationRequest, ConfirmationSupplement, ConfirmationWithdrawal
from contracts.document import Document
from contracts.mediator import Mediator
from contracts.referral import Referral, ReferralAnswer, ReferralResult
from contracts.report import StatusReport
from contracts.statistics import StatisticalReport
from contracts.status import Noun
from contracts.titled import Titled
from contracts.transfer import Transfer

HR = "hr_arbitration"
COURT = "court_mediation"
ONE_STOP = "one_stop"
UNION = "union"
NATIONAL = "national_mediation"
COMMERCE = "commerce_federation"
CONFEDERATION = "enterprise_confederation"
"""Adapter names of the platforms, as the entry points name them."""

ANY = "*"
"""In a recipient or a requirement: an endpoint of whatever adapter."""


class MessageType(Titled):
    """What a message is. The value is also the type's name in routes, deliveries and the console."""

    CASE_SUBMITTED = "case.submitted", "案件报送", "Case submitted"
    CASE_REVISED = "case.revised", "案件更正", "Case revised"
    CASE_PROGRESSED = "case.progressed", "案件进展", "Case progress"
    CASE_ALERTED = "case.alerted", "重大集体争议预警", "Collective dispute alert"
    CASE_FOLLOWED_UP = "case.followed_up", "回访记录", "Follow-up"
    AGREEMENT_CONCLUDED = "agreement.concluded", "调解协议报送", "Agreement concluded"
    AGREEMENT_PERFORMED = "agreement.performed", "履行情况报送", "Performance of an agreement"
    CONFIRMATION_REQUESTED = "confirmation.requested", "协议确认申请", "Confirmation requested"
    CONFIRMATION_SUPPLEMENTED = "confirmation.supplemented", "确认申请补正", "Confirmation supplemented"
    CONFIRMATION_WITHDRAWAL_REQUESTED = (
        "confirmation.withdrawal_requested",
        "确认申请撤回",
        "Withdrawal of a confirmation requested",
    )
    TRANSFER_REQUESTED = "transfer.requested", "案件移送", "Transfer requested"
    REFERRAL_ANSWERED = "referral.answered", "委派委托答复", "Referral answered"
    REFERRAL_RETURNED = "referral.returned", "委派委托结果反馈", "Referral result returned"
    MEDIATOR_LISTED = "mediator.listed", "调解员名册", "Mediator listed"
    STATISTICS_REPORTED = "statistics.reported", "统计报表", "Statistics reported"
    REFERRAL_OFFERED = "referral.offered", "委派委托下达", "Referral offered"
    STATUS_REPORTED = "status.reported", "状态通报", "Status of a platform reported"


class RetryClass(StrEnum):
    """How long the engine tries (``design.md`` §7). The schedules themselves are settings."""

    STANDARD = "standard"
    STATUTORY = "statutory"
    NOTIFY = "notify"


class Condition(StrEnum):
    """When a default recipient takes a message. All conditions of one row must hold."""

    HOLDS_CASE = "holds_case"
    """The case was routed to this endpoint: a later message follows it there, whatever today's configuration says."""
    HOLDS_AGREEMENT = "holds_agreement"
    """The agreement that the message is about was routed to this endpoint."""
    HOLDS_CONFIRMATION = "holds_confirmation"
    """The confirmation request that the message is about was routed to this endpoint."""
    REFERRAL_SENDER = "referral_sender"
    """This endpoint handed over the referral that the case comes from, or that the message is about."""
    COLLECTIVE = "collective"
    """The case's ``collective`` stands."""
    UNION_ORGANIZATION = "union_organization"
    """``organization.type`` is union_negotiation_room."""
    CHAMBER_ORGANIZATION = "chamber_organization"
    """``organization.type`` is chamber_of_commerce."""
    CONFEDERATION_ORGANIZATION = "confederation_organization"
    """``organization.type`` is enterprise_confederation."""
    ONLINE_CHANNEL = "online_channel"
    """``channel`` is web, app, mini_program or official_account."""
    ORGANIZATION_LISTED = "organization_listed"
    """The organisation is among the endpoint's ``organizations``; without such a list it is not."""
    ORGANIZATION_ALLOWED = "organization_allowed"
    """The organisation is among the endpoint's ``organizations``, or the endpoint has no such list."""
    NOT_CORRECTION = "not_correction"
    """The progress is not ``correction_required``."""
    ROUTE_ARBITRATION_REVIEW = "route_arbitration_review"
    """``route`` is arbitration_review (仲裁审查确认)."""
    ROUTE_JUDICIAL_CONFIRMATION = "route_judicial_confirmation"
    """``route`` is judicial_confirmation (司法确认)."""
    TO_ARBITRATION = "to_arbitration"
    """``to`` of the transfer is arbitration."""
    TO_COURT = "to_court"
    """``to`` of the transfer is court."""
    TO_LEGAL_AID = "to_legal_aid"
    """``to`` of the transfer is legal_aid."""
    NOT_SOURCE = "not_source"
    """The word did not come from this endpoint."""
    KNOWN_STATUS = "known_status"
    """The status is not ``unknown``."""
    NOT_ABOUT_REFERRAL = "not_about_referral"
    """The word is about a case, confirmation, transfer or fulfilment."""
    ABOUT_CONFIRMATION_OR_FILED_TRANSFER = "about_confirmation_or_filed_transfer"
    """The word is about a confirmation, or says that a transfer was filed: who is told has no status for the rest of it."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One row of a type's default recipients: endpoints of ``adapter`` where all conditions hold.

    ``ANY`` means every adapter but those in ``but``. An endpoint that two rows name gets one delivery.
    """

    adapter: str
    conditions: tuple[Condition, ...] = ()
    but: frozenset[str] = frozenset()


DocumentClass: TypeAlias = type[Document]


@dataclass(frozen=True, slots=True)
class MessageKind:
    """Everything the house knows of one message type.

    - ``document``: the class of the document inside.
    - ``opens``: the kind of the thing that it brings into being, and whose older version a revision takes the place of.
    - ``appended_to``: the kind of the thing that it is posted to; ``None`` = to none, it says itself what it belongs to.
    - ``retry``: its class; ``None`` = never delivered.
    - ``requires``: per adapter (``ANY`` for those not named) the types that must be *delivered* at the same endpoint
      first. It counts only for a predecessor that was routed there and that the message names (its case, agreement,
      confirmation or referral).
    - ``stands_for``: a delivered one meets what requires the named type, too, and does not wait for that type once it
      has superseded it (a revision is a first registration where the case was never taken).
    - ``recipients``: rows, any of which lets an endpoint in. Empty: nobody.
    - ``overtakes``: waits for what it requires alone and goes before the rest of its lane.
    """

    type: MessageType
    document: DocumentClass
    retry: RetryClass | None
    opens: Noun | None = None
    appended_to: Noun | None = Noun.CASE
    requires: Mapping[str, tuple[MessageType, ...]] = field(default_factory=dict)
    stands_for: MessageType | None = None
    recipients: tuple[Recipient, ...] = ()
    overtakes: bool = False

    def required_at(self, adapter: str) -> tuple[MessageType, ...]:
        """What an endpoint of this adapter must have delivered before."""
        return self.requires.get(adapter, self.requires.get(ANY, ()))


def _case_recipients() -> tuple[Recipient, ...]:
    """The endpoints that hold a case ("C" of the page), as chosen when the case is first routed."""
    allowed = Condition.ORGANIZATION_ALLOWED
    return (
        Recipient(HR),
        Recipient(ONE_STOP),
        Recipient(UNION, (Condition.UNION_ORGANIZATION, allowed)),
        Recipient(UNION, (Condition.COLLECTIVE,)),
        Recipient(NATIONAL, (Condition.ONLINE_CHANNEL, Condition.ORGANIZATION_LISTED)),
        Recipient(COMMERCE, (Condition.CHAMBER_ORGANIZATION, allowed)),
        Recipient(CONFEDERATION, (Condition.CONFEDERATION_ORGANIZATION, allowed)),
        # The court hears of a case that it referred from the agreement on.
        Recipient(ANY, (Condition.REFERRAL_SENDER,), but=frozenset({COURT})),
    )


_AFTER_CASE = {ANY: (MessageType.CASE_SUBMITTED,)}
_AFTER_CONFIRMATION = {ANY: (MessageType.CONFIRMATION_REQUESTED,)}
_OF_KNOWN_MATTERS = (Condition.HOLDS_CASE, Condition.NOT_SOURCE, Condition.KNOWN_STATUS)

_KINDS = (
    MessageKind(
        type=MessageType.CASE_SUBMITTED,
        document=Case,
        opens=Noun.CASE,
        appended_to=None,
        retry=RetryClass.STANDARD,
        requires={ANY: (MessageType.REFERRAL_ANSWERED,)},
        recipients=_case_recipients(),
    ),
    MessageKind(
        type=MessageType.CASE_REVISED,
        document=Case,
        retry=RetryClass.STANDARD,
        requires=_AFTER_CASE,
        stands_for=MessageType.CASE_SUBMITTED,
        recipients=(Recipient(ANY, (Condition.HOLDS_CASE,)),),
    ),
    MessageKind(
        type=MessageType.CASE_PROGRESSED,
        document=CaseProgress,
        retry=RetryClass.STANDARD,
        requires=_AFTER_CASE,
        recipients=(
            Recipient(ANY, (Condition.HOLDS_CASE,), but=frozenset({CONFEDERATION})),
            # The confederation's protocol has no word for a correction.
            Recipient(CONFEDERATION, (Condition.HOLDS_CASE, Condition.NOT_CORRECTION)),
        ),
    ),
    MessageKind(
        type=MessageType.CASE_ALERTED,
        document=CollectiveAlert,
        retry=RetryClass.STATUTORY,
        requires={ANY: (MessageType.CASE_SUBMITTED,), UNION: ()},
        recipients=(Recipient(HR), Recipient(ONE_STOP), Recipient(UNION)),
        overtakes=True,
    ),
    MessageKind(
        type=MessageType.CASE_FOLLOWED_UP,
        document=FollowUp,
        retry=None,
    ),
    MessageKind(
        type=MessageType.AGREEMENT_CONCLUDED,
        document=Agreement,
        opens=Noun.AGREEMENT,
        retry=RetryClass.STATUTORY,
        requires=_AFTER_CASE,
        recipients=(
            Recipient(ANY, (Condition.HOLDS_CASE,)),
            Recipient(COURT, (Condition.REFERRAL_SENDER,)),
        ),
    ),
    MessageKind(
        type=MessageType.AGREEMENT_PERFORMED,
        document=Performance,
        appended_to=Noun.AGREEMENT,
        retry=RetryClass.STANDARD,
        requires={ANY: (MessageType.AGREEMENT_CONCLUDED,)},
        recipients=(Recipient(ANY, (Condition.HOLDS_AGREEMENT,)),),
    ),
    MessageKind(
        type=MessageType.CONFIRMATION_REQUESTED,
        document=ConfirmationRequest,
        opens=Noun.CONFIRMATION,
        appended_to=Noun.AGREEMENT,
        retry=RetryClass.STATUTORY,
        # The court's filing carries case and agreement with it.
        requires={ANY: (MessageType.AGREEMENT_CONCLUDED,), COURT: ()},
        recipients=(
            Recipient(HR, (Condition.ROUTE_ARBITRATION_REVIEW,)),
            Recipient(COURT, (Condition.ROUTE_JUDICIAL_CONFIRMATION,)),
        ),
    ),
    MessageKind(
        type=MessageType.CONFIRMATION_SUPPLEMENTED,
        document=ConfirmationSupplement,
        appended_to=Noun.CONFIRMATION,
        retry=RetryClass.STATUTORY,
        requires=_AFTER_CONFIRMATION,
        recipients=(Recipient(ANY, (Condition.HOLDS_CONFIRMATION,)),),
    ),
    MessageKind(
        type=MessageType.CONFIRMATION_WITHDRAWAL_REQUESTED,
        document=ConfirmationWithdrawal,
        appended_to=Noun.CONFIRMATION,
        retry=RetryClass.STATUTORY,
        requires=_AFTER_CONFIRMATION,
        recipients=(Recipient(ANY, (Condition.HOLDS_CONFIRMATION,)),),
    ),
    MessageKind(
        type=MessageType.TRANSFER_REQUESTED,
        document=Transfer,
        opens=Noun.TRANSFER,
        retry=RetryClass.STATUTORY,
        requires={HR: (MessageType.CASE_SUBMITTED,), ONE_STOP: (MessageType.CASE_SUBMITTED,)},
        recipients=(
            Recipient(HR, (Condition.TO_ARBITRATION,)),
            Recipient(COURT, (Condition.TO_COURT,)),
            Recipient(UNION, (Condition.TO_LEGAL_AID,)),
            Recipient(ONE_STOP),
        ),
    ),
    MessageKind(
        type=MessageType.REFERRAL_ANSWERED,
        document=ReferralAnswer,
        appended_to=Noun.REFERRAL,
        retry=RetryClass.STATUTORY,
        recipients=(Recipient(ANY, (Condition.REFERRAL_SENDER,)),),
    ),
    MessageKind(
        type=MessageType.REFERRAL_RETURNED,
        document=ReferralResult,
        appended_to=Noun.REFERRAL,
        retry=RetryClass.STATUTORY,
        requires={ANY: (MessageType.REFERRAL_ANSWERED, MessageType.AGREEMENT_CONCLUDED)},
        recipients=(Recipient(ANY, (Condition.REFERRAL_SENDER,)),),
    ),
    MessageKind(
        type=MessageType.MEDIATOR_LISTED,
        document=Mediator,
        opens=Noun.MEDIATOR,
        appended_to=None,
        retry=RetryClass.STANDARD,
        recipients=(Recipient(HR), Recipient(COURT), Recipient(ONE_STOP)),
    ),
    MessageKind(
        type=MessageType.STATISTICS_REPORTED,
        document=StatisticalReport,
        appended_to=None,
        retry=RetryClass.STANDARD,
        recipients=(Recipient(NATIONAL),),
    ),
    MessageKind(
        type=MessageType.REFERRAL_OFFERED,
        document=Referral,
        appended_to=None,
        retry=None,
    ),
    MessageKind(
        type=MessageType.STATUS_REPORTED,
        document=StatusReport,
        appended_to=None,
        retry=RetryClass.STANDARD,
        requires=_AFTER_CASE,
        recipients=(
            Recipient(HR, (*_OF_KNOWN_MATTERS, Condition.NOT_ABOUT_REFERRAL)),
            Recipient(ONE_STOP, (*_OF_KNOWN_MATTERS, Condition.NOT_ABOUT_REFERRAL)),
            Recipient(NATIONAL, (*_OF_KNOWN_MATTERS, Condition.ABOUT_CONFIRMATION_OR_FILED_TRANSFER)),
        ),
    ),
)

MESSAGE_TYPES: Mapping[MessageType, MessageKind] = MappingProxyType({kind.type: kind for kind in _KINDS})
"""Every message type with its kind: complete, in the page's order."""
