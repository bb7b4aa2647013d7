"""(e) Growth: worker processes, stored messages, lanes."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path

import asyncpg
import uvloop

from gateway.store.engine import Sqlite
from gateway.store.migrate import migrate_sqlite
from gateway.store.postgres import CHANNEL
from gateway.store.settlement import Claim, Settlement
from tests.bench import load
from tests.bench.accounts import cpu_of
from tests.bench.delivery import cases
from tests.bench.figures import Result, Sample
from tests.bench.ground import Ground
from tests.bench.stored import fill
from tests.store.bench import Bench, VirtualClock, opened

_BATCH = 50
_IN_FLIGHT = 64
_QUIET_S = 2.0
"""Until every process has found its share of the platform's rate."""


def measure(ground: Ground, scale: float, rounds: int) -> Result:
    """The measurement."""
    result = Result("e", "伸缩 scaling")
    stored = [int(size * scale) for size in (10_000, 100_000, 1_000_000)]
    for turn in range(rounds):
        path = ground.directory / f"rows{turn}.db"
        uvloop.run(_rows(result, path, stored, max(int(2000 * scale), 200)))
        for lanes in (1, 10, 1000):
            where = ground.directory / f"lanes{turn}-{lanes}.db"
            uvloop.run(_lanes(result, where, lanes, max(int(1000 * scale), 100)))
        for workers in (1, 2, 4):
            _workers(ground, result, workers, max(int(4000 * scale), 300))
    least, most = f"claim and settle, {stored[0]:,} stored", f"claim and settle, {stored[-1]:,} stored"
    result.compare(
        "claim at the most / at the least stored",
        result.median(most, "claim µs"),
        result.median(least, "claim µs"),
        1.3,
        at_most=True,
    )
    result.compare("two workers / one", result.median("2 workers"), result.median("1 workers"), 1.5)
    result.compare("four workers / one", result.median("4 workers"), result.median("1 workers"))
    return result


async def _rows(result: Result, path: Path, sizes: list[int], count: int) -> None:
    """Claim and settlement beside so many delivered messages."""
    migrate_sqlite(path)
    store = await opened(path, VirtualClock())
    bench = Bench(store, VirtualClock())
    await bench.endpoints("a", slots=_BATCH)
    there = 0
    for size in sizes:
        runner = store.runner
        assert isinstance(runner, Sqlite)
        await runner.script(partial(fill, start=there, end=size))
        there = size
        await asyncio.gather(*(bench.commit(bench.case(f"case_{size}_{number:06}")) for number in range(count)))
        result.add(await _emptied(bench, f"claim and settle, {size:,} stored", count))
    await store.close()


async def _lanes(result: Result, path: Path, lanes: int, count: int) -> None:
    """The same with so many lanes: one waits for its head alone, a thousand go side by side."""
    migrate_sqlite(path)
    store = await opened(path, VirtualClock())
    bench = Bench(store, VirtualClock())
    await bench.endpoints("a", slots=_BATCH)
    await asyncio.gather(*(bench.commit(bench.case(f"case_{number:06}")) for number in range(lanes)))
    for number in range(max(count - lanes, 0)):
        await bench.follow(f"case_{number % lanes:06}")
    result.add(await _emptied(bench, f"claim and settle, {lanes:,} lanes", max(count, lanes)))
    await store.close()


async def _emptied(bench: Bench, what: str, count: int) -> Sample:
    claiming, done, turns = 0.0, 0, 0
    started, cpu = time.perf_counter(), time.process_time()
    while True:
        before = time.perf_counter()
        claims = await bench.store.claim(_BATCH, {"a": 60_000}, {"a"})
        claiming += time.perf_counter() - before
        turns += 1
        if not claims:
            break
        await asyncio.gather(*(bench.store.settle(_delivered(claim)) for claim in claims))
        done += len(claims)
    if done < count:
        raise RuntimeError(f"{what}: {done} of {count}")
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    return Sample(what, done / seconds, used / done * 1e6, {"claim µs": claiming / done * 1e6, "turns": float(turns)})


def _delivered(claim: Claim) -> Settlement:
    return Settlement(claim, "delivered", step=claim.step)


async def _held(dsn: str, *, held: bool) -> None:
    """Hold the platform, or let it go and ring: whoever started first must not have done the half of it alone."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("UPDATE endpoints SET paused = $1", held)
    await connection.execute("SELECT pg_notify($1, 'due')", CHANNEL)
    await connection.close()


def _workers(ground: Ground, result: Result, workers: int, count: int) -> None:
    """A backlog that so many worker processes begin together."""
    server, sink = ground.postgres(), ground.receiver()
    filling = ground.gateway(sink.url, database=server.dsn(), work=False, endpoints=1)
    uvloop.run(load.burst(filling.port, cases(count, f"w{workers}"), _IN_FLIGHT))
    ground.end(filling.child)
    asyncio.run(_held(server.dsn(), held=True))
    hands = [ground.gateway(sink.url, database=server.dsn(), serve=False) for _ in range(workers)]
    pids = [hand.child.pid for hand in hands]
    before = cpu_of(*pids)
    time.sleep(_QUIET_S)
    asyncio.run(_held(server.dsn(), held=False))
    found = sink.until(count)
    first = min(sink.ask("seen").first.values())
    used = cpu_of(*pids) - before
    more = {"lost": float(count - found.unique), "doubled": float(found.repeated)}
    result.add(Sample(f"{workers} workers", found.unique / (found.last - first), used / count * 1e6, more))
    ground.end(*(hand.child for hand in hands), sink.child)
    server.stop()
