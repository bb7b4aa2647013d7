"""The words of every lifecycle and how one follows another, as data.

The *theirs* lists hold what platforms and organisations say; ``unknown`` is one of their values, because a word that no
table maps stays unknown with its raw form and is never guessed. The *ours* lists are states of the engine itself.

Two askers, two strictnesses. Upstream's own steps are refused when they are illegal (``refuse_upstream``). A platform's
word is never refused (``move``): what is no legal step moves nothing and is kept as that platform's view and
as an event. Source of every step: ``messages.md`` §4; of the engine's own states: ``design.md`` §5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.deliveries import DELIVERY
from contracts.lifecycle import Lifecycle, Step
from contracts.titled import Titled


class Noun(Titled):
    """What has a lifecycle. The first part of an event's name is one of these, too."""

    CASE = "case", "案件", "Case"
    AGREEMENT = "agreement", "调解协议", "Agreement"
    CONFIRMATION = "confirmation", "协议确认", "Confirmation"
    TRANSFER = "transfer", "移送", "Transfer"
    REFERRAL = "referral", "委派委托", "Referral"
    FULFILMENT = "fulfilment", "协议履行", "Fulfilment"
    CLOCK = "clock", "法定期限", "Statutory deadline"
    DELIVERY = "delivery", "投递", "Delivery"
    CALLBACK = "callback", "回调", "Callback"
    ENDPOINT = "endpoint", "对接端点", "Endpoint"
    TASK = "task", "人工任务", "Task"
    MEDIATOR = "mediator", "调解员", "Mediator"
    STATISTICS = "statistics", "统计", "Statistics"


# --------------------------------------------------------------------------------------------------------------- theirs


class CaseStatus(Titled):
    """Where a case (调解案件) stands. Sources: ``design.md`` §5, 《人民法院在线调解规则》 art. 25 for the ends."""

    RECEIVED = "received", "已收到申请", "Received"
    CORRECTION_REQUIRED = "correction_required", "需补正", "Correction required"
    ACCEPTED = "accepted", "已受理", "Accepted"
    DECLINED = "declined", "不予受理", "Declined"
    MEDIATING = "mediating", "调解中", "Mediating"
    AGREED = "agreed", "达成协议", "Agreed"
    PARTLY_AGREED = "partly_agreed", "部分达成协议", "Partly agreed"
    FAILED = "failed", "调解不成", "Failed"
    WITHDRAWN = "withdrawn", "已撤回", "Withdrawn"
    TERMINATED = "terminated", "终止调解", "Terminated"
    TRANSFERRED = "transferred", "已移送", "Transferred"
    CLOSED = "closed", "已结案", "Closed"
    UNKNOWN = "unknown", "未知状态", "Unknown"


class ConfirmationStatus(Titled):
    """Where a confirmation (仲裁审查确认, 司法确认) stands. Source: 民诉法解释 arts. 351-372; 办案规则 arts. 74-79."""

    REQUESTED = "requested", "已申请", "Requested"
    CORRECTION_REQUIRED = "correction_required", "需补正", "Correction required"
    ACCEPTED = "accepted", "已受理", "Accepted"
    NOT_ACCEPTED = "not_accepted", "不予受理", "Not accepted"
    REVIEWING = "reviewing", "审查中", "Under review"
    CONFIRMED = "confirmed", "确认有效", "Confirmed"
    REJECTED = "rejected", "驳回申请", "Rejected"
    WITHDRAWN = "withdrawn", "准许撤回", "Withdrawn"
    DEEMED_WITHDRAWN = "deemed_withdrawn", "按撤回处理", "Deemed withdrawn"
    OBJECTED = "objected", "已提出异议", "Objected to"
    UNKNOWN = "unknown", "未知状态", "Unknown"


class TransferStatus(Titled):
    """Where a transfer to arbitration, court, legal aid … (移送, 转立案) stands."""

    REQUESTED = "requested", "已移送", "Requested"
    CORRECTION_REQUIRED = "correction_required", "需补正", "Correction required"
    FILED = "filed", "已立案", "Filed"
    REFUSED = "refused", "不予立案", "Refused"
    UNKNOWN = "unknown", "未知状态", "Unknown"


class ReferralStatus(Titled):
    """Where a case that a platform hands over (委派, 委托, 分流指派) stands."""

    OFFERED = "offered", "待确认", "Offered"
    ACCEPTED = "accepted", "已接受", "Accepted"
    DECLINED = "declined", "已退回", "Declined"
    RECALLED = "recalled", "已被收回", "Recalled"
    EXPIRED = "expired", "逾期未确认", "Expired"
    RETURNED = "returned", "已反馈结果", "Result returned"
    UNKNOWN = "unknown", "未知状态", "Unknown"


class FulfilmentStatus(Titled):
    """How one term of an agreement is performed (履行情况), from the agreement's effect on."""

    PERFORMING = "performing", "履行中", "Performing"
    PARTLY_PERFORMED = "partly_performed", "部分履行", "Partly performed"
    PERFORMED = "performed", "已履行", "Performed"
    BREACHED = "breached", "未履行", "Breached"
    UNKNOWN = "unknown", "未知状态", "Unknown"


# ----------------------------------------------------------------------------------------------------------------- ours


class CallbackState(Titled):
    """What became of one stored callback."""

    STORED = "stored", "已存储", "Stored"
    APPLIED = "applied", "已处理", "Applied"
    DUPLICATE = "duplicate", "重复", "Duplicate"
    ORPHAN = "orphan", "无对应业务", "Orphan"
    UNREADABLE = "unreadable", "无法解析", "Unreadable"


class ClockState(Titled):
    """Where a statutory clock (法定期限) stands. ``provisional`` is a flag beside it, not a state."""

    RUNNING = "running", "计算中", "Running"
    SUSPENDED = "suspended", "中止", "Suspended"
    MET = "met", "已按期完成", "Met"
    EXPIRED = "expired", "已届满", "Expired"
    CANCELLED = "cancelled", "已取消", "Cancelled"


class TaskKind(Titled):
    """Why a person is asked. Source: ``messages.md`` §6."""

    IN_DOUBT = "in_doubt", "投递结果不明", "Delivery in doubt"
    REJECTED = "rejected", "平台拒绝", "Rejected by the platform"
    DEAD = "dead", "投递重试用尽", "Delivery retries exhausted"
    BLOCKED = "blocked", "前序未送达，后续受阻", "Blocked by a predecessor"
    WORD_OVERDUE = "word_overdue", "平台逾期未回复", "Platform's word overdue"
    STATUTORY_LATE = "statutory_late", "法定期限将届满或已届满", "Statutory deadline at risk or passed"
    CONTRADICTION = "contradiction", "状态矛盾", "Contradicting states"
    POSSIBLE_DUPLICATE = "possible_duplicate", "疑似重复案件", "Possible duplicate"
    FILED_TWICE = "filed_twice", "平台重复登记", "Filed twice at the platform"
    UNMAPPED_CODE = "unmapped_code", "代码无对照", "Unmapped code"
    ORPHAN_CALLBACK = "orphan_callback", "回调无对应业务", "Orphan callback"
    UNREADABLE_CALLBACK = "unreadable_callback", "回调无法解析", "Unreadable callback"
    CORRECTION_DUE = "correction_due", "待补正", "Correction due"
    SUPERVISION = "supervision", "督办", "Supervision"
    REPORT_RETURNED = "report_returned", "统计报表被退回", "Report returned"
    REFERRAL_DUE = "referral_due", "委派委托待答复", "Referral to be answered"
    ALERT_UNANSWERED = "alert_unanswered", "重大集体争议预警未获回应", "Alert unanswered"
    CERTIFICATE_EXPIRING = "certificate_expiring", "证书即将到期", "Certificate expiring"


class ReferenceKind(Titled):
    """What kind of number a platform gave (``external_refs.kind``). Source: ``messages.md`` §6."""

    PLATFORM_NO = "platform_no", "平台流水号", "Platform number"
    CASE_NO = "case_no", "案号", "Case number"
    DOCUMENT_NO = "document_no", "文书号", "Document number"
    TASK_NO = "task_no", "任务编号", "Task number"
    LETTER_NO = "letter_no", "函号", "Letter number"
    REFERRAL_ID = "referral_id", "委派委托标识", "Referral id"
    AGREEMENT_ID = "agreement_id", "协议标识", "Agreement id"
    BATCH_NO = "batch_no", "批次号", "Batch number"
    FILE_NO = "file_no", "文件号", "File number"


# ---------------------------------------------------------------------------------------------------------------- steps

CASE_ENDS: frozenset[CaseStatus] = frozenset(
    {
        CaseStatus.AGREED,
        CaseStatus.PARTLY_AGREED,
        CaseStatus.FAILED,
        CaseStatus.WITHDRAWN,
        CaseStatus.TERMINATED,
    }
)
"""The five ends of a mediation; each has a ``reason_code`` (在线调解规则 art. 25)."""

FILED_MOVES_CASE: frozenset[str] = frozenset({"arbitration", "court"})
"""Where a transfer's ``filed`` moves an ended case to ``transferred``; elsewhere the organisation's own word does."""

_AFTER_END = (CaseStatus.TRANSFERRED, CaseStatus.CLOSED)

CASE = Lifecycle(
    CaseStatus.RECEIVED,
    {
        CaseStatus.RECEIVED: (
            CaseStatus.CORRECTION_REQUIRED,
            CaseStatus.ACCEPTED,
            CaseStatus.DECLINED,
            CaseStatus.MEDIATING,
            *CASE_ENDS,
        ),
        CaseStatus.CORRECTION_REQUIRED: (
            CaseStatus.RECEIVED,
            CaseStatus.ACCEPTED,
            CaseStatus.DECLINED,
            CaseStatus.MEDIATING,
            *CASE_ENDS,
        ),
        CaseStatus.ACCEPTED: (CaseStatus.MEDIATING, *CASE_ENDS),
        CaseStatus.MEDIATING: CASE_ENDS,
        CaseStatus.PARTLY_AGREED: (*(CASE_ENDS - {CaseStatus.PARTLY_AGREED}), *_AFTER_END),
        CaseStatus.AGREED: _AFTER_END,
        CaseStatus.FAILED: _AFTER_END,
        CaseStatus.WITHDRAWN: _AFTER_END,
        CaseStatus.TERMINATED: _AFTER_END,
        CaseStatus.TRANSFERRED: (CaseStatus.CLOSED,),
    },
    final=(CaseStatus.DECLINED, CaseStatus.CLOSED),
)

_AFTER_REVIEW = (
    ConfirmationStatus.CONFIRMED,
    ConfirmationStatus.OBJECTED,
    ConfirmationStatus.REJECTED,
    ConfirmationStatus.WITHDRAWN,
    ConfirmationStatus.DEEMED_WITHDRAWN,
)

CONFIRMATION = Lifecycle(
    ConfirmationStatus.REQUESTED,
    {
        ConfirmationStatus.REQUESTED: (
            ConfirmationStatus.CORRECTION_REQUIRED,
            ConfirmationStatus.ACCEPTED,
            ConfirmationStatus.NOT_ACCEPTED,
            ConfirmationStatus.REVIEWING,
            *_AFTER_REVIEW,
        ),
        ConfirmationStatus.CORRECTION_REQUIRED: (
            ConfirmationStatus.REQUESTED,
            ConfirmationStatus.ACCEPTED,
            ConfirmationStatus.NOT_ACCEPTED,
            ConfirmationStatus.REVIEWING,
            *_AFTER_REVIEW,
        ),
        ConfirmationStatus.ACCEPTED: (ConfirmationStatus.REVIEWING, *_AFTER_REVIEW),
        ConfirmationStatus.REVIEWING: _AFTER_REVIEW,
        ConfirmationStatus.CONFIRMED: (ConfirmationStatus.OBJECTED,),
    },
    final=(ConfirmationStatus.NOT_ACCEPTED, *_AFTER_REVIEW),
)

TRANSFER = Lifecycle(
    TransferStatus.REQUESTED,
    {
        TransferStatus.REQUESTED: (
            TransferStatus.CORRECTION_REQUIRED,
            TransferStatus.FILED,
            TransferStatus.REFUSED,
        ),
        TransferStatus.CORRECTION_REQUIRED: (TransferStatus.FILED, TransferStatus.REFUSED),
    },
    final=(TransferStatus.FILED, TransferStatus.REFUSED),
    renewed=(TransferStatus.CORRECTION_REQUIRED,),
)

REFERRAL = Lifecycle(
    ReferralStatus.OFFERED,
    {
        ReferralStatus.OFFERED: (
            ReferralStatus.ACCEPTED,
            ReferralStatus.DECLINED,
            ReferralStatus.RECALLED,
            ReferralStatus.EXPIRED,
        ),
        ReferralStatus.ACCEPTED: (ReferralStatus.RETURNED, ReferralStatus.RECALLED),
    },
    final=(ReferralStatus.DECLINED, ReferralStatus.RECALLED, ReferralStatus.EXPIRED, ReferralStatus.RETURNED),
)

FULFILMENT = Lifecycle(
    FulfilmentStatus.PERFORMING,
    {
        FulfilmentStatus.PERFORMING: (
            FulfilmentStatus.PARTLY_PERFORMED,
            FulfilmentStatus.PERFORMED,
            FulfilmentStatus.BREACHED,
        ),
        FulfilmentStatus.PARTLY_PERFORMED: (FulfilmentStatus.PERFORMED, FulfilmentStatus.BREACHED),
        FulfilmentStatus.BREACHED: (FulfilmentStatus.PARTLY_PERFORMED, FulfilmentStatus.PERFORMED),
    },
    final=(FulfilmentStatus.PERFORMED,),
)

CALLBACK = Lifecycle(
    CallbackState.STORED,
    {
        CallbackState.STORED: frozenset(CallbackState) - {CallbackState.STORED},
        CallbackState.ORPHAN: (CallbackState.APPLIED, CallbackState.DUPLICATE),
        # Once the adapter has learnt to read it, the stored call is parsed again.
        CallbackState.UNREADABLE: (CallbackState.APPLIED, CallbackState.DUPLICATE, CallbackState.ORPHAN),
    },
    final=(CallbackState.APPLIED, CallbackState.DUPLICATE),
)

CLOCK = Lifecycle(
    ClockState.RUNNING,
    {
        ClockState.RUNNING: (ClockState.SUSPENDED, ClockState.MET, ClockState.EXPIRED, ClockState.CANCELLED),
        ClockState.SUSPENDED: (ClockState.RUNNING, ClockState.MET, ClockState.CANCELLED),
        # A request that ends without a confirmation frees the agreement within its clocks: what was met runs again.
        ClockState.MET: (ClockState.RUNNING, ClockState.CANCELLED),
        # A published holiday calendar or an extension may move the last day behind today.
        ClockState.EXPIRED: (ClockState.RUNNING, ClockState.CANCELLED),
    },
    final=(ClockState.CANCELLED,),
)

LIFECYCLES: Mapping[Noun, Lifecycle[StrEnum]] = {
    Noun.CASE: CASE,
    Noun.CONFIRMATION: CONFIRMATION,
    Noun.TRANSFER: TRANSFER,
    Noun.REFERRAL: REFERRAL,
    Noun.FULFILMENT: FULFILMENT,
    Noun.DELIVERY: DELIVERY,
    Noun.CALLBACK: CALLBACK,
    Noun.CLOCK: CLOCK,
}
"""Every noun that has steps. Nouns without (task, endpoint, mediator …) are not in it."""


def legal_steps(noun: str, status: str) -> frozenset[StrEnum]:
    """The statuses that may follow at once. Raises ``ValueError`` or ``KeyError`` for a noun or word without steps."""
    return LIFECYCLES[Noun(noun)].legal_steps(status)


def is_final(noun: str, status: str) -> bool:
    """Whether the status is final: another final word is a contradiction. Raises as ``legal_steps``."""
    return LIFECYCLES[Noun(noun)].is_final(status)


def move(
    noun: str, current: str, word: str, *, since: datetime | None = None, at: datetime | None = None
) -> Step[StrEnum]:
    """What a platform's word does to a matter's one status; never refuses. See ``Lifecycle.move``."""
    return LIFECYCLES[Noun(noun)].move(current, word, since=since, at=at)


def is_end(status: str) -> bool:
    """Whether the case status is one of the five ends of a mediation, after which it is transferred or closed."""
    return CaseStatus(status) in CASE_ENDS


def frees_agreement(status: str) -> bool:
    """Whether a confirmation in this status leaves its agreement free for another request within its clocks.

    All final ones do but ``confirmed`` (and ``objected``, which adds to it): both routes exclude each other, one active
    confirmation per agreement.
    """
    confirmation = ConfirmationStatus(status)
    confirmed = (ConfirmationStatus.CONFIRMED, ConfirmationStatus.OBJECTED)
    return confirmation in CONFIRMATION.final and confirmation not in confirmed


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why upstream's step is refused: contract code ``illegal_transition`` or ``case_closed``, and the legal steps."""

    code: str
    legal: frozenset[CaseStatus]


def refuse_upstream(current: str, word: str) -> Refusal | None:
    """Judge a step that upstream asks for by CaseProgress or Agreement; ``None`` = legal, or the same status again.

    On a declined or closed case every step is ``case_closed``; any other step that is not legal is
    ``illegal_transition``. Raises ``ValueError`` for a word that is no case status.
    """
    here, there = CaseStatus(current), CaseStatus(word)
    if there == here or (there in CASE.legal_steps(here) and there is not CaseStatus.UNKNOWN):
        return None
    return Refusal("case_closed" if here in CASE.final else "illegal_transition", CASE.legal_steps(here))
