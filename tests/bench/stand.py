"""The gateway as it is measured: the real composition, the real web server, one plain platform.

``python -m tests.bench.stand '{"data": …, "database": …, "port": …, "sink": …, "serve": true, "work": true}'``
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import uvloop

from gateway import interpreter, logs
from gateway.app import build
from gateway.flow.house import House
from gateway.security.clients import UPSTREAM_SCOPES, NewKey, hash_secret
from gateway.settings import EndpointSettings, RouteSettings, Settings
from gateway.web.listen import Listener, listening_socket
from gateway.web.server import web
from tests.bench.accounts import tasks_file
from tests.bench.plain import Plain

_BEAT_S = 0.5
"""Between a process's signs of life: so long is who comes new silent."""

KEY = NewKey("mgbench", "mgbench.bench-secret", hash_secret("bench-secret"))
"""The one client's key."""


def _tell(told: Path) -> None:
    written = told.with_suffix(".new")
    written.write_text(str(len(asyncio.all_tasks())), "ascii")
    written.rename(told)


async def stand(wanted: dict[str, Any]) -> House:
    """The house, not started: ``endpoints`` (1) plain platforms, each case goes to all of them."""
    names = [f"plain{place}" for place in range(wanted.get("endpoints", 1))]
    settings = Settings(
        env="development",
        data=Path(wanted["data"]),
        database=wanted.get("database", "sqlite"),
        bus=wanted.get("bus", "memory"),
        concurrency=wanted.get("concurrency", Settings.model_fields["concurrency"].default),
        share_beat_s=_BEAT_S,
        endpoints={
            name: EndpointSettings(adapter=Plain.info.name, slots=256, settings={"url": wanted["sink"]})
            for name in names
        },
        routes=tuple(RouteSettings(type="case.submitted", endpoint=name) for name in names),
    )
    house = await build(settings, adapters={Plain.info.name: lambda: Plain})
    if await house.store.row("find_client", KEY.prefix) is None:
        await house.hands.clients.add("bench", "bench", UPSTREAM_SCOPES, ("*",), KEY)
    return house


async def main(wanted: dict[str, Any]) -> None:
    """Serve, work, or both, until SIGTERM. At SIGUSR1 it writes down how many tasks its loop has."""
    logs.configure(wanted.get("logs", "info"))
    end = asyncio.Event()
    loop, told = asyncio.get_running_loop(), tasks_file(Path(wanted["data"]), os.getpid())
    loop.add_signal_handler(signal.SIGTERM, end.set)
    loop.add_signal_handler(signal.SIGUSR1, lambda: _tell(told))
    house = await stand(wanted)
    listener = None
    if wanted.get("serve", True):
        listener = Listener(web(house), listening_socket("127.0.0.1", wanted["port"]))
        await listener.start()
    house.start(work=wanted.get("work", True))
    interpreter.settle()
    print("ready", flush=True)
    await end.wait()
    if listener is not None:
        await listener.stop()
    await house.close()


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
