"""Claim and settlement: lanes, leases, tokens, shares, requirements, doubt, breakers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.store.claim import BREAKER_AFTER, BREAKER_CAP_MS, give_back, shares
from gateway.store.engine import Row
from gateway.store.settlement import EndpointEffect, FrozenWire
from gateway.store.store import Store
from gateway.store.unit import Committed, DeliveryMove, NewReference, NewTask
from tests.store.bench import LEASE_MS, START_MS, Bench, VirtualClock, failing, opened


async def test_a_claim_brings_what_the_sender_needs(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    unit = await bench.committed(bench.case("case_1"))
    clock.pass_ms(250)
    claim = await bench.claim_one()
    delivery = unit.deliveries[0]
    assert (claim.delivery, claim.message, claim.type, claim.about) == (
        delivery.id,
        delivery.message,
        "case.submitted",
        "case_1",
    )
    assert (claim.endpoint, claim.subject, claim.sequence, claim.organization) == ("a", "case_1", 1, "SD-JN-LX-001")
    assert (claim.tries, claim.lost, claim.crashes, claim.step, claim.doubt_at, claim.wire_sealed) == (
        1,
        0,
        0,
        0,
        None,
        None,
    )
    assert (claim.created_at, claim.claimed_at) == (START_MS, START_MS + 250)
    assert await bench.claim() == []


async def test_a_lane_is_sent_in_order_and_lanes_run_beside_each_other(bench: Bench) -> None:
    await bench.endpoints()
    first = await bench.committed(bench.case("case_1"))
    second = await bench.follow("case_1")
    third = await bench.follow("case_1")
    other = await bench.committed(bench.case("case_2"))
    claims = await bench.claim()
    assert {claim.delivery for claim in claims} == {first.deliveries[0].id, other.deliveries[0].id}
    for claim in claims:
        assert await bench.settle(claim)
    assert await bench.deliver_all() == [second, third]


async def test_a_retry_holds_its_lane(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    second = await bench.follow("case_1")
    claim = await bench.claim_one()
    assert await bench.settle(claim, "pending", code="timeout", step=1, wait_ms=5000)
    assert await bench.claim() == []
    clock.pass_ms(4999)
    assert await bench.claim() == []
    clock.pass_ms(1)
    again = await bench.claim_one()
    assert (again.delivery, again.step, again.tries) == (claim.delivery, 1, 2)
    await bench.settle(again)
    assert (await bench.claim_one()).delivery == second


@pytest.mark.parametrize("state", ["rejected", "dead", "expired"])
async def test_an_end_frees_the_lane_but_not_for_who_requires_it(bench: Bench, state: str) -> None:
    await bench.endpoints()
    first = (await bench.committed(bench.case("case_1"))).deliveries[0].id
    needs = await bench.follow("case_1", requires=first)
    free = await bench.follow("case_1")
    assert await bench.settle(await bench.claim_one(), state)
    assert await bench.deliver_all() == [free]
    assert await bench.state(needs) == "pending"


async def test_relayed_frees_the_lane_but_not_for_who_requires_it(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    first = (await bench.committed(bench.case("case_1"))).deliveries[0].id
    needs = await bench.follow("case_1", requires=first)
    free = await bench.follow("case_1")
    assert await bench.settle(await bench.claim_one(), "relayed", word_wait_ms=1000)
    assert await bench.deliver_all() == [free]
    assert [row["id"] for row in await bench.store.rows("overdue_words", clock())] == []
    clock.pass_ms(1000)
    assert [row["id"] for row in await bench.store.rows("overdue_words", clock())] == [first]
    assert await bench.move("case_1", DeliveryMove(first, "a", "relayed", "delivered")) == Committed(6)
    assert await bench.store.rows("overdue_words", clock()) == []
    assert await bench.deliver_all() == [needs]


async def test_doubt_holds_the_lane(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    first = (await bench.committed(bench.case("case_1"))).deliveries[0].id
    second = await bench.follow("case_1")
    assert await bench.settle(await bench.claim_one(), "in_doubt", doubt_at=START_MS)
    clock.pass_ms(10 * LEASE_MS)
    assert await bench.claim() == []
    assert await bench.move("case_1", DeliveryMove(first, "a", "in_doubt", "delivered")) == Committed(4)
    assert await bench.deliver_all() == [second]
    assert (await bench.delivery(first))["doubt_at"] is None


async def test_an_alert_overtakes_its_lane_but_not_what_it_requires(bench: Bench) -> None:
    await bench.endpoints()
    case = (await bench.committed(bench.case("case_1"))).deliveries[0].id
    progress = await bench.follow("case_1")
    alert = await bench.follow("case_1", kind="case.alerted", requires=case, overtakes=True, retry_class="statutory")
    second = await bench.follow("case_1", kind="case.alerted", requires=case, overtakes=True, retry_class="statutory")
    assert await bench.deliver_all() == [case, alert, second, progress]


async def test_an_alert_overtakes_a_retry_but_not_a_flight(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    case = (await bench.committed(bench.case("case_1"))).deliveries[0].id
    await bench.settle(await bench.claim_one())
    progress = await bench.follow("case_1")
    flying = await bench.claim_one()
    alert = await bench.follow("case_1", kind="case.alerted", requires=case, overtakes=True)
    assert await bench.claim() == []
    assert await bench.settle(flying, "pending", wait_ms=60_000, step=1)
    assert (await bench.claim_one()).delivery == alert
    assert await bench.state(progress) == "pending"


async def test_a_requirement_may_lie_in_another_lane(bench: Bench) -> None:
    await bench.endpoints()
    answer = (await bench.committed(bench.case("ref_1"))).deliveries[0].id
    case = bench.case("case_1", ())
    message = case.messages[0]
    case.deliveries.append(bench.send(message, requires=answer))
    await bench.committed(case)
    claim = await bench.claim_one()
    assert claim.delivery == answer
    await bench.settle(claim)
    assert await bench.deliver_all() == [case.deliveries[0].id]


# --------------------------------------------------------------------------------------------------------------- tokens


async def test_a_stale_outcome_changes_nothing_and_is_told(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    late = await bench.claim_one()
    clock.pass_ms(LEASE_MS)
    now = await bench.claim_one()
    assert (now.delivery, now.tries, now.lost) == (late.delivery, 2, 1)
    before = await bench.table("SELECT * FROM deliveries")
    more = {
        "references": [NewReference("a", "platform_no", "1", "case_1", "1")],
        "tasks": [NewTask("tsk_1", "dead", "x")],
    }
    assert not await bench.settle(late, "rejected", effect=failing(), **more)
    assert await bench.table("SELECT * FROM deliveries") == before
    assert await bench.table("SELECT * FROM attempts") == []
    assert await bench.table("SELECT * FROM external_references") == []
    assert await bench.tasks() == []
    assert await bench.table("SELECT sum(failures) FROM endpoints") == [(0,)]
    assert await bench.settle(now)
    assert not await bench.settle(now, "rejected")
    assert await bench.state(now.delivery) == "delivered"


async def test_an_outcome_within_its_lease_is_never_refused(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    claim = await bench.claim_one()
    clock.pass_ms(LEASE_MS - 1)
    assert await bench.claim() == []
    assert await bench.settle(claim)


async def test_an_outcome_after_its_lease_counts_while_nobody_took_over(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    claim = await bench.claim_one()
    clock.pass_ms(5 * LEASE_MS)
    assert await bench.settle(claim)


async def test_stale_and_sound_outcomes_in_one_group(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    for number in range(3):
        await bench.committed(bench.case(f"case_{number}"))
    late = await bench.claim()
    clock.pass_ms(LEASE_MS)
    fresh = await bench.claim()
    told = await asyncio.gather(*(bench.settle(claim) for claim in [*late, *fresh]))
    assert told == [False] * 3 + [True] * 3
    assert len(await bench.table("SELECT * FROM attempts")) == 3


async def test_dead_claims_are_counted_until_an_attempt_ends(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    for died in range(3):
        claim = await bench.claim_one()
        assert (claim.lost, claim.tries) == (died, died + 1)
        clock.pass_ms(LEASE_MS)
    claim = await bench.claim_one()
    assert await bench.settle(claim, "pending", attempt=None, wait_ms=0)
    row = await bench.delivery(claim.delivery)
    assert (row["attempts"], row["crashes"]) == (4, 3)
    claim = await bench.claim_one()
    assert (claim.lost, claim.crashes) == (0, 3)
    assert await bench.settle(claim, "pending", code="timeout", step=1)
    assert (await bench.delivery(claim.delivery))["crashes"] == 0
    numbers = [row["number"] for row in await bench.store.rows("attempts_of", claim.delivery)]
    assert numbers == [5]


async def test_what_is_given_back_is_as_it_was(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    for _ in range(6):
        claim = await bench.claim_one()
        assert (claim.tries, claim.lost) == (1, 0)
        await bench.store.run(give_back, [claim])
    await bench.claim_one()
    clock.pass_ms(LEASE_MS + 1)
    for _ in range(3):  # one claim died in earnest: that is not forgotten, and not counted again
        claim = await bench.claim_one()
        assert (claim.tries, claim.lost, claim.alone) == (2, 1, False)
        await bench.store.run(give_back, [claim])
    late = await bench.claim_one()
    clock.pass_ms(LEASE_MS + 1)
    claim = await bench.claim_one()
    assert (claim.tries, claim.lost, claim.alone) == (3, 2, True)
    await bench.store.run(give_back, [late])  # taken over meanwhile: it is another's
    assert await bench.claim() == []
    assert await bench.settle(claim)


async def test_a_start_ends_the_leases_of_the_dead_process(database: Path, clock: VirtualClock) -> None:
    bench = Bench(await opened(database, clock), clock)
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    dead = await bench.claim_one()
    await bench.store.close()
    again = Bench(await opened(database, clock), clock)
    claim = await again.claim_one()
    assert (claim.delivery, claim.lost) == (dead.delivery, 1)
    assert not await again.settle(dead)
    await again.store.close()


async def test_a_wire_is_frozen_under_its_token_alone(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    late = await bench.claim_one()
    clock.pass_ms(LEASE_MS)
    now = await bench.claim_one()
    assert not await bench.store.freeze(FrozenWire(late, "TJ1001", "1", b"late"))
    assert await bench.store.freeze(FrozenWire(now, "TJ1001", "1", b"now"))
    await bench.settle(now, "pending", wait_ms=0)
    again = await bench.claim_one()
    assert bytes(again.wire_sealed or b"") == b"now"
    row = await bench.delivery(again.delivery)
    assert (row["operation"], row["mapping"]) == ("TJ1001", "1")


# --------------------------------------------------------------------------------------------------------------- shares


@pytest.mark.parametrize(
    ("free", "batch", "split"),
    [
        ({}, 10, {}),
        ({"a": 0, "b": -3}, 10, {}),
        ({"a": 8}, 50, {"a": 8}),
        ({"a": 8, "b": 8}, 10, {"a": 5, "b": 5}),
        ({"a": 1, "b": 8}, 10, {"a": 1, "b": 8}),
        ({"a": 1, "b": 64, "c": 64}, 11, {"a": 1, "b": 5, "c": 5}),
    ],
)
def test_shares_are_equal_and_what_one_leaves_is_used(free: dict[str, int], batch: int, split: dict[str, int]) -> None:
    for turn in range(4):
        assert dict(shares(free, batch, turn)) == split


def test_more_endpoints_than_places_take_turns() -> None:
    free = {f"e{number:02}": 4 for number in range(10)}
    seen = [tuple(name for name, _ in shares(free, 3, turn)) for turn in range(10)]
    assert all(len(set(names)) == 3 for names in seen)
    assert {name for names in seen for name in names} == set(free)


async def test_a_busy_endpoint_leaves_the_others_their_share(bench: Bench) -> None:
    await bench.endpoints(slots=64)
    for number in range(30):
        await bench.committed(bench.case(f"case_{number:02}", ("a",)))
    for number in range(30, 34):
        await bench.committed(bench.case(f"case_{number}", ("b",)))
    claims = await bench.claim(8)
    assert sorted(claim.endpoint for claim in claims) == ["a"] * 4 + ["b"] * 4


async def test_no_more_than_its_slots_at_once(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints("a", slots=2)
    for number in range(5):
        await bench.committed(bench.case(f"case_{number}"))
    claims = await bench.claim(50)
    assert len(claims) == 2
    assert await bench.claim(50) == []
    await bench.settle(claims[0])
    assert len(await bench.claim(50)) == 1
    clock.pass_ms(LEASE_MS)
    assert len(await bench.claim(50)) == 2


async def test_a_stranger_to_this_process_is_left_alone(bench: Bench) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1", ("a", "b")))
    assert [claim.endpoint for claim in await bench.claim(names=["b"])] == ["b"]
    assert await bench.claim(names=[]) == []


async def test_statutory_goes_first_by_its_safe_time(bench: Bench) -> None:
    await bench.endpoints("a", slots=1)
    order = []
    for number, safe in enumerate([None, START_MS + 9000, START_MS + 3000]):
        unit = bench.case(f"case_{number}", ())
        unit.deliveries.append(
            bench.send(unit.messages[0], retry_class="statutory" if safe else "standard", safe_at=safe)
        )
        await bench.committed(unit)
        order.append(unit.deliveries[0].id)
    assert await bench.deliver_all() == [order[2], order[1], order[0]]


async def test_a_waiting_statutory_one_hurries_its_whole_lane(bench: Bench) -> None:
    """The head of a lane is as urgent as the most urgent that waits behind it."""
    await bench.endpoints("a", slots=1)
    plain = (await bench.committed(bench.case("case_0"))).deliveries[0].id
    head = (await bench.committed(bench.case("case_1"))).deliveries[0].id
    behind = await bench.follow("case_1", retry_class="statutory", safe_at=START_MS + 1000)
    assert await bench.deliver_all() == [head, behind, plain]


# ------------------------------------------------------------------------------------------------------------ endpoints


async def test_a_paused_endpoint_waits_and_nothing_is_lost(bench: Bench) -> None:
    await bench.endpoints()
    unit = await bench.committed(bench.case("case_1", ("a", "b")))
    assert await bench.store.write("pause_endpoint", ("a", "op", "maintenance"))
    assert not await bench.store.write("pause_endpoint", ("a", "op", "again"))
    assert [claim.endpoint for claim in await bench.claim()] == ["b"]
    assert await bench.store.write("resume_endpoint", ("a",))
    assert [claim.delivery for claim in await bench.claim()] == [unit.deliveries[0].id]


async def test_a_quiet_endpoint_is_left_alone_as_long_as_it_asked(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    for number in range(2):
        await bench.committed(bench.case(f"case_{number}"))
    first, second = await bench.claim()
    await bench.settle(first, "pending", wait_ms=0, step=1, effect=EndpointEffect(hush_ms=30_000, failed=True))
    await bench.settle(second, "pending", wait_ms=0, step=1, effect=EndpointEffect(hush_ms=10_000, failed=True))
    clock.pass_ms(29_999)
    assert await bench.claim() == []
    due = await bench.store.row("next_due")
    assert due is not None
    assert due["due_at"] == START_MS + 30_000
    clock.pass_ms(1)
    assert len(await bench.claim()) == 2


async def test_the_breaker_opens_after_failures_in_a_row_and_probes_one_by_one(
    bench: Bench, clock: VirtualClock
) -> None:
    await bench.endpoints()
    for number in range(8):
        await bench.committed(bench.case(f"case_{number}"))
    claims = await bench.claim()
    for claim in claims[: BREAKER_AFTER - 1]:
        await bench.settle(claim, "pending", wait_ms=0, step=1, effect=failing())
    await bench.settle(claims[BREAKER_AFTER - 1], "pending", wait_ms=0, step=1, effect=EndpointEffect(failed=False))
    row = await endpoint(bench)
    assert (row["failures"], row["breaker"]) == (0, "closed")
    for claim in claims[BREAKER_AFTER:]:
        await bench.settle(claim, "pending", wait_ms=0, step=1, effect=failing())
    waits = []
    for probe in await bench.claim(2):
        await bench.settle(probe, "pending", wait_ms=0, step=1, effect=failing())
    for _ in range(10):
        row = await endpoint(bench)
        assert row["breaker"] == "open"
        assert await bench.claim() == []
        waits.append(row["quiet_until"] - clock())
        clock.pass_ms(waits[-1])
        probe = await bench.claim_one()
        await bench.settle(probe, "pending", wait_ms=0, step=1, effect=failing())
    assert waits == [10_000, 20_000, 40_000, 80_000, 160_000] + [BREAKER_CAP_MS] * 5
    clock.pass_ms(BREAKER_CAP_MS)
    await bench.settle(await bench.claim_one(), effect=EndpointEffect(failed=False))
    row = await endpoint(bench)
    assert (row["failures"], row["breaker"]) == (0, "closed")
    assert len(await bench.claim()) == 7


async def test_an_operator_problem_pauses_the_endpoint_with_the_settlement(bench: Bench) -> None:
    await bench.endpoints()
    for number in range(2):
        await bench.committed(bench.case(f"case_{number}"))
    first, second = await bench.claim()
    await bench.settle(first, "pending", code="3004", effect=EndpointEffect(pause_reason="3004"))
    row = await endpoint(bench)
    assert (row["paused"], row["paused_by"], row["reason"]) == (1, "gateway", "3004")
    assert await bench.settle(second)
    assert await bench.claim() == []
    assert (await bench.delivery(first.delivery))["step"] == 0


async def endpoint(bench: Bench, name: str = "a") -> Row:
    return next(row for row in await bench.store.rows("all_endpoints") if row["name"] == name)


async def due_at(store: Store) -> int | None:
    row = await store.row("next_due")
    assert row is not None
    found: int | None = row["due_at"]
    return found


async def test_the_next_due_time_is_the_earliest_of_the_open_endpoints(
    store: Store, bench: Bench, clock: VirtualClock
) -> None:
    await bench.endpoints()
    assert await due_at(store) is None
    await bench.committed(bench.case("case_1", ("a", "b")))
    claims = {claim.endpoint: claim for claim in await bench.claim()}
    await bench.settle(claims["a"], "pending", wait_ms=7000, step=1)
    await bench.settle(claims["b"], "pending", wait_ms=9000, step=1)
    assert await due_at(store) == START_MS + 7000
    await store.write("pause_endpoint", ("a", "op", "x"))
    assert await due_at(store) == START_MS + 9000


async def test_attempts_and_numbers_are_kept(bench: Bench) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    claim = await bench.claim_one()
    reference = NewReference("a", "platform_no", "9007199254740993", "case_1", "9007199254740993")
    await bench.settle(claim, reference="9007199254740993", references=[reference, reference])
    row = await bench.delivery(claim.delivery)
    assert (row["state"], row["reference"], row["attempts"], row["finished_at"]) == (
        "delivered",
        "9007199254740993",
        1,
        START_MS,
    )
    file = await bench.store.load("case_1")
    assert file is not None
    assert [(found.kind, found.value) for found in file.references] == [("platform_no", "9007199254740993")]
    attempt = (await bench.store.rows("attempts_of", claim.delivery))[0]
    assert (attempt["number"], attempt["trigger"], attempt["outcome"], attempt["duration_ms"]) == (
        1,
        "schedule",
        "delivered",
        5,
    )
