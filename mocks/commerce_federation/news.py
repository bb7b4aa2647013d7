"""Rows of ``TJ_IN``: their numbers, their digests, and how they are spoilt on command (page §6, §9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from mocks.clock import Clock
from mocks.commerce_federation import digests, moments
from mocks.commerce_federation.database import Session
from mocks.commerce_federation.digests import Row
from mocks.commerce_federation.findings import REASON_LIMIT
from mocks.faults import Fault, Faults

TAKEN: Final = "00"
DONE: Final = "01"
STATUS: Final = "02"
CORRECTION: Final = "03"
NOTE: Final = "04"
FAILED: Final = "09"
FORGERIES: Final = frozenset(("digest", "out_id", "case_key"))
POLL: Final = "poll"

_GAP_EVERY: Final = 7
_BOMB_ROWS: Final = 100_000
_HTML: Final = (
    "<!DOCTYPE html><html><head><title>统一门户</title></head><body><p>系统繁忙，请稍后再试</p></body></html>"
)
_COLUMNS: Final = (
    "IN_ID",
    "KIND",
    "OUT_ID",
    "CASE_KEY",
    "PLAT_NO",
    "ZT",
    "FAIL_CODE",
    "REASON",
    "HAPPENED_AT",
    "DIGEST",
    "CREATED_AT",
)
_VALUES: Final = f"({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
#: A transaction whose COMMIT was lost is done again: the rows that stand already are its own.
_INSERT: Final = f"INSERT INTO TJ_IN {_VALUES} ON CONFLICT (IN_ID) DO NOTHING"


@dataclass(slots=True)
class Batch:
    """Rows to write now, and rows that must be committed after others with a higher number."""

    now: list[Row] = field(default_factory=list)
    later: list[Row] = field(default_factory=list)


class News:
    """Makes the rows. ``IN_ID`` rises, with gaps, and is never given twice."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self.last = 0

    def plain(
        self,
        kind: str,
        case_key: str,
        *,
        out_id: str | None = None,
        plat_no: str | None = None,
        zt: str | None = None,
        fail_code: str | None = None,
        reason: str | None = None,
    ) -> Row:
        """One row as it should be."""
        now = moments.write(self._clock.now())
        row: Row = {
            "IN_ID": self._next(),
            "KIND": kind,
            "OUT_ID": out_id,
            "CASE_KEY": case_key,
            "PLAT_NO": plat_no,
            "ZT": zt,
            "FAIL_CODE": fail_code,
            "REASON": reason,
            "HAPPENED_AT": now,
            "DIGEST": "",
            "CREATED_AT": now,
        }
        return _signed(row)

    def dressed(self, row: Row, op: str) -> Batch:
        """The row as the scripted faults for ``op`` (or ``poll``) want it."""
        batch = Batch()
        if (fault := self._take(op, "garbage")) is not None:
            batch.now += self._garbage(row, fault)
        if (fault := self._take(op, "forge_callback")) is not None:
            batch.now.append(self._forged(row, fault.how))
        copies = [row]
        if (fault := self._take(op, "duplicate_callback")) is not None:
            copies += [_signed(row | {"IN_ID": self._next()}) for _ in range((fault.n or 2) - 1)]
        if self._take(op, "reorder_callbacks") is not None:
            batch.later += copies
        else:
            batch.now += copies
        return batch

    def _take(self, op: str, action: str) -> Fault | None:
        return self._faults.take(op, action) or self._faults.take(POLL, action)

    def _garbage(self, row: Row, fault: Fault) -> list[Row]:
        match fault.kind:
            case "html":
                row["REASON"] = _HTML
            case "truncated":
                row["REASON"] = _HTML[: len(_HTML) // 2]
            case "empty":
                row["PLAT_NO"] = None
            case "gbk":
                row["REASON"] = "系统繁忙，请稍后再试".encode("gbk").decode("latin-1")
            case _:
                return [self.plain(NOTE, row["CASE_KEY"], reason="提示") for _ in range(_BOMB_ROWS)]
        row["REASON"] = row["REASON"] and row["REASON"][:REASON_LIMIT]
        _signed(row)
        return []

    def _forged(self, row: Row, how: str) -> Row:
        forged = row | {"IN_ID": self._next()}
        if how == "out_id":
            forged["OUT_ID"] = "msg_FOREIGN000000000000000000"
        elif how == "case_key":
            forged |= {"OUT_ID": None, "KIND": STATUS, "ZT": "99", "CASE_KEY": "XX-XX-SH-999#000000-SH999-2026-00001"}
        _signed(forged)
        if how == "digest":
            forged["DIGEST"] = digests.sm3(forged["DIGEST"].encode())
        return forged

    def _next(self) -> int:
        self.last += 1 if (self.last + 1) % _GAP_EVERY else 2
        return self.last


def _signed(row: Row) -> Row:
    row["DIGEST"] = digests.of_in(row)
    return row


def insert(session: Session, rows: list[Row]) -> None:
    """Write rows, inside a transaction of the caller's."""
    session.many(_INSERT, [tuple(row[name] for name in _COLUMNS) for row in rows])
