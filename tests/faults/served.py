"""One gateway process with its web server before toy platforms: what the machines kill, stop, starve and confuse from outside.

``python -m tests.faults.served FILE``; FILE holds an ``Orders`` as JSON. Prints ``ready`` and its port; SIGTERM ends it.
"""

from __future__ import annotations

import asyncio
import json
import mmap
import signal
import struct
import sys
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

_TAKEN = ("case.submitted", "case.progressed")
CLOCK = struct.Struct("<q")
"""The file of a shifted clock: how many nanoseconds the process's clock is off."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What the process is: its directory, the toy platforms' ports, the client's key. ``database``: a PostgreSQL; ``clock``:
    the file that shifts the process's clock. An attempt has ``deadline_s``, a lease ``margin_s`` more; a stop cuts it off after
    ``grace_s``."""

    data: str
    platforms: dict[str, int]
    key: str
    database: str = ""
    clock: str = ""
    deadline_s: float = 1.5
    margin_s: float = 1.0
    lag_s: float = 0.1
    grace_s: float = 20.0
    limits: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        """Into a file; returns it."""
        path.write_text(json.dumps(asdict(self)), "utf-8")
        return path


def shift_clock(path: str) -> None:
    """From here on this process's wall clock is the machine's and what the file says; the monotonic one is left alone, as when
    somebody sets a machine's clock."""
    with Path(path).open("rb") as file:
        off = mmap.mmap(file.fileno(), CLOCK.size, prot=mmap.PROT_READ)
    true_ns = time.time_ns

    def time_ns() -> int:
        shift: int = CLOCK.unpack_from(off)[0]
        return true_ns() + shift

    time.time_ns = time_ns
    time.time = lambda: time_ns() / 1e9


def _itself(kind: type[Any]) -> type[Any]:
    return kind


async def main(orders: Orders) -> None:
    """Serve and deliver until SIGTERM."""
    from gateway import logs
    from gateway.app import build
    from gateway.security.clients import OPERATOR_SCOPES, UPSTREAM_SCOPES, NewKey, hash_secret
    from gateway.settings import EndpointSettings, RouteSettings, Settings
    from gateway.web.listen import Listener, listening_socket
    from gateway.web.server import web
    from tests.faults.victim import TOYS
    from tests.house import FAST
    from tests.seam.platform import CALL_KEY, KEY

    logs.configure("info")
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    own = {"key": KEY, "call_key": CALL_KEY, "lookup_lag_s": orders.lag_s, "connect_s": 1.0}
    own |= {"deadline_s": orders.deadline_s, "deadline_files_s": orders.deadline_s} | orders.limits
    endpoints = {
        name: EndpointSettings(
            adapter=TOYS[name].info.name, slots=8, settings={**own, "base_url": f"http://127.0.0.1:{port}"}
        )
        for name, port in orders.platforms.items()
    }
    settings = Settings(
        env="development",
        data=Path(orders.data),
        database=orders.database or "sqlite",
        retry=FAST,
        lease_margin_s=orders.margin_s,
        stop_grace_s=orders.grace_s,
        endpoints=endpoints,
        routes=tuple(RouteSettings(type=kind, endpoint=name) for name in endpoints for kind in _TAKEN),
    )
    house = await build(settings, adapters={kind.info.name: partial(_itself, kind) for kind in TOYS.values()})
    prefix, _, secret = orders.key.partition(".")
    if await house.store.row("find_client", prefix) is None:
        key = NewKey(prefix, orders.key, hash_secret(secret))
        await house.hands.clients.add("test", "upstream", (*UPSTREAM_SCOPES, *OPERATOR_SCOPES), ("*",), key)
    bound = listening_socket("127.0.0.1", 0)
    listener = Listener(web(house), bound)
    await listener.start()
    house.start()
    print("ready", bound.getsockname()[1], flush=True)  # noqa: T201 -- the machine waits for it
    await end.wait()
    await listener.stop()
    await house.close()


if __name__ == "__main__":
    given = Orders(**json.loads(Path(sys.argv[1]).read_text("utf-8")))
    if given.clock:
        shift_clock(given.clock)
    asyncio.run(main(given))
