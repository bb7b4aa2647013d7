"""Brings a database to the newest schema, by Alembic from the package's own revisions."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine


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
    """Migrate a PostgreSQL database; returns (revision before, revision after). One migrator at a time: an advisory lock."""
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        async with engine.begin() as connection:
            await connection.execute(sa.text("SELECT pg_advisory_xact_lock(4711)"))
            return await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: sa.Connection) -> tuple[str | None, str]:
    before = MigrationContext.configure(connection).get_current_revision()
    if before == newest():
        return before, before
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return before, newest()


def migrate_sqlite(path: Path) -> tuple[str | None, str]:
    """Migrate a SQLite file (made where missing); returns (revision before, revision after)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(f"sqlite:///{path}")
    try:
        with engine.begin() as connection:
            return _upgrade(connection)
    finally:
        engine.dispose()
