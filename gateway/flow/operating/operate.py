"""An operator's hands: redrive, cancel, resolve, pause, resume, tasks. Each act and its audit row are written together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from contracts.deliveries import FAILED_STATES, MOVES, DeliveryState, Hand
from contracts.moments import written
from contracts.update import Reference
from gateway.flow.moving.envelope import compact
from gateway.flow.moving.moves import move_delivery
from gateway.flow.moving.once import Once, taken_for
from gateway.flow.moving.order import Principal
from gateway.flow.moving.references import fold
from gateway.flow.moving.rounds import Round, decided, unlikely
from gateway.flow.operating import case_links
from gateway.flow.operating.case_links import CaseLinks
from gateway.flow.operating.windows import LONGEST_MS, spread
from gateway.store import pauses, webhooks
from gateway.store.casefile import CaseFile, DeliveryRow
from gateway.store.engine import Operation, Row
from gateway.store.journal import AuditEntry, append_audit
from gateway.store.once import KeyTaken, take_key
from gateway.store.store import Store
from gateway.store.unit import (
    Committed,
    InFlight,
    Key,
    KeyConflict,
    Moved,
    NewReference,
    Replayed,
    Unit,
)
from gateway.store.webhooks import CLASSES

_LOOKS = 20
_ANY_CALL = "cbk_" + 26 * "Z"


@dataclass(frozen=True, slots=True)
class Standing:
    """How an act ended: the thing's new state, or why it was refused."""

    id: str
    state: str = ""
    refused: str | None = None
    found: bool = True
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One of an operator's acts on a delivery: its name in the audit trail, from which states to which it leads, and whether
    the schedule begins anew (``fresh``)."""

    act: str
    allowed: frozenset[str]
    after: str
    fresh: bool = False


_REDRIVE = _Turn("delivery.redrive", frozenset(FAILED_STATES), "pending", fresh=True)
_CANCEL = _Turn("delivery.cancel", MOVES[Hand.OPERATOR][DeliveryState.CANCELLED], "cancelled")
_ARRIVED = _Turn("delivery.resolve", frozenset({"in_doubt"}), "delivered")
_NOT_ARRIVED = _Turn("delivery.resolve", frozenset({"in_doubt"}), "pending", fresh=True)
_REFILE = _Turn("delivery.refile", frozenset({"delivered"}), "pending", fresh=True)
_FOUND = _Turn("delivery.found", MOVES[Hand.OPERATOR][DeliveryState.DELIVERED], "delivered")

_ABOUT_DELIVERIES = ("in_doubt", "rejected", "dead", "statutory_late", "blocked", "word_overdue", "alert_unanswered")


def closing(delivery: str, resolution: str) -> list[tuple[str, str, str]]:
    """The tasks that an operator's act on a delivery closes: kind, about, resolution."""
    return [(kind, delivery, resolution) for kind in _ABOUT_DELIVERIES]


class Operator:
    """Acts on deliveries, endpoints and tasks."""

    def __init__(self, store: Store, changed: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._changed = changed
        self._links = CaseLinks(store)

    def entry(self, principal: Principal, act: str, target: str, reason: str | None) -> AuditEntry:
        """An audit entry of this caller."""
        return AuditEntry(principal.client, act, target, reason)

    async def redrive(self, principal: Principal, delivery: str, reason: str, once: Once | None = None) -> Standing:
        """The same bytes again, the schedule anew (same ids: platforms know them). Raises ``KeyTaken`` as every act does that
        takes ``once``: it was asked for before."""
        if await self.unread(delivery):
            return Standing(delivery, refused="words_unread")
        return await self._move(principal, _REDRIVE, delivery, reason, once=once)

    async def cancel(self, principal: Principal, delivery: str, reason: str) -> Standing:
        """It will not be sent."""
        return await self._move(principal, _CANCEL, delivery, reason)

    async def resolve(
        self, principal: Principal, delivery: str, arrived: bool, evidence: str, once: Once | None = None
    ) -> Standing:
        """A person's word on a delivery in doubt: it arrived, or it did not and goes again."""
        if not arrived and await self.unread(delivery):
            return Standing(delivery, refused="words_unread", extra={"state": "in_doubt"})
        return await self._move(principal, _ARRIVED if arrived else _NOT_ARRIVED, delivery, evidence, once=once)

    async def unread(self, delivery: str) -> bool:
        """Whether the platform's words that are kept already stay unread, though they were given time: one of them may say that
        it has what is about to be sent again."""
        row = await self._store.row("delivery", delivery)
        if row is None:
            return False
        upto = _ANY_CALL
        for _ in range(_LOOKS):
            newest = await self._store.row("unread_words", row["endpoint"], upto)
            if newest is None or newest["id"] is None:
                return False
            upto = newest["id"]
            await asyncio.sleep(0.1)
        return True

    async def refile(self, principal: Principal, delivery: str, reason: str) -> Standing:
        """What counts as delivered is not there: the same bytes again, under the same id."""
        return await self._move(principal, _REFILE, delivery, reason)

    async def found(
        self,
        principal: Principal,
        delivery: str,
        evidence: str,
        reference: str | None,
        references: tuple[Reference, ...] = (),
        once: Once | None = None,
    ) -> Standing:
        """The platform has what was in doubt or given up here: its number is the evidence, and is kept."""
        return await self._move(principal, _FOUND, delivery, evidence, numbers=(reference, references), once=once)

    async def _move(
        self,
        principal: Principal,
        turn: _Turn,
        delivery: str,
        reason: str,
        *,
        numbers: tuple[str | None, tuple[Reference, ...]] = (None, ()),
        once: Once | None = None,
    ) -> Standing:
        """``numbers``: the platform's reference of the delivery, and what else it calls the thing."""
        key, entry = taken_for(once, delivery), self.entry(principal, turn.act, delivery, reason)

        async def decide() -> Round[Standing]:
            row = await self._store.row("delivery", delivery)
            if row is not None and row["class"] in CLASSES:
                return Round(await self._move_owed(entry, row, turn, key))
            file = None if row is None else await self._store.load(row["subject"])
            if file is None:
                return Round(Standing(delivery, refused="not_found", found=False))
            held = next(found for found in file.deliveries if found.id == delivery)
            if held.state not in turn.allowed:
                return Round(Standing(delivery, refused="state", extra={"state": held.state}))
            unit = self._unit(file, held, principal, turn, numbers[0])
            unit.references += [
                NewReference(held.endpoint, one.kind, one.value, held.about, fold(one.value)) for one in numbers[1]
            ]
            unit.audited = (entry, self._store.now_ms())
            unit.keys = [] if key is None else [key]
            return Round(Standing(delivery, turn.after), unit)

        return await self.acted(decide, Standing(delivery, refused="in_flight", extra={"state": "in_flight"}))

    async def acted(self, decide: Callable[[], Awaitable[Round[Standing]]], in_flight: Standing) -> Standing:
        """Read, decide and commit an act; ``in_flight``: where the delivery was being sent, or moved, all the time.

        Raises:
            KeyTaken: it was asked for before.
        """
        ended = await decided(decide, self._store.commit)
        match ended.outcome:
            case None:
                return ended.said
            case Committed():
                self._changed()
                return ended.said
            case Replayed() | KeyConflict():
                raise KeyTaken
            case Moved() | InFlight():
                return in_flight
        raise unlikely("an act", ended.outcome)

    async def _move_owed(self, entry: AuditEntry, row: Row, turn: _Turn, key: Key | None) -> Standing:
        """The same for what is owed to a webhook: it makes no events. A handshake is its client's to repeat."""
        delivery, state = row["id"], row["state"]
        why = None if row["class"] == "notify" else "state"
        if why is None:
            why = await self._store.run(_audited_owed, delivery, turn, entry, self._store.now_ms(), key)
        if why is not None:
            return Standing(delivery, refused=why, extra={"state": "in_flight" if why == "in_flight" else state})
        self._changed()
        return Standing(delivery, turn.after)

    def _unit(
        self, file: CaseFile, held: DeliveryRow, principal: Principal, turn: _Turn, reference: str | None
    ) -> Unit:
        unit = Unit(file.subject, file.organization, file.sequence)
        move_delivery(unit, self._store.ids, Hand.OPERATOR, held, turn.after, reference=reference, fresh=turn.fresh)
        unit.closed_tasks = closing(held.id, f"{turn.after} by {principal.client}")
        return unit

    async def pause(self, principal: Principal, endpoint: str, reason: str) -> Standing:
        """Hold the endpoint: its deliveries wait, nothing is burnt."""
        entry = self.entry(principal, "endpoint.pause", endpoint, reason)
        rows = [(endpoint, principal.client, reason)]
        return await self._endpoint(endpoint, lambda: pauses.pause(rows, self._store.ids), entry, "paused")

    async def resume(self, principal: Principal, endpoint: str, reason: str, per_minute: int | None = None) -> Standing:
        """Let it flow again; breaker and quiet time are forgotten. With ``per_minute`` what waits leaves at that rate, instead
        of all at once as fast as was agreed with the platform."""
        if per_minute is not None:
            await spread(self._store, endpoint, per_minute)
        entry = self.entry(principal, "endpoint.resume", endpoint, reason)
        return await self._endpoint(
            endpoint, lambda: pauses.resume(endpoint, self._store.ids, principal.client, reason), entry, "open"
        )

    async def plan_window(
        self, principal: Principal, endpoint: str, reason: str, starts_at: int, ends_at: int, per_minute: int | None
    ) -> Standing:
        """Hold the endpoint from one time (ms) to another; it flows again by itself. Refused: ``times``, ``overlap``."""
        now = self._store.now_ms()
        if not now - 60_000 <= starts_at < ends_at <= starts_at + LONGEST_MS or ends_at <= now:
            return Standing(endpoint, refused="times")
        window = self._store.ids.new("hold")
        times = {"from": written(starts_at), "to": written(ends_at)}
        facts = compact({"window": window, **times, "per_minute": per_minute})
        entry = AuditEntry(principal.client, "endpoint.window", endpoint, reason, facts)
        made = await self._store.run(
            _audited_act,
            lambda: pauses.plan(window, endpoint, principal.client, reason, per_minute, starts_at, ends_at),
            entry,
            now,
        )
        return Standing(window, "planned") if made else Standing(endpoint, refused="overlap")

    async def take_back_window(self, principal: Principal, window: str, reason: str) -> Standing:
        """A window that has not begun is not held; one that lasts is ended by ``resume``."""
        row = await self._store.row("hold", window)
        if row is None:
            return Standing(window, refused="not_found", found=False)
        entry = self.entry(principal, "endpoint.window_back", row["endpoint"], reason)
        act = _audited_act, lambda: pauses.take_back(window, principal.client, reason), entry, self._store.now_ms()
        return Standing(window, "ended") if await self._store.run(*act) else Standing(window, refused="state")

    async def _endpoint(
        self, endpoint: str, act: Callable[[], Operation[list[str]]], entry: AuditEntry, state: str
    ) -> Standing:
        if not await self._store.run(_audited_act, act, entry, self._store.now_ms()):
            known = any(found["name"] == endpoint for found in await self._store.rows("all_endpoints"))
            return Standing(endpoint, refused="state", found=known, extra={"state": state})
        self._changed()
        return Standing(endpoint, state)

    async def match(self, principal: Principal, callback: str, delivery: str, reason: str) -> Standing:
        """Say which delivery an orphan is about; the ordinary way then applies it, under all its rules. Refused: ``state`` (no
        orphan), ``endpoint`` (the delivery went to another platform than the one that called)."""
        call, row = await self._store.row("callback", callback), await self._store.row("delivery", delivery)
        if call is None or row is None:
            return Standing(callback, refused="not_found", found=False)
        if row["endpoint"] != call["endpoint"]:
            return Standing(callback, refused="endpoint")
        entry = AuditEntry(principal.client, "callback.match", callback, reason, compact({"delivery": delivery}))
        if not await self._store.run(_match, callback, delivery, principal.client, entry, self._store.now_ms()):
            return Standing(callback, refused="state", extra={"state": call["state"]})
        return Standing(callback, "stored")

    async def fetch_paper(self, principal: Principal, paper: str, reason: str) -> Standing:
        """Fetch a decision document again that was given up (文书重新下载), by a fresh link where the platform gives one."""
        row = await self._store.row("paper", paper)
        if row is None:
            return Standing(paper, refused="not_found", found=False)
        entry = self.entry(principal, "paper.fetch", paper, reason)
        if not await self._store.run(_fetch_again, paper, principal.client, entry, self._store.now_ms()):
            return Standing(paper, refused="state", extra={"state": row["state"]})
        self._changed()
        return Standing(paper, "pending")

    async def apply_again(self, principal: Principal, callback: str, reason: str) -> Standing:
        """An orphan or unreadable call once more by the ordinary way: its case came later, or the adapter has learnt to read
        it. Refused: ``state``."""
        call = await self._store.row("callback", callback)
        if call is None:
            return Standing(callback, refused="not_found", found=False)
        entry = self.entry(principal, "callback.again", callback, reason)
        if not await self._store.run(_again, callback, principal.client, entry, self._store.now_ms()):
            return Standing(callback, refused="state", extra={"state": call["state"]})
        return Standing(callback, "stored")

    async def assign(self, principal: Principal, task: str, assignee: str, reason: str) -> Standing:
        """Give a task to a person."""
        entry = self.entry(principal, "task.assign", task, reason)
        return await self._task(task, "assign_task", (task, assignee), entry, "open")

    async def close_task(
        self,
        principal: Principal,
        task: str,
        reason: str,
        decision: str | None = None,
        cases: list[str] | None = None,
    ) -> Standing:
        """A person has dealt with it. One about a possible duplicate needs the decision: ``link`` or ``keep_apart``.

        Raises:
            Refused: 422 without the decision that it needs.
        """
        row = await self._store.row("task", task)
        if row is not None and row["kind"] == case_links.KIND and row["state"] == "open":
            if await self._links.decide(principal, row, decision, cases, reason):
                self._changed()
                return Standing(task, "resolved")
            return Standing(task, refused="state", extra={"state": "resolved"})
        entry = self.entry(principal, "task.resolve", task, reason)
        return await self._task(task, "resolve_task", (task, f"{principal.client}: {reason}"[:500]), entry, "resolved")

    async def _task(
        self, task: str, statement: str, row: tuple[object, ...], entry: AuditEntry, state: str
    ) -> Standing:
        if not await self._store.audited(statement, row, entry):
            found = await self._store.row("task", task)
            return Standing(task, refused="state", found=found is not None, extra={"state": "resolved"})
        return Standing(task, state)


def _audited_owed(delivery: str, turn: _Turn, entry: AuditEntry, at: int, key: Key | None) -> Operation[str | None]:
    """Move what is owed to a webhook, and its audit row, in one transaction; returns why not, else ``None``."""
    why = yield from webhooks.move_owed(delivery, turn.allowed, turn.after)
    if why is None:
        yield from take_key(key)
        yield from append_audit([entry], at)
    return why


def _match(callback: str, delivery: str, by: str, entry: AuditEntry, at: int) -> Operation[bool]:
    changed = yield "match_callback", [(callback, delivery)]
    if changed:
        yield "close_task", [("orphan_callback", callback, f"matched to {delivery} by {by}")]
        yield from append_audit([entry], at)
        yield "notify_call", [()]
    return bool(changed)


def _fetch_again(paper: str, by: str, entry: AuditEntry, at: int) -> Operation[bool]:
    changed = yield "retry_paper", [(paper,)]
    if changed:
        yield "close_task", [("dead", paper, f"fetched again by {by}")]
        yield from append_audit([entry], at)
        yield "notify_due", [()]
    return bool(changed)


def _again(callback: str, by: str, entry: AuditEntry, at: int) -> Operation[bool]:
    changed = yield "apply_again", [(callback,)]
    if changed:
        kinds = ("orphan_callback", "unreadable_callback")
        yield "close_task", [(kind, callback, f"applied again by {by}") for kind in kinds]
        yield from append_audit([entry], at)
        yield "notify_call", [()]
    return bool(changed)


def _audited_act(act: Callable[[], Operation[list[str]]], entry: AuditEntry, at: int) -> Operation[bool]:
    changed = yield from act()
    if changed:
        yield from append_audit([entry], at)
    return bool(changed)
