"""A run that lived under a clock set ahead, however shortly, leaves nothing that waits for a time that was never due."""

from __future__ import annotations

from pathlib import Path

from gateway.store.settlement import Settlement
from gateway.store.store import Store
from tests.store.bench import LEASE_MS, Bench, VirtualClock, opened

AHEAD_MS = 7_200_000
WAIT_MS = 30_000


async def _claim(bench: Bench) -> list[str]:
    claims = await bench.store.claim(8, {"a": LEASE_MS}, {"a"})
    return [claim.delivery for claim in claims]


async def _planned(store: Store, clock: VirtualClock) -> Bench:
    """One delivery that failed and is to be tried again in half a minute, with an answer in doubt."""
    bench = Bench(store, clock)
    await bench.endpoints("a")
    await bench.committed(bench.case("case_1"))
    (claim,) = await store.claim(8, {"a": LEASE_MS}, {"a"})
    assert await store.settle(Settlement(claim, "pending", code="timeout", wait_ms=WAIT_MS, doubt_at=clock.ms))
    return bench


async def test_what_was_planned_is_due_when_it_was_meant(database: Path, clock: VirtualClock) -> None:
    clock.pass_ms(AHEAD_MS)
    store = await opened(database, clock)
    await _planned(store, clock)
    await store.close()
    clock.pass_ms(-AHEAD_MS)
    again = await opened(database, clock)
    bench = Bench(again, clock)
    assert await _claim(bench) == []
    clock.pass_ms(WAIT_MS + 1_000)
    (delivery,) = await _claim(bench)
    row = await again.row("delivery", delivery)
    assert row is not None
    assert row["doubt_at"] is not None
    assert row["doubt_at"] <= clock.ms
    await again.close()


async def test_under_one_clock_nothing_is_moved(database: Path, clock: VirtualClock) -> None:
    store = await opened(database, clock)
    await _planned(store, clock)
    await store.close()
    again = await opened(database, clock)
    clock.pass_ms(WAIT_MS - 2_000)
    assert await _claim(Bench(again, clock)) == []
    clock.pass_ms(3_000)
    assert len(await _claim(Bench(again, clock))) == 1
    await again.close()
