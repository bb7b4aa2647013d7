"""The runner for PostgreSQL: the same operations on asyncpg, any number of processes.

A batch goes out as columns in one statement; ``each`` statements go out one after the other on the same connection. Every
operation is one transaction. One that met a deadlock or a stale plan is run again, three times at most; one whose connection
was lost before the commit is run again until the patience is over. A connection lost *during* the commit is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Self, TypeVar

import asyncpg
import structlog

from gateway.store import partitions
from gateway.store.engine import CommitUnknown, Firm, Operation, Row, Rows, StoreUnavailable, one
from gateway.store.months import Part
from gateway.store.statements import Statement, load

log = structlog.get_logger("gateway.store")

T = TypeVar("T")

CHANNEL = "gateway_due"
"""Where a commit that other processes should know of is told to them."""

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
_BESIDE = {"application_name": "mediation-gateway months"}
_TRIES = 3
_COMMAND_S = 30.0
_CONNECT_S = 5.0
_PATIENCE_S = 10.0
"""How long an operation waits for a database that is away. Shorter than the margin of the leases, so that what was sent can
still be settled; longer than a restart."""
_PING_S = 10.0
_COMMIT = "COMMIT"
_COMMIT_UNSYNCED = "SET LOCAL synchronous_commit = off; COMMIT"
_ASK_CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
)
"""The server is down, starting, full, busy beyond what its administrator allows, asks for another login, or is no longer the
one that takes writes: nothing of it is the operation's fault."""

_AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.InvalidCachedStatementError)
"""Nothing is wrong with the operation: two met, or another process has migrated the tables under our plans."""


class Postgres:
    """A pool of connections, and one that listens. ``now_ms`` is the database's clock: every process goes by the one."""

    writers = 2

    def __init__(self, dsn: str, patience_s: float = _PATIENCE_S) -> None:
        self._dsn = dsn
        self._patience_s = patience_s
        self._statements = load("postgresql")
        self._pool: asyncpg.Pool | None = None
        self._own: set[int] = set()
        self._listener: asyncio.Task[None] | None = None
        self._ahead_ms = 0.0

    @classmethod
    async def connect(cls, dsn: str, connections: int = 8, patience_s: float = _PATIENCE_S) -> Self:
        """Open the pool and read the database's clock.

        Raises:
            StoreUnavailable: no server, no such database, no right; the cause tells which.
        """
        made = cls(dsn, patience_s)
        try:
            made._pool = await asyncpg.create_pool(
                dsn,
                min_size=0,  # a server that is away is asked by those who need it, not by the pool
                max_size=connections,
                server_settings=_HOT,
                command_timeout=_COMMAND_S,
                timeout=_CONNECT_S,
                statement_cache_size=1024,  # all of ours stay prepared
                max_cached_statement_lifetime=0,
                init=made._began,
                reset=_as_it_is,
            )
            async with made._pool.acquire() as connection:
                await made._read_clock(connection)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise StoreUnavailable(type(error).__name__) from error
        return made

    async def _began(self, connection: Any) -> None:
        self._own.add(connection.get_server_pid())

    # ---- operations
    async def run(self, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        """See ``Runner``."""
        return await self._patiently(lambda: self._transact(operation, arguments))

    async def run_loosely(self, firm: Firm, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        """See ``Runner``."""
        return await self._patiently(lambda: self._transact(operation, arguments, firm))

    async def read(self, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        """See ``Runner``: on one snapshot."""
        return await self._patiently(lambda: self._look(operation, arguments))

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until it is done, or the patience is over."""
        end = time.monotonic() + self._patience_s
        wait, met = 0.02, 0
        while True:
            try:
                return await attempt()
            except CommitUnknown:
                raise
            except (*_AGAIN, asyncpg.CheckViolationError) as error:
                met += 1
                if met == _TRIES or (isinstance(error, asyncpg.CheckViolationError) and not _month_came(error)):
                    raise
            except _AWAY as error:
                if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                    await self._open().expire_connections()
                if time.monotonic() + wait > end:
                    raise StoreUnavailable(type(error).__name__) from error
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))
                wait = min(wait * 2, 0.5)

    def _open(self) -> asyncpg.Pool:
        if self._pool is None:
            raise StoreUnavailable("not connected")
        return self._pool

    async def _transact(
        self, operation: Callable[..., Operation[T]], arguments: tuple[object, ...], firm: Firm | None = None
    ) -> T:
        async with self._open().acquire() as connection, _telling(connection):
            await connection.execute("BEGIN")
            try:
                result = await self._drive(connection, operation(*arguments))
                ending = _COMMIT if firm is None or firm(result) else _COMMIT_UNSYNCED
            except BaseException:
                await _roll_back(connection)
                raise
            try:
                await connection.execute(ending)
            except (*_AWAY, asyncpg.InterfaceError) as error:
                log.warning("commit_unknown", error=type(error).__name__)
                _give_up(connection)
                raise CommitUnknown(result) from error
            return result

    async def _look(self, operation: Callable[..., Operation[T]], arguments: tuple[object, ...]) -> T:
        single = operation is one
        async with self._open().acquire() as connection, _telling(connection):
            if single:  # one statement has a snapshot of its own
                return await self._drive(connection, operation(*arguments))
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                return await self._drive(connection, operation(*arguments))
            finally:
                await _roll_back(connection)

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
        if statement.alone and len(rows) == 1:
            alone: list[Row] = await connection.fetch(statement.alone, *rows[0])
            return alone
        if statement.whole:
            found: list[Row] = await connection.fetch(
                statement.sql, *(list(column) for column in zip(*rows, strict=True))
            )
            return found
        return [row for values in rows for row in await connection.fetch(statement.sql, *values)]

    # ---- the database's clock
    async def _read_clock(self, connection: Any) -> None:
        """Learn how far the database's clock is ahead of our monotonic one. Of three answers the quickest is the best."""
        answers = []
        for _ in range(3):
            before = time.monotonic()
            at: int = await connection.fetchval(_ASK_CLOCK)
            after = time.monotonic()
            answers.append((after - before, at - 500 * (before + after)))
        self._ahead_ms = min(answers)[1]

    def now_ms(self) -> int:
        """The database's time in milliseconds since 1970, as far as we know: a machine's own clock may be wrong, and jump."""
        return round(self._ahead_ms + 1000 * time.monotonic())

    # ---- what a careful house looks at before it starts
    async def unsafe(self) -> list[str]:
        """What would lose an acknowledged commit, one line each, and a clock that disagrees with this machine's."""
        reasons = []
        async with self._open().acquire() as connection:
            for name in ("fsync", "full_page_writes", "synchronous_commit"):
                if await connection.fetchval("SELECT current_setting($1)", name) == "off":
                    reasons.append(f"database: the server runs with {name}=off and may lose acknowledged cases")
        if abs(self.now_ms() - 1000 * time.time()) > 60_000:
            reasons.append("database: its clock and this machine's are more than 60 s apart")
        return reasons

    # ---- months of the tables that only grow
    async def keep_months(self, now_ms: int) -> None:
        """See ``Runner``."""
        made = await self._beside(partitions.keep, now_ms)
        if made:
            log.info("partitions_made", items=made)

    async def months(self) -> list[Part]:
        """See ``Runner``."""
        return await self._beside(partitions.listed)

    async def mend_months(self) -> list[Part]:
        """Bring home what lies in no month; see ``partitions.mend``."""
        return await self._beside(partitions.mend)

    async def _beside(self, work: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """Work on a connection of its own, with a planner and a patience of its own.

        Raises:
            StoreUnavailable: the server is away.
        """
        try:
            connection = await asyncpg.connect(self._dsn, timeout=_CONNECT_S, server_settings=_BESIDE)
            try:
                return await work(connection, *arguments)
            finally:
                await connection.close(timeout=_CONNECT_S)
        except _AWAY as error:
            raise StoreUnavailable(type(error).__name__) from error

    # ---- waking
    def listen(self, heard: Callable[[str], None]) -> None:
        """See ``Runner``. The listener reconnects by itself, and then has everything looked at."""
        self._listener = asyncio.get_running_loop().create_task(self._listen(heard), name="loop:listen")

    async def _listen(self, heard: Callable[[str], None]) -> None:
        while True:
            try:
                await self._hear(heard)
            except (*_AWAY, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("listener_lost", error=type(error).__name__)
            await asyncio.sleep(random.uniform(0.1, 0.5))

    async def _hear(self, heard: Callable[[str], None]) -> None:
        """Listen on one connection until it is lost."""
        connection = await asyncpg.connect(
            self._dsn,
            timeout=_CONNECT_S,
            command_timeout=_CONNECT_S,
            server_settings={"application_name": "mediation-gateway listener"},
        )
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            await connection.add_listener(CHANNEL, lambda _, pid, __, told: None if pid in self._own else heard(told))
            heard("")
            while not lost.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_PING_S):
                        await lost.wait()
                        return
                # A peer that vanished without a word is found out; and clocks drift.
                await self._read_clock(connection)
        finally:
            connection.terminate()

    async def close(self) -> None:
        """Close the listener and the pool."""
        if self._listener is not None:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener
        pool = self._open()
        try:
            async with asyncio.timeout(_CONNECT_S):
                await pool.close()
        except (TimeoutError, *_AWAY):
            pool.terminate()


def _month_came(error: asyncpg.CheckViolationError) -> bool:
    """Whether a row was on its way to DEFAULT when the month that it belongs to was attached: the server finds that out behind
    the lock. A constraint of ours has a name."""
    return not error.constraint_name and str(error.table_name).endswith("_default")


async def _as_it_is(_: Any) -> None:
    """We leave nothing on a session that would have to be reset."""


async def _roll_back(connection: Any) -> None:
    """Undo; where that fails, the connection is given up, and the server undoes."""
    if _is_gone(connection):
        return
    try:
        await connection.execute("ROLLBACK")
    except (*_AWAY, asyncpg.PostgresError, asyncpg.InterfaceError):
        _give_up(connection)


def _is_gone(connection: Any) -> bool:
    """Whether the connection broke: the pool takes a broken one back at once, and its handle then answers nothing."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


def _give_up(connection: Any) -> None:
    with contextlib.suppress(asyncpg.InterfaceError):
        connection.terminate()


@contextlib.asynccontextmanager
async def _telling(connection: Any) -> AsyncIterator[None]:
    """Turn the driver's word on a connection that broke under us into what it is."""
    try:
        yield
    except asyncpg.InterfaceError as error:
        if _is_gone(connection):
            raise ConnectionResetError(type(error).__name__) from error
        raise
