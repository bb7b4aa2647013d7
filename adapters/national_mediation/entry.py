"""One JSON object of the platform while it is written: value forms and limits of page §1 and §5."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar

from adapters import entry
from contracts.errors import PermanentError

_MOST_FEN = 10**15
_FEN = 100


class Entry(entry.Entry):
    """See ``adapters.entry``: money in fen, times in UTC, and … at the end of what was cut."""

    more: ClassVar[str] = "…"

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
        self.carried(pointer)
        self.fields[key] = found

    def moment(self, key: str, value: datetime | None, pointer: str) -> None:
        """UTC with milliseconds; a finer fraction is lost."""
        if value is None:
            return
        there = value.astimezone(UTC)
        if there.microsecond % 1000 and pointer:
            self.losses.cut(pointer, self.at(key), "fraction of a millisecond")
        else:
            self.carried(pointer)
        self.fields[key] = f"{there:%Y-%m-%dT%H:%M:%S}.{there.microsecond // 1000:03d}Z"

    def value(self, key: str, value: bool | int | None, pointer: str) -> None:
        """A boolean or a whole number."""
        if value is not None:
            self.carried(pointer)
            self.fields[key] = value

    def town(self, key: str, whole: str, code: str, pointer: str) -> None:
        """The first six digits of a region code, and one of 9 or 12 digits whole under another key."""
        self.carried(pointer)
        self.fields[key] = code[: entry.REGION]
        if len(code) > entry.REGION:
            self.fields[whole] = code
