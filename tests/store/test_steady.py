"""A clock that is set by two hours, either way: no retry waits for it, no lease ends by it, and it is told."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import structlog

from gateway.security.fields import Sealer
from gateway.settings import Settings
from gateway.store import steady
from gateway.store.ids import Ids
from gateway.store.opening import open_store
from gateway.store.steady import FOLLOWED_MS, LOOKED_MS, SteadyClock, machine_ticks_ms
from gateway.store.store import Store, open_sqlite, sole_store
from gateway.store.unit import DeliveryMove
from tests.store.bench import KEYS, LEASE_MS, START_MS, Bench, VirtualClock

TWO_HOURS = 7_200_000
JUMPS = [-TWO_HOURS, TWO_HOURS]


class Machine:
    """A machine whose clock can be set."""

    def __init__(self) -> None:
        self.ticks = 5_000
        self.set_by = 0

    def wall(self) -> int:
        return START_MS + self.ticks + self.set_by

    def pass_ms(self, ms: int) -> None:
        self.ticks += ms

    def clock(self) -> SteadyClock:
        return SteadyClock(self.wall, lambda: self.ticks)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_it_begins_at_the_machines_time_and_runs_with_it(machine: Machine) -> None:
    clock = machine.clock()
    assert clock() == machine.wall()
    machine.pass_ms(86_400_000)
    assert (clock(), clock.jump_ms) == (machine.wall(), 0)


@pytest.mark.parametrize("jump", JUMPS)
def test_a_jump_is_not_followed_but_told_once(machine: Machine, jump: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told = structlog.testing.CapturingLogger()
    monkeypatch.setattr(steady, "log", told)  # the module's own may have been bound by an earlier test
    clock = machine.clock()
    before = clock()
    machine.set_by = jump
    machine.pass_ms(1000)
    assert (clock(), clock.jump_ms) == (before + 1000, jump)
    machine.pass_ms(1000)
    assert clock() == before + 2000
    machine.set_by = 0
    machine.pass_ms(LOOKED_MS)
    assert (clock(), clock.jump_ms) == (before + 2000 + LOOKED_MS, 0)
    assert [(call.args[0], call.kwargs["duration_ms"]) for call in told.calls] == [
        ("clock_jumped", jump),
        ("clock_right_again", jump),
    ]


def test_a_small_correction_is_followed_and_never_backwards(machine: Machine) -> None:
    clock = machine.clock()
    start = clock()
    machine.set_by = FOLLOWED_MS
    machine.pass_ms(LOOKED_MS)
    assert clock() == start + LOOKED_MS + FOLLOWED_MS
    machine.set_by = 0
    machine.pass_ms(LOOKED_MS)
    stands = start + 2 * LOOKED_MS + FOLLOWED_MS
    for _ in range(10):
        assert clock() == stands, "until the other has come up"
        machine.pass_ms(7)
    machine.pass_ms(FOLLOWED_MS + 5)
    assert (clock(), clock.jump_ms) == (machine.wall(), 0)


def test_it_never_runs_backwards_however_the_machines_is_corrected(machine: Machine) -> None:
    clock, chance = machine.clock(), Random(8)
    told = [clock()]
    for _ in range(5_000):
        machine.set_by += chance.choice((0, 0, -400, 300, 90))
        machine.pass_ms(chance.randint(0, 70))
        told.append(clock())
    assert told == sorted(told)


def test_many_small_corrections_add_up(machine: Machine) -> None:
    clock = machine.clock()
    for _ in range(100):
        machine.set_by += FOLLOWED_MS // 2
        machine.pass_ms(LOOKED_MS)
        assert clock() == machine.wall()
    assert clock.jump_ms == 0


def test_the_machines_own_ticks_run_forward() -> None:
    first = machine_ticks_ms()
    assert machine_ticks_ms() >= first > 0


async def opened(path: Path, clock: SteadyClock) -> Store:
    return await open_sqlite(path, Sealer(KEYS), Ids(clock, Random(5).randbytes), clock)


async def test_the_embedded_store_goes_by_it(tmp_path: Path) -> None:
    store = await open_store(Settings(env="development", data=tmp_path))
    assert isinstance(store.now_ms, SteadyClock)
    row = await store.row("next_callback")
    assert row is not None
    assert abs(row["now"] - store.now_ms()) < 1_000
    await store.close()


@pytest.mark.parametrize("jump", JUMPS)
async def test_leases_and_retries_run_on_as_if_nobody_had_set_the_clock(
    database: Path, machine: Machine, jump: int
) -> None:
    store = await opened(database, machine.clock())
    bench = Bench(store, VirtualClock())
    await bench.endpoints()
    for name in ("case_1", "case_2"):
        await bench.committed(bench.case(name))
    first, second = await bench.claim()
    assert await bench.settle(second, "pending", code="timeout", step=1, wait_ms=30_000)
    machine.set_by = jump
    machine.pass_ms(29_000)
    assert await bench.claim() == [], "the lease stands, the retry is not due"
    machine.pass_ms(1_000)
    assert [claim.delivery for claim in await bench.claim()] == [second.delivery], "no stall"
    machine.pass_ms(LEASE_MS - 30_001)
    assert await bench.claim() == [], "the lease of the first is whole"
    assert await bench.settle(first)
    await store.close()


async def test_a_start_with_a_clock_that_is_behind_moves_what_was_planned(bench: Bench, clock: VirtualClock) -> None:
    store = bench.store
    await bench.endpoints()
    clock.pass_ms(TWO_HOURS)  # the last run's clock was two hours fast
    for name in ("case_1", "case_2", "case_3"):
        await bench.committed(bench.case(name))
    retried, doubtful, relayed = await bench.claim()
    assert await bench.settle(retried, "pending", code="timeout", step=1, wait_ms=60_000)
    assert await bench.settle(doubtful, "pending", code="timeout", step=1, wait_ms=0, doubt_at=clock())
    assert await bench.settle(relayed, "relayed", word_wait_ms=90_000)
    await store.write("hush_endpoint", ("b", 120_000))
    await store.write("set_mark", ("alive:here", clock()))
    await store.write("set_mark", ("broker", clock()))
    ahead = clock()
    clock.pass_ms(-TWO_HOURS)
    again = Bench(await sole_store(store.runner, store.sealer, store.ids, clock), clock)
    assert (await again.delivery(doubtful.delivery))["doubt_at"] == clock()
    assert (await again.delivery(relayed.delivery))["word_due_at"] == clock() + 90_000
    assert (await again.delivery(retried.delivery))["next_at"] == clock() + 60_000
    (row,) = [row for row in await again.store.rows("all_endpoints") if row["name"] == "b"]
    assert row["quiet_until"] == clock() + 120_000
    assert [row["position"] for row in await again.store.rows("read_mark", "alive:here")] == [clock()]
    assert [row["position"] for row in await again.store.rows("read_mark", "broker")] == [ahead], "no time, a cursor"
    clock.pass_ms(60_000)
    assert {claim.delivery for claim in await again.claim()} == {retried.delivery, doubtful.delivery}
    await sole_store(store.runner, store.sealer, store.ids, clock)
    assert (await again.delivery(relayed.delivery))["word_due_at"] == clock() + 30_000, "moved once"


async def test_a_start_with_a_sound_clock_moves_nothing(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    claim = await bench.claim_one()
    assert await bench.settle(claim, "dead")
    assert await bench.move("case_1", DeliveryMove(claim.delivery, "a", "dead", "pending", wait_ms=5_000))
    await bench.store.write("set_mark", ("alive:here", clock()))
    clock.pass_ms(1)
    again = Bench(await sole_store(bench.store.runner, bench.store.sealer, bench.store.ids, clock), clock)
    assert await again.claim() == []
    clock.pass_ms(5_000)
    assert (await again.claim_one()).delivery == claim.delivery
