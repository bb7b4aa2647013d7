"""Reading (page §6): new rows of ``TJ_IN``, never by their number; what was stored is marked; our heart beats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from adapters.beijing import SECONDS
from adapters.commerce_federation.wire import Ask, Row, Work
from adapters.http import json_bytes
from contracts.adapter import Json, PolledItem

PAGE = 100
BEAT_S = 60
"""``PERIOD_S`` of our own heart."""
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
    f"SELECT i.IN_ID, {_READ}, o.CASE_KEY, o.RESEND_COUNT FROM TJ_IN i LEFT JOIN TJ_OUT o ON o.OUT_ID = i.OUT_ID"  # noqa: S608 -- names and numbers of ours alone, no value
    f" WHERE i.READ_STATUS = 0 ORDER BY i.IN_ID LIMIT {PAGE}"
)
_BEAT = "UPDATE TJ_HEART SET BEAT_AT = ?, PERIOD_S = ?, STATE = 'RUN', UNTIL_AT = NULL WHERE NODE = 'GATEWAY'"
_STORED = "UPDATE TJ_IN SET READ_STATUS = 1, READ_AT = ? WHERE IN_ID = ? AND READ_STATUS = 0"
_UNREADABLE = "UPDATE TJ_IN SET READ_STATUS = 3, READ_AT = ?, READ_NOTE = ? WHERE IN_ID = ? AND READ_STATUS IN (0, 1)"
_APPLIED = (
    "UPDATE TJ_IN SET READ_STATUS = 2 WHERE IN_ID IN (SELECT IN_ID FROM TJ_IN WHERE READ_STATUS = 1 AND READ_AT <= ?"
    " ORDER BY IN_ID LIMIT 500) AND READ_STATUS = 1"
)
_MOST_IN_ID = 2**63

Mark = tuple[int, str | None]
"""A row that is stored: its ``IN_ID``, and why nobody can read it, where nobody can."""


def turn(marks: Sequence[Mark], now: datetime, *, beat: bool) -> Work[Sequence[Row]]:
    """One look: mark what was stored before, let our heart beat, and the next rows."""
    if beat:
        yield Ask(_BEAT, (SECONDS.write(now), BEAT_S))
    yield from mark(marks, now)
    yield Ask(_APPLIED, (SECONDS.write(now - APPLIED_AFTER),))
    rows: Sequence[Row] = yield Ask(_NEWS)
    return rows


def mark(marks: Sequence[Mark], now: datetime) -> Work[None]:
    """Tell the platform what is stored, and what nobody can read."""
    at = SECONDS.write(now)
    for in_id, note in marks:
        if note is None:
            yield Ask(_STORED, (at, in_id))
        else:
            yield Ask(_UNREADABLE, (at, note[:200], in_id))


def item(row: Row) -> PolledItem:
    """One row, to be stored and read later. Its digest is of what the platform wrote alone."""
    in_id, *columns = row
    told: Json = {"IN_ID": in_id} | {name: _text(value) for name, value in zip(COLUMNS, columns, strict=False)}
    digest = hashlib.sha256(json_bytes(told)).hexdigest()
    ours = {"CASE_KEY": _text(columns[-2]), "RESEND_COUNT": columns[-1]}
    return PolledItem(str(in_id), digest, json_bytes(told | {OURS: ours}))


def _text(value: object) -> str | None:
    """SQLite holds no column to its type."""
    if value is None or isinstance(value, str):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


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
