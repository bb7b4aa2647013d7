"""Numbers of courts and commissions are found in whatever spelling they are typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.flow.moving.references import fold, name_letters


@pytest.mark.parametrize(
    "spelling",
    [
        "（2026）鲁0102民特12号",
        "(2026)鲁0102民特12号",
        "〔2026〕鲁0102民特12号",
        "[2026] 鲁 0102 民特 12 号",
        "【2026】鲁０１０２民特１２号",
        "﹝2026﹞鲁0102民特第12号",
    ],
)
def test_brackets_width_and_blanks_make_no_difference(spelling: str) -> None:
    assert fold(spelling) == fold("（2026）鲁0102民特12号")


@pytest.mark.parametrize(
    "other", ["（2026）鲁0102民特13号", "（2025）鲁0102民特12号", "（2026）鲁0103民特12号", "（2026）鲁0102民初12号"]
)
def test_another_number_is_another_number(other: str) -> None:
    assert fold(other) != fold("（2026）鲁0102民特12号")


def test_letters_and_optional_words() -> None:
    assert fold("济劳人仲案字〔2026〕第7号") == fold("济劳人仲案〔2026〕7号")
    assert fold("bg-00a1") == fold("BG-00A1")


@given(
    st.text(alphabet="（）〔〕鲁济民特初劳人仲号0123456789A-", max_size=30), st.lists(st.integers(0, 30), max_size=5)
)
def test_blanks_anywhere_make_no_difference(number: str, places: list[int]) -> None:
    spaced = list(number)
    for place in places:
        spaced.insert(min(place, len(spaced)), "\u3000" if place % 2 else " ")
    assert fold("".join(spaced)) == fold(number)


def test_a_name_is_the_same_however_its_dot_and_brackets_are_typed() -> None:
    written = ("阿依古丽·买买提", "阿依古丽・买买提", "阿依古丽•买买提", " 阿依古丽 . 买买提", "阿依古丽买买提")
    assert {name_letters(name) for name in written} == {"阿依古丽买买提"}
    assert name_letters("示例物流(山东)有限公司") == name_letters("示例物流（山东）有限公司")
    assert name_letters("王建国") != name_letters("王建")
