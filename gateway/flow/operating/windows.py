"""Maintenance windows (维护时段): a platform's queue is held from one time to another, and flows again by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from gateway.store import pauses
from gateway.store.engine import Row
from gateway.store.store import Store

log = structlog.get_logger("gateway.windows")

LONGEST_MS: Final = 14 * 86_400_000
"""The longest window. What is to be held longer is paused by hand, and thought of by hand."""

_BATCH: Final = 2_000
_MOST: Final = 200_000
_REST_S: Final = 1.0


async def spread(store: Store, endpoint: str, per_minute: int) -> int:
    """Let what waits at a paused endpoint leave at a rate, once it flows; returns how much waits."""
    done = 0
    while done < _MOST:
        found = await store.run(pauses.spread, endpoint, per_minute, done, _BATCH)
        done += found
        if found < _BATCH:
            break
    return done


class Windows:
    """One loop: begins and ends windows when their time comes, to the second."""

    def __init__(self, store: Store, changed: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._changed = changed

    async def turn(self) -> float:
        """What is due now; returns how long to rest."""
        soonest = _REST_S
        for row in await self._store.rows("open_holds"):
            if row["planned"]:
                at = row["starts_at"] if row["began_at"] is None else row["ends_at"]
                if at <= row["now"]:
                    await self._move(row)
                else:
                    soonest = min(soonest, (at - row["now"]) / 1000)
        return max(soonest, 0.01)

    async def _move(self, row: Row) -> None:
        if row["began_at"] is None and row["ends_at"] <= row["now"]:
            # Nobody was at work while it lasted, so nothing was sent either.
            await self._store.run(pauses.take_back, row["id"], "gateway", "missed")
            return
        if row["began_at"] is None:
            await self._store.run(pauses.begin, row, self._store.ids)
            log.info("window_begun", endpoint=row["endpoint"], window=row["id"])
        else:
            if row["per_minute"] is not None:
                await spread(self._store, row["endpoint"], row["per_minute"])
            await self._store.run(pauses.end, row, self._store.ids)
            log.info("window_ended", endpoint=row["endpoint"], window=row["id"])
        self._changed()
