"""Order inside a lane, through retries and corrections; and no lane that waits for another."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from contracts.messages import MessageType
from gateway.flow.moving.order import Order
from tests.seam import documents
from tests.seam.scene import ASKED, BYTES, IDS, OPERATOR, Scene, until


def _operations(scene: Scene) -> list[str]:
    return [booking.content[0] for booking in scene.ids.booked]


async def test_order_holds_through_retries(scene: Scene) -> None:
    """Every request may fail in its own way: what is booked is booked in the order in which it was posted."""
    await scene.stand(IDS)
    await scene.open()
    for kind in ("reset_after", "http", "html", "answer", "reset_before", "http", "answer", "reset_after"):
        scene.ids.fail(kind, status=502)
    case = await scene.case()
    await scene.progress(case, "mediating", at="2026-09-20T09:00:00+08:00")
    await scene.agreement(case)
    await scene.progress(case, "transferred", at="2026-09-20T10:00:00+08:00")
    await scene.progress(case, "closed", at="2026-09-20T11:00:00+08:00")
    posted = [row.id for row in await scene.deliveries(case, IDS)]

    async def all_there() -> bool:
        return all(row.state == "delivered" for row in await scene.deliveries(case, IDS))

    await until(all_there, "everything is delivered")
    assert scene.ids.ids() == posted
    assert len(posted) == 5


async def test_one_stuck_lane_holds_up_no_other(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open()
    opened = asyncio.Event()
    scene.ids.fail("gate", open=opened)
    stuck = await scene.case("370102-LX001-2026-00001")

    async def in_flight() -> bool:
        return scene.ids.count() == 1

    await until(in_flight, "the first is at the platform")
    await scene.progress(stuck)
    free = [await scene.case(f"370102-LX001-2026-{place:05d}") for place in range(2, 6)]
    for case in free:
        await scene.reaches("delivered", case, IDS)
    assert (await scene.delivery(stuck, IDS)).state == "pending"
    assert [row.attempts for row in await scene.deliveries(stuck, IDS, MessageType.CASE_PROGRESSED)] == [0]
    opened.set()
    await scene.reaches("delivered", stuck, IDS)
    await scene.reaches("delivered", stuck, IDS, MessageType.CASE_PROGRESSED)


async def test_a_lane_that_fails_again_and_again_holds_up_no_other(scene: Scene) -> None:
    await scene.stand(IDS, slots=1)
    await scene.open(retry=scene.retry(standard=(60.0,) * 4))
    scene.ids.fail("http", status=502)
    stuck = await scene.case("370102-LX001-2026-00001")

    async def failed() -> bool:
        return (await scene.delivery(stuck, IDS)).attempts == 1

    await until(failed, "the first fails")
    free = await scene.case("370102-LX001-2026-00002")
    await scene.reaches("delivered", free, IDS)
    assert (await scene.delivery(stuck, IDS)).state == "pending"


async def test_one_hung_platform_slows_no_other(scene: Scene) -> None:
    await scene.stand(IDS, BYTES)
    await scene.stand(ASKED, deadline_s=30.0)
    await scene.open()
    scene.asked.fail("stall", times=100, operation="session")
    cases = [await scene.case(f"370102-LX001-2026-{place:05d}") for place in range(6)]
    async with asyncio.timeout(10.0):
        for case in cases:
            await scene.reaches("delivered", case, IDS)
            await scene.reaches("relayed", case, BYTES)
    assert scene.asked.booked == []
    await scene.asked.stop()


async def test_an_alert_goes_before_the_rest_of_its_lane(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open()
    case = await scene.case()
    await scene.reaches("delivered", case, IDS)
    opened = asyncio.Event()
    scene.ids.fail("gate", open=opened)
    await scene.progress(case, at="2026-09-20T09:00:00+08:00")

    async def in_flight() -> bool:
        return scene.ids.count() == 2

    await until(in_flight, "the first progress is at the platform")
    await scene.progress(case, "failed", at="2026-09-20T10:00:00+08:00", reason_code="large_divergence")
    await scene.post(MessageType.CASE_ALERTED, documents.alert(), case)
    opened.set()

    async def all_there() -> bool:
        return all(row.state == "delivered" for row in await scene.deliveries(case, IDS))

    await until(all_there, "everything is delivered")
    assert _operations(scene) == ["T1", "T3", "T4", "T3"]


async def _revise(scene: Scene, case: str, version: int, **changes: Any) -> None:
    raw = documents.case(**changes)
    order = Order(MessageType.CASE_REVISED, OPERATOR, raw, case, revises=True, if_match=version)
    await scene.house.intake.take(order)


async def test_a_correction_stands_for_what_nobody_has_yet(scene: Scene) -> None:
    """The platform is down while the sender corrects: the first version never goes, the second goes as the first, and
    what waited for the case waits for it."""
    await scene.stand(IDS)
    await scene.open(retry=scene.retry(breaker=0.1))
    await scene.ids.stop()
    case = await scene.case()
    await scene.progress(case)
    await _revise(scene, case, 1, facts="更正后的事实与理由")
    old = await scene.reaches("superseded", case, IDS)
    await scene.ids.start()
    new = await scene.reaches("delivered", case, IDS, MessageType.CASE_REVISED)
    await scene.reaches("delivered", case, IDS, MessageType.CASE_PROGRESSED)
    assert old.id not in scene.ids.ids()
    assert scene.ids.ids()[0] == new.id
    sent = json.loads(scene.ids.seen[0].body)
    assert sent["document"]["text"] == "更正后的事实与理由"


async def test_a_correction_of_a_refused_case_frees_what_waited(scene: Scene) -> None:
    await scene.stand(IDS)
    await scene.open()
    scene.ids.fail("refuse")
    case = await scene.case()
    await scene.agreement(case)
    await scene.reaches("rejected", case, IDS)
    await _revise(scene, case, 1, facts="更正后的事实与理由")
    await scene.reaches("delivered", case, IDS, MessageType.CASE_REVISED)
    await scene.reaches("delivered", case, IDS, MessageType.AGREEMENT_CONCLUDED)
    assert await scene.tasks("blocked") == []
