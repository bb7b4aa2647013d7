"""What was due and is not done: a period that ran out while its matter waits still."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.flow.timing import overdue


@pytest.mark.parametrize(
    ("rule", "kind", "status", "expected"),
    [
        ("D01", "case", "received", True),
        ("D01", "case", "mediating", False),
        ("D03", "case", "accepted", True),
        ("D03", "case", "mediating", True),
        ("D03", "case", "agreed", False),
        ("D03", "case", "closed", False),
        ("D06", "confirmation", "reviewing", True),
        ("D06", "confirmation", "confirmed", False),
        ("D14", "transfer", "requested", True),
        ("D14", "transfer", "refused", False),
        ("D21", "referral", "offered", True),
        ("D21", "referral", "accepted", False),
        ("D23", "referral", "accepted", True),
        ("D23", "referral", "returned", False),
    ],
)
def test_a_period_is_missed_until_its_matter_has_its_word(rule: str, kind: str, status: str, expected: bool) -> None:
    assert overdue.waits(rule, kind, status) is expected


@pytest.mark.parametrize("rule", ["D04", "D07", "D09", "D13", "D26", "D26-performance", "D11", "D17"])
def test_the_parties_own_time_and_what_nobody_tells_of_is_no_duty_missed(rule: str) -> None:
    for kind in ("case", "agreement", "confirmation", "transfer"):
        assert not overdue.waits(rule, kind, "requested")


def test_a_matter_without_steps_waits_for_nothing_that_was_told() -> None:
    rows: list[dict[str, Any]] = [
        {"rule": "D01", "kind": "case", "status": "received"},
        {"rule": "D13", "kind": "case", "status": "received"},
    ]
    assert overdue.still(rows) == rows[:1]
