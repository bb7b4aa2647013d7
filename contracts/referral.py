"""The referral (委派, 委托, 分流, 移交): a case that a platform hands over, the answer to it and its result.

Platforms know less than a case needs. A draft therefore holds what was sent and nothing else: what is absent was not
sent, and numbers of persons and phones stand as the platform wrote them (it may have masked them).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

from contracts.agreement import Agreement
from contracts.attachment import AttachmentReference
from contracts.case import Cause, Consent, MediatorReference, UndisputedFacts
from contracts.confirmation import Authority
from contracts.document import Document, Part, gathered, named, rule
from contracts.findings import Code, Finding
from contracts.lists import (
    AgentAuthority,
    AgentKind,
    ApplicationForm,
    Channel,
    ClaimKind,
    EndReason,
    IdType,
    OrganizationType,
    PartyKind,
    PartyRole,
    ReferralDecision,
    ReferralKind,
    ReferralOutcome,
    Sex,
    UnitSize,
    UnitType,
)
from contracts.status import ReferenceKind
from contracts.values import (
    LIST_LIMIT,
    AgreementId,
    CaseNo,
    Count,
    Day,
    IdentityNumber,
    LongText,
    Money,
    Name,
    OrganizationCode,
    PastTime,
    ReferralId,
    ShortText,
    Time,
)

# --------------------------------------------------------------------------------------------------------------- draft


class AddressDraft(Part):
    """An address as far as the platform sent it (地址)."""

    region_code: Annotated[ShortText | None, named("行政区划代码", "Region code")] = None
    detail: Annotated[ShortText | None, named("详细地址", "Detail")] = None


class ServiceAddressDraft(AddressDraft):
    """A service address as far as the platform sent it (送达地址)."""

    electronic_consent: Annotated[bool | None, named("同意电子送达", "Consent to electronic service")] = None


class AgentDraft(Part):
    """An agent as far as the platform sent it (代理人)."""

    kind: Annotated[AgentKind | None, named("代理人类型", "Kind of agent")] = None
    name: Annotated[Name, named("姓名", "Name")]
    id_type: Annotated[IdType | None, named("证件类型", "Kind of identity document")] = None
    id_number: Annotated[IdentityNumber | None, named("证件号码", "Number of identity document")] = None
    phone: Annotated[ShortText | None, named("电话", "Phone")] = None
    authority: Annotated[AgentAuthority | None, named("代理权限", "Power of the agent")] = None


class LegalRepresentativeDraft(Part):
    """A legal representative as far as the platform sent it (法定代表人)."""

    name: Annotated[Name, named("姓名", "Name")]
    position: Annotated[ShortText | None, named("职务", "Position")] = None


class ContactDraft(Part):
    """A contact as far as the platform sent it (联系人)."""

    name: Annotated[Name | None, named("姓名", "Name")] = None
    phone: Annotated[ShortText | None, named("电话", "Phone")] = None


class PartyDraft(Part):
    """A party as far as the platform sent it (当事人): the fields of persons and units in one."""

    role: Annotated[PartyRole, named("当事人地位", "Standing")]
    kind: Annotated[
        Literal["person", "employer", "other_organization"], named("当事人类型", "Kind of party", list(PartyKind))
    ]
    name: Annotated[Name, named("姓名或者名称", "Name")]
    id_type: Annotated[IdType | None, named("证件类型", "Kind of identity document")] = None
    id_number: Annotated[IdentityNumber | None, named("证件号码", "Number of identity document")] = None
    sex: Annotated[Sex | None, named("性别", "Sex")] = None
    birth_date: Annotated[Day | None, named("出生日期", "Birth date")] = None
    ethnic_group: Annotated[ShortText | None, named("民族", "Ethnic group")] = None
    phone: Annotated[ShortText | None, named("电话", "Phone")] = None
    occupation: Annotated[ShortText | None, named("职业", "Occupation")] = None
    credit_code: Annotated[ShortText | None, named("统一社会信用代码", "Unified social credit code")] = None
    unit_type: Annotated[UnitType | None, named("单位类型", "Type of unit")] = None
    industry: Annotated[ShortText | None, named("行业（GB/T 4754）", "Industry (GB/T 4754)")] = None
    size: Annotated[UnitSize | None, named("企业规模", "Size")] = None
    legal_representative: Annotated[LegalRepresentativeDraft | None, named("法定代表人", "Legal representative")] = None
    contact: Annotated[ContactDraft | None, named("联系人", "Contact")] = None
    address: Annotated[AddressDraft | None, named("地址", "Address")] = None
    service_address: Annotated[ServiceAddressDraft | None, named("送达地址", "Service address")] = None
    agents: Annotated[tuple[AgentDraft, ...], named("代理人", "Agents", max_length=LIST_LIMIT)] = ()


class OrganizationDraft(Part):
    """The organisation that is to mediate, as far as the platform sent it (调解组织)."""

    code: Annotated[OrganizationCode | None, named("组织代码", "Code")] = None
    name: Annotated[Name | None, named("组织名称", "Name")] = None
    type: Annotated[OrganizationType | None, named("组织类型", "Type")] = None
    region_code: Annotated[ShortText | None, named("行政区划代码", "Region code")] = None
    credit_code: Annotated[ShortText | None, named("统一社会信用代码", "Unified social credit code")] = None


class ClaimDraft(Part):
    """A claim as far as the platform sent it (请求事项); ``amount`` in yuan."""

    kind: Annotated[ClaimKind | None, named("请求类别", "Kind of claim")] = None
    text: Annotated[LongText | None, named("请求内容", "Text")] = None
    amount: Annotated[Money | None, named("请求金额（元）", "Amount (yuan)")] = None


class CollectiveDraft(Part):
    """Particulars of a collective dispute as far as the platform sent them (集体争议)."""

    worker_count: Annotated[Count | None, named("涉及人数", "Workers concerned")] = None
    representatives: Annotated[tuple[Name, ...], named("代表人", "Representatives", max_length=LIST_LIMIT)] = ()
    major: Annotated[bool | None, named("重大集体争议", "Major")] = None


class CaseDraft(Part):
    """The fields of a case as far as the platform sent them (案件草稿)."""

    source_case_no: Annotated[CaseNo | None, named("来源案号", "Case number of the sender")] = None
    organization: Annotated[OrganizationDraft | None, named("调解组织", "Organisation")] = None
    channel: Annotated[Channel | None, named("申请渠道", "Channel")] = None
    application_form: Annotated[ApplicationForm | None, named("申请方式", "Form of the application")] = None
    received_at: Annotated[Time | None, named("收到申请时间", "Received at")] = None
    accepted_at: Annotated[Time | None, named("受理时间", "Accepted at")] = None
    referral: Annotated[ReferralId | None, named("委派委托标识", "Referral")] = None
    cause: Annotated[Cause | None, named("案由", "Cause")] = None
    facts: Annotated[LongText, named("事实与理由", "Facts")]
    claims: Annotated[tuple[ClaimDraft, ...], named("请求事项", "Claims", max_length=LIST_LIMIT)] = ()
    amount: Annotated[Money | None, named("涉案金额（元）", "Amount in dispute (yuan)")] = None
    parties: Annotated[tuple[PartyDraft, ...], named("当事人", "Parties", max_length=LIST_LIMIT)] = ()
    collective: Annotated[CollectiveDraft | None, named("集体争议", "Collective dispute")] = None
    mediators: Annotated[tuple[MediatorReference, ...], named("调解员", "Mediators", max_length=LIST_LIMIT)] = ()
    attachments: Annotated[tuple[AttachmentReference, ...], named("附件", "Attachments", max_length=LIST_LIMIT)] = ()
    consents: Annotated[tuple[Consent, ...], named("同意记录", "Consents", max_length=LIST_LIMIT)] = ()


# ------------------------------------------------------------------------------------------------------------ referral


class ExternalNumber(Part):
    """A number that the platform gave to the referral or its case (外部编号)."""

    kind: Annotated[ReferenceKind, named("编号类型", "Kind")]
    value: Annotated[ShortText, named("编号", "Value")]


class Referral(Document):
    """A case handed over by a platform (委派委托). ``endpoint`` is the configured connection that it came by."""

    kind: Annotated[ReferralKind, named("委派委托类型", "Kind")]
    endpoint: Annotated[Name, named("对接端点", "Endpoint")]
    task_no: Annotated[ShortText, named("任务编号", "Task number")]
    letter_no: Annotated[ShortText | None, named("函号", "Letter number")] = None
    authority: Annotated[Authority | None, named("委派委托机关", "Authority")] = None
    organization_code: Annotated[OrganizationCode, named("调解组织代码", "Code of the organisation")]
    due_at: Annotated[Time, named("答复期限", "Answer due at")]
    mediation_due_at: Annotated[Time | None, named("调解期限", "Mediation due at")] = None
    case: Annotated[CaseDraft, named("案件草稿", "Draft of the case")]
    attachments: Annotated[tuple[AttachmentReference, ...], named("附件", "Attachments", max_length=LIST_LIMIT)] = ()
    external_refs: Annotated[
        tuple[ExternalNumber, ...], named("外部编号", "External numbers", max_length=LIST_LIMIT)
    ] = ()


class ReferralAnswer(Document):
    """Whether the organisation takes the case (委派委托答复); a reason is required to decline."""

    answer: Annotated[ReferralDecision, named("是否接受", "Answer")]
    at: Annotated[PastTime, named("答复时间", "At")]
    reason: Annotated[ShortText | None, named("理由", "Reason")] = None


class ReferralResult(Document):
    """How the mediation ended (委派委托结果); the agreement is required where there is one."""

    outcome: Annotated[ReferralOutcome, named("调解结果", "Outcome")]
    at: Annotated[PastTime, named("办结时间", "At")]
    reason_code: Annotated[EndReason | None, named("终止原因", "Reason of the end")] = None
    agreement: Annotated[AgreementId | None, named("调解协议标识", "Agreement")] = None
    report: Annotated[LongText, named("调解情况报告", "Report")]
    undisputed_facts: Annotated[UndisputedFacts | None, named("无争议事实", "Undisputed facts")] = None


# --------------------------------------------------------------------------------------------------------------- rules


@rule(ReferralAnswer)
def _declining_needs_a_reason(answer: ReferralAnswer, at: str, _: datetime) -> Iterator[Finding]:
    if answer.answer is ReferralDecision.DECLINE and answer.reason is None:
        yield Finding.of(f"{at}/reason", Code.MISSING)


@rule(ReferralResult)
def _agreeing_needs_the_agreement(result: ReferralResult, at: str, _: datetime) -> Iterator[Finding]:
    if result.outcome in (ReferralOutcome.AGREED, ReferralOutcome.PARTLY_AGREED) and result.agreement is None:
        yield Finding.of(f"{at}/agreement", Code.MISSING)


def examine_referral_result(result: ReferralResult, agreement: Agreement | None) -> tuple[Finding, ...]:
    """What is wrong with a result beside the agreement that it names: an end before anyone had signed
    (``time_order``)."""
    return gathered(_ended_after_signing(result, agreement))


def _ended_after_signing(result: ReferralResult, agreement: Agreement | None) -> Iterator[Finding]:
    if agreement is None or not agreement.signatures:
        return
    if result.at < min(signature.signed_at for signature in agreement.signatures):
        yield Finding.of("/at", Code.TIME_ORDER, earlier="signed_at")
