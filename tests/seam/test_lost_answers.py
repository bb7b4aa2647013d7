"""Answers that are lost on the way end as the platform's delivery class says."""

from __future__ import annotations

import asyncio

import pytest

from contracts.messages import MessageType
from tests.seam.scene import ASKED, BYTES, IDS, LAG_S, OPERATOR, SILENCE_S, Scene, until

LOST = ("reset_before", "reset_after", "stall", "silent_after", "html")
BOOKED = frozenset({"reset_after", "silent_after", "html"})


@pytest.mark.parametrize("fault", LOST)
async def test_idempotent_is_sent_again_under_the_same_id(scene: Scene, fault: str) -> None:
    await scene.stand(IDS, deadline_s=SILENCE_S)
    await scene.open()
    scene.ids.fail(fault)
    case = await scene.case()
    row = await scene.reaches("delivered", case, IDS)
    assert scene.ids.ids() == [row.id]
    assert scene.ids.count() == 2
    assert len({seen.body for seen in scene.ids.seen}) == 1, "a repeat carries the same bytes"
    outcomes = [attempt["outcome"] for attempt in await scene.attempts(row.id)]
    assert outcomes == ["pending", "delivered"]
    assert row.reference == scene.ids.booked[0].number
    assert await scene.tasks() == []


@pytest.mark.parametrize("fault", LOST)
async def test_queryable_is_asked_first_and_not_before_its_lag(scene: Scene, fault: str) -> None:
    await scene.stand(ASKED, deadline_s=SILENCE_S)
    await scene.open()
    scene.asked.fail(fault)
    case = await scene.case()
    row = await scene.reaches("delivered", case, ASKED)
    assert scene.asked.ids() == [row.id], "one effect"
    assert row.reference == scene.asked.booked[0].number
    told = [seen for seen in scene.asked.seen if seen.operation in ("file", "find")]
    expected = ["file", "find"] if fault in BOOKED else ["file", "find", "file"]
    assert [seen.operation for seen in told] == expected
    assert told[1].at - told[0].at >= LAG_S, "asked before the answer could be trusted"
    triggers = [attempt["trigger"] for attempt in await scene.attempts(row.id)]
    assert triggers == ["schedule", "lookup"]


async def test_queryable_is_not_filed_again_while_the_question_fails(scene: Scene) -> None:
    await scene.stand(ASKED, deadline_s=SILENCE_S, lookup_lag_s=0.05)
    await scene.open()
    scene.asked.lag_s = 0.05
    scene.asked.fail("reset_after")
    for fault in ("reset_after", "html", "stall"):
        scene.asked.fail(fault, operation="find")
    scene.asked.fail("http", operation="find", status=503)
    row = await scene.reaches("delivered", await scene.case(), ASKED)
    assert scene.asked.count("file") == 1
    assert scene.asked.count("find") == 5
    assert scene.asked.ids() == [row.id]


async def test_a_question_that_the_operator_must_heal_keeps_the_doubt(scene: Scene) -> None:
    await scene.stand(ASKED)
    await scene.open()
    scene.asked.fail("reset_after")
    scene.asked.fail("deny", operation="find")
    case = await scene.case()

    async def paused() -> bool:
        return bool((await scene.endpoint(ASKED))["paused"])

    await until(paused, "the endpoint is paused")
    await scene.operator.resume(OPERATOR, ASKED, "key renewed")
    row = await scene.reaches("delivered", case, ASKED)
    assert scene.asked.ids() == [row.id]
    assert scene.asked.count("file") == 1


@pytest.mark.parametrize("fault", LOST)
async def test_neither_goes_to_a_person_and_is_left_alone(scene: Scene, fault: str) -> None:
    await scene.stand(BYTES, deadline_s=SILENCE_S)
    await scene.open()
    scene.batches.fail(fault)
    case = await scene.case()
    row = await scene.reaches("in_doubt", case, BYTES)
    await scene.progress(case)
    await asyncio.sleep(0.15)
    assert scene.batches.count() == 1, "nothing is sent into the doubt"
    (task,) = await scene.tasks("in_doubt")
    assert task["about"] == row.id
    assert (await scene.delivery(case, BYTES)).state == "in_doubt"


async def test_the_later_word_settles_the_doubt_and_closes_its_task(scene: Scene) -> None:
    await scene.stand(BYTES)
    await scene.open()
    scene.batches.fail("reset_after")
    case = await scene.case()
    row = await scene.reaches("in_doubt", case, BYTES)
    await scene.progress(case)
    assert await scene.batches.say("OK", id=row.id) == 200
    await scene.reaches("delivered", case, BYTES)
    assert await scene.tasks("in_doubt") == []
    (closed,) = await scene.tasks("in_doubt", "resolved")
    assert closed["resolution"] == "delivered"
    await scene.reaches("relayed", case, BYTES, MessageType.CASE_PROGRESSED)
    assert scene.batches.ids()[0] == row.id
    assert len(scene.batches.ids()) == 2


async def test_a_word_of_refusal_settles_the_doubt_too(scene: Scene) -> None:
    await scene.stand(BYTES)
    await scene.open()
    scene.batches.fail("reset_after")
    case = await scene.case()
    row = await scene.reaches("in_doubt", case, BYTES)
    await scene.batches.say("NO", id=row.id, reason="E17")
    refused = await scene.reaches("rejected", case, BYTES)
    assert refused.code == "E17"
    assert await scene.tasks("in_doubt") == []
    assert [task["about"] for task in await scene.tasks("rejected")] == [row.id]


async def test_a_word_that_it_is_postponed_ends_the_doubt_and_sends_again(scene: Scene) -> None:
    await scene.stand(BYTES)
    await scene.open()
    scene.batches.fail("reset_after")
    case = await scene.case()
    row = await scene.reaches("in_doubt", case, BYTES)
    await scene.batches.say("WAIT", id=row.id, wait=100)
    await scene.reaches("relayed", case, BYTES)
    assert scene.batches.ids() == [row.id, row.id], "the platform itself asked for it again"
    assert await scene.tasks("in_doubt") == []


async def test_a_word_that_it_came_in_ends_the_doubt(scene: Scene) -> None:
    await scene.stand(BYTES)
    await scene.open()
    scene.batches.fail("reset_after")
    case = await scene.case()
    row = await scene.reaches("in_doubt", case, BYTES)
    await scene.batches.say("IN", id=row.id)
    await scene.reaches("relayed", case, BYTES)
    assert await scene.tasks("in_doubt") == []


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_person_settles_the_doubt(scene: Scene, arrived: bool) -> None:
    await scene.stand(BYTES)
    await scene.open()
    scene.batches.fail("reset_after" if arrived else "reset_before")
    case = await scene.case()
    row = await scene.reaches("in_doubt", case, BYTES)
    standing = await scene.operator.resolve(OPERATOR, row.id, arrived, "asked by telephone")
    assert standing.refused is None
    await scene.reaches("delivered" if arrived else "relayed", case, BYTES)
    assert scene.batches.ids() == [row.id]
    assert await scene.tasks("in_doubt") == []


async def test_a_redriven_delivery_in_doubt_is_asked_for_first(scene: Scene) -> None:
    await scene.stand(ASKED)
    await scene.open(retry=scene.retry(standard=(0.05,)))
    scene.asked.fail("reset_after")
    scene.asked.fail("http", times=2, operation="find", status=503)
    case = await scene.case()
    row = await scene.reaches("dead", case, ASKED)
    await scene.operator.redrive(OPERATOR, row.id, "platform is well again")
    await scene.reaches("delivered", case, ASKED)
    assert scene.asked.ids() == [row.id]
    assert scene.asked.count("file") == 1


async def test_a_refused_connection_is_no_doubt(scene: Scene) -> None:
    await scene.stand(BYTES, ASKED)
    await scene.open()
    await scene.batches.stop()
    await scene.asked.stop()
    case = await scene.case()

    async def tried() -> bool:
        rows = [await scene.delivery(case, BYTES), await scene.delivery(case, ASKED)]
        return all(row.attempts >= 2 and row.code == "unreachable" for row in rows)

    await until(tried, "two attempts at each")
    assert await scene.tasks() == []
    await scene.batches.start()
    await scene.asked.start()
    await scene.reaches("relayed", case, BYTES)
    await scene.reaches("delivered", case, ASKED)
    assert scene.asked.count("find") == 0, "nothing was in doubt, nothing is asked"
