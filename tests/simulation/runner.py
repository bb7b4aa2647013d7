"""The store's runner without a thread: one SQLite connection in memory, its transactions watched, and cut where a seed says."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeVar

from gateway.store.engine import CommitUnknown, Firm, Operation, Rows, StoreUnavailable
from gateway.store.migrate import migrate_sqlite
from gateway.store.months import Part
from gateway.store.statements import Statement, load

T = TypeVar("T")

Watch = Callable[[sqlite3.Connection, str, tuple[object, ...]], None]
"""Looks at one row of one statement, before it is executed, inside its transaction."""


@cache
def statements() -> dict[str, Statement]:
    """Every statement, rendered once."""
    return load("sqlite")


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "gateway.db"
        migrate_sqlite(path)
        return path.read_bytes()


def database(clock: Callable[[], int]) -> sqlite3.Connection:
    """A fresh database of the newest schema, which outlives its processes."""
    connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=256)
    connection.deserialize(_empty())
    connection.row_factory = sqlite3.Row
    for pragma in ("foreign_keys=ON", "synchronous=OFF", "journal_mode=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    connection.create_function("now_ms", 0, clock)
    connection.create_function("pg_notify", 2, lambda channel, payload: None)
    return connection


class Inline:
    """One process's access to the database. ``trouble``: how likely a transaction is not begun, or its commit's answer lost;
    ``cut``: after how many statements the process dies."""

    writers = 1

    def __init__(
        self,
        connection: sqlite3.Connection,
        watch: Watch,
        random: Random,
        note: Callable[..., None],
        trouble: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._connection = connection
        self._statements = dict(statements())
        self._watch = watch
        self._random = random
        self._note = note
        self._trouble = trouble
        self.dead = False
        self.cut: int | None = None
        self.die: Callable[[], None] = lambda: None

    def replace(self, name: str, change: Callable[[str], str]) -> None:
        """Plant a bug in a statement."""
        old = self._statements[name]
        sql = change(old.sql)
        if sql == old.sql:
            raise ValueError(f"the bug does not fit {name}")
        self._statements[name] = Statement(old.name, sql, old.whole, old.answers, old.fields)

    async def run(self, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        """One transaction; others may come between its order and its beginning, and before its answer."""
        await self._pause()
        trouble = self._random.random() < self._trouble()
        kind = self._random.choice(("unavailable", "unknown", "unknown_held")) if trouble else ""
        if kind == "unavailable":
            self._note("unavailable")
            raise StoreUnavailable("the database cannot be reached")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = self._drive(operation, arguments, watched=True)
            if kind == "unknown" or (self.dead and self._random.random() < 0.5):  # a dying process's commit may hold
                self._connection.execute("ROLLBACK")
            else:
                self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        await self._pause()
        if kind:
            self._note(kind)
            raise CommitUnknown(result)
        return result

    async def run_loosely(self, firm: Firm, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        """Processes die here, the power does not fail: what is committed is there."""
        return await self.run(operation, *arguments)

    async def read(self, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        """See ``Runner``."""
        if self.dead:
            await asyncio.Event().wait()
        return self._drive(operation, arguments, watched=False)

    async def _pause(self) -> None:
        if self.dead:
            await asyncio.Event().wait()
        if self._random.random() < 0.3:
            await asyncio.sleep(self._random.choice((0.0, 0.001, 0.02)))
            if self.dead:
                await asyncio.Event().wait()

    def _drive(self, operation: Callable[..., Operation[T]], arguments: tuple[object, ...], *, watched: bool) -> T:
        steps, found = operation(*arguments), None
        while True:
            try:
                name, rows = steps.send(found) if found is not None else next(steps)
            except StopIteration as end:
                result: T = end.value
                return result
            if watched:
                self._count(name, rows)
                for row in rows:
                    self._watch(self._connection, name, row)
            found = self._execute(self._statements[name], rows)

    def _count(self, name: str, rows: Sequence[tuple[object, ...]]) -> None:
        self._note("sql", name, len(rows))
        if self.cut is not None:
            self.cut -= 1
            if self.cut <= 0 and not self.dead:
                self.dead = True
                self.die()

    def _execute(self, statement: Statement, rows: Sequence[tuple[object, ...]]) -> Rows:
        if statement.answers:
            return [found for row in rows for found in self._connection.execute(statement.sql, row).fetchall()]
        self._connection.executemany(statement.sql, rows)
        return []

    async def unsafe(self) -> list[str]:
        """See ``Runner``: nothing here is meant to last."""
        return []

    def listen(self, heard: Callable[[str], None]) -> None:
        """There is no other process."""

    async def keep_months(self, now_ms: int) -> None:
        """Tables are whole here."""

    async def months(self) -> list[Part]:
        """None."""
        return []

    async def close(self) -> None:
        """The database stays."""
