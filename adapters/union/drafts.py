"""移交: a case that the union hands over for mediation, as far as it sent it (page §5)."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal

from pydantic import ValidationError

from adapters.beijing import BEIJING, D8, D14
from adapters.union import codes
from adapters.union.case import ROLES
from adapters.union.wire import Row
from contracts.case import Cause
from contracts.causes import exists
from contracts.lists import (
    AgentKind,
    CauseTable,
    Channel,
    ClaimKind,
    IdType,
    PartyRole,
    ReferralKind,
    Sex,
    UnitSize,
    UnitType,
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
)
from contracts.status import ReferenceKind
from contracts.values import CONTROL_CHARACTER, LIST_LIMIT

_CASE_NO, _CODE, _NAME, _SHORT, _LONG = 40, 32, 100, 500, 20_000
_FEN = re.compile(r"[0-9]{1,17}")
_COUNT = re.compile(r"[1-9][0-9]{0,5}")
_INDEX = re.compile(r"[0-9]{1,4}")


class Incomplete(ValueError):
    """Without task, organisation, due time and facts there is nothing that an organisation could answer."""


def referral(item: Row, endpoint: str) -> Referral:
    """The handed-over case. Nothing is invented: what is absent, or what no canonical field can hold, is absent in the
    draft; the raw callback keeps it.

    Raises:
        Incomplete: a field without which there is no referral.
    """
    task_no, organization = _word(item, "yjbh", _SHORT), _exact(item, "jgdm", _CODE)
    facts, due_at = _word(item, "jq", _LONG), _due(item.text("dfqx"))
    if task_no is None or task_no != item.text("yjbh") or organization is None or facts is None or due_at is None:
        raise Incomplete
    case_no = _exact(item, "ajbh", _NAME)
    try:
        return Referral(
            schema_version="1.0",
            kind=ReferralKind.UNION_HANDED_OVER,
            endpoint=endpoint,
            task_no=task_no,
            organization_code=organization,
            due_at=due_at,
            case=_case(item, organization, facts),
            external_refs=(ExternalNumber(kind=ReferenceKind.CASE_NO, value=case_no),) if case_no else (),
        )
    except ValidationError:
        raise Incomplete from None


def _case(item: Row, organization: str, facts: str) -> CaseDraft:
    channel = codes.CHANNELS_READ.get(item.text("ly"))
    return CaseDraft(
        source_case_no=_exact(item, "ajbh", _CASE_NO),
        organization=OrganizationDraft(
            code=organization, name=_word(item, "jgmc", _NAME), region_code=_word(item, "qh", _SHORT)
        ),
        channel=Channel(channel) if channel is not None else None,
        received_at=_moment(item.text("sqsj")),
        accepted_at=_moment(item.text("slsj")),
        cause=_cause(item.text("ay")),
        facts=facts,
        claims=tuple(map(_claim, item.rows("qq")))[:LIST_LIMIT],
        amount=_yuan(item.text("je")),
        parties=_parties(item),
        collective=_collective(item),
    )


def _parties(item: Row) -> tuple[PartyDraft, ...]:
    """Applicants, respondents, third parties: the order in which an agent's ``dsr`` counts them here."""
    agents: dict[int, list[AgentDraft]] = {}
    for row in item.rows("dlr"):
        index, agent = row.text("dsr"), _agent(row)
        if agent is not None and _INDEX.fullmatch(index):
            agents.setdefault(int(index), []).append(agent)
    found = [_party(row, role) for name, role in ROLES.items() for row in item.rows(name)]
    return tuple(
        party.model_copy(update={"agents": tuple(agents.get(number, ()))[:LIST_LIMIT]})
        for number, party in enumerate(found)
        if party is not None
    )[:LIST_LIMIT]


def _party(row: Row, role: PartyRole) -> PartyDraft | None:
    """A row with ``mc`` is a unit. A row without any name names nobody."""
    person = _word(row, "xm", _NAME)
    if person is not None:
        return _person(row, role, person)
    unit = _word(row, "mc", _NAME)
    return _unit(row, role, unit) if unit is not None else None


def _person(row: Row, role: PartyRole, name: str) -> PartyDraft:
    id_type, sex = codes.ID_TYPE.value(row.text("zjlx")), codes.SEX.value(row.text("xb"))
    return PartyDraft(
        role=role,
        kind="person",
        name=name,
        id_type=IdType(id_type) if id_type is not None else None,
        id_number=_word(row, "zjhm", _NAME),
        sex=Sex(sex) if sex is not None else None,
        birth_date=_day(row.text("csrq")),
        phone=_word(row, "dh", _SHORT),
        occupation=_word(row, "gz", _SHORT),
        address=_address(row),
    )


def _unit(row: Row, role: PartyRole, name: str) -> PartyDraft:
    """The row does not say what a unit is: a party to the dispute is an employer, a third party need not be one."""
    head, contact, phone = _word(row, "fr", _NAME), _word(row, "lxr", _NAME), _word(row, "dh", _SHORT)
    size = codes.UNIT_SIZE.value(row.text("gm"))
    return PartyDraft(
        role=role,
        kind="other_organization" if role is PartyRole.THIRD_PARTY else "employer",
        name=name,
        credit_code=_word(row, "xydm", _SHORT),
        unit_type=_unit_type(row.text("dwlx")),
        size=UnitSize(size) if size is not None else None,
        legal_representative=LegalRepresentativeDraft(name=head) if head else None,
        contact=ContactDraft(name=contact, phone=phone) if contact or phone else None,
        address=_address(row),
    )


def _agent(row: Row) -> AgentDraft | None:
    name, kind = _word(row, "xm", _NAME), codes.AGENT_KIND.value(row.text("dlx"))
    if name is None:
        return None
    return AgentDraft(
        kind=AgentKind(kind) if kind is not None else None,
        name=name,
        id_number=_word(row, "zjhm", _NAME),
        phone=_word(row, "dh", _SHORT),
    )


def _claim(row: Row) -> ClaimDraft:
    kind = codes.CLAIM_KIND.value(row.text("lx"))
    return ClaimDraft(
        kind=ClaimKind(kind) if kind is not None else None,
        text=_word(row, "nr", _LONG),
        amount=_yuan(row.text("je")),
    )


def _collective(item: Row) -> CollectiveDraft | None:
    """A collective case is one that comes with ``zd``."""
    major = {"1": True, "0": False}.get(item.text("zd"))
    if major is None:
        return None
    count = item.text("rs")
    names = _word(item, "dbr", _LONG) or ""
    return CollectiveDraft(
        worker_count=int(count) if _COUNT.fullmatch(count) else None,
        representatives=tuple(name.strip()[:_NAME] for name in names.split("、") if name.strip())[:LIST_LIMIT],
        major=major,
    )


def _cause(text: str) -> Cause | None:
    """Back from the names joined by ``/``: the first table, newest first, that has this path; else absent."""
    path = tuple(text.split("/"))
    for table in CauseTable:
        if exists(table, path):
            return Cause(table=table, path=path)
    return None


def _unit_type(text: str) -> UnitType | None:
    """As given, in our word or in its Chinese title."""
    return next((kind for kind in UnitType if text in (kind.value, kind.zh)), None)


def _address(row: Row) -> AddressDraft | None:
    region, detail = _word(row, "dzqh", _SHORT), _word(row, "dz", _SHORT)
    return AddressDraft(region_code=region, detail=detail) if region or detail else None


def _word(row: Row, name: str, limit: int) -> str | None:
    """The text as a canonical field can hold it: no control characters, something visible, at most ``limit``."""
    found = CONTROL_CHARACTER.sub("", row.text(name))[:limit]
    return found if found.strip() else None


def _exact(row: Row, name: str, limit: int) -> str | None:
    """The same for a name of a thing: whole or not at all."""
    found = _word(row, name, limit)
    return found if found == row.text(name) else None


def _yuan(text: str) -> Decimal | None:
    """Back from fen (分)."""
    return Decimal(text).scaleb(-2) if _FEN.fullmatch(text) else None


def _moment(text: str) -> datetime | None:
    try:
        return D14.read(text)
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        return D8.read_day(text)
    except ValueError:
        return None


def _due(text: str) -> datetime | None:
    """The end of the time to answer: a moment, or the end of a day."""
    day = _day(text)
    return datetime.combine(day, time(23, 59, 59), BEIJING) if day is not None else _moment(text)
