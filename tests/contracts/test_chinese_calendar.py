"""Days off, make-up days, and the years whose notice is not published."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.chinese_calendar import (
    BEIJING,
    Calendar,
    Roll,
    beijing_day,
    end_of_day,
    load_calendar,
    packaged_calendar,
)

unhurried = settings(deadline=None)
"""The machine may be busy: how long one example takes is not what is tested."""

DAY = timedelta(days=1)
CALENDAR = packaged_calendar()

HOLIDAYS_2026 = (
    "01-01 01-02 02-16 02-17 02-18 02-19 02-20 02-23 04-06 05-01 05-04 05-05 06-19 09-25 10-01 10-02 10-05 10-06 10-07"
)
MAKE_UP_2026 = "01-04 02-14 02-28 05-09 09-20 10-10"


def of(year: int) -> list[date]:
    return [date(year, 1, 1) + n * DAY for n in range(366) if (date(year, 1, 1) + n * DAY).year == year]


def law_directory(target: Path) -> Path:
    for file in files("contracts").joinpath("law").iterdir():
        (target / file.name).write_text(file.read_text("utf-8"), "utf-8")
    return target


def test_the_weekday_holidays_of_2026() -> None:
    off = [f"{day:%m-%d}" for day in of(2026) if day.weekday() < 5 and not CALENDAR.is_working_day(day)]
    assert off == HOLIDAYS_2026.split()


def test_the_make_up_days_of_2026() -> None:
    worked = [f"{day:%m-%d}" for day in of(2026) if day.weekday() >= 5 and CALENDAR.is_working_day(day)]
    assert worked == MAKE_UP_2026.split()


@pytest.mark.parametrize(("year", "working"), [(2024, 251), (2025, 248), (2026, 248)])
def test_the_number_of_working_days(year: int, working: int) -> None:
    assert sum(CALENDAR.is_working_day(day) for day in of(year)) == working


@pytest.mark.parametrize(("year", "days"), [(2024, 11), (2025, 13), (2026, 13), (2027, 13), (2050, 13), (2060, 6)])
def test_days_off_by_law_are_computed_as_far_as_their_festivals_are_known(year: int, days: int) -> None:
    assert sum(CALENDAR.is_day_off_by_law(day) for day in of(year)) == days


def test_every_day_off_by_law_of_a_published_year_is_announced() -> None:
    for year in CALENDAR.published:
        for day in of(year):
            if CALENDAR.is_day_off_by_law(day):
                assert day in CALENDAR.off


@pytest.mark.parametrize(
    ("day", "off"),
    [
        (date(2027, 1, 1), True),
        (date(2027, 1, 2), True),
        (date(2027, 1, 4), False),
        (date(2027, 2, 5), True),
        (date(2027, 2, 8), True),
        (date(2027, 4, 5), True),
        (date(2027, 5, 3), False),
        (date(2027, 6, 9), True),
        (date(2027, 9, 15), True),
        (date(2027, 10, 1), True),
        (date(2027, 10, 4), False),
        (date(2060, 10, 1), True),
    ],
)
def test_a_year_without_notice_has_weekends_and_the_days_off_by_law(day: date, off: bool) -> None:
    assert CALENDAR.is_working_day(day) != off


@pytest.mark.parametrize(
    ("day", "certain"),
    [
        (date(2023, 7, 3), False),
        (date(2025, 12, 31), True),
        (date(2026, 12, 24), True),
        (date(2026, 12, 25), False),
        (date(2027, 1, 4), False),
    ],
)
def test_what_is_certain(day: date, certain: bool) -> None:
    assert CALENDAR.is_certain(day) == certain


@pytest.mark.parametrize(
    ("roll", "day", "rolled"),
    [
        (Roll.OFFDAY, "2026-10-01", "2026-10-08"),
        (Roll.OFFDAY, "2026-10-10", "2026-10-10"),
        (Roll.OFFDAY, "2026-09-05", "2026-09-07"),
        (Roll.STATUTORY_ONLY, "2026-10-01", "2026-10-04"),
        (Roll.STATUTORY_ONLY, "2026-10-05", "2026-10-05"),
        (Roll.STATUTORY_ONLY, "2026-09-05", "2026-09-05"),
        (Roll.NONE, "2026-10-01", "2026-10-01"),
    ],
)
def test_modes_of_rolling(roll: Roll, day: str, rolled: str) -> None:
    assert packaged_calendar(roll).rolled(date.fromisoformat(day)) == date.fromisoformat(rolled)


def test_rolling_back() -> None:
    assert CALENDAR.rolled(date(2026, 10, 7), back=True) == date(2026, 9, 30)


@unhurried
@given(st.dates(date(2008, 1, 1), date(2200, 12, 31)), st.sampled_from(Roll))
def test_a_rolled_day_is_one_to_end_on_and_the_nearest(day: date, roll: Roll) -> None:
    calendar = packaged_calendar(roll)
    rolled = calendar.rolled(day)
    assert day <= rolled <= day + 12 * DAY
    assert not calendar.is_roll_day(rolled)
    assert all(calendar.is_roll_day(day + n * DAY) for n in range((rolled - day).days))
    assert calendar.rolled(rolled) == rolled


def test_the_version_names_data_and_mode(tmp_path: Path) -> None:
    directory = law_directory(tmp_path)
    assert load_calendar(directory).version == CALENDAR.version
    assert packaged_calendar(Roll.NONE).version != CALENDAR.version
    notice = directory / "calendar-2026.toml"
    notice.write_text(notice.read_text("utf-8").replace("last = 2026-10-07", "last = 2026-10-08"), "utf-8")
    changed = load_calendar(directory)
    assert changed.version != CALENDAR.version
    assert changed.rolled(date(2026, 10, 1)) == date(2026, 10, 9)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("last = 2026-10-07", "last = 2026-09-30", "National Day overlap, are empty"),
        ("last = 2026-10-07", "last = 2027-01-01", "National Day overlap, are empty or lie outside 2026"),
        ("first = 2026-10-01", "first = 2026-09-27", "National Day overlap"),
        ("2026-09-20, 2026-10-10", "2026-09-21", "2026-09-21 is no weekend day"),
        ("2026-09-20, 2026-10-10", "2026-09-26", "2026-09-26 is no weekend day"),
        ("year = 2026", "year = 2027", "lie outside 2027"),
        ('en = "National Day"', 'en = "National Day"\nlenght = 7', "lenght"),
    ],
)
def test_a_notice_that_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    directory = law_directory(tmp_path)
    notice = directory / "calendar-2026.toml"
    assert old in notice.read_text("utf-8")
    notice.write_text(notice.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(ValueError, match=complaint):
        load_calendar(directory)


def test_a_file_must_be_named_after_its_year(tmp_path: Path) -> None:
    directory = law_directory(tmp_path)
    (directory / "calendar-2026.toml").rename(directory / "calendar-2027.toml")
    with pytest.raises(ValueError, match="holds the notice of 2026"):
        load_calendar(directory)


def test_a_calendar_without_any_notice_is_never_certain(tmp_path: Path) -> None:
    directory = law_directory(tmp_path)
    for file in directory.glob("calendar-*.toml"):
        file.unlink()
    calendar: Calendar = load_calendar(directory)
    assert not calendar.is_certain(date(2026, 10, 1))
    assert calendar.rolled(date(2026, 10, 1)) == date(2026, 10, 5)


def test_days_are_those_of_beijing() -> None:
    assert beijing_day(datetime(2026, 9, 24, 16, 0, tzinfo=UTC)) == date(2026, 9, 25)
    assert beijing_day(datetime(2026, 9, 24, 15, 59, tzinfo=UTC)) == date(2026, 9, 24)
    assert beijing_day(date(2026, 9, 24)) == date(2026, 9, 24)
    assert end_of_day(date(2026, 9, 24)) == datetime(2026, 9, 24, 16, 0, tzinfo=UTC)
    assert end_of_day(date(2026, 12, 31)) == datetime(2027, 1, 1, tzinfo=BEIJING)


def test_a_naive_moment_and_one_beyond_the_calendar_have_no_day() -> None:
    with pytest.raises(ValueError, match="naive"):
        beijing_day(datetime(2026, 9, 24, 16, 0))  # noqa: DTZ001  # naive is what is tested
    with pytest.raises(ValueError, match="9999"):
        beijing_day(datetime(9999, 12, 31, 23, 0, tzinfo=UTC))
