"""Writes canonical values into the platform's items and keeps the loss report while doing so."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

from adapters.beijing import DAY, SECONDS, Form
from adapters.one_stop.codes import nation_code
from adapters.one_stop.pages import without_forbidden
from adapters.tables import Losses, Table
from contracts.errors import PermanentError

_MOST_MONEY = Decimal(10) ** 12
_FEN = Decimal("0.01")
_MONEY = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")


class Scribe:
    """One document's translation. Pointers are of that document; ``""`` is for values that come from the context."""

    def __init__(self) -> None:
        self.losses = Losses()

    def text(self, value: str | None, pointer: str, place: str) -> str | None:
        """The text without the characters that XML cannot carry, each such text with an entry in the report."""
        if value is None:
            return None
        kept = without_forbidden(value)
        if kept == value:
            self.losses.carried(pointer)
        else:
            self.losses.cut(pointer, place, "characters that XML 1.0 forbids were left out")
        return kept

    def code(self, table: Table, value: str | None, pointer: str, place: str) -> str | None:
        """The platform's code; ``None`` stays absent.

        Raises:
            PermanentError: ``code_without_row``.
        """
        return None if value is None else table.code(value, self.losses, pointer, place)

    def day(self, moment: date | datetime | None, pointer: str, place: str) -> str | None:
        """``yyyy-MM-dd`` of Beijing; a lost time of day stands in the report."""
        return self._moment(DAY, moment, pointer, place)

    def time(self, moment: datetime | None, pointer: str, place: str) -> str | None:
        """``yyyy-MM-dd HH:mm:ss`` of Beijing; a lost fraction of a second stands in the report."""
        return self._moment(SECONDS, moment, pointer, place)

    def _moment(self, form: Form, moment: date | datetime | None, pointer: str, place: str) -> str | None:
        if moment is None:
            return None
        lost = form.loses(moment)
        if lost:
            self.losses.cut(pointer, place, lost)
        else:
            self.losses.carried(pointer)
        return form.write(moment)

    def money(self, yuan: Decimal | None, pointer: str, place: str) -> str | None:
        """万元 with exactly 6 decimals.

        Raises:
            PermanentError: ``too_large`` (more than 12 digits before the point).
        """
        if yuan is None:
            return None
        self.losses.carried(pointer)
        return ten_thousands(yuan, place)

    def count(self, number: int | None, pointer: str) -> str | None:
        """A whole number."""
        if number is None:
            return None
        self.losses.carried(pointer)
        return str(number)

    def nation(self, name: str | None, pointer: str) -> str | None:
        """民族; a name outside GB/T 3304 is left out (page §6)."""
        if name is None:
            return None
        code = nation_code(name)
        if code is None:
            self.losses.dropped(pointer, "no such name in GB/T 3304")
        else:
            self.losses.carried(pointer)
        return code


def ten_thousands(yuan: Decimal, place: str) -> str:
    """Yuan with at most 2 decimals as 万元 with exactly 6, in exact decimal arithmetic.

    Raises:
        PermanentError: ``too_large`` (more than 12 digits before the point).
    """
    found = yuan.scaleb(-4)
    if found >= _MOST_MONEY:
        raise PermanentError("too_large", f"{place}: more than 12 digits before the point")
    return f"{found:.6f}"


def yuan(text: str) -> Decimal:
    """Back from 万元.

    Raises:
        ValueError: not of the form, or not a whole number of fen.
    """
    if not _MONEY.fullmatch(text):
        raise ValueError("not a sum in 万元")
    exact = Decimal(text).scaleb(4)
    found = exact.quantize(_FEN)
    if found != exact:
        raise ValueError("not a whole number of fen")
    return found
