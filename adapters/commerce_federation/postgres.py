"""The exchange database as PostgreSQL, by asyncpg: verified TLS, SCRAM, every wait bounded (page §1)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from adapters.commerce_federation.replies import by_state, failure
from adapters.commerce_federation.settings import CommerceFederationSettings
from adapters.commerce_federation.wire import T, Work
from contracts.errors import AdapterError, EndpointError

CONNECT_S = 5.0
_ANSWER_S = 7.0
"""The server ends a statement after 5 s; what is silent for longer is a lost connection."""
_CLOSE_S = 2.0
_FAILURES = (OSError, TimeoutError, ValueError, TypeError, OverflowError)
"""What an attempt may meet beside the driver's own errors; the last three: a column that holds what it may not."""
_NO_TLS = "rejected SSL"
"""The driver has no other sign of a server that speaks no TLS."""
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
_BOUNDS = {
    "statement_timeout": "5000",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "10000",
    "application_name": "mediation-gateway",
}


class PostgresDatabase:
    """One connection for each session, no more at once than agreed; the driver is an extra, imported when it is first
    needed."""

    def __init__(self, settings: CommerceFederationSettings) -> None:
        self._settings = settings
        self._verified: ssl.SSLContext | None = None
        self._places = asyncio.Semaphore(settings.connections)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[PostgresSession]:
        """One connection, for one attempt.

        Raises:
            RetryableError, EndpointError: it cannot be made.
        """
        async with self._places:
            session = PostgresSession(await self._connect())
            try:
                yield session
            finally:
                await session.close()

    async def _connect(self) -> Any:  # Any: asyncpg ships no types
        try:
            import asyncpg
        except ImportError:
            raise EndpointError("driver_missing", "asyncpg is not installed: the extra postgres brings it") from None
        settings, server = self._settings, self._settings.server
        try:
            return await asyncpg.connect(
                host=server.host,
                port=server.port,
                user=server.account,
                password=None if settings.password is None else settings.password.get_secret_value(),
                database=server.database,
                ssl=self._tls(),
                timeout=settings.connect_s or CONNECT_S,
                command_timeout=_ANSWER_S,
                statement_cache_size=0,
                server_settings={**_BOUNDS, "search_path": settings.db_schema},
            )
        except (*_FAILURES, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise _judged(error, connecting=True) from None

    def _tls(self) -> ssl.SSLContext | bool:
        """Verified, host name and all. On this very machine alone it may be plain, where no certificates are named."""
        ca_file = self._settings.ca_file
        if ca_file is None and self._settings.server.here:
            return False
        if self._verified is None:
            try:
                self._verified = ssl.create_default_context(cafile=ca_file)
            except OSError:
                raise EndpointError("certificate_refused", "the file of the certificates cannot be read") from None
        return self._verified


class PostgresSession:
    """One connection; after a failure it is thrown away."""

    def __init__(self, connection: Any) -> None:  # Any: asyncpg ships no types
        self._connection = connection
        self._sound = True

    async def run(self, work: Work[T], *, filing: bool = False, reading: bool = False) -> T:
        """See ``database.Session``."""
        import asyncpg

        sound, self._sound = self._sound, False
        if not sound:
            raise failure("broken_off")
        committing = False
        try:
            await self._connection.execute(_BEGIN + (" READ ONLY" if reading else ""))
            found = await self._driven(work)
            committing = filing
            await self._connection.execute("COMMIT")
        except AdapterError:
            raise
        except (*_FAILURES, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise _judged(error, committing=committing) from None
        self._sound = True
        return found

    async def _driven(self, work: Work[T]) -> T:
        try:
            ask = next(work)
            while True:
                rows = await self._connection.fetch(numbered(ask.sql), *ask.values)
                ask = work.send([tuple(row) for row in rows])
        except StopIteration as done:
            return cast(T, done.value)

    async def close(self) -> None:
        """End it in order; one that failed at once, which rolls back what it had begun."""
        if not self._sound:
            self._connection.terminate()
            return
        try:
            await self._connection.close(timeout=_CLOSE_S)
        except Exception:  # everything is committed: how the connection ends says nothing any more
            self._connection.terminate()


def numbered(sql: str) -> str:
    """The statement with ``$1``, ``$2`` … in place of its question marks."""
    first, *rest = sql.split("?")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))


def _judged(error: Exception, *, committing: bool = False, connecting: bool = False) -> AdapterError:
    """Who heals what the driver met."""
    import asyncpg

    if isinstance(error, ssl.SSLCertVerificationError):
        return failure("certificate")
    if isinstance(error, asyncpg.PostgresError):
        return by_state(error.sqlstate, committing=committing)
    if isinstance(error, TimeoutError):
        return failure("timeout", committing=committing)
    if isinstance(error, OSError):
        if connecting and _NO_TLS in str(error):
            return failure("certificate")
        return failure("unreachable") if connecting else by_state(None, committing=committing)
    if isinstance(error, ValueError | TypeError | OverflowError):  # asyncpg.DataError too: a value of no such kind
        return failure("other")
    return failure("unreachable") if connecting else by_state(None, committing=committing)
