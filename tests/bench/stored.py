"""A past: cases whose messages were delivered long ago, written past the gateway into its own tables (``stored.sql``)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

_STATEMENTS = [
    statement for statement in (Path(__file__).parent / "stored.sql").read_text("utf-8").split(";") if statement.strip()
]


def fill(connection: sqlite3.Connection, start: int, end: int) -> None:
    """Messages from number ``start`` to ``end``, ten a case."""
    connection.execute("BEGIN")
    for statement in _STATEMENTS:
        connection.execute(statement, {"start": start, "end": end})
    connection.execute("COMMIT")
