"""What a database's error and a row's state mean, and who heals it (page §5)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from adapters.beijing import SECONDS
from adapters.http import LONGEST_WAIT
from contracts.errors import AdapterError, EndpointError, Reason, RetryableError

_CODE = re.compile(r"E[0-9]{2}")
_PLACE = re.compile(r"[A-Za-z0-9_.\[\]/]{1,100}")
POSTPONED_S = 600.0
"""When a postponed row is due again."""
MOST_RESENDS = 5
"""How often a postponed row goes again by itself."""

_TIME: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "unreachable": ("unreachable", "the exchange database cannot be reached"),
        "broken_off": ("broken_off", "the connection to the exchange database was lost"),
        "timeout": ("timeout", "the exchange database did not answer in time"),
        "busy": ("database_busy", "the exchange database is busy or locked"),
        "standby": ("database_read_only", "the exchange database takes no writes now"),
        "sequence": ("sequence_taken", "another row of the case took the place in its order"),
    }
)
_OPERATOR: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "login": ("login_refused", "the database refuses our account"),
        "certificate": ("certificate_refused", "the database's certificate cannot be verified"),
        "database": ("database_unknown", "there is no such database"),
        "table": ("table_missing", "a table or column of the exchange is missing"),
        "right": ("right_missing", "our account lacks a right on a table of the exchange"),
        "full": ("disk_full", "the disk of the exchange database is full"),
        "constraint": ("constraint_violated", "the database refuses a row of ours by a rule of its table"),
        "damaged": ("database_damaged", "the database cannot be read"),
        "other": ("database_refused", "the database refuses our statement"),
    }
)

_STATES: Mapping[str, str] = MappingProxyType(
    {
        "08": "broken_off",
        "22": "constraint",
        "23": "constraint",
        "23505": "sequence",
        "25006": "standby",
        "25P03": "timeout",
        "28": "login",
        "3D": "database",
        "3F": "table",
        "40": "busy",
        "42": "other",
        "42501": "right",
        "42703": "table",
        "42P01": "table",
        "53": "busy",
        "53100": "full",
        "55": "busy",
        "57": "broken_off",
        "57014": "timeout",
        "57P03": "unreachable",
        "57P04": "database",
        "58": "broken_off",
        "XX": "broken_off",
    }
)
"""SQLSTATE, whole or its class: what it is."""

_PRIMARY: Mapping[int, str] = MappingProxyType(
    {
        sqlite3.SQLITE_BUSY: "busy",
        sqlite3.SQLITE_LOCKED: "busy",
        sqlite3.SQLITE_PROTOCOL: "busy",
        sqlite3.SQLITE_SCHEMA: "busy",
        sqlite3.SQLITE_NOMEM: "busy",
        sqlite3.SQLITE_INTERRUPT: "timeout",
        sqlite3.SQLITE_CANTOPEN: "unreachable",
        sqlite3.SQLITE_IOERR: "broken_off",
        sqlite3.SQLITE_AUTH: "right",
        sqlite3.SQLITE_PERM: "right",
        sqlite3.SQLITE_READONLY: "right",
        sqlite3.SQLITE_FULL: "full",
        sqlite3.SQLITE_CORRUPT: "damaged",
        sqlite3.SQLITE_NOTADB: "damaged",
        sqlite3.SQLITE_CONSTRAINT: "constraint",
        sqlite3.SQLITE_ERROR: "table",
    }
)
_UNSURE = frozenset({"broken_off", "timeout", "unreachable"})
"""What leaves open, during COMMIT, whether it took place."""


def by_state(state: str | None, *, committing: bool) -> AdapterError:
    """The error of PostgreSQL's SQLSTATE; ``None``: the connection failed without one. ``committing``: during the COMMIT of a
    filing."""
    if state is None:
        return failure("broken_off", committing=committing)
    return failure(_STATES.get(state) or _STATES.get(state[:2], "other"), committing=committing)


def of_sqlite(error: sqlite3.Error, *, committing: bool) -> AdapterError:
    """The error of SQLite. Its text, which may quote, is not passed on."""
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(code, int):
        return failure("other", committing=committing)
    if code in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
        return failure("sequence", committing=committing)
    return failure(_PRIMARY.get(code & 0xFF, "other"), committing=committing)


def failure(kind: str, *, committing: bool = False) -> AdapterError:
    """The error of one kind of failure."""
    if kind in _TIME:
        return RetryableError(*_TIME[kind], maybe_accepted=committing and kind in _UNSURE)
    return EndpointError(*_OPERATOR[kind])


# ------------------------------------------------------------------------------------------------------------ their states


def is_postponed(code: str | None) -> bool:
    """E8x: the platform takes it later."""
    return code is not None and code.startswith("E8")


def is_failed(code: str | None) -> bool:
    """E9x: the platform's operator, or ours, must do something."""
    return code is not None and code.startswith("E9")


def code_of(text: object) -> str | None:
    """A code of §5; ``None`` for anything else."""
    return text if isinstance(text, str) and _CODE.fullmatch(text) else None


def reason_of(code: str, text: str | None) -> Reason:
    """The platform's finding; of E11 its text is a key path."""
    words = text or ""
    return Reason(code, words, words if code == "E11" and _PLACE.fullmatch(words) else "")


def in_maintenance(until: object, now: datetime, period: timedelta) -> RetryableError | None:
    """The error of a reader in ``MAINT``; ``None`` where the end that it told is past."""
    try:
        left = SECONDS.read(str(until)) - now
    except ValueError:
        left = period
    if left <= timedelta(0):
        return None
    return RetryableError("MAINTENANCE", "the platform is being maintained", retry_after=min(left, LONGEST_WAIT))
