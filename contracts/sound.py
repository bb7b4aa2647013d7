"""The sound fields of a broken document, so that the rules over them still run and all findings come at once."""

from __future__ import annotations

import json
from functools import cache
from types import NoneType
from typing import Annotated, Any, Final, TypeVar, cast, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError

from contracts.document import Part
from contracts.json_text import Json
from contracts.party import Employer, PartyBase, Person

P = TypeVar("P", bound=Part)

_STRICT: Final = ConfigDict(strict=True, hide_input_in_errors=True)
_PARTY_KINDS: Final[dict[object, type[PartyBase]]] = {
    "person": Person,
    "employer": Employer,
    "other_organization": Employer,
}


def sound_part(kind: type[P], value: dict[str, Json]) -> P:
    """A partial document: the fields of ``value`` that are sound by themselves.

    Reading a field that is missing or broken raises ``Unsound``, which ends the rule that asked. Items of a list keep
    their places, however little of them is sound. Nothing but the rules may be handed a partial document.
    """
    fields: dict[str, object] = {}
    for name, info in kind.model_fields.items():
        key = info.alias or name
        if key in value:
            try:
                fields[name] = _sound_value(kind, name, value[key])
            except (ValidationError, _NotSound):
                continue
        elif not info.is_required():
            fields[name] = info.get_default()
    part = cast(P, kind.model_construct())
    object.__setattr__(part, "__dict__", fields)
    return part


class _NotSound(Exception):
    """Not a value for this field."""


def _sound_value(kind: type[Part], name: str, value: Json) -> object:
    inner = _inner(kind, name)
    if inner is None or value is None:
        return _adapter(kind, name).validate_json(json.dumps(value))
    part, is_list = inner
    if is_list:
        if not isinstance(value, list):
            raise _NotSound
        return tuple(sound_part(_kind_of(part, item), item if isinstance(item, dict) else {}) for item in value)
    if not isinstance(value, dict):
        raise _NotSound
    return sound_part(part, value)


def _kind_of(part: type[Part], item: Json) -> type[Part]:
    """Which party an item is; of a party of no known kind only what all have in common can be sound."""
    if part is not PartyBase or not isinstance(item, dict):
        return part
    tag = item.get("kind")
    return _PARTY_KINDS.get(tag, PartyBase) if isinstance(tag, str) else PartyBase


@cache
def _adapter(kind: type[Part], name: str) -> TypeAdapter[Any]:
    info = kind.model_fields[name]
    annotation: Any = info.annotation
    for mark in info.metadata:
        annotation = Annotated[annotation, mark]
    return TypeAdapter(annotation, config=_STRICT) if _inner(kind, name) is None else TypeAdapter(annotation)


@cache
def _inner(kind: type[Part], name: str) -> tuple[type[Part], bool] | None:
    """The model inside a field, and whether the field is a list of it; ``None`` for plain values."""
    return _part_in(kind.model_fields[name].annotation)


def _part_in(annotation: object) -> tuple[type[Part], bool] | None:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation, False
    parts = [_part_in(inner) for inner in get_args(annotation) if inner not in (NoneType, Ellipsis)]
    found = [part for part in parts if part is not None]
    if not found:
        return None
    kinds = {part for part, _ in found}
    common = found[0][0] if len(kinds) == 1 else PartyBase
    return common, get_origin(annotation) is tuple or any(is_list for _, is_list in found)
