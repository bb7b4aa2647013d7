"""A unit that stands on another subject's file: nothing slips between what was read there and the commit."""

from __future__ import annotations

import asyncio

import pytest

from gateway.store.journal import AuditEntry
from gateway.store.unit import AlreadyApplied, Committed, DeliveryMove, Moved
from tests.store.bench import Bench


async def test_a_decision_on_an_old_file_beside_is_moved(bench: Bench) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("ref_1"))
    stale = bench.case("case_1", beside=[("ref_1", 0)])
    assert await bench.commit(stale) == Moved()
    assert await bench.commit(bench.case("case_1", beside=[("ref_none", 0)])) == Moved()
    assert await bench.store.load("case_1") is None
    await bench.committed(bench.case("case_1", beside=[("ref_1", 1)]))
    assert await bench.sequence("ref_1") == 1, "what is read is not moved"


async def test_what_moves_first_in_the_group_is_seen(bench: Bench) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("ref_1"))
    recalled = bench.unit("ref_1", 1, events=[bench.event("referral.recalled", "ref_1")])
    leaning = bench.case("case_1", beside=[("ref_1", 1)])
    outcomes = await asyncio.gather(bench.commit(recalled), bench.commit(leaning))
    assert list(outcomes) == [Committed(2), Moved()]


async def test_one_that_reads_does_not_stop_one_that_moves(bench: Bench) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("ref_1"))
    leaning = bench.case("case_1", beside=[("ref_1", 1)])
    answered = bench.unit("ref_1", 1, events=[bench.event("referral.accepted", "ref_1")])
    outcomes = await asyncio.gather(bench.commit(leaning), bench.commit(answered))
    assert list(outcomes) == [Committed(1), Committed(2)]


@pytest.mark.parametrize("group", range(4))
async def test_what_waits_for_another_subject_is_never_forgotten(bench: Bench, group: int) -> None:
    """A case that requires its referral's answer, posted while that answer is being settled: whoever comes first, the case's
    delivery has a turn in the end."""
    await bench.endpoints()
    await bench.committed(bench.case("ref_1"))
    (claim,) = await bench.claim()

    async def post() -> None:
        while True:
            file = await bench.store.load("ref_1")
            assert file is not None
            unit = bench.case("case_1", beside=[("ref_1", file.sequence)])
            unit.deliveries = [bench.send(unit.messages[0], requires=claim.delivery)]
            if isinstance(await bench.commit(unit), Committed):
                return

    works = [bench.settle(claim, "delivered"), post()]
    await asyncio.gather(*(works if group % 2 else reversed(works)))
    (next_claim,) = await bench.claim()
    assert next_claim.subject == "case_1"


async def test_an_act_and_its_audit_row_are_one(bench: Bench) -> None:
    await bench.endpoints()
    unit = await bench.committed(bench.case("case_1"))
    entry = AuditEntry("op", "delivery.cancel", unit.deliveries[0].id, "doubled by hand")
    move = DeliveryMove(unit.deliveries[0].id, "a", "pending", "cancelled")
    act = bench.unit("case_1", 0, delivery_moves=[move], events=[bench.event()], audited=(entry, 17))
    assert await bench.commit(act) == Moved()
    assert await bench.store.rows("audit_after", 0, 10) == []
    act.expected = 1
    assert await bench.commit(act) == Committed(2)
    (row,) = await bench.store.rows("audit_after", 0, 10)
    assert (row["actor"], row["act"], row["target"], row["at"]) == ("op", "delivery.cancel", entry.target, 17)


async def test_a_word_and_its_pause_are_one(bench: Bench) -> None:
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    word = bench.unit("case_1", 0, applied=[("a", "EV-1")], pauses=[("a", "platform", "E17")])
    assert await bench.commit(word) == Moved()
    assert await bench.table("SELECT name FROM endpoints WHERE paused") == []
    word.expected = 1
    assert await bench.commit(word) == Committed(1)
    assert await bench.table("SELECT name, paused_by, reason FROM endpoints WHERE paused") == [("a", "platform", "E17")]
    assert await bench.table("SELECT type FROM events WHERE subject = 'endpoint:a'") == [("endpoint.paused",)]
    assert await bench.commit(word) == AlreadyApplied()
