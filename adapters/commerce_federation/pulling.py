"""Reading (page §6): new rows of ``TJ_IN``, never by their number; what was stored is marked; our heart beats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from adapters.beijing import SECONDS
from adapters.commerce_federation.wire import Ask, Row, Work, text_of, whole
from adapters.http import json_bytes
from contracts.adapter import Json, PolledItem

PAGE = 100
BEAT_S = 60
"""``PERIOD_S`` of our own heart, which beats with the poll."""
REST_S = BEAT_S / 2
"""Longest wait between two polls, and between two looks at whether our heart is due: so it never comes late."""
APPLIED_AFTER = timedelta(seconds=60)
"""A row that was stored so long ago counts as applied: the store keeps what it says until it is."""
OURS = "OURS"
"""Key beside a row's columns: how our own row of its ``OUT_ID`` stood when it was read."""

COLUMNS: dict[str, int] = {
    "KIND": 10,
    "OUT_ID": 65,
    "CASE_KEY": 101,
    "PLAT_NO": 33,
    "ZT": 20,
    "FAIL_CODE": 10,
    "REASON": 4000,
    "HAPPENED_AT": 30,
    "DIGEST": 65,
}
"""Columns of ``TJ_IN`` beside ``IN_ID``, and how much of each is read: SQLite holds no column to its length."""

_READ = ", ".join(f"substr(i.{name}, 1, {length})" for name, length in COLUMNS.items())
_NEWS = (
    f"SELECT i.IN_ID, {_READ}, substr(o.CASE_KEY, 1, 101), o.RESEND_COUNT FROM TJ_IN i"  # noqa: S608 -- names and numbers of ours alone, no value
    f" LEFT JOIN TJ_OUT o ON o.OUT_ID = i.OUT_ID WHERE i.READ_STATUS = 0 ORDER BY i.IN_ID LIMIT {PAGE}"
)
_BEAT = "UPDATE TJ_HEART SET BEAT_AT = ?, PERIOD_S = ?, STATE = 'RUN', UNTIL_AT = NULL WHERE NODE = 'GATEWAY'"
_STORED = "UPDATE TJ_IN SET READ_STATUS = 1, READ_AT = ? WHERE READ_STATUS = 0 AND IN_ID IN "
_UNREADABLE = "UPDATE TJ_IN SET READ_STATUS = 3, READ_AT = ?, READ_NOTE = ? WHERE READ_STATUS IN (0, 1) AND IN_ID IN "
_APPLIED = (
    "UPDATE TJ_IN SET READ_STATUS = 2 WHERE IN_ID IN (SELECT IN_ID FROM TJ_IN WHERE READ_STATUS = 1 AND READ_AT <= ?"
    " ORDER BY IN_ID LIMIT 500) AND READ_STATUS = 1"
)
_MOST_IN_ID = 2**63

Mark = tuple[int, str | None]
"""A row that is stored: its ``IN_ID``, and why nobody can read it, where nobody can."""


def turn(marks: Sequence[Mark], now: datetime, *, beat: bool) -> Work[tuple[PolledItem, ...]]:
    """One look: mark what was stored before, let our heart beat, and the next rows."""
    if beat:
        yield Ask(_BEAT, (SECONDS.write(now), BEAT_S))
    yield from mark(marks, now)
    yield Ask(_APPLIED, (SECONDS.write(now - APPLIED_AFTER),))
    rows: Sequence[Row] = yield Ask(_NEWS)
    return tuple(item(row) for row in rows)


def mark(marks: Sequence[Mark], now: datetime) -> Work[None]:
    """Tell the platform what is stored, and what nobody can read: all of a kind at once, for a transaction is short."""
    at, alike = SECONDS.write(now), dict[str | None, list[int]]()
    for in_id, note in marks:
        alike.setdefault(note, []).append(in_id)
    for note, numbers in alike.items():
        places = f"({', '.join('?' * len(numbers))})"
        if note is None:
            yield Ask(_STORED + places, (at, *numbers))
        else:
            yield Ask(_UNREADABLE + places, (at, note[:200], *numbers))


def item(row: Row) -> PolledItem:
    """One row, to be stored and read later. Its digest is of what the platform wrote alone.

    Raises:
        TypeError: its ``IN_ID`` is no number: such a table cannot be marked either.
    """
    in_id, *columns = whole(row[0]), *row[1:]
    told: Json = {"IN_ID": in_id} | {name: text_of(value) for name, value in zip(COLUMNS, columns, strict=False)}
    digest = hashlib.sha256(json_bytes(told)).hexdigest()
    ours = {"CASE_KEY": text_of(columns[-2]), "RESEND_COUNT": _count(columns[-1])}
    return PolledItem(str(in_id), digest, json_bytes(told | {OURS: ours}))


def _count(value: object) -> int | None:
    """How often our row went again; ``None`` where there is no row, or no number in it."""
    try:
        return whole(value)
    except TypeError:
        return None


def write_marks(marks: Sequence[Mark]) -> str:
    """The cursor that is stored with a page: what to mark at the next look, where ``mark_read`` did not come to it."""
    return json.dumps({"stored": [list(one) for one in marks]}, separators=(",", ":"))


def read_marks(cursor: str | None) -> list[Mark]:
    """From the stored cursor; a text that is not ours marks nothing: what comes again is dropped by its number."""
    try:
        found = json.loads(cursor) if cursor else {}
        listed = found["stored"] if isinstance(found, dict) and "stored" in found else []
        return [
            (in_id, note)
            for in_id, note in listed[:PAGE]
            if type(in_id) is int and abs(in_id) < _MOST_IN_ID and (note is None or isinstance(note, str))
        ]
    except (ValueError, TypeError, KeyError):
        return []
