"""A moment (时刻) as it is kept, in whole milliseconds since 1970, and as a time: of UTC, or of Beijing, as the law counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from contracts.chinese_calendar import BEIJING

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


def from_ms(ms: float) -> datetime:
    """The moment, in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def in_beijing(ms: float) -> datetime:
    """The moment, in Beijing time."""
    return datetime.fromtimestamp(ms / 1000, BEIJING)


def written(ms: float) -> str:
    """The moment as RFC 3339 in Beijing time, to the millisecond."""
    return in_beijing(ms).isoformat(timespec="milliseconds")


def to_ms(moment: datetime) -> int:
    """The moment as it is kept; what is below a millisecond is cut off. Raises ``TypeError`` for a naive one."""
    return (moment - _EPOCH) // _MS
