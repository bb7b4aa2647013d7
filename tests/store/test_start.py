"""A process that finds the database its own ends what a dead one held: leases, the broker's mark, bulk jobs at rest."""

from __future__ import annotations

from gateway.store.store import Store, sole_store
from tests.store.bench import Bench, VirtualClock

JOB = ("job_1", "running", "op", False, "again", "{}", 60, 1, 50, 1, "same", False)


async def test_what_a_dead_process_held_is_free_at_once(bench: Bench, clock: VirtualClock) -> None:
    store = bench.store
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    dead = await bench.claim_one()
    assert await store.write("take_poll", ("a", 60_000))
    assert await store.write("lease_mark", ("broker", 1, 60_000))
    await store.write("advance_mark", ("broker", 1, 7))
    await store.write("add_job", JOB)
    assert await store.write("take_job", ("job_1", 60_000))
    clock.pass_ms(1)
    assert not await store.write("lease_mark", ("broker", 2, 60_000)), "it is another's"
    assert await store.rows("due_jobs") == []

    again: Store = await sole_store(store.runner, store.sealer, store.ids, clock)
    assert [row["position"] for row in await again.write("lease_mark", ("broker", 2, 60_000))] == [7]
    assert [row["id"] for row in await again.rows("due_jobs")] == ["job_1"]
    assert await again.write("take_poll", ("a", 60_000))
    claim = await bench.claim_one()
    assert (claim.delivery, claim.lost) == (dead.delivery, 1)


async def test_a_job_that_rests_for_its_rate_goes_on(bench: Bench, clock: VirtualClock) -> None:
    store = bench.store
    await store.write("add_job", ("job_2", "paused", *JOB[2:]))
    await sole_store(store.runner, store.sealer, store.ids, clock)
    assert await store.rows("due_jobs") == [], "what is paused stays so"
