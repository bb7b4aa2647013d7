"""Brings a database to the newest schema, by Alembic from the package's own revisions."""

from __future__ import annotations

import asyncio
import sqlite3
from importlib.resources import files
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

_LOCK = 4_711_000_001
_LOCK_WAIT_S = 3
_TRIES = 20


class SchemaUnknown(Exception):
    """The database was migrated by a newer version of this package: an older one must not start on it."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("gateway.store").joinpath("migrations")))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(files("gateway.store").joinpath("migrations", "versions")))
    return config


def newest() -> str:
    """The newest revision that this package knows."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise LookupError("the package holds no revisions")
    return head


async def migrate_postgres(dsn: str) -> tuple[str | None, str]:
    """Migrate a PostgreSQL database; returns (revision before, revision after).

    One migrator at a time, by an advisory lock; all or nothing. It never stands in a running process's way for long: a lock
    on a table that does not come soon is given up with all that was done, and tried again.

    Raises:
        SchemaUnknown: a newer version was here.
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
                    return await connection.run_sync(_upgrade)
            except DBAPIError as error:
                if tried == _TRIES or getattr(error.orig, "sqlstate", None) != asyncpg.LockNotAvailableError.sqlstate:
                    raise
            await asyncio.sleep(0.5)
    finally:
        await engine.dispose()
    raise AssertionError("unreachable")


def _upgrade(connection: sa.Connection) -> tuple[str | None, str]:
    before = MigrationContext.configure(connection).get_current_revision()
    config = _config()
    if before == newest():
        return before, before
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    if before is not None and before not in known:
        raise SchemaUnknown(before)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return before, newest()


def _leave_transactions_to_us(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def migrate_sqlite(path: Path) -> tuple[str | None, str]:
    """Migrate a SQLite file (made where missing); returns (revision before, revision after). All or nothing: a process that is
    killed on the way leaves the schema that was there.

    Raises:
        SchemaUnknown: a newer version was here.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(f"sqlite:///{path}")
    # The driver would commit before each CREATE; a kill between a table and its index would never be noticed.
    sa.event.listen(engine, "connect", _leave_transactions_to_us)
    sa.event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            return _upgrade(connection)
    finally:
        engine.dispose()
