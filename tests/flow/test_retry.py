"""The schedule of retries: bounded waits, an end in sight, and the latest safe time of statutory messages."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.flow.retry import Again, Over, after_failure, full_jitter, next_look_ms
from gateway.settings import RetrySettings

SETTINGS = RetrySettings()
HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 1_795_000_000_000


def after(retry_class: str = "standard", step: int = 0, *, seed: int = 0, **more: int | None) -> Again | Over:
    times: dict[str, int | None] = {"created_at": NOW, "safe_at": None, "now": NOW, "at_least_ms": 0}
    return after_failure(
        retry_class=retry_class,
        step=step,
        settings=SETTINGS,
        random=Random(seed),
        **times | more,  # type: ignore[arg-type] # safe_at alone may be None
    )


def again(found: Again | Over) -> Again:
    assert isinstance(found, Again)
    return found


@given(st.floats(0.001, 1e6), st.integers())
def test_jitter_stays_between_a_tenth_and_the_whole(wait_s: float, seed: int) -> None:
    drawn = full_jitter(wait_s, Random(seed))
    assert round(100 * wait_s) - 1 <= drawn <= round(1000 * wait_s)


def test_jitter_is_spread_over_the_whole_wait_at_the_cap_too() -> None:
    random = Random(7)
    drawn = [full_jitter(86_400, random) / 86_400_000 for _ in range(4000)]
    for low, high in ((0.1, 0.4), (0.4, 0.7), (0.7, 1.0)):
        assert 0.25 < sum(low <= one < high for one in drawn) / len(drawn) < 0.45
    assert 0.45 < sum(drawn) / len(drawn) < 0.60


@pytest.mark.parametrize(("retry_class", "waits"), [("standard", SETTINGS.standard), ("notify", SETTINGS.notify)])
@given(seed=st.integers())
def test_a_schedule_is_walked_to_its_end_and_no_wait_exceeds_its_place(
    retry_class: str, waits: tuple[float, ...], seed: int
) -> None:
    for step, wait in enumerate(waits):
        found = again(after(retry_class, step, seed=seed))
        assert 0 < found.wait_ms <= 1000 * wait
        assert found.step == step + 1
        assert not found.late
    assert after(retry_class, len(waits), seed=seed) == Over("dead")


def test_the_defaults_are_those_of_the_design() -> None:
    assert list(SETTINGS.standard) == [5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 86400]
    assert list(SETTINGS.statutory) == [*SETTINGS.standard[:7], 14400]
    assert list(SETTINGS.notify) == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]


@given(
    step=st.integers(0, 400),
    age=st.integers(0, 90 * DAY),
    safe_in=st.integers(-DAY, 60 * DAY),
    at_least=st.integers(0, DAY),
    seed=st.integers(),
)
def test_a_statutory_message_is_tried_until_its_latest_safe_time(
    step: int, age: int, safe_in: int, at_least: int, seed: int
) -> None:
    safe_at = NOW + safe_in
    created = NOW - age
    found = after("statutory", step, seed=seed, created_at=created, safe_at=safe_at, at_least_ms=at_least)
    if created >= safe_at:
        expected = after("standard", step, seed=seed, at_least_ms=at_least)
        assert found == expected
    elif safe_in <= 0:
        assert found == Over("expired")
    else:
        assert again(found).wait_ms <= min(max(1000 * 14_400, at_least), safe_in)
        assert again(found).late == (age >= 2 * HOUR)
        if safe_in <= DAY:
            assert again(found).wait_ms <= max(1_800_000, at_least)


def test_the_last_try_falls_on_the_latest_safe_time() -> None:
    found = again(after("statutory", 30, created_at=NOW - DAY, safe_at=NOW + 1000))
    assert found.wait_ms <= 1000
    assert after("statutory", 31, created_at=NOW - DAY, safe_at=NOW + 1000, now=NOW + 1000) == Over("expired")


@given(st.integers(0, 300), st.integers(), st.integers(0, 29 * DAY))
def test_without_a_clock_it_is_tried_for_thirty_days(step: int, seed: int, age: int) -> None:
    assert again(after("statutory", step, seed=seed, created_at=NOW - age)).wait_ms <= 1000 * 14_400
    assert after("statutory", step, seed=seed, created_at=NOW - 30 * DAY) == Over("dead")


@given(st.sampled_from(["standard", "statutory", "notify"]), st.integers(0, 8), st.integers(0, DAY), st.integers())
def test_what_the_platform_asked_for_is_never_undercut(retry_class: str, step: int, asked: int, seed: int) -> None:
    assert again(after(retry_class, step, seed=seed, at_least_ms=asked)).wait_ms >= asked


@given(st.integers())
def test_a_whole_outage_of_a_month_ends_in_a_task_and_never_silently(seed: int) -> None:
    """A statutory message without a clock: late after two hours, dead after thirty days, no more tries than the schedule."""
    random, now, step, tries, told = Random(seed), NOW, 0, 0, False
    while True:
        found = after_failure(
            retry_class="statutory",
            step=step,
            created_at=NOW,
            safe_at=None,
            now=now,
            settings=SETTINGS,
            random=random,
        )
        if isinstance(found, Over):
            break
        tries, step, now = tries + 1, found.step, now + found.wait_ms
        told = told or found.late
    assert told
    assert found == Over("dead")
    assert 30 * DAY <= now - NOW <= 30 * DAY + 4 * HOUR
    assert 180 <= tries <= 30 * 24 * 60


@pytest.mark.parametrize(
    ("tries", "age_ms", "wait_ms"),
    [
        (1, 0, 1000),
        (2, 1000, 2000),
        (3, 3000, 5000),
        (4, 8000, None),
        (1, 400, 600),  # kept a while before it was looked at: the plan counts from its coming
        (7, 1500, 1500),  # woken again and again, or killed: its time is no shorter
        (9, 7999, 1),
        (1, 7_200_000, 1000),  # the gateway was away: the looks are not skipped
        (3, 7_200_000, 5000),
        (4, 7_200_000, None),
        (0, 9000, None),
    ],
)
def test_a_call_that_nobody_knows_is_looked_at_as_often_and_as_long_as_is_planned(
    tries: int, age_ms: int, wait_ms: int | None
) -> None:
    assert next_look_ms((1, 2, 5), tries, age_ms) == wait_ms
