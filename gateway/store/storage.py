"""How PostgreSQL keeps the tables beside what they are: the room that pages leave, what is not to be compressed, indexes that
are gone. It follows the revisions, like the indexes that are made: each change is a transaction of its own that holds one table
for a moment, so that it can meet nobody in a deadlock; one whose lock does not come soon is left to the next start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from gateway.store.console_tables import metadata

if TYPE_CHECKING:  # needs the extra `postgres`
    from sqlalchemy.ext.asyncio import AsyncConnection

log = structlog.get_logger("gateway.store")

UNCOMPRESSED: Final = (("messages", "document_sealed"), ("deliveries", "wire_sealed"))
"""Large columns that PostgreSQL is not to compress: in what is sealed there is nothing to be found, it would try each time."""

RETIRED_INDEXES: Final = ("deliveries_lane", "people_subject")
"""Indexes of an earlier release that no statement needs. Dropped at every start: an older package that starts makes them."""

_LOCK_WAIT_S = 1
_TABLES = (
    "SELECT c.relname, c.reloptions, array_agg(a.attname) FILTER (WHERE a.attstorage = 'e') AS uncompressed "
    "FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid "
    "WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relkind IN ('r', 'p') GROUP BY c.oid"
)
_INDEXES = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(current_schema()) AND relkind = 'i'"


async def wanting(connection: AsyncConnection) -> list[str]:
    """The statements that are still to be run."""
    found = {row.relname: row for row in await connection.execute(sa.text(_TABLES))}
    kept = {name: set(row.reloptions or ()) for name, row in found.items()}
    uncompressed = {name: set(row.uncompressed or ()) for name, row in found.items()}
    there = set(await connection.scalars(sa.text(_INDEXES)))
    return [
        *_rooms(kept),
        *(
            f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL"
            for table, column in UNCOMPRESSED
            if column not in uncompressed.get(table, {column})
        ),
        *(f"DROP INDEX CONCURRENTLY IF EXISTS {index}" for index in RETIRED_INDEXES if index in there),
    ]


def _rooms(kept: dict[str, set[str]]) -> Iterator[str]:
    for table in metadata.sorted_tables:
        options = table.dialect_options["postgresql"]["with"] or {}
        missing = [f"{name} = {value}" for name, value in options.items() if f"{name}={value}" not in kept[table.name]]
        if missing:
            yield f"ALTER TABLE {table.name} SET ({', '.join(missing)})"


async def settle(connection: AsyncConnection) -> None:
    """Run what is wanting, on a connection that commits each statement. One process at a time, by the lock of the indexes."""
    import asyncpg  # the driver is an extra: only those who use it need it

    await connection.exec_driver_sql(f"SET lock_timeout = '{_LOCK_WAIT_S}s'")
    try:
        for statement in await wanting(connection):
            try:
                await connection.exec_driver_sql(statement)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != asyncpg.LockNotAvailableError.sqlstate:
                    raise
                log.warning("storage_left", reason=statement)
            else:
                log.info("storage_set", reason=statement)
    finally:
        await connection.exec_driver_sql("RESET lock_timeout")
