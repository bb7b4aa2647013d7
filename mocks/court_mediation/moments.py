"""The page's written times (§3): `yyyyMMdd HH:mm`, `yyyyMMdd` and `yyyyMMddHHmmss`, all Beijing time."""

import re
from datetime import date, datetime
from typing import Final

from mocks.clock import BEIJING

_TIME: Final = re.compile(r"[0-9]{8} [0-9]{2}:[0-9]{2}")
_DATE: Final = re.compile(r"[0-9]{8}")
_SECOND: Final = re.compile(r"[0-9]{14}")


def read_time(text: str) -> datetime | None:
    """`yyyyMMdd HH:mm` as an aware time, None where it is none."""
    return _read(text, _TIME, "%Y%m%d %H:%M")


def read_second(text: str) -> datetime | None:
    """`yyyyMMddHHmmss` (yzsj) as an aware time, None where it is none."""
    return _read(text, _SECOND, "%Y%m%d%H%M%S")


def read_date(text: str) -> date | None:
    """`yyyyMMdd` as a date, None where it is none."""
    at = _read(text, _DATE, "%Y%m%d")
    return None if at is None else at.date()


def _read(text: str, form: re.Pattern[str], pattern: str) -> datetime | None:
    # strptime alone takes one-digit months and other digits than 0-9.
    if form.fullmatch(text) is None:
        return None
    try:
        return datetime.strptime(text, pattern).replace(tzinfo=BEIJING)
    except ValueError:
        return None


def write_time(at: datetime) -> str:
    """`yyyyMMdd HH:mm`; seconds are lost."""
    return f"{at.astimezone(BEIJING):%Y%m%d %H:%M}"


def write_date(at: datetime) -> str:
    """`yyyyMMdd`."""
    return f"{at.astimezone(BEIJING):%Y%m%d}"
