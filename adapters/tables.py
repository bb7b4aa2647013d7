"""Code tables between canonical words and a platform's codes, and the loss report that names every field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from contracts.adapter import Loss, LossKind
from contracts.code_table import CodeTable
from contracts.errors import PermanentError


def pointer_to(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901) from its tokens: ``pointer_to("parties", 0, "name")`` is ``/parties/0/name``."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


class Losses:
    """Collects what became of each canonical field of one document.

    Every rule names the pointer of the field that it read (``carried`` where nothing was lost). ``untouched`` then
    reports all that no rule named as dropped: a field that the translation forgets shows up in the report by itself.
    Notes never quote a value.
    """

    def __init__(self) -> None:
        self._named: set[str] = set()
        self._losses: list[Loss] = []

    def carried(self, pointer: str) -> None:
        """The field went over whole."""
        self._named.add(pointer)

    def mapped(self, pointer: str, place: str, note: str = "") -> None:
        """Another code, same meaning, not one to one."""
        self._note(LossKind.MAPPED, pointer, place, note)

    def defaulted(self, pointer: str, place: str, note: str = "") -> None:
        """The platform demands a value that the document does not have."""
        self._note(LossKind.DEFAULTED, pointer, place, note)

    def coded(self, pointer: str, place: str, note: str = "") -> None:
        """No row in the platform's table: went as "other"."""
        self._note(LossKind.CODED, pointer, place, note)

    def dropped(self, pointer: str, note: str = "") -> None:
        """The platform has no place for it."""
        self._note(LossKind.DROPPED, pointer, "", note)

    def cut(self, pointer: str, place: str, note: str = "") -> None:
        """A part of the value stayed behind; the note says which."""
        self._note(LossKind.CUT, pointer, place, note)

    def masked(self, pointer: str, place: str, note: str = "") -> None:
        """Sent masked, as the privacy rule of this recipient demands."""
        self._note(LossKind.MASKED, pointer, place, note)

    def untouched(self, document: BaseModel | Mapping[str, Any], prefix: str = "") -> None:
        """Report every field of the document that no rule named as dropped, once per whole untouched object or list.

        A named pointer covers all that is below it. ``None``, empty lists and empty objects hold nothing to lose.
        """
        tree = (
            document.model_dump(mode="json", by_alias=True, exclude_none=True)
            if isinstance(document, BaseModel)
            else document
        )
        above = {
            pointer[:end] for pointer in self._named for end in range(len(pointer)) if pointer[end] == "/" and end > 0
        }
        for key, value in tree.items():
            self._sweep(value, prefix + pointer_to(key), above)

    def _sweep(self, value: object, pointer: str, above: set[str]) -> None:
        if value is None or value in ({}, []) or pointer in self._named:
            return
        if pointer not in above:
            self.dropped(pointer)
        elif isinstance(value, Mapping):
            for key, below in value.items():
                self._sweep(below, pointer + pointer_to(key), above)
        elif isinstance(value, list):
            for number, below in enumerate(value):
                self._sweep(below, pointer + pointer_to(number), above)

    def report(self) -> tuple[Loss, ...]:
        """All losses in the order in which they were found."""
        return tuple(self._losses)

    def __iter__(self) -> Iterator[Loss]:
        return iter(self._losses)

    def _note(self, kind: LossKind, pointer: str, place: str, note: str) -> None:
        self._named.add(pointer)
        self._losses.append(Loss(kind, pointer, place, note))


@dataclass(frozen=True, slots=True)
class Table:
    """One code table of a platform.

    ``rows``: canonical value → platform code. ``other``: the code for values without a row, where the table has one.
    ``reads``: platform code → canonical value, for codes that ``rows`` does not give back by itself (several codes of
    one meaning, or one code of several values); else the first row of a code is what the code reads as.
    """

    name: str
    rows: Mapping[str, str]
    other: str | None = None
    reads: Mapping[str, str] = field(default_factory=dict)
    _back: Mapping[str, str] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        back: dict[str, str] = {}
        for value, code in self.rows.items():
            back.setdefault(code, value)
        object.__setattr__(self, "_back", MappingProxyType(back | dict(self.reads)))

    def code(self, value: str, losses: Losses, pointer: str, place: str) -> str:
        """The platform's code for a canonical value, with what is lost.

        Raises:
            PermanentError: ``code_without_row``, where the table has neither a row nor an "other".
        """
        found = self.rows.get(value)
        if found is not None:
            if self._back.get(found, value) == value:
                losses.carried(pointer)
            else:
                losses.mapped(pointer, place, f"{self.name}: shares its code with another value")
            return found
        if self.other is None:
            raise PermanentError("code_without_row", f"{pointer}: the table {self.name} has no row for this value")
        losses.coded(pointer, place, f"{self.name}: no row, went as other")
        return self.other

    def value(self, code: str) -> str | None:
        """The canonical value of a platform's code; ``None`` for a code that the table does not know."""
        return self._back.get(code)


def tables_of(room: Mapping[str, object]) -> tuple[CodeTable, ...]:
    """The tables of a module (its ``vars``) for people to read, in the order in which they stand there."""
    found = (value for value in room.values() if isinstance(value, Table))
    return tuple(CodeTable(one.name, one.rows, one.other, one.reads) for one in found)
