"""Bulk redrives (批量作业): over a frozen list, first one, then a few, then the rest at a rate; stopped when too many fail.

::

    asked ──second person──▶ running ⇄ paused
      │                        │  ├─ too many failed again ─▶ stopped (what is left becomes a new job)
      └─ cancelled ◀───────────┘  └─ nothing left ──────────▶ done

A job lives in tables and goes on after a restart. Every single redrive is the operator's own verb with its own audit row.
What a newer version or a later delivery has overtaken is told in the preview, and left out unless somebody says otherwise.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson
import structlog

from contracts.adapter import DeliveryClass
from contracts.deliveries import FAILED_STATES
from contracts.status import CaseStatus
from gateway.flow.delivering.line import Line
from gateway.flow.moving.acts import ActRefused
from gateway.flow.moving.envelope import compact
from gateway.flow.moving.once import Once, taken_for
from gateway.flow.moving.order import Principal
from gateway.flow.operating.operate import Standing
from gateway.flow.operating.replay import STATES, Overtaken, Replayer, ReplayKind
from gateway.registry import Endpoint
from gateway.store import console
from gateway.store.console import DeliveryFilter
from gateway.store.engine import Operation, Row, Rows
from gateway.store.journal import AuditEntry, append_audit
from gateway.store.once import take_key
from gateway.store.store import Store
from gateway.store.unit import Key

log = structlog.get_logger("gateway.bulk")

CAP: Final = 1000
"""Deliveries of one job for which its asker's own word is enough; the most of any job is ``MOST``."""

MOST: Final = 10_000
_TURN_S: Final = 0.5
_LEASE_MS: Final = 60_000
_LOOKED_AT: Final = 500
_PAGE: Final = 200
_ASKING_S: Final = 30.0
"""How long a turn may ask platforms; what is left is the next turn's."""
_CLOSED: Final = frozenset({CaseStatus.CLOSED.value, CaseStatus.DECLINED.value})


@dataclass(slots=True)
class Preview:
    """What a job would do: the deliveries, what they are, and what is left out and why. ``bound`` freezes the list: later
    failures are not of it. ``more``: the list was cut at ``MOST``. ``passed``: what something has overtaken, and by what; with
    ``overtaken`` it goes all the same (but an older version is never translated anew)."""

    kind: ReplayKind = ReplayKind.SAME
    overtaken: bool = False
    deliveries: list[str] = field(default_factory=list)
    bound: str = console.LAST
    by_endpoint: Counter[str] = field(default_factory=Counter)
    by_code: Counter[str] = field(default_factory=Counter)
    by_type: Counter[str] = field(default_factory=Counter)
    by_class: Counter[str] = field(default_factory=Counter)
    passed: dict[str, Overtaken] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    risky: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)
    statutory: int = 0
    oldest: int | None = None
    newest: int | None = None
    more: bool = False

    @property
    def needs_second(self) -> bool:
        """Whether a second person must agree: statutory documents that would be sent, or many."""
        return (self.statutory > 0 and self.kind is not ReplayKind.LOOKUP) or len(self.deliveries) > CAP


class Bulk:
    """Makes bulk jobs and works on them."""

    def __init__(
        self,
        store: Store,
        endpoints: dict[str, Endpoint],
        changed: Callable[[], None] = lambda: None,
        lines: Mapping[str, Line] | None = None,
    ) -> None:
        self._store = store
        self._endpoints = endpoints
        self._replayer = Replayer(store, lines, changed)

    # ---- asking

    async def preview(
        self, wanted: DeliveryFilter, kind: ReplayKind = ReplayKind.SAME, *, overtaken: bool = False
    ) -> Preview:
        """What a job over this filter would do.

        Raises:
            ActRefused: ``empty_filter``: nothing was asked, and that is not everything. ``not_redrivable``: no such state.
        """
        if wanted.empty or wanted == DeliveryFilter(before=wanted.before):
            raise ActRefused("job.empty_filter")
        states = tuple(state for state in wanted.states or STATES[kind] if state in STATES[kind])
        if not states:
            raise ActRefused("job.not_redrivable")
        made = Preview(kind, overtaken)
        standing = await self._store.rows("all_endpoints")
        every = [row["name"] for row in standing]
        paused = {row["name"] for row in standing if row["paused"]}
        before = wanted.before
        while len(made.deliveries) < MOST:
            turned = replace(wanted, states=states, retrying=None, before=before)
            page = await self._store.runner.read(console.find_deliveries, turned, every, _PAGE)
            await self._weigh(made, page.rows, page.matters, paused)
            if page.before is None:
                return made
            before = page.before
        made.more = True
        return made

    async def preview_of(
        self, deliveries: Iterable[str], kind: ReplayKind = ReplayKind.SAME, *, overtaken: bool = False
    ) -> Preview:
        """The same over deliveries that were chosen one by one."""
        made = Preview(kind, overtaken)
        paused = {row["name"] for row in await self._store.rows("all_endpoints") if row["paused"]}
        rows = [row for one in list(deliveries)[:CAP] if (row := await self._store.row("delivery", one)) is not None]
        page = console.DeliveryPage(rows, None, len(rows))
        for subject in {row["subject"] for row in rows}:
            matter = await self._store.row("matter", subject)
            if matter is not None:
                page.matters[subject] = matter
        await self._weigh(made, rows, page.matters, paused)
        return made

    async def _weigh(self, made: Preview, rows: Rows, matters: dict[str, Row], paused: set[str]) -> None:
        asked = made.kind is ReplayKind.LOOKUP
        passed = {} if asked else await self._replayer.overtaken([row["id"] for row in rows])
        for row in rows:
            matter = matters.get(row["subject"])
            if made.bound == console.LAST or row["id"] >= made.bound:
                made.bound = row["id"] + "0"
            why = self._why_not(made, row, matter, passed.get(row["id"]))
            if why is None:
                self._count(made, row, paused)
            else:
                made.left_out[why] += 1

    def _why_not(self, made: Preview, row: Row, matter: Row | None, passed: Overtaken | None) -> str | None:
        if row["state"] not in STATES[made.kind]:
            return "moved_on"
        asked = made.kind is ReplayKind.LOOKUP
        if not asked and matter is not None and matter["kind"] == "case" and matter["status"] in _CLOSED:
            return "case_closed"
        endpoint = self._endpoints.get(row["endpoint"])
        if endpoint is None:
            return "endpoint_gone"
        if asked and not endpoint.adapter.can_be_asked():
            return "cannot_be_asked"
        anew = made.kind is ReplayKind.RETRANSLATE
        if anew and row["doubt_at"] is not None:
            return "doubt"
        if passed is not None:
            made.passed[row["id"]] = passed
            if not made.overtaken or (anew and passed.why == "newer_version"):
                return passed.why
        return None

    def _count(self, made: Preview, row: Row, paused: set[str]) -> None:
        made.deliveries.append(row["id"])
        made.by_class[row["class"]] += 1
        made.by_endpoint[row["endpoint"]] += 1
        made.by_code[row["code"] or ""] += 1
        made.by_type[row["type"]] += 1
        made.statutory += row["class"] == "statutory"
        if row["endpoint"] in paused:
            made.paused.add(row["endpoint"])
        if self._endpoints[row["endpoint"]].adapter.info.delivery_class is DeliveryClass.NEITHER:
            made.risky.add(row["endpoint"])
        at = row["finished_at"] or row["created_at"]
        made.oldest = min(made.oldest or at, at)
        made.newest = max(made.newest or at, at)

    async def ask(
        self,
        principal: Principal,
        preview: Preview,
        *,
        reason: str,
        told: dict[str, Any],
        per_minute: int,
        canary: int,
        stop_percent: int,
        once: Once | None = None,
    ) -> str:
        """Make the job; returns its id. ``told`` is the filter in words, for people.

        Raises:
            ActRefused: ``nothing``, ``reason_missing``.
            KeyTaken: ``once`` was asked for before.
        """
        if not preview.deliveries:
            raise ActRefused("job.nothing")
        if not reason.strip():
            raise ActRefused("job.reason_missing")
        identifier = self._store.ids.new("job")
        job = (
            identifier,
            "asked" if preview.needs_second else "running",
            principal.client,
            preview.needs_second,
            reason.strip()[:500],
            orjson.dumps(told).decode(),
            per_minute,
            canary,
            stop_percent,
            len(preview.deliveries),
            preview.kind.value,
            preview.overtaken,
        )
        told_of = {"total": len(preview.deliveries), "needs_second": preview.needs_second, "kind": preview.kind.value}
        facts = compact(told_of | ({"overtaken": True} if preview.overtaken else {}))
        entry = AuditEntry(principal.client, "job.ask", identifier, reason.strip()[:500], facts)
        # Oldest first: what was said earlier goes out earlier.
        key, now = taken_for(once, identifier), self._store.now_ms()
        await self._store.run(_add, job, sorted(preview.deliveries), entry, now, key)
        return identifier

    # ---- hands

    async def move(self, principal: Principal, job: str, act: str, reason: str | None = None) -> None:
        """``approve`` (the second person), ``pause``, ``continue``, ``cancel``.

        Raises:
            ActRefused: ``second_person`` (nobody approves his own), ``state``, ``not_found``.
        """
        row = await self._store.row("job", job)
        if row is None:
            raise ActRefused("job.not_found")
        entry = AuditEntry(principal.client, f"job.{act}", job, reason)
        if act == "approve":
            if row["actor"] == principal.client:
                raise ActRefused("job.second_person")
            moved = await self._store.audited("approve_job", (job, principal.client), entry)
        else:
            befores, after = _MOVES[act]
            step = (job, row["state"], after, None)
            moved = row["state"] in befores and await self._store.audited("move_job", step, entry)
        if not moved:
            raise ActRefused("job.state")

    # ---- work

    async def turn(self) -> float:
        """Bring every running job that is due a step further."""
        for row in await self._store.rows("due_jobs"):
            if await self._store.write("take_job", (row["id"], _LEASE_MS)):
                wait_ms = await self._work(row["id"])
                await self._store.write("rest_job", (row["id"], wait_ms))
        return _TURN_S

    async def _work(self, identifier: str) -> int:
        job = await self._store.row("job", identifier)
        if job is None or job["state"] != "running":
            return 0
        failing = await self._look(identifier)
        counts = Counter({row["state"]: row["many"] for row in await self._store.rows("job_counts", identifier)})
        failed = counts["failed"] + failing
        judged = counts["ok"] + failed
        if failed and 100 * failed >= job["stop_percent"] * judged:
            entry = AuditEntry("gateway", "job.stop", identifier, "failed_again")
            await self._store.audited("move_job", (identifier, "running", "stopped", "failed_again"), entry)
            log.warning("job_stopped", code="failed_again", count=failed)
            return 0
        if not counts["waiting"] and not counts["sent"]:
            entry = AuditEntry("gateway", "job.done", identifier)
            await self._store.audited("move_job", (identifier, "running", "done", None), entry)
            return 0
        started = job["total"] - counts["waiting"]
        many = share(started, counts["sent"], job["canary"], job["per_minute"])
        if many:
            await self._send(job, many)
        return max(round(60_000 / job["per_minute"]), 500) if many else 500

    async def _look(self, identifier: str) -> int:
        """See what became of the deliveries that were sent again; returns how many failed but are still being tried."""
        failing = 0
        items = await self._store.rows("job_items_in", identifier, "sent", 0, _LOOKED_AT)
        for item in items:
            row = await self._store.row("delivery", item["delivery"])
            state = "skipped" if row is None else _judged(row["state"])
            if state is not None:
                code = None if row is None else row["code"]
                moved = (identifier, item["place"], state, item["attempts"], code, item["delivery"])
                await self._store.write("move_job_item", moved)
            elif row is not None and row["attempts"] > item["attempts"] and row["code"] is not None:
                failing += 1
        return failing

    async def _send(self, job: Row, many: int) -> None:
        principal = Principal(job["actor"], frozenset({"*"}), frozenset())
        kind, reason = ReplayKind(job["kind"]), f"{job['reason']} [{job['id']}]"
        began = time.monotonic()
        for item in await self._store.rows("job_items_in", job["id"], "waiting", 0, many):
            row = await self._store.row("delivery", item["delivery"])
            attempts = 0 if row is None or kind is ReplayKind.RETRANSLATE else row["attempts"]
            standing = await self._replayer.replay(
                principal, item["delivery"], reason, kind, anyway=bool(job["overtaken"])
            )
            if standing.refused == "words_unread":
                return  # it keeps its place: the next turn comes to it again
            state, code = _began(standing)
            followed = standing.id
            if code == "superseded" and kind is ReplayKind.RETRANSLATE:
                made = await self._replayer.successor(item["delivery"])
                if made is not None:  # translated anew before this process ended, or by somebody else's hand
                    state, code, followed = "sent", None, made
            await self._store.write("move_job_item", (job["id"], item["place"], state, attempts, code, followed))
            if time.monotonic() - began > _ASKING_S:
                return


_MOVES: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "pause": (("running",), "paused"),
    "continue": (("paused",), "running"),
    "cancel": (("asked", "running", "paused", "stopped"), "cancelled"),
}

ACTS: Final = ("approve", *_MOVES)
"""What may be done to a job."""


def share(started: int, open_now: int, canary: int, per_minute: int) -> int:
    """How many to send now: one alone, then up to the canary's number once that one is through, then at the rate once all of
    those are."""
    if started == 0:
        return 1
    if started < canary:
        return 0 if open_now else canary - started
    if started == canary and open_now:
        return 0
    return max(1, round(per_minute / 120))


def _began(standing: Standing) -> tuple[str, str | None]:
    """What a replay's beginning means for its item: its state and code."""
    if standing.refused is None:
        if "found" in standing.extra:
            return ("ok", None) if standing.extra["found"] else ("failed", "not_found_there")
        return "sent", None
    if standing.refused == "unanswered":
        return "failed", str(standing.extra["cause"])[:64]
    if standing.refused == "in_flight" or standing.extra.get("state") == "pending":
        return "sent", None  # sent before this process ended, or by somebody else's hand
    if standing.refused == "state":
        return "skipped", str(standing.extra.get("state", standing.refused))
    return "skipped", standing.refused


def _judged(state: str) -> str | None:
    """What a delivery's state means for its item; ``None``: still on its way."""
    if state in ("delivered", "relayed"):
        return "ok"
    if state in (*FAILED_STATES, "in_doubt"):
        return "failed"
    return None if state == "pending" else "skipped"


def _add(
    job: tuple[object, ...], deliveries: Sequence[str], entry: AuditEntry, at: int, key: Key | None
) -> Operation[None]:
    yield from take_key(key)
    yield "add_job", [job]
    yield "add_job_item", [(job[0], place, delivery) for place, delivery in enumerate(deliveries, 1)]
    yield from append_audit([entry], at)
