"""转办: a case that the platform hands over, as far as it sent it (page §6). Nothing is invented."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from adapters.beijing import DAY, YEARS
from adapters.national_mediation import codes, wire
from adapters.tables import Table
from contracts.adapter import Json
from contracts.case import Cause, MediatorReference
from contracts.errors import UnreadableCallback
from contracts.lists import (
    ApplicationForm,
    CauseTable,
    Channel,
    ClaimKind,
    IdType,
    OrganizationType,
    PartyRole,
    ReferralKind,
    Sex,
)
from contracts.referral import (
    AddressDraft,
    AgentDraft,
    CaseDraft,
    ClaimDraft,
    CollectiveDraft,
    ContactDraft,
    ExternalNumber,
    LegalRepresentativeDraft,
    OrganizationDraft,
    PartyDraft,
    Referral,
    ServiceAddressDraft,
)
from contracts.status import ReferenceKind
from contracts.titled import Titled
from contracts.update import ReferralOffered
from contracts.values import CONTROL_CHARACTER, LIST_LIMIT, CaseNo, Count, OrganizationCode

_NAME, _SHORT, _LONG = 100, 500, 20_000
_MOST_FEN, _MOST_PAPERS = 10**17, 100

T = TypeVar("T")
L = TypeVar("L", bound=Titled)


def offered(found: Json, endpoint: str) -> ReferralOffered:
    """The referral; its event id is that of its offer.

    Raises:
        UnreadableCallback: without number, organisation, term or facts there is nothing that anybody could answer.
    """
    identifier, task_no = wire.id_of(found, "referralId"), word(found, "referralNo", _SHORT)
    organization = _sound(OrganizationCode, found.get("orgCode"))
    due_at, case = moment_of(found, "dueAt"), found.get("case")
    facts = word(case, "facts", _LONG) if isinstance(case, dict) else None
    if identifier is None or task_no is None or organization is None or due_at is None or facts is None:
        raise UnreadableCallback("incomplete_referral")
    referral = Referral(
        schema_version="1.0",
        kind=ReferralKind.NATIONAL_PLATFORM,
        endpoint=endpoint,
        task_no=task_no,
        organization_code=organization,
        due_at=due_at,
        case=_case(case, organization, facts) if isinstance(case, dict) else CaseDraft(facts=facts),
        external_refs=_numbers(identifier, found),
    )
    return ReferralOffered(event_of(identifier), referral, moment_of(found, "offeredAt") or due_at)


def _numbers(identifier: str, found: Json) -> tuple[ExternalNumber, ...]:
    """Its own number, and those of the papers that came with it."""
    papers = [number for row in _rows(found, "docs") if (number := wire.id_of(row, "fileId")) is not None]
    told = [(ReferenceKind.REFERRAL_ID, identifier), *((ReferenceKind.FILE_NO, one) for one in papers[:_MOST_PAPERS])]
    return tuple(ExternalNumber(kind=kind, value=value) for kind, value in dict.fromkeys(told))


def event_of(referral_id: str) -> str:
    """The name of a referral's offer among the platform's events: it has none of its own."""
    return f"offer-{referral_id}"


def _case(case: Json, organization: str, facts: str) -> CaseDraft:
    return CaseDraft(
        source_case_no=_sound(CaseNo, case.get("externalNo")),
        organization=OrganizationDraft(
            code=organization,
            name=word(case, "orgName", _NAME),
            type=_listed(OrganizationType, codes.ORGANIZATION_TYPE, case, "orgType"),
            region_code=word(case, "townCode", _SHORT) or word(case, "regionCode", _SHORT),
        ),
        channel=_listed(Channel, codes.CHANNEL, case, "sourceChannel"),
        application_form=_listed(ApplicationForm, codes.APPLICATION_FORM, case, "form"),
        received_at=moment_of(case, "receivedAt"),
        accepted_at=moment_of(case, "acceptedAt"),
        cause=_cause(case),
        facts=facts,
        claims=tuple(map(_claim, _rows(case, "claims"))),
        amount=_yuan(case, "amountFen"),
        parties=tuple(party for party in map(_party, _rows(case, "parties")) if party is not None),
        collective=_collective(case),
        mediators=tuple(one for one in map(_mediator, _rows(case, "mediators")) if one is not None),
    )


def _cause(case: Json) -> Cause | None:
    path = codes.cause_path(wire.text_of(case, "causeCode") or "")
    return None if path is None else Cause(table=CauseTable.COURT_2025, path=path)


def _claim(row: Json) -> ClaimDraft:
    return ClaimDraft(
        kind=_listed(ClaimKind, codes.CLAIM, row, "kind"),
        text=word(row, "text", _LONG),
        amount=_yuan(row, "amountFen"),
    )


def _party(row: Json) -> PartyDraft | None:
    role = codes.ROLE.value(wire.text_of(row, "role") or "")
    kind, name = codes.KIND.value(wire.text_of(row, "kind") or ""), word(row, "name", _NAME)
    if role is None or name is None:
        return None
    agents = tuple(agent for agent in map(_agent, _rows(row, "agents")) if agent is not None)
    standing = PartyRole(role)
    match kind:
        case "person":
            return PartyDraft(
                role=standing,
                kind="person",
                name=name,
                id_type=_listed(IdType, codes.ID_TYPE, row, "idType"),
                id_number=word(row, "idNumber", _NAME),
                sex=_listed(Sex, codes.SEX, row, "sex"),
                birth_date=_day(row, "birthDate"),
                phone=word(row, "phone", _SHORT),
                address=_address(row.get("address")),
                service_address=_service_address(row.get("serviceAddress")),
                agents=agents,
            )
        case "employer" | "other_organization":
            head, contact, phone = (
                word(row, "legalName", _NAME),
                word(row, "contactName", _NAME),
                word(row, "contactPhone", _SHORT),
            )
            return PartyDraft(
                role=standing,
                kind="employer" if kind == "employer" else "other_organization",
                name=name,
                credit_code=word(row, "creditCode", _SHORT),
                legal_representative=LegalRepresentativeDraft(name=head) if head else None,
                contact=ContactDraft(name=contact, phone=phone) if contact or phone else None,
                address=_address(row.get("address")),
                agents=agents,
            )
    return None


def _agent(row: Json) -> AgentDraft | None:
    name = word(row, "name", _NAME)
    return None if name is None else AgentDraft(name=name, phone=word(row, "phone", _SHORT))


def _mediator(row: Json) -> MediatorReference | None:
    number, name = word(row, "certNo", 40), word(row, "name", _NAME)
    return None if number is None or name is None else MediatorReference(certificate_no=number, name=name)


def _address(found: Any) -> AddressDraft | None:  # Any: whatever stands there
    if not isinstance(found, dict):
        return None
    region, detail = word(found, "regionCode", _SHORT), word(found, "detail", _SHORT)
    return AddressDraft(region_code=region, detail=detail) if region or detail else None


def _service_address(found: Any) -> ServiceAddressDraft | None:  # Any: whatever stands there
    plain = _address(found)
    consent = found.get("eConsent") if isinstance(found, dict) else None
    consent = consent if isinstance(consent, bool) else None
    if plain is None and consent is None:
        return None
    return ServiceAddressDraft(
        region_code=plain.region_code if plain else None,
        detail=plain.detail if plain else None,
        electronic_consent=consent,
    )


def _collective(case: Json) -> CollectiveDraft | None:
    count, major = _sound(Count, wire.count_of(case, "workerCount")), case.get("collectiveMajor")
    major = major if isinstance(major, bool) else None
    return None if count is None and major is None else CollectiveDraft(worker_count=count, major=major)


# -------------------------------------------------------------------------------------------------------- small values


def word(found: Json, key: str, limit: int) -> str | None:
    """A text as a canonical field can hold it: no control characters, something visible, at most ``limit``."""
    value = found.get(key)
    if not isinstance(value, str):
        return None
    kept = CONTROL_CHARACTER.sub("", value)[:limit]
    return kept if kept.strip() else None


def moment_of(found: Json, key: str) -> datetime | None:
    """A time of the platform, aware, in UTC; ``None`` for one without offset and for a year that no document can hold."""
    value = found.get(key)
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        moment = datetime.fromisoformat(value)
        there = moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
    return there if there is not None and there.year in YEARS else None


def _day(found: Json, key: str) -> date | None:
    try:
        return DAY.read_day(wire.text_of(found, key, 20) or "")
    except ValueError:
        return None


def _yuan(found: Json, key: str) -> Decimal | None:
    fen = wire.count_of(found, key)
    return None if fen is None or fen >= _MOST_FEN else Decimal(fen) / 100


def _listed(kind: type[L], table: Table, found: Json, key: str) -> L | None:
    value = table.value(wire.text_of(found, key) or "")
    return None if value is None else kind(value)


def _sound(kind: Any, value: object) -> Any:  # Any: an annotated kind of ``contracts.values`` and what it holds
    """The value as that kind holds it; ``None`` for what it refuses."""
    if value is None:
        return None
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return None


def _rows(found: Json, key: str) -> list[Json]:
    listed = found.get(key)
    return [row for row in listed[:LIST_LIMIT] if isinstance(row, dict)] if isinstance(listed, list) else []
