"""Moments survive the way to Beijing's clock and back, up to what a form says that it loses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters import beijing
from adapters.beijing import BEIJING, D8, D14, Form

FORMS = [
    D14,
    D8,
    beijing.SECONDS,
    beijing.DAY,
    beijing.COMPACT_MINUTES,
]
MOMENTS = st.datetimes(
    min_value=datetime(1900, 1, 3),  # noqa: DTZ001  # hypothesis adds the zone
    max_value=datetime(2099, 12, 29),  # noqa: DTZ001  # the same
    timezones=st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours))),
)


@pytest.mark.parametrize(
    ("form", "written"),
    [
        (D14, "20260930170503"),
        (D8, "20260930"),
        (beijing.SECONDS, "2026-09-30 17:05:03"),
        (beijing.DAY, "2026-09-30"),
        (beijing.COMPACT_MINUTES, "20260930 17:05"),
    ],
)
def test_every_form(form: Form, written: str) -> None:
    moment = datetime(2026, 9, 30, 9, 5, 3, tzinfo=UTC)
    assert form.write(moment) == written
    assert form.read(written) == datetime(2026, 9, 30, 17, 5, 3, tzinfo=BEIJING) - (
        timedelta(hours=17, minutes=5, seconds=3)
        if form.resolution == timedelta(days=1)
        else timedelta(seconds=3) % form.resolution
    )


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@given(moment=MOMENTS)
def test_back_and_forth_loses_what_it_says(form: Form, moment: datetime) -> None:
    back = form.read(form.write(moment))
    assert timedelta(0) <= moment - back < form.resolution
    assert bool(form.loses(moment)) == (back != moment)


def test_the_day_is_beijings() -> None:
    late = datetime(2026, 9, 30, 16, 0, tzinfo=UTC)
    assert D8.write(late) == "20261001"
    assert beijing.day(late) == date(2026, 10, 1)
    assert beijing.day(date(2026, 9, 30)) == date(2026, 9, 30)
    assert D8.write(date(2026, 9, 30)) == "20260930"
    assert not D8.loses(date(2026, 9, 30))
    assert not D8.loses(late)
    assert D8.loses(late + timedelta(microseconds=1)) == "time of day"


def test_what_is_lost_is_named() -> None:
    moment = datetime(2026, 9, 30, 17, 5, 3, 4, tzinfo=BEIJING)
    assert D14.loses(moment) == "fraction of a second"
    assert beijing.COMPACT_MINUTES.loses(moment) == "seconds"
    assert beijing.COMPACT_MINUTES.loses(moment.replace(second=0)) == "fraction of a second"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_naive_time_names_no_moment(form: Form) -> None:
    with pytest.raises(ValueError, match="naive"):
        form.write(datetime(2026, 9, 30))  # noqa: DTZ001  # that is the point


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026093017050",
        "202609301705033",
        " 20260930170503",
        "20260930170503 ",
        "2026093017 503",
        "２０２６０９３０１７０５０３",
        "20260930170560",
        "20260931170503",
        "2026-09-30 17:05:03",
        "20260930240000",
        "secret",
    ],
)
def test_other_forms_are_refused_unquoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not of the form yyyyMMddHHmmss$"):
        D14.read(text)
    assert D8.read_day("20260930") == date(2026, 9, 30)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("year", [1, 26, 1899, 2100, 9999])
def test_a_year_that_no_document_can_hold_is_no_moment(form: Form, year: int) -> None:
    written = form.write(datetime(year, 9, 30, 17, 5, tzinfo=BEIJING))
    with pytest.raises(ValueError, match="not of the years"):
        form.read(written)
