"""The ceiling of delivery: the gateway's own transport, posting alone. ``python -m tests.bench.client URL COUNT IN_FLIGHT``;
prints one JSON line."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import httpx
import uvloop

from gateway.flow.delivering.transport import Transport
from tests.bench import bodies


async def main(url: str, count: int, in_flight: int) -> dict[str, float]:
    """Requests a second, and CPU microseconds each."""
    transport, target = Transport(), httpx.URL(url)
    todo = [bodies.case(number, "p") for number in range(count)]

    async def work() -> None:
        while todo:
            document = todo.pop()
            outgoing = httpx.Request("POST", target, headers={"content-type": "application/json"}, content=document)
            answer = await transport.handle_async_request(outgoing)
            await answer.aread()

    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(in_flight)))
    found = {"rate": count / (time.perf_counter() - started), "cpu_us": (time.process_time() - cpu) / count * 1e6}
    await transport.aclose()
    return found


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))))
