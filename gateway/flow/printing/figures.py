"""Amounts, days and numbers as Chinese papers write them (大写金额、年月日)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from contracts.chinese_calendar import beijing_day

_DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
_PLACES: Final = ("", "拾", "佰", "仟")
_PLAIN: Final = "〇一二三四五六七八九"


def capitals(amount: Decimal) -> str:
    """An amount in yuan in capital numerals (大写), as 支付结算办法 annex 1 wants them: ``18600.05`` is
    壹万捌仟陆佰元零伍分.

    Raises:
        ValueError: negative, or not of whole fen.
    """
    fen = amount.scaleb(2)
    if amount < 0 or fen != fen.to_integral_value():
        raise ValueError("an amount of whole fen, not below zero")
    yuan, cents = divmod(int(fen), 100)
    tenths, hundredths = divmod(cents, 10)
    words = f"{_whole(yuan)}元" if yuan else ""
    if not cents:
        return f"{words or '零元'}整"
    if tenths:
        words += f"{_DIGITS[tenths]}角"
    elif yuan:
        words += "零"
    return words + (f"{_DIGITS[hundredths]}分" if hundredths else "整")


def _whole(number: int) -> str:
    for unit, word in ((10**8, "亿"), (10**4, "万")):
        if number >= unit:
            high, low = divmod(number, unit)
            gap = "零" if 0 < low < unit // 10 else ""
            return _whole(high) + word + gap + (_whole(low) if low else "")
    return _group(number)


def _group(number: int) -> str:
    words, gap = "", False
    for place in reversed(range(4)):
        digit = number // 10**place % 10
        if not digit:
            gap = bool(words)
            continue
        words += ("零" if gap else "") + _DIGITS[digit] + _PLACES[place]
        gap = False
    return words


def money(amount: Decimal) -> str:
    """In figures and in capitals: 人民币18600.00元（大写：壹万捌仟陆佰元整）."""
    return f"人民币{amount:.2f}元（大写：{capitals(amount)}）"


def day(moment: datetime | date) -> str:
    """A day in Beijing, in figures: 2026年9月24日."""
    found = beijing_day(moment)
    return f"{found.year}年{found.month}月{found.day}日"


def formal_day(moment: datetime | date) -> str:
    """A day in Beijing as it stands under a paper: 二〇二六年九月二十四日."""
    found = beijing_day(moment)
    return f"{''.join(_PLAIN[int(digit)] for digit in str(found.year))}年{small(found.month)}月{small(found.day)}日"


def small(number: int) -> str:
    """1 to 99 in plain numerals: 二十四. Larger ones stay in figures."""
    if not 0 < number < 100:
        return str(number)
    tens, ones = divmod(number, 10)
    return ("" if not tens else "十" if tens == 1 else f"{_PLAIN[tens]}十") + (_PLAIN[ones] if ones else "")


def joined(names: Sequence[str]) -> str:
    """Names beside each other: 甲、乙和丙."""
    if len(names) < 2:
        return "".join(names)
    return f"{'、'.join(names[:-1])}和{names[-1]}"
