"""案件通报: a Case as the fields of ``case.notice`` and ``case.change`` (page §4), and the rows that others share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from adapters.tables import pointer_to
from adapters.union import codes
from adapters.union.fields import Fields
from contracts.adapter import Context, Json
from contracts.case import Case, Claim
from contracts.errors import PermanentError
from contracts.lists import PartyRole, ReferralKind
from contracts.party import Agent, Employer, Party, Person
from contracts.referral import Referral

CASE_NO, TASK_NO, AGREEMENT_NO, ORGANIZATION_CODE = 60, 40, 100, 32
NAME, UNIT_NAME, REGION = 60, 200, 12

ROLES: Mapping[str, PartyRole] = MappingProxyType(
    {"sqr": PartyRole.APPLICANT, "bsqr": PartyRole.RESPONDENT, "dsr": PartyRole.THIRD_PARTY}
)
"""The lists of parties by role, in the page's order."""


def write_case(fields: Fields, case: Case, context: Context) -> Json:
    """The whole case, as notified or as its complete new version.

    Raises:
        PermanentError: ``too_long``, ``too_large``, ``code_without_row``, ``required_missing``.
    """
    losses = fields.losses
    fields.number("ajbh", case.source_case_no, "/source_case_no", CASE_NO)
    fields.coded("zzlx", codes.ORGANIZATION_TYPE, case.organization.type, "/organization/type")
    fields.number("qh", case.organization.region_code, "/organization/region_code", REGION)
    fields.coded("ly", codes.CHANNEL, case.channel, "/channel")
    fields.moment("sqsj", case.received_at, "/received_at")
    fields.moment("slsj", case.accepted_at, "/accepted_at")
    fields.put("lb", codes.dispute_class(case.cause.path, losses, "/cause/path"))
    fields.text("ay", "/".join(case.cause.path), "/cause/path", 200)
    fields.long("jq", case.facts, "/facts", 1000)
    fields.rows("qq", claim_rows(fields, case.claims, "claims"))
    fields.money("je", case.amount, "/amount")
    _write_persons_concerned(fields, case)
    if case.mediators:
        fields.text("tjy", case.mediators[0].name, "/mediators/0/name", NAME)
    if case.referral is not None and handed_over_here(context.referral, context.endpoint):
        losses.carried("/referral")
        fields.number("yjbh", context.referral.task_no if context.referral else None, "", TASK_NO)
    for name, role in ROLES.items():
        fields.rows(name, party_rows(fields, name, case, role, "parties"))
    fields.rows("dlr", _agent_rows(fields, case))
    return fields.done("ajbh", "zzlx", "qh", "ly", "sqsj", "lb", "ay", "jq", "qq", "je", "rs", "sqr", "bsqr")


def handed_over_here(referral: Referral | None, endpoint: str) -> bool:
    """Whether the referral (移交) came by this very endpoint: others' task numbers mean nothing to it."""
    return referral is not None and referral.kind is ReferralKind.UNION_HANDED_OVER and referral.endpoint == endpoint


def claim_rows(fields: Fields, claims: Sequence[Claim], *at: str | int) -> list[Json]:
    """``qq``: the claims (请求事项). ``at`` is the list's place in the message's document, or after ``case`` in its case."""
    rows = []
    for number, claim in enumerate(claims):
        row = fields.below("qq", number + 1)
        row.coded("lx", codes.CLAIM_KIND, claim.kind, pointer_to(*at, number, "kind"))
        row.long("nr", claim.text, pointer_to(*at, number, "text"), 300)
        row.money("je", claim.amount, pointer_to(*at, number, "amount"))
        rows.append(row.done("lx", "nr"))
    return rows


def party_rows(fields: Fields, name: str, case: Case, role: PartyRole, *at: str | int) -> list[Json]:
    """The parties of one role as rows of the list ``name``; ``at`` as for ``claim_rows``."""
    rows: list[Json] = []
    for number, party in enumerate(case.parties):
        if party.role is not role:
            continue
        row = fields.below(name, len(rows) + 1)
        fields.losses.carried(pointer_to(*at, number, "role"))
        rows.append(_party_row(row, party, at, number))
    return rows


def _write_persons_concerned(fields: Fields, case: Case) -> None:
    """``rs``, and ``zd`` with ``dbr`` of a collective dispute (集体争议)."""
    collective = case.collective
    if collective is None:
        applicants = sum(party.role is PartyRole.APPLICANT for party in case.parties)
        fields.losses.defaulted("", "rs", "no collective dispute: the number of applicants")
        fields.put("rs", str(applicants))
        return
    fields.count("rs", collective.worker_count, "/collective/worker_count")
    fields.flag("zd", collective.major, "/collective/major")
    fields.long("dbr", "、".join(collective.representatives), "/collective/representatives", 200)


def _party_row(row: Fields, party: Party, at: tuple[str | int, ...], number: int) -> Json:
    if isinstance(party, Person):
        row.losses.carried(pointer_to(*at, number, "kind"))
        return _person_row(row, party, at, number)
    if party.kind == "employer":
        row.losses.carried(pointer_to(*at, number, "kind"))
    else:
        row.losses.mapped(pointer_to(*at, number, "kind"), row.place("mc"), "units of all kinds have one form of row")
    return _unit_row(row, party, at, number)


def _person_row(row: Fields, person: Person, at: tuple[str | int, ...], number: int) -> Json:
    row.text("xm", person.name, pointer_to(*at, number, "name"), NAME)
    row.coded("zjlx", codes.ID_TYPE, person.id_type, pointer_to(*at, number, "id_type"))
    row.identity("zjhm", person.id_number, pointer_to(*at, number, "id_number"))
    if person.sex in codes.SEX.rows:
        row.coded("xb", codes.SEX, person.sex, pointer_to(*at, number, "sex"))
    row.phone("dh", person.phone, pointer_to(*at, number, "phone"))
    row.text("gz", person.occupation, pointer_to(*at, number, "occupation"), NAME)
    row.number("dzqh", person.address.region_code, pointer_to(*at, number, "address", "region_code"), REGION)
    return row.done("xm", "zjlx", "zjhm", "dh", "dzqh")


def _unit_row(row: Fields, unit: Employer, at: tuple[str | int, ...], number: int) -> Json:
    row.text("mc", unit.name, pointer_to(*at, number, "name"), UNIT_NAME)
    row.number("xydm", unit.credit_code, pointer_to(*at, number, "credit_code"), 18)
    row.text("dwlx", unit.unit_type, pointer_to(*at, number, "unit_type"), 60)
    row.text("fr", unit.legal_representative.name, pointer_to(*at, number, "legal_representative", "name"), NAME)
    row.text("lxr", unit.contact.name, pointer_to(*at, number, "contact", "name"), NAME)
    row.phone("dh", unit.contact.phone, pointer_to(*at, number, "contact", "phone"))
    row.number("dzqh", unit.address.region_code, pointer_to(*at, number, "address", "region_code"), REGION)
    row.long("dz", unit.address.detail, pointer_to(*at, number, "address", "detail"), 400)
    row.coded("gm", codes.UNIT_SIZE, unit.size, pointer_to(*at, number, "size"))
    return row.done("mc", "dzqh")


def _agent_rows(fields: Fields, case: Case) -> list[Json]:
    """``dlr``: the agents (代理人) of all parties, each with its party's index."""
    rows: list[Json] = []
    for number, party in enumerate(case.parties):
        for place, agent in enumerate(party.agents):
            row = fields.below("dlr", len(rows) + 1)
            rows.append(_agent_row(row, agent, number, pointer_to("parties", number, "agents", place)))
    return rows


def _agent_row(row: Fields, agent: Agent, party: int, at: str) -> Json:
    row.text("xm", agent.name, f"{at}/name", NAME)
    row.put("dsr", str(party))
    row.identity("zjhm", agent.id_number, f"{at}/id_number")
    row.phone("dh", agent.phone, f"{at}/phone")
    row.coded("dlx", codes.AGENT_KIND, agent.kind, f"{at}/kind")
    return row.done("xm")


def the_case(context: Context) -> Case:
    """The case in whose chain the message stands.

    Raises:
        PermanentError: ``context_missing``.
    """
    if context.case is None:
        raise PermanentError("context_missing", "the case of this message is not known")
    return context.case
