"""Periods of reports: days in Beijing, both ends included; quarters by their name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from contracts.chinese_calendar import beijing_day
from contracts.moments import from_ms, to_ms

LONGEST: Final = 1_100
"""Days of the longest period: three years."""

_QUARTER: Final = re.compile(r"([12][0-9]{3})Q([1-4])")
_DAY: Final = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}")
_FIRST: Final = date(1970, 1, 2)
"""The first day whose moment is one of the store's: no case is older, and what lies before the year 1 cannot be told."""


class PeriodRefused(ValueError):
    """A period that cannot be: ``name`` is the parameter (``from``, ``to``, ``period``)."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Period:
    """From one day to another, both included (统计期间)."""

    start: date
    end: date

    def __contains__(self, day: object) -> bool:
        """Whether a day lies in it; ``None`` never does."""
        return isinstance(day, date) and self.start <= day <= self.end

    @property
    def quarter(self) -> str | None:
        """``2026Q3`` where it is exactly a quarter."""
        named = f"{self.start.year:04}Q{(self.start.month + 2) // 3}"
        return named if self == quarter(named) else None

    @property
    def changed_since_ms(self) -> int:
        """No case that was last written before this moment can have a day in the period: documents speak of the past, by a
        minute at most of the future, so a day's word is written on that day or later. One day of margin."""
        first = max(self.start, _FIRST)
        start = datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=1, hours=8)
        return to_ms(start)


def day_of(name: str, given: str) -> date:
    """A day ``2026-09-30``.

    Raises:
        PeriodRefused: it is none.
    """
    if not _DAY.fullmatch(given):
        raise PeriodRefused(name)
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise PeriodRefused(name) from None


def period_of(since: str | None, until: str | None, today: date) -> Period:
    """The period of a call. Without an end it goes to today, without a beginning from the first day of the end's year.

    Raises:
        PeriodRefused: no days, ends before it begins, or is longer than ``LONGEST``.
    """
    end = today if until is None else day_of("to", until)
    start = date(end.year, 1, 1) if since is None else day_of("from", since)
    if end < start or (end - start).days >= LONGEST:
        raise PeriodRefused("to" if until is not None else "from")
    return Period(start, end)


def quarter(name: str) -> Period:
    """The quarter of that name, ``2026Q3``.

    Raises:
        PeriodRefused: no name of a quarter.
    """
    found = _QUARTER.fullmatch(name)
    if found is None:
        raise PeriodRefused("period")
    year, number = int(found.group(1)), int(found.group(2))
    start = date(year, 3 * number - 2, 1)
    after = date(year + 1, 1, 1) if number == 4 else date(year, 3 * number + 1, 1)
    return Period(start, after - timedelta(days=1))


def quarter_before(day: date) -> str:
    """The name of the last quarter that was over on that day."""
    number = (day.month - 1) // 3
    return f"{day.year - 1:04}Q4" if number == 0 else f"{day.year:04}Q{number}"


def day_of_ms(at_ms: int) -> date:
    """The day in Beijing of a moment in milliseconds since 1970."""
    return beijing_day(from_ms(at_ms))
