"""What may be killing its senders: claimed alone after two dead claims, forgotten once it has lived on, kept through a move."""

from __future__ import annotations

from gateway.store import claim as engine
from gateway.store.settlement import SUSPECT_AFTER, Claim
from gateway.store.unit import Committed, DeliveryMove
from tests.store.bench import LEASE_MS, Bench, VirtualClock


async def die(bench: Bench, clock: VirtualClock, batch: int = 10, flying: int = 0) -> list[Claim]:
    """Claim, and never come back."""
    claims = await bench.store.claim(batch, dict.fromkeys("abc", LEASE_MS), frozenset("abc"), flying)
    clock.pass_ms(LEASE_MS)
    return claims


async def dead_twice(bench: Bench, clock: VirtualClock, cases: int) -> None:
    """So many cases whose claims died twice, all together."""
    await bench.endpoints()
    for number in range(cases):
        await bench.committed(bench.case(f"case_{number}"))
    for _ in range(SUSPECT_AFTER):
        claims = await die(bench, clock)
        assert len(claims) == cases, "what died but once is claimed beside the others"
        assert not any(claim.alone for claim in claims)


async def take(bench: Bench, flying: int = 0) -> list[Claim]:
    return await bench.store.claim(10, dict.fromkeys("abc", LEASE_MS), frozenset("abc"), flying)


async def test_after_two_deaths_each_is_claimed_alone(bench: Bench, clock: VirtualClock) -> None:
    await dead_twice(bench, clock, 3)
    fresh = (await bench.committed(bench.case("case_9", ("b",)))).deliveries[0].id
    seen = []
    for _ in range(3):
        (claim,) = await take(bench)
        assert claim.alone
        seen.append(claim.subject)
        assert await bench.settle(claim)
    assert sorted(seen) == ["case_0", "case_1", "case_2"]
    (other,) = await take(bench)
    assert (other.delivery, other.alone) == (fresh, False)


async def test_what_flies_lands_before_a_trial(bench: Bench, clock: VirtualClock) -> None:
    await dead_twice(bench, clock, 1)
    await bench.committed(bench.case("case_9", ("b",)))
    assert await take(bench, flying=1) == []
    (claim,) = await take(bench)
    assert (claim.subject, claim.alone) == ("case_0", True)


async def test_a_busy_process_leaves_a_fresh_suspect_to_the_others(bench: Bench, clock: VirtualClock) -> None:
    await dead_twice(bench, clock, 1)
    leases, ready = dict.fromkeys("abc", LEASE_MS), frozenset("abc")
    fresh = [(await bench.committed(bench.case(name, ("a",)))).deliveries[0].id for name in ("case_8", "case_9")]
    (claim,) = await bench.store.claim(1, leases, ready, 1, 5_000)
    assert (claim.delivery in fresh, claim.alone) == (True, False)
    clock.pass_ms(5_000)
    assert await bench.store.claim(1, leases, ready, 1, 5_000) == [], "nobody took it: this one lands for it"
    (claim,) = await bench.store.claim(1, leases, ready, 0, 5_000)
    assert claim.alone


async def test_who_died_least_often_is_tried_first(bench: Bench, clock: VirtualClock) -> None:
    await dead_twice(bench, clock, 3)
    (poison,) = await die(bench, clock)
    for _ in range(2):
        (innocent,) = await take(bench)
        assert innocent.subject != poison.subject
        assert await bench.settle(innocent)
    (again,) = await take(bench)
    assert (again.subject, again.crashes + again.lost) == (poison.subject, 3)


async def test_a_suspect_that_cannot_go_holds_nobody_up(bench: Bench, clock: VirtualClock) -> None:
    await dead_twice(bench, clock, 1)
    free = (await bench.committed(bench.case("case_9", ("b",)))).deliveries[0].id
    await bench.store.write("pause_endpoint", ("a", "op", "x"))
    (claim,) = await take(bench, flying=3)
    assert claim.delivery == free


async def test_a_full_endpoint_leaves_its_suspect_waiting(bench: Bench, clock: VirtualClock) -> None:
    await dead_twice(bench, clock, 1)
    (mine,) = await take(bench)
    await bench.store.write("set_endpoint", ("a", "puppet", 1))
    await bench.committed(bench.case("case_9", ("b",)))
    assert [claim.endpoint for claim in await take(bench, flying=1)] == ["b"]
    assert await bench.settle(mine)


async def test_a_trial_that_lives_on_is_acquitted(bench: Bench, clock: VirtualClock) -> None:
    await dead_twice(bench, clock, 2)
    (claim,) = await take(bench)
    await bench.store.run(engine.acquit, claim)
    clock.pass_ms(LEASE_MS)
    claims = {one.subject: one for one in [*await take(bench), *await take(bench)]}
    assert claims[claim.subject].lost == 1, "the claim that was acquitted died after all: once"
    assert not claims[claim.subject].alone


async def test_an_acquittal_that_comes_late_changes_nothing(bench: Bench, clock: VirtualClock) -> None:
    await dead_twice(bench, clock, 1)
    (late,) = await die(bench, clock)
    (now,) = await take(bench)
    await bench.store.run(engine.acquit, late)
    row = await bench.delivery(now.delivery)
    assert row["attempts"] == 0
    assert await bench.table("SELECT died FROM lanes") == [(3,)]


async def test_an_outcome_ends_the_suspicion_and_a_wait_does_not(bench: Bench, clock: VirtualClock) -> None:
    await dead_twice(bench, clock, 1)
    (claim,) = await take(bench)
    assert await bench.settle(claim, "pending", attempt=None, wait_ms=0)
    (claim,) = await take(bench)
    assert (claim.alone, claim.crashes, claim.lost) == (True, 2, 0)
    assert await bench.settle(claim, "pending", code="timeout", wait_ms=0)
    (claim,) = await take(bench)
    assert not claim.alone


async def test_a_neighbours_move_does_not_forget(bench: Bench, clock: VirtualClock) -> None:
    await dead_twice(bench, clock, 1)
    second = await bench.follow("case_0")
    moved = await bench.move("case_0", DeliveryMove(second, "a", "pending", "cancelled"))
    assert isinstance(moved, Committed)
    (claim,) = await take(bench)
    assert (claim.alone, claim.crashes + claim.lost) == (True, 2)


async def test_a_redrive_begins_anew(bench: Bench, clock: VirtualClock) -> None:
    await dead_twice(bench, clock, 1)
    (claim,) = await take(bench)
    assert await bench.settle(claim, "dead", attempt=None)
    back = DeliveryMove(claim.delivery, "a", "dead", "pending", fresh=True)
    assert isinstance(await bench.move("case_0", back), Committed)
    (claim,) = await take(bench)
    assert (claim.alone, claim.crashes, claim.lost) == (False, 0, 0)
