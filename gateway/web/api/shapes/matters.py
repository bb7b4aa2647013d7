"""Cases and what hangs on them as they are read (案件、协议、确认、移送、委派委托、调解员), and documents as they are taken."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from contracts.agreement import Agreement
from contracts.case import Case
from contracts.confirmation import Authority as Court
from contracts.confirmation import ConfirmationRequest
from contracts.lists import AttachmentKind, ConfirmationRoute, MediaType, ReferralKind, TransferTo
from contracts.mediator import Mediator
from contracts.referral import CaseDraft, Referral
from contracts.status import CaseStatus, ConfirmationStatus, FulfilmentStatus, ReferralStatus, TransferStatus
from contracts.transfer import Transfer
from gateway.web.api.shapes.clocks import Clock, StartedClock
from gateway.web.api.shapes.deliveries import Delivery, Owed
from gateway.web.api.shapes.parts import (
    CODE,
    ENDPOINT,
    Address,
    AgreementId,
    AttachmentId,
    Authority,
    CaseId,
    ConfirmationId,
    Count,
    Day,
    Finding,
    Links,
    MediatorId,
    Moment,
    OrganizationRef,
    Page,
    PlatformNumber,
    ReferralId,
    Shown,
    TransferId,
    Version,
    absent,
    one_of,
    told,
)

_STATUS = told("状态", "its status")
_VERSION = told("版本，即 ETag", "its version, as in ETag")
_ROSTER = one_of(("active", "left"))


class Accepted(Shown):
    """A document that is durable (已持久保存的文书)."""

    id: Annotated[str, told("网关编号", "the gateway's id of what it is about")]
    status: Annotated[str, told("所涉事项的状态", "the matter's status")]
    version: Annotated[Version, _VERSION]
    effective_at: Annotated[Moment, told("协议生效时间", "when the agreement takes effect")] = absent()
    warnings: Annotated[list[Finding], told("提示", "warnings")]
    deliveries: Annotated[list[Owed], told("欠各平台的投递", "what is owed to which platform")]
    clocks: Annotated[list[StartedClock], told("由此开始的期限", "clocks that it starts")]
    links: Annotated[Links, told("链接", "where to read on")]


class BatchLine(Shown):
    """The result of one line of a batch (批量报送的一行结果)."""

    line: Annotated[int, Field(ge=1), told("行号", "the line's number")]
    status: Annotated[int, told("HTTP 状态，同单件报送", "the HTTP status, as of a single post")]
    replayed: Annotated[bool, told("此前已有同一请求", "the same request came before")] = absent()
    result: Annotated[
        Any,
        Field(
            json_schema_extra={
                "oneOf": [{"$ref": "#/components/schemas/Accepted"}, {"$ref": "#/components/schemas/Problem"}]
            }
        ),
        told("单件报送的答复", "the answer of a single post"),
    ]


class NextStep(Shown):
    """What the law leaves open to do next (下一步)."""

    action: Annotated[str, told("可以做什么", "what may be done")]
    authority: Annotated[Authority, told("向谁提出", "before whom")]
    until: Annotated[Day, told("截止日", "the last day")] = absent()
    article: Annotated[str, told("法律依据（中文）", "the article, in Chinese")] = absent()
    article_en: Annotated[str, told("法律依据（英文）", "the article, in English")] = absent()
    blocked_by: Annotated[str, told("因此事项暂不能做", "what bars it for now")] = absent()
    confirmation: Annotated[ConfirmationId, told("所等待的确认", "the confirmation that is waited for")] = absent()
    inviting_court: Annotated[Court, told("委派法院", "the court that handed the case over")] = absent()


class DecisionPaper(Shown):
    """A decision document that a platform sent (结果文书)."""

    endpoint: Annotated[str, ENDPOINT]
    state: Annotated[Literal["pending", "fetched", "failed"], told("下载状态", "how the download stands")]
    code: Annotated[str, CODE] = absent()
    attachment: Annotated[AttachmentId, told("附件编号", "the attachment's id")] = absent()
    kind: Annotated[AttachmentKind, told("附件类别", "what kind of paper it is")] = absent()
    name: Annotated[str, told("文件名", "the file's name")] = absent()
    media_type: Annotated[MediaType, told("媒体类型", "its media type")] = absent()
    size: Annotated[Count, told("字节数", "its bytes")] = absent()
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$"), told("SHA-256（十六进制）", "its SHA-256 in hex")] = (
        absent()
    )
    link: Annotated[Address, told("下载地址", "where to fetch it")] = absent()


class CorrectionReason(Shown):
    """One thing that a platform wants supplied (补正事项)."""

    code: Annotated[str, told("平台代码", "the platform's code")] = absent()
    place: Annotated[str, told("所指位置", "the place that is meant")] = absent()
    text: Annotated[str, told("平台原文", "the platform's words")] = absent()


class Correction(Shown):
    """What a platform wants supplied (补正)."""

    reasons: Annotated[list[CorrectionReason], told("补正事项", "what is to be supplied")]
    due: Annotated[Day, told("补正截止日", "the last day for it")] = absent()
    note: Annotated[str, told("说明", "a note")] = absent()


class AgreementBrief(Shown):
    """An agreement in one line (调解协议)."""

    id: Annotated[AgreementId, told("协议编号", "the agreement's id")]
    status: Annotated[Literal["concluded"], _STATUS]
    version: Annotated[Version, _VERSION]


class ConfirmationBrief(Shown):
    """A confirmation in one line (协议确认)."""

    id: Annotated[ConfirmationId, told("确认申请编号", "the confirmation's id")]
    status: Annotated[ConfirmationStatus, _STATUS]
    version: Annotated[Version, _VERSION]
    route: Annotated[ConfirmationRoute, told("确认途径", "the route")]


class TransferBrief(Shown):
    """A transfer in one line (移送)."""

    id: Annotated[TransferId, told("移送编号", "the transfer's id")]
    status: Annotated[TransferStatus, _STATUS]
    version: Annotated[Version, _VERSION]
    to: Annotated[TransferTo, told("移送去向", "where it goes")]


class LinkedCase(Shown):
    """Another case of the same dispute (关联案件)."""

    case: Annotated[CaseId, told("案件编号", "the case's id")]


class Fulfilment(Shown):
    """How a term of the agreement is performed (履行情况)."""

    term_no: Annotated[int, Field(ge=1), told("条款序号", "the term's number")]
    status: Annotated[FulfilmentStatus, told("履行状态", "how it is performed")]
    updated_at: Annotated[Moment, told("更新时间", "when it last moved")]


class Entry(Shown):
    """What everything has that is read or stands in a list (列表项)."""

    version: Annotated[Version, _VERSION]
    organization: Annotated[OrganizationRef, told("调解组织", "the organisation")]
    created_at: Annotated[Moment, told("生成时间", "when it came")]
    updated_at: Annotated[Moment, told("更新时间", "when it last changed")]


class Matter(Entry):
    """What every thing that is read has (事项)."""

    clocks: Annotated[list[Clock], told("法定期限", "its clocks")]
    deliveries: Annotated[list[Delivery], told("投递", "its deliveries")]
    external_refs: Annotated[list[PlatformNumber], told("平台编号", "numbers that platforms gave")]
    documents: Annotated[list[DecisionPaper], told("结果文书", "decision documents")]
    next_steps: Annotated[list[NextStep], told("下一步", "what may be done next")]
    links: Annotated[Links, told("链接", "where to read on")]


class CaseView(Matter):
    """A case as it is read (案件)."""

    id: Annotated[CaseId, told("案件编号", "the case's id")]
    kind: Annotated[Literal["case"], told("事项种类", "what it is")]
    status: Annotated[CaseStatus, _STATUS]
    case: Annotated[CaseId, told("案件编号", "the case's id")]
    document: Annotated[Case, told("文书最新版本", "the newest version of the document")] = absent()
    agreements: Annotated[list[AgreementBrief], told("调解协议", "its agreements")]
    confirmations: Annotated[list[ConfirmationBrief], told("协议确认", "their confirmations")]
    transfers: Annotated[list[TransferBrief], told("移送", "its transfers")]
    linked_cases: Annotated[list[LinkedCase], told("关联案件", "cases of the same dispute")] = absent()


class AgreementView(Matter):
    """An agreement as it is read (调解协议)."""

    id: Annotated[AgreementId, told("协议编号", "the agreement's id")]
    kind: Annotated[Literal["agreement"], told("事项种类", "what it is")]
    status: Annotated[Literal["concluded"], _STATUS]
    case: Annotated[CaseId, told("所属案件", "its case")]
    document: Annotated[Agreement, told("文书最新版本", "the newest version of the document")] = absent()
    effective_at: Annotated[Moment, told("生效时间", "when it takes effect")] = absent()
    fulfilment: Annotated[list[Fulfilment], told("各条款履行情况", "how each term is performed")]
    confirmations: Annotated[list[ConfirmationBrief], told("协议确认", "its confirmations")]


class ConfirmationView(Matter):
    """A confirmation as it is read (协议确认)."""

    id: Annotated[ConfirmationId, told("确认申请编号", "the confirmation's id")]
    kind: Annotated[Literal["confirmation"], told("事项种类", "what it is")]
    status: Annotated[ConfirmationStatus, _STATUS]
    case: Annotated[CaseId, told("所属案件", "its case")]
    document: Annotated[ConfirmationRequest, told("文书最新版本", "the newest version of the document")] = absent()
    route: Annotated[ConfirmationRoute, told("确认途径", "the route")]
    agreement: Annotated[AgreementId, told("所确认的协议", "the agreement")]
    correction: Annotated[Correction, told("须补正的内容", "what is to be supplied")] = absent()


class TransferView(Matter):
    """A transfer as it is read (移送)."""

    id: Annotated[TransferId, told("移送编号", "the transfer's id")]
    kind: Annotated[Literal["transfer"], told("事项种类", "what it is")]
    status: Annotated[TransferStatus, _STATUS]
    case: Annotated[CaseId, told("所属案件", "its case")]
    document: Annotated[Transfer, told("文书最新版本", "the newest version of the document")] = absent()
    to: Annotated[TransferTo, told("移送去向", "where it goes")]
    correction: Annotated[Correction, told("须补正的内容", "what is to be supplied")] = absent()


class CaseToPost(CaseDraft):
    """The Case to post after accepting, as far as the platform told it (案件草稿)."""

    schema_version: Annotated[Literal["1.0"], told("契约版本", "the contract's version")]


class ReferralView(Matter):
    """A referral as it is read (委派委托)."""

    id: Annotated[ReferralId, told("委派委托编号", "the referral's id")]
    kind: Annotated[Literal["referral"], told("事项种类", "what it is")]
    status: Annotated[ReferralStatus, _STATUS]
    case: Annotated[CaseId, told("由此报送的案件", "the case that came of it")] = absent()
    document: Annotated[Referral, told("平台发来的内容", "what the platform sent")] = absent()
    draft: Annotated[CaseToPost, told("可据以报送的案件草稿", "the Case to post, filled in as far as known")] = absent()


class MediatorView(Matter):
    """A mediator on the roster as it is read (调解员)."""

    id: Annotated[MediatorId, told("网关编号", "the gateway's id")]
    kind: Annotated[Literal["mediator"], told("事项种类", "what it is")]
    status: Annotated[str, _ROSTER, told("在册或者已离册", "on the roster or gone from it")]
    document: Annotated[Mediator, told("名册内容", "the entry")] = absent()
    certificate_no: Annotated[str, told("调解员证编号", "the certificate's number")]


# -------------------------------------------------------------------------------------------------------------------- lists


class CaseEntry(Entry):
    """A case in a list (案件列表项)."""

    id: Annotated[CaseId, told("案件编号", "the case's id")]
    status: Annotated[CaseStatus, _STATUS]
    source_case_no: Annotated[str, told("上报系统的案件编号", "the sender's own number of the case")]


class ReferralEntry(Entry):
    """A referral in a list (委派委托列表项)."""

    id: Annotated[ReferralId, told("委派委托编号", "the referral's id")]
    status: Annotated[ReferralStatus, _STATUS]
    kind: Annotated[ReferralKind, told("委派委托类型", "what kind of referral")]
    task_no: Annotated[str, told("任务编号", "the task's number")]


class MediatorEntry(Entry):
    """A mediator in a list (名册列表项)."""

    id: Annotated[MediatorId, told("网关编号", "the gateway's id")]
    status: Annotated[str, _ROSTER, told("在册或者已离册", "on the roster or gone from it")]
    certificate_no: Annotated[str, told("调解员证编号", "the certificate's number")]


class CasePage(Page[CaseEntry]):
    """One page of cases (案件列表)."""


class ReferralPage(Page[ReferralEntry]):
    """One page of referrals (委派委托列表)."""


class Roster(Page[MediatorEntry]):
    """One page of the roster of mediators (调解员名册)."""
