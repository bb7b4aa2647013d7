"""One item of a batch, or one row inside it, while it is written: the page's types and lengths, the loss report beside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from adapters.beijing import D8, D14, Form
from adapters.tables import Losses, Table
from adapters.union import masking
from contracts.adapter import Json
from contracts.errors import PermanentError

_MOST_FEN = 10**17
_IDENTITY, _PHONE = 30, 20


class Fields:
    """Writes fields in order. Every method names the canonical pointer that it carries: into the message's document, or
    after its name into one that the context brings (``/case/…``); ``""`` for a value that stands in none.

    ``None`` and empty text write nothing: an absent field is left out (page §3). Limits are bytes of GB18030.
    """

    def __init__(self, losses: Losses, place: str = "") -> None:
        self.losses = losses
        self._place = place
        self._fields: Json = {}

    def number(self, name: str, value: str | None, pointer: str, limit: int) -> None:
        """A name of a thing (a case, agreement or task number, a credit code): never masked, never cut.

        Raises:
            PermanentError: ``too_long``.
        """
        if value:
            self.losses.carried(pointer)
            self._fields[name] = self._fitting(name, self._clean(name, value, pointer), pointer, limit)

    def text(self, name: str, value: str | None, pointer: str, limit: int) -> None:
        """A text without ‡: whole or not at all, but for numbers that this recipient may not see.

        Raises:
            PermanentError: ``too_long``.
        """
        if value:
            self._fields[name] = self._fitting(name, self._veiled(name, value, pointer), pointer, limit)

    def long(self, name: str, value: str | None, pointer: str, limit: int) -> None:
        """A text marked ‡: numbers masked first, then cut."""
        if not value:
            return
        kept, behind = masking.cut(self._veiled(name, value, pointer), limit)
        if behind:
            # The mark's own characters replaced nothing: what stays behind starts where the kept text ends.
            start = len(kept) - len(masking.CUT_MARK)
            self.losses.cut(pointer, self.place(name), f"the last {behind} characters, from character {start + 1} on")
        self._fields[name] = kept

    def identity(self, name: str, value: str | None, pointer: str) -> None:
        """An identity number, masked.

        Raises:
            PermanentError: ``too_long``.
        """
        if not value:
            return
        masked = masking.mask(masking.without_controls(value).replace("\n", " "))
        self.losses.masked(pointer, self.place(name), "an identity number, for this recipient")
        self._fields[name] = self._fitting(name, masked, pointer, _IDENTITY)

    def phone(self, name: str, value: str | None, pointer: str) -> None:
        """A phone, in full.

        Raises:
            PermanentError: ``too_long``.
        """
        if not value:
            return
        spoken = masking.spoken_phone(value)
        self.text(name, spoken, pointer, _PHONE)
        if spoken != value:
            self.losses.mapped(pointer, self.place(name), "the extension stands after 转")

    def coded(self, name: str, table: Table, value: str | None, pointer: str) -> None:
        """C by a table.

        Raises:
            PermanentError: ``code_without_row``, where the table has neither row nor "other".
        """
        if value is not None:
            self._fields[name] = table.code(value, self.losses, pointer, self.place(name))

    def money(self, name: str, value: Decimal | None, pointer: str) -> None:
        """Yuan as whole fen (分).

        Raises:
            PermanentError: ``too_large``, more than 17 digits.
        """
        if value is None:
            return
        fen = int(value.scaleb(2))
        if fen >= _MOST_FEN:
            raise PermanentError("too_large", f"{self._named(name, pointer)}: more than 17 digits of fen")
        self.losses.carried(pointer)
        self._fields[name] = str(fen)

    def count(self, name: str, value: int | None, pointer: str) -> None:
        """A whole number."""
        if value is not None:
            self.losses.carried(pointer)
            self._fields[name] = str(value)

    def flag(self, name: str, value: bool, pointer: str) -> None:
        """1 or 0."""
        self.losses.carried(pointer)
        self._fields[name] = "1" if value else "0"

    def moment(self, name: str, value: datetime | None, pointer: str) -> None:
        """``yyyyMMddHHmmss``, Beijing time; a lost fraction of a second stands in the report."""
        self._when(name, value, pointer, D14)

    def day(self, name: str, value: date | None, pointer: str) -> None:
        """``yyyyMMdd``."""
        self._when(name, value, pointer, D8)

    def rows(self, name: str, rows: Sequence[Json]) -> None:
        """A list of rows; an empty one is left out."""
        if rows:
            self._fields[name] = list(rows)

    def put(self, name: str, value: Any) -> None:
        """A value that no field of the document carries as it is."""
        self._fields[name] = value

    def place(self, name: str) -> str:
        """Where a field of this row stands inside its item."""
        return f"{self._place}.{name}" if self._place else name

    def below(self, name: str, number: int) -> Fields:
        """A row of the list under ``name``; ``number`` counts from 1."""
        return Fields(self.losses, self.place(f"{name}.{number}"))

    def done(self, *required: str) -> Json:
        """The fields.

        Raises:
            PermanentError: ``required_missing``, a required one is not there.
        """
        for name in required:
            if name not in self._fields:
                raise PermanentError("required_missing", f"{self.place(name)}: the platform demands it")
        return self._fields

    def _clean(self, name: str, value: str, pointer: str) -> str:
        cleaned = masking.without_controls(value)
        if cleaned != value:
            self.losses.mapped(pointer, self.place(name), "control characters became spaces")
        return cleaned

    def _veiled(self, name: str, value: str, pointer: str) -> str:
        """Without controls, which might part the digits of a number, and with every number masked."""
        self.losses.carried(pointer)
        veiled, masked = masking.mask_numbers(self._clean(name, value, pointer))
        if masked:
            self.losses.masked(pointer, self.place(name), f"{masked} long number(s) inside the text")
        return veiled

    def _fitting(self, name: str, value: str, pointer: str, limit: int) -> str:
        if masking.size(value) > limit:
            raise PermanentError("too_long", f"{self._named(name, pointer)}: longer than {limit} bytes of GB18030")
        return value

    def _named(self, name: str, pointer: str) -> str:
        return pointer or self.place(name)

    def _when(self, name: str, value: date | datetime | None, pointer: str, form: Form) -> None:
        if value is None:
            return
        if lost := form.loses(value):
            self.losses.cut(pointer, self.place(name), lost)
        else:
            self.losses.carried(pointer)
        self._fields[name] = form.write(value)
