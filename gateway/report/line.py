"""One line of the ledger (台账): what the notice asks for of a case, masked unless somebody may see it plain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from contracts.lists import Channel, ClaimKind, EndReason, OrganizationType, TransferTo
from contracts.status import CaseStatus, ConfirmationStatus, FulfilmentStatus, TransferStatus
from contracts.titled import Titled
from gateway.report.entry import Entry
from gateway.security.field_classes import FieldClass, masked

MOST_NAMED: Final = 5
"""Parties of one side that a line names; the rest is counted."""

ASKED: Final = ("applicants", "respondents", "identities", "contacts", "number", "cause", "amount", "result")
"""What the notice asks for (鲁人社函〔2024〕98号 附件, 基础指标: 当事人身份及联系方式、案号、案由、涉案金额、处理结果)."""

_KIND_TITLES: Final[Mapping[str, type[Titled]]] = {
    "confirmation": ConfirmationStatus,
    "transfer": TransferStatus,
    "fulfilment": FulfilmentStatus,
}
_NOUNS: Final = {
    "arbitration_review": ("仲裁审查确认", "Arbitration review"),
    "judicial_confirmation": ("司法确认", "Judicial confirmation"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """The columns of one case. Days are ``2026-09-30`` in Beijing, the amount is in yuan."""

    number: str
    organization_code: str
    organization: str
    organization_type: str
    received: str
    accepted: str
    channel: str
    cause: str
    claims: str
    applicants: str
    respondents: str
    identities: str
    contacts: str
    amount: str
    workers: str
    mediators: str
    limit: str
    status: str
    result: str
    reason: str
    ended: str
    late: str
    agreements: str
    confirmations: str
    transfers: str
    performance: str
    updated: str
    lacks: str


COLUMNS: Final = tuple(field.name for field in fields(Line))
"""Every column in its order; titles are ``ledger.<name>`` of the catalogue."""


def missing(entry: Entry) -> tuple[str, ...]:
    """The columns that the notice asks for and the case does not have. A result is asked of a case that has ended."""
    parties = entry.document.get("parties", [])
    cause = entry.document.get("cause", {}).get("path")
    have = {
        "number": bool(entry.number),
        "cause": bool(cause),
        "amount": entry.document.get("amount") is not None,
        "applicants": _has(parties, "applicant"),
        "respondents": _has(parties, "respondent"),
        "identities": bool(parties) and all(_number(party) for party in parties),
        "contacts": bool(parties) and all(_phone(party) for party in parties),
        "result": entry.end is None or entry.reason is not None,
    }
    return tuple(name for name in ASKED if not have[name])


def _has(parties: Iterable[Mapping[str, Any]], role: str) -> bool:
    return any(party.get("role") == role and party.get("name") for party in parties)


def _number(party: Mapping[str, Any]) -> str:
    return str(party.get("id_number") or party.get("credit_code") or "")


def _phone(party: Mapping[str, Any]) -> str:
    return str(party.get("phone") or (party.get("contact") or {}).get("phone") or "")


@dataclass(frozen=True, slots=True)
class Style:
    """How a line is written: in which language, plain or masked, whether what the document says is shown at all, as of which
    day."""

    chinese: bool
    today: date
    plain: bool = False
    bodies: bool = True


def line_of(entry: Entry, style: Style) -> Line:
    """The line of a case."""
    document: Mapping[str, Any] = entry.document if style.bodies else {}
    organization = document.get("organization", {})
    parties = document.get("parties", [])
    claims = dict.fromkeys(_title(ClaimKind, str(claim.get("kind", "")), style) for claim in document.get("claims", []))
    mediators = document.get("mediators") or []
    return Line(
        number=entry.number,
        organization_code=entry.organization,
        organization=str(organization.get("name") or entry.organization),
        organization_type=_title(OrganizationType, str(organization.get("type", "")), style),
        received=entry.received_on.isoformat(),
        accepted=_iso(entry.accepted_on),
        channel=_title(Channel, str(document.get("channel", "")), style),
        cause="›".join(document.get("cause", {}).get("path", [])[-1:]),
        claims="、".join(claims),
        applicants=_names(parties, "applicant", style),
        respondents=_names(parties, "respondent", style),
        identities=_several([_shown(party, _number(party), FieldClass.ID_NO, style) for party in parties]),
        contacts=_several([_hide(_phone(party), FieldClass.PHONE, style) for party in parties]),
        amount=str(document.get("amount", "")),
        workers=str(entry.workers or "") if style.bodies else "",
        mediators=_several([_hide(str(one.get("name", "")), FieldClass.NAME, style) for one in mediators]),
        limit=_iso(entry.limit_on),
        status=_title(CaseStatus, entry.status, style),
        result="" if entry.end is None else _title(CaseStatus, entry.end, style),
        reason="" if entry.reason is None else _title(EndReason, entry.reason, style),
        ended=_iso(entry.ended_on),
        late=("是" if style.chinese else "yes") if entry.late(style.today) else "",
        agreements="、".join(one.number for one in entry.matters if one.kind == "agreement"),
        confirmations=_standing(entry, "confirmation", style),
        transfers=_standing(entry, "transfer", style),
        performance=_standing(entry, "fulfilment", style),
        updated=entry.updated_on.isoformat(),
        lacks=" ".join(missing(entry)),
    )


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _title(listed: type[Titled], value: str, style: Style) -> str:
    try:
        found = listed(value)
    except ValueError:
        return value
    return found.zh if style.chinese else found.en


def _hide(value: str, kind: FieldClass, style: Style) -> str:
    return value if style.plain or not value else masked(kind, value)


def _shown(party: Mapping[str, Any], value: str, kind: FieldClass, style: Style) -> str:
    """A party's value; what tells of a unit is public."""
    return _hide(value, kind if party.get("kind") == "person" else FieldClass.COMPANY, style)


def _names(parties: Iterable[Mapping[str, Any]], role: str, style: Style) -> str:
    return _several(
        [
            _shown(party, str(party.get("name", "")), FieldClass.NAME, style)
            for party in parties
            if party.get("role") == role
        ]
    )


def _several(values: list[str]) -> str:
    found = [value for value in values if value]
    return "、".join(found[:MOST_NAMED]) + (f" +{len(found) - MOST_NAMED}" if len(found) > MOST_NAMED else "")


def _standing(entry: Entry, kind: str, style: Style) -> str:
    colon = "：" if style.chinese else ": "
    found = []
    for one in entry.matters:
        if one.kind != kind:
            continue
        word = _title(_KIND_TITLES[kind], one.status, style)
        if kind == "confirmation" and one.facet in _NOUNS:
            found.append(f"{_NOUNS[one.facet][0 if style.chinese else 1]}{colon}{word}")
        elif kind == "transfer":
            found.append(f"{_title(TransferTo, one.facet, style)}{colon}{word}")
        else:
            found.append(word)
    return "；".join(dict.fromkeys(found)) if style.chinese else "; ".join(dict.fromkeys(found))
