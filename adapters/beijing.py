"""Moments between the house and the platforms: aware datetimes here, local Beijing forms (北京时间, +08:00) there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8), "+08:00")
"""Beijing time. Fixed since 1992: China keeps no summer time."""

YEARS = range(1900, 2100)
"""What a document can hold. A platform's mistyped year (0026, 2206) is no moment: kept, it could never be read again."""


def local(moment: datetime) -> datetime:
    """The same moment on Beijing's clock.

    Raises:
        ValueError: a naive datetime, which names no moment.
    """
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError("naive datetime")
    return moment.astimezone(BEIJING)


def day(moment: date | datetime) -> date:
    """The calendar day in Beijing; a plain date is its own day."""
    return local(moment).date() if isinstance(moment, datetime) else moment


@dataclass(frozen=True, slots=True)
class Form:
    """One local form of a platform, written and read exactly: no short fields, no other digits, no white space.

    ``pattern`` is a ``strftime`` pattern; ``resolution`` the smallest step that the form keeps.
    """

    name: str
    pattern: str
    resolution: timedelta

    def write(self, moment: date | datetime) -> str:
        """The moment in this form, on Beijing's clock. A plain date is written as its first instant.

        Raises:
            ValueError: a naive datetime.
        """
        if isinstance(moment, datetime):
            there = local(moment)
        else:
            there = datetime(moment.year, moment.month, moment.day, tzinfo=BEIJING)
        # strftime does not pad years below 1000 on every system.
        return there.strftime(self.pattern.replace("%Y", f"{there.year:04d}"))

    def read(self, text: str) -> datetime:
        """The moment that the text names, aware, in Beijing time.

        Raises:
            ValueError: another form, no such day or hour, or a year before 1900 or after 2099. The message does not quote
                the text.
        """
        try:
            found = datetime.strptime(text, self.pattern).replace(tzinfo=BEIJING)
        except ValueError:
            raise ValueError(f"not of the form {self.name}") from None
        # strptime takes short fields and foreign digits; what does not come back the same was another form.
        if self.write(found) != text:
            raise ValueError(f"not of the form {self.name}")
        if found.year not in YEARS:
            raise ValueError("not of the years that a document can hold")
        return found

    def read_day(self, text: str) -> date:
        """The calendar day that the text names.

        Raises:
            ValueError: as for ``read``.
        """
        return self.read(text).date()

    def loses(self, moment: date | datetime) -> str:
        """What this form cannot carry: ``""``, ``"fraction of a second"``, ``"seconds"`` or ``"time of day"``.

        The offset is no loss: the moment stays the same."""
        if not isinstance(moment, datetime):
            return ""
        there = local(moment)
        if self.resolution >= timedelta(days=1):
            return "time of day" if there.timetz().replace(tzinfo=None).isoformat() != "00:00:00" else ""
        if self.resolution >= timedelta(minutes=1) and there.second:
            return "seconds"
        return "fraction of a second" if there.microsecond else ""


_SECOND, _MINUTE, _DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)

D14 = Form("yyyyMMddHHmmss", "%Y%m%d%H%M%S", _SECOND)
D8 = Form("yyyyMMdd", "%Y%m%d", _DAY)
SECONDS = Form("yyyy-MM-dd HH:mm:ss", "%Y-%m-%d %H:%M:%S", _SECOND)
DAY = Form("yyyy-MM-dd", "%Y-%m-%d", _DAY)
COMPACT_MINUTES = Form("yyyyMMdd HH:mm", "%Y%m%d %H:%M", _MINUTE)
