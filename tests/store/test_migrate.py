"""Migrations make what the tables say, once, and never go back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from contracts.deliveries import DeliveryState
from gateway.store.console_tables import metadata
from gateway.store.migrate import migrate_sqlite, newest
from gateway.store.migrations.versions import r0001_first
from tests.store.shape import CURE, Shape, differences, shape


def test_a_new_file_gets_the_newest_schema_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "gateway.db"
    assert migrate_sqlite(path) == (None, newest())
    before = path.read_bytes()
    assert migrate_sqlite(path) == (newest(), newest())
    assert path.read_bytes() == before


def shape_of(path: Path, *, lay: bool = False) -> Shape:
    engine = sa.create_engine(f"sqlite:///{path}")
    try:
        if lay:
            metadata.create_all(engine)
        with engine.connect() as connection:
            return shape(connection)
    finally:
        engine.dispose()


def test_the_migrated_schema_is_that_of_the_tables(database: Path, tmp_path: Path) -> None:
    assert differences(shape_of(database), shape_of(tmp_path / "tables.db", lay=True)) == {}, CURE


def test_alembic_finds_nothing_to_do_either(database: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{database}")
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE matters ADD COLUMN later TEXT",
        "DROP INDEX deliveries_word",
        "DROP INDEX deliveries_word; CREATE INDEX deliveries_word ON deliveries (state, word_due_at) WHERE state = 'dead'",
        "DROP INDEX views_user; CREATE INDEX views_user ON views (user_name, name)",
        "DROP TABLE log; CREATE TABLE log (id INTEGER PRIMARY KEY, position BIGINT)",
        "DROP TABLE lanes",
    ],
)
def test_the_comparison_finds_every_kind_of_change(database: Path, tmp_path: Path, change: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(change)
    assert differences(shape_of(database), shape_of(tmp_path / "tables.db", lay=True))


def test_the_first_revision_does_not_look_at_the_tables() -> None:
    """What was released stays as it was released."""
    source = Path(r0001_first.__file__).read_text("utf-8")
    assert "gateway" not in source


def test_an_index_that_is_missing_is_made(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    migrate_sqlite(path)
    whole = shape_of(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP INDEX deliveries_word; DROP INDEX matters_listed")
    assert migrate_sqlite(path) == (newest(), newest())
    assert shape_of(path) == whole


def test_partial_indexes_keep_their_condition(database: Path) -> None:
    connection = sqlite3.connect(database)
    try:
        made = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
    finally:
        connection.close()
    for table in metadata.tables.values():
        for index in table.indexes:
            condition = index.dialect_options["sqlite"]["where"]
            if condition is not None:
                assert made[index.name].endswith(f"WHERE {condition}")


def test_every_state_and_no_other_is_taken(database: Path) -> None:
    connection = sqlite3.connect(database)
    insert = (
        "INSERT INTO deliveries (id, message, type, about, endpoint, subject, sequence, class, state, next_at, created_at)"
        " VALUES (?1, ?1, 't', 'a', 'e', 's', 1, 'standard', ?2, 0, 0)"
    )
    try:
        for state in DeliveryState:
            connection.execute(insert, (f"dlv_{state}", state))
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(insert, ("dlv_x", "sent"))
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(
                "INSERT INTO lanes (endpoint, subject, head, due_at, tries, token) VALUES ('e','s','h',0,0,1)"
            )
    finally:
        connection.close()


def test_there_is_no_way_back() -> None:
    with pytest.raises(NotImplementedError):
        r0001_first.downgrade()
