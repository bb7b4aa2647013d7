"""The case (案件) and what is appended to it: progress and follow-ups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Final

from contracts import causes
from contracts.attachment import AttachmentReference
from contracts.document import Document, Part, named, rule
from contracts.findings import Code, Finding
from contracts.lists import (
    ApplicationForm,
    CauseTable,
    Channel,
    ClaimKind,
    ConsentScope,
    EndReason,
    OrganizationType,
    PartyRole,
    SessionMethod,
)
from contracts.party import AnyParty
from contracts.status import CASE_ENDS, CaseStatus
from contracts.values import (
    LIST_LIMIT,
    AgreementNo,
    CaseNo,
    CertificateNo,
    Count,
    CreditCode,
    LongText,
    Money,
    Name,
    Only,
    OrganizationCode,
    PartyIndex,
    PastTime,
    ReferralId,
    RegionCode,
    ShortText,
)

COLLECTIVE_FROM: Final = 10
"""Applicants from whom on a dispute is collective: 十人以上, 调解仲裁法 art. 7."""


class Organization(Part):
    """The mediation organisation that has the case (调解组织)."""

    code: Annotated[OrganizationCode, named("组织代码", "Code")]
    name: Annotated[Name, named("组织名称", "Name")]
    type: Annotated[OrganizationType, named("组织类型", "Type")]
    region_code: Annotated[RegionCode, named("行政区划代码", "Region code")]
    credit_code: Annotated[CreditCode | None, named("统一社会信用代码", "Unified social credit code")] = None


class Cause(Part):
    """What the dispute is about (案由): the path of names in one of the tables of ``contracts/causes.py``."""

    table: Annotated[CauseTable, named("案由表", "Table")]
    path: Annotated[tuple[Name, ...], named("案由路径", "Path of names", min_length=1, max_length=LIST_LIMIT)]
    code: Annotated[ShortText | None, named("案由代码", "Code")] = None


class Claim(Part):
    """One claim (请求事项); ``amount`` in yuan."""

    kind: Annotated[ClaimKind, named("请求类别", "Kind of claim")]
    text: Annotated[LongText, named("请求内容", "Text")]
    amount: Annotated[Money | None, named("请求金额（元）", "Amount (yuan)")] = None


class Collective(Part):
    """Particulars of a collective dispute (集体争议); 调解仲裁法 art. 7."""

    worker_count: Annotated[Count, named("涉及人数", "Workers concerned")]
    representatives: Annotated[tuple[Name, ...], named("代表人", "Representatives", max_length=LIST_LIMIT)]
    major: Annotated[bool, named("重大集体争议", "Major")]


class MediatorReference(Part):
    """A mediator by certificate (调解员)."""

    certificate_no: Annotated[CertificateNo, named("调解员证编号", "Certificate number")]
    name: Annotated[Name, named("姓名", "Name")]


class Consent(Part):
    """What a party agreed to, and when (同意记录)."""

    party: Annotated[PartyIndex, named("当事人序号", "Party")]
    scope: Annotated[ConsentScope, named("同意事项", "Scope")]
    at: Annotated[PastTime, named("同意时间", "Given at")]


class Case(Document):
    """A labour dispute that an organisation received for mediation (调解案件)."""

    source_case_no: Annotated[CaseNo, named("来源案号", "Case number of the organisation")]
    organization: Annotated[Organization, named("调解组织", "Organisation")]
    channel: Annotated[Channel, named("申请渠道", "Channel")]
    application_form: Annotated[ApplicationForm, named("申请方式", "Form of the application")]
    received_at: Annotated[PastTime, named("收到申请时间", "Received at")]
    accepted_at: Annotated[PastTime | None, named("受理时间", "Accepted at")] = None
    referral: Annotated[ReferralId | None, named("委派委托标识", "Referral")] = None
    cause: Annotated[Cause, named("案由", "Cause")]
    facts: Annotated[LongText, named("事实与理由", "Facts")]
    claims: Annotated[tuple[Claim, ...], named("请求事项", "Claims", min_length=1, max_length=LIST_LIMIT)]
    amount: Annotated[Money, named("涉案金额（元）", "Amount in dispute (yuan)")]
    parties: Annotated[tuple[AnyParty, ...], named("当事人", "Parties", max_length=LIST_LIMIT)]
    collective: Annotated[Collective | None, named("集体争议", "Collective dispute")] = None
    mediators: Annotated[tuple[MediatorReference, ...], named("调解员", "Mediators", max_length=LIST_LIMIT)] = ()
    attachments: Annotated[tuple[AttachmentReference, ...], named("附件", "Attachments", max_length=LIST_LIMIT)] = ()
    consents: Annotated[tuple[Consent, ...], named("同意记录", "Consents", max_length=LIST_LIMIT)] = ()


class Session(Part):
    """One session of mediation (调解过程)."""

    from_: Annotated[PastTime, named("开始时间", "From", alias="from")]
    to: Annotated[PastTime, named("结束时间", "To")]
    place: Annotated[ShortText, named("地点", "Place")]
    method: Annotated[SessionMethod, named("调解方式", "Method")]


class UndisputedFacts(Part):
    """What both sides confirmed in writing although the mediation failed (无争议事实): what they conceded besides is no
    evidence later (山东省多元化解纠纷促进条例 art. 24; 人民法院在线调解规则 arts. 18, 22)."""

    text: Annotated[LongText, named("无争议事实", "Undisputed facts")]
    confirmed_at: Annotated[PastTime, named("双方确认时间", "Confirmed by both sides at")]


PROGRESS_STATUSES: Final = tuple(status for status in CaseStatus if status is not CaseStatus.UNKNOWN)


class CaseProgress(Document):
    """A step of a case (案件进展)."""

    status: Annotated[CaseStatus, Only(*PROGRESS_STATUSES), named("案件状态", "Status")]
    at: Annotated[PastTime, named("发生时间", "At")]
    reason_code: Annotated[EndReason | None, named("终止原因", "Reason of the end")] = None
    note: Annotated[ShortText | None, named("说明", "Note")] = None
    mediators: Annotated[tuple[MediatorReference, ...] | None, named("调解员", "Mediators", max_length=LIST_LIMIT)] = (
        None
    )
    session: Annotated[Session | None, named("调解过程", "Session")] = None
    undisputed_facts: Annotated[UndisputedFacts | None, named("无争议事实", "Undisputed facts")] = None


class FollowUp(Document):
    """A visit after the mediation (回访)."""

    party: Annotated[PartyIndex, named("当事人序号", "Party")]
    agreement_no: Annotated[AgreementNo | None, named("协议编号", "Agreement number")] = None
    reason: Annotated[ShortText, named("回访事由", "Reason")]
    at: Annotated[PastTime, named("回访时间", "At")]
    situation: Annotated[LongText, named("回访情况", "Situation")]
    visitor: Annotated[Name, named("回访人", "Visitor")]


# --------------------------------------------------------------------------------------------------------------- rules


@rule(Cause)
def _cause_exists(cause: Cause, at: str, _: datetime) -> Iterator[Finding]:
    if not causes.exists(cause.table, cause.path):
        yield Finding.of(f"{at}/path", Code.CAUSE_UNKNOWN)


@rule(Case)
def _accepted_after_received(case: Case, at: str, _: datetime) -> Iterator[Finding]:
    if case.accepted_at is not None and case.accepted_at < case.received_at:
        yield Finding.of(f"{at}/accepted_at", Code.TIME_ORDER, earlier="received_at")


@rule(Case)
def _both_sides(case: Case, at: str, _: datetime) -> Iterator[Finding]:
    present = {party.role for party in case.parties}
    for side in (PartyRole.APPLICANT, PartyRole.RESPONDENT):
        if side not in present:
            yield Finding.of(f"{at}/parties", Code.SIDE_MISSING, side=side)


@rule(Case)
def _collective_stands(case: Case, at: str, _: datetime) -> Iterator[Finding]:
    applicants = sum(party.role is PartyRole.APPLICANT for party in case.parties)
    if applicants >= COLLECTIVE_FROM and case.collective is None:
        yield Finding.of(f"{at}/collective", Code.COLLECTIVE_REQUIRED, workers=COLLECTIVE_FROM)


@rule(Case)
def _consents_are_of_parties(case: Case, at: str, _: datetime) -> Iterator[Finding]:
    for index, consent in enumerate(case.consents):
        yield from party_findings(consent.party, case, f"{at}/consents/{index}/party")


def party_findings(party: int, case: Case, at: str) -> Iterator[Finding]:
    """The finding about an index that is none of the case's parties.

    Args:
        at: pointer of the index in its own document.
    """
    if not 0 <= party < len(case.parties):
        yield Finding.of(at, Code.PARTY_INDEX)


@rule(Session)
def _session_ends_after_it_begins(session: Session, at: str, _: datetime) -> Iterator[Finding]:
    if session.to < session.from_:
        yield Finding.of(f"{at}/to", Code.TIME_ORDER, earlier="from")


@rule(CaseProgress)
def _an_end_has_its_reason(progress: CaseProgress, at: str, _: datetime) -> Iterator[Finding]:
    if progress.status in CASE_ENDS and progress.reason_code is None:
        yield Finding.of(f"{at}/reason_code", Code.MISSING)


def examine_follow_up(follow_up: FollowUp, case: Case) -> tuple[Finding, ...]:
    """What is wrong with a follow-up on this case: ``party_index``."""
    return tuple(party_findings(follow_up.party, case, "/party"))
