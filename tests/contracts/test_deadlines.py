"""Counting days, the two windows of a confirmation, and that the data decide."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.chinese_calendar import BEIJING, Roll, end_of_day, load_calendar, packaged_calendar
from contracts.deadlines import (
    CONFIRMATION_RULES,
    SAFE_MARGIN,
    Clock,
    Law,
    OutsideCalendar,
    Pause,
    clocks_started_by,
    confirmation_deadline,
    deadline_passed,
    due,
    recompute,
)
from contracts.statutes import NoRuleInForce, Rule, Unit, load_rulebook, packaged_rulebook

unhurried = settings(deadline=None)
"""The machine may be busy: how long one example takes is not what is tested."""

DAY = timedelta(days=1)
TODAY = date(2026, 9, 16)
CALENDAR = packaged_calendar()


def rule(rule_id: str) -> Rule:
    return packaged_rulebook().in_force(rule_id, TODAY)


def period(length: int, unit: Unit = Unit.CALENDAR) -> Rule:
    return rule("D04").model_copy(update={"length": length, "unit": unit})


def day(text: str) -> date:
    return date.fromisoformat(text)


def law_directory(target: Path) -> Path:
    for file in files("contracts").joinpath("law").iterdir():
        (target / file.name).write_text(file.read_text("utf-8"), "utf-8")
    return target


def change(directory: Path, name: str, old: str, new: str) -> Law:
    file = directory / name
    assert old in file.read_text("utf-8")
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    return Law(load_rulebook(directory), load_calendar(directory))


def by_rule(clocks: tuple[Clock, ...]) -> dict[str, Clock]:
    found = {clock.rule: clock for clock in clocks}
    assert len(found) == len(clocks)
    return found


# ------------------------------------------------------------------------------------------------------------- counting


@pytest.mark.parametrize(
    ("start", "length", "unit", "nominal", "effective", "provisional"),
    [
        ("2026-09-16", 15, Unit.CALENDAR, "2026-10-01", "2026-10-08", False),
        ("2026-09-10", 15, Unit.CALENDAR, "2026-09-25", "2026-09-28", False),
        ("2026-09-25", 15, Unit.CALENDAR, "2026-10-10", "2026-10-10", False),
        ("2026-01-30", 15, Unit.CALENDAR, "2026-02-14", "2026-02-14", False),
        ("2026-02-01", 15, Unit.CALENDAR, "2026-02-16", "2026-02-24", False),
        ("2026-04-01", 30, Unit.CALENDAR, "2026-05-01", "2026-05-06", False),
        ("2026-09-01", 30, Unit.CALENDAR, "2026-10-01", "2026-10-08", False),
        ("2026-12-02", 30, Unit.CALENDAR, "2027-01-01", "2027-01-04", True),
        ("2026-12-04", 30, Unit.CALENDAR, "2027-01-03", "2027-01-04", True),
        ("2026-09-18", 3, Unit.WORKING, "2026-09-22", "2026-09-22", False),
        ("2026-05-07", 3, Unit.WORKING, "2026-05-11", "2026-05-11", False),
        ("2026-09-29", 3, Unit.WORKING, "2026-10-09", "2026-10-09", False),
        ("2026-02-12", 3, Unit.WORKING, "2026-02-24", "2026-02-24", False),
    ],
)
def test_the_vectors(start: str, length: int, unit: Unit, nominal: str, effective: str, provisional: bool) -> None:
    deadline = due(period(length, unit), day(start), CALENDAR)
    assert (deadline.nominal, deadline.due, deadline.provisional) == (day(nominal), day(effective), provisional)
    assert deadline.calendar_version == CALENDAR.version


@pytest.mark.parametrize(
    ("start", "length", "unit", "effective"),
    [
        ("2026-08-31", 6, Unit.MONTH, "2027-03-01"),
        ("2024-02-29", 1, Unit.YEAR, "2025-02-28"),
        ("2026-09-16", 1, Unit.YEAR, "2027-09-16"),
        ("2026-11-25", 2, Unit.YEAR, "2028-11-27"),
        ("2026-06-15", 6, Unit.MONTH, "2026-12-15"),
        ("2026-07-01", 6, Unit.MONTH, "2027-01-04"),
    ],
)
def test_months_and_years_end_on_the_day_of_the_same_number(
    start: str, length: int, unit: Unit, effective: str
) -> None:
    assert due(period(length, unit), day(start), CALENDAR).due == day(effective)


@pytest.mark.parametrize(
    ("roll", "start", "effective"),
    [
        (Roll.OFFDAY, "2026-09-16", "2026-10-08"),
        (Roll.STATUTORY_ONLY, "2026-09-16", "2026-10-04"),
        (Roll.NONE, "2026-09-16", "2026-10-01"),
        (Roll.STATUTORY_ONLY, "2026-09-19", "2026-10-04"),
        (Roll.STATUTORY_ONLY, "2026-08-21", "2026-09-05"),
        (Roll.NONE, "2026-12-17", "2027-01-01"),
    ],
)
def test_the_mode_of_rolling_decides(roll: Roll, start: str, effective: str) -> None:
    deadline = due(period(15), day(start), packaged_calendar(roll))
    assert deadline.due == day(effective)
    if roll is Roll.NONE:
        assert not deadline.provisional


def test_a_period_before_a_hearing_is_counted_back_and_rolls_back() -> None:
    assert due(rule("D16-hearing"), day("2026-09-30"), CALENDAR).due == day("2026-09-24")
    assert due(rule("D16-postpone"), day("2026-10-12"), CALENDAR).due == day("2026-10-09")


def test_the_start_is_the_day_in_beijing() -> None:
    late = datetime(2026, 9, 15, 16, 30, tzinfo=UTC)
    assert due(period(15), late, CALENDAR) == due(period(15), day("2026-09-16"), CALENDAR)


def test_a_due_day_ends_at_midnight_in_beijing() -> None:
    assert due(period(15), day("2026-09-16"), CALENDAR).ends_at == datetime(2026, 10, 8, 16, 0, tzinfo=UTC)


def test_a_period_in_the_last_days_of_the_last_published_year_is_provisional() -> None:
    assert not due(period(15), day("2026-12-09"), CALENDAR).provisional
    assert due(period(15), day("2026-12-14"), CALENDAR).provisional
    assert not due(period(15), day("2025-12-14"), CALENDAR).provisional


@pytest.mark.parametrize("start", [date(2007, 12, 31), date(2150, 1, 1), date(9999, 12, 31), date(1, 1, 1)])
def test_no_period_starts_outside_the_calendar(start: date) -> None:
    with pytest.raises(OutsideCalendar):
        due(period(15), start, CALENDAR)


def test_what_cannot_be_computed_is_refused() -> None:
    with pytest.raises(ValueError, match="no length"):
        due(rule("D05"), TODAY, CALENDAR)
    with pytest.raises(ValueError, match="naive"):
        due(period(15), datetime(2026, 9, 16), CALENDAR)  # noqa: DTZ001  # naive is what is tested
    with pytest.raises(ValueError, match="prolonged"):
        due(rule("D26"), TODAY, CALENDAR, extended_by=1)
    with pytest.raises(ValueError, match="prolonged"):
        due(period(15), TODAY, CALENDAR, extended_by=-1)


starts = st.dates(date(2008, 1, 1), date(2149, 12, 31))
lengths = st.integers(1, 60)
counted = st.sampled_from([Unit.CALENDAR, Unit.WORKING])


@unhurried
@given(starts, lengths, counted, st.sampled_from(Roll))
def test_a_deadline_lies_after_its_start_and_never_on_a_day_off(
    start: date, length: int, unit: Unit, roll: Roll
) -> None:
    calendar = packaged_calendar(roll)
    deadline = due(period(length, unit), start, calendar)
    assert start < deadline.nominal <= deadline.due
    assert deadline.due - start >= length * DAY
    assert not calendar.is_roll_day(deadline.due)
    if unit is Unit.WORKING:
        assert calendar.is_working_day(deadline.nominal)
        between = (start + n * DAY for n in range(1, (deadline.nominal - start).days + 1))
        assert sum(map(calendar.is_working_day, between)) == length
    else:
        assert deadline.nominal - start == length * DAY


@unhurried
@given(starts, st.integers(0, 40), lengths, counted)
def test_a_later_start_never_ends_earlier(start: date, later: int, length: int, unit: Unit) -> None:
    second = min(start + later * DAY, date(2149, 12, 31))
    assert due(period(length, unit), start, CALENDAR).due <= due(period(length, unit), second, CALENDAR).due


@unhurried
@given(starts, lengths, st.integers(0, 30), counted)
def test_a_longer_period_never_ends_earlier(start: date, length: int, more: int, unit: Unit) -> None:
    longer = due(period(length + more, unit), start, CALENDAR)
    assert due(period(length, unit), start, CALENDAR).due <= longer.due
    assert due(period(length, unit), start, CALENDAR, extended_by=more).due == longer.due


@unhurried
@given(starts, st.integers(1, 3), st.sampled_from([Unit.MONTH, Unit.YEAR]))
def test_months_and_years_are_monotone_too(start: date, length: int, unit: Unit) -> None:
    next_day = min(start + DAY, date(2149, 12, 31))
    one, other = due(period(length, unit), start, CALENDAR), due(period(length, unit), next_day, CALENDAR)
    assert start < one.due <= other.due


@unhurried
@given(starts, lengths, counted)
def test_a_deadline_of_published_years_is_certain(start: date, length: int, unit: Unit) -> None:
    deadline = due(period(length, unit), start, CALENDAR)
    if start >= date(2024, 1, 1) and deadline.due < date(2026, 12, 25):
        assert not deadline.provisional
    if deadline.due.year not in CALENDAR.published:
        assert deadline.provisional


@unhurried
@given(
    starts,
    lengths,
    st.sampled_from(list(Unit)),
    st.lists(st.tuples(st.integers(-20, 60), st.integers(0, 30)), max_size=3),
)
def test_days_of_a_pause_are_not_counted(start: date, length: int, unit: Unit, spans: list[tuple[int, int]]) -> None:
    if unit in (Unit.MONTH, Unit.YEAR):
        length = length % 3 + 1
    pauses = [Pause(start + first * DAY, start + (first + days) * DAY) for first, days in spans]
    without = due(period(length, unit), start, CALENDAR)
    paused = due(period(length, unit), start, CALENDAR, pauses=pauses)
    assert paused.due >= without.due
    days = [start + n * DAY for n in range(1, (paused.nominal - start).days + 1)]
    running = [one for one in days if not any(pause.covers(one) for pause in pauses)]
    if unit is Unit.CALENDAR:
        assert len(running) == length
    elif unit is Unit.WORKING:
        assert sum(map(CALENDAR.is_working_day, running)) == length
    else:
        assert len(running) == (without.nominal - start).days


# ---------------------------------------------------------------------------------------------------------- the windows


@pytest.mark.parametrize(
    ("route", "rule_id", "article", "last"),
    [
        ("arbitration_review", "D04", "《劳动人事争议仲裁办案规则》第74条", "2026-10-10"),
        ("judicial_confirmation", "D07", "《中华人民共和国民事诉讼法》（2023年修正）第205条", "2026-10-26"),
    ],
)
def test_the_two_windows(route: str, rule_id: str, article: str, last: str) -> None:
    deadline = confirmation_deadline(route, datetime(2026, 9, 25, 9, 0, tzinfo=BEIJING))
    assert (deadline.rule, deadline.article, deadline.start) == (rule_id, article, day("2026-09-25"))
    assert deadline.due == day(last)
    assert not deadline_passed(datetime.combine(day(last), datetime.max.time(), BEIJING), deadline)
    assert deadline_passed(end_of_day(day(last)), deadline)


def test_the_day_that_counts_is_that_of_the_application_in_beijing() -> None:
    deadline = confirmation_deadline("arbitration_review", day("2026-09-25"))
    assert not deadline_passed(datetime(2026, 10, 10, 15, 59, tzinfo=UTC), deadline)
    assert deadline_passed(datetime(2026, 10, 10, 16, 0, tzinfo=UTC), deadline)
    assert not deadline_passed(day("2026-10-10"), deadline)
    with pytest.raises(ValueError, match="naive"):
        deadline_passed(datetime(2026, 10, 10), deadline)  # noqa: DTZ001  # naive is what is tested


def test_a_window_needs_a_route_and_a_rule_in_force() -> None:
    with pytest.raises(ValueError, match="route"):
        confirmation_deadline("notary", TODAY)
    with pytest.raises(NoRuleInForce):
        confirmation_deadline("judicial_confirmation", day("2012-12-31"))
    with pytest.raises(NoRuleInForce):
        confirmation_deadline("arbitration_review", day("1990-01-01"))
    assert "2021年修正" in confirmation_deadline("judicial_confirmation", day("2023-12-31")).article


@unhurried
@given(st.sampled_from(sorted(CONFIRMATION_RULES)), st.integers(0, 900 * 86_400))
def test_a_window_of_a_moment_is_that_of_its_day(route: str, seconds: int) -> None:
    aware = datetime(2024, 1, 2, tzinfo=UTC) + timedelta(seconds=seconds)
    of_day = confirmation_deadline(route, aware.astimezone(BEIJING).date())
    assert confirmation_deadline(route, aware) == of_day
    assert not deadline_passed(aware, of_day)


# ------------------------------------------------------------------------------------------------------ the data decide


def test_another_length_in_the_file_is_another_deadline(tmp_path: Path) -> None:
    law = change(law_directory(tmp_path), "civil_procedure.toml", "length = 30\nstarts_on", "length = 60\nstarts_on")
    changed = confirmation_deadline("judicial_confirmation", day("2026-09-01"), law)
    assert changed.due == day("2026-11-02")
    assert confirmation_deadline("judicial_confirmation", day("2026-09-01")).due == day("2026-10-08")


def test_another_article_in_the_file_is_another_citation(tmp_path: Path) -> None:
    law = change(law_directory(tmp_path), "arbitration_review.toml", 'article = "74"', 'article = "47"')
    assert confirmation_deadline("arbitration_review", TODAY, law).article.endswith("第47条")


def test_a_new_version_applies_from_its_day_on(tmp_path: Path) -> None:
    directory = law_directory(tmp_path)
    change(directory, "arbitration_review.toml", "effective_from = 2017-07-01", "effective_from = 2017-07-01")
    file = directory / "arbitration_review.toml"
    text = file.read_text("utf-8")
    head, found, tail = text.partition('article = "74"\nlength = 15\n')
    assert found
    current = (
        head
        + found
        + tail.replace("effective_from = 2017-07-01\n", "effective_from = 2017-07-01\neffective_to = 2026-12-31\n", 1)
    )
    amended = """
[[rule]]
id = "D04"
zh = "共同申请仲裁审查确认"
en = "Joint application for arbitration review"
statute = "arbitration_rules_2017"
article = "80"
length = 20
starts_on = "agreement.effective"
start_facts = ["effective_at"]
effective_from = 2027-01-01
verified = true
"""
    file.write_text(current + amended, "utf-8")
    law = Law(load_rulebook(directory), CALENDAR)
    assert confirmation_deadline("arbitration_review", day("2026-12-31"), law).nominal == day("2027-01-15")
    assert confirmation_deadline("arbitration_review", day("2027-01-01"), law).nominal == day("2027-01-21")


def test_a_published_calendar_turns_a_provisional_clock_into_a_certain_one(tmp_path: Path) -> None:
    facts = {"effective_at": day("2027-01-20")}
    clock = by_rule(clocks_started_by("agreement.effective", facts))["D04"]
    assert (clock.due, clock.provisional) == (day("2027-02-04"), True)
    directory = law_directory(tmp_path)
    notice = (directory / "calendar-2026.toml").read_text("utf-8").split("[[holiday]]")[0].replace("2026", "2027")
    invented = notice + '[[holiday]]\nzh = "春节"\nen = "Spring Festival"\nfirst = 2027-02-03\nlast = 2027-02-11\n'
    (directory / "calendar-2027.toml").write_text(invented, "utf-8")
    again = recompute(clock, Law(load_rulebook(directory), load_calendar(directory)))
    assert (again.due, again.provisional) == (day("2027-02-12"), False)
    assert again.latest_safe_time == end_of_day(day("2027-02-12")) - SAFE_MARGIN
    assert again.calendar_version != clock.calendar_version
    assert recompute(clock) == clock
