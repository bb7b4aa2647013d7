"""A gateway at rest, on the engine of this run: its configuration, and its database as one sees it from outside."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from gateway.security.fields import Keys, write_key_file


@dataclass(frozen=True, slots=True)
class Resting:
    """Its directory, and the address of its own PostgreSQL database (empty, not migrated); without one it is on SQLite."""

    directory: Path
    dsn: str | None

    @property
    def config(self) -> str:
        """The configuration file."""
        return str(self.directory / "gateway.toml")

    def written(self, more: str = "") -> Resting:
        """Write the configuration and the keys."""
        if not (self.directory / "keys").exists():
            write_key_file(self.directory / "keys", Keys.generate())
        text = f'env = "development"\ndata = "{self.directory}/data"\nkey_file = "{self.directory}/keys"\n'
        if self.dsn is not None:
            text += f'database = "{self.dsn}"\n'
        Path(self.config).write_text(text + more, "utf-8")
        return self

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement past the gateway; its rows."""
        if self.dsn is not None:
            return asyncio.run(_fetched(self.dsn, statement))
        with closing(sqlite3.connect(self.directory / "data" / "gateway.db")) as connection, connection:
            return connection.execute(statement).fetchall()


async def _fetched(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()
