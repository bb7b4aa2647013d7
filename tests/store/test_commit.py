"""The commit: keys, twins, conflicts that give everything back, the guard of the sequence, moves of deliveries."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from gateway.store.unit import (
    AlreadyApplied,
    Committed,
    DeliveryMove,
    InFlight,
    Key,
    KeyConflict,
    MatterConflict,
    MatterMove,
    Moved,
    NewClock,
    NewPaper,
    NewReference,
    NewTask,
    Replayed,
)
from tests.store.bench import LEASE_MS, START_MS, Bench, VirtualClock

TABLES = (
    "subjects",
    "matters",
    "messages",
    "deliveries",
    "lanes",
    "events",
    "idempotency_keys",
    "applied",
    "tasks",
    "clocks",
    "papers",
    "people",
    "external_references",
    "holders",
)


def key(name: str = "k-1", digest: bytes = b"one", about: str = "case_1", client: str = "up") -> Key:
    return Key(client, name, digest, about, b'{"id":"' + about.encode() + b'"}')


async def counts(bench: Bench) -> dict[str, int]:
    return {name: (await bench.table(f"SELECT count(*) FROM {name}"))[0][0] for name in TABLES}  # noqa: S608 -- our own names


async def test_everything_of_a_unit_is_written_together(bench: Bench) -> None:
    await bench.endpoints()
    unit = bench.case(
        "case_1",
        ("a", "b"),
        keys=[key()],
        holders=["a", "b"],
        references=[NewReference("a", "platform_no", "37", "case_1", "37")],
        tasks=[NewTask("tsk_1", "possible_duplicate", "case_1")],
        clocks=[NewClock("clk_1", "case_1", "D03", "2026-09-16", "2026-10-01", START_MS, "running", False, "2026.1")],
        papers=[NewPaper("ppr_1", "a", "case_1", "F1", b"sealed")],
        people=[("blind", "applicant")],
        applied=[("a", "event-1")],
    )
    assert await bench.commit(unit) == Committed(1)
    assert await counts(bench) == dict.fromkeys(TABLES, 1) | {"deliveries": 2, "lanes": 2, "holders": 2}
    file = await bench.store.load("case_1")
    assert file is not None
    assert file.sequence == 1
    assert file.holders == ("a", "b")
    assert [delivery.state for delivery in file.deliveries] == ["pending", "pending"]
    assert {delivery.sequence for delivery in file.deliveries} == {1}


# ---------------------------------------------------------------------------------------------------------------- keys


async def test_the_same_key_and_content_replays_the_first_answer(bench: Bench) -> None:
    await bench.committed(bench.case("case_1", keys=[key()]))
    again = bench.case("case_2", keys=[key(about="case_2")])
    assert await bench.commit(again) == Replayed(b'{"id":"case_1"}', "case_1")
    assert (await counts(bench))["subjects"] == 1


async def test_the_same_key_with_other_content_conflicts(bench: Bench) -> None:
    await bench.committed(bench.case("case_1", keys=[key()]))
    other = bench.case("case_2", keys=[key(digest=b"two", about="case_2")])
    assert await bench.commit(other) == KeyConflict("case_1", business=False)
    business = bench.case("case_3", keys=[key("progress|x", about="case_3", client="")])
    await bench.committed(business)
    assert await bench.commit(bench.case("case_4", keys=[key("progress|x", b"two", "case_4", "")])) == KeyConflict(
        "case_3", business=True
    )


async def test_keys_of_different_clients_are_different_keys(bench: Bench) -> None:
    await bench.committed(bench.case("case_1", keys=[key()]))
    await bench.committed(bench.case("case_2", keys=[key(about="case_2", client="another")]))


async def test_twins_in_one_group_store_one_unit(bench: Bench) -> None:
    await bench.endpoints()
    twins = [bench.case(f"case_{number}", keys=[key(about=f"case_{number}")]) for number in range(8)]
    outcomes = await asyncio.gather(*map(bench.commit, twins))
    assert outcomes == [Committed(1)] + [Replayed(b'{"id":"case_0"}', "case_0")] * 7
    assert await counts(bench) == {
        name: 1
        if name in ("subjects", "matters", "messages", "deliveries", "lanes", "events", "idempotency_keys")
        else 0
        for name in TABLES
    }


async def test_a_twin_whose_first_one_loses_its_matter_is_no_replay(bench: Bench) -> None:
    """The first of the twins wins the key and then loses the business key: nothing of it is there to be repeated."""
    await bench.committed(bench.case("case_0", matters=[bench.matter("case_0", key="LX-1")]))
    twins = [
        bench.case(name, keys=[key(about=name)], matters=[bench.matter(name, key="LX-1")])
        for name in ("case_1", "case_2")
    ]
    outcomes = await asyncio.gather(*map(bench.commit, twins))
    assert outcomes[0] == MatterConflict("case", "case_0")
    assert outcomes[1] in (Moved(), MatterConflict("case", "case_0"))
    assert (await counts(bench))["idempotency_keys"] == 0
    assert await bench.commit(twins[1]) == MatterConflict("case", "case_0")


async def test_a_key_won_by_a_loser_is_not_left_to_another(bench: Bench) -> None:
    """``second`` loses its first key; its second key must not stand under its name for ``third``, which wants it too."""
    first = bench.case("case_1", keys=[key("k")])
    second = bench.case("case_2", keys=[key("k", b"two", "case_2"), key("b", b"two", "case_2", "")])
    third = bench.case("case_3", keys=[key("b", b"three", "case_3", "")])
    outcomes = await asyncio.gather(*map(bench.commit, (first, second, third)))
    assert outcomes[:2] == [Committed(1), KeyConflict("case_1", business=False)]
    if outcomes[2] == Moved():
        outcomes[2] = await bench.commit(third)
    assert outcomes[2] == Committed(1)
    kept = await bench.store.row("read_key", "", "b")
    assert kept is not None
    assert (kept["about"], bytes(kept["digest"])) == ("case_3", b"three")


async def test_one_of_two_keys_conflicts_and_the_other_is_given_back(bench: Bench) -> None:
    await bench.committed(bench.case("case_1", keys=[key("k")]))
    both = bench.case("case_2", keys=[key("new", b"two", "case_2"), key("k", b"two", "case_2")])
    assert await bench.commit(both) == KeyConflict("case_1", business=False)
    assert await bench.store.row("read_key", "up", "new") is None


# -------------------------------------------------------------------------------------------------------------- matters


async def test_a_matter_conflict_gives_everything_back(bench: Bench) -> None:
    await bench.committed(bench.case("case_1", matters=[bench.matter("case_1", key="LX-1")]))
    before = await counts(bench)
    second = bench.case(
        "case_2",
        keys=[key(about="case_2")],
        matters=[bench.matter("case_2", key="LX-2"), bench.matter("agr_2", "case", "LX-1")],
        applied=[("a", "event-1")],
    )
    assert await bench.commit(second) == MatterConflict("case", "case_1")
    assert await counts(bench) == before


async def test_two_in_one_group_open_one_matter(bench: Bench) -> None:
    units = [bench.case(f"case_{number}", matters=[bench.matter(f"case_{number}", key="LX-1")]) for number in range(4)]
    outcomes = await asyncio.gather(*map(bench.commit, units))
    assert outcomes == [Committed(1)] + [MatterConflict("case", "case_0")] * 3


async def test_an_inactive_matter_frees_its_business_key(bench: Bench) -> None:
    await bench.committed(
        bench.case("case_1", matters=[bench.matter("case_1"), bench.matter("cnf_1", "confirmation", "agr")])
    )
    second = bench.unit("case_1", 1, matters=[bench.matter("cnf_2", "confirmation", "agr")], events=[bench.event()])
    assert await bench.commit(second) == MatterConflict("confirmation", "cnf_1")
    freed = bench.unit(
        "case_1", 1, matter_moves=[MatterMove("cnf_1", "rejected", 1, "msg_1", active=False)], events=[bench.event()]
    )
    await bench.committed(freed)
    assert await bench.commit(replace(second, expected=2)) == Committed(3)


# ------------------------------------------------------------------------------------------------------------- sequence


async def test_a_decision_on_an_old_sequence_is_moved(bench: Bench) -> None:
    await bench.committed(bench.case("case_1"))
    stale = bench.unit("case_1", 0, events=[bench.event()])
    assert await bench.commit(stale) == Moved()
    assert await bench.commit(bench.unit("case_none", 0, events=[bench.event()])) == Moved()
    assert await bench.commit(bench.unit("case_1", 1, events=[bench.event(), bench.event()])) == Committed(3)


async def test_of_two_on_one_subject_in_a_group_one_wins(bench: Bench) -> None:
    await bench.committed(bench.case("case_1"))
    units = [bench.unit("case_1", 1, keys=[key(f"k{number}")], events=[bench.event()]) for number in range(3)]
    assert await asyncio.gather(*map(bench.commit, units)) == [Committed(2), Moved(), Moved()]
    assert (await counts(bench))["idempotency_keys"] == 1


async def test_sequences_count_the_events(bench: Bench) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1", ("a", "b")))
    await bench.follow("case_1")
    for claim in await bench.claim():
        await bench.settle(claim)
    rows = await bench.table(
        "SELECT s.sequence, count(*), max(e.sequence) FROM subjects s JOIN events e ON e.subject = s.id GROUP BY s.id"
    )
    assert rows == [(4, 4, 4)]


# -------------------------------------------------------------------------------------------------------------- applied


async def test_a_word_is_applied_once(bench: Bench) -> None:
    await bench.committed(bench.case("case_1"))
    word = bench.unit("case_1", 1, applied=[("a", "event-1")], events=[bench.event()])
    await bench.committed(word)
    assert await bench.commit(replace(word, expected=2, events=[bench.event()])) == AlreadyApplied()
    other = replace(word, expected=2, events=[bench.event()], applied=[("b", "event-1")])
    assert await bench.commit(other) == Committed(3)


async def test_a_word_whose_first_one_fails_is_not_taken_for_applied(bench: Bench) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    await bench.committed(bench.case("case_2"))
    claim = next(claim for claim in await bench.claim() if claim.subject == "case_1")
    moves = [DeliveryMove(claim.delivery, "a", "pending", "delivered")]
    first = bench.unit("case_1", 1, applied=[("a", "event-1")], delivery_moves=moves, events=[bench.event()])
    second = bench.unit("case_2", 1, applied=[("a", "event-1")], events=[bench.event()])
    outcomes = await asyncio.gather(bench.commit(first), bench.commit(second))
    assert outcomes[0] == InFlight()
    assert outcomes[1] in (Moved(), Committed(2))
    if outcomes[1] == Moved():
        assert await bench.commit(second) == Committed(2)


# ------------------------------------------------------------------------------------------------- moves of deliveries


async def test_a_delivery_in_flight_is_not_moved(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1", keys=[key()]))
    claim = await bench.claim_one()
    move = DeliveryMove(claim.delivery, "a", "pending", "cancelled")
    refused = bench.unit(
        "case_1", 1, keys=[key("k-2")], applied=[("a", "event-1")], delivery_moves=[move], events=[bench.event()]
    )
    assert await bench.commit(refused) == InFlight()
    assert await bench.store.row("read_key", "up", "k-2") is None
    assert await bench.table("SELECT * FROM applied") == []
    clock.pass_ms(LEASE_MS)
    assert await bench.commit(refused) == Committed(2)
    assert not await bench.settle(claim)
    assert await bench.state(claim.delivery) == "cancelled"


async def test_a_moved_delivery_in_another_state_than_promised_fails_the_unit(bench: Bench) -> None:
    await bench.endpoints()
    unit = await bench.committed(bench.case("case_1"))
    wrong = DeliveryMove(unit.deliveries[0].id, "a", "rejected", "pending")
    outcomes = await asyncio.gather(
        bench.move("case_1", wrong), bench.commit(bench.case("case_2")), return_exceptions=True
    )
    assert isinstance(outcomes[0], LookupError)
    assert outcomes[1] == Committed(1)


async def test_a_neighbour_in_flight_keeps_its_lease(bench: Bench) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    second = await bench.follow("case_1")
    claim = await bench.claim_one()
    assert await bench.move("case_1", DeliveryMove(second, "a", "pending", "cancelled")) == Committed(3)
    assert await bench.claim() == []
    assert await bench.settle(claim)
    assert await bench.claim() == []


async def test_a_dead_claims_crash_is_remembered_when_its_neighbour_is_moved(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    second = await bench.follow("case_1")
    dead = await bench.claim_one()
    clock.pass_ms(LEASE_MS)
    assert await bench.move("case_1", DeliveryMove(second, "a", "pending", "cancelled")) == Committed(3)
    row = await bench.delivery(dead.delivery)
    assert (row["attempts"], row["crashes"], row["doubt_at"]) == (1, 1, START_MS + LEASE_MS)
    again = await bench.claim_one()
    assert (again.delivery, again.crashes, again.lost, again.tries) == (dead.delivery, 1, 0, 2)
    assert not await bench.settle(dead)


async def test_a_redrive_starts_the_schedule_anew_and_keeps_the_doubt(bench: Bench) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    claim = await bench.claim_one()
    await bench.settle(claim, "dead", code="timeout", step=5, doubt_at=START_MS)
    assert (await bench.delivery(claim.delivery))["finished_at"] == START_MS
    assert await bench.move("case_1", DeliveryMove(claim.delivery, "a", "dead", "pending", fresh=True)) == Committed(3)
    row = await bench.delivery(claim.delivery)
    assert (row["state"], row["step"], row["crashes"], row["code"], row["finished_at"]) == ("pending", 0, 0, None, None)
    again = await bench.claim_one()
    assert (again.tries, again.doubt_at) == (2, START_MS)
    assert await bench.settle(again)
    numbers = await bench.store.rows("attempts_of", claim.delivery)
    assert [row["number"] for row in numbers] == [1, 2]


async def test_a_word_that_sends_it_again_ends_the_doubt(bench: Bench, clock: VirtualClock) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    claim = await bench.claim_one()
    await bench.settle(claim, "in_doubt", doubt_at=START_MS)
    moved = await bench.move("case_1", DeliveryMove(claim.delivery, "a", "in_doubt", "pending", wait_ms=5000))
    assert moved == Committed(3)
    assert await bench.claim() == []
    clock.pass_ms(5000)
    assert (await bench.claim_one()).doubt_at is None


async def test_what_waited_for_a_superseded_one_waits_for_the_new_one(bench: Bench) -> None:
    await bench.endpoints()
    first = await bench.committed(bench.case("case_1"))
    old = first.deliveries[0].id
    follower = await bench.follow("case_1", kind="agreement.concluded", requires=old, retry_class="statutory")
    revised = bench.message("case.revised", "case_1")
    new = bench.send(revised)
    outcome = await bench.move(
        "case_1",
        DeliveryMove(old, "a", "pending", "superseded"),
        messages=[revised],
        deliveries=[new],
        repointed=[(old, new.id)],
    )
    assert outcome == Committed(3)
    assert (await bench.delivery(follower))["requires"] == new.id
    assert await bench.tasks("blocked") == []
    assert await bench.deliver_all() == [new.id, follower]


async def test_a_blocked_statutory_one_is_before_a_person_at_once(bench: Bench) -> None:
    await bench.endpoints()
    first = await bench.committed(bench.case("case_1"))
    old = first.deliveries[0].id
    ordinary = await bench.follow("case_1", requires=old)
    statutory = await bench.follow("case_1", kind="agreement.concluded", requires=old, retry_class="statutory")
    claim = await bench.claim_one()
    assert await bench.settle(claim, "rejected", code="4001")
    blocked = await bench.tasks("blocked")
    assert [(task["about"], task["subject"], task["organization"]) for task in blocked] == [
        (statutory, "case_1", "SD-JN-LX-001")
    ]
    assert await bench.claim() == []
    assert await bench.state(ordinary) == "pending"
    assert await bench.move("case_1", DeliveryMove(old, "a", "rejected", "pending", fresh=True)) == Committed(5)
    assert await bench.deliver_all() == [old, ordinary, statutory]


async def test_a_blocked_one_in_another_lane_is_before_a_person_too(bench: Bench) -> None:
    """A referral's result waits for the agreement of its case, which lies in another subject."""
    await bench.endpoints()
    case = await bench.committed(bench.case("case_1"))
    agreement = case.deliveries[0].id
    await bench.committed(bench.case("ref_1", ()))
    result = await bench.follow("ref_1", kind="referral.returned", requires=agreement, retry_class="statutory")
    assert await bench.settle(await bench.claim_one(), "rejected", code="4001")
    assert [(task["about"], task["subject"]) for task in await bench.tasks("blocked")] == [(result, "ref_1")]


async def test_a_closed_task_may_open_again_and_an_open_one_is_one(bench: Bench) -> None:
    await bench.committed(bench.case("case_1", tasks=[NewTask("tsk_1", "contradiction", "cnf_1")]))
    await bench.committed(
        bench.unit("case_1", 1, tasks=[NewTask("tsk_2", "contradiction", "cnf_1")], events=[bench.event()])
    )
    assert [task["id"] for task in await bench.tasks()] == ["tsk_1"]
    closed = bench.unit(
        "case_1",
        2,
        closed_tasks=[("contradiction", "cnf_1", "confirmed")],
        tasks=[NewTask("tsk_3", "contradiction", "cnf_1")],
        events=[bench.event()],
    )
    await bench.committed(closed)
    assert [task["id"] for task in await bench.tasks()] == ["tsk_3"]
    old = await bench.store.row("task", "tsk_1")
    assert old is not None
    assert (old["state"], old["resolution"], old["resolved_at"]) == ("resolved", "confirmed", START_MS)


async def test_a_clock_is_one_per_thing_and_rule(bench: Bench) -> None:
    clock = NewClock("clk_1", "agr_1", "D04", "2026-09-25", "2026-10-10", START_MS, "running", False, "2026.1")
    await bench.committed(bench.case("case_1", clocks=[clock]))
    again = replace(clock, id="clk_2", due_on="2026-10-12", provisional=True)
    await bench.committed(bench.unit("case_1", 1, clocks=[again], events=[bench.event()]))
    await bench.committed(bench.unit("case_1", 2, clock_moves=[("agr_1", "D04", "met")], events=[bench.event()]))
    rows = await bench.store.rows("clocks_of", "case_1")
    assert [(row["id"], row["due_on"], row["provisional"], row["state"]) for row in rows] == [
        ("clk_1", "2026-10-12", 1, "met")
    ]
    await bench.committed(bench.unit("case_1", 3, clock_moves=[("agr_1", "D04", "expired")], events=[bench.event()]))
    assert (await bench.store.rows("clocks_of", "case_1"))[0]["state"] == "met"
