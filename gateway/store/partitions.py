"""Months of the tables that only grow, on PostgreSQL: made ahead, listed, and what lies beside them brought home.

Partitioned are the tables whose one unique key begins with a time-ordered id: a month is a range of ids, and an id is unique in
all months because it lies in one. ``messages`` by their own id, ``attempts`` by their delivery's. A month begins at midnight in
Beijing. A row of no month that was made (the clock that named it was far off, or nobody made months) lies in the table's
DEFAULT partition: it is found and used as any other, and told of (``months.troubles``).

Nothing here is ever deleted. Months are made apart and attached, so that who reads and writes waits for a moment at most.
"""

from __future__ import annotations

import re
from typing import Any, Final

import asyncpg
import structlog

from gateway.store.ids import PREFIXES, id_at, made_at
from gateway.store.months import COUNTED, Month, Part

log = structlog.get_logger("gateway.store")

TABLES: Final = {"messages": ("id", "message"), "attempts": ("delivery", "delivery")}
"""The partitioned tables: the column that they are partitioned by, and the kind of id that it holds."""

AHEAD: Final = 3
"""Months that are made beside the current one."""

MOST_MOVED: Final = 10_000
"""Rows that are moved out of DEFAULT into a month that is made. The table is locked meanwhile, so that more are left to a hand
(``gateway partitions --mend``)."""

_LOCK: Final = 4_711_000_003
_TRIES: Final = 3
_STEPS: Final = 1_000
_NAMED: Final = re.compile(r"_(\d{4})_(\d{2})$")
_REFUSED: Final = (asyncpg.PostgresError, asyncpg.InterfaceError)


_LIST: Final = """
SELECT p.relname AS "table", c.relname AS name, pg_total_relation_size(c.oid) AS size,
  CASE WHEN s.n_live_tup > 0 THEN s.n_live_tup ELSE greatest(c.reltuples, 0)::bigint END AS rows
FROM pg_class p JOIN pg_inherits i ON i.inhparent = p.oid JOIN pg_class c ON c.oid = i.inhrelid
LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
WHERE p.relnamespace = to_regnamespace(current_schema()) AND p.relkind = 'p' AND p.relname = ANY($1::text[]) ORDER BY 1, 2
"""


async def listed(connection: Any) -> list[Part]:
    """Every partition of every table."""
    found = []
    for row in await connection.fetch(_LIST, list(TABLES)):
        named = _NAMED.search(row["name"])
        part = Part(row["table"], row["name"], "-".join(named.groups()) if named else None, row["rows"], row["size"])
        if part.is_default:
            rows = await connection.fetchval(f"SELECT count(*) FROM (SELECT FROM {part.name} LIMIT {COUNTED}) found")  # noqa: S608 -- no name can be a parameter; these are of our tables, months and ids, never from outside
            part = Part(part.table, part.name, None, rows, part.size)
        found.append(part)
    return found


async def keep(connection: Any, now_ms: int | None = None) -> list[str]:
    """Make the months ahead, as far as they are missing; returns the partitions made. What goes wrong is logged, and DEFAULT
    takes the rows until the next time. One process at a time: who finds another at it leaves it to that one. ``now_ms`` is the
    server's where absent."""
    made: list[str] = []
    try:
        at = await connection.fetchval(_CLOCK) if now_ms is None else now_ms
        await _keep(connection, Month.of(at), made)
    except _REFUSED as error:
        log.warning("partitions_not_made", error=type(error).__name__)
    return made


_CLOCK: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"


async def _keep(connection: Any, month: Month | None, made: list[str]) -> None:
    if month is None:
        return
    wanted = [(table, month.later(step)) for table in TABLES for step in range(AHEAD + 1)]
    if not await _missing(connection, wanted) or not await connection.fetchval(f"SELECT pg_try_advisory_lock({_LOCK})"):
        return
    try:
        for table, one in await _missing(connection, wanted):
            if await _patiently(connection, table, one, MOST_MOVED):
                made.append(_name(table, one))
    finally:
        await connection.execute(f"SELECT pg_advisory_unlock({_LOCK})")


async def mend(connection: Any) -> list[Part]:
    """Make the month of every row in DEFAULT and move them there, however many; what is left lies in no month at all. Returns
    the partitions as they are then.

    Raises:
        asyncpg.PostgresError: the server refused, or somebody kept the table locked.
    """
    await connection.execute(f"SELECT pg_advisory_lock({_LOCK})")
    try:
        for table in sorted({part.table for part in await listed(connection)}):
            for month in await _astray(connection, table):
                await _patiently(connection, table, month, None)
    finally:
        await connection.execute(f"SELECT pg_advisory_unlock({_LOCK})")
    return await listed(connection)


async def _missing(connection: Any, wanted: list[tuple[str, Month]]) -> list[tuple[str, Month]]:
    """Those of these months that are not there; of a table that is whole none is missing."""
    rows = await connection.fetch(_LIST, list(TABLES))
    parted, there = {row["table"] for row in rows}, {row["name"] for row in rows}
    return [(table, month) for table, month in wanted if table in parted and _name(table, month) not in there]


def _name(table: str, month: Month) -> str:
    return f"{table}_{month.year:04}_{month.month:02}"


async def _astray(connection: Any, table: str) -> list[Month]:
    """The months of the rows in DEFAULT, each found by its first row."""
    column, kind = TABLES[table]
    found: list[Month] = []
    place, compared = "", ">="
    for _ in range(_STEPS):
        asked = f"SELECT min({column}) FROM {table}_default WHERE {column} {compared} $1"  # noqa: S608 -- no name can be a parameter; these are of our tables, months and ids, never from outside
        first = await connection.fetchval(asked, place)
        if first is None:
            break
        at = made_at(first) if first.startswith(PREFIXES[kind]) else None
        month = None if at is None else Month.of(at)
        if month is None:
            place, compared = first, ">"
        else:
            found.append(month)
            place, compared = id_at(kind, month.later(1).begins), ">="
    return found


async def _patiently(connection: Any, table: str, month: Month, most: int | None) -> bool:
    """Try a few times: a lock that does not come soon is given up, so that nobody queues behind it for long."""
    for tried in range(1, _TRIES + 1):
        try:
            return await _make(connection, table, month, most)
        except asyncpg.LockNotAvailableError:
            if tried == _TRIES:
                raise
    raise AssertionError("unreachable")


async def _make(connection: Any, table: str, month: Month, most: int | None) -> bool:
    """One month, with what of it lies in DEFAULT. Of more than ``most`` rows there none is moved, and the month is not made."""
    (column, kind), name, rest = TABLES[table], _name(table, month), f"{table}_default"
    low, high = id_at(kind, month.begins), id_at(kind, month.later(1).begins)
    within = f"{column} >= '{low}' AND {column} < '{high}'"
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '1s'")
        limit = "" if most is None else f"LIMIT {most + 1}"
        astray = await connection.fetchval(f"SELECT count(*) FROM (SELECT FROM {rest} WHERE {within} {limit}) found")  # noqa: S608 -- no name can be a parameter; these are of our tables, months and ids, never from outside
        if most is not None and astray > most:
            log.error("partition_left_out", type=table, code=str(month), count=astray)
            return False
        await connection.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
        if astray:
            await connection.execute(f"LOCK TABLE {rest} IN ACCESS EXCLUSIVE MODE")
            await connection.execute(
                f"WITH moved AS (DELETE FROM {rest} WHERE {within} RETURNING *) INSERT INTO {name} SELECT * FROM moved"  # noqa: S608 -- no name can be a parameter; these are of our tables, months and ids, never from outside
            )
        await connection.execute(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{low}') TO ('{high}')")
    return True
