"""An operator's hands: redrive, cancel, resolve, pause, resume, tasks. Each act and its audit row are written together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateway.flow.envelope import compact
from gateway.flow.order import Principal
from gateway.store import pauses, webhooks
from gateway.store.casefile import CaseFile, DeliveryRow
from gateway.store.engine import Operation, Row
from gateway.store.journal import AuditEntry, append_audit
from gateway.store.store import Store
from gateway.store.unit import Committed, DeliveryMove, InFlight, Moved, NewEvent, Unit
from gateway.store.webhooks import CLASSES

_AGAIN = 20
_REDRIVEN = frozenset({"rejected", "dead", "expired"})
_CANCELLED = frozenset({"pending", "rejected", "dead", "expired"})


@dataclass(frozen=True, slots=True)
class Standing:
    """How an act ended: the thing's new state, or why it was refused."""

    id: str
    state: str = ""
    refused: str | None = None
    found: bool = True
    extra: dict[str, Any] = field(default_factory=dict)


class Operator:
    """Acts on deliveries, endpoints and tasks."""

    def __init__(self, store: Store, changed: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._changed = changed

    def entry(self, principal: Principal, act: str, target: str, reason: str | None) -> AuditEntry:
        """An audit entry of this caller."""
        return AuditEntry(principal.client, act, target, reason)

    async def redrive(self, principal: Principal, delivery: str, reason: str) -> Standing:
        """The same bytes again, the schedule anew (same ids: platforms know them)."""
        return await self._move(principal, "delivery.redrive", delivery, reason, _REDRIVEN, "pending", fresh=True)

    async def cancel(self, principal: Principal, delivery: str, reason: str) -> Standing:
        """It will not be sent."""
        return await self._move(principal, "delivery.cancel", delivery, reason, _CANCELLED, "cancelled")

    async def resolve(self, principal: Principal, delivery: str, arrived: bool, evidence: str) -> Standing:
        """A person's word on a delivery in doubt: it arrived, or it did not and goes again."""
        after = "delivered" if arrived else "pending"
        return await self._move(
            principal, "delivery.resolve", delivery, evidence, frozenset({"in_doubt"}), after, fresh=not arrived
        )

    async def _move(
        self,
        principal: Principal,
        act: str,
        delivery: str,
        reason: str,
        allowed: frozenset[str],
        after: str,
        *,
        fresh: bool = False,
    ) -> Standing:
        for _ in range(_AGAIN):
            row = await self._store.row("delivery", delivery)
            if row is not None and row["class"] in CLASSES:
                return await self._move_owed(self.entry(principal, act, delivery, reason), row, allowed, after)
            file = None if row is None else await self._store.load(row["subject"])
            if file is None:
                return Standing(delivery, refused="not_found", found=False)
            held = next(found for found in file.deliveries if found.id == delivery)
            if held.state not in allowed:
                return Standing(delivery, refused="state", extra={"state": held.state})
            unit = self._unit(file, held, principal, after, fresh)
            unit.audited = (self.entry(principal, act, delivery, reason), self._store.now_ms())
            outcome = await self._store.commit(unit)
            if isinstance(outcome, Committed):
                self._changed()
                return Standing(delivery, after)
            if isinstance(outcome, InFlight):
                await asyncio.sleep(0.1)
            elif not isinstance(outcome, Moved):
                raise TypeError(f"an act cannot end as {type(outcome).__name__}")
        return Standing(delivery, refused="in_flight", extra={"state": "in_flight"})

    async def _move_owed(self, entry: AuditEntry, row: Row, allowed: frozenset[str], after: str) -> Standing:
        """The same for what is owed to a webhook: it makes no events. A handshake is its client's to repeat."""
        delivery, state = row["id"], row["state"]
        why = None if row["class"] == "notify" else "state"
        if why is None:
            why = await self._store.run(webhooks.move_owed, delivery, allowed, after)
        if why is not None:
            return Standing(delivery, refused=why, extra={"state": "in_flight" if why == "in_flight" else state})
        await self._store.audit(entry)
        self._changed()
        return Standing(delivery, after)

    def _unit(self, file: CaseFile, held: DeliveryRow, principal: Principal, after: str, fresh: bool) -> Unit:
        facts = {
            "delivery": held.id,
            "message": held.message,
            "endpoint": held.endpoint,
            "status": after,
            "state_before": held.state,
            "attempts": held.attempts,
        }
        unit = Unit(file.subject, file.organization, file.sequence)
        unit.delivery_moves.append(DeliveryMove(held.id, held.endpoint, held.state, after, fresh=fresh))
        unit.events.append(NewEvent(self._store.ids.new("event"), f"delivery.{after}", held.id, compact(facts)))
        unit.closed_tasks = [
            (kind, held.id, f"{after} by {principal.client}")
            for kind in (
                "in_doubt",
                "rejected",
                "dead",
                "statutory_late",
                "blocked",
                "word_overdue",
                "alert_unanswered",
            )
        ]
        return unit

    async def pause(self, principal: Principal, endpoint: str, reason: str) -> Standing:
        """Hold the endpoint: its deliveries wait, nothing is burnt."""
        entry = self.entry(principal, "endpoint.pause", endpoint, reason)
        rows = [(endpoint, principal.client, reason)]
        return await self._endpoint(endpoint, lambda: pauses.pause(rows, self._store.ids), entry, "paused")

    async def resume(self, principal: Principal, endpoint: str, reason: str) -> Standing:
        """Let it flow again; breaker and quiet time are forgotten."""
        entry = self.entry(principal, "endpoint.resume", endpoint, reason)
        return await self._endpoint(endpoint, lambda: pauses.resume(endpoint, self._store.ids), entry, "open")

    async def _endpoint(
        self, endpoint: str, act: Callable[[], Operation[list[str]]], entry: AuditEntry, state: str
    ) -> Standing:
        if not await self._store.run(_audited_act, act, entry, self._store.now_ms()):
            known = any(found["name"] == endpoint for found in await self._store.rows("all_endpoints"))
            return Standing(endpoint, refused="state", found=known, extra={"state": state})
        self._changed()
        return Standing(endpoint, state)

    async def assign(self, principal: Principal, task: str, assignee: str, reason: str) -> Standing:
        """Give a task to a person."""
        entry = self.entry(principal, "task.assign", task, reason)
        return await self._task(task, "assign_task", (task, assignee), entry, "open")

    async def close_task(self, principal: Principal, task: str, reason: str) -> Standing:
        """A person has dealt with it."""
        entry = self.entry(principal, "task.resolve", task, reason)
        return await self._task(task, "resolve_task", (task, f"{principal.client}: {reason}"[:500]), entry, "resolved")

    async def _task(
        self, task: str, statement: str, row: tuple[object, ...], entry: AuditEntry, state: str
    ) -> Standing:
        if not await self._store.run(audited, statement, row, entry, self._store.now_ms()):
            found = await self._store.row("task", task)
            return Standing(task, refused="state", found=found is not None, extra={"state": "resolved"})
        return Standing(task, state)


def _audited_act(act: Callable[[], Operation[list[str]]], entry: AuditEntry, at: int) -> Operation[bool]:
    changed = yield from act()
    if changed:
        yield from append_audit([entry], at)
    return bool(changed)


def audited(statement: str, row: tuple[object, ...], entry: AuditEntry, at: int) -> Operation[bool]:
    """One statement and, where it changed something, its audit row, in one transaction."""
    changed = yield statement, [row]
    if changed:
        yield from append_audit([entry], at)
    return bool(changed)
