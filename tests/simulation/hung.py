"""One platform hangs while cases keep coming: how long the others take, and how the backlog is brought when it is back; in
virtual time."""

from __future__ import annotations

import asyncio
import shutil
import time
from bisect import bisect_left
from dataclasses import dataclass, field

import httpx

from contracts.messages import MessageType
from gateway.flow.moving.order import Order
from tests.prove.shown import Fault, Shown, Wrong
from tests.seam import documents
from tests.simulation.loop import VirtualLoop
from tests.simulation.many import quiet
from tests.simulation.network import Network
from tests.simulation.platforms import ASKED, BYTES, IDS
from tests.simulation.world import CLIENT, World, _born

RATE_PER_S = 5.0
"""What is agreed with the platform that hangs."""

_EVERY_S = 1.0
_BEFORE_S = 10.0
SLOWER_AT_MOST = 1.5
"""R9 of the bars: the others' p95 against their own without the fault."""

LONGER_AT_MOST = 1.2
"""R10 of the bars: the drain against backlog by rate."""


@dataclass(slots=True)
class Measured:
    """Waits of the healthy platforms (s), and the requests that reached the hung one: moments (s), the first after it was back,
    the last filing, and how many filings were owed then."""

    waits: list[float] = field(default_factory=list)
    requests: list[float] = field(default_factory=list)
    back: float = 0.0
    last: float = 0.0
    backlog: int = 0
    violations: list[str] = field(default_factory=list)

    @property
    def p95(self) -> float:
        """Of the waits."""
        return sorted(self.waits)[int(len(self.waits) * 0.95)]

    @property
    def peak(self) -> int:
        """The most requests within any second."""
        moments = self.requests
        return max(place - bisect_left(moments, moment - 1.0 + 1e-9) + 1 for place, moment in enumerate(moments))


class _Steady(World):
    """No trouble but the one."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__(0, loop, None)
        self.calm = True
        self.agreed = {ASKED: {"rate_per_s": RATE_PER_S, "at_once": 3, "poll_every_s": (600.0, 600.0)}}
        for ledger in self.ledgers.values():
            ledger.trouble = False

    async def flow(self, hangs_s: float, lasts_s: float) -> Measured:
        """Cases at a steady rate; the platform hangs for a while; then until everything is delivered."""
        found = Measured()
        await self.rise()
        undisturbed = Network.handle_async_request
        network = self.networks[-1]

        async def hanging(request: httpx.Request) -> httpx.Response:
            now = self.loop.time()
            if request.url.host == ASKED and _BEFORE_S <= now < _BEFORE_S + hangs_s:
                await asyncio.Event().wait()
            if request.url.host == ASKED and now >= _BEFORE_S + hangs_s:
                found.requests.append(now)
            return await undisturbed(network, request)

        network.handle_async_request = hanging  # type: ignore[method-assign]  # the platform behind it hangs
        number = 0
        while self.loop.time() < lasts_s:
            number += 1
            raw = documents.case(f"370102-LX001-2026-{number:05d}")
            order = Order(MessageType.CASE_SUBMITTED, CLIENT, raw, None, f"key-{number}")
            await self.call(lambda house, order=order: house.intake.take(order))  # type: ignore[misc]  # bound now
            await asyncio.sleep(_EVERY_S)
            if not found.backlog and self.loop.time() >= _BEFORE_S + hangs_s:
                found.backlog = number - len(self.ledgers[ASKED].booked)
        while (
            any(len(ledger.booked) < number for ledger in self.ledgers.values()) and self.loop.time() < lasts_s + 4000
        ):
            await asyncio.sleep(0.5)
        await asyncio.sleep(5.0)
        self._measure(found, number)
        self.watcher.audit(self, final=False)
        found.violations = list(self.watcher.violations)
        assert self.process is not None
        await self.process.kill()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return found

    def _measure(self, found: Measured, number: int) -> None:
        rows = self.db.execute("SELECT id, created_at FROM deliveries").fetchall()
        made = {row["id"]: row["created_at"] for row in rows}
        start_ms = self.now_ms() - round(self.loop.time() * 1000)
        for name in (IDS, BYTES):
            found.waits += [one.at - (made[one.id] - start_ms) / 1000 for one in self.ledgers[name].booked]
        ledger = self.ledgers[ASKED]
        if len(ledger.booked) < number:
            self.watcher.violated(f"liveness: {number - len(ledger.booked)} are not delivered")
        found.back = next(iter(found.requests), 0.0)
        found.last = max(one.at for one in ledger.booked)


def measure(hangs_s: float, lasts_s: float) -> Measured:
    """One flow in a world of its own."""
    quiet()
    loop = VirtualLoop(_born)
    asyncio.set_event_loop(loop)
    world = _Steady(loop)
    try:
        return loop.run_until_complete(world.flow(hangs_s, lasts_s))
    finally:
        loop.close()
        asyncio.set_event_loop(None)
        world.db.close()
        shutil.rmtree(world.data, ignore_errors=True)


def prove(hangs_s: float) -> Shown:
    """The machine: the same flow without and with the fault."""
    began = time.monotonic()
    shown = Shown("平台挂起 one platform hangs", 0, tried=1)
    lasts_s = _BEFORE_S + hangs_s + 5.0
    base, hung = measure(0.0, lasts_s), measure(hangs_s, lasts_s)
    drain_s = hung.last - hung.back
    allowed_s = max(hung.backlog / (RATE_PER_S - 1 / _EVERY_S) * LONGER_AT_MOST, 5.0)
    shown.recovered_s.append(drain_s)
    shown.figures = {
        "others p95 s": round(hung.p95, 3),
        "base p95 s": round(base.p95, 3),
        "backlog": hung.backlog,
        "drained s": round(drain_s, 1),
        "allowed s": round(allowed_s, 1),
        "peak per s": hung.peak,
        "agreed per s": RATE_PER_S,
    }
    shown.add(Fault(Wrong.LOST, what) for what in [*base.violations, *hung.violations])
    if hung.p95 > base.p95 * SLOWER_AT_MOST:
        shown.missed.append(f"the others waited {hung.p95:.3f} s instead of {base.p95:.3f} s")
    if hung.peak > RATE_PER_S + 1:
        shown.missed.append(f"{hung.peak} requests in one second, {RATE_PER_S:g} agreed")
    if drain_s > allowed_s:
        shown.missed.append(f"drained in {drain_s:.1f} s instead of {allowed_s:.1f} s")
    if hung.backlog < hangs_s / _EVERY_S / 2:
        shown.missed.append("there was no backlog")
    shown.seconds = time.monotonic() - began
    return shown
