"""How numbers that others gave are folded, so that any spelling of them finds the thing (``domain.md`` §2.5)."""

from __future__ import annotations

import unicodedata

_BRACKETS = str.maketrans(
    {"〔": "(", "〕": ")", "[": "(", "]": ")", "【": "(", "】": ")", "（": "(", "）": ")", "﹝": "(", "﹞": ")"}
)

_OF_NAMES = _BRACKETS | dict.fromkeys(map(ord, "·•‧・･.．"))
"""The same for names, and without what people type for the dot between their parts."""


def fold(number: str) -> str:
    """Width, brackets, blanks, case and the optional 字 and 第 make no difference: ``鲁0102民初（2026）12号``."""
    plain = unicodedata.normalize("NFKC", number).translate(_BRACKETS)
    return "".join(plain.split()).upper().replace("案字", "案").replace("第", "")


def name_letters(name: str) -> str:
    """A name as its fingerprint is made of it: brackets in one width, the dot between the parts of a name (阿依古丽·买买提) and
    blanks left out."""
    return "".join(unicodedata.normalize("NFKC", name).translate(_OF_NAMES).split()).upper()


def phone_digits(number: str) -> str:
    """A telephone number as its fingerprint is made of it: the digits alone, without the country's 86."""
    plain = number if number.isascii() else unicodedata.normalize("NFKC", number)
    digits = "".join([c for c in plain if c.isascii() and c.isdigit()])
    return digits.removeprefix("86") if len(digits) > 11 else digits
