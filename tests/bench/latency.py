"""(d) From the 202 to the arrival, at 50 cases a second."""

from __future__ import annotations

import time

import uvloop

from tests.bench import load, peers
from tests.bench.delivery import cases
from tests.bench.figures import Result, Sample, percentile
from tests.bench.ground import Ground, Receiver

_RATE = 50.0


def measure(ground: Ground, scale: float, rounds: int) -> Result:
    """The measurement."""
    result = Result("d", "时延 latency")
    count = max(int(500 * scale), 60)
    sink = ground.receiver()
    for turn in range(rounds):
        gateway = ground.gateway(sink.url)
        _at_rate(result, "sqlite, one process", sink, gateway.port, count, f"o{turn}")
        ground.end(gateway.child)
        server = ground.postgres()
        serving = ground.gateway(sink.url, database=server.dsn(), work=False)
        working = ground.gateway(sink.url, database=server.dsn(), serve=False)
        _at_rate(result, "postgresql, processes apart", sink, serving.port, count, f"p{turn}")
        ground.end(serving.child, working.child)
        server.stop()
        celery = peers.RIVALS[0]
        with peers.running(ground, celery, sink) as running:
            if running is not None:
                _at_rate(result, celery.name, sink, running.port, count, f"r{turn}")
    one, apart = "sqlite, one process", "postgresql, processes apart"
    result.compare("p50 in one process, ms", result.median(one, "p50 ms"), 1.0, 5.0, at_most=True)
    result.compare(
        "p99 / Celery's", result.median(one, "p99 ms"), result.median("Celery + Redis", "p99 ms"), 1.0, at_most=True
    )
    result.compare("p99 with processes apart, ms", result.median(apart, "p99 ms"), 1.0, 10.0, at_most=True)
    return result


def _at_rate(result: Result, what: str, sink: Receiver, port: int, count: int, run: str) -> None:
    uvloop.run(load.burst(port, cases(100, f"{run}w"), 8))
    sink.until(100, 60)
    time.sleep(1.0)
    sink.ask("forget")
    outgoing = cases(count, run)
    answers = uvloop.run(load.steady(port, outgoing, _RATE))
    sink.until(count, 60)
    first = sink.ask("seen").first
    waits = [(first[number] - answers.when[number]) * 1000 for number in answers.when if number in first]
    answered = [(done - sent) * 1000 for sent, done in zip(answers.sent, answers.answered, strict=True)]
    more = {
        "p50 ms": max(percentile(waits, 0.5), 0.0),
        "p95 ms": percentile(waits, 0.95),
        "p99 ms": percentile(waits, 0.99),
        "202 p50 ms": percentile(answered, 0.5),
        "202 p99 ms": percentile(answered, 0.99),
        "lost": float(count - len(waits)),
    }
    result.add(Sample(what, _RATE, 0.0, more))
    sink.ask("forget")
