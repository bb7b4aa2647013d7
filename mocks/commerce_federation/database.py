"""The exchange database: one connection in one thread, never on the event loop; SQLite and PostgreSQL alike."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from mocks.commerce_federation.digests import Row
from mocks.commerce_federation.settings import POSTGRESQL, SQLITE, Settings
from mocks.commerce_federation.tables import DICTIONARY, GATEWAY, GATEWAY_PERIOD_S, RIGHTS, TABLES

T = TypeVar("T")
_CONNECT_S = 5
_NO_NUMBER = -1
_NUMBERS = frozenset(
    ("SEQ_NO", "FILE_COUNT", "RESEND_COUNT", "FILE_NO", "CHUNK_NO", "CHUNK_COUNT", "FILE_SIZE", "PERIOD_S")
)


class Unavailable(OSError):
    """The database did not take the work; it may be given again."""


class Session(ABC):
    """One connection. Values are bound (``?``), column names come back in capitals."""

    #: Behind a SELECT whose rows are to be taken by this reader alone.
    take = ""

    @abstractmethod
    def rows(self, sql: str, *values: Any) -> list[Row]:
        """The rows of a SELECT."""

    @abstractmethod
    def run(self, sql: str, *values: Any) -> int:
        """How many rows a statement has touched."""

    @abstractmethod
    def many(self, sql: str, values: list[tuple[Any, ...]]) -> None:
        """One statement with each of these values."""

    @abstractmethod
    def close(self) -> None:
        """End the connection."""

    @abstractmethod
    def lock(self, table: str) -> None:
        """Inside a transaction: nobody else writes (SQLite) or touches (PostgreSQL) the table."""

    _begin = "BEGIN"

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self.run(self._begin)
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            with contextlib.suppress(Exception):
                self.run("ROLLBACK")
            raise


class SqliteSession(Session):
    """The file of a demonstration: WAL, ``synchronous=FULL``, ``BEGIN IMMEDIATE`` (page §3.4)."""

    _begin = "BEGIN IMMEDIATE"

    def __init__(self, path: Path, settings: Settings) -> None:
        self._connection = sqlite3.connect(path, timeout=settings.busy_timeout_ms / 1000, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        # Bytes that are no UTF-8 must be refused by their digest, not stop the reader.
        self._connection.text_factory = _decoded

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """As the base."""
        cursor = self._connection.execute(sql, values)
        names = [column[0].upper() for column in cursor.description]
        return [{name: _typed(name, value) for name, value in zip(names, row, strict=True)} for row in cursor]

    def run(self, sql: str, *values: Any) -> int:
        """As the base."""
        return self._connection.execute(sql, values).rowcount

    def many(self, sql: str, values: list[tuple[Any, ...]]) -> None:
        """As the base."""
        self._connection.executemany(sql, values)

    def close(self) -> None:
        """As the base."""
        self._connection.close()

    def lock(self, table: str) -> None:
        """As the base; ``BEGIN IMMEDIATE`` has done it, for all tables."""


class PostgresSession(Session):
    """A schema on PostgreSQL. The driver is asynchronous: the thread of this session runs a loop of its own for it."""

    take = " FOR UPDATE SKIP LOCKED"

    def __init__(self, settings: Settings) -> None:
        import asyncpg  # an extra of the installation

        self._loop = asyncio.new_event_loop()
        schema = settings.db_schema
        try:
            self._connection = self._loop.run_until_complete(
                asyncpg.connect(
                    settings.server_url or settings.database_url,
                    timeout=_CONNECT_S,
                    server_settings={
                        "search_path": schema,
                        "statement_timeout": str(settings.statement_timeout_ms),
                        "lock_timeout": str(settings.lock_timeout_ms),
                        "idle_in_transaction_session_timeout": str(settings.idle_timeout_ms),
                    },
                )
            )
        except BaseException:
            self._loop.close()
            raise
        self.run(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """As the base."""
        found = self._loop.run_until_complete(self._connection.fetch(_numbered(sql), *values))
        return [{name.upper(): value for name, value in row.items()} for row in found]

    def run(self, sql: str, *values: Any) -> int:
        """As the base."""
        status = str(self._loop.run_until_complete(self._connection.execute(_numbered(sql), *values)))
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    def many(self, sql: str, values: list[tuple[Any, ...]]) -> None:
        """As the base."""
        self._loop.run_until_complete(self._connection.executemany(_numbered(sql), values))

    def close(self) -> None:
        """As the base."""
        with contextlib.suppress(Exception):
            self._loop.run_until_complete(self._connection.close(timeout=1))
        self._loop.close()

    def lock(self, table: str) -> None:
        """As the base."""
        self.run(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")


def _decoded(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _typed(name: str, value: Any) -> Any:
    """SQLite keeps what it is given, whatever the column is declared as: what is no number there is none that may come."""
    if name in _NUMBERS:
        return value if isinstance(value, int) else _NO_NUMBER
    return _decoded(value) if isinstance(value, bytes) else value


def _numbered(sql: str) -> str:
    parts = sql.split("?")
    return "".join(f"{part}${place}" for place, part in enumerate(parts[:-1], 1)) + parts[-1]


def sqlite_path(url: str) -> Path | None:
    """The file of a ``sqlite:///`` address; ``None`` for PostgreSQL. Raises ``ValueError`` for any other."""
    if url.startswith(SQLITE) and len(url) > len(SQLITE):
        return Path(url.removeprefix(SQLITE))
    if url.startswith(POSTGRESQL):
        return None
    raise ValueError(f"database_url must begin with {POSTGRESQL} or {SQLITE}")


class Database:
    """Runs work on one session in one thread; a session that failed is closed and opened anew by the next work."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.path = sqlite_path(settings.database_url)
        self._thread = ThreadPoolExecutor(1, "commerce-database")
        self._session: Session | None = None

    async def work(self, task: Callable[[Session], T]) -> T:
        """What ``task`` returns. Raises :class:`Unavailable` when the database fails; then nothing was committed, or all."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, task)

    def _do(self, task: Callable[[Session], T]) -> T:
        try:
            if self._session is None:
                self._session = self.open()
            return task(self._session)
        except Exception as error:
            if isinstance(error, (LookupError, TypeError, ValueError)) and not isinstance(error, sqlite3.Error):
                raise  # ours, not the database's
            self._drop()
            raise Unavailable(f"the exchange database did not take the work ({type(error).__name__})") from error

    def open(self) -> Session:
        """A session of its own (for the thread that opens it)."""
        if self.path is not None:
            return SqliteSession(self.path, self._settings)
        return PostgresSession(self._settings)

    def _drop(self) -> None:
        if self._session is not None:
            with contextlib.suppress(Exception):
                self._session.close()
            self._session = None

    async def close(self) -> None:
        """End the session and its thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._drop)
        self._thread.shutdown()

    def prepare(self, session: Session, now: str) -> None:
        """Make the tables, fill the dictionary and give the gateway its heart where that is not done; its account's rights."""
        for statement in TABLES:
            session.run(statement)
        with session.transaction():
            session.many(
                "INSERT INTO TJ_DICT (DICT_TYPE, CODE, NAME) VALUES (?, ?, ?) ON CONFLICT (DICT_TYPE, CODE) DO NOTHING",
                [(kind, code, name) for kind, codes in DICTIONARY.items() for code, name in codes.items()],
            )
            session.run(
                "INSERT INTO TJ_HEART (NODE, BEAT_AT, PERIOD_S, STATE) VALUES (?, ?, ?, 'RUN') ON CONFLICT (NODE) DO NOTHING",
                GATEWAY,
                now,
                GATEWAY_PERIOD_S,
            )
        account = self._settings.gateway_account
        if account and self.path is None:
            with session.transaction():
                for statement in RIGHTS:
                    session.run(statement.format(schema=self._settings.db_schema, account=account))
