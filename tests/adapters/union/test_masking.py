"""Masks and cuts: the page's example, and what must hold of every text."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.union import masking

from .platform import LONG_NUMBER

DIGITS = "0123456789０１２３４５６７８９"
NUMBERY = st.text(st.sampled_from(DIGITS + " -－　XxＸｘ年甲\n*"), max_size=120)
TEXT = st.text(st.characters(codec="utf-8"), max_size=300)


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("370102199003071238", "370*************38"),
        ("37010219900307123x", "370*************3X"),
        ("３７０１０２１９９００３０７１２３ｘ", "370*************3X"),
        ("E12345678", "E12****78"),
        ("H12345678", "H12****78"),
        ("123456", "123*56"),
        ("12345", "*****"),
        ("1", "*"),
        ("军字第0123456号", "军字第******6号"),
    ],
)
def test_identity_numbers(number: str, masked: str) -> None:
    assert masking.mask(number) == masked


@pytest.mark.parametrize(
    ("text", "masked", "count"),
    [
        ("身份证370102199003071238，", "身份证370*************38，", 1),
        ("37010219900307123x。", "370*************3X。", 1),
        ("３７０１０２１９９００３０７１２３８", "370*************38", 1),
        ("370102 19900307 1238", "370***************38", 1),
        ("370102-1990-0307-1238", "370****************38", 1),
        ("6222020000000000000", "622**************00", 1),
        ("1234567890123", "1234567890123", 0),
        ("12345678901234", "123*********34", 1),
        ("370102  199003071238", "370102  199003071238", 0),
        ("370102\n199003071238", "370102\n199003071238", 0),
        ("甲12345678901234乙12345678901234", "甲123*********34乙123*********34", 2),
        # 19 digits are masked, and the two that stay join the 13 that follow: 15 digits, a number again.
        ("1" * 19 + "2" * 13, "111" + "*" * 14 + "112" + "*" * 10 + "22", 2),
        ("没有号码", "没有号码", 0),
    ],
)
def test_numbers_inside_texts(text: str, masked: str, count: int) -> None:
    assert masking.mask_numbers(text) == (masked, count)
    assert len(masked) == len(text)


@given(NUMBERY)
@example("0" * 120)
@example("1 " * 60)
def test_no_long_number_survives(text: str) -> None:
    masked, count = masking.mask_numbers(text)
    assert not LONG_NUMBER.search(masked)
    assert len(masked) == len(text)
    assert (count == 0) == (masked == text)
    # What was no digit, blank, hyphen or X of a number stays where it was.
    assert [c for c in masked if c in "年甲\n"] == [c for c in text if c in "年甲\n"]


@given(NUMBERY, st.integers(min_value=6, max_value=90))
def test_no_long_number_survives_a_cut(text: str, limit: int) -> None:
    kept, _ = masking.cut(masking.mask_numbers(text)[0], limit)
    assert not LONG_NUMBER.search(kept)


@given(TEXT, st.integers(min_value=6, max_value=400))
def test_a_cut_text_keeps_its_limit_and_its_beginning(text: str, limit: int) -> None:
    kept, behind = masking.cut(text, limit)
    assert len(kept.encode("gb18030")) <= limit
    if not behind:
        assert kept == text
        return
    assert len(text.encode("gb18030")) > limit
    assert kept.endswith("…[略]")
    beginning = kept.removesuffix("…[略]")
    assert text.startswith(beginning)
    assert len(text) - len(beginning) == behind
    # Not a character more would have fitted.
    assert len((text[: len(beginning) + 1] + "…[略]").encode("gb18030")) > limit


@pytest.mark.parametrize("character", ["a", "甲", "𠮷", "㐂"])
@pytest.mark.parametrize("limit", range(6, 24))
def test_cuts_stand_at_borders_of_characters(character: str, limit: int) -> None:
    width = len(character.encode("gb18030"))
    kept, behind = masking.cut(character * 50, limit)
    assert kept == character * ((limit - 6) // width) + "…[略]"
    assert behind == 50 - (limit - 6) // width


def test_a_text_of_exactly_the_limit_is_whole() -> None:
    assert masking.cut("甲" * 500, 1000) == ("甲" * 500, 0)
    assert masking.cut("甲" * 500 + "a", 1000) == ("甲" * 497 + "…[略]", 4)


def test_the_mark_has_six_bytes() -> None:
    assert masking.CUT_MARK.encode("gb18030").hex(" ").upper() == "A1 AD 5B C2 D4 5D"


def test_controls_but_line_feed_become_spaces() -> None:
    every = "".join(map(chr, [*range(32), *range(127, 160)]))
    assert masking.without_controls(f"甲{every}乙") == "甲" + re.sub("[^\n]", " ", every) + "乙"


@pytest.mark.parametrize(
    ("phone", "spoken"),
    [
        ("13853100001", "13853100001"),
        ("0531-86000001", "0531-86000001"),
        ("0531-8600001-12", "0531-8600001-12"),
        ("0531-86000001-80", "053186000001转80"),
        ("053186000001-8001", "053186000001转8001"),
        ("0531-86000001-123456", "053186000001转123456"),
        ("010-65000001-1234", "01065000001转1234"),
        ("+8613853100001", "+8613853100001"),
        ("+123456789012345", "+123456789012345"),
    ],
)
def test_phones_with_long_extensions(phone: str, spoken: str) -> None:
    assert masking.spoken_phone(phone) == spoken
    assert masking.size(spoken) <= 20
