"""Parties (当事人) in the platform's words (page §4, "Party"): one list for each side, its prefix before every key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from adapters.court_mediation import codes
from adapters.court_mediation.sheet import Sheet
from adapters.tables import pointer_to
from contracts.errors import PermanentError
from contracts.identifiers import resident_id_holds, resident_id_is_male
from contracts.lists import IdType, PartyRole, Sex
from contracts.party import Address, Agent, Employer, Party, Person

SIDES: Mapping[PartyRole, tuple[str, str]] = MappingProxyType(
    {
        PartyRole.APPLICANT: ("applicantPartyList", "applicant"),
        PartyRole.RESPONDENT: ("respondentPartyList", "respondent"),
        PartyRole.THIRD_PARTY: ("thirdPartyList", "third"),
    }
)
"""The list of each standing (当事人地位) and the prefix of its keys."""

PERSONAL_FIELDS = frozenset({"xb", *(f"{prefix}{key}" for _, prefix in SIDES.values() for key in ("Sex", "Nation"))})
"""Keys whose codes tell of a person; a mediator's sex is ``xb``."""

_REGION, _NAME, _DETAIL, _PHONE, _NUMBER = 12, 100, 200, 20, 30
_HEAD = 50
_SERVICE_ADDRESS = 212


def write_parties(sheet: Sheet, parties: Iterable[tuple[int, Party]], at: str) -> None:
    """The parties, each with its place in the case, as one list for each side that there is.

    ``at``: pointer of the case's ``parties``."""
    lists: dict[PartyRole, list[Sheet]] = {}
    for place, party in parties:
        key, prefix = SIDES[party.role]
        rows = lists.setdefault(party.role, [])
        row = sheet.below(key, len(rows))
        _write_party(row, prefix, party, at + pointer_to(place))
        rows.append(row)
    for role, (key, _) in SIDES.items():
        sheet.rows(key, lists.get(role, []))


def _write_party(row: Sheet, prefix: str, party: Party, at: str) -> None:
    row.losses.carried(f"{at}/role")
    row.coded(f"{prefix}Type", codes.KIND, party.kind, f"{at}/kind")
    row.text(f"{prefix}Name", party.name, f"{at}/name", _NAME, required=True)
    if isinstance(party, Person):
        _write_person(row, prefix, party, at)
    else:
        _write_unit(row, prefix, party, at)
    row.rows(
        "agentList",
        [
            _agent(row.below("agentList", number), agent, at + pointer_to("agents", number))
            for number, agent in enumerate(party.agents)
        ],
    )


def _write_person(row: Sheet, prefix: str, person: Person, at: str) -> None:
    row.text(f"{prefix}Tel", person.phone, f"{at}/phone", _PHONE, required=True)
    code, name = codes.id_document(person.id_type)
    row.losses.carried(f"{at}/id_type")
    row.put("credentialsType", code)
    row.put("credentialsName", name)
    row.text(f"{prefix}IDCardNo", person.id_number, f"{at}/id_number", _NUMBER, required=True)
    _write_sex(row, f"{prefix}Sex", person, f"{at}/sex")
    row.day(f"{prefix}Birthday", person.birth_date, f"{at}/birth_date")
    row.text(f"{prefix}Nation", person.ethnic_group, f"{at}/ethnic_group", 20)
    _write_address(row, prefix, person.address, f"{at}/address")
    service = person.service_address
    for field in ("region_code", "detail"):
        row.losses.carried(f"{at}/service_address/{field}")
    whole = f"{service.region_code} {service.detail}"
    row.text(f"{prefix}Sddz", whole, f"{at}/service_address/detail", _SERVICE_ADDRESS)
    row.flag(f"{prefix}Dzsd", service.electronic_consent, f"{at}/service_address/electronic_consent")


def _write_sex(row: Sheet, key: str, person: Person, at: str) -> None:
    """The platform knows no "unknown", but checks the sex against the 17th digit: there it can be read."""
    if person.sex is not Sex.UNKNOWN:
        row.coded(key, codes.SEX, person.sex, at)
    elif person.id_type is IdType.RESIDENT_ID and resident_id_holds(person.id_number):
        sex = Sex.MALE if resident_id_is_male(person.id_number) else Sex.FEMALE
        row.put(key, codes.SEX.rows[sex])
        row.losses.defaulted(at, row.at(key), "unknown: told by the 17th digit of the resident id number")
    else:
        raise PermanentError("code_without_row", f"{at}: the platform demands a sex and has no row for unknown")


def _write_unit(row: Sheet, prefix: str, unit: Employer, at: str) -> None:
    phone = unit.contact.phone
    row.text(f"{prefix}Tel", phone, f"{at}/contact/phone", _PHONE, required=True)
    if phone.startswith("0"):
        row.put(f"{prefix}StaticPhone", phone)
    code, name = codes.CREDIT_CODE_DOCUMENT
    row.put("credentialsType", code)
    row.put("credentialsName", name)
    row.text(f"{prefix}IDCardNo", unit.credit_code, f"{at}/credit_code", _NUMBER, required=True)
    _write_address(row, prefix, unit.address, f"{at}/address")
    head = unit.legal_representative
    row.text(f"{prefix}Fddbr", head.name, f"{at}/legal_representative/name", _HEAD)
    row.text(f"{prefix}Fddbrzw", head.position, f"{at}/legal_representative/position", _HEAD)
    row.text(f"{prefix}Lxr", unit.contact.name, f"{at}/contact/name", _HEAD)


def _write_address(row: Sheet, prefix: str, address: Address, at: str) -> None:
    row.text("areaCode", address.region_code, f"{at}/region_code", _REGION, required=True)
    row.text(f"{prefix}Address", address.detail, f"{at}/detail", _DETAIL, required=True)


def _agent(row: Sheet, agent: Agent, at: str) -> Sheet:
    row.coded("dllx", codes.AGENT_KIND, agent.kind, f"{at}/kind")
    row.text("xm", agent.name, f"{at}/name", None, required=True)
    row.coded("credentialsType", codes.ID_WITHOUT_NAME, agent.id_type, f"{at}/id_type")
    row.text("zjhm", agent.id_number, f"{at}/id_number", None)
    row.text("dh", agent.phone, f"{at}/phone", None)
    row.coded("dlqx", codes.AGENT_AUTHORITY, agent.authority, f"{at}/authority")
    return row
