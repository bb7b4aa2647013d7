"""One object of a plaintext while it is written: the page's types, long texts, and the loss report beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from adapters.beijing import D8, D14, Form
from adapters.tables import Losses, Table
from contracts.adapter import Json
from contracts.errors import PermanentError

LONG_TEXT = "BZX000"
CHUNK = 2000
MOST_CHUNKS = 20
_MOST_MONEY = Decimal("99999999999999.99")


class Row:
    """Writes the fields of one object in order. Every method names the canonical pointer that it carries.

    ``None`` and empty text write nothing: an empty optional field is left out (page §3).
    """

    def __init__(self, losses: Losses, place: str = "") -> None:
        self.losses = losses
        self._place = place
        self._fields: Json = {}
        self._rest: list[Json] = []

    def text(self, code: str, value: str | None, pointer: str, limit: int) -> None:
        """S with long text: at most ``limit`` characters here, the rest in ``BZX000`` of the same object.

        Raises:
            PermanentError: ``too_long``, more than 20 rows.
        """
        if not value:
            return
        self.losses.carried(pointer)
        self._fields[code] = value[:limit]
        chunks = [value[at : at + CHUNK] for at in range(limit, len(value), CHUNK)]
        if len(chunks) > MOST_CHUNKS:
            raise PermanentError("too_long", f"{pointer}: longer than {limit + CHUNK * MOST_CHUNKS} characters")
        self._rest += [
            {"BZX001": code, "BZX002": str(number), "BZX003": chunk} for number, chunk in enumerate(chunks, start=2)
        ]

    def exact(self, code: str, value: str | None, pointer: str, limit: int) -> None:
        """S that names something (a number, a code, an id): whole or not at all.

        Raises:
            PermanentError: ``too_long``.
        """
        if not value:
            return
        if len(value) > limit:
            raise PermanentError("too_long", f"{pointer}: longer than the {limit} characters of {code}")
        self.losses.carried(pointer)
        self._fields[code] = value

    def money(self, code: str, value: Decimal | None, pointer: str) -> None:
        """N: yuan with exactly two decimals.

        Raises:
            PermanentError: ``too_large``.
        """
        if value is None:
            return
        if value > _MOST_MONEY:
            raise PermanentError("too_large", f"{pointer}: more than {code} can hold")
        self.losses.carried(pointer)
        self._fields[code] = f"{value:.2f}"

    def integer(self, code: str, value: int | None, pointer: str, digits: int = 9) -> None:
        """I: an integer of at most that many digits.

        Raises:
            PermanentError: ``too_large``.
        """
        if value is None:
            return
        if len(str(value)) > digits:
            raise PermanentError("too_large", f"{pointer}: more than the {digits} digits of {code}")
        self.losses.carried(pointer)
        self._fields[code] = str(value)

    def flag(self, code: str, value: bool | None, pointer: str) -> None:
        """1 or 0."""
        if value is None:
            return
        self.losses.carried(pointer)
        self._fields[code] = "1" if value else "0"

    def moment(self, code: str, value: datetime | None, pointer: str) -> None:
        """D14, Beijing time; a fraction of a second is lost."""
        self._when(code, value, pointer, D14)

    def day(self, code: str, value: date | datetime | None, pointer: str) -> None:
        """D8, Beijing's calendar day; of a moment its time of day is lost."""
        self._when(code, value, pointer, D8)

    def coded(self, code: str, table: Table, value: str | None, pointer: str) -> None:
        """C by a table.

        Raises:
            PermanentError: ``code_without_row``, where the table has neither row nor "other".
        """
        if value is not None:
            self._fields[code] = table.code(value, self.losses, pointer, self.place(code))

    def computed(self, code: str, value: str, compute: Callable[[str, Losses, str, str], str], pointer: str) -> None:
        """C by a rule that is more than a table."""
        self._fields[code] = compute(value, self.losses, pointer, self.place(code))

    def rows(self, code: str, rows: Sequence[Row]) -> None:
        """R: a list of objects; an empty one is left out."""
        if rows:
            self._fields[code] = [row.done() for row in rows]

    def put(self, code: str, value: Any) -> None:
        """A value that no field of the document carries: constants, context, files."""
        self._fields[code] = value

    def place(self, code: str) -> str:
        """Where a field of this row stands on the wire."""
        return f"{self._place}.{code}" if self._place else code

    def below(self, code: str, number: int) -> Row:
        """A row of the list under ``code``."""
        return Row(self.losses, f"{self.place(code)}[{number}]")

    def done(self) -> Json:
        """The object, its long texts last."""
        return self._fields | ({LONG_TEXT: self._rest} if self._rest else {})

    def _when(self, code: str, value: date | datetime | None, pointer: str, form: Form) -> None:
        if value is None:
            return
        if lost := form.loses(value):
            self.losses.cut(pointer, self.place(code), lost)
        else:
            self.losses.carried(pointer)
        self._fields[code] = form.write(value)
