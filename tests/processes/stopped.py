"""Two processes on one PostgreSQL, one of them stopped past its leases and let go again: it is overtaken, and what it then
writes is refused.

At every stop the platforms hold the answers back until the process sleeps, so that it wakes with answers in its hands that
somebody else has settled meanwhile.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg

from tests.faults.outside import Ground, Hurt, Query, compare, ground
from tests.prove.shown import Fault, Shown, Wrong

_AT_ONCE = 6
_COMES_WITHIN_S = 20.0
"""The first request of a turn, on a busy machine."""

_HELD_S = 1.0
"""From the first request on: within an attempt's time."""

_LEASE_S = 2.5
"""Deadline and margin of ``Orders``."""


def on_server(dsn: str) -> Query:
    """Asks a PostgreSQL database, from wherever."""

    async def fetch(sql: str) -> Sequence[Sequence[Any]]:
        connection = await asyncpg.connect(dsn)
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    def ask(sql: str) -> Sequence[Sequence[Any]]:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: asyncio.run(fetch(sql))).result()

    return ask


def _came(place: Ground) -> int:
    """Filings that came to the platforms; polls are held by nobody."""
    return sum(platform.count(platform.file_operation) for platform in place.platforms.values())


async def _held(place: Ground, numbers: Sequence[int], door: Hurt, sleeper: Hurt) -> int:
    """Post, stop the sleeper while the platforms hold their answers back, answer, and let it go when its leases are over. How
    many requests were held: a stop that held none proves nothing."""
    answer = asyncio.Event()
    for platform in place.platforms.values():
        platform.fail("gate", times=0, open=answer)
    before = _came(place)
    posting = asyncio.create_task(place.upstream.all(door.port, numbers))
    end = time.monotonic() + _COMES_WITHIN_S
    while time.monotonic() < end and _came(place) == before:
        await asyncio.sleep(0.02)
    end = time.monotonic() + _HELD_S
    while time.monotonic() < end and not posting.done():
        await asyncio.sleep(0.02)
    held = _came(place) - before
    sleeper.tell(signal.SIGSTOP)
    for platform in place.platforms.values():
        platform.heal()
    answer.set()
    await asyncio.sleep(2 * _LEASE_S)
    sleeper.tell(signal.SIGCONT)
    await posting
    return held


def stale(*processes: Hurt) -> int:
    """Outcomes that came too late and were refused, by the processes' own word."""
    return sum(process.log.read_text("utf-8", "replace").count('"state":"stale"') for process in processes)


async def one(dsn: str, room: Path, stops: int, seed: int, shown: Shown) -> None:
    """So many stops, of either process, of two on one database."""
    chance = Random(seed)
    async with ground(room, database=dsn) as place:
        pair = [place.hurt(), place.hurt()]
        try:
            for process in pair:
                if not await place.stands(process):
                    shown.missed.append("a process does not start")
                    return
            for turn in range(stops):
                sleeper = pair[turn % 2]
                door = pair[(turn + 1) % 2]
                place.port = door.port
                held = await _held(place, range(turn * _AT_ONCE, (turn + 1) * _AT_ONCE), door, sleeper)
                shown.tried += 1
                began = time.monotonic()
                if held == 0:
                    shown.missed.append(f"stop {turn}: nothing was under way")
                if not await place.settled(door.port):
                    shown.add([Fault(Wrong.LOST, f"stop {turn}: not everything is settled")])
                shown.recovered_s.append(time.monotonic() - began)
                await asyncio.sleep(chance.uniform(0, 0.3))
            fenced = stale(*pair)
            shown.figures["late outcomes refused"] = fenced
            if not fenced:
                shown.missed.append("no outcome came too late: the fence was never tried")
            shown.add(compare(place, on_server(dsn)))
        finally:
            for process in pair:
                process.tell(signal.SIGCONT)
                await process.end(signal.SIGTERM)


async def prove(stops: int, seed: int) -> Shown:
    """The machine, on a server of its own."""
    from gateway.store.migrate import migrate_postgres
    from tests.servers.postgres import PostgresServer

    shown, began = Shown("停顿超过租约 SIGSTOP past the lease", seed), time.monotonic()
    server = PostgresServer().start()
    try:
        await migrate_postgres(server.dsn())
        with TemporaryDirectory(prefix="stopped-") as room:
            await one(server.dsn(), Path(room), stops, seed, shown)
    finally:
        server.remove()
    shown.seconds = time.monotonic() - began
    return shown
