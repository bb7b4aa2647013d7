"""What pydantic says about the shape of a document, in our codes and with JSON pointers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from contracts.document import Document, Part
from contracts.findings import Code, Expected, Finding, Measure
from contracts.json_text import Flaw, Json, NotJson
from contracts.values import (
    CONTROL_CHARACTER,
    DATE_PATTERN,
    LIST_LIMIT,
    NAIVE_TIME,
    PARTY_INDEX_LIMIT,
    PATTERN_CODES,
    TEXT_PATTERN,
    TIME_PATTERN,
)

_ERRORS_LISTED: Final = 2_000
_LISTS_CUT_TO: Final = 20
_STRANGERS_KEPT: Final = 100
_NAME_SHOWN: Final = re.compile(r"(?!.*[0-9]{5})[A-Za-z_][\x20-\x7e]{0,99}")
"""An unknown field's name that is repeated: what nobody is called, and no number. Whoever mixes up the two sides of a member
would read a person's name in the answer otherwise, and in every log that it goes through."""

_PARTIES: Final = "parties"
_TAGGED: Final = "kind"
_TAGS: Final = frozenset({"person", "employer", "other_organization"})

_PLAIN: Final = {
    "missing": Code.MISSING,
    "string_too_short": Code.EMPTY,
    "too_short": Code.EMPTY,
    "timezone_aware": Code.NAIVE_TIME,
    "money_format": Code.MONEY_FORMAT,
    "credit_code_checksum": Code.CREDIT_CODE_CHECKSUM,
}
_EXPECTED: Final = {
    "string_type": Expected.TEXT,
    "bool_type": Expected.BOOLEAN,
    "model_type": Expected.OBJECT,
    "model_attributes_type": Expected.OBJECT,
    "dict_type": Expected.OBJECT,
    "tuple_type": Expected.LIST,
    "list_type": Expected.LIST,
    "figure": Expected.FIGURE,
}
_QUOTED: Final = re.compile(r"'([^']*)'")

Place = tuple[str | int, ...]


def shape_findings(kind: type[Document], error: ValidationError, value: Json) -> Iterator[Finding]:
    """A finding for each error of shape.

    A body with thousands of errors is judged again with its lists cut to 20 items and its objects to 100 unknown
    fields: what is left out repeats, and a refusal must not cost much more than an acceptance.

    Args:
        error: of the validation of a body as ``kind``.
        value: the body's JSON value.

    Raises:
        NotJson: the body holds what this reader of JSON and pydantic's see in two ways.
    """
    if error.error_count() > _ERRORS_LISTED:
        value = shortened(value, _LISTS_CUT_TO)
        try:
            kind.model_validate_json(json.dumps(value))
        except ValidationError as shorter:
            error = shorter
    for detail in error.errors(include_url=False, include_input=False):
        finding = _finding(detail, value)
        if finding is not None:
            yield finding


def body_findings(error: ValidationError, value: Json) -> tuple[Finding, ...]:
    """The same for the small body of a call that brings no document. ``value`` is the body's JSON value."""
    found = (_finding(detail, value) for detail in error.errors(include_url=False, include_input=False))
    return tuple(finding for finding in found if finding is not None)


def may_be_repeated(name: str) -> bool:
    """Whether an unknown name may stand in an answer: one that nobody is called, and no number."""
    return _NAME_SHOWN.fullmatch(name) is not None


def unknown_field(at: str, name: str) -> Finding:
    """The finding for an unknown field of the object at a pointer; at the object itself where the name is not repeated."""
    return Finding.of(_below(at, name), Code.UNKNOWN_FIELD)


def _below(at: str, name: str) -> str:
    return f"{at}/{_escaped(name)}" if may_be_repeated(name) else at


def overlong_lists(value: Json, at: str = "") -> Iterator[Finding]:
    """A finding for each list of more than 1,000 items."""
    if isinstance(value, list):
        if len(value) > LIST_LIMIT:
            yield Finding.of(at, Code.TOO_LONG, limit=LIST_LIMIT, measure=Measure.ITEMS)
        for index, item in enumerate(value[:LIST_LIMIT]):
            yield from overlong_lists(item, f"{at}/{index}")
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from overlong_lists(member, _below(at, name))


def is_crowded(value: Json) -> bool:
    """Whether an object anywhere has more than 1,000 members, of which few can be fields."""
    if isinstance(value, dict):
        return len(value) > LIST_LIMIT or any(map(is_crowded, value.values()))
    return isinstance(value, list) and any(map(is_crowded, value))


def shortened(value: Json, items: int = LIST_LIMIT) -> Json:
    """The value with every list cut to its first ``items`` items, every object to its fields and 100 unknown ones."""
    if isinstance(value, list):
        return [shortened(item, items) for item in value[:items]]
    if isinstance(value, dict):
        dropped: set[str] = set()
        if len(value) > _STRANGERS_KEPT:
            dropped.update([name for name in value if name not in _field_names()][_STRANGERS_KEPT:])
        return {name: shortened(member, items) for name, member in value.items() if name not in dropped}
    return value


@cache
def _field_names() -> frozenset[str]:
    """The names of all fields of all documents and their parts."""
    kinds = [Part]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    return frozenset(info.alias or name for kind in kinds for name, info in kind.model_fields.items())


def _finding(detail: ErrorDetails, value: Json) -> Finding | None:
    kind, context = detail["type"], detail.get("ctx", {})
    place = _place(detail["loc"])
    found = _value_at(value, place)
    if kind == "json_invalid":
        raise NotJson(Flaw.NUMBER)
    if kind == "extra_forbidden":
        return unknown_field(_pointer(place[:-1]), str(place[-1]))
    if kind == "union_tag_invalid" and isinstance(found, dict) and found.get(_TAGGED) is None:
        return _wrong(_pointer((*place, _TAGGED)), Expected.VALUE)
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        return _tag_finding(kind, context, (*place, _TAGGED), found)
    at = _pointer(place)
    if kind == "too_short" and found:
        return None  # pydantic counts sound items alone; the unsound ones have findings of their own
    if kind in _PLAIN:
        return Finding.of(at, _PLAIN[kind])
    if found is None:
        return _wrong(at, Expected.VALUE)
    if kind in ("enum", "literal_error"):
        if not isinstance(found, str):
            return _wrong(at, Expected.TEXT)
        return Finding.of(at, Code.NOT_IN_LIST, allowed=tuple(_QUOTED.findall(context["expected"])))
    if kind in ("string_too_long", "too_long"):
        measure = Measure.CHARACTERS if kind == "string_too_long" else Measure.ITEMS
        return Finding.of(at, Code.TOO_LONG, limit=context["max_length"], measure=measure)
    if kind == "string_pattern_mismatch":
        return _pattern_finding(at, context["pattern"], found)
    if kind in ("greater_than_equal", "less_than_equal"):
        if context.get("ge") == 0 or context.get("le") == PARTY_INDEX_LIMIT:
            return Finding.of(at, Code.PARTY_INDEX)
        return _wrong(at, Expected.COUNT)
    return _wrong(at, _EXPECTED.get(kind) or _expected_by_name(kind))


def _expected_by_name(kind: str) -> Expected:
    if kind.startswith("datetime"):
        return Expected.TIME
    if kind.startswith("date"):
        return Expected.DATE
    return Expected.NUMBER


def _wrong(at: str, expected: Expected) -> Finding:
    return Finding.of(at, Code.WRONG_TYPE, expected=expected)


def _tag_finding(kind: str, context: dict[str, Any], place: Place, party: Json) -> Finding:
    at = _pointer(place)
    tag = party.get(_TAGGED) if isinstance(party, dict) else None
    if kind == "union_tag_not_found":
        return Finding.of(at, Code.MISSING)
    if not isinstance(tag, str):
        return _wrong(at, Expected.TEXT)
    return Finding.of(at, Code.NOT_IN_LIST, allowed=tuple(_QUOTED.findall(context["expected_tags"])))


def _pattern_finding(at: str, pattern: str, found: Json) -> Finding:
    text = found if isinstance(found, str) else ""
    if pattern == TEXT_PATTERN:
        return Finding.of(at, Code.CONTROL_CHARACTER if CONTROL_CHARACTER.search(text) else Code.EMPTY)
    if pattern == TIME_PATTERN:
        return Finding.of(at, Code.NAIVE_TIME) if NAIVE_TIME.fullmatch(text) else _wrong(at, Expected.TIME)
    if pattern == DATE_PATTERN:
        return _wrong(at, Expected.DATE)
    return Finding.of(at, PATTERN_CODES.get(pattern, Code.ID_SHAPE))


# ------------------------------------------------------------------------------------------------------------- pointers


def _place(location: Place) -> Place:
    """Pydantic's location without the tag that it adds for the kind of a party."""
    if len(location) > 2 and location[0] == _PARTIES and location[2] in _TAGS:
        return (*location[:2], *location[3:])
    return location


def _escaped(name: str | int) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")


def _pointer(place: Sequence[str | int]) -> str:
    return "".join(f"/{_escaped(step)}" for step in place)


def _value_at(value: Json, place: Place) -> Json:
    for step in place:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value
