"""A case in the platform's words (page §4, "Case" and "Party row"): TJ1001 案件登记 and TJ1002 案件变更."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.hr_arbitration import codes
from adapters.hr_arbitration.rows import Row
from adapters.hr_arbitration.writing import Writing
from adapters.tables import pointer_to
from contracts.case import Case, Claim, MediatorReference
from contracts.errors import PermanentError
from contracts.party import Address, Agent, Employer, Party, Person

_REGION, _NAME, _DETAIL, _PHONE = 12, 50, 200, 20


def write_case(writing: Writing) -> None:
    """The whole case, as registered or as its complete new version."""
    case, row = writing.document(Case), writing.row
    organization = case.organization
    row.exact("BZA001", case.source_case_no, "/source_case_no", 40)
    row.exact("BZA002", organization.code, "/organization/code", 32)
    row.text("BZA003", organization.name, "/organization/name", 100)
    row.coded("BZA004", codes.ORGANIZATION_TYPE, organization.type, "/organization/type")
    row.exact("AAB301", organization.region_code, "/organization/region_code", _REGION)
    row.exact("BZA005", organization.credit_code, "/organization/credit_code", 18)
    row.coded("BZA006", codes.CHANNEL, case.channel, "/channel")
    row.coded("BZA007", codes.APPLICATION_FORM, case.application_form, "/application_form")
    row.put("BZA008", codes.cause_code(case.cause.path, writing.losses, "/cause/path", "BZA008"))
    writing.losses.carried("/cause/table")
    row.text("BZA009", f"{case.cause.table}:{'/'.join(case.cause.path)}", "/cause/path", 200)
    row.text("BZA010", case.facts, "/facts", 2000)
    row.money("BZA013", case.amount, "/amount")
    row.moment("BZA020", case.received_at, "/received_at")
    row.moment("BZA021", case.accepted_at, "/accepted_at")
    _write_collective(writing, case)
    row.rows("BZQ000", claim_rows(row, case.claims, "claims"))
    row.rows("BZP000", [_party_row(row, number, party) for number, party in enumerate(case.parties)])
    row.rows("BZM000", mediator_rows(row, case.mediators, "mediators"))
    _write_consents(writing, case)
    row.rows("BZF000", writing.file_rows(case.attachments, "attachments"))
    _write_task(writing, case)


def claim_rows(row: Row, claims: Sequence[Claim], *at: str | int) -> list[Row]:
    """``BZQ000``: the claims (请求事项), numbered from 1."""
    rows = []
    for number, claim in enumerate(claims):
        below, here = row.below("BZQ000", number), (*at, number)
        below.put("BZQ001", str(number + 1))
        below.coded("BZQ002", codes.CLAIM_KIND, claim.kind, pointer_to(*here, "kind"))
        below.text("BZQ003", claim.text, pointer_to(*here, "text"), 500)
        below.money("BZQ004", claim.amount, pointer_to(*here, "amount"))
        rows.append(below)
    return rows


def mediator_rows(row: Row, mediators: Sequence[MediatorReference], *at: str | int) -> list[Row]:
    """``BZM000``: the mediators (调解员) by certificate and name."""
    rows = []
    for number, mediator in enumerate(mediators):
        below, here = row.below("BZM000", number), (*at, number)
        below.exact("BZM001", mediator.certificate_no, pointer_to(*here, "certificate_no"), 40)
        below.text("BZM002", mediator.name, pointer_to(*here, "name"), _NAME)
        rows.append(below)
    return rows


def _write_collective(writing: Writing, case: Case) -> None:
    """``BZA014`` to ``BZA017``: without a collective dispute (集体争议) the flag stands alone."""
    row, collective = writing.row, case.collective
    row.put("BZA014", "0" if collective is None else "1")
    if collective is None:
        return
    row.integer("BZA015", collective.worker_count, "/collective/worker_count", 6)
    for number, name in enumerate(collective.representatives):
        pointer = pointer_to("collective", "representatives", number)
        # A list of names has no BZX000 of its own to go on in.
        if len(name) > _NAME:
            raise PermanentError("too_long", f"{pointer}: longer than the {_NAME} characters of BZA016")
        writing.losses.carried(pointer)
    if collective.representatives:
        row.put("BZA016", list(collective.representatives))
    row.flag("BZA017", collective.major, "/collective/major")


def _write_consents(writing: Writing, case: Case) -> None:
    rows = []
    for number, consent in enumerate(case.consents):
        below = writing.row.below("BZN000", number)
        below.integer("BZN001", consent.party, pointer_to("consents", number, "party"))
        below.text("BZN002", consent.scope, pointer_to("consents", number, "scope"), 50)
        below.moment("BZN003", consent.at, pointer_to("consents", number, "at"))
        rows.append(below)
    writing.row.rows("BZN000", rows)


def _write_task(writing: Writing, case: Case) -> None:
    """``BZJ001``: the task number of a case that this platform itself entrusted (ZC5001)."""
    referral = writing.context.referral
    if case.referral is None or referral is None or referral.endpoint != writing.context.endpoint:
        return
    writing.losses.carried("/referral")
    writing.exact_key("BZJ001", referral.task_no, 40)


def _party_row(row: Row, number: int, party: Party) -> Row:
    below, at = row.below("BZP000", number), ("parties", number)
    below.put("BZP001", str(number))
    below.coded("BZP002", codes.ROLE, party.role, pointer_to(*at, "role"))
    below.coded("BZP003", codes.KIND, party.kind, pointer_to(*at, "kind"))
    if isinstance(party, Person):
        _write_person(below, party, *at)
    else:
        _write_unit(below, party, *at)
    return below


def _write_person(row: Row, person: Person, *at: str | int) -> None:
    row.text("AAC003", person.name, pointer_to(*at, "name"), _NAME)
    row.coded("AAC058", codes.ID_TYPE, person.id_type, pointer_to(*at, "id_type"))
    row.exact("AAC147", person.id_number, pointer_to(*at, "id_number"), 30)
    if person.id_type == "resident_id":
        row.put("AAC161", "CHN")
    row.coded("AAC004", codes.SEX, person.sex, pointer_to(*at, "sex"))
    row.day("AAC006", person.birth_date, pointer_to(*at, "birth_date"))
    if person.ethnic_group is not None:
        row.computed("AAC005", person.ethnic_group, codes.ethnic_group_code, pointer_to(*at, "ethnic_group"))
    row.exact("AAE005", person.phone, pointer_to(*at, "phone"), _PHONE)
    row.text("BZP004", person.occupation, pointer_to(*at, "occupation"), 50)
    _write_address(row, person.address, *at, "address")
    service = person.service_address
    row.exact("BZP005", service.region_code, pointer_to(*at, "service_address", "region_code"), _REGION)
    row.text("BZP006", service.detail, pointer_to(*at, "service_address", "detail"), _DETAIL)
    row.flag("BZP007", service.electronic_consent, pointer_to(*at, "service_address", "electronic_consent"))
    row.rows("BZP100", [_agent_row(row, n, agent, *at, "agents", n) for n, agent in enumerate(person.agents)])


def _write_unit(row: Row, unit: Employer, *at: str | int) -> None:
    """An employer or other organisation. Its agents have no place in the row (page §4)."""
    row.text("AAB004", unit.name, pointer_to(*at, "name"), 100)
    row.exact("AAB003", unit.credit_code, pointer_to(*at, "credit_code"), 18)
    kind = codes.UNIT_TYPE.code(unit.unit_type, row.losses, pointer_to(*at, "unit_type"), row.place("AAB019"))
    kind, _, registration = kind.partition("/")
    row.put("AAB019", kind)
    if registration:
        row.put("AAB020", registration)
    row.text("AAB022", unit.industry, pointer_to(*at, "industry"), 5)
    row.coded("BZP008", codes.UNIT_SIZE, unit.size, pointer_to(*at, "size"))
    head = unit.legal_representative
    row.text("AAB013", head.name, pointer_to(*at, "legal_representative", "name"), _NAME)
    row.text("BZP009", head.position, pointer_to(*at, "legal_representative", "position"), 50)
    row.text("AAE004", unit.contact.name, pointer_to(*at, "contact", "name"), _NAME)
    row.exact("AAE005", unit.contact.phone, pointer_to(*at, "contact", "phone"), _PHONE)
    _write_address(row, unit.address, *at, "address")


def _write_address(row: Row, address: Address, *at: str | int) -> None:
    row.exact("AAB301", address.region_code, pointer_to(*at, "region_code"), _REGION)
    row.text("AAE006", address.detail, pointer_to(*at, "detail"), _DETAIL)


def _agent_row(row: Row, number: int, agent: Agent, *at: str | int) -> Row:
    below = row.below("BZP100", number)
    below.coded("BZP101", codes.AGENT_KIND, agent.kind, pointer_to(*at, "kind"))
    below.text("AAC003", agent.name, pointer_to(*at, "name"), _NAME)
    below.coded("AAC058", codes.ID_TYPE, agent.id_type, pointer_to(*at, "id_type"))
    below.exact("AAC147", agent.id_number, pointer_to(*at, "id_number"), 30)
    below.exact("AAE005", agent.phone, pointer_to(*at, "phone"), _PHONE)
    below.coded("BZP102", codes.AGENT_AUTHORITY, agent.authority, pointer_to(*at, "authority"))
    return below
