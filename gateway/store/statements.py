"""Reads the statements of the files of SQL text and renders each for an engine."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

Engine = Literal["sqlite", "postgresql"]

_STATEMENT = re.compile(r"^-- name: (\w+)( each| alone)? \(([^)\n]*)\)\n(.*?)(?=^--|\Z)", re.MULTILINE | re.DOTALL)
_GIVEN = re.compile(r"\bFROM given\b")
_JSON_LIST = re.compile(r"json_each\(([^)]*)\)")
_LISTED = "WITH given AS MATERIALIZED (SELECT {row} FROM json_each(?1) WHERE ?2 IS NOT NULL) "
_ROW_LOCK = re.compile(r"\s+FOR (?:NO KEY )?UPDATE(?: OF \w+)?(?: SKIP LOCKED)?")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement for one engine. ``whole``: one execution takes the whole batch, its columns as arrays. ``answers``: it
    returns rows. ``alone``: the same for a batch of one row, as plain values; "" where there is none. ``listed``: SQLite's way
    to take the whole batch: as one JSON list of lists, and the time (ms)."""

    name: str
    sql: str
    whole: bool
    answers: bool
    fields: tuple[str, ...]
    alone: str = ""
    listed: str = ""


def load(engine: Engine) -> dict[str, Statement]:
    """Every statement of the files, rendered for the engine."""
    room = files("gateway.store")
    names = ("statements.sql", "webhooks.sql", "console.sql", "desk.sql", "reports.sql", "reconciliations.sql")
    text = "\n".join(room.joinpath(name).read_text("utf-8") for name in names)
    return {
        name: _render(engine, name, word.strip(), tuple(_fields(fields)), sql.strip())
        for name, word, fields, sql in _STATEMENT.findall(text)
    }


def _fields(declared: str) -> Iterable[tuple[str, str]]:
    for field in filter(None, declared.split(", ")):
        name, _, kind = field.partition(" ")
        yield name, kind


def _render(engine: Engine, name: str, word: str, fields: tuple[tuple[str, str], ...], sql: str) -> Statement:
    names = tuple(field for field, _ in fields)
    each, alone, listed = word == "each", "", ""
    if each:
        for place, (field, kind) in enumerate(fields, 1):
            sql = re.sub(rf":{field}\b", f"?{place}" if engine == "sqlite" else f"${place}::{kind}", sql)
    elif engine == "sqlite":
        if fields:
            row = ", ".join(f"value ->> {place} AS {field}" for place, field in enumerate(names))
            listed = _ROW_LOCK.sub("", _LISTED.format(row=row) + sql.replace("now_ms()", "?2"))
        row = ", ".join(f"?{place} AS {field}" for place, field in enumerate(names, 1))
        sql = _GIVEN.sub(f"FROM (SELECT {row}) AS given", sql)
    else:
        if word == "alone":
            row = ", ".join(f"${place}::{kind} AS {field}" for place, (field, kind) in enumerate(fields, 1))
            alone = _GIVEN.sub(f"FROM (SELECT {row}) AS given", sql)
        arrays = ", ".join(f"${place}::{kind}[]" for place, (_, kind) in enumerate(fields, 1))
        sql = _GIVEN.sub(f"FROM unnest({arrays}) AS given({', '.join(names)})", sql)
    if engine == "sqlite":
        sql = _ROW_LOCK.sub("", sql)
    else:
        sql = _JSON_LIST.sub(r"json_array_elements_text(\1::json) AS listed(value)", sql)
    whole = engine == "postgresql" and not each and bool(fields)
    return Statement(name, sql, whole, sql.startswith("SELECT") or "RETURNING" in sql, names, alone, listed)
