"""The working calendar of mainland China: days off and make-up days as data, and Beijing's days.

The State Council's yearly notice (节假日安排的通知) moves days off and working weekends about; each published one is a
file ``law/calendar-<year>.toml``. A year without a file is *provisional*: weekends and the days off by law
(全国年节及纪念日放假办法) are taken, and the deadline is computed again once the notice is out.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.titled import Titled

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Legal time of all mainland China. It has had no summer time since 1991."""

_DAY = timedelta(days=1)
_NEXT_NOTICE_REACHES_FROM = (12, 25)
"""A notice also disposes of the last days of the year before (2018-12-29 became a working Saturday by that of 2019)."""


def beijing_day(moment: datetime | date) -> date:
    """The day in Beijing of an aware moment; a plain date is that day. Raises ``ValueError`` for a naive moment."""
    if not isinstance(moment, datetime):
        return moment
    if moment.utcoffset() is None:
        raise ValueError("naive time")
    try:
        return moment.astimezone(BEIJING).date()
    except OverflowError:
        raise ValueError("the day lies beyond the year 9999") from None


def end_of_day(day: date) -> datetime:
    """24:00 of the day in Beijing, that is 00:00 of the next one."""
    return datetime(day.year, day.month, day.day, tzinfo=BEIJING) + _DAY


class Roll(Titled):
    """When a last day moves on (民事诉讼法 art. 85: 法定休假日). No article says whether a weekend is one."""

    OFFDAY = "offday", "遇休息日顺延", "On every day off"
    """Practice: weekends and announced days off, make-up days excepted."""
    STATUTORY_ONLY = "statutory_only", "仅遇法定节假日顺延", "On statutory days off alone"
    """The narrow reading: only the festival days of 放假办法, no weekend and no exchanged day."""
    NONE = "none", "不顺延", "Never"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Holiday(_Data):
    zh: str
    en: str
    first: date
    last: date
    make_up: tuple[date, ...] = ()

    def days(self) -> frozenset[date]:
        return frozenset(self.first + n * _DAY for n in range((self.last - self.first).days + 1))


class _Notice(_Data):
    year: int
    notice: str
    holiday: tuple[_Holiday, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _days_fit(self) -> Self:
        first, last = date(self.year - 1, *_NEXT_NOTICE_REACHES_FROM), date(self.year, 12, 31)
        off: set[date] = set()
        for holiday in self.holiday:
            days = holiday.days()
            if not days or off & days or min(days) < first or max(days) > last:
                raise ValueError(f"days of {holiday.en} overlap, are empty or lie outside {self.year}")
            off |= days
        for day in (day for holiday in self.holiday for day in holiday.make_up):
            if day in off or day.weekday() < 5 or not first <= day <= last:
                raise ValueError(f"{day} is no weekend day that can be worked instead")
        return self


class _DayOff(_Data):
    zh: str
    en: str
    month: int = 0
    day: int = 0
    festival: Literal["spring_festival", "qingming", "dragon_boat", "mid_autumn"] | None = None
    offset: int = 0
    from_year: int = 0


class _Festivals(_Data):
    year: int
    spring_festival: date
    qingming: date
    dragon_boat: date
    mid_autumn: date

    def named(self, festival: str) -> date:
        found = {
            "spring_festival": self.spring_festival,
            "qingming": self.qingming,
            "dragon_boat": self.dragon_boat,
            "mid_autumn": self.mid_autumn,
        }
        return found[festival]


class _DaysOffByLaw(_Data):
    day_off: tuple[_DayOff, ...]
    festival: tuple[_Festivals, ...]

    def of(self, year: int) -> frozenset[date]:
        """As far as they can be computed: beyond the table of festivals only those of fixed date."""
        festivals = next((row for row in self.festival if row.year == year), None)
        days = set()
        for rule in self.day_off:
            if year < rule.from_year:
                continue
            if rule.festival is None:
                days.add(date(year, rule.month, rule.day))
            elif festivals is not None:
                days.add(festivals.named(rule.festival) + rule.offset * _DAY)
        return frozenset(days)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days off and working days by the data at hand, and the mode in which a last day rolls.

    ``version`` names data and mode: it is stored with each deadline, and another version means to compute it again.
    """

    published: frozenset[int]
    off: frozenset[date]
    make_up: frozenset[date]
    by_law: Mapping[int, frozenset[date]]
    roll: Roll
    digest: str

    @property
    def version(self) -> str:
        """Last published year, digest of the data, mode: ``2026.1a2b3c4d.offday``."""
        return f"{max(self.published, default=0)}.{self.digest}.{self.roll}"

    def is_certain(self, day: date) -> bool:
        """Whether the notices that can dispose of this day are published: that of its year, and of the next for the
        last days of December."""
        reached = (day.month, day.day) >= _NEXT_NOTICE_REACHES_FROM
        return day.year in self.published and (not reached or day.year + 1 in self.published)

    def is_day_off_by_law(self, day: date) -> bool:
        """Whether everybody is off on this very day by 全国年节及纪念日放假办法."""
        return day in self.by_law.get(day.year, frozenset())

    def is_working_day(self, day: date) -> bool:
        """Whether offices work: make-up days do; announced days off, weekends and days off by law do not."""
        if day in self.make_up:
            return True
        if day in self.off or day.weekday() >= 5:
            return False
        return day.year in self.published or not self.is_day_off_by_law(day)

    def is_roll_day(self, day: date) -> bool:
        """Whether a period does not end on this day, in this calendar's mode."""
        if self.roll is Roll.OFFDAY:
            return not self.is_working_day(day)
        return self.roll is Roll.STATUTORY_ONLY and self.is_day_off_by_law(day)

    def rolled(self, day: date, *, back: bool = False) -> date:
        """The first day from ``day`` on (``back``: down) on which a period may end."""
        while self.is_roll_day(day):
            day += -_DAY if back else _DAY
        return day


_YEARS_BY_LAW = range(2008, 2201)
"""From the Labour-dispute Mediation and Arbitration Law on: no deadline of this house is older."""


def load_calendar(directory: Traversable | None = None, roll: Roll = Roll.OFFDAY) -> Calendar:
    """Read ``calendar-<year>.toml`` and ``festivals.toml`` of a directory; the packaged ones where none is given.

    Raises ``ValueError`` where a file is not of the form or contradicts itself, ``OSError`` where it cannot be read.
    """
    place = directory if directory is not None else files("contracts").joinpath("law")
    by_law = _DaysOffByLaw.model_validate(tomllib.loads(place.joinpath("festivals.toml").read_text("utf-8")))
    notices = []
    for file in sorted(place.iterdir(), key=lambda found: found.name):
        if file.name.startswith("calendar-") and file.name.endswith(".toml"):
            notice = _Notice.model_validate(tomllib.loads(file.read_text("utf-8")))
            if file.name != f"calendar-{notice.year}.toml":
                raise ValueError(f"{file.name} holds the notice of {notice.year}")
            notices.append(notice)
    off = frozenset(day for notice in notices for holiday in notice.holiday for day in holiday.days())
    make_up = frozenset(day for notice in notices for holiday in notice.holiday for day in holiday.make_up)
    years = {year: by_law.of(year) for year in _YEARS_BY_LAW}
    law_days = frozenset(day for days in years.values() for day in days)
    content = repr([sorted(map(str, days)) for days in (off, make_up, law_days)])
    return Calendar(
        published=frozenset(notice.year for notice in notices),
        off=off,
        make_up=make_up,
        by_law=MappingProxyType(years),
        roll=roll,
        digest=hashlib.sha256(content.encode()).hexdigest()[:8],
    )


@cache
def packaged_calendar(roll: Roll = Roll.OFFDAY) -> Calendar:
    """The calendar of the package's data, read once for each mode."""
    return load_calendar(roll=roll)
