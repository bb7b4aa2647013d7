"""(a) Intake: durable 202 of a case, against routes that only check it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import uvloop

from tests.bench import bodies, load
from tests.bench.accounts import cpu_of
from tests.bench.figures import Result, Sample
from tests.bench.ground import Ground
from tests.bench.stand import KEY
from tests.servers.process import Child, free_port

HEADERS = (("Authorization", f"Bearer {KEY.shown}"),)
_IN_FLIGHT = 32


def requests(count: int, run: str) -> list[bytes]:
    """So many different cases, as requests."""
    return [load.request("/v1/cases", bodies.case(number, run), HEADERS) for number in range(count)]


def accepted(
    what: str, child: Child, port: int, outgoing: Sequence[bytes], in_flight: int, beside: Sequence[Child] = ()
) -> Sample:
    """A burst of these requests; all must be taken. ``beside``: processes whose CPU belongs to it."""
    pids = [child.pid, *(one.pid for one in beside)]
    before = cpu_of(*pids)
    answers = uvloop.run(load.burst(port, outgoing, in_flight))
    used = cpu_of(*pids) - before
    if answers.statuses != {202: len(outgoing)}:
        raise RuntimeError(f"{what}: {answers.statuses}")
    return Sample(what, answers.rate, used / len(outgoing) * 1e6)


def measure(ground: Ground, scale: float, rounds: int) -> Result:
    """The measurement."""
    result = Result("a", "受理 intake")
    count = max(int(4000 * scale), 400)
    for turn in range(rounds):
        for name in ("shape", "rules", "framework"):
            port = free_port()
            child = ground.module("tests.bench.routes", name, str(port), port=port)
            uvloop.run(load.burst(port, requests(200, "w"), 8))
            result.add(accepted(name, child, port, requests(count, "c"), _IN_FLIGHT))
            ground.end(child)
        sink = ground.receiver()
        for engine in ("sqlite", "postgresql"):
            _engine(ground, result, sink.url, engine, count, turn)
        ground.end(sink.child)
    for engine, goal in (("sqlite", 0.20), ("postgresql", 0.25)):
        for ceiling in ("rules", "shape", "framework"):
            what = f"accepted on {engine} / {ceiling}"
            result.compare(what, result.median(engine), result.median(ceiling), goal if ceiling == "rules" else None)
    result.compare("group commit: 64 in flight / 1", result.median("sqlite, 64"), result.median("sqlite, 1"), 4.0)
    return result


def _engine(ground: Ground, result: Result, sink: str, engine: str, count: int, turn: int) -> None:
    server = ground.postgres() if engine == "postgresql" else None
    database = "sqlite" if server is None else server.dsn()
    gateway = ground.gateway(sink, database=database, work=False)
    uvloop.run(load.burst(gateway.port, requests(300, f"w{turn}"), 8))
    time.sleep(0.5)
    result.add(accepted(engine, gateway.child, gateway.port, requests(count, f"{engine[:2]}{turn}"), _IN_FLIGHT))
    if engine == "sqlite":
        few = requests(max(count // 8, 100), f"s{turn}")
        result.add(accepted("sqlite, 1", gateway.child, gateway.port, few, 1))
        result.add(accepted("sqlite, 64", gateway.child, gateway.port, requests(count, f"m{turn}"), 64))
    ground.end(gateway.child)
    if server is not None:
        server.stop()
