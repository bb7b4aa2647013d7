"""One object of the detail, or the row of the list, while it is written: value forms and limits of page §1, §3, §4."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from adapters.beijing import DAY, SECONDS
from adapters.enterprise_confederation.masking import mask
from adapters.tables import Losses, Table
from contracts.adapter import Json
from contracts.errors import PermanentError

REGION = 6
_ENDLESS = 1_000_000


class Entry:
    """Writes the fields of one object, all of them text. Every method names the canonical pointer that it carries; ``""`` is
    for values that the loss report does not ask about: they are told elsewhere too, or are not of the message's own document.
    ``None`` writes nothing: what is absent is left out (page §1)."""

    def __init__(self, losses: Losses, place: str = "") -> None:
        self.losses = losses
        self.fields: Json = {}
        self._place = place

    def at(self, key: str) -> str:
        """The key as the loss report names it."""
        return f"{self._place}{key}"

    def below(self, key: str, number: int | None = None) -> Entry:
        """An object that stands under a key of this one."""
        return Entry(self.losses, f"{self.at(key)}." if number is None else f"{self.at(key)}[{number}].")

    def put(self, key: str, value: str) -> None:
        """A value that the loss report need not know."""
        self.fields[key] = value

    def key(self, key: str, value: str | None, pointer: str, limit: int) -> None:
        """What names a thing: whole or not at all.

        Raises:
            PermanentError: ``required_missing``, ``too_long``, ``forbidden_character``.
        """
        found = _clean(value, self.at(key))
        if not found:
            raise PermanentError("required_missing", f"{self.at(key)}: the platform demands it")
        if len(found) > limit:
            raise PermanentError("too_long", f"{self.at(key)}: longer than {limit} characters")
        self._carried(pointer)
        self.fields[key] = found

    def text(self, key: str, value: str | None, pointer: str, limit: int = _ENDLESS, *, required: bool = False) -> None:
        """What people read: cut at its limit, and the rest reported (page §3).

        Raises:
            PermanentError: ``required_missing``, ``forbidden_character``.
        """
        found = _clean(value, self.at(key))
        if not found:
            if required:
                raise PermanentError("required_missing", f"{self.at(key)}: the platform demands it")
            return
        behind = len(found) - limit
        if behind <= 0:
            self._carried(pointer)
        elif pointer:
            self.losses.cut(pointer, self.at(key), f"the last {behind} characters, from character {limit + 1} on")
        self.fields[key] = found[:limit]

    def identity(self, key: str, number: str, pointer: str) -> None:
        """An identity number, masked."""
        if pointer:
            self.losses.masked(pointer, self.at(key), "an identity number, for this recipient")
        self.fields[key] = mask(_clean(number, self.at(key)) or "")

    def coded(self, key: str, table: Table, value: str | None, pointer: str) -> None:
        """A word of a table.

        Raises:
            PermanentError: ``code_without_row``.
        """
        if value is not None:
            self.fields[key] = table.code(value, self.losses, pointer, self.at(key))

    def money(self, key: str, yuan: Decimal | None, pointer: str) -> None:
        """Yuan with exactly two decimals."""
        if yuan is not None:
            self._carried(pointer)
            self.fields[key] = f"{yuan:.2f}"

    def moment(self, key: str, value: datetime | None, pointer: str) -> None:
        """``yyyy-MM-dd HH:mm:ss`` of China; a fraction of a second is lost."""
        if value is None:
            return
        if (lost := SECONDS.loses(value)) and pointer:
            self.losses.cut(pointer, self.at(key), lost)
        else:
            self._carried(pointer)
        self.fields[key] = SECONDS.write(value)

    def day(self, key: str, value: date | None, pointer: str) -> None:
        """``yyyy-MM-dd``."""
        if value is not None:
            self._carried(pointer)
            self.fields[key] = DAY.write(value)

    def count(self, key: str, value: int, pointer: str) -> None:
        """A whole number, as digits."""
        self._carried(pointer)
        self.fields[key] = str(value)

    def flag(self, key: str, value: bool, pointer: str) -> None:
        """是 or 否."""
        self._carried(pointer)
        self.fields[key] = "是" if value else "否"

    def region(self, key: str, code: str, pointer: str) -> None:
        """The first six digits of a region code."""
        self.fields[key] = code[:REGION]
        if len(code) > REGION and pointer:
            self.losses.cut(pointer, self.at(key), "six digits have a place")
        else:
            self._carried(pointer)

    def object(self, key: str, inner: Entry) -> None:
        """An object."""
        self.fields[key] = inner.fields

    def rows(self, key: str, rows: Sequence[Entry]) -> None:
        """A list of objects, unless it is empty."""
        if rows:
            self.fields[key] = [row.fields for row in rows]

    def _carried(self, pointer: str) -> None:
        if pointer:
            self.losses.carried(pointer)


def _clean(value: str | None, place: str) -> str | None:
    """``None`` for what holds nothing.

    Raises:
        PermanentError: ``forbidden_character``: neither list nor detail can hold NUL or half a surrogate pair.
    """
    if value is None or not value.strip():
        return None
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise PermanentError("forbidden_character", f"{place}: a character that the files do not take")
    return value
