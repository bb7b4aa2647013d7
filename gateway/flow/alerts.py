"""Alerts (告警): what people must know without looking: told at the transition into trouble and at the one out of it."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from contracts.chinese_calendar import BEIJING
from gateway.store import console
from gateway.store.console import FAILED_STATES, Figures, id_at
from gateway.store.store import Store

log = structlog.get_logger("gateway.alerts")

_REST_S: Final = 10.0
_OLDEST_MS: Final = 1_800_000
_BURST_MS: Final = 600_000
_BURST: Final = 10
_ORPHAN_MS: Final = 3_600_000
_DUE_MS: Final = 86_400_000
_DISK: Final = 0.80
_DRIFT_MS: Final = 2_000
_CLOCKS: Final = 200


@dataclass(frozen=True, slots=True)
class Trouble:
    """One rule that holds about one thing; ``figure`` is what was measured."""

    rule: str
    about: str
    figure: str


class Alerts:
    """One loop: looks at the figures, and writes what began and what is over."""

    def __init__(self, store: Store, names: tuple[str, ...], data: Path) -> None:
        self._store = store
        self._names = names
        self._data = data

    async def turn(self) -> float:
        """Look once; returns how long to rest."""
        now = self._store.now_ms()
        tomorrow = datetime.fromtimestamp((now + _DUE_MS) / 1000, UTC).astimezone(BEIJING).date().isoformat()
        figures = await self._store.runner.read(console.figures, self._names, now, 900_000, tomorrow, _CLOCKS)
        found = {(one.rule, one.about): one for one in [*troubles(figures, now), *await self._slow(figures, now)]}
        standing = {(row["rule"], row["about"]): row["id"] for row in await self._store.rows("open_alerts")}
        for key, trouble in found.items():
            if key not in standing:
                row = (self._store.ids.new("alert"), trouble.rule, trouble.about, trouble.figure)
                if await self._store.write("open_alert", row):
                    log.warning("alert", code=trouble.rule, endpoint=trouble.about, state="opened")
        for key, identifier in standing.items():
            if key not in found and await self._store.write("close_alert", (identifier,)):
                log.info("alert", code=key[0], endpoint=key[1], state="recovered")
        return _REST_S

    async def _slow(self, figures: Figures, now: int) -> list[Trouble]:
        found = []
        for name in self._names:
            rows = await self._store.rows("failed_groups", name, now - _BURST_MS)
            recent = sum(row["recent"] or 0 for row in rows if row["state"] in FAILED_STATES)
            if recent > _BURST:
                found.append(Trouble("dead_burst", name, str(recent)))
        for state in ("orphan", "unreadable"):
            oldest = (await self._store.rows("count_callbacks", state, 1))[0]["oldest"]
            if oldest is not None and oldest < id_at("callback", now - _ORPHAN_MS):
                found.append(Trouble(f"callback_{state}", "callbacks", str(figures.callbacks[state])))
        for subject in {row["subject"] for row in figures.clocks}:
            opened = await self._store.rows("open_deliveries_of", subject)
            if any(row["state"] in ("pending", "in_doubt", *FAILED_STATES) for row in opened):
                found.append(Trouble("deadline_near", subject, str(len(opened))))
        usage = shutil.disk_usage(self._data if self._data.exists() else self._data.parent)
        if usage.used / usage.total > _DISK:
            found.append(Trouble("disk", "disk", f"{usage.used / usage.total:.0%}"))
        return found


def troubles(figures: Figures, now: int) -> list[Trouble]:
    """What the figures alone show."""
    found = []
    for row in figures.endpoints:
        if row["breaker"] != "closed":
            found.append(Trouble("breaker", row["name"], str(row["failures"])))
        if row["paused"] and row["paused_by"] in ("gateway", "platform"):
            found.append(Trouble("paused_by_fault", row["name"], row["reason"] or ""))
        oldest = figures.oldest.get(row["name"])
        if oldest is not None and now - oldest > _OLDEST_MS:
            found.append(Trouble("backlog_old", row["name"], f"{(now - oldest) // 60_000} min"))
    drift = abs(now - round(time.time() * 1000))
    if drift > _DRIFT_MS and drift < 86_400_000:  # farther away it is a simulated clock
        found.append(Trouble("clock", "clock", f"{drift} ms"))
    return found
