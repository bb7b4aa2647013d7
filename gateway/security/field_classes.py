"""Classes of the canonical documents' fields and how each class is shown: public, masked, folded, or (no class) hidden."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final, cast, get_args

from contracts.document import Part
from contracts.titled import Titled

MOST_LEAVES: Final = 3_000
"""Values of one document that are shown; the rest is counted."""


class FieldClass(StrEnum):
    """What a field's value may tell about a person."""

    PUBLIC = "public"
    COMPANY = "company"
    NAME = "name"
    ID_NO = "id_no"
    PHONE = "phone"
    ADDRESS = "address"
    BANK = "bank"
    BIRTH = "birth"
    PERSONAL = "personal"
    FREE_TEXT = "free_text"
    HIDDEN = "hidden"

    @property
    def open(self) -> bool:
        """Whether its values are shown as they are."""
        return self in (FieldClass.PUBLIC, FieldClass.COMPANY)


_WORD: Final = 20
"""Characters of a text that may be a word of a closed list: its length would say which."""


def covered(text: str) -> str:
    """What stands for a text that nobody sees: its length, of a long one alone (男 and 女, ``male`` and ``female``)."""
    return f"[{len(text)}]" if len(text) > _WORD else "[…]"


def masked(kind: FieldClass, value: str) -> str:
    """A value as its class is shown: 张**, 3708**********1234, 138****0000, 1990-**-**; all else is covered. Never fewer
    stars than would hide a short value."""
    match kind:
        case FieldClass.PUBLIC | FieldClass.COMPANY:
            return value
        case FieldClass.NAME:
            return value[:1] + "**"
        case FieldClass.ID_NO:
            return _ends(value, 4, 4)
        case FieldClass.PHONE:
            return _ends(value, 3, 4)
        case FieldClass.BANK:
            return _ends(value, 0, 4)
        case FieldClass.BIRTH:
            return value[:4] + "-**-**" if len(value) == 10 else "***"
        case _:
            return covered(value)


def _ends(value: str, head: int, tail: int) -> str:
    if len(value) < head + tail + 4:
        return "*" * max(len(value), 4)
    return value[:head] + "*" * (len(value) - head - tail) + value[len(value) - tail :]


@cache
def table() -> Mapping[str, FieldClass | None]:
    """Class by ``Model.field``; ``None`` for parts."""
    read = tomllib.loads(files("gateway.security").joinpath("field_classes.toml").read_text("utf-8"))
    return {name: None if kind == "part" else FieldClass(kind) for kind, names in read.items() for name in names}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a part: titles, class (``None``: a part or a list of parts), the parts it may hold, its closed list."""

    name: str
    zh: str
    en: str
    kind: FieldClass | None
    parts: tuple[type[Part], ...]
    listed: type[Titled] | None
    titles: Mapping[str, Mapping[str, str]]
    """The titles (``zh``, ``en``) of the values that its schema names one by one (a ``Literal``)."""


@cache
def fields_of(model: type[Part]) -> Mapping[str, Field]:
    """The fields of a part by their names in JSON."""
    found = {}
    for name, info in model.model_fields.items():
        shown = info.alias or name
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        parts = tuple(_kinds(info.annotation, Part))
        listed = next(_kinds(info.annotation, Titled), None)
        found[shown] = Field(
            shown,
            str(extra.get("x-title-zh", shown)),
            str(extra.get("x-title-en", shown)),
            _class(model, shown),
            parts,
            listed,
            cast(Mapping[str, Mapping[str, str]], extra.get("x-titles", {})),
        )
    return found


def _class(model: type[Part], name: str) -> FieldClass | None:
    for base in model.__mro__:
        key = f"{base.__name__}.{name}"
        if key in table():
            return table()[key]
    return FieldClass.HIDDEN


def _kinds(annotation: Any, base: type[Any]) -> Iterator[type[Any]]:
    if isinstance(annotation, type) and issubclass(annotation, base):
        yield annotation
    for inner in get_args(annotation):
        yield from _kinds(inner, base)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a document: where it stands (RFC 6901), its titles from the root, its class, its text."""

    pointer: str
    zh: tuple[str, ...]
    en: tuple[str, ...]
    kind: FieldClass
    text: str
    field: Field | None = None

    @property
    def listed(self) -> type[Titled] | None:
        """The closed list that its value is of."""
        return self.field.listed if self.field is not None else None

    @property
    def masked(self) -> str:
        """The value as its class is shown."""
        return masked(self.kind, self.text)


def leaves(model: type[Part], document: Mapping[str, Any]) -> Iterator[Leaf]:
    """Every value of a document's JSON with its class. What the model does not know is hidden."""
    yield from _leaves(model, document, "", (), ())


def _leaves(
    model: type[Part] | None, value: Mapping[str, Any], at: str, zh: tuple[str, ...], en: tuple[str, ...]
) -> Iterator[Leaf]:
    known = fields_of(model) if model is not None else {}
    for name, inner in value.items():
        field = known.get(name)
        pointer = f"{at}/{name}"
        names_zh = (*zh, field.zh if field else name)
        names_en = (*en, field.en if field else name)
        for place, item in enumerate(inner) if isinstance(inner, list) else ((None, inner),):
            where = pointer if place is None else f"{pointer}/{place}"
            here_zh = names_zh if place is None else (*names_zh, str(place + 1))
            here_en = names_en if place is None else (*names_en, str(place + 1))
            if isinstance(item, dict):
                yield from _leaves(_part(field, item), item, where, here_zh, here_en)
            elif item is not None:
                kind = FieldClass.HIDDEN if field is None or field.kind is None else field.kind
                if kind is FieldClass.NAME and value.get("kind") in ("employer", "other_organization"):
                    kind = FieldClass.COMPANY
                yield Leaf(where, here_zh, here_en, kind, _text(item), field)


def _part(field: Field | None, item: Mapping[str, Any]) -> type[Part] | None:
    if field is None or not field.parts:
        return None
    if len(field.parts) == 1:
        return field.parts[0]
    named = {part.__name__: part for part in field.parts}
    return named.get("Person" if item.get("kind") == "person" else "Employer")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
