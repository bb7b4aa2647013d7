"""Statistics add up to the ledger: every figure is the number of the lines that its basis and class name."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.lists import ClaimKind, OrganizationType
from gateway.report.definitions import Basis, definitions
from gateway.report.entry import Entry
from gateway.report.line import missing
from gateway.report.period import Period
from gateway.report.statistics import Share, Statistics, success
from tests.report.cases import case, cases

YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))
MAY = date(2026, 5, 1)


def counted(entries: list[Entry], period: Period) -> Statistics:
    made = Statistics(period)
    for entry in entries:
        made.add(entry)
    return made


def lines(entries: list[Entry], period: Period, basis: Basis) -> list[Entry]:
    return [entry for entry in entries if entry.within(period, basis)]


@given(cases(), st.integers(0, 300), st.integers(0, 120))
def test_every_figure_is_a_number_of_lines(entries: list[Entry], first: int, length: int) -> None:
    start = date(2026, 1, 1) + timedelta(days=first)
    period = Period(start, start + timedelta(days=length))
    made = counted(entries, period)
    accepted, ended = lines(entries, period, Basis.ACCEPTED), lines(entries, period, Basis.ENDED)
    value = made.value
    assert value("A01") == len(accepted) == sum(value(f"D{n}") for n in (1, 2, 3, 4, 5, 9))
    assert value("A01") == sum(value(f"O{n}") for n in (1, 2, 3, 4, 9))
    assert value("R0") == len(ended) == sum(value(f"R{n}") for n in (1, 2, 3, 4))
    assert value("M1") == sum((entry.amount for entry in accepted), Decimal(0))
    assert value("C2") >= 10 * value("C1")
    assert value("N01") == len(lines(entries, period, Basis.RECEIVED)) >= value("N02")
    assert value("Q1") == sum(not missing(entry) for entry in lines(entries, period, Basis.RECEIVED))
    assert value("U1") == len(lines(entries, period, Basis.OPEN)) >= value("L2")
    for item, figure in made.items():
        if item.code[0] in "DOR" and item.code != "R0":
            found = [
                entry
                for entry in lines(entries, period, item.basis)
                if item.code in (entry.dispute, entry.organization_class, entry.result)
            ]
            assert figure == len(found), item.code


@given(cases(), st.integers(0, 300))
def test_neighbouring_periods_add_up(entries: list[Entry], cut: int) -> None:
    """What flows is counted once, however a year is cut."""
    middle = date(2026, 1, 1) + timedelta(days=cut)
    whole = Period(date(2025, 12, 1), date(2027, 3, 1))
    first, second = Period(whole.start, middle), Period(middle + timedelta(days=1), whole.end)
    parts = counted(entries, first), counted(entries, second)
    for item, figure in counted(entries, whole).items():
        if item.basis is not Basis.OPEN and item.code not in ("L1",):
            assert figure == parts[0].value(item.code) + parts[1].value(item.code), item.code


@given(cases(), st.integers(0, 300))
def test_what_is_open_is_what_came_less_what_went(entries: list[Entry], day: int) -> None:
    """未结 = 旧存 + 新收 − 结案: as a court's published statistics count."""
    until = date(2026, 1, 1) + timedelta(days=day)
    whole = Period(date(2025, 12, 1), until)
    made = counted(entries, whole)
    assert made.value("U1") == Decimal(made.value("A01")) - Decimal(made.value("R0"))


def test_every_claim_and_every_type_has_its_class() -> None:
    known = definitions()
    assert set(known.disputes) == {str(kind) for kind in ClaimKind}
    assert set(known.organizations) == {str(kind) for kind in OrganizationType}
    codes = [item.code for item in known.items]
    assert len(codes) == len(set(codes))
    assert set(known.disputes.values()) | set(known.organizations.values()) <= set(codes)


def test_the_days_are_those_of_beijing() -> None:
    """Half past midnight in Beijing is still the day before by UTC."""
    one = case(1, MAY, accepted=MAY)
    assert one.received_on == MAY
    assert one.within(Period(MAY, MAY), Basis.ACCEPTED)
    assert not one.within(Period(MAY - timedelta(days=9), MAY - timedelta(days=1)), Basis.ACCEPTED)


@pytest.mark.parametrize(
    ("end", "reason", "code"),
    [
        ("agreed", "agreement_reached", "R1"),
        ("partly_agreed", "agreement_reached", "R1"),
        ("withdrawn", "self_settled_withdrawn", "R2"),
        ("terminated", "self_settled_withdrawn", "R2"),
        ("failed", "large_divergence", "R3"),
        ("terminated", "expired", "R3"),
        ("withdrawn", "other", "R4"),
    ],
)
def test_how_a_case_ended(end: str, reason: str, code: str) -> None:
    steps: list[tuple[str, date, str | None]] = [("accepted", MAY, None), (end, MAY + timedelta(days=3), reason)]
    made = case(1, MAY, steps=steps, status=end)
    assert made.result == code
    assert counted([made], YEAR).value(code) == 1


def test_a_case_that_goes_on_after_its_end_stays_ended_on_its_day() -> None:
    steps: list[tuple[str, date, str | None]] = [
        ("accepted", MAY, None),
        ("failed", MAY + timedelta(days=3), "large_divergence"),
        ("transferred", date(2026, 8, 1), None),
        ("closed", date(2026, 9, 1), None),
    ]
    made = case(1, MAY, steps=steps, status="closed")
    assert (made.ended_on, made.result) == (MAY + timedelta(days=3), "R3")


def test_a_part_that_is_agreed_may_still_fail() -> None:
    steps: list[tuple[str, date, str | None]] = [
        ("partly_agreed", MAY, "agreement_reached"),
        ("failed", MAY + timedelta(days=30), "large_divergence"),
    ]
    made = case(1, MAY, steps=steps, status="failed")
    assert (made.result, made.ended_on) == ("R3", MAY + timedelta(days=30))
    assert counted([made], YEAR).value("R0") == 1


def test_stages_that_were_skipped_are_passed_on_the_day_of_the_next() -> None:
    made = case(1, MAY, steps=[("failed", date(2026, 5, 9), "unwilling")], status="failed")
    assert made.accepted_on == date(2026, 5, 9)
    declined = case(2, MAY, steps=[("declined", date(2026, 5, 2), None)], status="declined")
    assert declined.accepted_on is None
    figures = counted([made, declined], YEAR)
    assert (figures.value("N01"), figures.value("N02"), figures.value("A01")) == (2, 1, 1)


def test_late_is_after_the_last_day_of_the_limit() -> None:
    limit = MAY + timedelta(days=15)
    for ended, late in ((limit, False), (limit + timedelta(days=1), True)):
        one = case(1, MAY, accepted=MAY, steps=[("failed", ended, "expired")], status="failed", limit=limit)
        assert one.late(date(2026, 12, 31)) is late
        assert counted([one], YEAR).value("L1") == int(late)
    still = case(1, MAY, accepted=MAY, status="accepted", limit=limit)
    assert counted([still], Period(MAY, limit)).value("L2") == 0
    assert counted([still], Period(MAY, limit + timedelta(days=1))).value("L2") == 1


def test_collective_is_from_ten_on() -> None:
    few = case(
        1, MAY, accepted=MAY, changes={"/collective": {"worker_count": 9, "representatives": [], "major": False}}
    )
    many = case(
        2, MAY, accepted=MAY, changes={"/collective": {"worker_count": 23, "representatives": [], "major": True}}
    )
    made = counted([few, many], YEAR)
    assert (made.value("C1"), made.value("C2"), made.value("C3")) == (1, 23, 24)


@pytest.mark.parametrize(
    ("share", "percent", "met"),
    [
        (Share(13, 20, 65), "65.0", True),
        (Share(6499, 10_000, 65), "64.9", False),
        (Share(0, 0, 65), None, None),
        (Share(3, 4, 65, applies=False), "75.0", None),
        (Share(1, 1, 65), "100.0", True),
    ],
)
def test_a_share_is_never_rounded_up_to_its_threshold(share: Share, percent: str | None, met: bool | None) -> None:
    assert (share.percent, share.met) == (percent, met)


def test_the_success_rate_counts_what_the_settings_say() -> None:
    steps: list[tuple[str, date, str | None]] = [("accepted", MAY, None)]
    settled = case(1, MAY, steps=[*steps, ("withdrawn", MAY, "self_settled_withdrawn")], status="withdrawn")
    failed = case(2, MAY, steps=[*steps, ("failed", MAY, "unwilling")], status="failed")
    made = counted([settled, failed], YEAR)
    assert success(made, ("R1", "R2"), 65) == Share(1, 2, 65)
    assert success(made, ("R1",), 65).numerator == 0
    assert success(counted([], YEAR), ("R1", "R2"), 65).met is None
