"""The embedded store's clock: the machine's time as it stood at the start, carried on by a clock that nobody can set."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

log = structlog.get_logger("gateway.store")

FOLLOWED_MS: Final = 1_000
"""A difference that is followed: what a time service corrects. More is a jump, and is not."""

LOOKED_MS: Final = 50
"""How often the wall clock is looked at: a statement asks for the time at every row."""

_SOURCE: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Its sleep is counted where the system counts it."""


def machine_ticks_ms() -> int:
    """Milliseconds since the machine was started."""
    return time.clock_gettime_ns(_SOURCE) // 1_000_000


class SteadyClock:
    """Milliseconds since 1970 that never run backwards and never jump: leases and schedules are measured by them.

    ``wall`` is the machine's clock, which may be set, by two hours and by mistake; ``ticks`` only runs forward. A jump of the
    wall clock is logged and shown (``jump_ms``: how far it is ahead of this clock, 0 while it is followed); it is believed at
    the next start, when the store moves what it had planned (``store.sole_store``).
    """

    def __init__(self, wall: Callable[[], int], ticks: Callable[[], int] = machine_ticks_ms) -> None:
        self._wall = wall
        self._ticks = ticks
        self._lock = threading.Lock()  # the store's thread asks, and the loop's
        self._looked = ticks()
        self._zero = wall() - self._looked
        self._last = 0
        self.jump_ms = 0

    def __call__(self) -> int:
        """Now."""
        ticks = self._ticks()
        if ticks - self._looked >= LOOKED_MS:
            self._look(ticks)
        now = self._zero + ticks
        return now if now > self._last else self._last

    def _look(self, ticks: int) -> None:
        """Compare with the wall clock: follow it where it was corrected, tell of it where it was set."""
        with self._lock:
            self._looked = ticks
            self._last = max(self._last, self._zero + ticks)  # nobody was told more than that
            away = self._wall() - self._zero - ticks
            if -FOLLOWED_MS <= away <= FOLLOWED_MS:
                self._zero, away = self._zero + away, 0
            if away != self.jump_ms:
                self._tell(away)

    def _tell(self, away: int) -> None:
        was, self.jump_ms = self.jump_ms, away
        if abs(away - was) > FOLLOWED_MS:
            if away:
                log.error("clock_jumped", duration_ms=away)
            else:
                log.warning("clock_right_again", duration_ms=was)
