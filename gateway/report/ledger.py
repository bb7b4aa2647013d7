"""The ledger (台账) over the store: entries page by page, so that a year of a province needs no more memory than one page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from contracts.messages import MessageType
from gateway.report.definitions import Basis
from gateway.report.entry import Entry, entry_of
from gateway.report.period import Period
from gateway.report.statistics import Statistics
from gateway.store.engine import Row
from gateway.store.places import of_document
from gateway.store.reports import CasePage, case_page, hang_on, limits_of, organizations
from gateway.store.store import Store

PAGE: Final = 200
"""Cases read at one moment; between two pages others use the store."""

_CASES: Final = frozenset({MessageType.CASE_SUBMITTED.value, MessageType.CASE_REVISED.value})


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose cases: these organisations' (``None``: everybody's)."""

    organizations: tuple[str, ...] | None

    def narrowed(self, organization: str) -> Scope:
        """To one organisation; to none where it is not of the scope."""
        if self.organizations is None or organization in self.organizations:
            return Scope((organization,))
        return Scope(())


class Ledger:
    """Reads entries from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def entries(
        self, scope: Scope, period: Period, bases: Iterable[Basis], after: str = "", *, delivered: bool = False
    ) -> AsyncGenerator[Entry, None]:
        """The cases that one of the bases puts into the period, in the order of their ids, from behind ``after``. A case that
        is written to meanwhile appears once, as it was when its page was read."""
        wanted = tuple(bases)
        since = period.changed_since_ms
        place: str | None = after
        while place is not None and scope.organizations != ():
            page = await self._store.runner.read(case_page, scope.organizations, place, since, PAGE, delivered)
            for entry in await self._entries(page):
                if any(entry.within(period, basis) for basis in wanted):
                    yield entry
            place = page.after

    async def statistics(self, scope: Scope, period: Period) -> Statistics:
        """The figures of a period."""
        made = Statistics(period)
        async for entry in self.entries(scope, period, Basis):
            made.add(entry)
        return made

    async def organizations(self) -> list[str]:
        """Every organisation that has something here."""
        return await self._store.runner.read(organizations)

    async def entries_of(self, cases: Sequence[Row]) -> list[Entry]:
        """The entries of these cases, without what platforms have of them."""
        page = CasePage(list(cases), None)
        await self._store.runner.read(hang_on, page)
        return await self._entries(page)

    async def _entries(self, page: CasePage) -> list[Entry]:
        raws = {case["id"]: raw for case in page.cases if (raw := self._raw(page, case)) is not None}
        limits = await self._limits(page, raws)
        return [self._entry(page, case, raws[case["id"]], limits) for case in page.cases if case["id"] in raws]

    def _raw(self, page: CasePage, case: Row) -> bytes | None:
        message = page.messages.get(case["message"])
        if message is None or message["type"] not in _CASES:
            return None
        return self._store.unseal(message["document_sealed"], of_document(message["id"]))

    async def _limits(self, page: CasePage, raws: Mapping[str, bytes]) -> dict[str, list[Row]]:
        """By case the limits of its mediation: its own, and those of the referral that it came from."""
        referrals: dict[str, str] = {}
        for identifier, raw in raws.items():
            if b'"referral"' in raw and isinstance(referral := orjson.loads(raw).get("referral"), str):
                referrals[identifier] = referral
        found = await self._store.runner.read(limits_of, sorted(set(referrals.values())))
        return {
            identifier: [*page.limits.get(identifier, ()), *found.get(referrals.get(identifier, ""), ())]
            for identifier in raws
        }

    @staticmethod
    def _entry(page: CasePage, case: Row, raw: bytes, limits: Mapping[str, list[Row]]) -> Entry:
        identifier = case["id"]
        return entry_of(
            case,
            raw,
            page.matters.get(identifier, ()),
            page.steps.get(identifier, ()),
            limits[identifier],
            page.delivered.get(identifier, ()),
        )
