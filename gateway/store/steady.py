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


def machine_ticks_ms() -> float:
    """Milliseconds since the machine was started, its sleep counted where the system counts it."""
    source = getattr(time, "CLOCK_BOOTTIME", None)
    return 1000 * (time.monotonic() if source is None else time.clock_gettime(source))


class SteadyClock:
    """Milliseconds since 1970 that never run backwards and never jump: leases and schedules are measured by them.

    ``wall`` is the machine's clock, which may be set, by two hours and by mistake; ``ticks`` only runs forward. A jump of the
    wall clock is logged and shown (``jump_ms``: how far it is ahead of this clock, 0 while it is followed); it is believed at
    the next start, when the store moves what it had planned (``store.sole_store``).
    """

    def __init__(self, wall: Callable[[], int], ticks: Callable[[], float] = machine_ticks_ms) -> None:
        self._wall = wall
        self._ticks = ticks
        self._lock = threading.Lock()  # the store's thread asks, and the loop's
        self._zero = wall() - ticks()
        self._last = 0
        self.jump_ms = 0

    def __call__(self) -> int:
        """Now."""
        with self._lock:
            wall, ticks = self._wall(), self._ticks()
            away = wall - (self._zero + ticks)
            if abs(away) <= FOLLOWED_MS:
                self._zero, away = wall - ticks, 0.0
            self._tell(round(away))
            self._last = max(self._last, round(self._zero + ticks))
            return self._last

    def _tell(self, away: int) -> None:
        was, self.jump_ms = self.jump_ms, away
        if abs(away - was) > FOLLOWED_MS:
            if away:
                log.error("clock_jumped", duration_ms=away)
            else:
                log.warning("clock_right_again", duration_ms=was)
