"""What waits for a person, beside the menu's words: open tasks, calls of platforms that nothing was found for, alerts that
nobody has acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from gateway.flow.house import House
from gateway.security.data_scope import DataScope
from gateway.store.console import LAST

MOST: Final = 99
"""What a badge counts to; beyond it says ``99+``."""

_KEPT_S: Final = 2.0
_LOOKED: Final = 200
"""Newest open tasks that are looked through for an account with a data scope: no index counts its own."""


class Badges:
    """Counts for the menu, at most ``MOST + 1`` each, remembered for a moment: every page shows them."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._seen: tuple[float, Mapping[str, int]] = (0.0, {})
        self._lock = asyncio.Lock()

    async def of(self, scope: DataScope, reach: frozenset[str] | None) -> Mapping[str, int]:
        """By place of the menu. An account with a data scope is told of its own tasks alone."""
        if not scope.whole:
            rows = await self._house.store.rows("newest_tasks", "open", LAST, _LOOKED)
            mine = sum(reach is None or row["organization"] in reach for row in rows)
            return {"tasks": min(mine, MOST + 1)}
        async with self._lock:
            if self._seen[0] < time.monotonic():
                self._seen = (time.monotonic() + _KEPT_S, await self._counted())
            return self._seen[1]

    def forget(self) -> None:
        """Count anew at the next page: somebody has just done what was waited for."""
        self._seen = (0.0, {})

    async def _counted(self) -> Mapping[str, int]:
        store = self._house.store
        tasks = await store.rows("count_tasks", MOST + 1)
        alerts = await store.rows("open_alerts")
        unseen = sum(row["seen_by"] is None for row in alerts)
        found = {"tasks": tasks[0]["many"], "waiting": 0, "alerts": unseen}
        for state in ("orphan", "unreadable"):
            calls = await store.rows("count_callbacks", state, MOST + 1)
            found["waiting"] += int(calls[0]["many"])
        return {place: min(many, MOST + 1) for place, many in found.items()}
