"""台账: the ledger of ``gateway.report`` as a page, newest first, with what is missing; and as files, masked and audited.

With ``figure`` it shows the lines that one figure of the statistics counts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Final

from starlette.responses import Response, StreamingResponse

from contracts.moments import in_beijing
from gateway.flow.moving.envelope import compact
from gateway.flow.moving.order import Refused
from gateway.report import sheets
from gateway.report.definitions import Basis, Item, definitions
from gateway.report.entry import Entry
from gateway.report.ledger import Ledger, Scope
from gateway.report.line import COLUMNS, Style, line_of
from gateway.report.period import Period, day_of_ms
from gateway.report.statistics import counted
from gateway.store.console import LAST, id_at, newest_cases_in
from gateway.store.journal import AuditEntry
from gateway.web.console import words
from gateway.web.console.desk import Page, Visit

_SIZE: Final = 50
_LOOKED: Final = 2_000
"""Cases that one page looks through at the most where their days do not fit; it then says where to go on."""

_FIRST: Final = date(2000, 1, 1)
SHOWN: Final = (
    *("number", "organization", "received", "cause", "applicants", "respondents", "contacts"),
    *("amount", "status", "result", "updated"),
)
"""The columns of the page; the files have all."""


async def ledger(visit: Visit) -> Response:
    """The list of a period."""
    entries, cursor = await _newest(visit)
    style = _style(visit)
    lines = [(entry.id, line_of(entry, style)) for entry in entries]
    whole = sum(not line.lacks for _, line in lines)
    return visit.render(
        "ledger.html",
        lines=lines,
        columns=SHOWN,
        figure=_figure(visit),
        org=await visit.desk.names.code_of(visit.query.get("org", "")[:100]),
        organizations=await visit.desk.names.choices(visit.reach),
        since=visit.query.get("from", ""),
        until=visit.query.get("to", ""),
        complete=round(100 * whole / len(lines)) if lines else None,
        before=cursor,
        too_long=visit.query.get("problem") == "too_long",
    )


def _style(visit: Visit) -> Style:
    return Style(visit.chinese, day_of_ms(visit.now), bodies=visit.may("bodies"))


def _day(given: str) -> date | None:
    try:
        return date.fromisoformat(given)
    except ValueError:
        return None


def _period(visit: Visit) -> Period:
    """The days of the receipt; without them all."""
    return Period(_day(visit.query.get("from", "")) or _FIRST, _day(visit.query.get("to", "")) or date.max)


def _figure(visit: Visit) -> Item | None:
    """The figure of the statistics whose lines are wanted; ``None``: all that were received."""
    code = visit.query.get("figure", "")
    return next((item for item in definitions().items if item.code == code), None)


def _belongs(entry: Entry, period: Period, figure: Item | None) -> bool:
    return entry.within(period, Basis.RECEIVED) if figure is None else figure.code in counted(entry, period)


async def organizations_of(visit: Visit) -> tuple[str, ...] | None:
    """Whose lines: the organisation's that was chosen, else all that the person may see (``None``: everybody's).

    Raises:
        Refused: 404 for one that the person may not see.
    """
    organization = await visit.desk.names.code_of(visit.query.get("org", "")[:100])
    if organization:
        if not visit.within(organization):
            raise Refused(404, "not_found")
        return (organization,)
    return None if visit.reach is None else tuple(sorted(visit.reach))


async def _newest(visit: Visit) -> tuple[list[Entry], str | None]:
    """One page, newest first, and where the next one begins. A case is posted on the day of its receipt or later."""
    period, book = _period(visit), Ledger(visit.desk.store)
    organizations, figure, read = await organizations_of(visit), _figure(visit), visit.desk.store.runner.read
    by_receipt = figure is None or figure.basis is Basis.RECEIVED
    after = id_at("case", words.day_end(period.start.isoformat()) - 2 * 86_400_000 if by_receipt else 0)
    given = visit.query.get("before", "")
    before = given if given.startswith("case_") and len(given) == 31 else LAST
    found: list[Entry] = []
    for _ in range(_LOOKED // _SIZE):
        if organizations is not None:
            rows = await read(newest_cases_in, organizations, after, before, _SIZE + 1)
        else:
            rows = await visit.desk.store.rows("newest_cases", after, min(before, "case_zzz"), _SIZE + 1)
        entries = await book.entries_of(rows[:_SIZE])
        for entry in entries:
            if _belongs(entry, period, figure):
                found.append(entry)
            if len(found) == _SIZE:
                return found, entry.id
        if len(rows) <= _SIZE:
            return found, None
        before = rows[_SIZE - 1]["id"]
    return found, before


async def export(visit: Visit) -> Response:
    """The file, masked, audited."""
    kind = visit.request.url.path.rpartition(".")[2]
    organizations, figure = await organizations_of(visit), _figure(visit)
    asked = {name: visit.query[name][:64] for name in ("org", "from", "to") if visit.query.get(name)}
    asked |= {} if figure is None else {"figure": figure.code}
    facts = compact({"kind": kind, **asked})
    await visit.desk.store.audit(AuditEntry(visit.actor, "ledger.export", "ledger", None, facts))
    titles = [visit.t(f"ledger.{name}") for name in COLUMNS]
    style, period = _style(visit), _period(visit)

    async def rows() -> AsyncIterator[list[str]]:
        basis = Basis.RECEIVED if figure is None else figure.basis
        async for entry in Ledger(visit.desk.store).entries(Scope(organizations), period, (basis,)):
            if _belongs(entry, period, figure):
                line = line_of(entry, style)
                yield [getattr(line, name) for name in COLUMNS]

    stamp = in_beijing(visit.now).strftime("%Y%m%d-%H%M%S")
    headers = {"Content-Disposition": f'attachment; filename="ledger-{stamp}.{kind}"'}
    if kind == "csv":
        return StreamingResponse(
            sheets.csv_stream(titles, rows()), headers=headers, media_type="text/csv; charset=utf-8"
        )
    mark = [
        (visit.t("audit.who"), visit.actor),
        (visit.t("col.time"), words.full_time(visit.now)),
        ("filter", str(asked)),
        ("definition_version", definitions().version),
    ]
    try:
        file = await sheets.xlsx_file(titles, rows(), mark)
    except sheets.TooManyRows:
        return visit.to("ledger", **asked, problem="too_long")
    return StreamingResponse(sheets.pieces(file), headers=headers, media_type=sheets.XLSX)


PAGES = (
    Page("/ledger", ledger, "view", narrows=True),
    Page("/ledger/export.csv", export, "export", narrows=True),
    Page("/ledger/export.xlsx", export, "export", narrows=True),
)
