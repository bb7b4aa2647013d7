"""One object of a plaintext while it is read: long texts joined, times made aware, nothing guessed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from adapters.beijing import D8, D14
from adapters.hr_arbitration import wire
from adapters.hr_arbitration.rows import LONG_TEXT
from adapters.tables import Table
from contracts.adapter import Json


class Gap(ValueError):
    """A long text whose rows are not numbered from 2 without gaps: what it says is not known."""


class Reader:
    """Reads the fields of one object, keys in upper case. What is absent or empty reads as ``""`` or ``None``."""

    def __init__(self, found: Json) -> None:
        self._found = found

    def text(self, code: str) -> str:
        """S, with what follows in ``BZX000``.

        Raises:
            Gap: rows of the long text are missing, doubled or out of number.
        """
        rest = [row for row in self.rows(LONG_TEXT) if wire.texts(row._found, "BZX001") == code]
        numbered = {wire.texts(row._found, "BZX002"): wire.texts(row._found, "BZX003") for row in rest}
        numbers = [str(number) for number in range(2, len(rest) + 2)]
        if sorted(numbered) != sorted(numbers):
            raise Gap(code)
        return wire.texts(self._found, code) + "".join(numbered[number] for number in numbers)

    def texts(self, code: str) -> list[str]:
        """A list of strings."""
        found = self._found.get(code)
        return [one for one in found if isinstance(one, str) and one] if isinstance(found, list) else []

    def rows(self, code: str) -> list[Reader]:
        """R: a list of objects."""
        found = self._found.get(code)
        return [Reader(one) for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    def value(self, code: str, table: Table) -> str | None:
        """The canonical value of a code; ``None`` where the table does not know it."""
        return table.value(self.text(code))

    def moment(self, code: str) -> datetime | None:
        """D14; ``None`` where it is absent or no moment."""
        try:
            return D14.read(self.text(code))
        except ValueError:
            return None

    def day(self, code: str) -> date | None:
        """D8; ``None`` where it is absent or no day."""
        try:
            return D8.read_day(self.text(code))
        except ValueError:
            return None

    def money(self, code: str) -> Decimal | None:
        """N; ``None`` where it is absent or no amount."""
        try:
            amount = Decimal(self.text(code))
            sound = amount.is_finite() and amount >= 0 and amount == amount.quantize(Decimal("0.01"))
        except InvalidOperation:  # no number, or one of more digits than any amount
            return None
        return amount if sound else None

    def integer(self, code: str) -> int | None:
        """I; ``None`` where it is absent or no integer."""
        text = self.text(code)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

    def flag(self, code: str) -> bool | None:
        """1 or 0; ``None`` for anything else."""
        return {"1": True, "0": False}.get(self.text(code))
