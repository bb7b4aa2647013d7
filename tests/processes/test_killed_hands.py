"""Real processes on one PostgreSQL, one of them killed without a word: nothing is lost, doubled, or out of its lane's order."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from contracts.messages import MessageType
from gateway.flow.house import House
from gateway.flow.moving.order import Order
from gateway.security.fields import Keys
from gateway.settings import Settings, SettingsRefused
from gateway.store.lists import list_deliveries
from gateway.store.migrate import migrate_postgres
from gateway.store.opening import open_store
from tests.processes.hand import stand
from tests.seam import documents
from tests.seam.scene import OPERATOR, until
from tests.seam.toys import IdempotentPlatform
from tests.servers.databases import Server
from tests.servers.postgres import GIVEN, own_server

CASES = 40


async def hire(dsn: str, data: Path, port: int) -> asyncio.subprocess.Process:
    hand = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.processes.hand", dsn, str(data), str(port)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    assert hand.stdout is not None
    async with asyncio.timeout(60):
        assert await hand.stdout.readline() == b"ready\n"
    return hand


async def chain(door: House, number: int) -> None:
    raw = documents.case(f"370102-LX001-2026-{number:05}")
    case = (await door.intake.take(Order(MessageType.CASE_SUBMITTED, OPERATOR, raw))).about
    step = documents.progress("mediating")
    await door.intake.take(Order(MessageType.CASE_PROGRESSED, OPERATOR, step, case))


async def test_a_killed_process_loses_and_doubles_nothing(dsn: str, tmp_path: Path) -> None:
    platform = IdempotentPlatform()
    await platform.start()
    door = await stand(dsn, tmp_path, platform.port)
    door.start(work=False)
    hands = list(await asyncio.gather(*(hire(dsn, tmp_path, platform.port) for _ in range(2))))
    try:
        posting = asyncio.gather(*(chain(door, number) for number in range(CASES)))

        async def under_way() -> bool:
            return len(platform.booked) > 10

        await until(under_way, "deliveries flow", 30)
        hands[0].send_signal(signal.SIGKILL)
        await hands[0].wait()
        await posting

        async def done() -> bool:
            rows = await door.store.run(list_deliveries, "", "", "", 10_000)
            return len(rows) == 2 * CASES and all(row["state"] == "delivered" for row in rows)

        await until(done, "everything is delivered", 40)
        hands[1].terminate()
        assert await asyncio.wait_for(hands[1].wait(), 20) == 0
        events = await door.store.rows("events_after", 0, 10_000)
    finally:
        for hand in hands:
            if hand.returncode is None:
                hand.kill()
                await hand.wait()
        await door.close()
        await platform.stop()
    assert Counter(booking.id for booking in platform.booked).most_common(1)[0][1] == 1
    assert len(platform.booked) == 2 * CASES
    order: dict[str, list[str]] = defaultdict(list)
    for booking in platform.booked:
        order[booking.content[1]["case_no"]].append(booking.content[0])
    assert {tuple(operations) for operations in order.values()} == {("T1", "T3")}
    assert [row["position"] for row in events] == list(range(1, len(events) + 1))


async def test_a_database_that_crashes_under_two_houses_loses_and_doubles_nothing(tmp_path: Path) -> None:
    server = own_server()
    await migrate_postgres(server.dsn())
    platform = IdempotentPlatform()
    await platform.start()
    houses = [await stand(server.dsn(), tmp_path, platform.port) for _ in range(2)]
    try:
        for house in houses:
            house.start()
        posting = asyncio.gather(*(chain(houses[number % 2], number) for number in range(CASES)))
        for _ in range(2):
            await asyncio.sleep(0.3)
            await asyncio.to_thread(server.crash)
            await asyncio.to_thread(server.start)
        await posting  # who posted waited, and was answered

        async def done() -> bool:
            rows = await houses[0].store.run(list_deliveries, "", "", "", 10_000)
            return len(rows) == 2 * CASES and all(row["state"] == "delivered" for row in rows)

        await until(done, "everything is delivered", 60)
        assert [house.worker.stuck() for house in houses] == [[], []]
    finally:
        for house in houses:
            await house.close()
        await platform.stop()
        server.remove()
    assert len(platform.booked) == 2 * CASES
    assert Counter(booking.id for booking in platform.booked).most_common(1)[0][1] == 1


async def test_production_does_not_start_on_a_careless_server(postgres: Server, dsn: str, tmp_path: Path) -> None:
    """The tests' own server runs without fsync."""
    if GIVEN:
        pytest.skip("GATEWAY_TEST_POSTGRES names a server that may well be careful")
    settings = Settings(env="production", database=dsn, data=tmp_path, keys=Keys.generate().render())
    with pytest.raises(SettingsRefused) as refused:
        await open_store(settings)
    assert sorted(reason.partition("with ")[2].partition("=")[0] for reason in refused.value.reasons) == [
        "fsync",
        "full_page_writes",
        "synchronous_commit",
    ]
    store = await open_store(settings.model_copy(update={"env": "development"}))
    await store.close()
