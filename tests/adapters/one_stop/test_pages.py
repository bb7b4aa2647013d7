"""UTF-16 lengths, continuation pages and forbidden characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.one_stop.pages import MOST_PAGES, PAGE_UNITS, TooLong, pages, units, without_forbidden

WIDE = "𠮷"


def test_units_are_those_of_utf_16() -> None:
    assert units("吉") == 1
    assert units(WIDE) == 2
    assert units(f"a{WIDE}吉") == 4


@given(st.text())
def test_units_agree_with_the_encoding(text: str) -> None:
    assert units(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


def test_a_text_of_the_limit_is_one_page() -> None:
    assert pages("吉" * 1000, 1000) == ("吉" * 1000,)
    assert pages(WIDE * 500, 1000) == (WIDE * 500,)


def test_one_unit_more_makes_a_second_page() -> None:
    assert pages("吉" * 1001, 1000) == ("吉" * 1000, "吉")


def test_a_pair_is_never_cut() -> None:
    first, second = pages("a" + WIDE * 500, 1000)
    assert units(first) == 999
    assert second == WIDE
    assert [units(page) for page in pages("a" * 100 + "b" + WIDE * 501, 100)] == [100, 999, 4]


def test_twenty_pages_and_no_more() -> None:
    fits = "吉" * (100 + 19 * PAGE_UNITS)
    assert len(pages(fits, 100)) == MOST_PAGES
    with pytest.raises(TooLong):
        pages(fits + "吉", 100)
    with pytest.raises(TooLong):
        pages("a" * 99 + WIDE * (500 * 19) + "aa", 100)


@given(st.text(min_size=1), st.integers(2, 40))
def test_pages_joined_are_the_text(text: str, limit: int) -> None:
    found = pages(text, limit)
    assert "".join(found) == text
    for number, page in enumerate(found):
        room = PAGE_UNITS if number else limit
        assert units(page) <= room
        if number + 1 < len(found):
            # Full, or one unit short before a pair.
            assert units(page) == room or (units(page) == room - 1 and found[number + 1][0] > "\uffff")


@pytest.mark.parametrize("number", [0x0, 0x8, 0xB, 0xC, 0xE, 0x1F, 0xD800, 0xDFFF, 0xFFFE, 0xFFFF])
def test_what_xml_forbids_is_left_out(number: int) -> None:
    assert without_forbidden(f"甲{chr(number)}乙") == "甲乙"


@pytest.mark.parametrize("number", [0x9, 0xA, 0xD, 0x20, 0x7F, 0x85, 0x9F, 0x2028, 0xFDD0, 0xE000, 0x1FFFF, 0x10FFFF])
def test_what_xml_allows_stays(number: int) -> None:
    assert without_forbidden(chr(number)) == chr(number)
