"""Pages with cursors (page §6): one list in the order of its ``seq``, positions sealed and kept for a while."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mocks.national_mediation.problems import Problem
from mocks.national_mediation.reading import Json

_CURSOR = struct.Struct(">QI12s")
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Row:
    """One item of a list, and when it came."""

    item: Json
    at: datetime


class Feed:
    """The rows of the list ``name``, oldest first; only those whose journal entry is on disk are shown."""

    def __init__(self, name: str, secret: str, cursor_days: float) -> None:
        self._name = name
        self._key = hashlib.sha256(f"{name}:{secret}".encode()).digest()
        self._life_s = cursor_days * 86400
        self._rows: list[Row] = []
        self._written = 0

    def add(self, item: Json, at: datetime) -> int:
        """Append a row, not shown yet; returns what :meth:`written` takes."""
        self._rows.append(Row(item, at))
        return len(self._rows)

    def written(self, count: int) -> None:
        """The first ``count`` rows are on disk."""
        self._written = max(self._written, count)

    def page(self, position: int, size: int) -> tuple[list[Json], int, bool]:
        """At most ``size`` items from ``position``; the next position; whether more follow."""
        end = min(self._written, position + size)
        return [row.item for row in self._rows[position:end]], end, end < self._written

    def since(self, at: datetime) -> int:
        """The position of the first row that came at ``at`` or later."""
        shown = self._rows[: self._written]
        return next((place for place, row in enumerate(shown) if row.at >= at), self._written)

    def cursor(self, position: int, now: datetime) -> str:
        """The cursor of a position. The same within an hour: an empty page asked for again is unchanged then."""
        hour = int(now.timestamp()) // _HOUR
        packed = _CURSOR.pack(position, hour, self._seal(position, hour))
        return base64.urlsafe_b64encode(packed).decode("ascii")

    def position(self, cursor: str, now: datetime) -> int:
        """The position of a cursor. Raises :class:`Problem` ``CURSOR_EXPIRED`` for one that is too old or not ours."""
        try:
            packed = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
            position, hour, seal = _CURSOR.unpack(packed)
        except (UnicodeEncodeError, binascii.Error, struct.error):
            raise Problem("CURSOR_EXPIRED") from None
        ours = hmac.compare_digest(seal, self._seal(position, hour))
        # Kept from the end of its hour on, so never shorter than the page promises.
        if not ours or now.timestamp() > (hour + 1) * _HOUR + self._life_s or position > self._written:
            raise Problem("CURSOR_EXPIRED")
        return int(position)

    def _seal(self, position: int, hour: int) -> bytes:
        return hmac.digest(self._key, f"{position}:{hour}".encode(), "sha256")[:12]


class Repeats:
    """Changes that stand on several pages (fault ``duplicate_callback``), each on so many more."""

    def __init__(self) -> None:
        self._left: list[tuple[Json, int]] = []

    def add(self, items: list[Json], pages: int) -> None:
        """Let these stand on ``pages`` further pages."""
        self._left.extend((item, pages) for item in items if pages > 0)

    def next(self, size: int) -> list[Json]:
        """Those that stand on the next page too, at most ``size``."""
        shown = self._left[:size]
        self._left = [(item, pages - 1) for item, pages in shown if pages > 1] + self._left[size:]
        return [item for item, _ in shown]
