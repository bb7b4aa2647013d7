"""Counts what flowed, off the journey's path: reads the numbered events behind a mark of its own, keeps figures for people."""

from __future__ import annotations

from typing import Final

from gateway.flow.moving.references import fold
from gateway.store import tally
from gateway.store.store import Store

_BATCH: Final = 1000
_REST_S: Final = 1.0
_MINUTES_KEPT_MS: Final = 26 * 3_600_000
_HOURS_KEPT_MS: Final = 400 * 86_400_000
_DROP_EVERY: Final = 600


class Tally:
    """One loop: ``turn`` counts what is new and returns how long to rest."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turns = 0

    async def turn(self) -> float:
        """Count the next batch."""
        if await self._store.run(tally.tally, _BATCH, fold) == _BATCH:
            return 0.0
        self._turns += 1
        if self._turns % _DROP_EVERY == 1:
            now = self._store.now_ms()
            await self._store.write(
                "drop_tallies", (tally.MINUTE, now - _MINUTES_KEPT_MS), (tally.HOUR, now - _HOURS_KEPT_MS)
            )
        return _REST_S
