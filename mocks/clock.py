"""The platform's own clock, which a tester may move."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8), "UTC+08:00")


class Clock:
    """Beijing time (+08:00, no summer time): real time plus an offset; it always runs on.

    ``changed`` holds callables that are told after each move (the push queue re-reads its due times then).
    """

    def __init__(self) -> None:
        self._offset = timedelta()
        self.changed: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """The platform's time, aware, +08:00."""
        return datetime.now(BEIJING) + self._offset

    def set(self, at: datetime) -> None:
        """Let the clock show ``at`` now. Raises ``ValueError`` when ``at`` has no offset."""
        if at.tzinfo is None:
            raise ValueError("a time needs its offset, such as 2026-09-30T17:05:03+08:00")
        self._offset = at - datetime.now(BEIJING)
        self._tell()

    def shift(self, seconds: float) -> None:
        """Move the clock by ``seconds``, added to what was moved before."""
        self._offset += timedelta(seconds=seconds)
        self._tell()

    def reset(self) -> None:
        """Back to real time."""
        self._offset = timedelta()
        self._tell()

    def _tell(self) -> None:
        for listener in self.changed:
            listener()
