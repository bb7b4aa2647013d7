"""A platform that hangs, and a gateway that is stopped in order again and again meanwhile: no stop counts as a crash, nobody
waits for a lease, and there is one effect."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.flow.delivering.settlement import CUT_OFF, QUARANTINE_AFTER
from tests.faults.outside import Ground, ground, on_disk
from tests.processes.stopped import on_server
from tests.seam.counted import POLLED
from tests.seam.platform import ToyPlatform
from tests.seam.scene import ASKED, BYTES, IDS

STOPS = QUARANTINE_AFTER + 1
GRACE_S = 0.3
HANGS: dict[str, Any] = {"deadline_s": 120.0, "margin_s": 30.0, "grace_s": GRACE_S}
"""An attempt and its lease are far longer than the whole test: whoever waited for their end would be too late."""

SOON_S = 40.0
"""On a busy machine; a third of what an attempt may take."""


@asynccontextmanager
async def _standing(room: Path, dsn: str, name: str) -> AsyncIterator[tuple[Ground, Callable[[str], Sequence[Any]]]]:
    async with ground(room, name, database=dsn, **HANGS) as place:
        yield place, on_server(dsn) if dsn else on_disk(room / "house" / "gateway.db")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """The address of a database of this test's own; ``""`` is the embedded one."""
    if request.param == "sqlite":
        return ""
    found: str = request.getfixturevalue("dsn")
    return found


def _asked(platform: ToyPlatform) -> int:
    """Requests that deliveries made."""
    return sum(f"/{one.operation}" not in POLLED for one in platform.seen)


async def _stopped_while_it_hangs(place: Ground, name: str, *, post: bool) -> None:
    """Start, wait until a request hangs at the platform, tell the process to end."""
    platform = place.platforms[name]
    process, before = place.hurt(), _asked(platform)
    assert await place.stands(process)
    if post:
        async with place.upstream.http(place.port) as http:
            assert await place.upstream.chain(http, 1, steps=False)
    async with asyncio.timeout(SOON_S):
        while _asked(platform) == before:
            await asyncio.sleep(0.02)
    told = time.monotonic()
    await process.end(signal.SIGTERM)
    assert process.child.returncode == 0, process.log.read_text("utf-8", "replace")[-2000:]
    assert time.monotonic() - told < SOON_S


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("database", "name", "hang"),
    [
        ("sqlite", IDS, "silent_after"),
        ("sqlite", ASKED, "stall"),
        ("sqlite", ASKED, "silent_after"),
        ("postgresql", IDS, "silent_after"),
    ],
    indirect=["database"],
)
async def test_stops_in_a_row_are_no_crashes(database: str, tmp_path: Path, name: str, hang: str) -> None:
    async with _standing(tmp_path, database, name) as (place, ask):
        platform = place.platforms[name]
        platform.fail(hang)
        for operation in ("file", "find"):
            platform.fail("stall", times=STOPS - (operation == "file"), operation=operation)
        for number in range(STOPS):
            await _stopped_while_it_hangs(place, name, post=number == 0)
        platform.heal()
        last = place.hurt()
        assert await place.stands(last)
        assert await place.settled(place.port, SOON_S), ask("SELECT state, code FROM deliveries")
        await last.end(signal.SIGTERM)
        assert [tuple(row) for row in ask("SELECT state, crashes FROM deliveries")] == [("delivered", 0)]
        told = [tuple(row) for row in ask("SELECT outcome, code FROM attempts ORDER BY number")]
        assert told == [("pending", CUT_OFF)] * STOPS + [("delivered", None)]
        assert ask("SELECT kind FROM tasks") == []
        assert len(platform.booked) == 1, "one effect"
        assert sum(row[0] for row in ask("SELECT exchanges FROM attempts")) == _asked(platform)


@pytest.mark.timeout(300)
async def test_what_cannot_be_asked_nor_repeated_goes_to_a_person_at_once(database: str, tmp_path: Path) -> None:
    async with _standing(tmp_path, database, BYTES) as (place, ask):
        place.platforms[BYTES].fail("stall")
        await _stopped_while_it_hangs(place, BYTES, post=True)
        assert [tuple(row) for row in ask("SELECT state, code, crashes FROM deliveries")] == [("in_doubt", CUT_OFF, 0)]
        assert [row[0] for row in ask("SELECT kind FROM tasks")] == ["in_doubt"]
        last = place.hurt()
        assert await place.stands(last)
        await asyncio.sleep(0.5)
        await last.end(signal.SIGTERM)
        assert place.platforms[BYTES].count("batch") == 1, "nothing is sent into the doubt"


@pytest.mark.timeout(300)
async def test_what_waits_for_its_turn_is_given_back_and_counts_for_nothing(database: str, tmp_path: Path) -> None:
    """The agreed rate lets one request out a minute: the others are claimed, and have sent nothing when the end comes."""
    async with _standing(tmp_path, database, IDS) as (place, ask):
        platform = place.platforms[IDS]
        platform.fail("stall")
        slow = place.hurt(limits={"rate_per_s": 0.02})
        assert await place.stands(slow)
        async with place.upstream.http(place.port) as http:
            for number in (1, 2, 3):
                assert await place.upstream.chain(http, number, steps=False)
        async with asyncio.timeout(SOON_S):
            while not platform.seen:
                await asyncio.sleep(0.02)
        await slow.end(signal.SIGTERM)
        assert slow.child.returncode == 0
        assert sorted(tuple(row) for row in ask("SELECT attempts, crashes, coalesce(code, '') FROM deliveries")) == [
            (0, 0, ""),
            (0, 0, ""),
            (1, 0, CUT_OFF),
        ]
        assert [row[0] for row in ask("SELECT count(*) FROM lanes WHERE token IS NOT NULL")] == [0]
        last = place.hurt()
        assert await place.stands(last)
        assert await place.settled(place.port, SOON_S)
        await last.end(signal.SIGTERM)
        found = ask("SELECT state, attempts, crashes FROM deliveries ORDER BY attempts")
        assert [tuple(row) for row in found] == [("delivered", 1, 0), ("delivered", 1, 0), ("delivered", 2, 0)]
        assert len(platform.booked) == 3
        assert len(platform.seen) == 4
