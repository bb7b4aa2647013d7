"""台账: the ledger of ``gateway.report`` as a page, newest first, with what is missing; and as files, masked and audited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Final

import orjson
from starlette.responses import Response, StreamingResponse

from gateway.report import sheets
from gateway.report.definitions import Basis, definitions
from gateway.report.entry import Entry
from gateway.report.ledger import Ledger, Scope
from gateway.report.line import COLUMNS, Style, line_of
from gateway.report.period import Period, day_of_ms
from gateway.store.console import LAST, id_at
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
        org=visit.query.get("org", ""),
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


async def _newest(visit: Visit) -> tuple[list[Entry], str | None]:
    """One page, newest first, and where the next one begins. A case is posted on the day of its receipt or later."""
    period, book = _period(visit), Ledger(visit.desk.store)
    organization = visit.query.get("org", "")[:64]
    after = id_at("case", words.day_end(period.start.isoformat()) - 2 * 86_400_000)
    given = visit.query.get("before", "")
    before = given if given.startswith("case_") and len(given) == 31 else LAST
    found: list[Entry] = []
    for _ in range(_LOOKED // _SIZE):
        if organization:
            rows = await visit.desk.store.rows("newest_cases_of", organization, after, before, _SIZE + 1)
        else:
            rows = await visit.desk.store.rows("newest_cases", after, min(before, "case_zzz"), _SIZE + 1)
        entries = await book.entries_of(rows[:_SIZE])
        for entry in entries:
            if entry.within(period, Basis.RECEIVED):
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
    organization = visit.query.get("org", "")[:64]
    asked = {name: visit.query[name][:64] for name in ("org", "from", "to") if visit.query.get(name)}
    facts = orjson.dumps({"kind": kind, **asked}).decode()
    await visit.desk.store.audit(AuditEntry(visit.actor, "ledger.export", "ledger", None, facts))
    titles = [visit.t(f"ledger.{name}") for name in COLUMNS]
    style, period = _style(visit), _period(visit)

    async def rows() -> AsyncIterator[list[str]]:
        scope = Scope((organization,) if organization else None)
        async for entry in Ledger(visit.desk.store).entries(scope, period, (Basis.RECEIVED,)):
            line = line_of(entry, style)
            yield [getattr(line, name) for name in COLUMNS]

    stamp = words.beijing(visit.now).strftime("%Y%m%d-%H%M%S")
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
    Page("/ledger", ledger, "view"),
    Page("/ledger/export.csv", export, "export"),
    Page("/ledger/export.xlsx", export, "export"),
)
