"""分流指派: the case that the platform hands over, as far as it sent it (page §5, change type 1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal

from adapters.beijing import BEIJING, DAY, SECONDS
from adapters.one_stop.codes import CLAIM, ID_TYPE, ROLE, SEX, nation_name
from adapters.one_stop.layout import AGENTS, CLAIMS, PAGE, PAGES, PERSONS, UNITS, Rows
from adapters.one_stop.scribe import yuan
from adapters.one_stop.wire import Node, Unreadable
from contracts.case import Cause
from contracts.causes import exists
from contracts.lists import CauseTable, Channel, ClaimKind, IdType, PartyRole, ReferralKind, Sex
from contracts.referral import (
    AddressDraft,
    AgentDraft,
    CaseDraft,
    ClaimDraft,
    CollectiveDraft,
    ContactDraft,
    LegalRepresentativeDraft,
    OrganizationDraft,
    PartyDraft,
    Referral,
)
from contracts.update import ReferralOffered
from contracts.values import CONTROL_CHARACTER, LIST_LIMIT

_NAME, _SHORT, _LONG = 100, 500, 20_000
_COLLECTIVE = frozenset({"03", "04", "05"})
"""规模 of ten persons and more, which is what makes a dispute collective."""
_REGION = re.compile(r"([0-9]{6}|[0-9]{9}|[0-9]{12}) (.*)", re.DOTALL)


def offered(change: Node, number: str, at: datetime, endpoint: str) -> ReferralOffered:
    """The assignment as a referral; ``number`` is its 变更序号.

    Nothing is invented: an item that is absent, or that no canonical field can hold, is absent in the draft.

    Raises:
        Unreadable: without 平台编号, 签收期限 or 简述 there is nothing that an organisation could answer.
    """
    items = _Items(change, "", _continued(change))
    task_no = items.word("平台编号", _SHORT)
    facts = items.word("简述", _LONG)
    due_at = _moment(items.text("签收期限"))
    if task_no is None or facts is None or due_at is None:
        raise Unreadable("incomplete_assignment")
    organization = items.text("机构编码")
    if organization is None:
        raise Unreadable("foreign_organization")
    referral = Referral(
        schema_version="1.0",
        kind=ReferralKind.ONE_STOP_ASSIGNED,
        endpoint=endpoint,
        task_no=task_no,
        letter_no=items.word("指派单号", _SHORT),
        organization_code=organization,
        due_at=due_at,
        mediation_due_at=_end_of_day(items.text("化解时限")),
        case=CaseDraft(
            organization=OrganizationDraft(code=organization),
            channel=Channel.REFERRAL,
            cause=_cause(items.text("案由")),
            facts=facts,
            claims=tuple(map(_claim, items.rows(CLAIMS))),
            amount=_sum(items.text("涉案金额")),
            parties=_parties(items),
            collective=_collective(items),
        ),
    )
    return ReferralOffered(number, referral, at)


@dataclass(frozen=True, slots=True)
class _Items:
    """The items of one element, each joined with its continuation pages."""

    node: Node
    prefix: str
    continued: Mapping[str, tuple[str, ...]]

    def text(self, name: str) -> str | None:
        """The whole text, exactly."""
        first = self.node.value(name)
        more = self.continued.get(self.prefix + name)
        return first if more is None else "".join((first or "", *more))

    def word(self, name: str, limit: int) -> str | None:
        """The text as a canonical field can hold it: no control characters, something visible, at most ``limit``."""
        found = CONTROL_CHARACTER.sub("", self.text(name) or "")[:limit]
        return found if found.strip() else None

    def rows(self, rows: Rows) -> tuple[_Items, ...]:
        """The entries of a repeated item."""
        listed = self.node.one(rows.name)
        entries = list(listed.all(rows.row))[:LIST_LIMIT] if listed is not None else []
        return tuple(
            _Items(entry, f"{rows.row}[{number}]/", self.continued) for number, entry in enumerate(entries, start=1)
        )


def _continued(change: Node) -> Mapping[str, tuple[str, ...]]:
    """续页 by item, pages 2 and on.

    Raises:
        Unreadable: a gap, a doubled page or a wrong 页数, which would join to another text than the one that was sent.
    """
    listed = change.one(PAGES)
    found: dict[str, list[str]] = {}
    totals: dict[str, str | None] = {}
    for page in listed.all(PAGE) if listed is not None else ():
        place, number, total = page.value("项名") or "", page.value("页号"), page.value("页数")
        texts = found.setdefault(place, [])
        if number != str(len(texts) + 2) or totals.setdefault(place, total) != total:
            raise Unreadable("pages_with_gaps")
        texts.append(page.value("内容") or "")
    if any(totals[place] != str(len(texts) + 1) for place, texts in found.items()):
        raise Unreadable("pages_with_gaps")
    return {place: tuple(texts) for place, texts in found.items()}


def _parties(items: _Items) -> tuple[PartyDraft, ...]:
    """Persons, then units: the order in which 代理当事人序号 can count them here."""
    agents: dict[int, list[AgentDraft]] = {}
    for entry in items.rows(AGENTS):
        index, agent = entry.text("代理当事人序号") or "", _agent(entry)
        if agent is not None and index.isascii() and index.isdigit() and len(index) <= 4:
            agents.setdefault(int(index), []).append(agent)
    employers = frozenset(filter(None, (items.text("涉及单位") or "").split("；")))
    found = [_person(entry) for entry in items.rows(PERSONS)]
    found += [_unit(entry, employers) for entry in items.rows(UNITS)]
    return tuple(
        party.model_copy(update={"agents": tuple(agents.get(number, ()))})
        for number, party in enumerate(found)
        if party is not None
    )[:LIST_LIMIT]


def _person(entry: _Items) -> PartyDraft | None:
    role, name = ROLE.value(entry.text("角色") or ""), entry.word("姓名", _NAME)
    if role is None or name is None:
        return None
    return PartyDraft(
        role=PartyRole(role),
        kind="person",
        name=name,
        id_type=_id_type(entry),
        id_number=entry.word("号码", _NAME),
        sex=_sex(entry),
        ethnic_group=nation_name(entry.text("民族") or ""),
        phone=entry.word("联系方式", _SHORT),
        address=_address(entry.word("居住详址", _SHORT)),
    )


def _unit(entry: _Items, employers: frozenset[str]) -> PartyDraft | None:
    role, name = ROLE.value(entry.text("角色") or ""), entry.word("单位名称", _NAME)
    if role is None or name is None:
        return None
    standing = PartyRole(role)
    representative = entry.word("法定代表人", _NAME)
    contact, phone = entry.word("联系人", _NAME), entry.word("联系方式", _SHORT)
    return PartyDraft(
        role=standing,
        kind="employer" if _is_employer(standing, entry.text("单位名称") or "", employers) else "other_organization",
        name=name,
        credit_code=entry.word("统一社会信用代码", _SHORT),
        legal_representative=LegalRepresentativeDraft(name=representative) if representative else None,
        contact=ContactDraft(name=contact, phone=phone) if contact or phone else None,
        address=_address(entry.word("地址", _SHORT)),
    )


def _is_employer(standing: PartyRole, name: str, employers: frozenset[str]) -> bool:
    """The row does not say what a unit is, but 涉及单位 lists the employers among the respondents."""
    if standing is PartyRole.RESPONDENT:
        return not employers or name in employers
    return standing is PartyRole.APPLICANT


def _agent(entry: _Items) -> AgentDraft | None:
    name = entry.word("姓名", _NAME)
    if name is None:
        return None
    return AgentDraft(
        name=name,
        id_type=_id_type(entry),
        id_number=entry.word("号码", _NAME),
        phone=entry.word("联系方式", _SHORT),
    )


def _claim(entry: _Items) -> ClaimDraft:
    kind = CLAIM.value(entry.text("种类") or "")
    return ClaimDraft(
        kind=ClaimKind(kind) if kind is not None else None,
        text=entry.word("内容", _LONG),
        amount=_sum(entry.text("金额")),
    )


def _collective(items: _Items) -> CollectiveDraft | None:
    if items.text("规模") not in _COLLECTIVE:
        return None
    persons = items.text("涉及人数") or ""
    sound = persons.isascii() and persons.isdigit() and len(persons) <= 6 and int(persons) > 0
    return CollectiveDraft(worker_count=int(persons) if sound else None)


def _cause(text: str | None) -> Cause | None:
    """Back from ``table:name/name``; a path that no table has is absent."""
    table, _, names = (text or "").partition(":")
    path = tuple(names.split("/"))
    if table not in set(CauseTable) or not exists(CauseTable(table), path):
        return None
    return Cause(table=CauseTable(table), path=path)


def _id_type(entry: _Items) -> IdType | None:
    found = ID_TYPE.value(entry.text("证件代码") or "")
    return IdType(found) if found is not None else None


def _sex(entry: _Items) -> Sex | None:
    found = SEX.value(entry.text("性别") or "")
    return Sex(found) if found is not None else None


def _address(text: str | None) -> AddressDraft | None:
    if text is None:
        return None
    found = _REGION.fullmatch(text)
    if found is None or not found[2].strip():
        return AddressDraft(detail=text)
    return AddressDraft(region_code=found[1], detail=found[2])


def _sum(text: str | None) -> Decimal | None:
    try:
        return yuan(text or "")
    except ValueError:
        return None


def _moment(text: str | None) -> datetime | None:
    try:
        return SECONDS.read(text or "")
    except ValueError:
        return None


def _end_of_day(text: str | None) -> datetime | None:
    """A limit that is a day lasts until its end."""
    try:
        return datetime.combine(DAY.read_day(text or ""), time(23, 59, 59), BEIJING)
    except ValueError:
        return None
