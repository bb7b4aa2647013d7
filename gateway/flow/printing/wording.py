"""What each paper says, in the words of a template: every field as the text that is printed, made from the documents alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.agreement import Agreement, Term, effective_at
from contracts.attachment import AttachmentReference
from contracts.case import Case, CaseProgress
from contracts.chinese_calendar import beijing_day
from contracts.confirmation import ConfirmationRequest
from contracts.deadlines import CONFIRMATION_RULES, Law, due
from contracts.lists import AttachmentKind, ConfirmationRoute, IdType, PartyRole, SignerRole
from contracts.party import Agent, Party, Person
from contracts.regions import RegionState, look
from contracts.titled import Titled
from gateway.flow.printing.figures import day, formal_day, joined, money

Field = str | Sequence["Field"] | Mapping[str, "Field"]
"""A text, a list, or fields under a name."""

Fields = Mapping[str, Field]
"""What a template is filled with."""

LINE: Final = "＿" * 12
"""A place to be filled by hand."""

_FIRST: Final = (
    AttachmentKind.MEDIATION_AGREEMENT,
    AttachmentKind.MEDIATION_PRESIDED_PROOF,
    AttachmentKind.IDENTITY_PROOF,
)


class Paper(Titled):
    """The papers that the gateway makes, by the name of their template (文书)."""

    ARBITRATION_REVIEW = "arbitration_review", "仲裁审查申请书", "Application for arbitration review"
    JUDICIAL_CONFIRMATION = "judicial_confirmation", "司法确认申请书", "Application for judicial confirmation"
    PRESIDED_PROOF = "presided_proof", "调解组织主持调解的证明", "Proof that the organisation presided"
    PERFORMANCE_NOTICE = "performance_notice", "履行告知书", "Performance notice"
    TERMINATION_PROOF = "termination_proof", "调解终止证明", "Proof that mediation ended"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A paper ready for print: which, filled with what, and the moment that stands for its making."""

    paper: Paper
    fields: Fields
    at: datetime


@dataclass(frozen=True, slots=True)
class Filing:
    """Where a confirmation is asked for, as far as it is known: of a draft the route alone."""

    route: ConfirmationRoute
    request: ConfirmationRequest | None = None
    papers: tuple[AttachmentReference, ...] = ()
    """What goes with the application, itself apart."""


# ------------------------------------------------------------------------------------------------------------- papers


def application(case: Case, agreement: Agreement, filing: Filing) -> Sheet:
    """Of both sides: 仲裁审查申请书 (办案规则 art. 74) or 司法确认申请书 (民事诉讼法 art. 205, 民诉法解释 art. 354)."""
    request = filing.request
    indexes = [
        index
        for index, party in enumerate(case.parties)
        if (request is None and party.role is not PartyRole.THIRD_PARTY)
        or (request is not None and index in request.applicants)
    ]
    others = [index for index in range(len(case.parties)) if index not in indexes]
    fields: Fields = {
        **_basics(case, agreement),
        "parties": [_party(case.parties[index], f"申请人（调解{case.parties[index].role.zh}）") for index in indexes]
        + [_party(case.parties[index], case.parties[index].role.zh) for index in others],
        "applicant_names": joined([case.parties[index].name for index in indexes]),
        "late_reason": (request.late_reason or "") if request is not None else "",
        "addresses": list(_service_addresses(case, request)),
        "authority": request.authority.name if request is not None else LINE,
        "papers": list(_enclosed(filing, agreement)),
        "signatures": [_signature_line(case.parties[index]) for index in indexes],
        "date": formal_day(request.applied_at) if request is not None else "　　　　年　　月　　日",
    }
    paper = {
        ConfirmationRoute.ARBITRATION_REVIEW: Paper.ARBITRATION_REVIEW,
        ConfirmationRoute.JUDICIAL_CONFIRMATION: Paper.JUDICIAL_CONFIRMATION,
    }[filing.route]
    return Sheet(paper, fields, request.applied_at if request is not None else _effect(agreement, case))


def presided_proof(case: Case, agreement: Agreement, filing: Filing) -> Sheet:
    """调解组织主持调解的证明 (民诉法解释 art. 354): that the organisation presided over the mediation."""
    request, seal = filing.request, agreement.organization_seal
    at = seal.sealed_at if seal is not None else _effect(agreement, case)
    fields: Fields = {
        **_basics(case, agreement),
        "parties": [_party(party, party.role.zh) for party in case.parties],
        "authority": request.authority.name if request is not None else LINE,
        "date": formal_day(at),
    }
    return Sheet(Paper.PRESIDED_PROOF, fields, at)


def performance_notice(case: Case, agreement: Agreement, law: Law) -> Sheet:
    """履行告知书 (鲁人社函〔2024〕98号): the duties, what follows when they are not kept, and until when a confirmation may be
    asked for (D04, D07)."""
    effect = _effect(agreement, case)
    at = agreement.performance_notice_sent_at or effect
    fields: Fields = {
        **_basics(case, agreement),
        "names": "、".join(party.name for party in case.parties),
        "review_until": _until(law, ConfirmationRoute.ARBITRATION_REVIEW, effect),
        "confirmation_until": _until(law, ConfirmationRoute.JUDICIAL_CONFIRMATION, effect),
        "date": formal_day(at),
    }
    return Sheet(Paper.PERFORMANCE_NOTICE, fields, at)


def termination_proof(case: Case, progress: CaseProgress) -> Sheet:
    """调解终止证明 (山东省多元化解纠纷促进条例 art. 24): when the mediation began and ended, and why (在线调解规则 art. 25)."""
    session = progress.session
    fields: Fields = {
        **_basics(case, None),
        "parties": [_party(party, party.role.zh) for party in case.parties],
        "claims": [
            claim.text if claim.amount is None else f"{claim.text}，{money(claim.amount)}" for claim in case.claims
        ],
        "case_facts": case.facts,
        "ended_on": day(progress.at),
        "reason": progress.reason_code.zh if progress.reason_code is not None else "其他",
        "note": progress.note or "",
        "session": ""
        if session is None
        else f"{day(session.from_)}至{day(session.to)}，{session.place}，{session.method.zh}调解",
        "date": formal_day(progress.at),
    }
    return Sheet(Paper.TERMINATION_PROOF, fields, progress.at)


# -------------------------------------------------------------------------------------------------------------- parts


def _basics(case: Case, agreement: Agreement | None) -> Fields:
    organization = case.organization
    fields: Fields = {
        "organization": organization.name,
        "organization_type": organization.type.zh,
        "organization_code": organization.credit_code or "",
        "case_no": case.source_case_no,
        "cause": case.cause.path[-1],
        "received_on": day(case.received_at),
        "accepted_on": day(case.accepted_at) if case.accepted_at is not None else "",
        "mediators": "、".join(_mediators(case, agreement)),
        "names_of_sides": joined([party.name for party in case.parties if party.role is not PartyRole.THIRD_PARTY]),
        "amount": money(case.amount),
        "collective": ""
        if case.collective is None
        else f"本案为集体争议，涉及劳动者{case.collective.worker_count}人，推选代表人："
        f"{'、'.join(case.collective.representatives)}。",
    }
    if agreement is None:
        return fields
    signed = [one.signed_at for one in agreement.signatures if one.signer is SignerRole.PARTY]
    return {
        **fields,
        "agreement_no": agreement.agreement_no,
        "facts": agreement.facts,
        "signed_on": day(max(signed)) if signed else LINE,
        "effective_on": day(_effect(agreement, case)),
        "copies": str(agreement.copies),
        "terms": [
            {"text": f"{term.no}．{term.text}", "details": list(_details(term, case))} for term in agreement.terms
        ],
    }


def _mediators(case: Case, agreement: Agreement | None) -> list[str]:
    named = [f"{one.name}（调解员证编号：{one.certificate_no}）" for one in case.mediators]
    if named or agreement is None:
        return named
    return [one.name for one in agreement.signatures if one.signer is SignerRole.MEDIATOR]


def _effect(agreement: Agreement, case: Case) -> datetime:
    try:
        return effective_at(agreement)
    except ValueError:  # kept from before the signature that is missing was asked for
        return case.received_at


def _until(law: Law, route: ConfirmationRoute, effect: datetime) -> str:
    rule = law.rulebook.in_force(CONFIRMATION_RULES[route], beijing_day(effect))
    deadline = due(rule, effect, law.calendar)
    return day(deadline.due) + ("（以公布的节假日安排为准）" if deadline.provisional else "")


def _details(term: Term, case: Case) -> Iterator[str]:
    if term.amount is not None:
        yield f"金额：{money(term.amount)}"
    if term.due_date is not None:
        yield f"履行期限：{day(term.due_date)}前"
    for number, part in enumerate(term.installments, 1):
        yield f"第{number}期：{day(part.due_date)}前，{money(part.amount)}"
    if term.payee is not None:
        payee = term.payee
        known = case.parties[payee.party].name if 0 <= payee.party < len(case.parties) else payee.account_name
        yield f"收款人：{known}，户名：{payee.account_name}，开户银行：{payee.bank}，账号：{payee.account_no}"


def _party(party: Party, label: str) -> Fields:
    if isinstance(party, Person):
        facts = [
            party.name,
            party.sex.zh,
            party.ethnic_group,
            f"{day(party.birth_date)}出生",
            party.occupation,
            f"住{_address(party.address.region_code, party.address.detail)}",
            f"{_number_name(party.id_type)}：{party.id_number}",
            f"联系电话：{party.phone}",
        ]
        lines = [f"{label}：{'，'.join(fact for fact in facts if fact)}。"]
        served = party.service_address
        lines.append(
            f"送达地址：{_address(served.region_code, served.detail)}，{_electronic(served.electronic_consent)}。"
        )
    else:
        stands, contact = party.legal_representative, party.contact
        place = _address(party.address.region_code, party.address.detail)
        lines = [
            f"{label}：{party.name}，住所地{place}，统一社会信用代码：{party.credit_code}，{party.unit_type.zh}。",
            f"法定代表人（主要负责人）：{stands.name}，职务：{stands.position}。",
            f"联系人：{contact.name}，联系电话：{contact.phone}。",
        ]
    return {"lines": [*lines, *(_agent(agent) for agent in party.agents)]}


def _agent(agent: Agent) -> str:
    facts = [agent.name, agent.kind.zh]
    if agent.id_number is not None:
        facts.append(f"{_number_name(agent.id_type)}：{agent.id_number}")
    if agent.phone is not None:
        facts.append(f"联系电话：{agent.phone}")
    return f"委托代理人：{'，'.join(facts)}，代理权限：{agent.authority.zh}。"


def _number_name(kind: IdType | None) -> str:
    if kind is IdType.RESIDENT_ID:
        return "公民身份号码"
    return "证件号码" if kind in (None, IdType.OTHER) else f"{kind.zh}号码"


def _electronic(consent: bool) -> str:
    return "同意电子送达" if consent else "不同意电子送达"


def _address(region_code: str, detail: str) -> str:
    """Region and detail as one address; what both say is said once."""
    region = look(region_code)
    above = region.full_name if region.state in (RegionState.CURRENT, RegionState.ABOLISHED) else ""
    if detail.startswith(above):
        return detail
    overlap = next((size for size in range(len(above), 1, -1) if detail.startswith(above[-size:])), 0)
    return above + detail[overlap:]


def _service_addresses(case: Case, request: ConfirmationRequest | None) -> Iterator[str]:
    for address in request.service_addresses if request is not None else ():
        name = case.parties[address.party].name if 0 <= address.party < len(case.parties) else ""
        place = _address(address.region_code, address.detail)
        yield f"{name}：{place}，联系电话：{address.phone}，{_electronic(address.electronic_consent)}。"


def _enclosed(filing: Filing, agreement: Agreement) -> Iterable[str]:
    """The list of what goes with the application, as numbered lines."""
    if filing.request is None:
        kinds = [AttachmentKind.MEDIATION_AGREEMENT]
        if filing.route is ConfirmationRoute.JUDICIAL_CONFIRMATION:
            kinds.append(AttachmentKind.MEDIATION_PRESIDED_PROOF)
        counted = Counter([*kinds, AttachmentKind.IDENTITY_PROOF])
    else:
        counted = Counter(
            paper.kind for paper in filing.papers if paper.kind is not AttachmentKind.CONFIRMATION_APPLICATION
        )
    ordered = dict.fromkeys([*_FIRST, *AttachmentKind])
    for number, kind in enumerate((kind for kind in ordered if counted[kind]), 1):
        of_which = f"（{agreement.agreement_no}）" if kind is AttachmentKind.MEDIATION_AGREEMENT else ""
        yield f"{number}．{kind.zh}{of_which}，{counted[kind]}份"


def _signature_line(party: Party) -> str:
    return f"{party.name}（{'签名' if isinstance(party, Person) else '盖章'}）："
