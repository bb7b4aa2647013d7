"""纠纷上报: a Case as the items of ``reportCase`` (page §4), and the claims that a transfer repeats."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from adapters.beijing import DAY, day
from adapters.one_stop.codes import (
    CHANNEL,
    CLAIM,
    COMMON_PERSON,
    ID_TYPE,
    MEDIATION,
    ORGANIZATION_TYPE,
    ROLE,
    SEX,
    dispute_class,
    scale,
)
from adapters.one_stop.layout import AGENTS, CLAIMS, PERSONS, UNITS
from adapters.one_stop.pages import without_forbidden
from adapters.one_stop.scribe import Scribe
from adapters.tables import pointer_to
from contracts.adapter import Context, Json
from contracts.case import Case, Claim
from contracts.lists import PartyRole, ReferralKind
from contracts.party import Address, Party, Person
from contracts.referral import Referral

_MEDIATION_LIMIT = timedelta(days=15)
"""Rule D03: 调解仲裁法 art. 14, counted from the receipt of the application."""


def case_values(case: Case, context: Context, scribe: Scribe) -> Json:
    """The values of ``reportCase``, not yet cut to their limits.

    操作类型 is 1 as long as this endpoint holds no version of the case, whatever the message is called.

    Raises:
        PermanentError: ``code_without_row``, ``too_long``.
    """
    losses = scribe.losses
    losses.carried("/organization/code")
    region = case.organization.region_code
    mediators = case.mediators
    return {
        "操作类型": "1" if context.registered_version is None else "2",
        "平台编号": _task_no(case, context, scribe),
        "案件外部编号": scribe.text(case.source_case_no, "/source_case_no", "案件外部编号"),
        "名称": _title(case),
        "发生日期": scribe.day(case.received_at, "/received_at", "发生日期"),
        "发生地点": _respondent(case).address.region_code,
        "规模": scale(case.collective.worker_count if case.collective else _count(case, PartyRole.APPLICANT)),
        "类别": _class(case, scribe),
        "案由": f"{case.cause.table}:{'/'.join(case.cause.path)}",
        "涉及人数": str(case.collective.worker_count if case.collective else len(case.parties)),
        "简述": scribe.text(case.facts, "/facts", "简述"),
        CLAIMS.name: claim_rows(case.claims, scribe, "/claims"),
        "涉案金额": scribe.money(case.amount, "/amount", "涉案金额"),
        "涉及单位": _units_involved(case),
        PERSONS.name: _persons(case, scribe),
        UNITS.name: _units(case, scribe),
        AGENTS.name: _agents(case, scribe),
        "化解时限": DAY.write(day(case.received_at) + _MEDIATION_LIMIT),
        "化解方式": _mediation(scribe),
        "化解组织": scribe.text(case.organization.name, "/organization/name", "化解组织"),
        "组织类型": scribe.code(ORGANIZATION_TYPE, case.organization.type, "/organization/type", "组织类型"),
        "行政区划": scribe.text(region, "/organization/region_code", "行政区划"),
        "责任人姓名": "、".join(
            scribe.text(mediator.name, pointer_to("mediators", number, "name"), "责任人姓名") or ""
            for number, mediator in enumerate(mediators)
        ),
        "责任人证号": scribe.text(mediators[0].certificate_no, "/mediators/0/certificate_no", "责任人证号")
        if mediators
        else None,
        "来源渠道": scribe.code(CHANNEL, case.channel, "/channel", "来源渠道"),
        "受理时间": scribe.time(case.accepted_at, "/accepted_at", "受理时间"),
        "重大标志": _major(case, scribe),
    }


def claim_rows(claims: Sequence[Claim], scribe: Scribe, pointer: str) -> list[Json]:
    """请求事项; ``pointer`` is that of the list in the document, ``""`` where the claims are the case's."""
    return [
        _claim(claim, scribe, pointer + pointer_to(number) if pointer else "") for number, claim in enumerate(claims)
    ]


def _claim(claim: Claim, scribe: Scribe, at: str) -> Json:
    return {
        "种类": scribe.code(CLAIM, claim.kind, at and f"{at}/kind", "种类"),
        "内容": scribe.text(claim.text, at and f"{at}/text", "内容"),
        "金额": scribe.money(claim.amount, at and f"{at}/amount", "金额"),
    }


def assigned_here(referral: Referral | None, endpoint: str) -> bool:
    """Whether the referral is an assignment (分流指派) of this very endpoint: others' numbers mean nothing to it."""
    return referral is not None and referral.kind is ReferralKind.ONE_STOP_ASSIGNED and referral.endpoint == endpoint


def _task_no(case: Case, context: Context, scribe: Scribe) -> str | None:
    referral = context.referral
    if case.referral is None or referral is None or not assigned_here(referral, context.endpoint):
        return None
    scribe.losses.carried("/referral")
    return referral.task_no


def _title(case: Case) -> str:
    """名称: first applicant 与 first respondent · cause. The parts have their own places: this is a name for people."""
    applicant = next(party for party in case.parties if party.role is PartyRole.APPLICANT)
    others = "等" if _count(case, PartyRole.RESPONDENT) > 1 else ""
    return without_forbidden(f"{applicant.name}与{_respondent(case).name}{others}·{case.cause.path[-1]}")


def _respondent(case: Case) -> Party:
    return next(party for party in case.parties if party.role is PartyRole.RESPONDENT)


def _count(case: Case, role: PartyRole) -> int:
    return sum(party.role is role for party in case.parties)


def _class(case: Case, scribe: Scribe) -> str:
    scribe.losses.carried("/cause")
    return dispute_class(case.cause.path, scribe.losses, "/cause")


def _units_involved(case: Case) -> str:
    return "；".join(
        without_forbidden(party.name)
        for party in case.parties
        if party.role is PartyRole.RESPONDENT and party.kind == "employer"
    )


def _mediation(scribe: Scribe) -> str:
    scribe.losses.defaulted("", "化解方式", "always 调解")
    return MEDIATION


def _major(case: Case, scribe: Scribe) -> str | None:
    if case.collective is None:
        return None
    scribe.losses.carried("/collective/worker_count")
    scribe.losses.carried("/collective/major")
    return "1" if case.collective.major else "0"


def _persons(case: Case, scribe: Scribe) -> list[Json]:
    scribe.losses.defaulted("", "人员类别", "one value for all persons")
    rows: list[Json] = []
    for number, party in enumerate(case.parties):
        if not isinstance(party, Person):
            continue
        at = pointer_to("parties", number)
        scribe.losses.carried(f"{at}/kind")
        rows.append(
            {
                "角色": scribe.code(ROLE, party.role, f"{at}/role", "角色"),
                "证件代码": scribe.code(ID_TYPE, party.id_type, f"{at}/id_type", "证件代码"),
                "号码": scribe.text(party.id_number, f"{at}/id_number", "号码"),
                "姓名": scribe.text(party.name, f"{at}/name", "姓名"),
                "性别": scribe.code(SEX, party.sex, f"{at}/sex", "性别"),
                "民族": scribe.nation(party.ethnic_group, f"{at}/ethnic_group"),
                "人员类别": COMMON_PERSON,
                "居住详址": _address(party.address, f"{at}/address", "居住详址", scribe),
                "联系方式": scribe.text(party.phone, f"{at}/phone", "联系方式"),
            }
        )
    return rows


def _units(case: Case, scribe: Scribe) -> list[Json]:
    rows: list[Json] = []
    for number, party in enumerate(case.parties):
        if isinstance(party, Person):
            continue
        at = pointer_to("parties", number)
        if party.kind == "employer":
            scribe.losses.carried(f"{at}/kind")
        else:
            scribe.losses.mapped(f"{at}/kind", "单位当事人", "units of all kinds share one list")
        rows.append(
            {
                "角色": scribe.code(ROLE, party.role, f"{at}/role", "角色"),
                "单位名称": scribe.text(party.name, f"{at}/name", "单位名称"),
                "统一社会信用代码": scribe.text(party.credit_code, f"{at}/credit_code", "统一社会信用代码"),
                "法定代表人": scribe.text(
                    party.legal_representative.name, f"{at}/legal_representative/name", "法定代表人"
                ),
                "联系人": scribe.text(party.contact.name, f"{at}/contact/name", "联系人"),
                "联系方式": scribe.text(party.contact.phone, f"{at}/contact/phone", "联系方式"),
                "地址": _address(party.address, f"{at}/address", "地址", scribe),
            }
        )
    return rows


def _agents(case: Case, scribe: Scribe) -> list[Json]:
    rows: list[Json] = []
    for number, party in enumerate(case.parties):
        for place, agent in enumerate(party.agents):
            at = pointer_to("parties", number, "agents", place)
            rows.append(
                {
                    "代理当事人序号": str(number),
                    "姓名": scribe.text(agent.name, f"{at}/name", "姓名"),
                    "证件代码": scribe.code(ID_TYPE, agent.id_type, f"{at}/id_type", "证件代码"),
                    "号码": scribe.text(agent.id_number, f"{at}/id_number", "号码"),
                    "联系方式": scribe.text(agent.phone, f"{at}/phone", "联系方式"),
                }
            )
    return rows


def _address(address: Address, pointer: str, place: str, scribe: Scribe) -> str:
    """Region code, a space, the detail: the platform has one item for both."""
    region = scribe.text(address.region_code, f"{pointer}/region_code", place)
    detail = scribe.text(address.detail, f"{pointer}/detail", place)
    return f"{region} {detail}"
