"""The runner: drives operations over statements on one connection, in one thread, with group commit.

An operation is a generator that yields ``(statement name, rows)`` and is handed back the rows that came; it knows no driver.
So it is written once, runs here on SQLite's writer thread and elsewhere on asyncpg, and can be simulated.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import orjson

from gateway.store.months import Part
from gateway.store.row import Row as Row
from gateway.store.statements import Statement, load
from gateway.store.thread import Outcome, Thread

Rows = list[Row]
Step = tuple[str, Sequence[tuple[object, ...]]]
T = TypeVar("T")
U = TypeVar("U")
Operation = Generator[Step, Rows, T]
Firm = Callable[[Any], bool]
"""Whether something will rest on this result before anything later is durable."""


_Asked = tuple[Callable[..., Operation[Any]], tuple[object, ...]]


class StoreLocked(Exception):
    """Another process has this SQLite database: it carries one process. Several need PostgreSQL."""


class StoreUnavailable(Exception):
    """The database could not be reached in time: nothing was written, try again later."""


class CommitUnknown(StoreUnavailable):
    """The connection was lost while the commit was on its way: nobody told whether it holds. ``result`` is the operation's,
    if it does. Whoever runs operations must ask, or repeat what is safe to repeat."""

    def __init__(self, result: Any) -> None:
        super().__init__("the answer to a commit was lost")
        self.result = result


_CANNOT = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    }
)
"""What the disk or another reader does to SQLite, not the operation. None of it outlasts its cause: a failed commit was rolled
back, its frames of the log are written anew by the next one, and a checkpoint counts only what was synced."""


_NUL = b"\\u0000"
"""SQLite ends a text of JSON there."""


def _listed(rows: Sequence[tuple[object, ...]]) -> str | None:
    """The rows as JSON; ``None`` where a value has no place in it: bytes, U+0000."""
    try:
        listed = orjson.dumps(rows)
    except TypeError:
        return None
    return None if _NUL in listed else listed.decode()


@contextlib.contextmanager
def _telling() -> Iterator[None]:
    """Tell what the disk does in the word that both engines use."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _CANNOT:
            raise StoreUnavailable(error.sqlite_errorname) from error
        raise


class Runner(Protocol):
    """What the store asks of an engine. ``writers``: how many groups may be committed at once."""

    writers: int

    async def run(self, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        """Run the operation in one transaction, durable when this returns.

        Raises:
            StoreUnavailable: it could not be begun in time.
            CommitUnknown: it may hold or not.
        """
        ...

    async def run_loosely(self, firm: Firm, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        """The same; an engine may leave the disk's sync to the next transaction where ``firm`` says that nothing will rest on
        the result before. A crash of this process loses nothing of it, a power cut may."""
        ...

    async def read(self, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        """Run an operation that writes nothing."""
        ...

    async def unsafe(self) -> list[str]:
        """What would lose an acknowledged commit, one line each."""
        ...

    def listen(self, heard: Callable[[str], None]) -> None:
        """Call ``heard`` with what other processes tell of their commits: ``due``, ``call``, ``events``; ``""`` is all."""
        ...

    async def keep_months(self, now_ms: int) -> None:
        """Make the partitions of the coming months, where tables are partitioned; what goes wrong is logged."""
        ...

    async def months(self) -> list[Part]:
        """Every partition; none where tables are whole."""
        ...

    async def close(self) -> None: ...


def one(name: str, *row: object) -> Operation[Rows]:
    """The operation that is one statement over one row."""
    rows = yield name, [row]
    return rows


def many(name: str, rows: Sequence[tuple[object, ...]]) -> Operation[Rows]:
    """The operation that is one statement over many rows."""
    if not rows:
        return []
    found = yield name, rows
    return found


class Sqlite:
    """SQLite on one connection in one thread, reads included; WAL with synchronous=FULL.

    WAL is safe here on every version, because the lock file admits exactly one process and the process has exactly one
    connection (the WAL-reset race needs two writers; ``reliability.md`` §0.1). ``clock`` gives milliseconds since 1970: the
    machine's or a simulation's.
    """

    writers = 1

    def __init__(self, path: Path, clock: Callable[[], int]) -> None:
        self.path = path
        self._clock = clock
        self._statements = load("sqlite")
        self._lock = (path.parent / (path.name + ".lock")).open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise StoreLocked(path.name) from None
        self._connection = self._open(clock)
        self._thread: Thread[_Asked] = Thread("store", self._write)

    def _open(self, clock: Callable[[], int]) -> sqlite3.Connection:
        # Opened here, used by the one thread alone from then on.
        connection = sqlite3.connect(self.path, isolation_level=None, cached_statements=256, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "wal_autocheckpoint=8000",
            "cache_size=-32768",
            "foreign_keys=ON",
            "busy_timeout=5000",
        ):
            connection.execute(f"PRAGMA {pragma}")
        # The same name on both engines; PostgreSQL's is made by the first migration, from now() and never clock_timestamp():
        # that is volatile, so an index range would become a filter.
        connection.create_function("now_ms", 0, clock)
        connection.create_function("pg_notify", 2, lambda channel, payload: None)  # one process needs no telling
        return connection

    async def run(self, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        result: T = await self._thread.join((operation, arguments))
        return result

    async def run_loosely(self, firm: Firm, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        """Synced all the same: where a sync fails, the frames of a commit that nobody synced are never written again, and a
        hole before later commits would take those with it."""
        return await self.run(operation, *arguments)

    async def read(self, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        return await self._thread.ask(self._look, operation, arguments)

    def _look(self, operation: Callable[..., Operation[T]], arguments: tuple[object, ...]) -> T:
        with _telling():
            return self._drive(operation, arguments)

    def _write(self, waiting: Sequence[_Asked]) -> list[Outcome]:
        """Every operation that waits in one transaction: whatever it is for, it shares one sync of the disk. One that fails
        takes nothing with it; a commit that fails takes all."""
        with _telling():
            return self._transact(waiting)

    def _transact(self, waiting: Sequence[_Asked]) -> list[Outcome]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            alone = len(waiting) == 1  # it needs no place to return to but the beginning
            outcomes = [Outcome(self._drive(*waiting[0]))] if alone else [self._apart(*asked) for asked in waiting]
            self._connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            raise
        return outcomes

    def _apart(self, operation: Callable[..., Operation[T]], arguments: tuple[object, ...]) -> Outcome:
        self._connection.execute("SAVEPOINT one")
        try:
            result = self._drive(operation, arguments)
        except BaseException as error:
            if not self._connection.in_transaction:
                raise  # the disk has ended it for all
            self._connection.execute("ROLLBACK TO one")
            self._connection.execute("RELEASE one")
            if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _CANNOT:
                raise
            return Outcome(None, error)
        self._connection.execute("RELEASE one")
        return Outcome(result)

    def _drive(self, operation: Callable[..., Operation[T]], arguments: tuple[object, ...]) -> T:
        steps, found = operation(*arguments), None
        while True:
            try:
                name, rows = steps.send(found) if found is not None else next(steps)
            except StopIteration as end:
                result: T = end.value
                return result
            found = self._execute(self._statements[name], rows)

    def _execute(self, statement: Statement, rows: Sequence[tuple[object, ...]]) -> Rows:
        """A batch is one step of SQLite where it can be, and asks for the time once: between two steps, and for every call of a
        function of ours, it waits for the interpreter's lock, and the loop waits with it."""
        if len(rows) > 1 and statement.listed and (listed := _listed(rows)) is not None:
            return self._connection.execute(statement.listed, (listed, self._clock())).fetchall()
        if statement.answers:
            return [found for row in rows for found in self._connection.execute(statement.sql, row).fetchall()]
        self._connection.executemany(statement.sql, rows)
        return []

    async def script(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function on the one connection (console queries through Core, checks of a verifier)."""
        return await self._thread.ask(work, self._connection, long=True)

    async def unsafe(self) -> list[str]:
        """Nothing: it opens its one connection itself."""
        return []

    def listen(self, heard: Callable[[str], None]) -> None:
        """There is no other process to be told by."""

    async def keep_months(self, now_ms: int) -> None:
        """Tables are whole here."""

    async def months(self) -> list[Part]:
        """None."""
        return []

    async def close(self) -> None:
        """Finish what is queued, close the connection, give the lock back."""
        await self._thread.ask(self._connection.close)
        self._thread.end()
        self._lock.close()


_TURNS = 2
"""Turns of the loop before a group is closed: what came in at the same moment is ready by then, and shares its sync."""


class Group(Generic[U, T]):
    """Group commit: units that wait are run as one operation; a group that fails is halved until the bad one fails alone.

    ``proof`` tells of a commit whose answer was lost whether it holds, from the units and the outcomes it would have. Where
    there is none, or it does not hold, the group is run again: that must be safe, as it is after a crash.
    """

    def __init__(
        self,
        runner: Runner,
        operation: Callable[[list[U]], Operation[list[T]]],
        size: int = 256,
        proof: Callable[[list[U], list[T]], Operation[bool]] | None = None,
        committed: Callable[[int, float], None] = lambda size, seconds: None,
        *,
        reading: bool = False,
    ) -> None:
        """``committed`` is told the size of each group and how long it took, in seconds. ``reading``: the operation writes
        nothing."""
        self._runner = runner
        self._run = runner.read if reading else runner.run
        self._committed = committed
        self._operation = operation
        self._size = size
        self._proof = proof
        self._waiting: deque[tuple[U, asyncio.Future[T]]] = deque()
        self._writing: set[asyncio.Task[None]] = set()

    async def put(self, unit: U) -> T:
        """The unit's outcome, once it is durable. The work goes on if the caller is cancelled."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((unit, done))
        if len(self._writing) < self._runner.writers:
            writer = asyncio.get_running_loop().create_task(self._until_empty())
            self._writing.add(writer)
        return await done

    async def _until_empty(self) -> None:
        """A writer gives its place back in the step that found nothing waiting: a unit put a moment later gets a new one."""
        try:
            await self._write()
        finally:
            writer = asyncio.current_task()
            if writer is not None:
                self._writing.discard(writer)

    async def _write(self) -> None:
        while self._waiting:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            group = [self._waiting.popleft() for _ in range(min(self._size, len(self._waiting)))]
            started = time.perf_counter()
            try:
                outcomes = await self._try([unit for unit, _ in group])
            except BaseException as error:  # whoever has put a unit is told, whatever it was
                self._tell(group, [error] * len(group))
                if isinstance(error, Exception):
                    continue
                raise
            self._tell(group, outcomes)
            self._committed(len(group), time.perf_counter() - started)

    @staticmethod
    def _tell(group: Sequence[tuple[U, asyncio.Future[T]]], outcomes: Sequence[T | BaseException]) -> None:
        for (_, done), outcome in zip(group, outcomes, strict=True):
            if done.done():
                continue
            if isinstance(outcome, asyncio.CancelledError):
                done.cancel()
            elif isinstance(outcome, BaseException):
                done.set_exception(outcome)
            else:
                done.set_result(outcome)

    async def _try(self, units: list[U], again: int = 3) -> Sequence[T | BaseException]:
        try:
            return await self._run(self._operation, units)
        except CommitUnknown as unknown:
            held = await self._ask(units, unknown)
            if held is not None:
                return held
            return await self._try(units, again - 1) if again else [unknown] * len(units)
        except StoreUnavailable as error:
            return [error] * len(units)
        except Exception as error:
            if len(units) == 1:
                return [error]
            half = len(units) // 2
            return [*await self._try(units[:half]), *await self._try(units[half:])]

    async def _ask(self, units: list[U], unknown: CommitUnknown) -> Sequence[T | BaseException] | None:
        """What a lost commit's answer would have been; ``None``: it does not hold, or nothing proves it."""
        if self._proof is None:
            return None
        outcomes: list[T] = unknown.result
        try:
            return outcomes if await self._runner.run(self._proof, units, outcomes) else None
        except StoreUnavailable as error:
            return [error] * len(units)
        except Exception:  # nobody can be asked: it stays unknown
            return [unknown] * len(units)

    async def drained(self) -> None:
        """Wait until nothing waits."""
        while self._writing:
            await asyncio.wait(self._writing)
