"""Months of the partitioned tables: what they are called, when they begin, and what about them should be looked at. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from contracts.chinese_calendar import BEIJING
from contracts.moments import in_beijing, to_ms

COUNTED: Final = 10_000
"""The rows of DEFAULT are counted so far."""

_LAST_YEAR: Final = 9990


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month in Beijing."""

    year: int
    month: int

    @classmethod
    def of(cls, ms: int) -> Self | None:
        """The month of a time (ms since 1970); ``None`` beyond the year 9990."""
        try:
            at = in_beijing(ms)
        except (OverflowError, ValueError, OSError):
            return None
        return cls(at.year, at.month) if at.year <= _LAST_YEAR else None

    def later(self, months: int) -> Month:
        """The month so many later."""
        count = self.year * 12 + self.month - 1 + months
        return Month(count // 12, count % 12 + 1)

    @property
    def begins(self) -> int:
        """Its first moment, in ms since 1970."""
        return to_ms(datetime(self.year, self.month, 1, tzinfo=BEIJING))

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


@dataclass(frozen=True, slots=True)
class Part:
    """One partition. ``month`` is as ``2026-11``, ``None`` for DEFAULT. ``rows`` is the server's estimate, of DEFAULT the count
    (up to ``COUNTED``); ``size`` is in bytes, with its indexes."""

    table: str
    name: str
    month: str | None
    rows: int
    size: int

    @property
    def is_default(self) -> bool:
        """Whether it holds what has no month."""
        return self.name == f"{self.table}_default"


def troubles(parts: Sequence[Part], now_ms: int) -> list[tuple[str, str]]:
    """What a person should look at: (table, figure). Rows without a month, and a month that is about to be missing."""
    found = []
    month = Month.of(now_ms)
    for table in sorted({part.table for part in parts}):
        mine = [part for part in parts if part.table == table]
        astray = sum(part.rows for part in mine if part.is_default)
        if astray:
            found.append((table, f"DEFAULT: {astray}"))
        there = {part.month for part in mine}
        missing = [] if month is None else [str(one) for one in (month, month.later(1)) if str(one) not in there]
        if missing:
            found.append((table, f"∅ {' '.join(missing)}"))
    return found
