"""Amounts and days as papers write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.flow.printing.figures import capitals, day, formal_day, joined, money, small

DIGITS = "零壹贰叁肆伍陆柒捌玖"


def value_of(words: str) -> Decimal:
    """Reads capital numerals back, by rules of its own: the sum of groups of 亿, 万 and ones."""
    whole, _, rest = words.partition("元") if "元" in words else ("", "", words)
    total = Decimal(number(whole))
    for unit, worth in (("角", Decimal("0.1")), ("分", Decimal("0.01"))):
        at = rest.find(unit)
        if at > 0:
            total += DIGITS.index(rest[at - 1]) * worth
    return total


def number(words: str) -> int:
    for unit, worth in (("亿", 10**8), ("万", 10**4), ("仟", 1000), ("佰", 100), ("拾", 10)):
        head, found, tail = words.rpartition(unit) if worth >= 10**4 else words.partition(unit)
        if found:
            return number(head) * worth + number(tail)
    return sum(DIGITS.index(sign) for sign in words)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("0.50", "伍角整"),
        ("18600.00", "壹万捌仟陆佰元整"),
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("1680.32", "壹仟陆佰捌拾元叁角贰分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("100005", "壹拾万零伍元整"),
        ("10000001.10", "壹仟万零壹元壹角整"),
        ("999900000000", "玖仟玖佰玖拾玖亿元整"),
        ("1000000000001", "壹万亿零壹元整"),
    ],
)
def test_capitals_follow_the_rules_of_the_payment_order(amount: str, words: str) -> None:
    assert capitals(Decimal(amount)) == words


@given(st.integers(0, 10**15 - 1))
def test_capitals_are_read_back_as_the_amount(fen: int) -> None:
    amount = Decimal(fen).scaleb(-2)
    words = capitals(amount)
    assert value_of(words) == amount
    assert "零零" not in words
    assert words[-1] in "整分"


@pytest.mark.parametrize("amount", ["-1", "0.001"])
def test_what_is_no_amount_has_no_words(amount: str) -> None:
    with pytest.raises(ValueError, match="whole fen"):
        capitals(Decimal(amount))


def test_money_stands_in_figures_and_in_capitals() -> None:
    assert money(Decimal("18600")) == "人民币18600.00元（大写：壹万捌仟陆佰元整）"


def test_days_are_those_of_beijing() -> None:
    late = datetime(2026, 9, 24, 17, 0, tzinfo=UTC)
    assert day(late) == "2026年9月25日"
    assert formal_day(late) == "二〇二六年九月二十五日"
    assert formal_day(date(2030, 10, 31)) == "二〇三〇年十月三十一日"


def test_small_numbers_and_names() -> None:
    assert [small(n) for n in (1, 10, 11, 20, 99, 100)] == ["一", "十", "十一", "二十", "九十九", "100"]
    assert [joined(names) for names in ([], ["甲"], ["甲", "乙"], ["甲", "乙", "丙"])] == [
        "",
        "甲",
        "甲和乙",
        "甲、乙和丙",
    ]
