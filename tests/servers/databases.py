"""Databases on the tests' PostgreSQL: each test gets a migrated and empty one of its own, copied from one template."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any, TypeVar

import asyncpg

from gateway.security.fields import Keys, Sealer
from gateway.store.engine import Operation
from gateway.store.ids import Ids
from gateway.store.migrate import migrate_postgres
from gateway.store.postgres import Postgres
from gateway.store.store import Store
from tests.servers.postgres import GivenServer, PostgresServer

Server = PostgresServer | GivenServer
T = TypeVar("T")

_made: set[str] = set()


async def execute(dsn: str, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _template(server: Server) -> str:
    name = f"gateway_{'_'.join(server.dsn().rpartition('@')[2].partition('/')[0].split(':')).replace('.', '_')}"
    if name not in _made:
        await execute(server.dsn(), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name} TEMPLATE template0")
        await migrate_postgres(server.dsn(name))
        _made.add(name)
    return name


@asynccontextmanager
async def database(server: Server) -> AsyncIterator[str]:
    """The address of a migrated and empty database, dropped at the end."""
    template = await _template(server)
    name = f"test_{secrets.token_hex(6)}"
    await execute(server.dsn(), f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield server.dsn(name)
    finally:
        await execute(server.dsn(), f"DROP DATABASE {name} WITH (FORCE)")


VIRTUAL_CLOCK = (
    "CREATE OR REPLACE FUNCTION now_ms() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS "
    "$$ SELECT current_setting('gateway.now_ms')::bigint $$"
)
"""The database's half of a clock that a test moves: its sessions are told the time before each operation."""


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
            rows: list[Any] = await connection.fetch(sql)
            return rows


async def clocked(dsn: str, clock: Callable[[], int], keys: Keys, connections: int = 8) -> Store:
    """A store on a database whose time is the test's, with seeded ids."""
    await execute(dsn, VIRTUAL_CLOCK)
    runner = await ClockedPostgres.connect(dsn, connections)
    runner.clock = clock
    return Store(runner, Sealer(keys), Ids(clock, Random(dsn).randbytes), clock)
