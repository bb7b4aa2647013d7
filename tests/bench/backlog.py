"""(f) What has piled up: events to a broker, and reading among a million messages."""

from __future__ import annotations

import json
import sqlite3
import time
import urllib.request
from pathlib import Path

import uvloop

from tests.bench import load
from tests.bench.accounts import cpu_of
from tests.bench.delivery import cases
from tests.bench.figures import Result, Sample, percentile
from tests.bench.ground import Gateway, Ground
from tests.bench.intake import HEADERS
from tests.bench.stored import fill
from tests.servers.kafka import Broker

_EVENTS_OF_A_CASE = 5
_READS = 40


def measure(ground: Ground, scale: float, rounds: int) -> Result:
    """The measurement."""
    result = Result("f", "积压与查询 backlog and reading")
    for turn in range(rounds):
        _broker(ground, result, max(int(2000 * scale), 200), turn)
    _among(ground, result, int(1_000_000 * scale))
    return result


def _broker(ground: Ground, result: Result, count: int, turn: int) -> None:
    """Events of so many cases, taken in while nobody published, brought to a broker."""
    data, sink = ground.directory / f"bus{turn}", ground.receiver()
    data.mkdir()
    filling = ground.gateway(sink.url, data=data, work=False)
    uvloop.run(load.burst(filling.port, cases(count, f"k{turn}"), 32))
    ground.end(filling.child)
    broker = Broker()
    broker.start()
    try:
        gateway = ground.gateway(sink.url, data=data, bus=f"kafka://{broker.address}")
        started = time.perf_counter()
        while _waiting(data) > 0:
            time.sleep(0.05)
        seconds, events = time.perf_counter() - started, count * _EVENTS_OF_A_CASE
        result.add(Sample("events to Kafka, with delivery", events / seconds, cpu_of(gateway.child.pid) / events * 1e6))
        ground.end(gateway.child)
    finally:
        broker.remove()
    ground.end(sink.child)


def _waiting(data: Path) -> int:
    """Events that are not on the bus yet, read beside the gateway."""
    connection = sqlite3.connect(f"file:{data / 'gateway.db'}?mode=ro", uri=True)
    try:
        events = connection.execute("SELECT count(*) FROM events").fetchone()[0]
        told = connection.execute("SELECT position FROM marks WHERE consumer = 'broker'").fetchone()
        return int(events) - (0 if told is None else int(told[0]))
    finally:
        connection.close()


def _among(ground: Ground, result: Result, size: int) -> None:
    """Timeline and search among so many messages."""
    data = ground.directory / "many"
    data.mkdir()
    warm = ground.gateway("http://127.0.0.1:9/x", data=data, work=False)
    ground.end(warm.child)
    _filled(data / "gateway.db", size)
    gateway = ground.gateway("http://127.0.0.1:9/x", data=data, work=False)
    for what, path in (
        ("a case by its number", "/v1/cases?source_case_no=OLD-{:08d}"),
        ("a case", "/v1/cases/case_00{:024d}"),
        ("a timeline", "/v1/cases/case_00{:024d}/timeline"),
    ):
        waits = [_read(gateway, path.format(1 + number * (size // 10 - 2) // _READS)) for number in range(_READS)]
        more = {"p50 ms": percentile(waits, 0.5), "p95 ms": percentile(waits, 0.95)}
        result.add(Sample(f"{what} among {size:,}", 0.0, 0.0, more))
    ground.end(gateway.child)


def _filled(path: Path, size: int) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    fill(connection, 0, size)
    connection.close()


def _read(gateway: Gateway, path: str) -> float:
    request = urllib.request.Request(f"http://127.0.0.1:{gateway.port}{path}", headers=dict(HEADERS))
    started = time.perf_counter()
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 -- own
        json.load(answer)
    return (time.perf_counter() - started) * 1000
