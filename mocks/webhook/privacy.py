"""Personal data that must not stand inside ``data`` of a thin event (webhook page §8)."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date

from mocks.numbers import is_resident_id

FORBIDDEN_KEYS = frozenset({"name", "id_number", "phone", "detail", "facts", "text", "amount", "note", "account_no"})
_RESIDENT = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])")
_MOBILE = re.compile(r"(?<![0-9A-Za-z])(?:86)?1[3-9][0-9]{9}(?![0-9A-Za-z])")
_CARD = re.compile(r"(?<![0-9A-Za-z])[0-9]{16,19}(?![0-9A-Za-z])")
_NO_CARD = re.compile(r"(?:.*\.)?(?:external_refs\.[0-9]+\.value|task_no|source_case_no)")


def personal_data(data: object, today: date) -> list[str]:
    """What was found, as ``<what>:<path>``; never a value. ``today`` bounds birth dates."""
    found: list[str] = []
    for path, key, value in _leaves(data, ""):
        if key in FORBIDDEN_KEYS:
            found.append(f"key:{path}")
        if value is None:
            continue
        text = unicodedata.normalize("NFKC", value)
        if any(_is_person(match[0].upper(), today) for match in _RESIDENT.finditer(text)):
            found.append(f"resident_id:{path}")
        if _MOBILE.search(text) is not None:
            found.append(f"mobile:{path}")
        if _NO_CARD.fullmatch(path) is None and any(luhn(match[0]) for match in _CARD.finditer(text)):
            found.append(f"card:{path}")
    return found


def _is_person(number: str, today: date) -> bool:
    if not is_resident_id(number):
        return False
    born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    return date(1900, 1, 1) <= born <= today


def luhn(digits: str) -> bool:
    """Whether the digits' last one is their Luhn check digit (ISO/IEC 7812)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if place % 2 else 1)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def _leaves(value: object, path: str) -> Iterator[tuple[str, str, str | None]]:
    """Every key (with its value's text where it is a leaf) and every item of a list, with dotted paths."""
    if isinstance(value, dict):
        items = [(str(key), str(key), inner) for key, inner in value.items()]
    elif isinstance(value, list):
        items = [(str(index), "", inner) for index, inner in enumerate(value)]
    else:
        return
    for step, key, inner in items:
        place = f"{path}.{step}" if path else step
        if isinstance(inner, dict | list):
            yield place, key, None
            yield from _leaves(inner, place)
        elif isinstance(inner, str | int | float) and not isinstance(inner, bool):
            yield place, key, str(inner)
        else:
            yield place, key, None
