"""Moments as they are kept and as they are told: the same instant, to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.chinese_calendar import BEIJING
from contracts.moments import from_ms, in_beijing, to_ms, written

FIRST, LAST = (round(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000) for year in (1900, 2150))


@settings(deadline=None)
@given(st.integers(FIRST, LAST))
def test_there_and_back(ms: int) -> None:
    assert to_ms(from_ms(ms)) == to_ms(in_beijing(ms)) == ms
    assert from_ms(ms) == in_beijing(ms) == datetime.fromisoformat(written(ms))
    assert in_beijing(ms).utcoffset() == timedelta(hours=8)


def test_what_is_written_is_beijings_to_the_millisecond() -> None:
    assert written(1_795_000_000_007) == "2026-11-18T19:06:40.007+08:00"


def test_what_is_below_a_millisecond_is_cut_off() -> None:
    assert to_ms(datetime(2026, 1, 1, 0, 0, 0, 1999, tzinfo=BEIJING)) == to_ms(datetime(2026, 1, 1, tzinfo=BEIJING)) + 1


def test_a_time_of_no_place_is_none() -> None:
    with pytest.raises(TypeError):
        to_ms(datetime(2026, 1, 1))  # noqa: DTZ001  # naive is what is tested
