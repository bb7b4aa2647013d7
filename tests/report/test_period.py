"""Periods: days in Beijing, quarters by name, and what is refused."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.report.period import (
    LONGEST,
    Period,
    PeriodRefused,
    day_of_ms,
    period_of,
    quarter,
    quarter_before,
)
from tests.report.cases import ms

TODAY = date(2026, 10, 10)


def test_without_days_it_is_the_year_up_to_today() -> None:
    assert period_of(None, None, TODAY) == Period(date(2026, 1, 1), TODAY)
    assert period_of(None, "2025-06-30", TODAY) == Period(date(2025, 1, 1), date(2025, 6, 30))
    assert period_of("2026-10-10", None, TODAY) == Period(TODAY, TODAY)


@pytest.mark.parametrize(
    ("since", "until", "name"),
    [
        ("2026-13-01", None, "from"),
        ("2026-1-1", None, "from"),
        (None, "2026-02-30", "to"),
        ("2026-10-11", None, "from"),
        ("2026-05-02", "2026-05-01", "to"),
        ("2020-01-01", "2026-01-01", "to"),
        ("٢٠٢٦-٠١-٠١", None, "from"),
        ("2026-01-01T00:00:00", None, "from"),
    ],
)
def test_a_period_that_cannot_be(since: str | None, until: str | None, name: str) -> None:
    with pytest.raises(PeriodRefused) as refused:
        period_of(since, until, TODAY)
    assert refused.value.name == name


def test_the_longest_period() -> None:
    first = TODAY - timedelta(days=LONGEST - 1)
    assert period_of(first.isoformat(), TODAY.isoformat(), TODAY).start == first


@given(st.integers(2000, 2100), st.integers(1, 4))
def test_quarters_follow_each_other(year: int, number: int) -> None:
    found = quarter(f"{year}Q{number}")
    assert found.quarter == f"{year}Q{number}"
    assert found.start.day == 1
    following = found.end + timedelta(days=1)
    assert quarter_before(following) == f"{year}Q{number}"
    assert quarter_before(following + timedelta(days=40)) == f"{year}Q{number}"
    assert Period(found.start, found.end - timedelta(days=1)).quarter is None


@pytest.mark.parametrize("name", ["2026Q5", "2026Q0", "26Q1", "2026-Q1", "2026q1", "", "2026Q11"])
def test_no_quarter(name: str) -> None:
    with pytest.raises(PeriodRefused):
        quarter(name)


def test_a_moment_has_its_day_in_beijing() -> None:
    assert day_of_ms(ms(date(2026, 5, 1))) == date(2026, 5, 1)
    assert day_of_ms(ms(date(2026, 5, 1)) - 31 * 60_000) == date(2026, 4, 30)


def test_a_period_from_the_beginning_of_time() -> None:
    assert Period(date.min, date.max).changed_since_ms == Period(date(1970, 1, 2), date.max).changed_since_ms
    assert Period(date(2026, 1, 1), date.max).changed_since_ms > Period(date.min, date.max).changed_since_ms
