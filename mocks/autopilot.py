"""The clerk who decides by himself: for demonstrations, the same decisions for the same seed."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path
from random import Random
from typing import Any

from mocks.platform import Json, Platform

_LOOK_S = 0.1
_log = logging.getLogger(__name__)


class Autopilot:
    """Calls the platform's clerk for each undecided matter after its delay.

    Delay and decision come from ``Random("<seed>:<platform>:<matter>:<state>")``: they depend on the seed and the
    matter, never on the order of arrival. The setting is kept in ``file`` and holds over a restart.
    """

    def __init__(self, platform: Platform, file: Path) -> None:
        self._platform = platform
        self._file = file
        self._due: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None
        self.setting: Json = {}
        if file.exists():
            self._use(json.loads(file.read_text("utf-8")))

    def set(self, order: dict[str, Any]) -> None:
        """Take ``{seed, delay_ms, jitter_ms, mix}`` (``{}`` = off). Raises ``ValueError`` for anything else."""
        if unknown := sorted(set(order) - {"seed", "delay_ms", "jitter_ms", "mix"}):
            raise ValueError(f"unknown key {', '.join(unknown)}; known: seed, delay_ms, jitter_ms, mix")
        if order:
            seed = order.get("seed", 0)
            if isinstance(seed, bool) or not isinstance(seed, int | str):
                raise ValueError("seed must be a number or a text")
            for name in ("delay_ms", "jitter_ms"):
                number = order.get(name, 0)
                if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number < 1e10:
                    raise ValueError(f"{name} must be a number of milliseconds")
            mix = order.get("mix", {})
            if not isinstance(mix, dict) or not all(
                isinstance(weight, int | float) and not isinstance(weight, bool) and 0 <= weight < 1e9
                for weight in mix.values()
            ):
                raise ValueError("mix must be an object {decision: weight}")
            order = {
                "seed": seed,
                "delay_ms": order.get("delay_ms", 0),
                "jitter_ms": order.get("jitter_ms", 0),
                "mix": mix,
            }
        self._use(order)
        self._file.write_text(json.dumps(order, ensure_ascii=False), "utf-8")

    def _use(self, setting: Json) -> None:
        self.setting = setting
        self._platform.mix = setting.get("mix", {})
        self._due.clear()

    def start(self) -> None:
        """Begin to look for undecided matters."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            if not self.setting:
                continue
            now = time.monotonic()
            waiting: set[str] = set()
            unheard = self._platform.unheard()
            for record in self._platform.undecided():
                if record.get("ref") in unheard:
                    continue
                matter = f"{record.get('matter') or record.get('ref')}:{record.get('state', '')}"
                waiting.add(matter)
                random = Random(f"{self.setting['seed']}:{self._platform.name}:{matter}")
                wait = self.setting["delay_ms"] + random.random() * self.setting["jitter_ms"]
                if now >= self._due.setdefault(matter, now + wait / 1000):
                    try:
                        await self._platform.clerk(random, record)
                    except Exception:
                        # One matter that the platform cannot decide must not end the demonstration.
                        _log.exception("%s: the autopilot could not decide a matter", self._platform.name)
                    self._due[matter] = now + 1.0  # still there after its decision: not again at once
            for matter in set(self._due) - waiting:
                del self._due[matter]
