"""How far a platform's clock is from ours, as the ``Date`` of its answers shows: signatures that hold a time need both."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from statistics import median
from typing import Final

from contracts.adapter import Reply

_KEPT: Final = 9
_LEAST: Final = 3
_SLOWEST_MS: Final = 2_000
"""An answer that took longer tells too little about the moment it was dated."""


class Skew:
    """The last answers of one platform."""

    def __init__(self) -> None:
        self._seen: deque[int] = deque(maxlen=_KEPT)

    def heard(self, reply: Reply, sent_ms: int, got_ms: int) -> None:
        """Note an answer. ``Date`` has whole seconds: half a second is added, which is right on the average."""
        if not 0 <= got_ms - sent_ms <= _SLOWEST_MS:
            return
        given = next((value for name, value in reply.headers if name.lower() == "date"), None)
        if given is None or len(given) > 40:
            return
        try:
            dated = parsedate_to_datetime(given)
        except (ValueError, OverflowError):
            return
        at = dated if dated.tzinfo is not None else dated.replace(tzinfo=UTC)
        self._seen.append(round((at - _ZERO).total_seconds() * 1000) + 500 - (sent_ms + got_ms) // 2)

    @property
    def ms(self) -> int | None:
        """Their clock less ours, the median of the last answers; ``None`` while there are too few."""
        return round(median(self._seen)) if len(self._seen) >= _LEAST else None


_ZERO: Final = datetime(1970, 1, 1, tzinfo=UTC)
