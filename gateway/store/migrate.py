"""Brings a database to the newest schema, by Alembic from the package's own revisions, under processes that run.

What a revision keeps to, so that processes of the older and of the newer package work beside each other on PostgreSQL, and
the older one can be put back:

- It adds: tables, and columns that are nullable or have a constant default. What goes away goes a release after those who
  read it. A change in ``tables`` alone reaches no database; tests/store/test_migrate.py finds it.
- Indexes that are not unique need no revision. They are made from ``tables`` after the revisions: on PostgreSQL without holding
  up those who write (CREATE INDEX CONCURRENTLY), and again where that was broken off. How PostgreSQL stores a table needs none
  either (``storage``).
- ``oldest_reader = "…"`` in a revision: packages that know that older revision may still start on what this one leaves. They
  leave the new columns empty, which the newer package must bear. Without it they are refused from then on (``SchemaUnknown``);
  those that already run are not asked, so they must be stopped first. A later revision never lets in again whom one refused.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex

from gateway.store import storage
from gateway.store.console_tables import metadata
from gateway.store.tables import schema_floors

if TYPE_CHECKING:  # needs the extra `postgres`
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

log = structlog.get_logger("gateway.store")

PLACES = [str(files("gateway.store").joinpath("migrations", "versions"))]
"""Where the revisions are."""

_LOCK, _INDEX_LOCK = 4_711_000_001, 4_711_000_002
_LOCK_WAIT_S = 3
_TRIES = 20


class SchemaUnknown(Exception):
    """The database was migrated by a newer version of this package, which says that this one must not start on it."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("gateway.store").joinpath("migrations")))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", os.pathsep.join(PLACES))
    return config


def floors() -> dict[str, str]:
    """The revisions that this package knows, oldest first, each with the oldest revision whose package may run on it.

    Raises:
        LookupError: there are none, or one names an ``oldest_reader`` that is none before it.
    """
    found: dict[str, str] = {}
    floor = 0
    for script in reversed(list(ScriptDirectory.from_config(_config()).walk_revisions())):
        known = [*found, script.revision]
        declared = getattr(script.module, "oldest_reader", script.revision)
        if declared not in known:
            raise LookupError(f"{script.revision}: no revision {declared} before it")
        floor = max(floor, known.index(declared))
        found[script.revision] = known[floor]
    if not found:
        raise LookupError("the package holds no revisions")
    return found


def newest() -> str:
    """The newest revision that this package knows."""
    return list(floors())[-1]


async def migrate_postgres(dsn: str) -> tuple[str | None, str]:
    """Migrate a PostgreSQL database; returns (revision before, revision after).

    One migrator at a time, by an advisory lock; all or nothing. It never stands in a running process's way for long: a lock
    on a table that does not come soon is given up with all that was done, and tried again. Missing indexes follow.

    Raises:
        SchemaUnknown: a newer version was here, and does not let this one in.
        DBAPIError: the lock on a table never came, or the server refused.
    """
    import asyncpg  # the driver is an extra: only those who use it need it
    from sqlalchemy.ext.asyncio import create_async_engine  # needs the extra `postgres`, as its driver does

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn))
    try:
        for tried in range(1, _TRIES + 1):
            try:
                async with engine.begin() as connection:
                    await connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                    await connection.execute(sa.text(f"SET LOCAL lock_timeout = '{_LOCK_WAIT_S}s'"))
                    told = await connection.run_sync(_upgrade)
                await _keep_months(dsn)
                await _follow(engine)
                return told
            except DBAPIError as error:
                if tried == _TRIES or getattr(error.orig, "sqlstate", None) != asyncpg.LockNotAvailableError.sqlstate:
                    raise
            await asyncio.sleep(0.5)
    finally:
        await engine.dispose()
    raise AssertionError("unreachable")


async def _keep_months(dsn: str) -> None:
    """The partitions of the coming months; without the right to make them the workers' alarm tells (``partitions``)."""
    import asyncpg

    from gateway.store import partitions

    connection = await asyncpg.connect(dsn)
    try:
        await partitions.keep(connection)
    finally:
        await connection.close()


def _upgrade(connection: sa.Connection) -> tuple[str | None, str]:
    before, known = MigrationContext.configure(connection).get_current_revision(), floors()
    last = list(known)[-1]
    if before == last:
        return before, before
    if before is not None and before not in known:
        floor = connection.scalar(sa.select(schema_floors.c.oldest_reader).where(schema_floors.c.revision == before))
        if floor not in known:
            raise SchemaUnknown(before)
        log.warning("schema_newer", revision=before, known=last)
        return before, before
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.execute(schema_floors.insert().values(revision=last, oldest_reader=known[last]))
    return before, last


# ---- indexes

_USABLE = (
    "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
    "WHERE i.indisvalid AND c.relnamespace = to_regnamespace(current_schema())"
)


def _missing(usable: set[str]) -> list[sa.Index]:
    wanted = [index for table in metadata.sorted_tables for index in table.indexes if not index.unique]
    return sorted((index for index in wanted if index.name not in usable), key=lambda index: str(index.name))


async def _follow(engine: AsyncEngine) -> None:
    """What follows the revisions: indexes that are missing or were broken off, and how tables are stored. Who finds another
    process at it leaves it to that one: all of it is for speed.

    Not one transaction, and no waiting for the lock: making an index waits for every open snapshot, also for a waiting one.
    """
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        if not await _missing_now(connection) and not await storage.wanting(connection):
            return
        if not await connection.scalar(sa.text(f"SELECT pg_try_advisory_lock({_INDEX_LOCK})")):
            return
        try:
            for index in await _missing_now(connection):
                table = _table_of(index)
                if table.dialect_options["postgresql"]["partition_by"]:
                    await _index_parts(connection, index, table.name)
                else:
                    await _index_one(connection, index, str(index.name), table.name)
                log.info("index_made", index=index.name)
            await storage.settle(connection)
        finally:
            await connection.execute(sa.text(f"SELECT pg_advisory_unlock({_INDEX_LOCK})"))


async def _missing_now(connection: AsyncConnection) -> list[sa.Index]:
    return _missing(set(await connection.scalars(sa.text(_USABLE))))


def _table_of(index: sa.Index) -> sa.Table:
    if index.table is None:
        raise LookupError(f"{index.name} is on no table")
    return index.table


async def _index_one(connection: AsyncConnection, index: sa.Index, name: str, table: str) -> None:
    """The index under that name on that table: the index's own, or one of its partitions."""
    made = str(CreateIndex(index).compile(dialect=connection.dialect))
    made = made.replace(f"INDEX {index.name} ON {_table_of(index).name} ", f"INDEX CONCURRENTLY {name} ON {table} ", 1)
    await connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    await connection.exec_driver_sql(made)


_UNINDEXED = (
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass(:table) "
    "AND NOT EXISTS (SELECT 1 FROM pg_inherits n JOIN pg_index x ON x.indexrelid = n.inhrelid "
    "WHERE n.inhparent = to_regclass(:index) AND x.indrelid = c.oid) ORDER BY 1"
)


async def _index_parts(connection: AsyncConnection, index: sa.Index, table: str) -> None:
    """The index of a partitioned table: the server makes none beside those who write, so it is made on each partition and
    attached. With the last one it becomes usable."""
    made = str(CreateIndex(index).compile(dialect=connection.dialect))
    await connection.exec_driver_sql(
        made.replace(f"INDEX {index.name} ON {table} ", f"INDEX IF NOT EXISTS {index.name} ON ONLY {table} ", 1)
    )
    for part in list(await connection.scalars(sa.text(_UNINDEXED), {"table": table, "index": index.name})):
        name = f"{part}{str(index.name).removeprefix(table)}"
        await _index_one(connection, index, name, part)
        await connection.exec_driver_sql(f"ALTER INDEX {index.name} ATTACH PARTITION {name}")


def _leave_transactions_to_us(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def migrate_sqlite(path: Path) -> tuple[str | None, str]:
    """Migrate a SQLite file (made where missing); returns (revision before, revision after). All or nothing: a process that is
    killed on the way leaves the schema that was there.

    Raises:
        SchemaUnknown: a newer version was here, and does not let this one in.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(f"sqlite:///{path}")
    # The driver would commit before each CREATE; a kill between a table and its index would never be noticed.
    sa.event.listen(engine, "connect", _leave_transactions_to_us)
    sa.event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            told = _upgrade(connection)
            usable = set(connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'index'")))
            for index in _missing(usable):
                connection.execute(CreateIndex(index))
            for name in storage.RETIRED_INDEXES:
                if name in usable:
                    connection.exec_driver_sql(f"DROP INDEX {name}")
            return told
    finally:
        engine.dispose()
