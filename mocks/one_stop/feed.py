"""The feed of changes that are pulled (page §5): pages, cursors that live 30 days, and what can go wrong on it (§7)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from mocks.one_stop.refusal import BusinessRefusal
from mocks.one_stop.replies import Value, written_size
from mocks.one_stop.schema import ROW_NAMES, Items

BEGINNING: Final = "0"
_CURSOR = struct.Struct(">QI12s")


class Feed:
    """The changes of one audience after another, in the order they were announced; a position is a place in that order.

    An audience is a 机构编码, or ``*`` where a pull brings the changes of all. Only rows whose journal entry is on disk
    are shown: a position must mean the same row after a restart.
    """

    def __init__(self, token: str, cursor_s: float) -> None:
        self._key = hashlib.sha256(f"cursor:{token}".encode()).digest()
        self._cursor_s = cursor_s
        self._rows: dict[str, list[Items]] = {}
        self._written: dict[str, int] = {}
        self._numbers = 0

    def next_number(self) -> str:
        """A new 变更序号: later ones sort after earlier ones."""
        self._numbers += 1
        return f"BG{self._numbers:014d}"

    def add(self, audience: str, row: Items) -> int:
        """Append a row, not shown yet; returns what :meth:`written` takes."""
        rows = self._rows.setdefault(audience, [])
        rows.append(row)
        return len(rows)

    def written(self, audience: str, count: int) -> None:
        """The first ``count`` rows of ``audience`` are on disk."""
        self._written[audience] = max(count, self._written.get(audience, 0))

    def restored(self, row: Items) -> None:
        """Go on after the 变更序号 of a row from the journal."""
        number = row.get("变更序号")
        if isinstance(number, str) and number.startswith("BG") and number[2:].isdigit():
            self._numbers = max(self._numbers, int(number[2:]))

    def page(self, audience: str, position: int, size: int, limit: int) -> tuple[list[Items], int, bool]:
        """At most ``size`` rows (and ``limit`` bytes) from ``position``; the next position; whether that is the end."""
        end = self._written.get(audience, 0)
        rows: list[Items] = []
        room = limit
        for row in self._rows.get(audience, [])[position : min(end, position + size)]:
            room -= written_size(written(row))
            if rows and room < 0:
                break
            rows.append(row)
        return rows, position + len(rows), position + len(rows) >= end

    def cursor(self, audience: str, position: int, now: datetime) -> str:
        """The 游标 for ``position``, opaque, issued ``now``."""
        issued = int(now.timestamp())
        packed = _CURSOR.pack(position, issued, self._seal(audience, position, issued))
        return base64.urlsafe_b64encode(packed).decode("ascii")

    def position(self, audience: str, cursor: str, now: datetime) -> int:
        """The position of a 游标. Raises :class:`BusinessRefusal` E410 for one that is too old or not ours."""
        if cursor == BEGINNING:
            return 0
        try:
            packed = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
            position, issued, seal = _CURSOR.unpack(packed)
        except (UnicodeEncodeError, binascii.Error, struct.error):
            raise BusinessRefusal("E410", "游标") from None
        ours = hmac.compare_digest(seal, self._seal(audience, position, issued))
        if not ours or now.timestamp() - issued > self._cursor_s or position > self._written.get(audience, 0):
            raise BusinessRefusal("E410", "游标")
        return int(position)

    def _seal(self, audience: str, position: int, issued: int) -> bytes:
        return hmac.digest(self._key, f"{audience}:{position}:{issued}".encode(), "sha256")[:12]


def written(row: Items) -> dict[str, Value]:
    """A change as the items of a 变更 element."""
    return {
        name: value if isinstance(value, str) else {ROW_NAMES[name]: list(value)}
        for name, value in row.items()
        if value
    }


def mixed(rows: Sequence[Items]) -> list[Items]:
    """``rows`` with the order of the cases turned round, never the order inside one."""
    cases: dict[str, list[Items]] = {}
    for row in rows:
        cases.setdefault(str(row.get("平台编号", "")), []).append(row)
    return [row for case in reversed(list(cases.values())) for row in case]
