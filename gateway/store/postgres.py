"""The runner for PostgreSQL: the same operations on asyncpg, any number of processes.

A batch goes out as columns in one statement; ``each`` statements go out one after the other on the same connection. Every
operation is one transaction; one that met a deadlock or a serialization failure is run again, three times at most.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import asyncpg
import structlog

from gateway.store.engine import Operation, Row, Rows
from gateway.store.statements import Statement, load

log = structlog.get_logger("gateway.store")

T = TypeVar("T")

CHANNEL = "gateway_due"
"""Where a commit that made something due is told to the other processes."""

# The engine's statements are index look-ups whatever the statistics say; a plan made on an empty table must not live on as a
# scan (store.md §3).
_HOT = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "application_name": "mediation-gateway",
    "idle_in_transaction_session_timeout": "60000",
}
_TRIES = 3
_RECONNECT_S = 1.0


class Postgres:
    """A pool of connections, and one that listens."""

    def __init__(self, pool: asyncpg.Pool, dsn: str) -> None:
        self._pool = pool
        self._dsn = dsn
        self._statements = load("postgresql")
        self._listener: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, dsn: str, connections: int = 8) -> Postgres:
        """Open the pool.

        Raises:
            OSError, asyncpg.PostgresError: no server, no such database, no right.
        """
        pool = await asyncpg.create_pool(dsn, min_size=2, max_size=connections, server_settings=_HOT, command_timeout=30)
        return cls(pool, dsn)

    async def run(self, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        """See ``Runner``."""
        for tried in range(1, _TRIES + 1):
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    return await self._drive(connection, operation(*arguments))
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                if tried == _TRIES:
                    raise
        raise AssertionError("unreachable")

    async def read(self, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        """See ``Runner``: on one snapshot."""
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            return await self._drive(connection, operation(*arguments))

    async def _drive(self, connection: Any, steps: Operation[T]) -> T:
        found: Rows | None = None
        while True:
            try:
                name, rows = steps.send(found) if found is not None else next(steps)
            except StopIteration as end:
                result: T = end.value
                return result
            found = await self._execute(connection, self._statements[name], rows)

    @staticmethod
    async def _execute(connection: Any, statement: Statement, rows: Sequence[tuple[object, ...]]) -> list[Row]:
        if not rows:
            return []
        if statement.whole:
            found: list[Row] = await connection.fetch(statement.sql, *(list(column) for column in zip(*rows, strict=True)))
            return found
        return [row for values in rows for row in await connection.fetch(statement.sql, *values)]

    def listen(self, heard: Callable[[], None]) -> None:
        """Call ``heard`` when another process made something due; reconnects by itself and then sweeps at once."""
        self._listener = asyncio.get_running_loop().create_task(self._listen(heard), name="loop:listen")

    async def _listen(self, heard: Callable[[], None]) -> None:
        while True:
            try:
                connection = await asyncpg.connect(self._dsn)
                try:
                    await connection.add_listener(CHANNEL, lambda *_: heard())
                    heard()
                    while not connection.is_closed():
                        await asyncio.sleep(_RECONNECT_S)
                finally:
                    await connection.close()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("listener_lost", error=type(error).__name__)
            await asyncio.sleep(_RECONNECT_S)

    async def close(self) -> None:
        """Close the listener and the pool."""
        if self._listener is not None:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener
        await self._pool.close()
