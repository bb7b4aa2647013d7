"""A closed list whose values carry their titles in Chinese and English."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Titled(StrEnum):
    """Base of the closed lists: each member is its English value, with ``zh`` (zh-CN) and ``en`` titles for people.

    A member is written ``NAME = "value", "中文", "English"``; looking one up by value raises ``ValueError`` for a word
    that is not of the list.
    """

    zh: str
    en: str

    def __new__(cls, value: str, zh: str = "", en: str = "") -> Self:
        """Make the member. The titles have defaults only so that a look-up by value type-checks."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.zh = zh
        member.en = en
        return member
