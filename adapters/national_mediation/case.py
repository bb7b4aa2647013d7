"""The case (案件) as the platform takes it (page §5)."""

from __future__ import annotations

from adapters.national_mediation import codes
from adapters.national_mediation.entry import Entry
from adapters.national_mediation.files import FILES, file_rows
from adapters.tables import pointer_to
from contracts.adapter import Context
from contracts.case import Case, Claim, Collective, MediatorReference
from contracts.errors import PermanentError
from contracts.lists import ReferralKind
from contracts.party import Address, Employer, Party, Person
from contracts.referral import Referral
from contracts.status import ReferenceKind

FACTS, CASE_NO, ORGANIZATION = 2000, 64, 32
_NAME, _UNIT, _CLAIM, _DETAIL, _PHONE, _CAUSE, _CERTIFICATE = 50, 100, 500, 200, 20, 200, 64
_MOST_CLAIMS, _MOST_AGENTS, _MOST_MEDIATORS = 20, 2, 5
_COLLECTIVE_FROM = 10


def write_case(entry: Entry, case: Case, context: Context) -> tuple[str, ...]:
    """Write the case; returns its attachments that travel along.

    Raises:
        PermanentError: ``code_without_row``, ``required_missing``, ``too_long``.
    """
    organization = case.organization
    entry.text("externalNo", case.source_case_no, "/source_case_no", CASE_NO, required=True)
    entry.text("orgCode", organization.code, "/organization/code", ORGANIZATION, required=True)
    entry.text("orgName", organization.name, "/organization/name", _UNIT, required=True)
    entry.coded("orgType", codes.ORGANIZATION_TYPE, organization.type, "/organization/type")
    entry.town("regionCode", "townCode", organization.region_code, "/organization/region_code")
    entry.coded("sourceChannel", codes.CHANNEL, case.channel, "/channel")
    entry.coded("form", codes.APPLICATION_FORM, case.application_form, "/application_form")
    entry.moment("receivedAt", case.received_at, "/received_at")
    entry.moment("acceptedAt", case.accepted_at, "/accepted_at")
    cause = case.cause
    entry.prose("causeName", "/".join(cause.path), "/cause/path", _CAUSE)
    entry.put("causeCode", codes.cause_code(cause.table, cause.path, entry.losses, "/cause", entry.at("causeCode")))
    entry.prose("facts", case.facts, "/facts", FACTS)
    entry.rows("claims", _claims(entry, case.claims))
    entry.fen("amountFen", case.amount, "/amount")
    entry.rows("parties", [_party(entry, number, party) for number, party in enumerate(case.parties)])
    if case.collective is not None:
        _write_collective(entry, case.collective)
    entry.rows("mediators", _mediators(entry, case.mediators))
    if case.referral is not None and handed_over_here(context.referral, context.endpoint):
        entry.losses.carried("/referral")
        entry.put("referralId", referral_id(context.referral))
    rows, files = file_rows(entry, case.attachments, context)
    if rows:
        entry.put(FILES, rows)
    return files


def handed_over_here(referral: Referral | None, endpoint: str) -> bool:
    """Whether the platform behind this very endpoint handed the case over (转办): others' numbers mean nothing to it."""
    return referral is not None and referral.kind is ReferralKind.NATIONAL_PLATFORM and referral.endpoint == endpoint


def referral_id(referral: Referral | None) -> str:
    """``referralId``, the path of answer and result (page §6).

    Raises:
        PermanentError: ``context_missing``.
    """
    for number in referral.external_refs if referral is not None else ():
        if number.kind is ReferenceKind.REFERRAL_ID:
            return number.value
    raise PermanentError("context_missing", "the platform's number of the referral is not known")


def _claims(entry: Entry, claims: tuple[Claim, ...]) -> list[Entry]:
    rows = []
    for number, claim in enumerate(claims[:_MOST_CLAIMS]):
        row, at = entry.below("claims", number), pointer_to("claims", number)
        row.coded("kind", codes.CLAIM, claim.kind, f"{at}/kind")
        row.prose("text", claim.text, f"{at}/text", _CLAIM)
        row.fen("amountFen", claim.amount, f"{at}/amount")
        rows.append(row)
    return rows


def _party(entry: Entry, number: int, party: Party) -> Entry:
    row, at = entry.below("parties", number), pointer_to("parties", number)
    row.coded("role", codes.ROLE, party.role, f"{at}/role")
    row.coded("kind", codes.KIND, party.kind, f"{at}/kind")
    if isinstance(party, Person):
        _write_person(row, party, at)
    else:
        _write_unit(row, party, at)
    agents = []
    for place, agent in enumerate(party.agents[:_MOST_AGENTS]):
        below, here = row.below("agents", place), f"{at}/agents/{place}"
        below.text("name", agent.name, f"{here}/name", _NAME, required=True)
        below.text("phone", agent.phone, f"{here}/phone", _PHONE)
        agents.append(below)
    row.rows("agents", agents)
    return row


def _write_person(row: Entry, person: Person, at: str) -> None:
    row.text("name", person.name, f"{at}/name", _NAME, required=True)
    row.coded("idType", codes.ID_TYPE, person.id_type, f"{at}/id_type")
    row.text("idNumber", person.id_number, f"{at}/id_number", _NAME, required=True)
    row.coded("sex", codes.SEX, person.sex, f"{at}/sex")
    row.day("birthDate", person.birth_date, f"{at}/birth_date")
    row.text("phone", person.phone, f"{at}/phone", _PHONE)
    row.object("address", _address(row.below("address"), person.address, f"{at}/address"))
    service = person.service_address
    served = _address(row.below("serviceAddress"), service, f"{at}/service_address")
    served.value("eConsent", service.electronic_consent, f"{at}/service_address/electronic_consent")
    row.object("serviceAddress", served)


def _write_unit(row: Entry, unit: Employer, at: str) -> None:
    row.text("name", unit.name, f"{at}/name", _UNIT, required=True)
    row.text("creditCode", unit.credit_code, f"{at}/credit_code", _NAME)
    row.text("legalName", unit.legal_representative.name, f"{at}/legal_representative/name", _UNIT)
    row.text("contactName", unit.contact.name, f"{at}/contact/name", _UNIT)
    row.text("contactPhone", unit.contact.phone, f"{at}/contact/phone", _PHONE)
    row.object("address", _address(row.below("address"), unit.address, f"{at}/address"))


def _address(entry: Entry, address: Address, at: str) -> Entry:
    entry.region("regionCode", address.region_code, f"{at}/region_code")
    entry.prose("detail", address.detail, f"{at}/detail", _DETAIL)
    return entry


def _write_collective(entry: Entry, collective: Collective) -> None:
    if collective.worker_count < _COLLECTIVE_FROM:
        entry.losses.dropped("/collective", "the platform counts disputes of ten workers and more")
        return
    entry.value("workerCount", collective.worker_count, "/collective/worker_count")
    entry.value("collectiveMajor", collective.major, "/collective/major")


def _mediators(entry: Entry, mediators: tuple[MediatorReference, ...]) -> list[Entry]:
    rows = []
    for number, mediator in enumerate(mediators[:_MOST_MEDIATORS]):
        row, at = entry.below("mediators", number), pointer_to("mediators", number)
        row.text("certNo", mediator.certificate_no, f"{at}/certificate_no", _CERTIFICATE, required=True)
        row.text("name", mediator.name, f"{at}/name", _UNIT, required=True)
        rows.append(row)
    return rows
