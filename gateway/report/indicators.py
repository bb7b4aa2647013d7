"""The appraisal's indicators (评查指标) as far as the gateway's own data prove them: each with its value, verdict and rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import orjson

from contracts.messages import COURT, HR, MessageType
from gateway.report.definitions import Basis, Indicator, definitions, indicators
from gateway.report.entry import Entry
from gateway.report.ledger import Ledger, Scope
from gateway.report.period import Period, day_of_ms
from gateway.report.statistics import Share, Statistics, success
from gateway.store.engine import Row
from gateway.store.places import of_document
from gateway.store.store import Store

_ONLINE: Final = frozenset({"web", "app", "mini_program", "official_account"})
_FILED: Final = MessageType.CONFIRMATION_REQUESTED.value
_ACCEPTED: Final = frozenset({"accepted", "returned"})
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Measured:
    """An indicator with its value: a count, or a percentage with its fraction. ``met``: ``None`` = nothing to judge."""

    indicator: Indicator
    value: int | str | None
    met: bool | None
    share: Share | None = None


@dataclass(slots=True)
class _Seen:
    """What was seen while the entries went by."""

    statistics: Statistics
    cases: Counter[str] = field(default_factory=Counter)
    platforms: set[str] = field(default_factory=set)
    agreements: list[str] = field(default_factory=list)


class Appraisal:
    """Measures the indicators. ``adapters``: which adapter each endpoint speaks."""

    def __init__(self, store: Store, adapters: Mapping[str, str]) -> None:
        self._store = store
        self._ledger = Ledger(store)
        self._adapters = adapters

    async def measure(
        self, scope: Scope, period: Period, codes: tuple[str, ...], threshold: int
    ) -> tuple[Statistics, list[Measured]]:
        """Every indicator of a period, and the statistics behind them. ``codes`` and ``threshold``: as ``success``."""
        seen = _Seen(Statistics(period))
        async for entry in self._ledger.entries(scope, period, Basis, delivered=True):
            seen.statistics.add(entry)
            self._see(seen, entry, period)
        notices = await self._notices(seen.agreements)
        referrals = await self._referrals(scope, period)
        roster = await self._roster(scope, period.end)
        figures = seen.statistics.figures
        counts = {
            **seen.cases,
            "platforms_used": len(seen.platforms),
            **referrals,
            "full_time_mediator": roster["full_time"],
        }
        shares = {
            "success_rate": success(seen.statistics, codes, threshold),
            "ledger_complete": Share(figures["Q1"], figures["N01"], 100),
            "in_time": Share(figures["R0"] - figures["L1"], figures["R0"], 100),
            "notice_given": Share(notices, len(seen.agreements), 100),
            "collective_reported": Share(seen.cases["alerted"], seen.cases["major"], 100),
            "certificates_valid": Share(roster["valid"], roster["listed"], 100),
        }
        return seen.statistics, [_measured(one, shares.get(one.code), counts) for one in indicators()[1]]

    def _see(self, seen: _Seen, entry: Entry, period: Period) -> None:
        """A case of the period: what platforms have of it, how it came, what was done about it."""
        took = {self._adapters.get(endpoint, endpoint) for endpoint, _, _ in entry.delivered}
        seen.platforms |= took
        seen.cases["arbitration_connected"] += HR in took
        seen.cases["courts_connected"] += COURT in took
        filed = {(self._adapters.get(endpoint), about) for endpoint, kind, about in entry.delivered if kind == _FILED}
        routes = {one.id: one.facet for one in entry.matters if one.kind == "confirmation"}
        for adapter, about in filed:
            seen.cases["review_online"] += adapter == HR and routes.get(about) == "arbitration_review"
            seen.cases["judicial_online"] += adapter == COURT and routes.get(about) == "judicial_confirmation"
        if entry.within(period, Basis.RECEIVED):
            seen.cases["online_channel"] += entry.document.get("channel") in _ONLINE
        if entry.within(period, Basis.ENDED):
            seen.cases["followed_up"] += "followed_up" in entry.told
            if entry.result == "R1":
                seen.agreements += [one.message for one in entry.matters if one.kind == "agreement"]
        if entry.within(period, Basis.ACCEPTED) and (entry.document.get("collective") or {}).get("major"):
            seen.cases["major"] += 1
            seen.cases["alerted"] += "alerted" in entry.told

    async def _notices(self, messages: list[str]) -> int:
        """How many of these agreements say that the performance notice (履行告知书) was given."""
        given = 0
        for message in messages:
            row = await self._store.row("message", message)
            given += row is not None and bool(self._document(row).get("performance_notice_sent_at"))
        return given

    async def _referrals(self, scope: Scope, period: Period) -> Counter[str]:
        """Accepted referrals of the period, by who sent them."""
        found: Counter[str] = Counter()
        async for row in self._each("ledger_referrals", scope):
            kind = (row["facet"] or "").partition("|")[0]
            if row["status"] in _ACCEPTED and day_of_ms(row["created_at"]) in period:
                found["arbitration_entrusted"] += kind == "arbitration_entrusted"
                found["court_entrusted"] += kind in ("court_delegated", "court_entrusted")
        return found

    async def _roster(self, scope: Scope, on: date) -> Counter[str]:
        """Mediators on the roster as of a day."""
        found: Counter[str] = Counter()
        async for row in self._each("ledger_mediators", scope):
            message = await self._store.row("message", row["message"])
            document = {} if message is None else self._document(message)
            if row["status"] != "active" or not document:
                continue
            valid = str(document.get("certificate_valid_until", "")) >= on.isoformat()
            found["listed"] += 1
            found["valid"] += valid
            found["full_time"] += valid and document.get("employment") == "full_time"
        return found

    async def _each(self, statement: str, scope: Scope) -> AsyncIterator[Row]:
        organizations = scope.organizations
        for organization in await self._ledger.organizations() if organizations is None else organizations:
            after = ""
            while True:
                rows = await self._store.rows(statement, organization, after, _PAGE)
                for row in rows:
                    yield row
                if len(rows) < _PAGE:
                    break
                after = rows[-1]["id"]

    def _document(self, row: Row) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self._store.unseal(row["document_sealed"], of_document(row["id"])))
        return found


def _measured(indicator: Indicator, share: Share | None, counts: Mapping[str, int]) -> Measured:
    if share is not None:
        return Measured(indicator, share.percent, share.met, share)
    value = counts.get(indicator.code, 0)
    return Measured(indicator, value, None if indicator.threshold is None else value >= indicator.threshold)


def versions() -> dict[str, str]:
    """Which definitions counted: of the statistics and of the indicators."""
    return {"definition_version": definitions().version, "indicator_version": indicators()[0]}
