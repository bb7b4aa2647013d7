"""The kit's stage for a platform that has a mock: the real server, over real HTTP by the engine's own way out."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, ClassVar

from contracts.adapter import Exchange, Json, Reply, Request
from contracts.conformance import BUSY_FOR, Fault, Sample, Stage
from contracts.conformance.room import Room
from gateway.flow.delivering.exchange import HttpExchange, Limits, Pace
from gateway.flow.delivering.transport import Transport
from gateway.store.opening import machine_ms
from mocks.platform import Platform
from mocks.server import MockServer
from tests.adapters.ways import HttpAlone

_ATTEMPT_S = 10.0
_SILENCE_S = 0.5
"""A filing that meets silence has no longer; what prepares it has all the time of an attempt."""
_NOBODY = "http://127.0.0.1:1/callbacks"
"""Where the platform calls back during a check: what it says is shown as scripts."""

_OF_THE_WAY: Mapping[Fault, Json] = {
    Fault.RESET_BEFORE: {"action": "reset"},
    Fault.RESET_AFTER: {"action": "accept_then_reset"},
    Fault.STALL: {"action": "stall"},
    Fault.SILENT_AFTER: {"action": "accept_then_silent"},
    Fault.SERVER_ERROR: {"action": "http", "status": 500},
    Fault.BUSY: {"action": "http", "status": 503, "retry_after": str(round(BUSY_FOR.total_seconds()))},
}
"""Faults that every mock plays on its socket."""


class MockStage(Stage):
    """A mock that is up, what must stand in its books before the samples, and its adapter.

    A fault strikes the filing: what prepares it passes. Garbage alone is made by the kit, which knows more of it.
    """

    plays: ClassVar[frozenset[Fault]] = frozenset(Fault) - {Fault.GARBAGE}
    platform_type: ClassVar[type[Platform]]
    mock_settings: ClassVar[Json] = {}
    """What the platform's configuration has in place of the mock's own values."""
    dialect: ClassVar[Mapping[Fault, Json]]
    """How the mock is told of the faults that only its dialect can say."""
    clock: ClassVar[datetime]
    """What the platform's clock shows at the beginning of a check: a day of the samples."""

    server: MockServer
    _directory: TemporaryDirectory[str]

    def __init__(self) -> None:
        self.transport = Transport()
        self._armed: Fault | None = None
        self._before: tuple[str, ...] = ()

    async def __aenter__(self) -> MockStage:
        self._directory = TemporaryDirectory(prefix="stage-")
        self.server = MockServer(
            self.platform_type, Path(self._directory.name), callbacks=_NOBODY, settings=self.mock_settings
        )
        await self.server.start()
        self.server.clock.set(self.clock)
        try:
            await self.set_the_scene()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        self._before = tuple(self.booked())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.transport.aclose()
        await self.server.stop()
        self._directory.cleanup()

    # ---- for the platforms
    async def set_the_scene(self) -> None:
        """File and decide what the samples follow from."""

    def booked(self) -> Iterable[str]:
        """The id of every business effect in the mock's ledger, in order."""
        raise NotImplementedError

    async def file(self, *samples: Sample) -> None:
        """File what a scene needs, as the adapter does it."""
        for sample in samples:
            room = Room(self)
            attempt = await room.send(room.translate(sample))
            assert attempt.receipt is not None, f"{sample.kind} of the scene was not taken: {attempt.said}"

    # ---- the kit's side
    def settings(self) -> Json:
        config = self.server.platform.config
        return {name: config[name] for name in self.adapter_type.settings_type.model_fields if name in config}

    def exchange(self) -> Exchange:
        kind = self.adapter_type
        limits = Limits.of(kind.info, kind.settings_type.model_validate(self.settings()))
        deadline = time.monotonic() + _ATTEMPT_S
        way = HttpExchange(self.transport, limits, Pace(2000, 8), machine_ms, deadline, keep_alive=False)
        return _Struck(self, way)

    async def arm(self, fault: Fault) -> None:
        self._armed = fault

    async def strike(self) -> Fault | None:
        """Tell the mock of the fault that is armed, now that the filing leaves; which one it was."""
        fault, self._armed = self._armed, None
        if fault is None:
            return None
        if fault is Fault.REFUSED_CONNECTION:
            self.server.refuse(60)
            await asyncio.sleep(0.1)
        else:
            self.server.faults.add([{"op": "*"} | {**_OF_THE_WAY, **self.dialect}[fault]])
        return fault

    def heal(self) -> None:
        """No fault stands any longer."""
        self.server.faults.clear()

    async def effects(self) -> Sequence[str]:
        return list(self.booked())[len(self._before) :]


@dataclass
class _Struck(HttpAlone):
    """The way out, with the stage's fault at the filing."""

    stage: MockStage
    way: Exchange

    async def call(
        self,
        step: str,
        request: Request,
        *,
        filing: bool = False,
        within: float | None = None,
        limit: int | None = None,
    ) -> Reply:
        """See ``contracts.adapter.Exchange``."""
        struck = await self.stage.strike() if filing else None
        if struck in (Fault.STALL, Fault.SILENT_AFTER):
            within = _SILENCE_S
        try:
            return await self.way.call(step, request, filing=filing, within=within, limit=limit)
        finally:
            if struck is not None:
                self.stage.heal()


def changed(plain: bytes, **fields: Any) -> bytes:
    """A JSON object with some of its fields replaced."""
    return json.dumps(json.loads(plain) | fields, ensure_ascii=False).encode()
