"""One JSON object of the platform while it is written: value forms and limits of page §1 and §5, and the loss report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from adapters.tables import Losses, Table
from contracts.adapter import Json
from contracts.errors import PermanentError

_MOST_FEN = 10**15
_FEN = 100
_MORE = "…"
REGION = 6
"""Digits of ``regionCode``; a longer code (9 or 12) stands whole in ``townCode`` of the organisation alone."""


class Entry:
    """Writes the fields of one object. Every method names the canonical pointer that it carries; ``""`` is for values
    that are not of the message's own document. ``None`` writes nothing (page §1: ``null`` is absent)."""

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

    def put(self, key: str, value: Any) -> None:
        """A value that the loss report need not know."""
        self.fields[key] = value

    def text(self, key: str, value: str | None, pointer: str, limit: int, *, required: bool = False) -> None:
        """What names something: whole or not at all.

        Raises:
            PermanentError: ``required_missing``, ``too_long``.
        """
        if value is None or not value.strip():
            if required:
                raise PermanentError("required_missing", f"{self.at(key)}: the platform demands it")
            return
        if len(value) > limit:
            raise PermanentError("too_long", f"{self.at(key)}: longer than {limit} characters")
        self._carried(pointer)
        self.fields[key] = value

    def prose(self, key: str, value: str | None, pointer: str, limit: int) -> None:
        """What people read: over its limit cut, with … as its last character."""
        if value is None or not value.strip():
            return
        if len(value) <= limit:
            self._carried(pointer)
            self.fields[key] = value
            return
        if pointer:
            self.losses.cut(pointer, self.at(key), f"over {limit} characters: the rest stayed behind")
        self.fields[key] = value[: limit - 1] + _MORE

    def coded(self, key: str, table: Table, value: str | None, pointer: str) -> None:
        """A code of a table.

        Raises:
            PermanentError: ``code_without_row``, where the table has neither row nor "other".
        """
        if value is not None:
            self.fields[key] = table.code(value, self.losses, pointer, self.at(key))

    def fen(self, key: str, yuan: Decimal | None, pointer: str) -> None:
        """Money as whole fen (分).

        Raises:
            PermanentError: ``too_long``.
        """
        if yuan is None:
            return
        found = int(yuan * _FEN)
        if found > _MOST_FEN:
            raise PermanentError("too_long", f"{self.at(key)}: more than 10 to the power of 15 fen")
        self._carried(pointer)
        self.fields[key] = found

    def moment(self, key: str, value: datetime | None, pointer: str) -> None:
        """UTC with milliseconds; a finer fraction is lost."""
        if value is None:
            return
        there = value.astimezone(UTC)
        if there.microsecond % 1000 and pointer:
            self.losses.cut(pointer, self.at(key), "fraction of a millisecond")
        else:
            self._carried(pointer)
        self.fields[key] = f"{there:%Y-%m-%dT%H:%M:%S}.{there.microsecond // 1000:03d}Z"

    def day(self, key: str, value: date | None, pointer: str) -> None:
        """``yyyy-MM-dd``."""
        if value is not None:
            self._carried(pointer)
            self.fields[key] = value.isoformat()

    def value(self, key: str, value: bool | int | None, pointer: str) -> None:
        """A boolean or a whole number."""
        if value is not None:
            self._carried(pointer)
            self.fields[key] = value

    def region(self, key: str, code: str, pointer: str, whole: str | None = None) -> None:
        """The first six digits of a region code. ``whole``: the key that takes a longer one whole, where there is one."""
        self.fields[key] = code[:REGION]
        if len(code) <= REGION:
            self._carried(pointer)
        elif whole is not None:
            self._carried(pointer)
            self.fields[whole] = code
        elif pointer:
            self.losses.cut(pointer, self.at(key), "six digits have a place")

    def object(self, key: str, inner: Entry) -> None:
        """An object, unless it is empty."""
        if inner.fields:
            self.fields[key] = inner.fields

    def rows(self, key: str, rows: Sequence[Entry]) -> None:
        """A list of objects, unless it is empty."""
        if rows:
            self.fields[key] = [row.fields for row in rows]

    def _carried(self, pointer: str) -> None:
        if pointer:
            self.losses.carried(pointer)
