"""A process that dies with a delivery in its hands: what the next one does depends on the class, and a poison stops."""

from __future__ import annotations

import asyncio
import time

import pytest

from gateway.flow.delivering.settlement import QUARANTINE_AFTER
from tests.seam.scene import ASKED, BYTES, IDS, LAG_S, OPERATOR, SILENCE_S, Scene, until


class Death:
    """A fault point: whoever reaches it never comes back. ``times`` deliveries die there."""

    def __init__(self, point: str, times: int = 1) -> None:
        self.point = point
        self.left = times
        self.died = asyncio.Event()

    async def __call__(self, point: str) -> None:
        if point == self.point and self.left > 0:
            self.left -= 1
            self.died.set()
            await asyncio.Event().wait()


class Fall:
    """A fault point that kills one delivery's bringing each time, and leaves the process alive."""

    class Fallen(Exception):
        """What kills it."""

    def __init__(self, point: str, times: int) -> None:
        self.point = point
        self.left = times

    async def __call__(self, point: str) -> None:
        if point == self.point and self.left > 0:
            self.left -= 1
            raise self.Fallen


POINTS = {"claimed": False, "translated": False, "answered": True, "before_settle": True}
"""Where it dies, and whether the platform has it by then."""


@pytest.mark.parametrize("point", POINTS)
async def test_idempotent_is_sent_again(scene: Scene, point: str) -> None:
    await scene.stand(IDS)
    death = Death(point)
    await scene.open(fault_point=death)
    case = await scene.case()
    await death.died.wait()
    await scene.reopen()
    row = await scene.reaches("delivered", case, IDS)
    assert scene.ids.ids() == [row.id]
    assert scene.ids.count() == (2 if POINTS[point] else 1)
    assert row.attempts == 2, "the dead claim counts"


@pytest.mark.parametrize("point", POINTS)
async def test_queryable_is_asked_before_it_is_filed(scene: Scene, point: str) -> None:
    await scene.stand(ASKED)
    death = Death(point)
    await scene.open(fault_point=death)
    case = await scene.case()
    await death.died.wait()
    died = time.monotonic()
    await scene.reopen()
    row = await scene.reaches("delivered", case, ASKED)
    assert scene.asked.ids() == [row.id], "one effect"
    assert scene.asked.count("find") == 1
    (asked,) = (seen for seen in scene.asked.seen if seen.operation == "find")
    assert asked.at - died >= LAG_S, "asked before the answer could be trusted"


@pytest.mark.parametrize("point", POINTS)
async def test_neither_goes_to_a_person(scene: Scene, point: str) -> None:
    await scene.stand(BYTES)
    death = Death(point)
    await scene.open(fault_point=death)
    case = await scene.case()
    await death.died.wait()
    await scene.reopen()
    row = await scene.reaches("in_doubt", case, BYTES)
    assert row.code == "claim_died"
    assert [task["about"] for task in await scene.tasks("in_doubt")] == [row.id]
    await asyncio.sleep(0.2)
    assert scene.batches.count() == int(POINTS[point]), "nothing is sent into the doubt"


async def test_doubt_outlives_a_question_that_the_operator_must_heal(scene: Scene) -> None:
    await scene.stand(ASKED)
    death = Death("answered")
    await scene.open(fault_point=death)
    case = await scene.case()
    await death.died.wait()
    scene.asked.fail("deny", operation="find")
    await scene.reopen()

    async def paused() -> bool:
        return bool((await scene.endpoint(ASKED))["paused"])

    await until(paused, "the look-up pauses the endpoint")
    await scene.operator.resume(OPERATOR, ASKED, "key renewed")
    row = await scene.reaches("delivered", case, ASKED)
    assert scene.asked.ids() == [row.id]
    assert scene.asked.count("file") == 1


async def test_a_settled_outcome_survives(scene: Scene) -> None:
    await scene.stand(IDS)
    death = Death("settled")
    await scene.open(fault_point=death)
    case = await scene.case()
    await death.died.wait()
    await scene.reopen()
    row = await scene.delivery(case, IDS)
    assert row.state == "delivered"
    await asyncio.sleep(0.1)
    assert scene.ids.count() == 1


async def test_four_dead_claims_in_a_row_are_a_poison(scene: Scene) -> None:
    await scene.stand(IDS, deadline_s=SILENCE_S)
    await scene.open(fault_point=Fall("claimed", QUARANTINE_AFTER), lease_margin_s=0.3)
    poison = await scene.case("370102-LX001-2026-00001")
    row = await scene.reaches("dead", poison, IDS)
    assert row.code == "crash_loop"
    assert [task["about"] for task in await scene.tasks("dead")] == [row.id]
    assert scene.ids.count() == 0
    healthy = await scene.case("370102-LX001-2026-00002")
    await scene.reaches("delivered", healthy, IDS)
    standing = await scene.operator.redrive(OPERATOR, row.id, "the bug is mended")
    assert standing.refused is None
    await scene.reaches("delivered", poison, IDS)


async def test_fewer_dead_claims_are_none(scene: Scene) -> None:
    await scene.stand(IDS, deadline_s=SILENCE_S)
    await scene.open(fault_point=Fall("claimed", QUARANTINE_AFTER - 1), lease_margin_s=0.3)
    case = await scene.case()
    row = await scene.reaches("delivered", case, IDS)
    assert row.attempts == QUARANTINE_AFTER
    assert scene.ids.ids() == [row.id]


async def test_a_claim_that_was_taken_over_settles_nothing(scene: Scene) -> None:
    """A process that was stopped for longer than its lease wakes up and writes: too late."""
    await scene.stand(IDS, deadline_s=SILENCE_S)
    late = asyncio.Event()
    first = asyncio.Event()

    async def sleep_once(point: str) -> None:
        if point == "before_settle" and not first.is_set():
            first.set()
            await late.wait()

    await scene.open(fault_point=sleep_once, lease_margin_s=0.3)
    case = await scene.case()
    await first.wait()
    row = await scene.reaches("delivered", case, IDS)
    late.set()
    await asyncio.sleep(0.1)
    after = await scene.delivery(case, IDS)
    assert (after.state, after.attempts) == ("delivered", row.attempts)
    assert [attempt["number"] for attempt in await scene.attempts(row.id)] == [2]
    assert scene.ids.ids() == [row.id]
