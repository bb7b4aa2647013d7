"""Two houses on one database, as two processes: nothing is lost or doubled, each lane keeps its order, all hear everything."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

import orjson
import pytest

from contracts.messages import MessageType
from gateway.flow import loops
from gateway.flow.house import House
from gateway.flow.moving.order import Order
from gateway.settings import RouteSettings
from gateway.store.lists import list_deliveries
from tests.seam import documents
from tests.seam.scene import BYTES, IDS, OPERATOR, Scene, until

CASES = 24
NEVER_S = 600.0
"""Longer than any test here: what comes all the same was rung for."""


async def beside(scene: Scene, **more: Any) -> House:
    """One more process on the same database."""
    routes = tuple(
        RouteSettings(type=kind.value, endpoint=name)
        for name in scene.endpoints
        for kind in (MessageType.CASE_SUBMITTED, MessageType.CASE_PROGRESSED)
    )
    return await scene.gateway(scene.endpoints, adapters=scene.adapters, routes=routes, **more)


async def post(house: House, kind: MessageType, raw: bytes, target: str | None = None) -> str:
    return (await house.intake.take(Order(kind, OPERATOR, raw, target))).about


async def all_delivered(house: House, count: int, seconds: float = 30.0) -> None:
    async def there() -> bool:
        rows = await house.store.run(list_deliveries, "", "", "", 10_000)
        return len(rows) == count and all(row["state"] == "delivered" for row in rows)

    await until(there, f"{count} deliveries", seconds)


def booked_order(scene: Scene) -> dict[str, list[str]]:
    """Per case the operations in the platform's ledger."""
    order: dict[str, list[str]] = defaultdict(list)
    for booking in scene.ids.booked:
        operation, document = booking.content
        order[document["case_no"]].append(operation)
    return order


async def test_two_processes_lose_and_double_nothing_and_keep_each_lanes_order(scene: Scene) -> None:
    await scene.stand(IDS, slots=6)
    houses = [await beside(scene), await beside(scene)]

    async def chain(number: int) -> None:
        first, second = houses[number % 2], houses[(number + 1) % 2]
        case = await post(first, MessageType.CASE_SUBMITTED, documents.case(f"370102-LX001-2026-{number:05}"))
        await post(second, MessageType.CASE_PROGRESSED, documents.progress("mediating"), case)
        ended = documents.progress("failed", "2026-09-28T09:00:00+08:00", reason_code="large_divergence")
        await post(first, MessageType.CASE_PROGRESSED, ended, case)

    await asyncio.gather(*(chain(number) for number in range(CASES)))
    await all_delivered(houses[0], 3 * CASES)
    assert len(scene.ids.booked) == 3 * CASES
    assert len({booking.id for booking in scene.ids.booked}) == 3 * CASES
    order = booked_order(scene)
    assert len(order) == CASES
    assert {tuple(operations) for operations in order.values()} == {("T1", "T3", "T3")}


async def test_a_process_that_dies_leaves_its_work_to_the_other(scene: Scene) -> None:
    await scene.stand(IDS, slots=6)
    reached = asyncio.Event()

    async def dies(point: str) -> None:
        if point == "answered":
            reached.set()
            await asyncio.Event().wait()

    doomed = await beside(scene, fault_point=dies, lease_margin_s=0.5)
    cases = [
        await post(doomed, MessageType.CASE_SUBMITTED, documents.case(f"370102-LX001-2026-{number:05}"))
        for number in range(4)
    ]
    await asyncio.wait_for(reached.wait(), 10)
    heir = await beside(scene)
    await scene.gateway.abandon(doomed)
    await all_delivered(heir, len(cases))
    assert len(scene.ids.booked) == 4, "what had arrived was known under its id"
    assert scene.ids.count("file") > 4, "the fault did not come"


async def test_one_process_takes_in_and_another_delivers_at_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waking goes by NOTIFY: the sweep does not come here."""
    monkeypatch.setattr(loops, "SWEEP_S", NEVER_S)
    await scene.stand(IDS)
    web = await beside(scene, work=False)
    await beside(scene)
    await asyncio.sleep(0.3)
    for number in range(12):
        case = await post(web, MessageType.CASE_SUBMITTED, documents.case(f"370102-LX001-2026-{number:05}"))

        async def delivered(case: str = case) -> bool:
            file = await web.store.load(case)
            assert file is not None
            return file.deliveries[0].state == "delivered"

        await until(delivered, "delivery")
        await asyncio.sleep(0.05)


async def test_a_process_without_hands_hears_every_event(scene: Scene) -> None:
    await scene.stand(IDS)
    web = await beside(scene, work=False)
    worker = await beside(scene)
    heard: dict[str, list[str]] = {"web": [], "worker": []}
    async with web.bus.subscribe() as at_web, worker.bus.subscribe() as at_worker:
        cases = [
            await post(web, MessageType.CASE_SUBMITTED, documents.case(f"370102-LX001-2026-{n:05}")) for n in range(5)
        ]
        await all_delivered(web, 5)
        ears = {"web": at_web, "worker": at_worker}
        for name, ear in ears.items():
            while len(heard[name]) < 10:
                event = await ear.next(5.0)
                assert event is not None, f"{name} heard only {heard[name]}"
                heard[name].append(event["cursor"])
    assert heard["web"] == heard["worker"]
    assert heard["web"] == sorted(set(heard["web"]))
    assert len(cases) == 5
    assert web.worker.stuck() == []


async def test_a_call_at_one_process_is_applied_by_another(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """By waking: the sweep does not come here."""
    monkeypatch.setattr(loops, "SWEEP_S", NEVER_S)
    await scene.stand(BYTES)
    web = await beside(scene, work=False)
    await beside(scene)
    case = await post(web, MessageType.CASE_SUBMITTED, documents.case())
    found: list[Any] = []

    async def relayed() -> bool:
        file = await web.store.load(case)
        assert file is not None
        found[:] = [row for row in file.deliveries if row.state == "relayed"]
        return bool(found)

    await until(relayed, "the bytes arrive")
    platform = scene.batches
    call = platform.call(platform.word("OK", id=found[0].id))
    method, path, headers, body = call
    reply = await web.receiver.receive(BYTES, method, path, "", headers, body)
    assert reply.status == 200

    async def delivered() -> bool:
        row = await web.store.row("delivery", found[0].id)
        return row is not None and row["state"] == "delivered"

    await until(delivered, "the word is applied")


async def test_each_event_is_numbered_once_by_whoever_comes(scene: Scene) -> None:
    await scene.stand(IDS)
    houses = [await beside(scene) for _ in range(3)]
    await asyncio.gather(
        *(
            post(houses[number % 3], MessageType.CASE_SUBMITTED, documents.case(f"370102-LX001-2026-{number:05}"))
            for number in range(30)
        )
    )
    await all_delivered(houses[0], 30)

    async def numbered() -> bool:
        row = await houses[0].store.row("log_position")
        return row is not None and row["position"] >= 60

    await until(numbered, "60 events have their cursor")
    rows = await houses[0].store.rows("events_after", 0, 1000)
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    last: dict[str, int] = {}
    for row in rows:
        assert row["sequence"] == last.get(row["subject"], 0) + 1
        last[row["subject"]] = row["sequence"]
        assert orjson.loads(row["data"]) is not None
