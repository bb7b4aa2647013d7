"""A real ``House`` for tests: composed by ``gateway.app.build``, with short waits and a clock of its own."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from gateway.app import build
from gateway.flow.house import House
from gateway.registry import AnyAdapter
from gateway.settings import RetrySettings, RouteSettings, Settings
from gateway.store.migrate import migrate_sqlite

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

    def ms(self) -> int:
        """Milliseconds since 1970."""
        return self._start_ms + round(1000 * (time.monotonic() - self._zero))

    def now(self) -> datetime:
        """The same as an aware time."""
        return datetime.fromtimestamp(self.ms() / 1000, UTC)

    def skip(self, seconds: float) -> None:
        """Let so many seconds have passed."""
        self._start_ms += round(seconds * 1000)


class Gateways:
    """Makes houses and ends them. What the ``gateway`` fixture gives; call it::

        house = await gateway({"hr": {"adapter": "hr_arbitration", "settings": {…}}})

    ``adapters`` maps adapter names to classes (without it: the installed ones). ``data`` is the directory, shared by all
    houses of a test: a second house finds what the first one left, once that was closed or ``abandon``\\ ed.
    """

    def __init__(self, data: Path) -> None:
        self.data = data
        self.clock = Clock()
        self._open: list[House] = []

    async def __call__(
        self,
        endpoints: Mapping[str, Mapping[str, Any]],
        *,
        adapters: Mapping[str, type[AnyAdapter]] | None = None,
        routes: tuple[RouteSettings, ...] = (),
        start: bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
        fault_point: Callable[[str], Awaitable[None]] | None = None,
        **settings: Any,
    ) -> House:
        """One house; started unless told otherwise. ``settings`` override any key of ``gateway.settings.Settings``."""
        values: dict[str, Any] = {"env": "development", "retry": FAST, "lease_margin_s": 10}
        values |= {"data": self.data, "endpoints": endpoints, "routes": routes} | settings
        _lay(self.data)
        loaders = None if adapters is None else {name: _loader(kind) for name, kind in adapters.items()}
        house = await build(
            Settings(**values),
            now_ms=self.clock.ms,
            transport=transport,
            adapters=loaders,
            fault_point=fault_point,
        )
        self._open.append(house)
        if start:
            house.start()
        return house

    async def abandon(self, house: House) -> None:
        """End a house as a killed process ends: what is in flight is dropped, nothing is settled."""
        self._open.remove(house)
        await house.worker.stop(grace_s=0)
        await house.transport.aclose()
        await house.store.runner.close()

    async def close(self) -> None:
        """End every house in order."""
        while self._open:
            await self._open.pop().close()


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


def _loader(kind: type[AnyAdapter]) -> Callable[[], type[AnyAdapter]]:
    return lambda: kind
