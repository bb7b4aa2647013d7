"""What starts, alarms, suspends, prolongs and ends a clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.chinese_calendar import BEIJING, end_of_day, packaged_calendar
from contracts.deadlines import (
    SAFE_MARGIN,
    Clock,
    Fact,
    Law,
    alarm_moments,
    clocks_started_by,
    extend,
    latest_safe_time,
    recompute,
    resume,
    states_after,
    suspend,
)
from contracts.status import ClockState

unhurried = settings(deadline=None)
"""The machine may be busy: how long one example takes is not what is tested."""

DAY = timedelta(days=1)
TODAY = date(2026, 9, 16)
CALENDAR = packaged_calendar()


def day(text: str) -> date:
    return date.fromisoformat(text)


def by_rule(clocks: tuple[Clock, ...]) -> dict[str, Clock]:
    found = {clock.rule: clock for clock in clocks}
    assert len(found) == len(clocks)
    return found


# ----------------------------------------------------------------------------------------------- safe time and alarms


def test_the_latest_safe_time() -> None:
    assert latest_safe_time(day("2026-10-10")) == datetime(2026, 10, 10, 20, 0, tzinfo=BEIJING)
    letter = datetime(2026, 10, 10, 12, 0, tzinfo=BEIJING)
    assert latest_safe_time(letter) == letter - timedelta(hours=4)
    assert latest_safe_time(letter, timedelta(0)) == letter
    with pytest.raises(ValueError, match="naive"):
        latest_safe_time(datetime(2026, 10, 10))  # noqa: DTZ001  # naive is what is tested


def test_the_safe_margin_is_a_setting() -> None:
    facts = {"effective_at": day("2026-09-25")}
    clocks = clocks_started_by("agreement.effective", facts, Law(safe_margin=timedelta(days=1)))
    assert by_rule(clocks)["D04"].latest_safe_time == datetime(2026, 10, 10, tzinfo=BEIJING)


def test_alarms_at_half_three_quarters_and_nine_tenths() -> None:
    clock = by_rule(clocks_started_by("agreement.effective", {"effective_at": day("2026-09-25")}))["D04"]
    assert alarm_moments(clock.start, clock.latest_safe_time) == {
        50: datetime(2026, 10, 3, 10, 0, tzinfo=BEIJING),
        75: datetime(2026, 10, 7, 3, 0, tzinfo=BEIJING),
        90: datetime(2026, 10, 9, 8, 24, tzinfo=BEIJING),
    }


@unhurried
@given(st.integers(0, 2900 * 86_400), st.integers(-200, 2000))
def test_alarms_rise_and_never_lie_behind_the_latest_safe_time(seconds: int, hours: int) -> None:
    moment = datetime(2022, 1, 2, tzinfo=UTC) + timedelta(seconds=seconds)
    facts: dict[str, Fact] = {"kind": "court_delegated", "at": moment, "due_at": moment + timedelta(hours=hours)}
    (clock,) = clocks_started_by("referral.offered", facts)
    moments = list(alarm_moments(clock.start, clock.latest_safe_time).values())
    assert moments == sorted(moments)
    assert moments[-1] <= clock.latest_safe_time


# ------------------------------------------------------------------------------------------------- what starts a clock

AT = datetime(2026, 9, 16, 9, 30, tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("event", "facts", "rules"),
    [
        ("case.received", {"received_at": AT}, {"D01", "D03"}),
        ("case.received", {"received_at": AT, "limitation_from": day("2026-06-01")}, {"D01", "D03", "D13"}),
        ("case.accepted", {"accepted_at": AT}, set()),
        ("agreement.concluded", {"effective_at": AT}, set()),
        ("agreement.effective", {"effective_at": AT}, {"D04", "D07"}),
        ("confirmation.requested", {"route": "arbitration_review", "applied_at": AT}, set()),
        ("confirmation.accepted", {"route": "arbitration_review", "at": AT}, {"D06"}),
        ("confirmation.accepted", {"route": "judicial_confirmation", "at": AT}, {"D08"}),
        ("confirmation.accepted", {"at": AT}, set()),
        ("confirmation.confirmed", {"route": "arbitration_review", "at": AT}, {"D26"}),
        ("confirmation.confirmed", {"route": "judicial_confirmation", "at": AT}, {"D09", "D26"}),
        ("referral.offered", {"kind": "court_delegated", "at": AT}, {"D21"}),
        ("referral.offered", {"kind": "one_stop_assigned", "at": AT}, set()),
        ("referral.offered", {"kind": "one_stop_assigned", "at": AT, "due_at": "2026-09-18"}, {"D27-answer"}),
        ("referral.offered", {"kind": "court_delegated", "at": AT, "due_at": "2026-09-18"}, {"D21"}),
        (
            "referral.accepted",
            {"kind": "union_handed_over", "at": AT, "mediation_due_at": "2026-10-16"},
            {"D27-assigned"},
        ),
        ("transfer.requested", {"to": "arbitration", "at": AT}, {"D14"}),
        ("transfer.requested", {"to": "payment_order", "at": AT}, {"D10"}),
        ("transfer.requested", {"to": "legal_aid", "at": AT}, set()),
        ("transfer.requested", {"to": "court", "at": AT}, set()),
        ("transfer.requested", {"to": "court", "referral_kind": "court_delegated", "at": AT}, {"D25"}),
        ("transfer.requested", {"to": "court", "referral_kind": "court_entrusted", "at": AT}, set()),
        ("transfer.filed", {"to": "arbitration", "at": AT}, {"D17"}),
        ("transfer.filed", {"to": "payment_order", "at": AT}, {"D11"}),
        ("transfer.filed", {"to": "court", "at": AT}, set()),
        ("fulfilment.performing", {"effective_at": AT, "performance_until": "2026-10-31"}, {"D26-performance"}),
        ("fulfilment.performing", {"effective_at": AT}, set()),
        ("referral.accepted", {"kind": "court_delegated", "at": AT}, {"D23"}),
        ("referral.accepted", {"kind": "court_entrusted", "at": AT}, {"D24"}),
        ("referral.accepted", {"kind": "court_entrusted", "procedure": "summary", "at": AT}, {"D24-summary"}),
        ("referral.accepted", {"kind": "arbitration_entrusted", "at": AT}, set()),
        (
            "referral.accepted",
            {"kind": "arbitration_entrusted", "at": AT, "mediation_due_at": "2026-10-16"},
            {"D27"},
        ),
        ("task.opened", {"at": AT}, set()),
    ],
)
def test_which_event_starts_which_clocks(event: str, facts: dict[str, Any], rules: set[str]) -> None:
    clocks = by_rule(clocks_started_by(event, facts))
    assert set(clocks) == rules
    for clock in clocks.values():
        assert clock.state is ClockState.RUNNING
        assert clock.latest_safe_time == clock.ends_at - SAFE_MARGIN
        assert clock.calendar_version == CALENDAR.version
        assert clock.article


def test_the_first_clocks_of_a_case() -> None:
    clocks = by_rule(clocks_started_by("case.received", {"received_at": "2026-09-16T09:30:00+08:00"}))
    assert clocks["D01"].due == day("2026-09-20")
    assert clocks["D03"].due == day("2026-10-08")
    assert clocks["D03"].start == day("2026-09-16")


def test_other_readings_start_where_a_setting_asks_for_them() -> None:
    facts: dict[str, Fact] = {"received_at": AT, "accepted_at": AT + DAY}
    clocks = by_rule(clocks_started_by("case.received", facts, optional={"D03-working"}))
    assert clocks["D03-working"].due == day("2026-10-13")
    assert clocks["D03"].due == day("2026-10-08")
    accepted = by_rule(clocks_started_by("case.accepted", facts, optional={"D03-from_acceptance"}))
    assert accepted["D03-from_acceptance"].start == day("2026-09-17")


def test_a_correction_lets_the_courts_three_days_run_anew() -> None:
    law = Law(optional=frozenset({"D08b"}))
    facts: dict[str, Fact] = {"route": "judicial_confirmation", "applied_at": day("2026-09-16"), "at": AT}
    assert by_rule(clocks_started_by("confirmation.requested", facts, law))["D08b"].due == day("2026-09-20")
    corrected: dict[str, Fact] = {"route": "judicial_confirmation", "at": "2026-09-21T15:00:00+08:00"}
    assert by_rule(clocks_started_by("confirmation.supplemented", corrected, law))["D08b"].due == day("2026-09-24")
    assert clocks_started_by("confirmation.supplemented", corrected | {"route": "arbitration_review"}, law) == ()
    assert clocks_started_by("confirmation.supplemented", corrected) == ()


def test_enforcement_runs_from_the_last_day_of_performance() -> None:
    facts: dict[str, Fact] = {"route": "arbitration_review", "at": AT, "performance_until": day("2026-10-31")}
    assert by_rule(clocks_started_by("confirmation.confirmed", facts))["D26"].start == day("2026-10-31")
    del facts["performance_until"]
    assert by_rule(clocks_started_by("confirmation.confirmed", facts))["D26"].start == day("2026-09-16")


def test_a_date_that_the_platform_set_goes_before_the_computed_one() -> None:
    facts: dict[str, Any] = {"kind": "court_delegated", "at": AT}
    computed = by_rule(clocks_started_by("referral.offered", facts))["D21"]
    assert (computed.due, computed.given) == (day("2026-09-20"), None)
    facts["due_at"] = datetime(2026, 9, 19, 12, 0, tzinfo=BEIJING)
    given_moment = by_rule(clocks_started_by("referral.offered", facts))["D21"]
    assert (given_moment.due, given_moment.ends_at) == (day("2026-09-19"), facts["due_at"])
    assert given_moment.latest_safe_time == datetime(2026, 9, 19, 8, 0, tzinfo=BEIJING)
    facts["due_at"] = day("2026-09-19")
    given_day = by_rule(clocks_started_by("referral.offered", facts))["D21"]
    assert (given_day.due, given_day.ends_at) == (day("2026-09-19"), end_of_day(day("2026-09-19")))
    assert not given_day.provisional


@pytest.mark.parametrize("endless", [date.max, datetime.max.replace(tzinfo=UTC), "9999-12-31", "9999-12-31T23:59:59Z"])
def test_a_date_that_means_none_is_no_date(endless: Any) -> None:
    facts = {"kind": "court_delegated", "at": AT, "due_at": endless}
    assert by_rule(clocks_started_by("referral.offered", facts))["D21"].given is None


@pytest.mark.parametrize("start", ["1990-01-01", "2012-01-01T00:00:00Z", "9999-12-31"])
def test_a_start_before_the_law_or_beyond_all_calendars_starts_nothing(start: str) -> None:
    assert "D07" not in by_rule(clocks_started_by("agreement.effective", {"effective_at": start}))


def test_an_unreadable_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        clocks_started_by("agreement.effective", {"effective_at": "2026-09-16T09:30:00"})
    with pytest.raises(ValueError, match="soon"):
        clocks_started_by("agreement.effective", {"effective_at": "soon"})


# --------------------------------------------------------------------------------------------------- what turns a clock

NOBODY_TELLS = {"D11": "cancelled", "D17": "cancelled"}
"""Of award and payment order no platform tells: who closes the case follows them no longer."""


@pytest.mark.parametrize(
    ("event", "facts", "states"),
    [
        ("case.accepted", {}, {"D01": "met"}),
        ("case.declined", {}, {"D01": "met", "D03": "cancelled", "D03-working": "cancelled"}),
        ("confirmation.requested", {"route": "arbitration_review"}, {"D04": "met"}),
        ("confirmation.requested", {"route": "judicial_confirmation"}, {"D07": "met"}),
        ("confirmation.not_accepted", {"route": "arbitration_review"}, {"D04": "running"}),
        (
            "confirmation.confirmed",
            {"route": "arbitration_review"},
            {"D04": "met", "D06": "met", "D07": "cancelled"},
        ),
        (
            "confirmation.confirmed",
            {"route": "judicial_confirmation"},
            {"D04": "cancelled", "D07": "met", "D08": "met", "D08b": "met", "D08b-decision": "met"},
        ),
        ("confirmation.objected", {}, {"D09": "met"}),
        ("referral.accepted", {}, {"D21": "met", "D27-answer": "met"}),
        ("referral.expired", {}, {"D21": "expired", "D27-answer": "expired"}),
        ("transfer.filed", {"to": "arbitration"}, {"D13": "met", "D14": "met"}),
        ("transfer.filed", {"to": "court"}, {"D25": "met"}),
        ("transfer.filed", {"to": "legal_aid"}, {}),
        ("transfer.correction_required", {"to": "arbitration"}, {"D14": "suspended"}),
        ("transfer.correction_required", {"to": "payment_order"}, {"D10": "suspended"}),
        ("transfer.correction_required", {"to": "court"}, {"D25": "suspended"}),
        ("confirmation.correction_required", {"route": "judicial_confirmation"}, {"D08b": "suspended"}),
        ("confirmation.correction_required", {"route": "arbitration_review"}, {}),
        ("case.closed", {}, {"D03": "met", "D03-from_acceptance": "met", "D03-working": "met"} | NOBODY_TELLS),
        ("fulfilment.performed", {"open_terms": "0"}, {"D26": "met", "D26-performance": "met"}),
        ("fulfilment.performed", {"open_terms": "1"}, {"D26-performance": "met"}),
    ],
)
def test_what_an_event_makes_of_running_clocks(event: str, facts: dict[str, Any], states: dict[str, str]) -> None:
    assert states_after(event, facts) == states


def test_an_end_of_the_mediation_meets_its_limit() -> None:
    for end in ("agreed", "failed", "withdrawn", "terminated"):
        assert states_after(f"case.{end}", {})["D03"] is ClockState.MET
    assert "D03" not in states_after("case.partly_agreed", {})


# -------------------------------------------------------------------------------------- suspension and extension


def running(event: str, **facts: Any) -> Clock:
    (clock,) = clocks_started_by(event, facts)
    return clock


DELEGATED = running("referral.accepted", kind="court_delegated", at=datetime(2026, 4, 1, 9, 0, tzinfo=BEIJING))


def test_a_suspended_clock_gets_its_days_back() -> None:
    assert DELEGATED.due == day("2026-05-06")
    stopped = suspend(DELEGATED, day("2026-04-11"))
    assert (stopped.state, stopped.due) == (ClockState.SUSPENDED, DELEGATED.due)
    resumed = resume(stopped, day("2026-04-21"))
    assert (resumed.state, resumed.due) == (ClockState.RUNNING, day("2026-05-11"))
    assert recompute(resumed) == resumed
    again = resume(suspend(resumed, day("2026-05-05")), day("2026-05-07"))
    assert again.due == day("2026-05-13")


def test_a_given_end_moves_by_the_days_of_a_pause() -> None:
    at = datetime(2026, 4, 1, 9, 0, tzinfo=BEIJING)
    clock = running("referral.accepted", kind="court_delegated", at=at, mediation_due_at=at + 20 * DAY)
    resumed = resume(suspend(clock, day("2026-04-11")), day("2026-04-14"))
    assert resumed.ends_at == at + 23 * DAY
    assert extend(resumed, 7).ends_at == at + 30 * DAY


def test_a_clock_is_only_suspended_while_it_runs_and_resumed_while_it_rests() -> None:
    with pytest.raises(ValueError, match="suspended"):
        resume(DELEGATED, day("2026-04-21"))
    with pytest.raises(ValueError, match="before"):
        resume(suspend(DELEGATED, day("2026-04-11")), day("2026-04-10"))
    with pytest.raises(ValueError, match="suspended"):
        suspend(replace(DELEGATED, state=ClockState.MET), day("2026-04-11"))
    with pytest.raises(ValueError, match="suspended"):
        suspend(suspend(DELEGATED, day("2026-04-11")), day("2026-04-12"))


def test_an_extension_lengthens_the_period_before_it_rolls() -> None:
    review = running("confirmation.accepted", route="arbitration_review", at=day("2026-09-24"))
    assert review.due == day("2026-09-29")
    assert extend(review, 5).due == day("2026-10-08")
    assert extend(extend(review, 2), 3) == extend(review, 5)


def test_no_extension_beyond_the_law() -> None:
    review = running("confirmation.accepted", route="arbitration_review", at=day("2026-09-24"))
    with pytest.raises(ValueError, match="no such extension"):
        extend(review, 6)
    with pytest.raises(ValueError, match="no such extension"):
        extend(extend(review, 5), 1)
    with pytest.raises(ValueError, match="nothing to prolong"):
        extend(review, 0)
    with pytest.raises(ValueError, match="nothing to prolong"):
        extend(replace(review, state=ClockState.EXPIRED), 1)
    window = by_rule(clocks_started_by("agreement.effective", {"effective_at": TODAY}))["D04"]
    with pytest.raises(ValueError, match="no such extension"):
        extend(window, 1)
    assert extend(DELEGATED, 30).due == day("2026-06-01")


@unhurried
@given(st.integers(0, 25), st.integers(0, 60))
def test_a_pause_never_shortens(first: int, days: int) -> None:
    stopped = suspend(DELEGATED, DELEGATED.start + first * DAY)
    resumed = resume(stopped, DELEGATED.start + (first + days) * DAY)
    assert resumed.due >= DELEGATED.due
    assert resumed.ends_at >= DELEGATED.ends_at
