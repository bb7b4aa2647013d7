"""A real ``House`` for tests: composed by ``gateway.app.build``, with short waits and a clock of its own."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from gateway.app import build
from gateway.flow.house import House
from gateway.observability.traces import QUIET, Tracer
from gateway.registry import AnyAdapter
from gateway.settings import RetrySettings, RouteSettings, Settings
from gateway.store.migrate import migrate_sqlite
from gateway.store.opening import read_keys
from gateway.store.store import LEASES
from tests.servers.databases import clocked, database

ENGINE = os.environ.get("GATEWAY_TEST_ENGINE", "sqlite")
BUS = os.environ.get("GATEWAY_TEST_BUS", "memory")
"""What the houses of all tests stand on: ``GATEWAY_TEST_ENGINE=postgresql GATEWAY_TEST_BUS=kafka`` runs the suite on the other
engine and the other bus."""

START = datetime(2026, 10, 10, 4, 0, tzinfo=UTC)
"""Where a test's clock begins: the samples lie before it, and their legal deadlines (30 days) after it."""

FAST = RetrySettings(
    standard=(0.05,) * 12,
    statutory=(0.05,),
    statutory_last_day=0.05,
    orphan=(0.05, 0.1, 0.2, 0.4),
    document=(0.05, 0.1, 0.2),
    breaker=0.3,
)
"""The retry classes, fit for tests that wait for them."""


class Clock:
    """A clock that begins at ``START`` and runs as the machine's does; ``skip`` moves it ahead."""

    def __init__(self, start: datetime = START) -> None:
        self._start_ms = round(start.timestamp() * 1000)
        self._zero = time.monotonic()
        self.skipped = False

    def ms(self) -> int:
        """Milliseconds since 1970."""
        return self._start_ms + round(1000 * (time.monotonic() - self._zero))

    def now(self) -> datetime:
        """The same as an aware time."""
        return datetime.fromtimestamp(self.ms() / 1000, UTC)

    def skip(self, seconds: float) -> None:
        """Let so many seconds have passed."""
        self._start_ms += round(seconds * 1000)
        self.skipped = True


class Gateways:
    """Makes houses and ends them. What the ``gateway`` fixture gives; call it::

        house = await gateway({"hr": {"adapter": "hr_arbitration", "settings": {…}}})

    ``adapters`` maps adapter names to classes (without it: the installed ones). ``data`` is the directory, shared by all
    houses of a test: a second house finds what the first one left, once that was closed or ``abandon``\\ ed. With ``dsn`` (a
    database on a test's clock) the houses are processes beside each other on PostgreSQL. ``broker`` gives them a bus.
    """

    def __init__(self, data: Path, dsn: str | None = None, broker: str | None = None) -> None:
        self.data = data
        self.dsn = dsn
        self.broker = broker
        self.prefix = f"t{token_hex(4)}"
        self.clock = Clock()
        self._open: list[House] = []

    async def __call__(
        self,
        endpoints: Mapping[str, Mapping[str, Any]],
        *,
        adapters: Mapping[str, type[AnyAdapter]] | None = None,
        routes: tuple[RouteSettings, ...] = (),
        start: bool = True,
        work: bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
        fault_point: Callable[[str], Awaitable[None]] | None = None,
        tracer: Tracer | None = None,
        **settings: Any,
    ) -> House:
        """One house; started unless told otherwise. ``settings`` override any key of ``gateway.settings.Settings``."""
        values: dict[str, Any] = {"env": "development", "retry": FAST, "lease_margin_s": 10}
        values["reconcile"] = {"daily": False}  # its questions would be counted by tests that skip days
        values["share_beat_s"] = 0.05
        values |= {"data": self.data, "endpoints": endpoints, "routes": routes}
        if self.broker is not None:
            values |= {"bus": f"kafka://{self.broker}", "kafka": {"prefix": self.prefix, "partitions": 2}}
        values |= settings
        if self.dsn is None:
            _lay(self.data)
        else:
            values["database"] = self.dsn
        loaders = None if adapters is None else {name: loader(kind) for name, kind in adapters.items()}
        wanted = Settings(**values)
        store = None if self.dsn is None else await clocked(self.dsn, self.clock.ms, read_keys(wanted))
        house = await build(
            wanted,
            store=store,
            now_ms=self.clock.ms,
            transport=transport,
            adapters=loaders,
            fault_point=fault_point,
            tracer=tracer or QUIET,
        )
        self._open.append(house)
        if start:
            house.start(work=work)
        return house

    def holds(self, house: House) -> bool:
        """Whether the house is open still."""
        return house in self._open

    async def abandon(self, house: House) -> None:
        """End a house as a killed process ends: what is in flight is dropped, nothing is settled."""
        self._open.remove(house)
        await house.worker.drop()
        for leaving in house.leaving:  # a broker would find out by itself, after a while that nobody waits for here
            await leaving()
        await house.transport.aclose()
        if house.webhooks is not None:
            await house.webhooks.close()
        if self.dsn is not None:  # on PostgreSQL a dead process's leases run out: nobody waits for that here
            for lease in LEASES:
                await house.store.write(lease, ())
        await house.store.runner.close()

    async def close(self) -> None:
        """End every house in order."""
        while self._open:
            await self._open.pop().close()


@asynccontextmanager
async def standing(
    request: pytest.FixtureRequest, data: Path, kind: type[Gateways] = Gateways
) -> AsyncIterator[Gateways]:
    """Makes houses on the engine and the bus of this run, and closes them; for a fixture of whatever scope."""
    broker = request.getfixturevalue("broker").address if BUS == "kafka" else None
    async with AsyncExitStack() as held:
        dsn = None
        if ENGINE == "postgresql":
            dsn = await held.enter_async_context(database(request.getfixturevalue("postgres"), virtual=True))
        houses = kind(data, dsn, broker)
        yield houses
        await houses.close()


@cache
def _migrated() -> bytes:
    """An empty database of the newest schema, migrated once for all tests."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "gateway.db"
        migrate_sqlite(path)
        return path.read_bytes()


def _lay(data: Path) -> None:
    path = data / "gateway.db"
    if not path.exists():
        data.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_migrated())


def loader(kind: type[AnyAdapter]) -> Callable[[], type[AnyAdapter]]:
    """An entry point that leads to this adapter."""
    return lambda: kind
