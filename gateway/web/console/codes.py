"""码表: every platform's code tables as its adapter holds them, beside the words of the contract; and codes without a row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from starlette.responses import Response

from contracts import lists, messages, status
from contracts.code_table import CodeTable
from contracts.titled import Titled
from gateway.flow.moving.order import Refused
from gateway.store.engine import Rows
from gateway.texts import console_texts
from gateway.web.console.desk import Page, Visit

_TASKS: Final = 50


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One line: the value with its title, the code, and how it goes: both ways, out alone, in alone, as "other"."""

    value: str
    title: str
    code: str
    way: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One table as the page shows it."""

    name: str
    rows: list[CodeRow]
    whole: int


@cache
def _closed() -> tuple[tuple[type[Titled], frozenset[str]], ...]:
    """The contract's closed lists, the smallest first."""
    kinds = {
        found
        for room in (lists, status, messages)
        for found in vars(room).values()
        if isinstance(found, type) and issubclass(found, Titled) and len(found)
    }
    return tuple((kind, frozenset(kind)) for kind in sorted(kinds, key=lambda kind: (len(kind), kind.__name__)))


def _list_of(table: CodeTable) -> type[Titled] | None:
    """The closed list that a table translates: the smallest that has all its values."""
    values = {*table.rows, *table.reads.values()}
    return next((kind for kind, words in _closed() if values <= words), None)


def shown(table: CodeTable, asked: str, chinese: bool) -> Shown:
    """A table's lines that hold what was asked."""
    kind = _list_of(table)
    backwards = MappingProxyType(
        {code: value for value, code in reversed(list(table.rows.items()))} | dict(table.reads)
    )
    lines = []
    for value, code in table.rows.items():
        lines.append(CodeRow(value, _title(kind, value, chinese), code, "both" if backwards[code] == value else "out"))
    known = set(table.rows.items())
    for code, value in table.reads.items():
        if (value, code) not in known:
            lines.append(CodeRow(value, _title(kind, value, chinese), code, "in"))
    if table.other is not None:
        lines.append(CodeRow("", "", table.other, "other"))
    wanted = asked.casefold()
    held = [line for line in lines if wanted in f"{line.value}\n{line.title}\n{line.code}".casefold()]
    if wanted in table.name.casefold():
        held = lines
    return Shown(table.name, held, len(lines))


def _title(kind: type[Titled] | None, value: str, chinese: bool) -> str:
    if kind is None:
        platform = console_texts().get(f"platform.{value}")
        return platform["zh" if chinese else "en"] if platform is not None else ""
    return kind(value).zh if chinese else kind(value).en


async def codes(visit: Visit) -> Response:
    """One platform's tables; without one, the first's."""
    named = sorted(
        (name for name, one in visit.desk.house.endpoints.items() if one.adapter.code_tables()), key=visit.platform
    )
    chosen, asked = visit.query.get("platform", ""), visit.query.get("q", "").strip()[:64]
    if chosen and chosen not in visit.desk.house.endpoints:
        raise Refused(404, "not_found")
    if not chosen and named:
        chosen = named[0]
    tables = visit.desk.house.endpoints[chosen].adapter.code_tables() if chosen else ()
    found = [one for table in tables if (one := shown(table, asked, visit.chinese)).rows]
    return visit.render(
        "codes.html",
        named=named,
        chosen=chosen,
        info=visit.desk.house.endpoints[chosen].adapter.info if chosen else None,
        asked=asked,
        tables=found,
        many=len(tables),
        tasks=await _unmapped(visit, chosen),
    )


async def _unmapped(visit: Visit, endpoint: str) -> Rows:
    """Open tasks about a code of this platform that has no row."""
    rows = await visit.desk.store.rows("open_tasks_with", "unmapped_code", 500)
    return [row for row in rows if row["endpoint"] == endpoint][:_TASKS]


PAGES = (Page("/codes", codes, "view", narrows=True),)
