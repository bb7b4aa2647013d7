"""One object of the form while it is written: the page's value forms and limits, and the loss report beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from adapters.beijing import COMPACT_MINUTES, D8, Form
from adapters.court_mediation import codes
from adapters.tables import Losses, Table
from contracts.adapter import Json
from contracts.errors import PermanentError

LONGEST = 5000
"""Most characters (Unicode code points) of a long text (页面 ∞)."""
KEPT = 4980
SEE_FILE = "（全文见附件）"
"""Ends a long text whose whole stands in a file."""

TEXT = "text"
"""Key of the entry that stands in ``docList`` for a text until ``send`` knows the platform's id of its upload."""

_MOST_MONEY = Decimal("999999999999999.99")


class Sheet:
    """Writes the fields of one object. Every method names the canonical pointer that it carries; ``""`` is for values
    that are not of the message's own documents.

    ``None`` and empty text write nothing (page §3: absent optional keys are left out).
    """

    def __init__(self, losses: Losses, texts: list[Json] | None = None, place: str = "") -> None:
        self.losses = losses
        self.texts: list[Json] = [] if texts is None else texts
        self._place = place
        self._fields: Json = {}

    def text(self, key: str, value: str | None, pointer: str, limit: int | None, *, required: bool = False) -> None:
        """S: whole or not at all.

        Raises:
            PermanentError: ``too_long``, ``required_missing``.
        """
        if self._absent(key, value, pointer, required) or value is None:
            return
        if limit is not None and len(value) > limit:
            raise PermanentError("too_long", f"{pointer or key}: longer than the {limit} characters of {self.at(key)}")
        self._carried(pointer)
        self._fields[key] = value

    def long(self, key: str, value: str | None, pointer: str, *, required: bool = False) -> None:
        """∞: over 5000 characters the whole text goes as a file of class 12, and its beginning here.

        Raises:
            PermanentError: ``required_missing``.
        """
        if self._absent(key, value, pointer, required) or value is None:
            return
        if len(value) <= LONGEST:
            self._carried(pointer)
            self._fields[key] = value
            return
        name = f"{self.at(key)}.txt"
        if pointer:
            self.losses.mapped(pointer, self.at(key), f"over {LONGEST} characters: whole in the file {name}")
        self._fields[key] = value[:KEPT] + SEE_FILE
        self.texts.append({TEXT: value, "fjlx": codes.OTHER_FILE, "wjmc": name})

    def money(self, key: str, value: Decimal | None, pointer: str) -> None:
        """Yuan with exactly two decimals.

        Raises:
            PermanentError: ``too_large``.
        """
        if value is None:
            return
        if value > _MOST_MONEY:
            raise PermanentError("too_large", f"{pointer or key}: more than 15 digits before the point")
        self._carried(pointer)
        self._fields[key] = f"{value:.2f}"

    def number(self, key: str, value: int, pointer: str) -> None:
        """A whole number."""
        self._carried(pointer)
        self._fields[key] = str(value)

    def flag(self, key: str, value: bool, pointer: str) -> None:
        """1 or 0."""
        self._carried(pointer)
        self._fields[key] = "1" if value else "0"

    def moment(self, key: str, value: datetime | None, pointer: str, *, required: bool = False) -> None:
        """``yyyyMMdd HH:mm`` in Beijing time; seconds are lost.

        Raises:
            PermanentError: ``required_missing``.
        """
        self._when(key, value, pointer, COMPACT_MINUTES, required)

    def day(self, key: str, value: date | None, pointer: str) -> None:
        """``yyyyMMdd``."""
        self._when(key, value, pointer, D8, required=False)

    def coded(self, key: str, table: Table, value: str | None, pointer: str) -> None:
        """A code of a table.

        Raises:
            PermanentError: ``code_without_row``, where the table has neither row nor "other".
        """
        if value is not None:
            self._fields[key] = table.code(value, self.losses, pointer, self.at(key))

    def rows(self, key: str, rows: Sequence[Sheet], pointer: str = "", *, required: bool = False) -> None:
        """A list of objects; an empty one is left out.

        Raises:
            PermanentError: ``required_missing``.
        """
        if not self._absent(key, rows, pointer, required):
            self._fields[key] = [row.done() for row in rows]

    def put(self, key: str, value: Any) -> None:
        """A value that no field of a document carries: constants, names of documents, files."""
        self._fields[key] = value

    def below(self, key: str, number: int) -> Sheet:
        """An object of the list under ``key``."""
        return Sheet(self.losses, self.texts, f"{self.at(key)}[{number}]")

    def at(self, key: str) -> str:
        """Where a field of this object stands in the form: ``applicantPartyList[0].applicantName``."""
        return f"{self._place}.{key}" if self._place else key

    def done(self) -> Json:
        """The object."""
        return self._fields

    def _absent(self, key: str, value: object, pointer: str, required: bool) -> bool:
        if not value and required:
            raise PermanentError("required_missing", f"{pointer or key}: the platform demands {self.at(key)}")
        return not value

    def _carried(self, pointer: str) -> None:
        if pointer:
            self.losses.carried(pointer)

    def _when(self, key: str, value: date | datetime | None, pointer: str, form: Form, required: bool) -> None:
        if value is None:
            self._absent(key, None, pointer, required)
            return
        if pointer and (lost := form.loses(value)):
            self.losses.cut(pointer, self.at(key), lost)
        else:
            self._carried(pointer)
        self._fields[key] = form.write(value)
