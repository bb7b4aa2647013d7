"""Check characters of Chinese identity numbers, and the platforms' reference numbers."""

from __future__ import annotations

import re
from datetime import date, datetime

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def resident_id_check(first17: str) -> str:
    """The 18th character (MOD 11-2, GB 11643 / ISO 7064) of a resident identity number 公民身份号码."""
    total = sum(int(digit) * weight for digit, weight in zip(first17, _ID_WEIGHTS, strict=True))
    return _ID_CHECKS[total % 11]


def is_resident_id(number: str) -> bool:
    """Whether ``number`` is 17 digits with a real birth date and the right check character (capital X)."""
    if re.fullmatch(r"[1-9][0-9]{16}[0-9X]", number, re.ASCII) is None:
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return resident_id_check(number[:17]) == number[17]


def credit_code_check(first17: str) -> str:
    """The 18th character (GB 32100-2015) of a unified social credit code 统一社会信用代码.

    Raises ``ValueError`` for a character that is not of the code's alphabet.
    """
    total = sum(
        _CREDIT_ALPHABET.index(character) * weight for character, weight in zip(first17, _CREDIT_WEIGHTS, strict=True)
    )
    return _CREDIT_ALPHABET[(31 - total % 31) % 31]


def is_credit_code(code: str) -> bool:
    """Whether ``code`` is 18 characters of the code's alphabet with the right check character."""
    if len(code) != 18 or any(character not in _CREDIT_ALPHABET for character in code):
        return False
    return credit_code_check(code[:17]) == code[17]


def reference(head: str, at: datetime, number: int) -> str:
    """A platform reference of 20 digits: 6 digits ``head``, the date, 6 digits ``number`` (37010220260930000123)."""
    if len(head) != 6 or not head.isdigit():
        raise ValueError("the head of a reference is 6 digits")
    return f"{head}{at:%Y%m%d}{number % 1_000_000:06d}"
