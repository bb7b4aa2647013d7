"""The gateway's conduct at the tables (page §3, §9): what it may not do stands in the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mocks.commerce_federation import digests, moments
from mocks.commerce_federation.database import Session
from mocks.commerce_federation.digests import Row
from mocks.commerce_federation.findings import again
from mocks.commerce_federation.settings import Settings
from mocks.commerce_federation.tables import GATEWAY, GATEWAY_PERIOD_S

NEW, TAKEN, DONE, FAILED = 0, 1, 2, 3
_CONTENT: Final = ("CASE_KEY", "SEQ_NO", "CREATED_AT", "DIGEST")
_OURS: Final = ("TAKEN_AT", "BATCH_NO", "PLAT_NO")


@dataclass(frozen=True, slots=True)
class Breach:
    """Something the gateway did and may not do."""

    what: str
    out_id: str = ""
    case_key: str = ""


@dataclass(slots=True)
class _Known:
    """A row as it stood when it was last looked at."""

    case_key: str
    content: str
    ours: tuple[str | None, ...]
    status: int
    resent: int
    code: str
    done_at: str | None


class Watch:
    """Compares the tables with what they were. Lives in the thread of the database alone."""

    def __init__(self, settings: Settings, judged: Callable[[str], bool]) -> None:
        self._settings = settings
        self._judged = judged
        self._known: dict[str, _Known] = {}
        self._trying: dict[str, _Known] = {}
        self._numbers: dict[str, dict[str, int]] = {}
        self._news: set[int] = set()
        self._minutes: set[str] = set()
        self._beat = ""
        self._strays: dict[str, datetime] = {}

    def begin(self, session: Session, now: datetime) -> list[Breach]:
        """After a start: rows that were taken or judged before are ours; returns what happened meanwhile."""
        taken = {row["OUT_ID"] for row in session.rows("SELECT OUT_ID FROM TJ_IN WHERE KIND = '00'")}
        for row in session.rows("SELECT * FROM TJ_OUT WHERE UPLOAD_STATUS <> 0"):
            if self._judged(row["OUT_ID"]) or (row["OUT_ID"] in taken and row["TAKEN_AT"]):
                self.note(row)
        return self.look(session, now)

    def note(self, row: Row) -> None:
        """This is how the row stands by our own doing."""
        self._trying.pop(row["OUT_ID"], None)
        self._known[row["OUT_ID"]] = _known(row)
        self._numbers.setdefault(row["CASE_KEY"], {})[row["OUT_ID"]] = row["SEQ_NO"]

    def trying(self, row: Row) -> None:
        """So our next transaction leaves the row: where its COMMIT was lost, that is no doing of the gateway's."""
        self._trying[row["OUT_ID"]] = _known(row)

    def _forget(self, out_id: str) -> None:
        known = self._known.pop(out_id, None)
        numbers = {} if known is None else self._numbers[known.case_key]
        numbers.pop(out_id, None)
        if known is not None and not numbers:
            del self._numbers[known.case_key]

    def fingerprint_holds(self, row: Row) -> bool:
        """Whether the content is what it was when the row was taken."""
        known = self._known.get(row["OUT_ID"])
        return known is None or known.content == _content(row)

    def wrote(self, in_id: int) -> None:
        """A row of ``TJ_IN`` is ours."""
        self._news.add(in_id)

    def arrived(self, row: Row, now: datetime) -> list[Breach]:
        """What is wrong with how this row came to stand as it does."""
        known = self._known.get(row["OUT_ID"])
        if self._trying.get(row["OUT_ID"]) == _known(row):
            found = []
        else:
            found = self._newcomer(row) if known is None else self._changes(known, row, now)
        self.note(row)
        return [Breach(what, row["OUT_ID"], row["CASE_KEY"]) for what in found]

    def look(self, session: Session, now: datetime) -> list[Breach]:
        """Everything that was done since the last look."""
        rows = session.rows("SELECT * FROM TJ_OUT ORDER BY CASE_KEY, SEQ_NO")
        found = [breach for row in rows for breach in self.arrived(row, now)]
        present = {row["OUT_ID"] for row in rows}
        for out_id in self._known.keys() - present:
            found.append(Breach("TJ_OUT row deleted", out_id, self._known[out_id].case_key))
            self._forget(out_id)
        news = {row["IN_ID"] for row in session.rows("SELECT IN_ID FROM TJ_IN")}
        found += [Breach("TJ_IN row deleted") for _ in self._news - news]
        self._news = news
        found += self._pace(rows)
        return found + self._heart(session)

    def _newcomer(self, row: Row) -> list[str]:
        found = []
        if row["UPLOAD_STATUS"] != NEW:
            found.append(f"row inserted with UPLOAD_STATUS {row['UPLOAD_STATUS']}")
        if row["RESEND_COUNT"]:
            found.append("row inserted with RESEND_COUNT")
        if any(row[name] is not None for name in _OURS):
            found.append("row inserted with columns of the platform")
        if row["SEQ_NO"] <= max(self._numbers.get(row["CASE_KEY"], {}).values(), default=0):
            found.append("SEQ_NO does not rise")
        return found

    def _changes(self, known: _Known, row: Row, now: datetime) -> list[str]:
        found = []
        if known.content != _content(row):
            found.append("content of a row changed")
        if known.ours != tuple(row[name] for name in _OURS):
            found.append("columns of the platform changed")
        status = row["UPLOAD_STATUS"]
        if status == known.status:
            if row["RESEND_COUNT"] != known.resent:
                found.append("RESEND_COUNT changed")
            return found
        if (known.status, status) != (FAILED, NEW):
            return [*found, f"UPLOAD_STATUS set from {known.status} to {status}"]
        if not again(known.code):
            found.append(f"another try of a row with {known.code}")
        if row["RESEND_COUNT"] != known.resent + 1:
            found.append("another try without RESEND_COUNT + 1")
        if any(row[name] is not None for name in ("FAIL_CODE", "FAIL_REASON", "DONE_AT")):
            found.append("another try without clearing FAIL_CODE, FAIL_REASON, DONE_AT")
        if known.code.startswith("E8"):
            done = moments.read(known.done_at or "")
            if done is not None and now < done + timedelta(seconds=self._settings.postpone_s):
                found.append("another try before its time")
            if row["RESEND_COUNT"] > self._settings.resends:
                found.append("too many tries")
        return found

    def _pace(self, rows: list[Row]) -> list[Breach]:
        minutes = Counter(row["CREATED_AT"][:16] for row in rows)
        over = {minute for minute, count in minutes.items() if count > self._settings.rows_per_minute}
        new = over - self._minutes
        self._minutes |= new
        return [Breach(f"more than {self._settings.rows_per_minute} rows a minute") for _ in new]

    def _heart(self, session: Session) -> list[Breach]:
        wrong = ""
        for row in session.rows("SELECT * FROM TJ_HEART WHERE NODE = ?", GATEWAY):
            if row["PERIOD_S"] != GATEWAY_PERIOD_S:
                wrong = "PERIOD_S of GATEWAY is not 60"
            elif moments.read(row["BEAT_AT"]) is None:
                wrong = "BEAT_AT of GATEWAY is no time"
        told, self._beat = self._beat, wrong
        return [Breach(wrong)] if wrong and wrong != told else []

    # --- clean-up

    def clean(self, session: Session, now: datetime) -> None:
        """Delete what the page's §6 lets go, and nothing else."""
        settings = self._settings
        with session.transaction():
            for status, days in ((DONE, settings.done_days), (FAILED, settings.failed_days)):
                limit = moments.write(now - timedelta(days=days))
                old = session.rows("SELECT OUT_ID FROM TJ_OUT WHERE UPLOAD_STATUS = ? AND DONE_AT < ?", status, limit)
                for row in old:
                    session.run("DELETE FROM TJ_OUT WHERE OUT_ID = ?", row["OUT_ID"])
                    session.run("DELETE FROM TJ_FILE WHERE OUT_ID = ?", row["OUT_ID"])
                    self._forget(row["OUT_ID"])
            limit = moments.write(now - timedelta(days=settings.read_days))
            old = session.rows("SELECT IN_ID FROM TJ_IN WHERE READ_STATUS IN (2, 3) AND CREATED_AT < ?", limit)
            for row in old:
                session.run("DELETE FROM TJ_IN WHERE IN_ID = ?", row["IN_ID"])
                self._news.discard(row["IN_ID"])
            self._clean_strays(session, now)

    def _clean_strays(self, session: Session, now: datetime) -> None:
        found = session.rows(
            "SELECT DISTINCT OUT_ID FROM TJ_FILE WHERE OUT_ID NOT IN (SELECT OUT_ID FROM TJ_OUT)",
        )
        # Chunks carry no time: they are as old as the first look that met them alone.
        self._strays = {row["OUT_ID"]: self._strays.get(row["OUT_ID"], now) for row in found}
        for out_id, since in list(self._strays.items()):
            if now - since > timedelta(hours=self._settings.stray_files_h):
                session.run("DELETE FROM TJ_FILE WHERE OUT_ID = ?", out_id)
                del self._strays[out_id]


def _known(row: Row) -> _Known:
    return _Known(
        case_key=row["CASE_KEY"],
        content=_content(row),
        ours=tuple(row[name] for name in _OURS),
        status=row["UPLOAD_STATUS"],
        resent=row["RESEND_COUNT"],
        code=row["FAIL_CODE"] or "",
        done_at=row["DONE_AT"],
    )


def _content(row: Row) -> str:
    return digests.of_out(row) + "".join(f"\n{row[name]}" for name in _CONTENT)
