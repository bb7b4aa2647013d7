"""The case (案件) as the platform takes it: its row of the list and its detail (page §3, §4, OP CASE)."""

from __future__ import annotations

from adapters.enterprise_confederation import codes
from adapters.enterprise_confederation.entry import Cells, Entry
from adapters.tables import pointer_to
from contracts.case import Case, Claim, Collective, MediatorReference
from contracts.errors import PermanentError
from contracts.lists import PartyRole, Sex
from contracts.party import Employer, Party, Person
from contracts.status import CaseStatus

_ORGANIZATION, _CAUSE, _PERSON, _UNIT, _FACTS, _CLAIM = 100, 200, 50, 100, 3000, 500
_CREDIT_CODE = 18


def write_case_row(row: Cells, case: Case) -> None:
    """The columns that a case has in the list.

    Raises:
        PermanentError: ``required_missing``, ``code_without_row``, ``forbidden_character``.
    """
    organization = case.organization
    row.prose("调解组织名称", organization.name, "/organization/name", _ORGANIZATION, required=True)
    row.coded("组织类型", codes.ORGANIZATION_TYPE, organization.type, "/organization/type")
    row.region("行政区划", organization.region_code, "/organization/region_code")
    row.moment("登记时间", case.received_at, "/received_at")
    row.moment("受理时间", case.accepted_at, "/accepted_at")
    row.coded("案由表", codes.CAUSE_TABLE, case.cause.table, "/cause/table")
    row.prose("案由", "/".join(case.cause.path), "/cause/path", _CAUSE, required=True)
    row.money("涉案金额", case.amount, "/amount")
    people = sum(party.role is PartyRole.APPLICANT and isinstance(party, Person) for party in case.parties)
    row.count("涉及人数", people if case.collective is None else case.collective.worker_count, "")
    applicant = _first(case, PartyRole.APPLICANT)
    # What is cut here stands whole in the detail: no loss.
    row.prose("申请人", applicant.name, "", _PERSON, required=True)
    if isinstance(applicant, Person):
        row.identity("申请人证件号", applicant.id_number, "")
    respondent = _first(case, PartyRole.RESPONDENT)
    row.prose("被申请人", respondent.name, "", _UNIT, required=True)
    if isinstance(respondent, Employer) and len(respondent.credit_code) == _CREDIT_CODE:
        row.put("统一社会信用代码", respondent.credit_code)
    row.coded("状态", codes.STATUS, CaseStatus.RECEIVED, "")
    row.moment("发生时间", case.received_at, "")


def _first(case: Case, role: PartyRole) -> Party:
    for party in case.parties:
        if party.role is role:
            return party
    raise PermanentError("one_side_only", "parties: the platform demands an applicant and a respondent")


def write_case(entry: Entry, case: Case) -> None:
    """The detail of a case.

    Raises:
        PermanentError: ``required_missing``, ``code_without_row``, ``forbidden_character``.
    """
    entry.coded("来源", codes.CHANNEL, case.channel, "/channel")
    entry.coded("申请方式", codes.APPLICATION_FORM, case.application_form, "/application_form")
    entry.prose("案情", case.facts, "/facts", _FACTS, required=True)
    entry.rows("请求", [_claim(entry, number, claim) for number, claim in enumerate(case.claims)])
    entry.rows("当事人", [_party(entry, number, party) for number, party in enumerate(case.parties)])
    if case.collective is not None:
        entry.object("集体", _collective(entry, case.collective))
    entry.rows("调解员", [_mediator(entry, number, one) for number, one in enumerate(case.mediators)])


def _claim(entry: Entry, number: int, claim: Claim) -> Entry:
    row, at = entry.below("请求", number), pointer_to("claims", number)
    row.coded("类别", codes.CLAIM, claim.kind, f"{at}/kind")
    row.prose("内容", claim.text, f"{at}/text", _CLAIM, required=True)
    row.money("金额", claim.amount, f"{at}/amount")
    return row


def _collective(entry: Entry, collective: Collective) -> Entry:
    row = entry.below("集体")
    row.count("人数", collective.worker_count, "/collective/worker_count")
    row.flag("重大", collective.major, "/collective/major")
    return row


def _party(entry: Entry, number: int, party: Party) -> Entry:
    row, at = entry.below("当事人", number), pointer_to("parties", number)
    row.coded("角色", codes.ROLE, party.role, f"{at}/role")
    row.coded("类型", codes.KIND, party.kind, f"{at}/kind")
    row.prose("名称", party.name, f"{at}/name", required=True)
    if isinstance(party, Person):
        row.coded("证件类型", codes.ID_TYPE, party.id_type, f"{at}/id_type")
        row.identity("证件号", party.id_number, f"{at}/id_number")
        if party.sex is not Sex.UNKNOWN:
            row.coded("性别", codes.SEX, party.sex, f"{at}/sex")
        row.prose("电话", party.phone, f"{at}/phone")
    else:
        row.prose("信用代码", party.credit_code, f"{at}/credit_code")
        row.prose("电话", party.contact.phone, f"{at}/contact/phone")
    row.prose("地址", party.address.detail, f"{at}/address/detail")
    row.region("区划", party.address.region_code, f"{at}/address/region_code")
    if isinstance(party, Employer):
        row.prose("法定代表人", party.legal_representative.name, f"{at}/legal_representative/name")
        row.prose("联系人", party.contact.name, f"{at}/contact/name")
    return row


def _mediator(entry: Entry, number: int, mediator: MediatorReference) -> Entry:
    row, at = entry.below("调解员", number), pointer_to("mediators", number)
    row.prose("证书编号", mediator.certificate_no, f"{at}/certificate_no", required=True)
    row.prose("姓名", mediator.name, f"{at}/name", required=True)
    return row
