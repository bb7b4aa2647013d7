"""The store as the journey sees it: operations in groups, reads, and sealing. Nothing else touches the database."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import TypeVar

import structlog

from gateway.observability.traces import QUIET, Tracer
from gateway.observability.watch import SILENT, Watch
from gateway.security.fields import Sealer
from gateway.store import casefile, commit, inbox, journal
from gateway.store import claim as claims
from gateway.store.engine import CommitUnknown, Group, Operation, Row, Rows, Runner, Sqlite, StoreUnavailable, many, one
from gateway.store.ids import Ids
from gateway.store.lately import Lately
from gateway.store.settlement import Claim, FrozenWire, Settlement
from gateway.store.unit import Outcome, Unit

log = structlog.get_logger("gateway.store")

T = TypeVar("T")

LEASES = (
    "end_leases",
    "end_polls",
    "end_callback_leases",
    "end_paper_leases",
    "end_reconciliation_leases",
    "end_mark_leases",
    "end_job_leases",
)
"""The statements that end every lease: of deliveries, polls, calls, papers, reconciliations, the broker's mark, and bulk
jobs."""

_SCHEDULES = (
    "hasten_lanes",
    "hasten_tries",
    "hasten_doubts",
    "hasten_words",
    "hasten_callbacks",
    "hasten_endpoints",
    "hasten_webhooks",
)


class Store:
    """One database behind one runner. Made by ``open_sqlite`` or ``open_postgres``."""

    def __init__(self, runner: Runner, sealer: Sealer, ids: Ids, now_ms: Callable[[], int]) -> None:
        self.runner = runner
        self.sealer = sealer
        self.ids = ids
        self.now_ms = now_ms
        self.lately: Lately[object] = Lately()
        """Documents that this process has just accepted, by message: for those who deliver them here."""
        self.watch: Watch = SILENT
        self.tracer: Tracer = QUIET
        self._commits: Group[Unit, Outcome] = Group(
            runner,
            lambda units: commit.commit(units, ids),
            proof=commit.is_durable,
            committed=lambda size, seconds: self.watch.committed("commit", size, seconds),
        )
        self._settles: Group[Settlement, bool] = Group(
            runner,
            lambda results: claims.settle(results, ids),
            proof=claims.is_settled,
            committed=lambda size, seconds: self.watch.committed("settle", size, seconds),
        )
        self._freezes: Group[FrozenWire, bool] = Group(
            runner, claims.freeze, committed=lambda size, seconds: self.watch.committed("freeze", size, seconds)
        )
        self._callbacks: Group[inbox.NewCallback, inbox.Stored] = Group(
            runner, inbox.keep, committed=lambda size, seconds: self.watch.committed("callback", size, seconds)
        )

    # ---- the journey
    async def commit(self, unit: Unit) -> Outcome:
        """One unit, durable when this returns ``Committed``."""
        return await self._commits.put(unit)

    async def claim(
        self,
        batch: int,
        leases: Mapping[str, int],
        ready: Container[str],
        flying: int = 0,
        patience_ms: int = 0,
        room: Mapping[str, int] | None = None,
    ) -> list[Claim]:
        """Due deliveries under a fresh token; ``flying`` of this process's are in flight. See ``claim.claim``."""
        try:
            return await self.runner.run_loosely(
                claims.may_leave_at_once,
                claims.claim,
                batch,
                self.ids.token(),
                leases,
                ready,
                flying,
                patience_ms,
                room,
            )
        except CommitUnknown as unknown:
            return await self.runner.run(claims.still_held, unknown.result)

    async def claim_probes(self, lease_ms: int, flying: int = 0) -> list[Claim]:
        """What is due of webhooks that are not verified or not healthy, under a fresh token."""
        try:
            return await self.runner.run(claims.claim_probes, self.ids.token(), lease_ms, flying)
        except CommitUnknown as unknown:
            return await self.runner.run(claims.still_held, unknown.result)

    async def freeze(self, wire: FrozenWire) -> bool:
        """Keep a wire before its first sending; ``False``: the claim was taken over."""
        return await self._freezes.put(wire)

    async def settle(self, settlement: Settlement) -> bool:
        """Write an outcome; ``False``: it came too late, another holds the lane."""
        return await self._settles.put(settlement)

    async def keep_callback(self, call: inbox.NewCallback) -> inbox.Stored:
        """Store a raw call, durable when this returns."""
        return await self._callbacks.put(call)

    # ---- reads
    async def load(self, subject: str) -> casefile.CaseFile | None:
        """The file of a subject."""
        return await self.runner.read(casefile.load, subject)

    async def load_of_matter(self, matter: str) -> casefile.CaseFile | None:
        """The file that a matter lies in."""
        return await self.runner.read(casefile.load_of_matter, matter)

    async def row(self, statement: str, *values: object) -> Row | None:
        """The first row of a reading statement, or ``None``."""
        rows = await self.rows(statement, *values)
        return rows[0] if rows else None

    async def rows(self, statement: str, *values: object) -> Rows:
        """The rows of a reading statement."""
        return await self.runner.read(one, statement, *values)

    async def write(self, statement: str, *rows: tuple[object, ...]) -> Rows:
        """One writing statement over these rows, in a transaction of its own."""
        return await self.runner.run(many, statement, list(rows))

    async def run(self, operation: Callable[..., Operation[T]], *arguments: object) -> T:
        """Any operation in a transaction of its own."""
        return await self.runner.run(operation, *arguments)

    async def can_write(self) -> bool:
        """Whether a commit holds just now: a row that is written and dropped again goes to the disk as any other does."""
        try:
            await self.runner.run(_touch)
        except StoreUnavailable:
            return False
        return True

    async def audit(self, *entries: journal.AuditEntry) -> None:
        """Append to the audit chain."""
        await self.runner.run(journal.append_audit, list(entries), self.now_ms())

    async def audited(self, statement: str, row: tuple[object, ...], entry: journal.AuditEntry) -> bool:
        """One write and its audit row, see ``journal.audited``."""
        return await self.runner.run(journal.audited, statement, row, entry, self.now_ms())

    # ---- sealing
    def seal(self, plain: bytes, place: str) -> bytes:
        """Seal bytes for a place ``table.column:id``."""
        return self.sealer.seal(plain, place)

    def unseal(self, sealed: bytes, place: str) -> bytes:
        """Open bytes sealed for that place."""
        return self.sealer.open(bytes(sealed), place)

    async def close(self) -> None:
        """Finish what waits, then close the database."""
        for group in (self._commits, self._settles, self._freezes, self._callbacks):
            await group.drained()
        await self.runner.close()


def _touch() -> Operation[None]:
    yield "see_nonce", [("", "readiness", -1)]
    yield "drop_nonces", [()]


async def open_sqlite(path: Path, sealer: Sealer, ids: Ids, now_ms: Callable[[], int]) -> Store:
    """Open a migrated SQLite database as its only process, and end the leases that a dead process left: the lock proves that
    nobody else is sending.

    Raises:
        StoreLocked: another process has it.
    """
    return await sole_store(Sqlite(path, now_ms), sealer, ids, now_ms)


async def sole_store(runner: Runner, sealer: Sealer, ids: Ids, now_ms: Callable[[], int]) -> Store:
    """A store behind a runner that no other process shares: every lease that stands is a dead one's, and ends now. Where the
    clock is behind the last run's, what was planned by that one is moved: nothing waits for a time that was never due."""
    store = Store(runner, sealer, ids, now_ms)
    ahead_ms = await runner.run(_hasten)
    if ahead_ms:
        log.warning("clock_behind_last_run", duration_ms=ahead_ms)
    for lease in LEASES:
        await store.write(lease, ())
    # Nobody knows how long a doubt has really lasted: a clock that was set ahead meanwhile would let a platform be asked before
    # its answer can be trusted, and "not there" would be filed twice.
    await store.write("renew_doubts", ())
    return store


def _hasten() -> Operation[int]:
    """Bring schedules nearer by as much as the last run's clock is ahead of ours; returns that (ms)."""
    found = yield "last_alive", [()]
    ahead = max((found[0]["alive_at"] or 0) - found[0]["now"], 0)
    if ahead:
        for schedule in _SCHEDULES:
            yield schedule, [(ahead,)]
        yield "forget_alive", [()]
    # What this run plans, the next one must be able to judge, however soon it dies.
    yield "set_mark", [(_STARTED, found[0]["now"])]
    return ahead


_STARTED = "alive:started"


async def open_postgres(dsn: str, sealer: Sealer, ids: Ids, now_ms: Callable[[], int] | None = None) -> Store:
    """Open a PostgreSQL database, beside any number of other processes: dead ones' leases end by themselves. The store's
    clock is the database's, unless a simulation passes its own.

    Raises:
        StoreUnavailable: it cannot be reached.
    """
    from gateway.store.postgres import Postgres  # the driver is an extra: only those who use it need it

    runner = await Postgres.connect(dsn)
    return Store(runner, sealer, ids, now_ms or runner.now_ms)
