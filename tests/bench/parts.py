"""(b) The parts of a delivered message, each alone and in this same run: what they add up to, against what the whole costs.

Checking is the contract's reading behind a bare ASGI route; storing is the commit of the very units that intake makes; claiming
is claim and settlement of what was stored; posting is the transport alone. What the whole costs beside them is the framework,
judging, sealing, translating, the frozen wire, attempts, log lines, figures and the loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from unittest import mock

import uvloop

from contracts.messages import MessageType
from gateway.flow.moving.order import Order, Principal
from gateway.store.settlement import Settlement
from gateway.store.unit import Committed, Unit
from tests.bench import bodies, load
from tests.bench.figures import Result, Sample
from tests.bench.ground import Ground
from tests.bench.intake import accepted, requests
from tests.bench.stand import stand
from tests.servers.process import free_port

CHECK, STORE, CLAIM = "part: checking", "part: storing", "part: claim and settlement"
_AT_ONCE = 32
_CALLER = Principal("bench", frozenset({"*"}), frozenset())


def measure(ground: Ground, result: Result, count: int, turn: int) -> None:
    """One round of each part but the posting, which ``delivery`` measures."""
    port = free_port()
    child = ground.module("tests.bench.routes", "rules", str(port), port=port)
    uvloop.run(load.burst(port, requests(200, "pw"), 8))
    result.add(accepted(CHECK, child, port, requests(count, f"p{turn}"), _AT_ONCE))
    ground.end(child)
    where = ground.directory / f"parts{turn}"
    where.mkdir()
    uvloop.run(_stored(result, where, count, turn))


async def _stored(result: Result, where: Path, count: int, turn: int) -> None:
    house = await stand({"data": str(where), "sink": "http://127.0.0.1:9/cases"})
    units: list[Unit] = []

    async def keep(unit: Unit) -> Committed:
        units.append(unit)
        return Committed(1)

    with mock.patch.object(house.store, "commit", keep):
        for number in range(count):
            raw = bodies.case(number, f"q{turn}")
            await house.intake.take(Order(MessageType.CASE_SUBMITTED, _CALLER, raw, None, None))
    result.add(await _spent(STORE, count, lambda: _committed(house.store.commit, units)))

    async def emptied() -> None:
        while claims := await house.store.claim(_AT_ONCE, {"plain0": 60_000}, {"plain0"}):
            await asyncio.gather(*(house.store.settle(Settlement(claim, "delivered", step=0)) for claim in claims))

    result.add(await _spent(CLAIM, count, emptied))
    await house.close()


async def _committed(commit: Callable[[Unit], Awaitable[object]], units: list[Unit]) -> None:
    for first in range(0, len(units), _AT_ONCE):
        for outcome in await asyncio.gather(*map(commit, units[first : first + _AT_ONCE])):
            if not isinstance(outcome, Committed):
                raise TypeError(f"not committed: {outcome}")


async def _spent(what: str, count: int, work: Callable[[], Awaitable[None]]) -> Sample:
    started, cpu = time.perf_counter(), time.process_time()
    await work()
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    return Sample(what, count / seconds, used / count * 1e6)
