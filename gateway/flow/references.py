"""How numbers that others gave are folded, so that any spelling of them finds the thing (``domain.md`` §2.5)."""

from __future__ import annotations

import unicodedata

_BRACKETS = str.maketrans(
    {"〔": "(", "〕": ")", "[": "(", "]": ")", "【": "(", "】": ")", "（": "(", "）": ")", "﹝": "(", "﹞": ")"}
)

_DOTS = "·•‧・･.．"
"""What people type for the dot between the parts of a name."""


def fold(number: str) -> str:
    """Width, brackets, blanks, case and the optional 字 and 第 make no difference: ``鲁0102民初（2026）12号``."""
    plain = unicodedata.normalize("NFKC", number).translate(_BRACKETS)
    return "".join(plain.split()).upper().replace("案字", "案").replace("第", "")


def name_letters(name: str) -> str:
    """A name as its fingerprint is made of it: brackets in one width, the dot between the parts of a name (阿依古丽·买买提) and
    blanks left out."""
    plain = unicodedata.normalize("NFKC", name).translate(_BRACKETS)
    return "".join([c for c in plain if c not in _DOTS and not c.isspace()]).upper()


def phone_digits(number: str) -> str:
    """A telephone number as its fingerprint is made of it: the digits alone, without the country's 86."""
    plain = number if number.isascii() else unicodedata.normalize("NFKC", number)
    digits = "".join([c for c in plain if c.isascii() and c.isdigit()])
    return digits.removeprefix("86") if len(digits) > 11 else digits
