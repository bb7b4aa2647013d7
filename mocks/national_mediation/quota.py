"""How often the client may call (page §1): calls and uploads in a window, calls at once, polls not too soon."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mocks.national_mediation.problems import Problem
from mocks.national_mediation.settings import Settings


class Window:
    """So many calls in a window that begins with the first one, on real time."""

    def __init__(self, limit: int, window_s: float) -> None:
        self.limit = limit
        self._window_s = window_s
        self._ends = 0.0
        self._used = 0

    def _turn(self) -> None:
        if time.monotonic() >= self._ends:
            self._ends = time.monotonic() + self._window_s
            self._used = 0

    @property
    def remaining(self) -> int:
        """Calls that are left."""
        self._turn()
        return self.limit - self._used

    @property
    def reset(self) -> int:
        """Seconds to the next window, rounded up."""
        self._turn()
        return max(1, math.ceil(self._ends - time.monotonic()))

    def take(self) -> None:
        """Count one call. Raises :class:`Problem` ``RATE_LIMITED``."""
        if not self.remaining:
            raise Problem("RATE_LIMITED", retry_after=str(self.reset))
        self._used += 1


class Quota:
    """All limits of one client."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.calls = Window(settings.quota_per_minute, settings.quota_window_s)
        self._uploads = Window(settings.uploads_per_minute, settings.quota_window_s)
        self._running = 0
        self._last_pages: dict[str, float] = {}

    @contextmanager
    def call(self, op: str) -> Iterator[None]:
        """A call while it is answered. Raises :class:`Problem` ``RATE_LIMITED`` where it may not begin."""
        self.calls.take()
        if op == "file.upload":
            self._uploads.take()
        if self._running >= self._settings.at_once:
            raise Problem("RATE_LIMITED", retry_after=str(self._settings.retry_s))
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    def check_poll(self, op: str) -> None:
        """Raises :class:`Problem` ``RATE_LIMITED`` for a poll too soon after the last page of its list."""
        left = self._last_pages.get(op, -math.inf) + self._settings.poll_min_s - time.monotonic()
        if left > 0:
            raise Problem("RATE_LIMITED", retry_after=str(math.ceil(left)))

    def polled(self, op: str, *, more: bool) -> None:
        """A page went out; after one that promises more the next may follow at once."""
        if more:
            self._last_pages.pop(op, None)
        else:
            self._last_pages[op] = time.monotonic()
