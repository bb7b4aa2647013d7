"""The case (案件) as the platform takes it (page §4, BIZ_TYPE 01)."""

from __future__ import annotations

from datetime import date

from adapters.beijing import day
from adapters.commerce_federation import codes
from adapters.commerce_federation.entry import Entry
from adapters.tables import pointer_to
from contracts.case import Case, Claim, Collective, MediatorReference
from contracts.errors import PermanentError
from contracts.lists import Sex
from contracts.party import Employer, Party, Person

CASE_NO = 64
_FACTS, _NAME, _UNIT, _CAUSE, _CLAIM, _PHONE, _DETAIL, _CERTIFICATE = 1000, 50, 100, 50, 300, 20, 100, 64
_MOST_CLAIMS = 20


def write_case(entry: Entry, case: Case) -> None:
    """Write the case.

    Raises:
        PermanentError: ``required_missing``, ``too_long``, ``forbidden_character``, ``code_without_row``.
    """
    organization = case.organization
    entry.text("ah", case.source_case_no, "/source_case_no", CASE_NO, required=True)
    entry.losses.carried("/organization/code")
    entry.text("twh", organization.name, "/organization/name", _UNIT, required=True)
    entry.coded("twhlx", codes.ORGANIZATION_TYPE, organization.type, "/organization/type")
    entry.region("qhdm", organization.region_code, "/organization/region_code")
    entry.coded("ajly", codes.CHANNEL, case.channel, "/channel")
    entry.coded("sqfs", codes.APPLICATION_FORM, case.application_form, "/application_form")
    entry.moment("djrq", case.received_at, "/received_at")
    entry.moment("slrq", case.accepted_at, "/accepted_at")
    cause = case.cause
    entry.put("aydm", codes.cause_code(cause.table, cause.path, entry.losses, "/cause", entry.at("aydm")))
    entry.text("aymc", cause.path[-1], "", _CAUSE, required=True)
    entry.prose("jfjyqk", case.facts, "/facts", _FACTS, required=True)
    entry.rows("qq", _claims(entry, case.claims))
    entry.money("saje", case.amount, "/amount")
    if case.collective is not None:
        _write_collective(entry, case.collective)
    entry.rows(
        "dsr", [_party(entry, number, party, day(case.received_at)) for number, party in enumerate(case.parties)]
    )
    if case.accepted_at is not None and not case.mediators:
        raise PermanentError("required_missing", "mediators: the platform demands them from the acceptance on")
    entry.rows("tjy", _mediators(entry, case.mediators))


def _claims(entry: Entry, claims: tuple[Claim, ...]) -> list[Entry]:
    """Beyond twenty none has a place."""
    rows = []
    for number, claim in enumerate(claims[:_MOST_CLAIMS]):
        row, at = entry.below("qq", number), pointer_to("claims", number)
        row.coded("qqlx", codes.CLAIM, claim.kind, f"{at}/kind")
        row.prose("qqnr", claim.text, f"{at}/text", _CLAIM, required=True)
        row.money("je", claim.amount, f"{at}/amount")
        rows.append(row)
    return rows


def _write_collective(entry: Entry, collective: Collective) -> None:
    entry.count("sjrs", collective.worker_count, "/collective/worker_count")
    entry.flag("zdjt", collective.major, "/collective/major")


def _party(entry: Entry, number: int, party: Party, on: date) -> Entry:
    row, at = entry.below("dsr", number), pointer_to("parties", number)
    row.coded("ssdw", codes.ROLE, party.role, f"{at}/role")
    row.coded("dsrlx", codes.KIND, party.kind, f"{at}/kind")
    if isinstance(party, Person):
        _write_person(row, party, at, on)
    else:
        _write_unit(row, party, at)
    row.prose("dz", party.address.detail, f"{at}/address/detail", _DETAIL)
    return row


def _write_person(row: Entry, person: Person, at: str, on: date) -> None:
    row.text("dsrxm", person.name, f"{at}/name", _NAME, required=True)
    row.coded("zjlx", codes.ID_TYPE, person.id_type, f"{at}/id_type")
    row.identity("zjhm", person.id_number, f"{at}/id_number")
    if person.sex is not Sex.UNKNOWN:
        row.coded("xb", codes.SEX, person.sex, f"{at}/sex")
    row.put("nl", str(full_years(person.birth_date, on)))
    row.losses.cut(f"{at}/birth_date", row.at("nl"), "full years on the day of the application; the date was dropped")
    row.text("dh", person.phone, f"{at}/phone", _PHONE)


def _write_unit(row: Entry, unit: Employer, at: str) -> None:
    """The credit code has a place for employers alone."""
    row.text("dsrxm", unit.name, f"{at}/name", _UNIT, required=True)
    if unit.kind == "employer":
        row.put("zjlx", codes.CREDIT_CODE)
        row.text("zjhm", unit.credit_code, f"{at}/credit_code", _UNIT, required=True)
    row.text("fddbr", unit.legal_representative.name, f"{at}/legal_representative/name", _UNIT)
    row.text("lxr", unit.contact.name, f"{at}/contact/name", _UNIT)
    row.text("dh", unit.contact.phone, f"{at}/contact/phone", _PHONE)


def full_years(born: date, on: date) -> int:
    """How old somebody is on a day, in years that are over."""
    return max(on.year - born.year - ((on.month, on.day) < (born.month, born.day)), 0)


def _mediators(entry: Entry, mediators: tuple[MediatorReference, ...]) -> list[Entry]:
    rows = []
    for number, mediator in enumerate(mediators):
        row, at = entry.below("tjy", number), pointer_to("mediators", number)
        row.text("zsbh", mediator.certificate_no, f"{at}/certificate_no", _CERTIFICATE, required=True)
        row.text("xm", mediator.name, f"{at}/name", _UNIT, required=True)
        rows.append(row)
    return rows
