"""统计与指标: a period's figures with their definitions, the appraisal's indicators, and the way to the lines behind each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from starlette.responses import Response, StreamingResponse

from gateway.flow.moving.envelope import compact
from gateway.flow.moving.order import Refused
from gateway.report import sheets
from gateway.report.definitions import Item, definitions
from gateway.report.indicators import Appraisal, Measured, versions
from gateway.report.ledger import Scope
from gateway.report.period import Period, PeriodRefused, day_of_ms, period_of, quarter, quarter_before
from gateway.report.statistics import Figure, Share, Statistics, success
from gateway.store.journal import AuditEntry
from gateway.web.console import words
from gateway.web.console.desk import Page, Visit
from gateway.web.console.ledger import organizations_of

_QUARTERS: Final = 9
_PATIENCE_S: Final = 30.0
_BEHIND: Final = {"success_rate": "R0", "ledger_complete": "N01", "in_time": "R0", "notice_given": "R1"}
"""The figure whose lines are an indicator's denominator."""

GROUPS: Final = (
    ("work", ("N01", "N02", "A01", "M1", "U1")),
    ("results", ("R0", "R1", "R2", "R3", "R4")),
    ("disputes", ("D1", "D2", "D3", "D4", "D5", "D9")),
    ("organizations", ("O1", "O2", "O3", "O4", "O9")),
    ("collective", ("C1", "C2", "C3")),
    ("quality", ("Q1", "L1", "L2")),
)
"""The order of the page; a bar is drawn where the rows of a group are parts of one whole."""

_WHOLES: Final = {"results": "R0", "disputes": "A01", "organizations": "A01"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which period, whose cases. ``refused``: the address named none that can be."""

    period: Period
    organizations: tuple[str, ...] | None
    refused: bool

    @property
    def days(self) -> dict[str, str]:
        """The period as addresses and files name it."""
        return {"from": self.period.start.isoformat(), "to": self.period.end.isoformat()}


@dataclass(frozen=True, slots=True)
class Row:
    """A figure with the part of its group's whole (0 to 1), where it is one."""

    item: Item
    value: Figure
    part: float | None


async def statistics(visit: Visit) -> Response:
    """The page."""
    asked = await _asked(visit)
    made, measured = await _measured(visit, asked)
    return visit.render(
        "statistics.html",
        asked=asked,
        quarter=asked.period.quarter or "",
        quarters=_quarters(_today(visit)),
        own=bool(visit.query.get("from") or visit.query.get("to")),
        org=await visit.desk.names.code_of(visit.query.get("org", "")[:100]),
        names=await visit.desk.names.choices(visit.reach),
        groups=[(name, _rows(made, codes, _WHOLES.get(name))) for name, codes in GROUPS],
        share=_success(visit, made),
        rate=definitions().rate,
        measured=measured,
        behind=_BEHIND,
        versions=versions(),
        nothing=not any(made.figures.values()),
        too_long=visit.query.get("problem") == "too_long",
    )


def _today(visit: Visit) -> date:
    return day_of_ms(visit.now)


def _quarters(today: date) -> list[str]:
    """The quarter that runs, and those before it."""
    found = [f"{today.year:04}Q{(today.month + 2) // 3}"]
    while len(found) < _QUARTERS:
        found.append(quarter_before(quarter(found[-1]).start))
    return found


async def _asked(visit: Visit) -> Asked:
    """Days that were typed count before a quarter that was chosen; without either it is the quarter that runs.

    Raises:
        Refused: 404 for an organisation that the person may not see.
    """
    organizations = await organizations_of(visit)
    since, until = visit.query.get("from") or None, visit.query.get("to") or None
    running = quarter(_quarters(_today(visit))[0])
    try:
        if since is not None or until is not None:
            return Asked(period_of(since, until, _today(visit)), organizations, refused=False)
        named = visit.query.get("period", "")
        return Asked(quarter(named) if named else running, organizations, refused=False)
    except PeriodRefused:
        return Asked(running, organizations, refused=True)


async def _measured(visit: Visit, asked: Asked) -> tuple[Statistics, list[Measured]]:
    """Count, a few at a time.

    Raises:
        Refused: 503 ``statistics_slow`` where it takes too long.
    """
    house = visit.desk.house
    adapters = {name: endpoint.adapter.info.name for name, endpoint in house.endpoints.items()}
    settings = house.settings.report
    try:
        async with asyncio.timeout(_PATIENCE_S), visit.desk.counting:
            return await Appraisal(house.store, adapters).measure(
                Scope(asked.organizations), asked.period, settings.success_items, settings.success_threshold
            )
    except TimeoutError:
        raise Refused(503, "statistics_slow") from None


def _success(visit: Visit, made: Statistics) -> Share:
    settings = visit.desk.house.settings.report
    return success(made, settings.success_items, settings.success_threshold)


def _rows(made: Statistics, codes: tuple[str, ...], whole: str | None) -> list[Row]:
    items = {item.code: item for item in definitions().items}
    total = made.figures[whole] if whole is not None else 0
    return [
        Row(items[code], made.value(code), made.figures[code] / total if total and code != whole else None)
        for code in codes
    ]


# ---- files


async def export(visit: Visit) -> Response:
    """Figures and indicators as a file; it holds counts alone, and is audited as the ledger's is."""
    kind = visit.request.url.path.rpartition(".")[2]
    asked = await _asked(visit)
    made, measured = await _measured(visit, asked)
    chosen = {**asked.days, **({"org": visit.query["org"][:64]} if visit.query.get("org") else {})}
    facts = compact({"kind": kind, **chosen})
    await visit.desk.store.audit(AuditEntry(visit.actor, "statistics.export", "statistics", None, facts))
    titles = [visit.t(f"stats.col.{name}") for name in ("code", "title", "value", "unit", "met", "rule", "version")]

    async def rows() -> AsyncIterator[list[str]]:
        for row in _table(visit, made, measured):
            yield row

    name = f"statistics-{asked.period.quarter or '-'.join(asked.days.values())}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if kind == "csv":
        return StreamingResponse(
            sheets.csv_stream(titles, rows()), headers=headers, media_type="text/csv; charset=utf-8"
        )
    mark = [
        (visit.t("audit.who"), visit.actor),
        (visit.t("col.time"), words.full_time(visit.now)),
        ("filter", str(chosen)),
        *versions().items(),
    ]
    file = await sheets.xlsx_file(titles, rows(), mark, visit.t("stats.title"))
    return StreamingResponse(sheets.pieces(file), headers=headers, media_type=sheets.XLSX)


def _table(visit: Visit, made: Statistics, measured: list[Measured]) -> list[list[str]]:
    chinese, used = visit.chinese, versions()
    rows = [
        [
            *(item.code, item.zh if chinese else item.en, shown(value), ""),
            *("", item.rule_zh if chinese else item.rule_en, used["definition_version"]),
        ]
        for item, value in made.items()
    ]
    for one in measured:
        told = one.indicator
        value = "" if one.value is None else str(one.value)
        rows.append(
            [
                *(told.code, told.zh if chinese else told.en, value, visit.t(f"stats.unit.{told.unit}")),
                *("" if one.met is None else visit.t("stats.yes") if one.met else visit.t("stats.no"),),
                *(told.rule_zh if chinese else told.rule_en, used["indicator_version"]),
            ]
        )
    return rows


def shown(value: Figure) -> str:
    """A count, or an amount with two decimals."""
    return f"{value:.2f}" if isinstance(value, Decimal) else str(value)


PAGES = (
    Page("/statistics", statistics, "view", narrows=True),
    Page("/statistics/export.csv", export, "export", narrows=True),
    Page("/statistics/export.xlsx", export, "export", narrows=True),
)
