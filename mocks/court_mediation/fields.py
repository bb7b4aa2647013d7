"""What a field table is made of: one `Field` a key of the court's page, read by `check`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LONG_LIMIT: Final = 5000
"""Unicode code points of a long text, ∞ on the page (§4)."""


class Form(StrEnum):
    """The written forms of §3 and §4."""

    TEXT = "text"
    MONEY = "money"  # yuan, exactly 2 decimals, at most 15 digits before the point
    DATE = "date"  # yyyyMMdd
    TIME = "time"  # yyyyMMdd HH:mm
    YEAR = "year"  # yyyy
    DIGITS = "digits"
    CODE = "code"
    TEXTS = "texts"  # list of strings
    OBJECTS = "objects"  # list of objects


@dataclass(frozen=True, slots=True)
class Field:
    """One key: its form, whether it is required (* on the page), its limit in code points, its codes or its own table.

    `at_least` is the least number of entries of a list that is sent.
    """

    key: str
    form: Form = Form.TEXT
    required: bool = False
    limit: int | None = None
    codes: frozenset[str] = frozenset()
    of: tuple["Field", ...] = ()
    at_least: int = 0


Table = tuple[Field, ...]


def text(key: str, limit: int | None = None, *, required: bool = False) -> Field:
    """S and its limit."""
    return Field(key, Form.TEXT, required, limit)


def long_text(key: str, *, required: bool = False) -> Field:
    """∞: at most 5000 code points."""
    return Field(key, Form.TEXT, required, LONG_LIMIT)


def money(key: str, *, required: bool = False) -> Field:
    """Yuan as text."""
    return Field(key, Form.MONEY, required)


def date(key: str, *, required: bool = False) -> Field:
    """yyyyMMdd."""
    return Field(key, Form.DATE, required)


def time(key: str, *, required: bool = False) -> Field:
    """yyyyMMdd HH:mm, Beijing time."""
    return Field(key, Form.TIME, required)


def digits(key: str, *, required: bool = False) -> Field:
    """A whole number as text."""
    return Field(key, Form.DIGITS, required)


def code(key: str, values: frozenset[str], *, required: bool = False) -> Field:
    """A value of a code table."""
    return Field(key, Form.CODE, required, None, values)


def constant(key: str, value: str) -> Field:
    """A required key with one possible value."""
    return code(key, frozenset({value}), required=True)


def texts(key: str, *, required: bool = False) -> Field:
    """List of strings."""
    return Field(key, Form.TEXTS, required)


def objects(key: str, of: Table, *, required: bool = False, at_least: int | None = None) -> Field:
    """List of objects of one table; a required list holds at least one unless `at_least` says otherwise."""
    return Field(key, Form.OBJECTS, required, None, frozenset(), of, int(required) if at_least is None else at_least)
