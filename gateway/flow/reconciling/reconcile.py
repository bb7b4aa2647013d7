"""Reconciliation (对账): our deliveries against what a platform holds, page by page, behind its deliveries, to be gone on with.

::

    running   theirs   each row of the platform's list against ours         (platforms with a list)
              ours     each of our deliveries against the list, or asked for (platforms that can be asked)
    healing   mend     each difference by its kind, on a person's word
              again    words that were never heard: listed once more, then heard by the ordinary way

Every page is written with the place behind it, so a restart goes on where it was. A question goes out only while a slot of the
endpoint is free, and takes no more than its share of the agreed rate: deliveries never wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from contracts.errors import AdapterError, RetryableError
from contracts.holdings import Held, Holding
from contracts.moments import in_beijing, to_ms
from gateway.flow.apply import Applier
from gateway.flow.delivering.exchange import EndpointWaits
from gateway.flow.delivering.line import Line
from gateway.flow.operating.operate import Operator
from gateway.flow.reconciling.comparing import Difference, Kind, Method, method_of, of_delivery
from gateway.flow.reconciling.matching import Matcher
from gateway.flow.reconciling.mending import Mended, Mender
from gateway.flow.reconciling.questions import GATEWAY, QUESTIONS, NoRoom, Questions, Run, Unaskable, lease_ms
from gateway.flow.reconciling.reconciliations import MOST, Asked
from gateway.flow.retry import asked_ms
from gateway.settings import ReconcileSettings
from gateway.store import reconciliations
from gateway.store.console import id_at
from gateway.store.engine import Row, Rows
from gateway.store.reconciliations import Progress
from gateway.store.store import Store

log = structlog.get_logger("gateway.reconcile")

LATE: Final = timedelta(days=31)
"""So long after it was made a delivery may still have been filed: older ones are not looked through."""

_TURN_S: Final = 0.5
_SLICE_S: Final = 4.0
_ROWS: Final = 200
_PASSED_OVER: Final = 50
_TRIES: Final = 8
_PATIENCE_MS: Final = 86_400_000
"""So long a reconciliation waits for an endpoint that is paused or fails; the next day's comes anyway."""
_LONGEST_REST_MS: Final = 900_000
_LISTED: Final = ("delivered", "in_doubt")
_LISTING: Final = ("theirs", "again")
_MENDING: Final = ("mend", "again")
_ASKED: Final = ("delivered", "in_doubt", "dead", "expired")


class Reconciler:
    """Works on reconciliations, and makes the daily ones."""

    def __init__(
        self,
        store: Store,
        lines: dict[str, Line],
        applier: Applier,
        settings: ReconcileSettings,
        left_out: frozenset[str] = frozenset(),
        changed: Callable[[], None] = lambda: None,
        stored: Callable[[], None] = lambda: None,
    ) -> None:
        """``left_out``: endpoints without a daily one. ``changed`` and ``stored`` ring when something was mended or heard."""
        self._store = store
        self._lines = lines
        self._settings = settings
        self._left_out = left_out
        self._stored = stored
        self._questions = Questions(store, settings.share)
        self._matcher = Matcher(store)
        self._mender = Mender(store, Operator(store, changed), applier, self._matcher)
        self._made: dict[str, str] = {}
        self._swept = ""

    async def turn(self) -> float:
        """Make what is due today, and bring every reconciliation at work some pages further; returns the rest in seconds."""
        await self._daily()
        due = await self._store.rows("due_reconciliations")
        await asyncio.gather(*(self._one(row["id"], row["endpoint"]) for row in due))
        return _TURN_S

    # ---- the daily job

    async def _daily(self) -> None:
        now = in_beijing(self._store.now_ms())
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if now.hour < self._settings.hour:
            return
        day = (today - timedelta(days=1)).date().isoformat()
        if self._swept != day:
            await self._sweep()
            self._swept = day
        if not self._settings.daily:
            return
        for name, line in self._lines.items():
            method = method_of(line.endpoint.adapter)
            if self._made.get(name) == day or name in self._left_out or method is Method.NOTHING:
                continue
            until = to_ms(today)
            if await self._store.rows(
                "deliveries_to_compare", "delivered", name, "", id_at("delivery", until), 1
            ):  # before anything was delivered there is nothing to compare
                asked = Asked(name, method, until - 86_400_000, until, GATEWAY, day)
                row = asked.row(self._store.ids.new("reconciliation"))
                await self._store.run(reconciliations.ask, row, None, self._store.now_ms())
            self._made[name] = day  # behind the commit: one that the store did not take is made by the next turn

    async def _sweep(self) -> None:
        """Drop what is older than the settings keep."""
        before = id_at("reconciliation", self._store.now_ms() - self._settings.keep_days * 86_400_000)
        while rows := await self._store.rows("old_reconciliations", before, 50):
            for row in rows:
                await self._store.run(reconciliations.drop, row["id"])

    # ---- one at work

    async def _one(self, identifier: str, endpoint: str) -> None:
        line = self._lines.get(endpoint)
        if line is None:
            await self._end(identifier, endpoint, "stopped", "endpoint_gone")
            return
        if not await self._store.write("take_reconciliation", (identifier, lease_ms(line))):
            return
        row = await self._store.row("reconciliation", identifier)
        if row is None:
            return
        run = Run.of(row, line)
        wait_ms, tries = 0, 0
        try:
            await self._slice(run)
        except NoRoom as busy:
            wait_ms, tries = busy.wait_ms, row["tries"]
            if self._store.now_ms() - row["created_at"] > _PATIENCE_MS and run.phase not in _MENDING:
                await self._end(run.id, run.endpoint, "stopped", "no_room")
                return
        except EndpointWaits as waits:
            wait_ms, tries = waits.wait_ms, row["tries"]
        except Exception as error:  # a page that fails is tried again; what goes on failing is told, not hidden
            await self._failed(run, row["tries"] + 1, error)
            return
        if run.phase == "done":
            await self._end(run.id, run.endpoint, "done", "cut" if run.found >= MOST else None)
            return
        if not wait_ms and line.endpoint.adapter.info.polls and run.phase in _LISTING:
            wait_ms = round(2000 * line.limits.poll_every_s[0])  # the poll has its turn
        await self._store.write("rest_reconciliation", (run.id, wait_ms, tries))

    async def _failed(self, run: Run, tries: int, error: Exception) -> None:
        code = error.code if isinstance(error, AdapterError) else type(error).__name__
        log.warning("reconciliation_failed", endpoint=run.endpoint, code=code, tries=tries)
        over = isinstance(error, AdapterError) and not isinstance(error, RetryableError)
        if over or tries >= _TRIES:
            # What was found stays; what was being mended is done with, as far as it came.
            await self._end(run.id, run.endpoint, "done" if run.phase in _MENDING else "stopped", code)
            return
        asked = asked_ms(error.retry_after) if isinstance(error, RetryableError) else 0
        if asked:
            await self._store.write("hush_endpoint", (run.endpoint, asked))
        wait_ms = min(max(asked, 1000 * 2**tries), _LONGEST_REST_MS)
        await self._store.write("rest_reconciliation", (run.id, wait_ms, tries))

    async def _end(self, identifier: str, endpoint: str, state: str, code: str | None) -> None:
        await self._store.run(reconciliations.end, identifier, state, code)
        log.info("reconciled", endpoint=endpoint, state=state, code=code)

    async def _slice(self, run: Run) -> None:
        """Some pages, then others have their turn."""
        end = run.line.pace.now() + _SLICE_S
        while run.phase != "done" and run.line.pace.now() < end:
            match run.phase:
                case "theirs":
                    await self._theirs(run)
                case "ours":
                    await self._ours(run)
                case "mend":
                    await self._mend(run)
                case "again":
                    await self._again(run)
                case _:
                    raise ValueError(run.phase)
            if run.found >= MOST and run.phase not in _MENDING:
                run.phase = "done"

    async def _keep(self, run: Run, differences: list[Difference], progress: Progress) -> None:
        rows = [difference.row(run.id) for difference in differences]
        run.found += await self._store.run(reconciliations.keep_page, run.id, rows, progress, lease_ms(run.line))
        run.phase, run.place = progress.phase, progress.place

    # ---- their side

    async def _theirs(self, run: Run) -> None:
        page = await self._questions.listed(run)
        phase, place = ("theirs", page.cursor) if page.more else (run.after("theirs"), None)
        if run.method is Method.LISTING:
            await self._listed(run, page, phase, place)
            return
        differences = [found for item in page.items if (found := await self._matcher.of_item(run, item)) is not None]
        cursor = None if page.more else page.cursor
        await self._keep(run, differences, Progress(phase, place, cursor, held=len(page.items)))

    async def _listed(self, run: Run, page: Held, phase: str, place: str | None) -> None:
        """A page of filings: what it names is noted with what it shows."""
        ours = {item.name: await self._matcher.filed(run, item) for item in page.items}
        shown = {item.name: await self._matcher.of_filing(run, item, ours[item.name]) for item in page.items}

        def differing(twice: set[str]) -> list[tuple[str | None, ...]]:
            found = [
                shown[item.name]
                if row is None or item.filing not in twice
                else of_delivery(row, replace(item, filed_twice=True))
                for item, row in ((item, ours[item.name]) for item in page.items)
            ]
            return [difference.row(run.id) for difference in found if difference is not None]

        filings = [item.filing for item in page.items if item.filing]
        progress = Progress(phase, place, held=len(page.items))
        lease = lease_ms(run.line)
        run.found += await self._store.run(reconciliations.keep_listed, run.id, filings, differing, progress, lease)
        run.phase, run.place = phase, place

    # ---- our side

    async def _ours(self, run: Run) -> None:
        states = _LISTED if run.method is Method.LISTING else _ASKED
        state, _, after = (run.place or f"{states[0]}|").partition("|")
        rows, wanted = await self._page(run, state, after)
        differences: list[Difference] = []
        compared = unasked = 0
        last = rows[-1]["id"] if rows else after
        if run.method is Method.LISTING:
            differences, compared, unasked = await self._unlisted(run, wanted)
        else:
            for row in wanted:
                if compared + unasked >= QUESTIONS:
                    break
                last_asked = row["id"]
                try:
                    held = await self._questions.held(run, row["id"])
                except Unaskable:
                    unasked += 1
                else:
                    compared += 1
                    if (difference := await self._matcher.of_row(run, row, held)) is not None:
                        differences.append(difference)
            if compared + unasked < len(wanted):
                last = last_asked
        if len(rows) == _ROWS or (rows and last != rows[-1]["id"]):
            phase, place = "ours", f"{state}|{last}"
        elif state != states[-1]:
            phase, place = "ours", f"{states[states.index(state) + 1]}|"
        else:
            phase, place = run.after("ours"), None
        await self._keep(run, differences, Progress(phase, place, compared=compared, unasked=unasked))

    async def _page(self, run: Run, state: str, after: str) -> tuple[Rows, Rows]:
        """The next deliveries in a state, and those of them that are of the period; pages without any are passed over."""
        after = after or id_at("delivery", run.since - round(1000 * LATE.total_seconds()))
        before = id_at("delivery", run.until)
        for _ in range(_PASSED_OVER):
            rows = await self._store.rows("deliveries_to_compare", state, run.endpoint, after, before, _ROWS)
            wanted = [row for row in rows if run.holds(row) and (row["attempts"] or state == "delivered")]
            if wanted or len(rows) < _ROWS:
                break
            after = rows[-1]["id"]
        return rows, wanted

    async def _unlisted(self, run: Run, rows: list[Row]) -> tuple[list[Difference], int, int]:
        """Our deliveries that the list did not name. Older ones may have been filed before the list begins."""
        ids = [name for row in rows for name in (row["id"], row["message"])]
        named = await self._store.runner.read(reconciliations.seen, run.id, ids)
        oldest = to_ms(run.listed_of().since)
        differences, unasked = [], 0
        for row in rows:
            if row["id"] in named or row["message"] in named:
                continue
            if row["created_at"] < oldest:
                unasked += 1
            elif (difference := of_delivery(row, None)) is not None:
                differences.append(difference)
        return differences, len(rows) - unasked, unasked

    # ---- mending

    async def _mend(self, run: Run) -> None:
        rows = await self._store.rows("differences_in", run.id, "open", run.place or "", QUESTIONS)
        for row in rows:
            if row["kind"] in run.kinds:
                mended = await self._mended(run, row)
                await self._store.write("move_difference", (run.id, row["key"], mended.state, mended.outcome))
            await self._keep(run, [], Progress("mend", row["key"]))
        if len(rows) == QUESTIONS:
            return
        hearing = await self._store.rows("differences_in", run.id, "hearing", "", 1)
        await self._keep(run, [], Progress("again" if hearing else "done", None))

    async def _mended(self, run: Run, row: Row) -> Mended:
        async def ask(delivery: str) -> Holding | None:
            return await self._questions.held(run, delivery)

        return await self._mender.mend(run, row, ask)

    async def _again(self, run: Run) -> None:
        """List once more, and hear what was never heard."""
        page = await self._questions.listed(run)
        for item in page.items:
            row = await self._waiting(run, item)
            if row is None:
                continue
            if item.item is not None:
                mended = await self._mender.keep(run, item.item)
                self._stored()
            elif item.word is not None:
                mended = await self._mender.hear(run, row, item.word)
            else:
                mended = Mended("failed", "no_word")
            await self._store.write("move_difference", (run.id, row["key"], mended.state, mended.outcome))
        if page.more:
            await self._keep(run, [], Progress("again", page.cursor))
            return
        while rows := await self._store.rows("differences_in", run.id, "hearing", "", _ROWS):
            await self._store.write(
                "move_difference", *((run.id, row["key"], "failed", "not_listed_again") for row in rows)
            )
        await self._keep(run, [], Progress("done", None))

    async def _waiting(self, run: Run, item: Holding) -> Row | None:
        """The difference that waits for this row to be heard."""
        row = await self._matcher.filed(run, item)
        delivery = None if row is None else row["id"]
        for kind in (Kind.DIFFERING, Kind.FOREIGN):
            key = Difference(kind, "", delivery, name=item.name).key
            found = await self._store.row("difference_named", run.id, key)
            if found is not None and found["state"] == "hearing":
                return found
        return None
