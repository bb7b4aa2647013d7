"""The writer of one object: limits, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from adapters.hr_arbitration.rows import Row
from adapters.tables import Losses
from contracts.errors import PermanentError


def test_at_most_twenty_rows_and_never_a_cut() -> None:
    row = Row(Losses())
    row.text("A", "甲" * 40_050, "/a", 50)
    found = row.done()
    assert [len(one["BZX003"]) for one in found["BZX000"]] == [2000] * 20
    with pytest.raises(PermanentError) as refused:
        Row(Losses()).text("A", "甲" * 40_051, "/a", 50)
    assert refused.value.code == "too_long"
    assert "甲" not in str(refused.value)


def test_the_long_texts_of_one_object_stand_together() -> None:
    row = Row(Losses())
    row.text("A", "aab", "/a", 2)
    row.text("B", "b", "/b", 2)
    row.text("C", "ccd", "/c", 2)
    assert row.done() == {
        "A": "aa",
        "B": "b",
        "C": "cc",
        "BZX000": [
            {"BZX001": "A", "BZX002": "2", "BZX003": "b"},
            {"BZX001": "C", "BZX002": "2", "BZX003": "d"},
        ],
    }


def test_what_is_absent_or_empty_is_left_out() -> None:
    row = Row(Losses())
    row.text("A", None, "/a", 2)
    row.text("B", "", "/b", 2)
    row.exact("C", None, "/c", 2)
    row.money("D", None, "/d")
    row.integer("E", None, "/e")
    row.flag("F", None, "/f")
    row.moment("G", None, "/g")
    row.day("H", None, "/h")
    row.rows("I", [])
    assert row.done() == {}


@pytest.mark.parametrize(
    ("amount", "written"),
    [("0", "0.00"), ("0.1", "0.10"), ("99999999999999.99", "99999999999999.99"), ("1E+3", "1000.00")],
)
def test_money_has_two_decimals(amount: str, written: str) -> None:
    row = Row(Losses())
    row.money("A", Decimal(amount), "/a")
    assert row.done() == {"A": written}


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (lambda row: row.money("A", Decimal("100000000000000"), "/a"), "too_large"),
        (lambda row: row.integer("A", 1_000_000, "/a", 6), "too_large"),
        (lambda row: row.exact("A", "x" * 3, "/a", 2), "too_long"),
    ],
    ids=["money", "integer", "exact"],
)
def test_what_does_not_fit_is_refused(write: Callable[[Row], None], code: str) -> None:
    row = Row(Losses())
    with pytest.raises(PermanentError) as refused:
        write(row)
    assert refused.value.code == code
    assert "/a" in refused.value.text
    assert row.done() == {}


def test_a_place_is_a_path() -> None:
    row = Row(Losses()).below("BZP000", 1).below("BZP100", 0)
    assert row.place("AAC003") == "BZP000[1].BZP100[0].AAC003"
