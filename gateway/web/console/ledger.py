"""台账: the notice's ledger as a live list over cases, with what is missing; as CSV and XLSX that Excel opens unharmed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

import orjson
from openpyxl import Workbook
from starlette.responses import Response

from contracts.case import Case
from contracts.chinese_calendar import BEIJING
from gateway.flow.documents import CASE_TYPES, place_of
from gateway.security.field_classes import Leaf
from gateway.store.console import LAST, id_at
from gateway.store.engine import Row
from gateway.store.journal import AuditEntry
from gateway.web.console import bodies, words
from gateway.web.console.desk import Page, Visit

_SIZE: Final = 50
_MOST: Final = 5_000
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Line:
    """One case in the ledger (鲁人社函〔2024〕98号 10): masked as the screen is."""

    number: str
    organization: str
    received: str
    cause: str
    applicants: str
    respondents: str
    contacts: str
    amount: str
    status: str
    result: str
    updated: str

    @property
    def missing(self) -> tuple[str, ...]:
        """The columns that the notice asks for and the case does not have."""
        return tuple(
            name for name in ("cause", "applicants", "respondents", "contacts", "amount") if not getattr(self, name)
        )


COLUMNS: Final = tuple(field.name for field in fields(Line))


async def ledger(visit: Visit) -> Response:
    """The list of a period."""
    rows, cursor = await _rows(visit, _SIZE)
    lines = await _lines(visit, rows)
    whole = sum(not line.missing for line in lines)
    return visit.render(
        "ledger.html",
        lines=list(zip([row["id"] for row in rows], lines, strict=True)),
        columns=COLUMNS,
        org=visit.query.get("org", ""),
        since=visit.query.get("from", ""),
        until=visit.query.get("to", ""),
        complete=round(100 * whole / len(lines)) if lines else None,
        before=cursor,
    )


def _day(given: str) -> int | None:
    try:
        return words.day_end(date.fromisoformat(given).isoformat()) - 86_400_000
    except ValueError:
        return None


async def _rows(visit: Visit, most: int) -> tuple[list[Row], str | None]:
    organization = visit.query.get("org", "")[:64]
    since, until = _day(visit.query.get("from", "")), _day(visit.query.get("to", ""))
    after = id_at("case", since or 0)
    before = id_at("case", until + 86_400_000) if until is not None else LAST
    given = visit.query.get("before", "")
    if given.startswith("case_") and len(given) == 31:
        before = min(before, given)
    if organization:
        rows = await visit.desk.store.rows("newest_cases_of", organization, after, before, most + 1)
    else:
        rows = await visit.desk.store.rows("newest_cases", after, min(before, "case_zzz"), most + 1)
    return rows[:most], rows[most - 1]["id"] if len(rows) > most else None


async def _lines(visit: Visit, rows: list[Row]) -> list[Line]:
    names = await visit.desk.names.organizations(row["organization"] for row in rows)
    return [await _line(visit, row, names) for row in rows]


async def _line(visit: Visit, row: Row, names: dict[str, str]) -> Line:
    document: dict[str, Any] = {}
    known: dict[str, Leaf] = {}
    message = await visit.desk.store.row("message", row["message"])
    if visit.may("bodies") and message is not None and message["type"] in CASE_TYPES:
        raw = visit.desk.store.unseal(message["document_sealed"], place_of(message["id"]))
        document = orjson.loads(raw)
        known = {leaf.pointer: leaf for leaf in bodies.document_leaves(Case, raw)}
    parties = document.get("parties", [])
    matters = await visit.desk.store.rows("matters_of", row["id"])
    results = [
        f"{visit.title('noun', one['kind'])}: {visit.title(one['kind'], one['status'])}"
        for one in matters
        if one["kind"] in ("confirmation", "transfer")
    ]
    return Line(
        number=row["business_key"].partition("|")[2],
        organization=names.get(row["organization"], row["organization"]),
        received=document.get("received_at", "")[:10],
        cause="›".join(document.get("cause", {}).get("path", [])[-1:]),
        applicants=_names(known, parties, "applicant"),
        respondents=_names(known, parties, "respondent"),
        contacts=_contacts(known, parties),
        amount=document.get("amount", ""),
        status=visit.title("case", row["status"]),
        result="；".join(results) if visit.chinese else "; ".join(results),
        updated=words.beijing(row["updated_at"]).astimezone(BEIJING).strftime("%Y-%m-%d"),
    )


def _names(known: dict[str, Leaf], parties: list[dict[str, Any]], role: str) -> str:
    shown = [known[f"/parties/{place}/name"].masked for place, party in enumerate(parties) if party.get("role") == role]
    return "、".join(shown[:5]) + (f" +{len(shown) - 5}" if len(shown) > 5 else "")


def _contacts(known: dict[str, Leaf], parties: list[dict[str, Any]]) -> str:
    found = []
    for place, _ in enumerate(parties[:5]):
        leaf = known.get(f"/parties/{place}/phone") or known.get(f"/parties/{place}/contact/phone")
        if leaf is not None:
            found.append(leaf.masked)
    return "、".join(found)


def cell(value: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(_FORMULA) else value


def as_csv(titles: Iterable[str], lines: Iterable[Line]) -> bytes:
    """UTF-8 with a byte order mark and no ``sep=`` line: so Excel reads Chinese."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow(list(titles))
    for line in lines:
        writer.writerow([cell(str(getattr(line, name))) for name in COLUMNS])
    return b"\xef\xbb\xbf" + made.getvalue().encode()


def as_xlsx(titles: Iterable[str], lines: Iterable[Line], watermark: list[tuple[str, str]]) -> bytes:
    """Every cell is text; a second sheet says who took it, when, and by which filter."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("台账")
    sheet.append(list(titles))
    for line in lines:
        sheet.append([cell(str(getattr(line, name))) for name in COLUMNS])
    mark = book.create_sheet("导出说明")
    for row in watermark:
        mark.append(list(row))
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


async def export(visit: Visit) -> Response:
    """The file, masked, at most 5,000 lines, audited."""
    kind = visit.request.url.path.rpartition(".")[2]
    rows, _ = await _rows(visit, _MOST)
    lines = await _lines(visit, rows)
    titles = [visit.t(f"ledger.{name}") for name in COLUMNS]
    asked = {name: visit.query[name][:64] for name in ("org", "from", "to") if visit.query.get(name)}
    facts = orjson.dumps({"lines": len(lines), "kind": kind, **asked}).decode()
    await visit.desk.store.audit(AuditEntry(visit.actor, "ledger.export", "ledger", None, facts))
    stamp = words.beijing(visit.now).strftime("%Y%m%d-%H%M%S")
    headers = {"Content-Disposition": f'attachment; filename="ledger-{stamp}.{kind}"'}
    if kind == "csv":
        return Response(as_csv(titles, lines), 200, headers, "text/csv; charset=utf-8")
    mark = [
        (visit.t("audit.who"), visit.actor),
        (visit.t("col.time"), words.full_time(visit.now)),
        ("filter", str(asked)),
    ]
    return Response(as_xlsx(titles, lines, mark), 200, headers, _XLSX)


PAGES = (
    Page("/ledger", ledger, "view"),
    Page("/ledger/export.csv", export, "export"),
    Page("/ledger/export.xlsx", export, "export"),
)
