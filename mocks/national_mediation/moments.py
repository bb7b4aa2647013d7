"""Times as the platform writes them: UTC with milliseconds and Z, dates and working days of China."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from mocks.clock import BEIJING

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_SATURDAY: Final = 5


def write(at: datetime) -> str:
    """``2026-09-16T01:30:00.000Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_seconds(moment: float) -> datetime:
    """The moment of so many seconds since 1970."""
    return datetime.fromtimestamp(moment, UTC)


def read(text: str) -> datetime | None:
    """The moment, aware; ``None`` for any other form or a time that does not exist."""
    if _TIME.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def known(text: str) -> datetime:
    """A moment that was written here. Raises ``ValueError`` for any other text."""
    at = read(text)
    if at is None:
        raise ValueError("a stored time is unreadable")
    return at


def is_date(text: str) -> bool:
    """Whether the text is a real ``yyyy-MM-dd``."""
    if _DATE.fullmatch(text) is None:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def working_days_after(at: datetime, days: int) -> datetime:
    """The same time of day, ``days`` working days on (Monday to Friday in China; the platform knows no holidays)."""
    there = at.astimezone(BEIJING)
    while days:
        there += timedelta(days=1)
        days -= there.weekday() < _SATURDAY
    return there


def quarter_window(period: str, first_day: int, last_day: int) -> tuple[date, date]:
    """First and last day (China) on which the figures of ``period`` (``2026Q3``) are taken."""
    year, quarter = int(period[:4]), int(period[5])
    month = quarter * 3 + 1
    start = date(year + month // 13, (month - 1) % 12 + 1, 1)
    return start + timedelta(days=first_day - 1), start + timedelta(days=last_day - 1)
