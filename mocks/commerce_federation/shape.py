"""``NR`` field by field (page §4), as data: what may stand where, and the code when it does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mocks.commerce_federation import moments
from mocks.commerce_federation.findings import Wrong
from mocks.commerce_federation.tables import DICTIONARY

#: Returns the code of what is wrong with a text, or nothing.
Check = Callable[[str], str | None]

_MONEY = re.compile(r"(0|[1-9][0-9]{0,14})\.[0-9]{6}", re.ASCII)
#: Keys by which a bank account would come: E16, not merely unknown.
_BANK: Final = frozenset(
    (
        *("zh", "yhzh", "zhhm", "zhmc", "khh", "khyh", "yh", "yhk", "yhkh", "kh", "yhmc"),
        *("skr", "skrzh", "skzh", "payee", "account_no", "account_name", "bank"),
    )
)


@dataclass(frozen=True, slots=True)
class Text:
    """A text value."""

    check: Check
    required: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """An object."""

    fields: Mapping[str, Field]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of objects."""

    fields: Mapping[str, Field]
    required: bool = False
    least: int = 1
    most: int = 1000


Field = Text | Group | Rows


def words(most: int) -> Check:
    """A text of at most so many characters."""
    return lambda text: "E13" if len(text) > most else None


def code(kind: str) -> Check:
    """A code of ``TJ_DICT``."""
    return lambda text: None if text in DICTIONARY[kind] else "E15"


def one_of(*values: str) -> Check:
    """One of a few values that have no table."""
    return lambda text: None if text in values else "E14"


def form(pattern: str) -> Check:
    """A text of this form."""
    sought = re.compile(pattern, re.ASCII)
    return lambda text: None if sought.fullmatch(text) else "E14"


def money(text: str) -> str | None:
    """万元 with exactly six decimals."""
    return None if _MONEY.fullmatch(text) else "E14"


def time(text: str) -> str | None:
    """``yyyy-MM-dd HH:mm:ss``."""
    return None if moments.read(text) else "E14"


def date(text: str) -> str | None:
    """``yyyy-MM-dd``."""
    return None if moments.is_date(text) else "E14"


_digits = form(r"[0-9]{1,9}")
_AH = Text(words(64), required=True)

_PARTY: Final[dict[str, Field]] = {
    "ssdw": Text(one_of("4", "5", "3"), required=True),
    "dsrlx": Text(one_of("0", "1", "2"), required=True),
    "dsrxm": Text(words(100), required=True),
    "zjlx": Text(code("ZJLX")),
    "zjhm": Text(words(100)),
    "xb": Text(one_of("0", "1")),
    "nl": Text(form(r"0|[1-9][0-9]?|1[0-4][0-9]")),
    "dh": Text(words(20)),
    "lxr": Text(words(50)),
    "fddbr": Text(words(50)),
    "dz": Text(words(100)),
}

#: BIZ_TYPE → the fields of its ``NR``.
SHAPES: Final[dict[str, dict[str, Field]]] = {
    "01": {
        "ah": _AH,
        "twh": Text(words(100), required=True),
        "twhlx": Text(code("TWHLX"), required=True),
        "qhdm": Text(form(r"[0-9]{6}"), required=True),
        "ajly": Text(code("AJLY"), required=True),
        "sqfs": Text(one_of("1", "2"), required=True),
        "djrq": Text(time, required=True),
        "slrq": Text(time),
        "aydm": Text(code("AY"), required=True),
        "aymc": Text(words(50), required=True),
        "jfjyqk": Text(words(1000), required=True),
        "qq": Rows(
            {
                "qqlx": Text(code("QQLX"), required=True),
                "qqnr": Text(words(300), required=True),
                "je": Text(money),
            },
            required=True,
            most=20,
        ),
        "saje": Text(money, required=True),
        "sjrs": Text(_digits),
        "zdjt": Text(one_of("0", "1")),
        "dsr": Rows(_PARTY, required=True),
        "tjy": Rows({"zsbh": Text(words(64), required=True), "xm": Text(words(50), required=True)}),
    },
    "02": {
        "ah": _AH,
        "zt": Text(code("ZT"), required=True),
        "sj": Text(time, required=True),
        "jsyy": Text(code("JSYY")),
        "bz": Text(words(300)),
        "tjjg": Text(one_of("0", "1")),
        "tjdd": Text(words(100)),
    },
    "03": {
        "ah": _AH,
        "xy": Group(
            {
                "xybh": Text(words(64), required=True),
                "sxsj": Text(time, required=True),
                "fs": Text(_digits, required=True),
                "jjfw": Text(one_of("1", "2"), required=True),
                "xynr": Rows(
                    {
                        "xh": Text(_digits, required=True),
                        "nr": Text(words(500), required=True),
                        "je": Text(money),
                        "lxqx": Text(date),
                    },
                    required=True,
                ),
            },
            required=True,
        ),
    },
    "04": {
        "ah": _AH,
        "lx": Group(
            {
                "xybh": Text(words(64), required=True),
                "xh": Text(_digits, required=True),
                "lxzt": Text(one_of("1", "2", "3"), required=True),
                "sj": Text(time, required=True),
                "je": Text(money),
            },
            required=True,
        ),
    },
}


def check(values: Any, fields: Mapping[str, Field], path: str = "") -> None:
    """Hold an object against its fields. Raises :class:`Wrong` with the first thing that is wrong and its key path."""
    if not isinstance(values, dict):
        raise Wrong("E14", path.rstrip(".") or "NR")
    for key in values:
        if key not in fields:
            raise Wrong("E16" if key.lower() in _BANK else "E12", path + key)
    for key, field in fields.items():
        if key in values:
            _check_one(values[key], field, path + key)
        elif field.required:
            raise Wrong("E11", path + key)


def _check_one(value: Any, field: Field, path: str) -> None:
    match field:
        case Text():
            # An absent value is a key left out, never null or an empty text.
            if not isinstance(value, str) or not value.strip():
                raise Wrong("E14", path)
            if (wrong := field.check(value)) is not None:
                raise Wrong(wrong, path)
        case Group():
            check(value, field.fields, f"{path}.")
        case Rows():
            if not isinstance(value, list):
                raise Wrong("E14", path)
            if len(value) < field.least:
                raise Wrong("E11", path)
            if len(value) > field.most:
                raise Wrong("E13", path)
            for place, row in enumerate(value):
                check(row, field.fields, f"{path}[{place}].")
