"""rwxd 任务下达: a case that a court hands over (委派, 委托), as a referral with its draft (page §5).

Nothing is invented: a key that is absent, or that no canonical field can hold, is absent in the draft; the raw push keeps
it.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal

from pydantic import ValidationError

from adapters.beijing import BEIJING, COMPACT_MINUTES, D8
from adapters.court_mediation import codes, wire
from adapters.court_mediation.parties import SIDES
from contracts.adapter import Json
from contracts.case import Cause
from contracts.confirmation import Authority
from contracts.errors import UnreadableCallback
from contracts.lists import (
    AgentAuthority,
    AgentKind,
    AuthorityKind,
    Channel,
    ClaimKind,
    IdType,
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
from contracts.values import CONTROL_CHARACTER, LIST_LIMIT

_ORGANIZATION, _CASE_NO, _NAME, _SHORT, _LONG = 32, 40, 100, 500, 20_000
_REGION = re.compile(r"([0-9]{6}|[0-9]{9}|[0-9]{12}) (.*)", re.DOTALL)
_AMOUNT = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,2})?")
_UNIT_KINDS = frozenset({"employer", "other_organization"})
_END_OF_DAY = time(23, 59, 59)


def referral(content: Json, court: str, endpoint: str) -> Referral:
    """The task as a referral. ``court``: the push's ``fydm``.

    Raises:
        UnreadableCallback: without task, kind, organisation, term or facts there is nothing that could be answered.
    """
    kind = codes.REFERRAL_KIND.value(wire.text_of(content, "wplx"))
    task_no, organization = word(content, "rwbh", _SHORT), word(content, "jgdm", _ORGANIZATION)
    due_at = _end(wire.text_of(content, "qrqx"))
    facts = word(content, "dispute", _LONG, cut=True)
    if kind is None or task_no is None or organization is None or due_at is None or facts is None:
        raise UnreadableCallback("referral_incomplete")
    documents = wire.rows_of(content, "wslist", 100)
    try:
        return Referral(
            schema_version="1.0",
            kind=ReferralKind(kind),
            endpoint=endpoint,
            task_no=task_no,
            authority=_court(court, documents),
            organization_code=organization,
            due_at=due_at,
            mediation_due_at=_end(wire.text_of(content, "tjqx")),
            case=_case(content, organization, facts),
            external_refs=_numbers(content, documents),
        )
    except ValidationError:
        raise UnreadableCallback("referral_unsound") from None


def _court(code: str, documents: list[Json]) -> Authority | None:
    """The court by its code. Its name stands beside its documents alone; without one the code is the name: it is how
    case numbers call the court."""
    if not code.strip() or len(code) > _NAME or CONTROL_CHARACTER.search(code):
        return None
    names = (word(row, "c_fymc", _NAME) for row in documents)
    name = next((name for name in names if name is not None), code)
    return Authority(kind=AuthorityKind.COURT, code=code, name=name)


def _numbers(content: Json, documents: list[Json]) -> tuple[ExternalNumber, ...]:
    told = [(ReferenceKind.CASE_NO, word(content, "ah", _SHORT))]
    told += [(ReferenceKind.DOCUMENT_NO, word(row, "c_wsbh", _SHORT)) for row in documents]
    return tuple(ExternalNumber(kind=kind, value=value) for kind, value in told if value is not None)


# ---------------------------------------------------------------------------------------------------------------- case


def _case(content: Json, organization: str, facts: str) -> CaseDraft:
    return CaseDraft(
        source_case_no=word(content, "mediationCaseNo", _CASE_NO),
        organization=OrganizationDraft(code=organization, name=word(content, "jgmc", _NAME)),
        channel=Channel.REFERRAL,
        received_at=moment_of(wire.text_of(content, "startTimeStr")),
        cause=_cause(wire.text_of(content, "causeCode")),
        facts=facts,
        claims=tuple(_claim(row) for row in wire.rows_of(content, "claims", LIST_LIMIT)),
        amount=_amount(wire.text_of(content, "money")),
        parties=_parties(content),
        collective=_collective(content),
    )


def _cause(code: str) -> Cause | None:
    found = codes.cause_path(code)
    return None if found is None else Cause(table=found[0], path=found[1])


def _claim(row: Json) -> ClaimDraft:
    kind = wire.text_of(row, "lx")
    return ClaimDraft(
        kind=ClaimKind(kind) if kind in set(ClaimKind) else None,
        text=word(row, "nr", _LONG, cut=True),
        amount=_amount(wire.text_of(row, "je")),
    )


def _collective(content: Json) -> CollectiveDraft | None:
    count = wire.text_of(content, "sjrs")
    listed = content.get("dbr")
    names = [clean(one, _NAME) for one in listed[:LIST_LIMIT]] if isinstance(listed, list) else []
    representatives = tuple(name for name in names if name is not None)
    workers = int(count) if count.isascii() and count.isdigit() and len(count) <= 6 and int(count) else None
    if workers is None and not representatives:
        return None
    return CollectiveDraft(worker_count=workers, representatives=representatives)


# -------------------------------------------------------------------------------------------------------------- parties


def _parties(content: Json) -> tuple[PartyDraft, ...]:
    """Both sides and third parties; a row without name or of unknown kind names nobody that a draft could hold."""
    found = [
        _party(row, role, prefix)
        for role, (key, prefix) in SIDES.items()
        for row in wire.rows_of(content, key, LIST_LIMIT)
    ]
    return tuple(party for party in found if party is not None)[:LIST_LIMIT]


def _party(row: Json, role: PartyRole, prefix: str) -> PartyDraft | None:
    kind, name = codes.KIND.value(wire.text_of(row, f"{prefix}Type")), word(row, f"{prefix}Name", _NAME)
    if kind is None or name is None:
        return None
    if kind in _UNIT_KINDS:
        return _unit(row, role, kind, name, prefix)
    sex = codes.SEX.value(wire.text_of(row, f"{prefix}Sex"))
    return PartyDraft(
        role=role,
        kind="person",
        name=name,
        id_type=_id_type(row),
        id_number=word(row, f"{prefix}IDCardNo", _NAME),
        sex=None if sex is None else Sex(sex),
        birth_date=day_of(wire.text_of(row, f"{prefix}Birthday")),
        ethnic_group=word(row, f"{prefix}Nation", _SHORT),
        phone=word(row, f"{prefix}Tel", _SHORT),
        address=_address(row, prefix),
        service_address=_service_address(row, prefix),
        agents=_agents(row),
    )


def _unit(row: Json, role: PartyRole, kind: str, name: str, prefix: str) -> PartyDraft:
    head, contact = word(row, f"{prefix}Fddbr", _NAME), word(row, f"{prefix}Lxr", _NAME)
    phone = word(row, f"{prefix}Tel", _SHORT) or word(row, f"{prefix}StaticPhone", _SHORT)
    return PartyDraft(
        role=role,
        kind="employer" if kind == "employer" else "other_organization",
        name=name,
        credit_code=word(row, f"{prefix}IDCardNo", _SHORT),
        # A post without its holder's name is nobody's.
        legal_representative=LegalRepresentativeDraft(name=head, position=word(row, f"{prefix}Fddbrzw", _SHORT))
        if head
        else None,
        contact=ContactDraft(name=contact, phone=phone) if contact or phone else None,
        address=_address(row, prefix),
        agents=_agents(row),
    )


def _id_type(row: Json) -> IdType | None:
    return codes.id_type(wire.text_of(row, "credentialsType"), wire.text_of(row, "credentialsName"))


def _address(row: Json, prefix: str) -> AddressDraft | None:
    region, detail = word(row, "areaCode", _SHORT), word(row, f"{prefix}Address", _SHORT)
    return AddressDraft(region_code=region, detail=detail) if region or detail else None


def _service_address(row: Json, prefix: str) -> ServiceAddressDraft | None:
    """``Sddz`` is region code, space, detail."""
    whole = word(row, f"{prefix}Sddz", _SHORT)
    consent = {"1": True, "0": False}.get(wire.text_of(row, f"{prefix}Dzsd"))
    if whole is None and consent is None:
        return None
    split = _REGION.fullmatch(whole or "")
    if split is None or not split[2].strip():
        return ServiceAddressDraft(detail=whole, electronic_consent=consent)
    return ServiceAddressDraft(region_code=split[1], detail=split[2], electronic_consent=consent)


def _agents(row: Json) -> tuple[AgentDraft, ...]:
    found = [_agent(agent) for agent in wire.rows_of(row, "agentList", LIST_LIMIT)]
    return tuple(agent for agent in found if agent is not None)


def _agent(row: Json) -> AgentDraft | None:
    name = word(row, "xm", _NAME)
    if name is None:
        return None
    kind = codes.AGENT_KIND.value(wire.text_of(row, "dllx"))
    authority = codes.AGENT_AUTHORITY.value(wire.text_of(row, "dlqx"))
    return AgentDraft(
        kind=None if kind is None else AgentKind(kind),
        name=name,
        id_type=_id_type(row),
        id_number=word(row, "zjhm", _NAME),
        phone=word(row, "dh", _SHORT),
        authority=None if authority is None else AgentAuthority(authority),
    )


# --------------------------------------------------------------------------------------------------------------- values


def word(found: Json, key: str, limit: int, *, cut: bool = False) -> str | None:
    """A text as a canonical field can hold it; over its limit prose is cut, and everything else is absent."""
    text = wire.text_of(found, key)
    return clean(text[:limit] if cut else text, limit)


def clean(text: object, limit: int) -> str | None:
    """A text without control characters; ``None`` for nothing visible or over its limit."""
    if not isinstance(text, str):
        return None
    kept = CONTROL_CHARACTER.sub("", text)
    return kept if kept.strip() and len(kept) <= limit else None


def moment_of(text: str) -> datetime | None:
    """``yyyyMMdd HH:mm``; ``None`` for anything else."""
    try:
        return COMPACT_MINUTES.read(text)
    except ValueError:
        return None


def day_of(text: str) -> date | None:
    """``yyyyMMdd``; ``None`` for anything else."""
    try:
        return D8.read_day(text)
    except ValueError:
        return None


def _end(text: str) -> datetime | None:
    """A term; one that is a day lasts until its end in Beijing."""
    day = day_of(text)
    return moment_of(text) if day is None else datetime.combine(day, _END_OF_DAY, BEIJING)


def _amount(text: str) -> Decimal | None:
    return Decimal(text).quantize(Decimal("0.01")) if _AMOUNT.fullmatch(text) else None
