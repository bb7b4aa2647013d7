"""One case as the ledger knows it: its days, its end, its classes, each from what was posted and told, none from guessing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import orjson

from contracts.case import COLLECTIVE_FROM
from contracts.chinese_calendar import beijing_day
from contracts.status import CASE_ENDS, CaseStatus
from gateway.report.definitions import Basis, definitions
from gateway.report.period import Period, day_of_ms
from gateway.store.engine import Row

_ENDS: Final = frozenset(status.value for status in CASE_ENDS)
_UNDECIDED: Final = frozenset({CaseStatus.RECEIVED, CaseStatus.CORRECTION_REQUIRED, CaseStatus.DECLINED, ""})
_AGREED: Final = frozenset({CaseStatus.AGREED, CaseStatus.PARTLY_AGREED})
_SETTLED: Final = "self_settled_withdrawn"
_NO_LIMITS: Final = ("answer",)


@dataclass(frozen=True, slots=True)
class Matter:
    """What hangs on a case: an agreement, a confirmation, a transfer, a term to be performed."""

    id: str
    kind: str
    status: str
    facet: str
    number: str
    message: str
    created_on: date


@dataclass(frozen=True, slots=True)
class Entry:
    """The facts of one case (案件) that the ledger shows and the statistics count.

    ``received_on``, ``accepted_on``, ``ended_on`` are days in Beijing. ``end`` is the last of the five ends that it came to,
    also where it was transferred or closed afterwards; ``reason`` its code (在线调解规则 art. 25). ``limit_on`` is the last day
    of the mediation: that of the referral it came from, else of 调解仲裁法 art. 14. ``told`` are the short names of what was
    told of it (``accepted``, ``alerted``, ``followed_up``). ``delivered``: (endpoint, message type, about).
    """

    id: str
    organization: str
    number: str
    status: str
    received_on: date
    accepted_on: date | None
    ended_on: date | None
    end: str | None
    reason: str | None
    limit_on: date | None
    updated_on: date
    document: Mapping[str, Any]
    matters: tuple[Matter, ...]
    told: tuple[str, ...]
    delivered: tuple[tuple[str, str, str], ...] = ()

    # ---- classes

    @property
    def dispute(self) -> str:
        """Its class of dispute (D1 … D9), by the first claim."""
        claims = self.document.get("claims") or [{}]
        return definitions().dispute(str(claims[0].get("kind", "")))

    @property
    def organization_class(self) -> str:
        """The class of its organisation (O1 … O9)."""
        return definitions().organization(str(self.document.get("organization", {}).get("type", "")))

    @property
    def result(self) -> str | None:
        """The class of its end (R1 … R4); ``None``: it has none yet."""
        if self.end is None:
            return None
        if self.end in _AGREED:
            return "R1"
        if self.reason == _SETTLED:
            return "R2"
        return "R4" if self.end == CaseStatus.WITHDRAWN else "R3"

    @property
    def amount(self) -> Decimal:
        """The amount in dispute in yuan (涉案金额)."""
        try:
            return Decimal(str(self.document.get("amount", "0")))
        except InvalidOperation:
            return Decimal(0)

    @property
    def workers(self) -> int:
        """The workers of a collective case of ten or more; 0: it is none (调解仲裁法 art. 7)."""
        count = int((self.document.get("collective") or {}).get("worker_count", 0))
        return count if count >= COLLECTIVE_FROM else 0

    @property
    def worker_applicants(self) -> int:
        """Natural persons among the applicants; of a collective case all workers concerned."""
        persons = sum(
            party.get("role") == "applicant" and party.get("kind") == "person"
            for party in self.document.get("parties", [])
        )
        return max(persons, self.workers) if persons else 0

    @property
    def declined(self) -> bool:
        """Whether it was not accepted (不予受理)."""
        return self.status == CaseStatus.DECLINED

    # ---- periods

    def day(self, basis: Basis) -> date | None:
        """The day that counts for a basis of one day."""
        match basis:
            case Basis.RECEIVED:
                return self.received_on
            case Basis.ACCEPTED:
                return self.accepted_on
            case Basis.ENDED:
                return self.ended_on
            case Basis.OPEN:
                return None

    def within(self, period: Period, basis: Basis) -> bool:
        """Whether the period counts it."""
        if basis is Basis.OPEN:
            accepted = self.accepted_on is not None and self.accepted_on <= period.end
            return accepted and not self.declined and (self.ended_on is None or self.ended_on > period.end)
        return self.day(basis) in period

    def late(self, by: date) -> bool:
        """Whether the mediation went beyond its limit, as of that day: it ended after it, or was open then."""
        if self.limit_on is None or self.declined:
            return False
        if self.ended_on is not None and self.ended_on <= by:
            return self.ended_on > self.limit_on
        return by > self.limit_on


def entry_of(
    case: Row,
    raw: bytes,
    matters: Iterable[Row] = (),
    steps: Sequence[Row] = (),
    limits: Iterable[Row] = (),
    delivered: Iterable[Row] = (),
) -> Entry:
    """The entry of a case from its rows; ``raw`` is its document, ``limits`` are its own and its referral's."""
    document: dict[str, Any] = orjson.loads(raw)
    accepted_on, end, ended_on, reason = None, None, None, None
    told = []
    if document.get("accepted_at"):
        accepted_on = _day(document["accepted_at"])
    for step in steps:
        facts = orjson.loads(step["data"])
        word = str(step["type"]).partition(".")[2]
        told.append(word)
        if facts.get("moved") is False or word not in set(CaseStatus) or facts.get("at") is None:
            continue
        at = _day(facts["at"])
        if accepted_on is None and word not in _UNDECIDED:
            accepted_on = at
        if word in _ENDS:
            end, ended_on, reason = word, at, facts.get("reason_code")
    status = str(case["status"])
    if accepted_on is None and status not in _UNDECIDED:
        accepted_on = day_of_ms(case["since"] or case["created_at"])
    if end is None and status in _ENDS:
        end, ended_on = status, day_of_ms(case["since"] or case["updated_at"])
    return Entry(
        id=str(case["id"]),
        organization=str(case["organization"]),
        number=str(case["business_key"]).partition("|")[2],
        status=status,
        received_on=_day(document["received_at"]),
        accepted_on=None if status == CaseStatus.DECLINED else accepted_on,
        ended_on=ended_on,
        end=end,
        reason=reason,
        limit_on=_limit(limits),
        updated_on=day_of_ms(case["updated_at"]),
        document=document,
        matters=tuple(
            _matter(row) for row in matters if row["kind"] != "case" and (row["active"] or row["kind"] != "fulfilment")
        ),
        told=tuple(told),
        delivered=tuple((row["endpoint"], row["type"], row["about"]) for row in delivered),
    )


def _day(given: str) -> date:
    return beijing_day(datetime.fromisoformat(given))


def _matter(row: Row) -> Matter:
    return Matter(
        row["id"],
        row["kind"],
        row["status"],
        row["facet"] or "",
        row["business_key"].partition("|")[2],
        row["message"],
        day_of_ms(row["created_at"]),
    )


def _limit(rows: Iterable[Row]) -> date | None:
    """The last day of the mediation: the referral's where it sets one, else the law's."""
    found = [row for row in rows if row["state"] != "cancelled" and not row["rule"].endswith(_NO_LIMITS)]
    referred = [row["due_on"] for row in found if not row["rule"].startswith("D03")]
    own = [row["due_on"] for row in found if row["rule"].startswith("D03")]
    due = max(referred, default=None) or max(own, default=None)
    return None if due is None else date.fromisoformat(due)
