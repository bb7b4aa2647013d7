"""Somebody sets the clock of the gateway's machine two hours forward, two back, and right again: no lease ends by it, no retry
waits for it, nothing is sent twice.

The monotonic clock runs on, as it does on a machine whose clock is set. PostgreSQL's clock is another machine's.
"""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.outside import Ground, Query, compare, ground, on_disk
from tests.faults.served import CLOCK
from tests.prove.shown import Fault, Shown, Wrong

_HOURS_S = 7200
JUMPS_S = (_HOURS_S, -_HOURS_S, 0)
"""The settings, one after the other: away from the true time."""

_AT_ONCE = 5
_FLOWS_WITHIN_S = 12.0
"""What was not stalled flows within so long, on a busy machine too."""


def _true_clock(room: Path) -> Path:
    room.mkdir(parents=True)
    clock = room / "clock"
    clock.write_bytes(CLOCK.pack(0))
    return clock


def _set(file: Path, seconds: int) -> None:
    with file.open("r+b") as clock:
        clock.write(CLOCK.pack(seconds * 1_000_000_000))


async def one(engine: str, room: Path, shown: Shown, database: str = "", ask: Query | None = None) -> None:
    """Every setting comes while answers are held back and while a retry waits."""
    clock = await asyncio.to_thread(_true_clock, room)
    async with ground(room, database=database, clock=str(clock), deadline_s=4.0) as place:
        process = place.hurt()
        if not await place.stands(process):
            shown.missed.append(f"{engine}: it does not start")
            return
        try:
            for turn, away in enumerate(JUMPS_S):
                await _jump(place, process.port, clock, away, range(turn * _AT_ONCE, (turn + 1) * _AT_ONCE))
                shown.tried += 1
                began = time.monotonic()
                if not await place.settled(process.port, within_s=_FLOWS_WITHIN_S):
                    shown.add([Fault(Wrong.LOST, f"{away} s: not everything is settled")], engine)
                shown.recovered_s.append(time.monotonic() - began)
            # The next one is born at the true time, on what the last one wrote.
            await process.end()
            process = place.hurt()
            began = time.monotonic()
            if not await place.stands(process) or not await place.upstream.all(process.port, range(99, 102)):
                shown.add([Fault(Wrong.LOST, "it does not start again, or takes nothing")], engine)
            if not await place.settled(process.port, within_s=_FLOWS_WITHIN_S):
                shown.add([Fault(Wrong.LOST, "not everything is settled after the start")], engine)
            shown.recovered_s.append(time.monotonic() - began)
        finally:
            await process.end(signal.SIGTERM)
        shown.add(compare(place, ask or on_disk(room / "house" / "gateway.db")), engine)
        _no_storm(place, shown, engine)


async def _jump(place: Ground, port: int, clock: Path, away: int, numbers: range) -> None:
    answer = asyncio.Event()
    for platform in place.platforms.values():
        platform.fail("http", times=1, status=503)  # one retry waits while the clock is set
        platform.fail("gate", times=0, open=answer)
    posting = asyncio.create_task(place.upstream.all(port, numbers))
    await asyncio.sleep(0.8)
    _set(clock, away)
    await asyncio.sleep(1.0)
    for platform in place.platforms.values():
        platform.heal()
    answer.set()
    await posting


def _no_storm(place: Ground, shown: Shown, engine: str) -> None:
    """One refused request for each platform and setting; each delivery was sent once besides."""
    for name, platform in place.platforms.items():
        sent, owed = platform.count(platform.file_operation), len(platform.booked) + len(JUMPS_S)
        shown.figures[f"{engine} {name} requests"] = sent
        if sent > owed:
            shown.add([Fault(Wrong.DUPLICATED, f"{name}: {sent} requests for {owed}")], engine)


async def prove() -> Shown:
    """The machine, on both engines."""
    from gateway.store.migrate import migrate_postgres
    from tests.processes.stopped import on_server
    from tests.servers.postgres import PostgresServer

    shown, began = Shown("拨动时钟 clock jumps ±2 h"), time.monotonic()
    with TemporaryDirectory(prefix="clocks-") as room:
        await one("sqlite", Path(room) / "sqlite", shown)
        server = PostgresServer().start()
        try:
            await migrate_postgres(server.dsn())
            await one("postgresql", Path(room) / "postgresql", shown, server.dsn(), on_server(server.dsn()))
        finally:
            server.remove()
    shown.seconds = time.monotonic() - began
    return shown
