"""Statistical reports (统计上报): made from our own store on the operator's word, kept as versions, owed to who takes them.

A report of an organisation and period is a subject of its own, so its versions reach a platform in their order; a new version
supersedes what nobody has yet. Reports with the figures that were told last are not made again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import structlog

from contracts.chinese_calendar import beijing_day
from contracts.deliveries import Hand
from contracts.document import Document
from contracts.messages import MESSAGE_TYPES, MessageType, RetryClass
from contracts.moments import from_ms
from contracts.statistics import Period, StatisticalItem, StatisticalReport
from gateway.flow.moving.documents import reopen
from gateway.flow.moving.envelope import compact
from gateway.flow.moving.moves import move_delivery, yields
from gateway.flow.moving.order import Refused
from gateway.flow.moving.rounds import Round, decided, unlikely
from gateway.flow.route import Question, Router
from gateway.registry import Endpoint
from gateway.store.casefile import CaseFile
from gateway.store.ids import Ids
from gateway.store.journal import AuditEntry
from gateway.store.places import of_document
from gateway.store.store import Store
from gateway.store.unit import (
    Committed,
    InFlight,
    MatterConflict,
    MatterMove,
    Moved,
    NewDelivery,
    NewEvent,
    NewMatter,
    NewMessage,
    Outcome,
    Unit,
)

log = structlog.get_logger("gateway.reports")

KIND: Final = "statistics"
"""The kind of a report's matter."""

_TYPE: Final = MessageType.STATISTICS_REPORTED
_AGAIN: Final = 8
_WINDOW_DAYS: Final = 10
"""Platforms take the last quarter's figures in the first ten days of the next one (national platform, statistics window)."""

_LOOK_S: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a report with the version of their definitions."""

    definition_version: str
    items: tuple[StatisticalItem, ...]


Counter = Callable[[str, date, date], Awaitable[Figures]]
"""Counts the figures of an organisation from one day to another, both included."""


@dataclass(frozen=True, slots=True)
class Made:
    """A report as it stands. ``fresh``: it was made just now; else the figures are those of the last version."""

    id: str
    version: int
    report: StatisticalReport
    deliveries: tuple[tuple[str, str], ...]
    fresh: bool


class Reporter:
    """Makes reports."""

    def __init__(
        self,
        store: Store,
        router: Router,
        endpoints: Mapping[str, Endpoint],
        count: Counter,
        organizations: Callable[[], Awaitable[Sequence[str]]],
        changed: Callable[[], None] = lambda: None,
        *,
        every_quarter: bool = False,
    ) -> None:
        self._store = store
        self._router = router
        self._endpoints = endpoints
        self._count = count
        self._organizations = organizations
        self._changed = changed
        self._every_quarter = every_quarter

    async def make(self, actor: str, organization: str, start: date, end: date, reason: str | None) -> Made:
        """Count and report, durable when this returns.

        Raises:
            Refused: 404 for an organisation without a case; 422 for a period that is not over; 409 while others write.
        """
        if await self._store.row("organization_known", organization) is None:
            raise Refused(404, "not_found")
        if end >= self._today():
            raise Refused(422, "period_open")
        figures = await self._count(organization, start, end)

        async def decide() -> Round[Made]:
            row = await self._store.row("find_matter", KIND, key_of(organization, start, end))
            file = None if row is None else await self._store.load(row["subject"])
            last = None if file is None else await self._last(file)
            if file is not None and last is not None and _same(last, figures):
                matter = file.matters[file.subject]
                owed = [(one.id, one.endpoint) for one in file.deliveries if one.message == matter.message]
                return Round(Made(file.subject, matter.version, last, tuple(owed), fresh=False))
            return Round(*self._unit(actor, reason, organization, start, end, figures, file))

        ended = await decided(decide, self._store.commit, again=_of_others, rounds=_AGAIN)
        if ended.outcome is None:
            return ended.said
        if _of_others(ended.outcome):
            raise Refused(409, "busy")
        if not isinstance(ended.outcome, Committed):
            raise unlikely("a report", ended.outcome)
        log.info("report_made", subject=ended.said.id, count=len(ended.said.deliveries))
        self._changed()
        return ended.said

    async def find(self, identifier: str) -> tuple[CaseFile, StatisticalReport] | None:
        """A report's file and its newest version."""
        file = await self._store.load(identifier) if identifier.startswith("rpt_") else None
        report = None if file is None else await self._last(file)
        return None if file is None or report is None else (file, report)

    async def turn(self) -> float:
        """Where the installation says so: the last quarter's reports, in the first days of the next. Returns the rest in s."""
        today = self._today()
        first = date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
        if self._every_quarter and (today - first).days < _WINDOW_DAYS:
            end = first - timedelta(days=1)
            start = date(end.year, end.month - 2, 1)
            for organization in await self._reporting(start, end):
                if await self._store.row("find_matter", KIND, key_of(organization, start, end)) is None:
                    with suppress(Refused):  # somebody else just made it, or there is no case to report of
                        await self.make("gateway", organization, start, end, None)
        return _LOOK_S

    async def _reporting(self, start: date, end: date) -> list[str]:
        """The organisations whose reports somebody takes."""
        empty = _report("-", start, end, 1, Figures("-", ()))
        hops = self._router.hops(Question(_TYPE, "", empty, None, None, "gateway"))
        listed = [self._endpoints[hop.endpoint].organizations for hop in hops]
        if not listed:
            return []
        known = await self._organizations()
        return [code for code in known if any(codes is None or code in codes for codes in listed)]

    def _today(self) -> date:
        return beijing_day(from_ms(self._store.now_ms()))

    async def _last(self, file: CaseFile) -> StatisticalReport | None:
        row = await self._store.row("message", file.matters[file.subject].message)
        document: Document | None = None if row is None else reopen(self._store, row)
        return document if isinstance(document, StatisticalReport) else None

    def _unit(
        self,
        actor: str,
        reason: str | None,
        organization: str,
        start: date,
        end: date,
        figures: Figures,
        file: CaseFile | None,
    ) -> tuple[Made, Unit]:
        ids = self._store.ids
        subject = ids.new("report") if file is None else file.subject
        version = 1 if file is None else file.matters[subject].version + 1
        report = _report(organization, start, end, version, figures)
        message = ids.new("message", after=subject)
        facts = {"organization": organization, "from": start.isoformat(), "to": end.isoformat(), "version": version}
        unit = Unit(
            subject=subject,
            organization=organization,
            expected=None if file is None else file.sequence,
            subject_kind=KIND,
            audited=(
                AuditEntry(actor, "report.make", subject, reason, compact(facts)),
                self._store.now_ms(),
            ),
        )
        if file is None:
            key = key_of(organization, start, end)
            unit.matters.append(
                NewMatter(subject, KIND, None, key, "reported", message, facet=f"{start.isoformat()}/{end.isoformat()}")
            )
        else:
            unit.matter_moves.append(MatterMove(subject, "reported", version, message))
        sealed = self._store.seal(report.to_json(), of_document(message))
        unit.messages.append(
            NewMessage(message, _TYPE, subject, version, actor, ids.new("correlation"), report.schema_version, sealed)
        )
        unit.events.append(
            NewEvent(ids.new("event"), _TYPE, subject, compact({"status": "reported", "version": version}))
        )
        hops = self._router.hops(Question(_TYPE, subject, report, None, file, actor))
        retry = MESSAGE_TYPES[_TYPE].retry or RetryClass.STANDARD
        unit.deliveries = [
            NewDelivery(ids.new("delivery"), message, _TYPE, subject, hop.endpoint, retry.value, hop.requires)
            for hop in hops
        ]
        if file is not None:
            _supersede(unit, file, ids)
        owed = tuple((one.id, one.endpoint) for one in unit.deliveries)
        return Made(subject, version, report, owed, fresh=True), unit


def key_of(organization: str, start: date, end: date) -> str:
    """The business key of a report (``messages.md`` §1): organisation and period; its versions share it."""
    return f"{organization}|{start.isoformat()}/{end.isoformat()}"


def _report(organization: str, start: date, end: date, version: int, figures: Figures) -> StatisticalReport:
    return StatisticalReport(
        schema_version="1.0",
        organization_code=organization,
        period=Period.model_validate({"from": start, "to": end}),
        version=version,
        definition_version=figures.definition_version,
        items=figures.items,
    )


def _of_others(outcome: Outcome) -> bool:
    """Somebody else wrote, or made the same report, meanwhile."""
    return isinstance(outcome, Moved | InFlight | MatterConflict)


def _same(report: StatisticalReport, figures: Figures) -> bool:
    return report.items == figures.items and report.definition_version == figures.definition_version


def _supersede(unit: Unit, file: CaseFile, ids: Ids) -> None:
    """What nobody has of the older versions gives way."""
    for row in file.deliveries:
        if yields(row):
            move_delivery(unit, ids, Hand.VERSION, row, "superseded")
