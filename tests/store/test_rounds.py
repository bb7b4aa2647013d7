"""The random rounds: none finds anything, and each planted bug is found."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from gateway.store.engine import Sqlite
from gateway.store.postgres import Postgres
from gateway.store.unit import Committed, DeliveryMove
from tests.servers.databases import Server
from tests.servers.databases import database as fresh
from tests.store.bench import Bench, VirtualClock
from tests.store.rounds import Round, Violation, plant

Bug = tuple[str, str, str]

SQLITE_ROUNDS = 4
POSTGRES_ROUNDS = 2
TRIES = 12
"""Seeds until a planted bug must have been found."""


class StandingClock(VirtualClock):
    """A clock that stands still inside a transaction, as PostgreSQL's does."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = self.ms

    def begin(self) -> None:
        """A transaction begins."""
        self._begun = self.ms

    def in_transaction(self) -> int:
        """The time at which it began."""
        return self._begun


async def on_sqlite(path: Path, seed: int, bug: Bug | None = None, count: int = 40) -> Counter[str]:
    """One round on a virtual clock."""
    clock, chance = StandingClock(), Random(seed)
    runner = Sqlite(path, clock.in_transaction)

    async def sleep(ms: int) -> None:
        until = clock.ms + ms
        while clock.ms < until:
            if chance.random() < 0.3:
                clock.pass_ms(1)
            await asyncio.sleep(0)

    try:
        plant(runner, "sqlite", bug)
        return await Round(seed, [runner], sleep, clock, clock.begin).play(count)
    finally:
        await runner.close()


async def on_postgres(dsn: str, seed: int, bug: Bug | None = None, count: int = 50) -> Counter[str]:
    """One round of two processes on the database's clock."""
    runners = [await Postgres.connect(dsn, connections=8) for _ in range(2)]

    async def sleep(ms: int) -> None:
        await asyncio.sleep(ms / 1000)

    try:
        for runner in runners:
            plant(runner, "postgresql", bug)
        return await Round(seed, runners, sleep, runners[0].now_ms).play(count)
    finally:
        for runner in runners:
            await runner.close()


@pytest.mark.parametrize("seed", range(1, SQLITE_ROUNDS + 1))
async def test_nothing_is_found_on_sqlite(database: Path, seed: int) -> None:
    found = await on_sqlite(database, seed)
    assert found["claimed"] > 50
    assert found["cut"] > 3


@pytest.mark.parametrize("seed", range(1, POSTGRES_ROUNDS + 1))
async def test_nothing_is_found_on_postgresql(postgres: Server, seed: int) -> None:
    async with fresh(postgres) as dsn:
        found = await on_postgres(dsn, seed)
    assert found["claimed"] > 50
    assert found["cut"] > 1  # how many are cut is the server's pace


BUGS: dict[str, Bug] = {
    "a settlement needs no token": ("hold_lane", "l.token", "given.token"),
    "a requirement need not be delivered": ("rehead", "OR r.state = 'delivered'", "OR true"),
    "a running head gives way": ("rehead", "lanes.token IS NULL AND (", "("),
    "what is not due is claimed": ("claim", "AND due_at <= now_ms()", ""),
    "what is in doubt holds nothing": ("rehead", "n.state IN ('pending', 'in_doubt')", "n.state = 'pending'"),
    "a paused endpoint is open": ("open_endpoints", "NOT e.paused AND", ""),
    "live leases are not counted": ("count_live", "l.lease_until > now_ms()", "false"),
}
"""Statement, words, what they are replaced by."""


@pytest.mark.parametrize("bug", BUGS)
async def test_a_planted_bug_is_found(migrated: Path, tmp_path: Path, bug: str) -> None:
    name, old, new = BUGS[bug]
    for seed in range(TRIES):
        path = Path(shutil.copy(migrated, tmp_path / f"{seed}.db"))
        try:
            await on_sqlite(path, seed, (name, old, new))
        except Violation:
            return
    pytest.fail("the rounds did not find it")


async def test_a_move_beside_a_flying_head_leaves_its_lease(bench: Bench) -> None:
    """The rounds meet it too seldom: aimed."""
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    second = await bench.follow("case_1")
    head = await bench.claim_one()
    assert isinstance(await bench.move("case_1", DeliveryMove(second, "a", "pending", "cancelled")), Committed)
    assert await bench.claim() == []
    assert await bench.settle(head)


RACES: dict[str, Bug] = {
    "endpoints are not locked": ("open_endpoints", "FOR NO KEY UPDATE OF e SKIP LOCKED", ""),
    "the log is not locked": ("lock_log", " FOR UPDATE", ""),
}
"""Bugs that only several processes show."""


@pytest.mark.parametrize("bug", RACES)
async def test_a_planted_race_is_found(postgres: Server, bug: str) -> None:
    for seed in range(TRIES):
        async with fresh(postgres) as dsn:
            try:
                await on_postgres(dsn, seed, RACES[bug])
            except Violation:
                return
            except Exception as error:  # positions are unique: the database itself may find it first
                if "unique" in str(error):
                    return
                raise
    pytest.fail("the rounds did not find it")
