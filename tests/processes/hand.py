"""One ``gateway work`` of a test: a process that delivers to one toy platform until it is told to end, or killed.

``python -m tests.processes.hand DSN DIRECTORY PORT``
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from gateway import logs
from gateway.app import build
from gateway.flow.house import House
from gateway.settings import EndpointSettings, RouteSettings, Settings
from tests.house import FAST
from tests.seam.adapters import ToyIdempotent
from tests.seam.platform import CALL_KEY, KEY
from tests.seam.scene import IDS


async def stand(dsn: str, data: Path, port: int) -> House:
    """The house, not started. Leases last three seconds, so that a dead process's work is soon another's."""
    own = {"base_url": f"http://127.0.0.1:{port}", "key": KEY, "call_key": CALL_KEY, "lookup_lag_s": 0.1}
    own |= {"deadline_s": 2.0, "deadline_files_s": 2.0}
    settings = Settings(
        env="development",
        data=data,
        database=dsn,
        retry=FAST,
        lease_margin_s=1.0,
        endpoints={IDS: EndpointSettings(adapter=ToyIdempotent.info.name, slots=16, settings=own)},
        routes=tuple(RouteSettings(type=kind, endpoint=IDS) for kind in ("case.submitted", "case.progressed")),
    )
    return await build(settings, adapters={ToyIdempotent.info.name: lambda: ToyIdempotent})


async def main(dsn: str, data: Path, port: int) -> None:
    """Work until SIGTERM."""
    logs.configure("error")
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    house = await stand(dsn, data, port)
    house.start()
    print("ready", flush=True)  # noqa: T201 -- the test waits for it
    await end.wait()
    await house.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
