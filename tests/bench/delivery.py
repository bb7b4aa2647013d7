"""(b) One message to one plain HTTP endpoint, end to end, against the client alone, the bare minimum, and rivals."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from tests.bench import bodies, load, parts, peers
from tests.bench.accounts import cpu_of
from tests.bench.figures import Result, Sample
from tests.bench.ground import Ground, Receiver
from tests.bench.intake import HEADERS
from tests.servers.process import free_port

_IN_FLIGHT = 32
CLIENT = "the client alone"
APART = "postgresql, processes apart"


def cases(count: int, run: str) -> list[bytes]:
    """So many different cases as requests, with the gateway's key (which nobody else asks for)."""
    return [load.request("/v1/cases", bodies.case(number, run), HEADERS) for number in range(count)]


def end_to_end(what: str, sink: Receiver, port: int, pids: Sequence[int], count: int, run: str) -> Sample:
    """A burst in, and the time until the last one has arrived."""
    uvloop.run(load.burst(port, cases(200, f"{run}w"), 8))
    sink.until(200, 60)
    sink.ask("forget")
    outgoing = cases(count, run)
    before, started = cpu_of(*pids), time.time()
    answers = uvloop.run(load.burst(port, outgoing, _IN_FLIGHT))
    found = sink.until(count)
    used = cpu_of(*pids) - before
    lost = answers.statuses.get(202, 0) - found.unique
    seconds = found.last - started
    more = {"accepted/s": answers.rate, "lost": float(lost), "doubled": float(found.repeated)}
    sink.ask("forget")
    return Sample(what, found.unique / seconds, used / count * 1e6, more)


def client_alone(result: Result, sink: Receiver, count: int) -> None:
    """The transport's own ceiling."""
    command = [sys.executable, "-m", "tests.bench.client", sink.url, str(count), "64"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    result.add(Sample(CLIENT, told["rate"], told["cpu_us"]))
    sink.ask("forget")


def measure(ground: Ground, scale: float, rounds: int) -> Result:
    """The measurement."""
    result = Result("b", "投递 delivery")
    count = max(int(4000 * scale), 200)
    sink = ground.receiver()
    for turn in range(rounds):
        client_alone(result, sink, count)
        parts.measure(ground, result, count, turn)
        _bare(ground, result, sink, count, turn)
        for engine in ("sqlite", "postgresql"):
            ours(ground, result, sink, engine, count, turn)
        for rival in peers.RIVALS:
            _rival(ground, result, sink, rival, max(count // 4, 200), turn)
    names = [rival.name for rival in peers.RIVALS if result.median(rival.name) > 0]
    if names:
        fastest = max(names, key=result.median)
        for engine, goal in (("sqlite", 1.0), ("postgresql", 1.2), (APART, 1.2)):
            result.compare(f"{engine} / {fastest}", result.median(engine), result.median(fastest), goal)
            result.compare(f"{engine} / Celery", result.median(engine), result.median("Celery + Redis"), 2.5)
    result.compare("sqlite / the bare minimum", result.median("sqlite"), result.median("the bare minimum"), 0.5)
    together = sum(result.median(part, "cpu_us") for part in (parts.CHECK, parts.STORE, parts.CLAIM, CLIENT))
    result.compare("sum of the parts' CPU / the whole's", together, result.median("sqlite", "cpu_us"), 0.5)
    for engine in ("sqlite", "postgresql"):
        drained = result.median(f"{engine}, backlog drained")
        result.compare(f"{engine}, backlog drained / the client alone", drained, result.median(CLIENT), 0.6)
    return result


def _bare(ground: Ground, result: Result, sink: Receiver, count: int, turn: int) -> None:
    port, directory = free_port(), ground.directory / f"bare{turn}"
    directory.mkdir()
    child = ground.module("tests.bench.bare", str(port), str(directory), sink.url, port=port)
    result.add(end_to_end("the bare minimum", sink, port, [child.pid], count, f"b{turn}"))
    ground.end(child)


def ours(ground: Ground, result: Result, sink: Receiver, engine: str, count: int, turn: int) -> None:
    """The gateway, one process: a burst, then a backlog that it finds at its start."""
    server = ground.postgres() if engine == "postgresql" else None
    database = "sqlite" if server is None else server.dsn()
    data = ground.directory / f"{engine}{turn}"
    data.mkdir()
    beside = [] if server is None or server.child is None else [server.child.pid]
    gateway = ground.gateway(sink.url, database=database, data=data)
    pids = [gateway.child.pid, *beside]
    result.add(end_to_end(engine, sink, gateway.port, pids, count, f"{engine[:2]}{turn}"))
    ground.end(gateway.child)
    if server is not None:
        _apart(ground, result, sink, database, data, beside, count, turn)
    filling = ground.gateway(sink.url, database=database, data=data, work=False)
    uvloop.run(load.burst(filling.port, cases(count, f"{engine[:2]}d{turn}"), _IN_FLIGHT))
    ground.end(filling.child)
    draining = ground.gateway(sink.url, database=database, data=data)
    found = sink.until(count)
    first = min(sink.ask("seen").first.values())
    used = cpu_of(draining.child.pid, *beside) if server is None else 0.0
    more = {"doubled": float(found.repeated)}
    rate = found.unique / (found.last - first)
    result.add(Sample(f"{engine}, backlog drained", rate, used / count * 1e6, more))
    ground.end(draining.child)
    if server is not None:
        server.stop()
    sink.ask("forget")


def _apart(
    ground: Ground, result: Result, sink: Receiver, database: str, data: Path, beside: list[int], count: int, turn: int
) -> None:
    """One process that serves and one that works, as the rivals have them."""
    serving = ground.gateway(sink.url, database=database, data=data, work=False)
    working = ground.gateway(sink.url, database=database, data=data, serve=False)
    pids = [serving.child.pid, working.child.pid, *beside]
    result.add(end_to_end(APART, sink, serving.port, pids, count, f"a{turn}"))
    ground.end(serving.child, working.child)


def _rival(ground: Ground, result: Result, sink: Receiver, rival: peers.Rival, count: int, turn: int) -> None:
    with peers.running(ground, rival, sink) as running:
        if running is None:
            result.notes.append(f"{rival.name}: no server for it on this machine")
            return
        pids = [child.pid for child in running.children]
        result.add(end_to_end(rival.name, sink, running.port, pids, count, f"r{turn}"))
