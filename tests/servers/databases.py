"""Databases on the tests' PostgreSQL: each test gets a migrated and empty one of its own, copied from one template."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from random import Random
from typing import Any, TypeVar

import asyncpg

from gateway.security.fields import Keys, Sealer
from gateway.store import partitions
from gateway.store.engine import Operation, Sqlite
from gateway.store.ids import Ids
from gateway.store.migrate import migrate_postgres
from gateway.store.postgres import Postgres
from gateway.store.store import Store
from tests.servers.postgres import GivenServer, PostgresServer

Server = PostgresServer | GivenServer
T = TypeVar("T")

VIRTUAL_CLOCK = (
    "CREATE OR REPLACE FUNCTION now_ms() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS "
    "$$ SELECT current_setting('gateway.now_ms')::bigint $$"
)
"""The database's half of a clock that a test moves: its sessions are told the time before each operation."""

_REMEMBER = """DO $$ DECLARE t text; filled boolean; BEGIN
  CREATE SCHEMA first_rows;
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM public.%I)', t) INTO filled;
    IF filled THEN EXECUTE format('CREATE TABLE first_rows.%I AS TABLE public.%I', t, t); END IF;
  END LOOP;
END $$"""
"""Keeps the rows that the migrations themselves had written."""

_EMPTY = """DO $$ DECLARE t text; BEGIN
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('DELETE FROM public.%I', t);
  END LOOP;
  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'first_rows' LOOP
    EXECUTE format('INSERT INTO public.%I SELECT * FROM first_rows.%I', t, t);
  END LOOP;
END $$"""
"""Makes a used database as good as new; quicker than another one."""

_ready: dict[tuple[str, bool], list[str]] = {}


async def execute(dsn: str, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def new_database(server: Server) -> str:
    """The address of a database without tables."""
    name = f"test_{secrets.token_hex(6)}"
    await execute(server.dsn(), f"CREATE DATABASE {name} TEMPLATE template0")
    return server.dsn(name)


_IN_TESTS_MS = 1_791_600_000_000
"""A time in the month in which most tests' clocks stand."""


async def _month_of_tests(dsn: str) -> None:
    """Make it before anybody writes, as the migration makes today's: a month that is made under a running house brings its rows
    home under those who read them."""
    connection = await asyncpg.connect(dsn)
    try:
        await partitions.keep(connection, _IN_TESTS_MS)
    finally:
        await connection.close()


@asynccontextmanager
async def database(server: Server, *, virtual: bool = False) -> AsyncIterator[str]:
    """The address of a migrated and empty database that nobody else uses; ``virtual``: on a test's clock."""
    ready = _ready.setdefault((server.dsn(), virtual), [])
    if ready:
        dsn = ready.pop()
    else:
        dsn = await new_database(server)
        await migrate_postgres(dsn)
        if virtual:
            await _month_of_tests(dsn)
        await execute(dsn, _REMEMBER, *([VIRTUAL_CLOCK] if virtual else []))
    yield dsn
    await execute(dsn, _EMPTY)
    ready.append(dsn)


_opened = count(1)


class ClockedPostgres(Postgres):
    """The runner under a test's clock."""

    clock: Callable[[], int]

    async def _drive(self, connection: Any, steps: Operation[T]) -> T:
        await connection.execute(f"SET gateway.now_ms = {self.clock()}")
        return await super()._drive(connection, steps)

    async def fetch(self, sql: str) -> list[Any]:
        """Rows of any statement, for what a test asserts and spoils."""
        async with self._open().acquire() as connection:
            await connection.execute(f"SET gateway.now_ms = {self.clock()}")
            rows: list[Any] = await connection.fetch(sql, timeout=240)  # some fill the tables with a million rows
            return rows


async def clocked(dsn: str, clock: Callable[[], int], keys: Keys, connections: int = 8) -> Store:
    """A store on a database on a test's clock, with seeded ids."""
    runner = await ClockedPostgres.connect(dsn, connections)
    runner.clock = clock
    chance = Random(f"{dsn} {next(_opened)}")  # no two processes make the same ids
    return Store(runner, Sealer(keys), Ids(clock, chance.randbytes), clock)


async def table(store: Store, sql: str) -> list[tuple[Any, ...]]:
    """Rows of any statement on either engine, for what a test asserts and spoils."""
    runner = store.runner
    if isinstance(runner, Sqlite):
        return await runner.script(lambda connection: [tuple(row) for row in connection.execute(sql)])
    if not isinstance(runner, ClockedPostgres):
        raise TypeError(type(runner).__name__)
    return [tuple(row) for row in await runner.fetch(sql)]


async def everything(store: Store) -> bytes:
    """Every value in every table, to seek what must not lie there in clear."""
    embedded = isinstance(store.runner, Sqlite)
    named = "SELECT name FROM sqlite_master WHERE type = 'table'"
    tables = named if embedded else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    values: list[Any] = []
    for (name,) in await table(store, tables):
        for row in await table(store, f"SELECT * FROM {name}"):  # noqa: S608 -- no name can be a parameter; the catalogue of the test's own database gave it
            values += row
    return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)
