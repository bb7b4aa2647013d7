"""The reader (page §6): beat, look, check, apply row by row, answer, move. File work runs in a thread."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from mocks.clock import Clock
from mocks.enterprise_confederation import news, words
from mocks.enterprise_confederation.batch import Batch, Late, load, marker_of
from mocks.enterprise_confederation.disk import Disk, Sheet
from mocks.enterprise_confederation.ledger import Ledger
from mocks.enterprise_confederation.names import shown, sm3, stem_of, write_time
from mocks.enterprise_confederation.news import Line
from mocks.enterprise_confederation.rows import check_row
from mocks.enterprise_confederation.settings import Settings
from mocks.enterprise_confederation.words import Wrong
from mocks.faults import Fault, Faults
from mocks.journal import Journal
from mocks.platform import Json

#: Names that a fault may go by.
OPS: Final = (*words.OPS.values(), "reply", "status", "heartbeat")
#: ``http`` with this status: no space (page §9).
NO_SPACE: Final = 507
_MAINTENANCE_S: Final = 60.0
_STALL_S: Final = 6.0
_SLOW_S: Final = 1.0
_log = logging.getLogger(__name__)


class Reader:
    """Runs over the directory. One turn at a time: a run, or a word of the clerk."""

    def __init__(
        self, settings: Settings, disk: Disk, ledger: Ledger, journal: Journal, clock: Clock, faults: Faults
    ) -> None:
        self._settings = settings
        self._disk = disk
        self._ledger = ledger
        self._journal = journal
        self._clock = clock
        self._faults = faults
        self.turn = asyncio.Lock()
        self._later: list[Sheet] = []
        self._since: dict[str, datetime] = {}
        self._arrivals: deque[float] = deque()
        self._counted: set[str] = set()
        self._maintained: datetime | None = None

    # --- life

    async def begin(self) -> None:
        """Make the folders; write the words of the clerk that a crash kept from ``down/``."""
        await asyncio.to_thread(self._disk.prepare)
        now = self._clock.now()
        for entry in self._ledger.decisions:
            at = datetime.fromisoformat(entry["happened_at"])
            if now - at < timedelta(days=self._settings.taken_days):
                sheet = news.status(entry["message_id"], entry["payload"], at)
                if not await asyncio.to_thread(self._disk.stands, sheet.stem):
                    await asyncio.to_thread(self._disk.write, sheet)
        await self._beat(now)

    async def loop(self) -> None:
        """Run every ``period_s`` until cancelled."""
        while True:
            try:
                await self.run()
            except OSError as error:
                _log.warning("enterprise_confederation: the directory: %s", error.strerror)
            except Exception:
                # One run that fails must not end the reader.
                _log.exception("enterprise_confederation: a run failed")
            await asyncio.sleep(self._settings.period_s)

    async def run(self) -> None:
        """One run."""
        async with self.turn:
            if (fault := self._any("stall", "slow")) is not None:
                await asyncio.sleep(fault.after_ms / 1000 or (_STALL_S if fault.action == "stall" else _SLOW_S))
            now = self._clock.now()
            if not self._silent(now):
                await self._beat(now)
            if not self._disk.whole or (self._maintained is not None and now < self._maintained):
                return
            later, self._later = self._later, []
            for sheet in later:
                await asyncio.to_thread(self._disk.write, sheet)
            look = await asyncio.to_thread(self._disk.look)
            for what, name in look.breaches:
                await self.conduct(what, name)
            standing = {*look.marked, *look.loose}
            self._since = {stem: at for stem, at in self._since.items() if stem in standing}
            self._counted &= standing
            for stem in look.marked:
                try:
                    await self._batch(stem, now)
                except OSError:
                    raise
                except Exception:
                    # What nobody foresaw in one batch must not hold the others.
                    _log.exception("enterprise_confederation: a batch could not be worked")
            for stem in look.loose:
                if now - self._since.setdefault(stem, now) >= timedelta(seconds=self._settings.marker_wait_s):
                    await self._refuse(stem, Wrong("B06", "ok"), "", now)
            await asyncio.to_thread(self._disk.clean, now, self._settings.kept_days, self._settings.taken_days)

    async def announce(self, case_key: str, ref: str, word: str, text: str) -> Json:
        """A word of the clerk: journal first, then a status file."""
        async with self.turn:
            return await self._announce(case_key, ref, word, text)

    async def _announce(self, case_key: str, ref: str, word: str, text: str) -> Json:
        now = self._clock.now()
        number = self._ledger.last_status + 1
        stem = f"QLST_{now:%Y%m%d}_{number % 1_000_000:06d}"
        item = {
            "事件号": f"QLEV{now:%Y%m%d}{number:06d}",
            "案件主键": case_key,
            "平台编号": ref,
            "状态": word,
            "说明": text,
            "时间": write_time(now),
        }
        sheet = news.status(stem, item, now)
        entry: Json = {
            "kind": "decision",
            "business_key": case_key,
            "message_id": stem,
            "digest": sm3(sheet.data[f"{stem}.json"]),
            "effect": "announced",
            "ref": ref,
            "payload": item,
            "number": number,
            "happened_at": now.isoformat(),
        }
        await self._journal.append(**entry)
        self._ledger.take(entry)
        for made in news.dressed_status(sheet, self._faults):
            if self._disk.whole:
                await asyncio.to_thread(self._disk.write, made)
            else:
                self._later.append(made)
        return {"stem": stem, "event": item["事件号"], "ref": ref, "word": word}

    # --- beat

    def _any(self, *actions: str) -> Fault | None:
        for op in OPS:
            # No space is the matter of the medium.
            if (fault := self._faults.take(op, *actions, where=lambda fault: fault.status != NO_SPACE)) is not None:
                return fault
        return None

    def _silent(self, now: datetime) -> bool:
        """Whether this run beats not; also what puts the platform into maintenance."""
        silent = False
        if (fault := self._any("http")) is not None:
            silent = fault.status != 503
            if not silent:
                told = fault.retry_after or ""
                self._maintain(now, float(told) if told.isascii() and told.isdigit() else _MAINTENANCE_S)
        for op in OPS:
            if (standing := self._faults.maintenance(op)) is not None:
                self._maintain(now, standing[1])
                break
        return silent

    def _maintain(self, now: datetime, seconds: float) -> None:
        self._maintained = now + timedelta(seconds=math.ceil(seconds))

    def cleared(self) -> None:
        """The faults were cleared, and with them a maintenance."""
        if not self._faults.pending():
            self._maintained = None

    async def _beat(self, now: datetime) -> None:
        until = self._maintained if self._maintained is not None and now < self._maintained else None
        state, end = ("RUN", "") if until is None else ("MAINT", write_time(until))
        await asyncio.to_thread(self._disk.beat, write_time(now), state, end, self._settings.period_s)

    # --- work

    async def _batch(self, stem: str, now: datetime) -> None:
        marker, scripted = "", None
        try:
            marker = await asyncio.to_thread(marker_of, self._disk.up, stem)
            op = words.OPS[stem_of(stem).op]
            if self._ledger.batches.get(stem, marker) != marker:
                raise Wrong("B04", "ok")
            await asyncio.to_thread(self._count, stem)
            scripted = self._faults.take(op, "business_error")
            if scripted is not None and scripted.code.startswith("B"):
                raise Wrong(scripted.code)
            try:
                batch = await asyncio.to_thread(load, self._disk.up, stem, self._settings)
            except Late:
                since = self._since.setdefault(stem, now)
                if now - since >= timedelta(seconds=self._settings.missing_wait_s):
                    raise Wrong("B03", "文件缺失") from None
                return
        except (FileNotFoundError, IsADirectoryError):
            return  # taken back under our eyes, or no file at all
        except Wrong as wrong:
            await self._refuse(stem, wrong, marker, now)
            return
        self._since.pop(stem, None)
        await self._apply(batch, op, now, scripted)

    def _count(self, stem: str) -> None:
        if stem in self._counted:
            return
        self._counted.add(stem)
        at = self._disk.arrived(stem)
        while self._arrivals and self._arrivals[0] <= at - 60:
            self._arrivals.popleft()
        if len(self._arrivals) >= self._settings.batches_per_minute:
            raise Wrong("B07", "每分钟批次")
        self._arrivals.append(at)

    async def _apply(self, batch: Batch, op: str, now: datetime, scripted: Fault | None) -> None:
        stem = batch.stem.text
        first_marker = stem not in self._ledger.batches
        lines: list[Line] = []
        later = False
        known = set(self._ledger.seen)
        for number, row in enumerate(batch.rows, 1):
            fault = scripted if number == 1 else self._faults.take(op, "business_error")
            if fault is not None and fault.code == words.LATER:
                fault, later = None, True
            key = row["业务主键"]
            if key in known:
                ref, code, text = self._ledger.seen[key]
                line = Line(number, key, words.REFUSED if code else words.DUPLICATE, ref, code, text)
                entry = self._entry(batch, op, line, row, {}, [], now) | {"effect": "repeated"}
            else:
                cells = row
                detail: dict[str, Any] = {}
                files: list[str] = []
                try:
                    if fault is not None:
                        raise Wrong(fault.code, fault.text)
                    cells, detail, files = await asyncio.to_thread(check_row, batch, number, self._settings)
                    self._ledger.check(batch.stem.op, cells, detail)
                    line = Line(number, key, words.ACCEPTED, self._ledger.number_for(cells, now))
                except Wrong as wrong:
                    line = Line(number, key, words.REFUSED, "", wrong.code, wrong.text)
                entry = self._entry(batch, op, line, cells, detail, files, now)
            await self._journal.append(**entry)
            self._ledger.take(entry)
            lines.append(line)
        if first_marker:
            await self._note("batch", stem, batch.marker)
        await self._answer(batch, op, lines, now, later=later)

    async def _answer(self, batch: Batch, op: str, lines: list[Line], now: datetime, *, later: bool) -> None:
        stem = batch.stem.text
        if self._faults.take(op, "accept_then_silent") is None:
            if self._faults.take(op, "early_callback") or self._faults.take("reply", "early_callback"):
                for line in lines:
                    found = self._ledger.case_of(line.ref) if line.ref else None
                    if found is not None:
                        await self._announce(found[0], line.ref, found[1].state, "")
            await self._reply(stem, op, lines, now, later=later)
        if self._faults.take(op, "accept_then_reset") is None:
            await asyncio.to_thread(self._disk.move, stem, "done", f"{now:%Y%m%d}")

    async def _refuse(self, stem: str, wrong: Wrong, marker: str, now: datetime) -> None:
        await self._journal.append(
            kind="refusal",
            business_key=shown(stem),
            message_id="",
            digest=marker,
            effect="refused",
            ref="",
            payload={"code": wrong.code, "text": wrong.text},
        )
        if stem.isascii() and all(mark.isalnum() or mark in "_.-" for mark in stem):
            op = words.OPS.get(stem.split("_")[2] if stem.count("_") > 1 else "", "reply")
            await self._reply(stem, op, [Line(0, "", words.REFUSED, "", wrong.code, wrong.text)], now)
        await asyncio.to_thread(self._disk.move, stem, "bad", f"{now:%Y%m%d}")

    async def _reply(self, stem: str, op: str, lines: list[Line], now: datetime, *, later: bool = False) -> None:
        first = self._ledger.replies.get(stem, 0) + 1
        while await asyncio.to_thread(self._disk.stands, f"{stem}.R{first:02d}"):
            first += 1
        post = news.dressed(stem, first, lines, now, op, self._faults, later=later)
        last = max(_numbers(stem, [*post.now, *post.later]), default=first)
        await self._note("reply", stem, "", number=last)
        self._later += post.later
        for sheet in post.now:
            await asyncio.to_thread(self._disk.write, sheet)

    # --- journal

    def _entry(
        self,
        batch: Batch,
        op: str,
        line: Line,
        cells: dict[str, str],
        detail: dict[str, Any],
        files: list[str],
        now: datetime,
    ) -> Json:
        own = batch.files.get(f"{batch.part(line.number)}.json", b"")
        return {
            "kind": op,
            "business_key": cells["案件主键"],
            "message_id": line.key,
            "digest": sm3(own),
            "effect": "created" if line.result == words.ACCEPTED else "refused",
            "ref": line.ref,
            "payload": {
                "stem": batch.stem.text,
                "list": cells,
                "detail": detail,
                "files": [
                    {"name": name, "size": len(batch.files[name]), "sm3": sm3(batch.files[name])} for name in files
                ],
            },
            "verdict": line.code,
            "text": line.text,
            "happened_at": now.isoformat(),
        }

    async def _note(self, kind: str, stem: str, digest: str, **more: int) -> None:
        entry: Json = {
            "kind": kind,
            "business_key": stem,
            "message_id": "",
            "digest": digest,
            "effect": "announced" if kind == "reply" else "created",
            "ref": "",
            "payload": {},
            **more,
        }
        await self._journal.append(**entry)
        self._ledger.take(entry)

    async def conduct(self, what: str, name: str) -> None:
        """Note a breach of conduct."""
        await self._journal.append(
            kind="conduct",
            business_key=shown(name),
            message_id="",
            digest="",
            effect="refused",
            ref="",
            payload={"breach": what},
        )


def _numbers(stem: str, sheets: list[Sheet]) -> Iterator[int]:
    for sheet in sheets:
        if sheet.stem.startswith(f"{stem}.R"):
            yield int(sheet.stem[len(stem) + 2 :])
