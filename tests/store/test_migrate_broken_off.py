"""A migration that is broken off leaves what was there: never a table without its index."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.store.console_tables import metadata
from gateway.store.migrate import migrate_sqlite, newest


class Broken(Exception):
    """The process ends here."""


@pytest.fixture
def broken_off() -> Iterator[None]:
    """Laying the schema ends at one of its last tables, between it and its indexes."""

    def end(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith("CREATE INDEX webhook_endpoints_client"):
            raise Broken

    sa.event.listen(sa.Engine, "before_cursor_execute", end)
    yield
    sa.event.remove(sa.Engine, "before_cursor_execute", end)


def _made(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")]


def test_nothing_is_left_of_a_migration_that_was_broken_off(tmp_path: Path, broken_off: None) -> None:
    with pytest.raises(Broken):
        migrate_sqlite(tmp_path / "gateway.db")
    assert _made(tmp_path / "gateway.db") == []


def test_it_is_whole_afterwards(tmp_path: Path) -> None:
    assert migrate_sqlite(tmp_path / "gateway.db") == (None, newest())
    assert len(_made(tmp_path / "gateway.db")) > len(metadata.tables)
