"""The batch reader (page §5): beat, take, work, clean; every answer in one transaction with its row in ``TJ_IN``."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from mocks.clock import Clock
from mocks.commerce_federation import moments, news
from mocks.commerce_federation.checks import OPERATIONS, check_columns, check_nr, operation
from mocks.commerce_federation.database import Database, Session, Unavailable
from mocks.commerce_federation.digests import Row
from mocks.commerce_federation.files import check_files
from mocks.commerce_federation.findings import DUPLICATE, FAIL_CODES, Wrong
from mocks.commerce_federation.ledger import Ledger
from mocks.commerce_federation.news import Batch, News
from mocks.commerce_federation.settings import Settings
from mocks.commerce_federation.watch import Breach, Watch
from mocks.faults import Fault, Faults
from mocks.journal import Journal
from mocks.platform import Json

#: Names that a fault may go by: those of rows, and those of the gateway's doings at the database.
OPS: Final = (*dict.fromkeys(OPERATIONS.values()), "insert", "poll", "lookup", "probe")

_NODE: Final = "READER"
_MAINTENANCE_S: Final = 60.0
_STOPS_BEATING: Final = 503
_MAINTAINS: Final = 429
_log = logging.getLogger(__name__)

_BEAT: Final = """INSERT INTO TJ_HEART (NODE, BEAT_AT, PERIOD_S, STATE, UNTIL_AT) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (NODE) DO UPDATE SET BEAT_AT = excluded.BEAT_AT, PERIOD_S = excluded.PERIOD_S, STATE = excluded.STATE,
UNTIL_AT = excluded.UNTIL_AT"""
_NEW: Final = """SELECT * FROM TJ_OUT WHERE UPLOAD_STATUS = 0 OR (UPLOAD_STATUS = 1 AND TAKEN_AT < ?)
ORDER BY CREATED_AT, SEQ_NO LIMIT ?"""
_ANSWER: Final = """UPDATE TJ_OUT SET UPLOAD_STATUS = ?, PLAT_NO = ?, FAIL_CODE = ?, FAIL_REASON = ?, DONE_AT = ?
WHERE OUT_ID = ? AND UPLOAD_STATUS = 1"""


@dataclass(slots=True)
class _Verdict:
    """What became of a row."""

    code: str
    reason: str = ""
    plat_no: str = ""
    values: Any = None
    files: list[Row] = field(default_factory=list)
    changed: bool = False

    @property
    def done(self) -> bool:
        return self.code in ("", DUPLICATE)


class Reader:
    """Runs over the tables. One turn at a time: a run, or a word of the clerk."""

    def __init__(
        self, settings: Settings, database: Database, ledger: Ledger, journal: Journal, clock: Clock, faults: Faults
    ) -> None:
        self._settings = settings
        self._database = database
        self._ledger = ledger
        self._journal = journal
        self._clock = clock
        self._faults = faults
        self.news = News(clock, faults)
        self._watch = Watch(settings, ledger.judged)
        self.turn = asyncio.Lock()
        self._unwritten: list[Callable[[Session], None]] = []
        self._held: list[Row] = []
        self._queue: list[Row] = []
        self._early: set[str] = set()
        self._batches = 0
        self._maintained: datetime | None = None
        self._looked = -math.inf

    # --- life

    async def begin(self, decided: list[Row]) -> None:
        """Make the tables, go on after the last number, write the words that a crash kept from the table."""
        now = self._clock.now()

        def task(session: Session) -> list[Breach]:
            self._database.prepare(session, moments.write(now))
            highest: int = session.rows("SELECT COALESCE(MAX(IN_ID), 0) AS HIGHEST FROM TJ_IN")[0]["HIGHEST"]
            self.news.last = max(highest, self._ledger.last_in)
            with session.transaction():
                news.insert(session, [row for row in decided if row["IN_ID"] > highest])
            return self._watch.begin(session, now)

        await self._report(await self._database.work(task))
        await self._beat(now)

    async def loop(self) -> None:
        """Run every ``period_s`` until cancelled."""
        while True:
            try:
                await self.run()
            except Unavailable as error:
                _log.warning("commerce_federation: %s", error)
            except Exception:
                # One run that fails must not end the reader.
                _log.exception("commerce_federation: a run failed")
            await asyncio.sleep(self._settings.period_s)

    async def run(self) -> None:
        """One run."""
        async with self.turn:
            now = self._clock.now()
            if not self._silent():
                await self._beat(now)
            await self._flush()
            if self._looked + self._settings.watch_s <= time.monotonic():
                await self._look(now)
            if self._maintained is not None and now < self._maintained:
                return
            held, self._held = self._held, []
            queued = {row["OUT_ID"] for row in self._queue}
            self._queue += [row for row in await self._take(now) if row["OUT_ID"] not in queued]
            while self._queue:
                await self._work(self._queue[0])
                del self._queue[0]
            if held:
                await self._commit(lambda session: self._write(session, held))

    async def announce(self, kind: str, case_key: str, plat_no: str, zt: str | None, reason: str | None) -> Json:
        """A word of the clerk: journal first, then ``TJ_IN``. ``zt`` is what the case becomes."""
        async with self.turn:
            row = self.news.plain(kind, case_key, plat_no=plat_no, zt=zt, reason=reason)
            batch = self.news.dressed(row, news.POLL)
            entry: Json = {
                "kind": "decision",
                "business_key": case_key,
                "message_id": "",
                "digest": row["DIGEST"],
                "effect": "announced",
                "ref": plat_no,
                "payload": dict(row),
                "zt": zt,
                "in_id": self.news.last,
            }
            await self._journal.append(**entry)
            self._ledger.take(entry)
            self._held += batch.later
            await self._commit(lambda session: self._write(session, batch.now))
            return {"in_id": row["IN_ID"], "kind": kind, "ref": plat_no}

    # --- beat

    def _any(self, action: str) -> tuple[str, Fault] | None:
        for op in OPS:
            if (fault := self._faults.standing(op, action)) is not None:
                return op, fault
        return None

    def _silent(self) -> bool:
        """Whether this run beats not; also what puts the platform into maintenance."""
        silent = False
        for op in OPS:
            fault = self._faults.standing(op, "http")
            if fault is not None and fault.status in (_STOPS_BEATING, _MAINTAINS):
                self._faults.take(op, "http")
                if fault.status == _STOPS_BEATING:
                    silent = True
                else:
                    self._maintain(_seconds(fault.retry_after))
                break
        if (found := self._any("maintenance")) is not None:
            told = self._faults.maintenance(found[0])
            self._maintain(_MAINTENANCE_S if told is None else told[1])
        return silent

    def _maintain(self, seconds: float) -> None:
        self._maintained = self._clock.now() + timedelta(seconds=math.ceil(seconds))

    def cleared(self) -> None:
        """The faults were cleared, and with them a maintenance."""
        if not self._faults.pending():
            self._maintained = None

    async def _beat(self, now: datetime) -> None:
        until = self._maintained if self._maintained is not None and now < self._maintained else None
        values = (
            _NODE,
            moments.write(now),
            max(1, math.ceil(self._settings.period_s)),
            "RUN" if until is None else "MAINT",
            None if until is None else moments.write(until),
        )
        await self._database.work(lambda session: session.run(_BEAT, *values))

    async def _look(self, now: datetime) -> None:
        def task(session: Session) -> list[Breach]:
            found = self._watch.look(session, now)
            self._watch.clean(session, now)
            return found

        found = await self._database.work(task)
        self._looked = time.monotonic()
        await self._report(found)

    async def _report(self, breaches: list[Breach]) -> None:
        for breach in breaches:
            await self._journal.append(
                kind="conduct",
                business_key=breach.case_key,
                message_id=breach.out_id,
                digest="",
                effect="refused",
                ref="",
                payload={"breach": breach.what},
            )

    # --- take

    async def _take(self, now: datetime) -> list[Row]:
        limit = self._settings.batch_limit
        if (dripping := self._any("drip")) is not None:
            self._faults.take(dripping[0], "drip")
            limit = 1
        self._batches += 1
        batch_no = f"{now:%Y%m%d%H%M%S}-{self._batches % 1000:03d}"
        early = [
            (Fault(item["op"], item["action"]), item["left"])
            for item in self._faults.pending()
            if item["action"] == "early_callback"
        ]
        found: list[Breach] = []
        hurried: dict[str, str] = {}

        def task(session: Session) -> list[Row]:
            before = moments.write(now - timedelta(seconds=self._settings.retake_s))
            with session.transaction():
                rows = _in_turn(session, session.rows(_NEW + session.take, before, limit))
                for row in rows:
                    found.extend(self._watch.arrived(row, now))
                    row |= {"UPLOAD_STATUS": 1, "TAKEN_AT": moments.write(now), "BATCH_NO": batch_no}
                    session.run(
                        "UPDATE TJ_OUT SET UPLOAD_STATUS = 1, TAKEN_AT = ?, BATCH_NO = ? WHERE OUT_ID = ?",
                        row["TAKEN_AT"],
                        batch_no,
                        row["OUT_ID"],
                    )
                    self._watch.trying(row)
                    op = operation(row)
                    if any(fault.fits(op) and left < 0 for fault, left in early) or sum(
                        left for fault, left in early if fault.fits(op)
                    ) > len(hurried):
                        hurried[row["OUT_ID"]] = op
                    else:
                        self._write_plain(session, self._taken(row))
            for row in rows:
                self._watch.note(row)
            return rows

        rows = await self._database.work(task)
        for op in hurried.values():
            self._faults.take(op, "early_callback")
        self._early |= set(hurried)
        await self._report(found)
        return sorted(rows, key=lambda row: row["SEQ_NO"])

    def _taken(self, row: Row) -> Row:
        return self.news.plain(news.TAKEN, row["CASE_KEY"], out_id=row["OUT_ID"])

    # --- work

    async def _work(self, row: Row) -> None:
        op = operation(row)
        now = self._clock.now()
        scripted = self._faults.take(op, "business_error")
        wrong = None if scripted is None else Wrong(scripted.code, scripted.text)
        http = self._faults.standing(op, "http")
        if wrong is None and http is not None and http.status not in (_STOPS_BEATING, _MAINTAINS):
            self._faults.take(op, "http")
            wrong = Wrong("E80")
        verdict = await self._database.work(lambda session: self._judge(session, row, now, wrong))
        if verdict.changed:
            await self._report([Breach("content changed since TAKEN_AT", row["OUT_ID"], row["CASE_KEY"])])
        batch = Batch()
        if self._faults.take(op, "accept_then_silent") is None:
            batch = self.news.dressed(self._answer(row, verdict), op)
        entry: Json = {
            "kind": op,
            "business_key": row["CASE_KEY"],
            "message_id": row["OUT_ID"],
            "digest": row["DIGEST"],
            "effect": "repeated" if verdict.code == DUPLICATE else "created" if verdict.done else "refused",
            "ref": verdict.plat_no,
            "payload": {name: row[name] for name in ("BIZ_TYPE", "OPERATE_TYPE", "SEQ_NO", "ORG_CODE", "CREATED_AT")}
            | {"NR": row["NR"] if verdict.values is None else verdict.values, "files": verdict.files},
            "verdict": verdict.code,
            "reason": verdict.reason,
            "happened_at": moments.write(now),
            "in_id": self.news.last,
        }
        await self._journal.append(**entry)
        self._ledger.take(entry)
        self._held += batch.later

        def task(session: Session) -> None:
            values = (
                2 if verdict.done else 3,
                verdict.plat_no or None,
                None if verdict.done else verdict.code,
                None if verdict.done else verdict.reason,
                moments.write(now),
            )
            with session.transaction():
                session.run(_ANSWER, *values, row["OUT_ID"])
                news.insert(session, batch.now)
                told = session.rows("SELECT * FROM TJ_OUT WHERE OUT_ID = ?", row["OUT_ID"])
            for in_row in batch.now:
                self._watch.wrote(in_row["IN_ID"])
            for stands in told:
                self._watch.note(stands)

        await self._commit(task)
        if row["OUT_ID"] in self._early:
            self._early.discard(row["OUT_ID"])
            taken = self._taken(row)
            await self._commit(lambda session: self._write(session, [taken]))

    def _judge(self, session: Session, row: Row, now: datetime, wrong: Wrong | None) -> _Verdict:
        verdict = _Verdict("", values=_readable(row["NR"]))
        try:
            stands = session.rows("SELECT * FROM TJ_OUT WHERE OUT_ID = ?", row["OUT_ID"])
            verdict.changed = not stands or not self._watch.fingerprint_holds(stands[0])
            if verdict.changed:
                raise Wrong("E20", "DIGEST")
            if wrong is not None:
                raise wrong
            check_columns(row, self._settings)
            seen = self._ledger.known(row, now)
            if seen is not None and seen.plat_no:
                verdict.code, verdict.plat_no = DUPLICATE, seen.plat_no
                return verdict
            verdict.values = check_nr(row, self._settings)
            chunks = session.rows("SELECT * FROM TJ_FILE WHERE OUT_ID = ? ORDER BY FILE_NO, CHUNK_NO", row["OUT_ID"])
            verdict.files = check_files(row["FILE_COUNT"], chunks, self._settings)
            self._ledger.check(row, verdict.values)
            verdict.plat_no = self._ledger.number_for(row, now)
        except Wrong as found:
            verdict.code, verdict.reason = found.code, found.reason
        except (AttributeError, LookupError, TypeError, ValueError):
            # SQLite takes values of any type; what nobody foresaw must not hold the queue.
            _log.exception("commerce_federation: a row could not be judged")
            verdict.code, verdict.reason = "E90", FAIL_CODES["E90"]
        return verdict

    def _answer(self, row: Row, verdict: _Verdict) -> Row:
        if verdict.done:
            code = verdict.code or None
            return self.news.plain(
                news.DONE, row["CASE_KEY"], out_id=row["OUT_ID"], plat_no=verdict.plat_no, fail_code=code
            )
        return self.news.plain(
            news.FAILED, row["CASE_KEY"], out_id=row["OUT_ID"], fail_code=verdict.code, reason=verdict.reason
        )

    # --- write

    def _write(self, session: Session, rows: list[Row]) -> None:
        with session.transaction():
            news.insert(session, rows)
        for row in rows:
            self._watch.wrote(row["IN_ID"])

    def _write_plain(self, session: Session, row: Row) -> None:
        news.insert(session, [row])
        self._watch.wrote(row["IN_ID"])

    async def _commit(self, task: Callable[[Session], None]) -> None:
        """Write now, or in a later run when the database does not take it; in order."""
        self._unwritten.append(task)
        try:
            await self._flush()
        except Unavailable as error:
            _log.warning("commerce_federation: an answer waits for the database: %s", error)

    async def _flush(self) -> None:
        while self._unwritten:
            await self._database.work(self._unwritten[0])
            del self._unwritten[0]


def _in_turn(session: Session, rows: list[Row]) -> list[Row]:
    """The rows whose smaller ``SEQ_NO`` are all decided or in this batch too."""
    waiting = session.rows("SELECT OUT_ID, CASE_KEY, SEQ_NO FROM TJ_OUT WHERE UPLOAD_STATUS IN (0, 1)")
    here = {row["OUT_ID"]: row for row in rows}
    by_case: dict[str, list[Row]] = {}
    for row in rows:
        by_case.setdefault(row["CASE_KEY"], []).append(row)
    for row in sorted(waiting, key=lambda row: row["SEQ_NO"]):
        if row["OUT_ID"] not in here:
            for other in by_case.get(row["CASE_KEY"], ()):
                if other["SEQ_NO"] > row["SEQ_NO"]:
                    here.pop(other["OUT_ID"], None)
    return list(here.values())


def _readable(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _seconds(text: str | None) -> float:
    return float(text) if text is not None and text.isascii() and text.isdigit() else _MAINTENANCE_S
