"""One object of a platform's payload while it is written: each value in its form and limit, and the loss report beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, ClassVar, Self

from adapters.beijing import DAY, SECONDS
from adapters.masking import mask
from adapters.tables import Losses, Table
from contracts.adapter import Json
from contracts.errors import PermanentError

REGION = 6
"""Digits of a region code that platforms have a place for; ours has 6, 9 or 12."""


class Entry:
    """Writes the fields of one object. Every method names the canonical pointer that it carries; ``""`` is for values that the
    loss report does not ask about: they are told elsewhere too, or are not of the message's own document. ``None`` writes
    nothing: what is absent is left out.

    ``more`` stands at the end of a text that was cut, within its limit.
    """

    more: ClassVar[str] = ""

    def __init__(self, losses: Losses, place: str = "") -> None:
        self.losses = losses
        self.fields: Json = {}
        self._place = place

    def at(self, key: str) -> str:
        """The key as the loss report names it."""
        return f"{self._place}{key}"

    def below(self, key: str, number: int | None = None) -> Self:
        """An object that stands under a key of this one."""
        return type(self)(self.losses, f"{self.at(key)}." if number is None else f"{self.at(key)}[{number}].")

    def put(self, key: str, value: Any) -> None:
        """A value that the loss report need not know."""
        self.fields[key] = value

    def clean(self, key: str, value: str | None) -> str | None:
        """A text as the platform may have it; ``None`` for what holds nothing."""
        return value if value is not None and value.strip() else None

    def text(self, key: str, value: str | None, pointer: str, limit: int, *, required: bool = False) -> None:
        """What names something: whole or not at all.

        Raises:
            PermanentError: ``required_missing``, ``too_long``.
        """
        found = self._there(key, value, required)
        if found is None:
            return
        if len(found) > limit:
            raise PermanentError("too_long", f"{self.at(key)}: longer than {limit} characters")
        self.carried(pointer)
        self.fields[key] = found

    def prose(
        self, key: str, value: str | None, pointer: str, limit: int | None = None, *, required: bool = False
    ) -> None:
        """What people read: cut at its limit, and the rest reported.

        Raises:
            PermanentError: ``required_missing``.
        """
        found = self._there(key, value, required)
        if found is None:
            return
        if limit is None or len(found) <= limit:
            self.carried(pointer)
            self.fields[key] = found
            return
        kept = limit - len(self.more)
        if pointer:
            behind = f"the last {len(found) - kept} characters, from character {kept + 1} on"
            self.losses.cut(pointer, self.at(key), behind)
        self.fields[key] = found[:kept] + self.more

    def coded(self, key: str, table: Table, value: str | None, pointer: str) -> None:
        """A code of a table.

        Raises:
            PermanentError: ``code_without_row``, where the table has neither row nor "other".
        """
        if value is not None:
            self.fields[key] = table.code(value, self.losses, pointer, self.at(key))

    def day(self, key: str, value: date | None, pointer: str) -> None:
        """``yyyy-MM-dd``."""
        if value is not None:
            self.carried(pointer)
            self.fields[key] = DAY.write(value)

    def region(self, key: str, code: str, pointer: str) -> None:
        """The first six digits of a region code."""
        self.fields[key] = code[:REGION]
        if len(code) > REGION and pointer:
            self.losses.cut(pointer, self.at(key), "six digits have a place")
        else:
            self.carried(pointer)

    def object(self, key: str, inner: Entry) -> None:
        """An object, unless it is empty."""
        if inner.fields:
            self.fields[key] = inner.fields

    def rows(self, key: str, rows: Sequence[Entry]) -> None:
        """A list of objects, unless it is empty."""
        if rows:
            self.fields[key] = [row.fields for row in rows]

    def carried(self, pointer: str) -> None:
        """The field went over whole."""
        if pointer:
            self.losses.carried(pointer)

    def _there(self, key: str, value: str | None, required: bool) -> str | None:
        found = self.clean(key, value)
        if found is None and required:
            raise PermanentError("required_missing", f"{self.at(key)}: the platform demands it")
        return found


class TextEntry(Entry):
    """An object whose values are all text, for a recipient that sees identity numbers masked.

    ``yes``, ``no``: its words for what is and is not so.
    """

    yes: ClassVar[str] = "1"
    no: ClassVar[str] = "0"

    def clean(self, key: str, value: str | None) -> str | None:
        """See ``Entry.clean``.

        Raises:
            PermanentError: ``forbidden_character``: neither files nor databases take NUL or half a surrogate pair.
        """
        found = super().clean(key, value)
        if found is not None and ("\0" in found or any("\ud800" <= letter <= "\udfff" for letter in found)):
            raise PermanentError("forbidden_character", f"{self.at(key)}: a character that the platform does not take")
        return found

    def identity(self, key: str, number: str, pointer: str) -> None:
        """An identity number, masked."""
        if pointer:
            self.losses.masked(pointer, self.at(key), "an identity number, for this recipient")
        self.fields[key] = mask(self.clean(key, number) or "")

    def moment(self, key: str, value: datetime | None, pointer: str) -> None:
        """``yyyy-MM-dd HH:mm:ss`` of China; a fraction of a second is lost."""
        if value is None:
            return
        if (lost := SECONDS.loses(value)) and pointer:
            self.losses.cut(pointer, self.at(key), lost)
        else:
            self.carried(pointer)
        self.fields[key] = SECONDS.write(value)

    def count(self, key: str, value: int, pointer: str) -> None:
        """A whole number, as digits."""
        self.carried(pointer)
        self.fields[key] = str(value)

    def flag(self, key: str, value: bool, pointer: str) -> None:
        """Whether it is so."""
        self.carried(pointer)
        self.fields[key] = self.yes if value else self.no
