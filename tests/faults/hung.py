"""One platform hangs for minutes while cases keep coming to a real gateway over real connections: what the others notice, and
how fast the backlog comes when it is back, counted by the platform itself."""

from __future__ import annotations

import asyncio
import signal
import time
from bisect import bisect_left
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.faults.outside import Ground, compare, ground, on_disk
from tests.prove.shown import Fault, Shown, Wrong
from tests.seam.scene import ASKED, BYTES, IDS
from tests.simulation.hung import LONGER_AT_MOST, SLOWER_AT_MOST

RATE_PER_S = 15.0
"""What is agreed with each platform."""

_CASES_PER_S = 3.0
_BASE_S = 120.0
"""The longest that is measured while all is well: some hundred cases."""
_HANGING = IDS


def _p95(waits: list[float]) -> float:
    return sorted(waits)[int(len(waits) * 0.95)] if waits else 0.0


class _Flow:
    """Cases at a steady rate, and when each was acknowledged."""

    def __init__(self, place: Ground, port: int) -> None:
        self._place, self._port = place, port
        self._numbers = count(1)
        self.acknowledged: dict[str, float] = {}

    async def run(self, seconds: float) -> set[str]:
        """So long; the numbers of its cases."""
        end, begun = time.monotonic() + seconds, set[str]()
        async with self._place.upstream.http(self._port) as http:
            posting = []
            while time.monotonic() < end:
                number = next(self._numbers)
                begun.add(f"370102-LX001-2026-{number:05d}")
                posting.append(asyncio.create_task(self._one(http, number)))
                await asyncio.sleep(1 / _CASES_PER_S)
            await asyncio.gather(*posting)
        return begun

    async def _one(self, http: httpx.AsyncClient, number: int) -> None:
        if await self._place.upstream.chain(http, number, steps=False):
            self.acknowledged[f"370102-LX001-2026-{number:05d}"] = time.monotonic()

    def waits(self, numbers: set[str]) -> list[float]:
        """From acknowledgement to booking, at the platforms that are well."""
        found = []
        for name in (ASKED, BYTES):
            for booking in self._place.platforms[name].booked:
                number = booking.content[1]["case_no"]
                if number in numbers and number in self.acknowledged:
                    found.append(max(booking.at - self.acknowledged[number], 0.0))
        return found


async def prove(hangs_s: float) -> Shown:
    """The machine. It takes a quarter longer than the platform hangs, two minutes beside that, and at least a minute."""
    shown, began = Shown("平台挂起（实连）one platform hangs, real connections", tried=1), time.monotonic()
    with TemporaryDirectory(prefix="hung-") as room:
        limits = {"rate_per_s": RATE_PER_S, "at_once": 4}
        async with ground(Path(room), limits=limits) as place:
            process = place.hurt()
            if not await place.stands(process):
                shown.missed.append("it does not start")
                return shown
            try:
                await _measured(place, process.port, hangs_s, shown)
                if not await place.settled(process.port, 60):
                    shown.add([Fault(Wrong.LOST, "not everything is settled")])
            finally:
                await process.end(signal.SIGTERM)
            shown.add(compare(place, on_disk(Path(place.orders.data) / "gateway.db")))
    shown.seconds = time.monotonic() - began
    return shown


async def _measured(place: Ground, port: int, hangs_s: float, shown: Shown) -> None:
    flow, platform = _Flow(place, port), place.platforms[_HANGING]
    base = await flow.run(min(max(hangs_s, 20.0), _BASE_S))
    platform.fail("stall", times=0)
    hung = await flow.run(hangs_s)
    platform.heal()
    healed = time.monotonic()
    backlog = len(base) + len(hung) - len(platform.booked)
    while len(platform.booked) < len(base) + len(hung) and time.monotonic() < healed + 120 + 2 * hangs_s:
        await asyncio.sleep(0.05)
    moments = sorted(seen.at for seen in platform.seen if seen.at >= healed)
    peak = max(place_ - bisect_left(moments, moment - 1.0) + 1 for place_, moment in enumerate(moments))
    drain_s = platform.booked[-1].at - moments[0]
    allowed_s = max(backlog / RATE_PER_S * LONGER_AT_MOST, 5.0)
    shown.recovered_s.append(drain_s)
    before, during = _p95(flow.waits(base)), _p95(flow.waits(hung))
    shown.figures = {
        "others p95 s": round(during, 3),
        "base p95 s": round(before, 3),
        "backlog": backlog,
        "drained s": round(drain_s, 1),
        "allowed s": round(allowed_s, 1),
        "peak per s": peak,
        "agreed per s": RATE_PER_S,
    }
    if during > max(before, 0.02) * SLOWER_AT_MOST:
        shown.missed.append(f"the others waited {during:.3f} s instead of {before:.3f} s")
    if peak > RATE_PER_S + 1:
        shown.missed.append(f"{peak} requests in one second, {RATE_PER_S:g} agreed")
    if drain_s > allowed_s:
        shown.missed.append(f"drained in {drain_s:.1f} s instead of {allowed_s:.1f} s")
    if backlog < hangs_s * _CASES_PER_S / 2:
        shown.missed.append("there was no backlog")
