"""The exchange database as one SQLite file, in a thread (page §1: a demo's)."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import cast
from urllib.parse import quote

from adapters.commerce_federation.replies import failure, of_sqlite
from adapters.commerce_federation.wire import T, Work
from contracts.adapter import Blocking

BUSY_S = 5.0
"""``busy_timeout``: how long a lock is waited for."""
_STATEMENTS_S = 5.0
_STEPS = 20_000
"""Instructions of SQLite between two looks at the time."""


class SqliteDatabase:
    """One file. It is never made here: the platform makes it."""

    def __init__(self, path: str, blocking: Blocking, connections: int) -> None:
        self._uri = f"file:{quote(path)}?mode=rw"
        self._blocking = blocking
        self._places = asyncio.Semaphore(connections)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[SqliteDatabase]:
        """Each transaction opens the file anew: it is no connection that could be kept from thread to thread. No more at once
        than agreed: who waits for a lock holds a thread of the house's."""
        async with self._places:
            yield self

    async def run(self, work: Work[T], *, filing: bool = False, reading: bool = False) -> T:
        """See ``database.Session``."""
        return cast(T, await self._blocking(self._run, work, filing, reading))

    def _run(self, work: Work[T], filing: bool, reading: bool) -> T:
        committing = False
        try:
            with closing(self._open()) as connection:
                connection.execute("BEGIN" if reading else "BEGIN IMMEDIATE")
                until = time.monotonic() + _STATEMENTS_S
                connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
                found = _driven(connection, work)
                connection.set_progress_handler(None, 0)
                committing = filing
                connection.execute("COMMIT")
                return found
        except sqlite3.Error as error:  # what was not committed is gone with the connection
            raise of_sqlite(error, committing=committing) from None
        except (ValueError, TypeError, OverflowError):  # a column that holds what it may not
            raise failure("other") from None

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._uri, uri=True, timeout=BUSY_S, isolation_level=None)
        try:
            connection.text_factory = _text
            connection.execute("PRAGMA synchronous=FULL")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _driven(connection: sqlite3.Connection, work: Work[T]) -> T:
    try:
        ask = next(work)
        while True:
            rows = connection.execute(ask.sql, ask.values).fetchall()
            ask = work.send(rows)
    except StopIteration as done:
        return cast(T, done.value)


def _text(raw: bytes) -> str:
    """Whatever somebody wrote there must not stop a whole page."""
    return raw.decode("utf-8", "replace")
