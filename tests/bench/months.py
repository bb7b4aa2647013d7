"""(h) Months: what partitions by month cost the hot path on PostgreSQL, against the same tables whole, in the same run."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import asyncpg
import uvloop

from gateway.flow.moving.references import fold
from gateway.security.fields import Sealer
from gateway.store import partitions
from gateway.store.engine import Operation
from gateway.store.ids import Ids
from gateway.store.journal import number
from gateway.store.migrate import migrate_postgres
from gateway.store.months import Month
from gateway.store.partitions import AHEAD, TABLES
from gateway.store.settlement import AttemptRow, Claim, Settlement
from gateway.store.store import Store, open_postgres
from gateway.store.tally import tally
from tests.bench.figures import Result, Sample
from tests.bench.ground import Ground
from tests.servers.databases import execute, new_database
from tests.servers.postgres import PostgresServer
from tests.store.bench import KEYS, Bench, VirtualClock

_DOCUMENT = os.urandom(2500)
_STEPS = os.urandom(600)
_ENDPOINTS = ("a", "b", "c")
_BATCH = 1000


def measure(ground: Ground, scale: float, rounds: int) -> Result:
    """The measurement: intake of a case for three platforms, claim, reading the case's messages, settlement with an attempt,
    numbering and figures; the client's CPU and the server's per case."""
    result = Result("h", "按月分区 months")
    server = ground.postgres()
    for _ in range(rounds):
        for months in (0, 1, 12, 36):
            uvloop.run(_run(result, server, months, 64, max(int(2000 * scale), 200)))
            uvloop.run(_run(result, server, months, 1, max(int(400 * scale), 50)))
    for hands in (64, 1):
        for months in (1, 12, 36):
            for of in ("cpu_us", "server µs"):
                one, whole = (result.median(_name(many, hands), of) for many in (months, 0))
                result.compare(f"{months} months / whole, {hands} at once, {of}", one, whole, 1.05, at_most=True)
    server.stop()
    return result


def _name(months: int, hands: int) -> str:
    return f"{f'{months} months' if months else 'whole'}, {hands} at once"


async def _run(result: Result, server: PostgresServer, months: int, hands: int, count: int) -> None:
    dsn = await new_database(server)
    await migrate_postgres(dsn)
    await _lay(dsn, months)
    store = await open_postgres(dsn, Sealer(KEYS), Ids(lambda: time.time_ns() // 1_000_000, os.urandom))
    bench = Bench(store, VirtualClock())
    await bench.endpoints(*_ENDPOINTS, slots=256)
    await _journey(bench, hands, min(count, 100))
    client, used, began = time.process_time(), _server_cpu(server), time.perf_counter()
    parts = await _journey(bench, hands, count, server)
    seconds = time.perf_counter() - began
    more = {"server µs": (_server_cpu(server) - used) / count * 1e6, **parts}
    cpu = (time.process_time() - client) / count * 1e6
    result.add(Sample(_name(months, hands), count / seconds, cpu, more))
    await store.close()


async def _lay(dsn: str, months: int) -> None:
    """Tables with so many months, the current one among them; whole where there are none."""
    if not months:
        for table in TABLES:
            await execute(
                dsn,
                f"CREATE TABLE whole (LIKE {table} INCLUDING ALL)",
                f"DROP TABLE {table}",
                f"ALTER TABLE whole RENAME TO {table}",
            )
        return
    connection = await asyncpg.connect(dsn)
    try:
        now = Month.of(time.time_ns() // 1_000_000)
        if now is None:
            raise RuntimeError("the machine's clock is beyond all calendars")
        for back in range(AHEAD + 1, months, AHEAD + 1):
            await partitions.keep(connection, now.later(-back).begins)
        for part in await partitions.listed(connection):
            if months < AHEAD + 1 and part.month not in (None, str(now)):
                await connection.execute(f"DROP TABLE {part.name}")
    finally:
        await connection.close()


async def _journey(bench: Bench, hands: int, count: int, server: PostgresServer | None = None) -> dict[str, float]:
    """So many cases all the way; what of the server's CPU each part took, per case."""
    steps: tuple[tuple[str, Callable[[], Awaitable[None]]], ...] = (
        ("intake", partial(_intake, bench, hands, count)),
        ("claim, read, settle", partial(_settled, bench, min(hands, 50))),
        ("figures", partial(_counted, bench.store)),
    )
    found = {}
    for name, step in steps:
        before = _server_cpu(server)
        await step()
        found[f"server µs {name}"] = (_server_cpu(server) - before) / count * 1e6
    return found


async def _intake(bench: Bench, hands: int, count: int) -> None:
    left = iter(range(count))

    async def hand() -> None:
        for _ in left:
            unit = bench.case(bench.store.ids.new("case"), _ENDPOINTS)
            unit.messages = [replace(message, document_sealed=_DOCUMENT) for message in unit.messages]
            await bench.committed(unit)

    await asyncio.gather(*(hand() for _ in range(hands)))


async def _settled(bench: Bench, batch: int) -> None:
    while claims := await bench.claim(batch):
        await bench.store.runner.read(_surroundings, [claim.subject for claim in claims])
        await asyncio.gather(*(bench.store.settle(_delivered(bench, claim)) for claim in claims))


def _surroundings(subjects: list[str]) -> Operation[None]:
    """What a delivery reads of its case's messages."""
    yield "messages_of", [(subject,) for subject in sorted(set(subjects))]


def _delivered(bench: Bench, claim: Claim) -> Settlement:
    attempt = AttemptRow("schedule", "delivered", None, 1, 5, _STEPS)
    return bench.settlement(claim, attempt=attempt)


async def _counted(store: Store) -> None:
    while await store.run(number, _BATCH):
        continue
    while await store.run(tally, _BATCH, fold) == _BATCH:
        continue


def _server_cpu(server: PostgresServer | None) -> float:
    """CPU seconds of the server's processes that are there, finer than the system's ticks."""
    if server is None or server.child is None:
        return 0.0
    total = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "stat").read_text("ascii", "replace")
            parent = int(line[line.rindex(")") + 2 :].split()[1])
            if server.child.pid in (parent, int(entry.name)):
                total += int((entry / "schedstat").read_text("ascii").split()[0])
        except OSError:
            continue  # it has ended meanwhile
    return total / 1e9
