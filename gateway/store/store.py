"""The store as the journey sees it: operations in groups, reads, and sealing. Nothing else touches the database."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import TypeVar

from gateway.security.fields import Sealer
from gateway.store import casefile, commit, inbox, journal
from gateway.store import claim as claims
from gateway.store.engine import CommitUnknown, Group, Operation, Row, Rows, Runner, Sqlite, many, one
from gateway.store.ids import Ids
from gateway.store.unit import Outcome, Unit

T = TypeVar("T")


class Store:
    """One database behind one runner. Made by ``open_sqlite``."""

    def __init__(self, runner: Runner, sealer: Sealer, ids: Ids, now_ms: Callable[[], int]) -> None:
        self.runner = runner
        self.sealer = sealer
        self.ids = ids
        self.now_ms = now_ms
        self._commits: Group[Unit, Outcome] = Group(
            runner, lambda units: commit.commit(units, ids), proof=commit.is_durable
        )
        self._settles: Group[claims.Settlement, bool] = Group(
            runner, lambda results: claims.settle(results, ids), proof=claims.is_settled
        )
        self._freezes: Group[claims.FrozenWire, bool] = Group(runner, claims.freeze)
        self._callbacks: Group[inbox.NewCallback, inbox.Stored] = Group(runner, inbox.keep)

    # ---- the journey
    async def commit(self, unit: Unit) -> Outcome:
        """One unit, durable when this returns ``Committed``."""
        return await self._commits.put(unit)

    async def claim(self, batch: int, leases: Mapping[str, int], ready: Container[str]) -> list[claims.Claim]:
        """Due deliveries under a fresh token."""
        try:
            return await self.runner.run(claims.claim, batch, self.ids.token(), leases, ready)
        except CommitUnknown as unknown:
            return await self.runner.run(claims.still_held, unknown.result)

    async def claim_probes(self, lease_ms: int) -> list[claims.Claim]:
        """What is due of webhooks that are not verified or not healthy, under a fresh token."""
        try:
            return await self.runner.run(claims.claim_probes, self.ids.token(), lease_ms)
        except CommitUnknown as unknown:
            return await self.runner.run(claims.still_held, unknown.result)

    async def freeze(self, wire: claims.FrozenWire) -> bool:
        """Keep a wire before its first sending; ``False``: the claim was taken over."""
        return await self._freezes.put(wire)

    async def settle(self, settlement: claims.Settlement) -> bool:
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

    async def audit(self, *entries: journal.AuditEntry) -> None:
        """Append to the audit chain."""
        await self.runner.run(journal.append_audit, list(entries), self.now_ms())

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


async def open_sqlite(path: Path, sealer: Sealer, ids: Ids, now_ms: Callable[[], int]) -> Store:
    """Open a migrated SQLite database as its only process, and end the leases that a dead process left: the lock proves that
    nobody else is sending.

    Raises:
        StoreLocked: another process has it.
    """
    return await sole_store(Sqlite(path, now_ms), sealer, ids, now_ms)


async def sole_store(runner: Runner, sealer: Sealer, ids: Ids, now_ms: Callable[[], int]) -> Store:
    """A store behind a runner that no other process shares: every lease that stands is a dead one's, and ends now."""
    store = Store(runner, sealer, ids, now_ms)
    for lease in ("end_leases", "end_polls", "end_callback_leases", "end_paper_leases"):
        await store.write(lease, ())
    return store


async def open_postgres(dsn: str, sealer: Sealer, ids: Ids, now_ms: Callable[[], int] | None = None) -> Store:
    """Open a PostgreSQL database, beside any number of other processes: dead ones' leases end by themselves. The store's
    clock is the database's, unless a simulation passes its own.

    Raises:
        StoreUnavailable: it cannot be reached.
    """
    from gateway.store.postgres import Postgres  # the driver is an extra: only those who use it need it

    runner = await Postgres.connect(dsn)
    return Store(runner, sealer, ids, now_ms or runner.now_ms)
