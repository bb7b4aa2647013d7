"""Office hours (工作时间) by the Chinese calendar, and who is silent in them though he usually sends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Self

from contracts.chinese_calendar import BEIJING, Calendar
from contracts.moments import from_ms, in_beijing

_REGULAR_DAYS: Final = 3
"""Days in the last fourteen on which one must have sent to be missed."""


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """When offices are open on working days, Beijing time."""

    opens: time
    closes: time
    calendar: Calendar

    @classmethod
    def of(cls, text: str, calendar: Calendar) -> Self:
        """From ``09:00-17:00``. Hours that end before they begin are no hours at all."""
        opens, _, closes = text.partition("-")
        return cls(time.fromisoformat(opens), time.fromisoformat(closes), calendar)

    def open_at(self, moment: datetime) -> bool:
        """Whether offices work at a moment."""
        there = moment.astimezone(BEIJING)
        return self.calendar.is_working_day(there.date()) and self.opens <= there.time() < self.closes

    def between(self, start: datetime, end: datetime) -> float:
        """Hours of work between two moments."""
        return sum(
            max((min(closes, end) - max(opens, start)).total_seconds(), 0) / 3600
            for opens, closes in self._days(start.astimezone(BEIJING).date(), end.astimezone(BEIJING).date())
        )

    def _days(self, first: date, last: date) -> Iterator[tuple[datetime, datetime]]:
        day = first
        while day <= last:
            if self.calendar.is_working_day(day):
                yield datetime.combine(day, self.opens, BEIJING), datetime.combine(day, self.closes, BEIJING)
            day += timedelta(days=1)


def long_silent(
    office: OfficeHours, heard: Mapping[str, set[int]], now_ms: int, hours: float
) -> Iterator[tuple[str, float]]:
    """Who was silent for so many office hours, and for how many. ``heard``: the hours (their beginnings, ms) of the last two
    weeks in which somebody sent. Only in office hours, and only of those who send on most days, is silence worth telling."""
    now = from_ms(now_ms)
    if not office.open_at(now):
        return
    for name, at in sorted(heard.items()):
        days = {in_beijing(ms).date() for ms in at}
        if len(days) < _REGULAR_DAYS:
            continue
        last = from_ms(max(at)) + timedelta(hours=1)
        silent = office.between(min(last, now), now)
        if silent >= hours:
            yield name, silent
