"""The kinds of replay (重投): the same bytes again, translated anew, or only asked for; and what has been overtaken meanwhile.

::

    same          the frozen wire under its ids: the platform knows them (``Operator.redrive``)
    retranslate   a new message around the same document and version, hence new ids, by the tables of today; the old
                  delivery is superseded. Never where the platform may have the old one: it would have both
    lookup        the platform is asked, nothing is sent: what it has becomes delivered, by its number

What a newer version, or a later one of its lane, has overtaken is told before, and goes only on a second word
(``messages.md`` §2).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import orjson
import structlog

from contracts.deliveries import FAILED_STATES, MOVES, DeliveryState, Hand
from contracts.errors import AdapterError
from contracts.holdings import Holding
from contracts.messages import MESSAGE_TYPES, MessageType
from gateway.flow.delivering import wires
from gateway.flow.delivering.exchange import EndpointWaits
from gateway.flow.delivering.line import Line
from gateway.flow.moving.envelope import compact
from gateway.flow.moving.moves import move_delivery
from gateway.flow.moving.once import Once
from gateway.flow.moving.order import Principal
from gateway.flow.moving.rounds import Round
from gateway.flow.operating.operate import Operator, Standing, closing
from gateway.store.casefile import CaseFile, DeliveryRow
from gateway.store.engine import Row, many
from gateway.store.journal import AuditEntry
from gateway.store.places import of_document, of_wire
from gateway.store.store import Store
from gateway.store.unit import (
    NewDelivery,
    NewMessage,
    NewTask,
    Unit,
)
from gateway.store.webhooks import CLASSES

log = structlog.get_logger("gateway.replay")

_ASKED_S: Final = 20.0
"""The longest that a person waits for a platform's answer."""


class ReplayKind(StrEnum):
    """What is done with a delivery that failed."""

    SAME = "same"
    RETRANSLATE = "retranslate"
    LOOKUP = "lookup"


STATES: Final[Mapping[ReplayKind, tuple[str, ...]]] = {
    ReplayKind.SAME: FAILED_STATES,
    ReplayKind.RETRANSLATE: FAILED_STATES,
    ReplayKind.LOOKUP: tuple(sorted(MOVES[Hand.OPERATOR][DeliveryState.DELIVERED])),
}
"""The states in which each kind makes sense."""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """What has overtaken a delivery: ``why`` is ``newer_version`` (``by`` is its message) or ``overtaken`` (``by`` is the
    delivery that came after it and arrived)."""

    why: str
    by: str


class Replayer:
    """Replays single deliveries. ``lines``: the ways to the platforms, for those that are asked."""

    def __init__(
        self, store: Store, lines: Mapping[str, Line] | None = None, changed: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._lines = lines or {}
        self._changed = changed
        self._operator = Operator(store, changed)
        self.unread = self._operator.unread

    async def overtaken(self, deliveries: Sequence[str]) -> dict[str, Overtaken]:
        """Those of these deliveries that something has overtaken."""
        rows = await self._store.runner.read(many, "overtaken_by", [(one,) for one in deliveries])
        found = {}
        for row in rows:
            if row["newer"] is not None:
                found[row["id"]] = Overtaken("newer_version", row["newer"])
            elif row["later"] is not None:
                found[row["id"]] = Overtaken("overtaken", row["later"])
        return found

    async def replay(
        self,
        principal: Principal,
        delivery: str,
        reason: str,
        kind: ReplayKind = ReplayKind.SAME,
        *,
        anyway: bool = False,
        once: Once | None = None,
    ) -> Standing:
        """One delivery. ``anyway`` is the second word about what was overtaken; an older version is never translated anew.

        Raises:
            KeyTaken: ``once`` was asked for before.
        """
        row = await self._store.row("delivery", delivery)
        if row is None:
            return Standing(delivery, refused="not_found", found=False)
        if kind is ReplayKind.LOOKUP:
            return await self._ask(principal, row, reason, once)
        if row["state"] in STATES[kind]:
            passed = (await self.overtaken([delivery])).get(delivery)
            final = kind is ReplayKind.RETRANSLATE and passed is not None and passed.why == "newer_version"
            if passed is not None and (final or not anyway):
                return Standing(delivery, row["state"], passed.why, extra={"state": row["state"], "by": passed.by})
        if kind is ReplayKind.SAME:
            return await self._operator.redrive(principal, delivery, reason, once)
        if await self._operator.unread(delivery):
            return Standing(delivery, row["state"], "words_unread", extra={"state": row["state"]})
        return await self._retranslate(principal, row, reason, once)

    async def successor(self, delivery: str) -> str | None:
        """The delivery that was translated anew from this one, where one was."""
        row = await self._store.row("delivery", delivery)
        events = [] if row is None else await self._store.rows("events_of", row["subject"])
        for event in reversed(events):
            if event["type"] == "delivery.superseded" and event["about"] == delivery:
                made = orjson.loads(event["data"]).get("by")
                return made if isinstance(made, str) else None
        return None

    # ---- translated anew

    async def _retranslate(self, principal: Principal, row: Row, reason: str, once: Once | None) -> Standing:
        if row["class"] in CLASSES:
            return Standing(row["id"], row["state"], "not_translated", extra={"state": row["state"]})

        async def decide() -> Round[Standing]:
            file = await self._store.load(row["subject"])
            message = await self._store.row("message", row["message"])
            if file is None or message is None:
                return Round(Standing(row["id"], refused="not_found", found=False))
            held = next(found for found in file.deliveries if found.id == row["id"])
            if held.state not in STATES[ReplayKind.RETRANSLATE]:
                return Round(Standing(held.id, held.state, "state", extra={"state": held.state}))
            if held.doubt_at is not None:
                return Round(Standing(held.id, held.state, "doubt", extra={"state": held.state}))
            unit = self.anew(file, held, message, principal)
            made = unit.deliveries[0].id
            facts = compact({"delivery": made})
            entry = AuditEntry(principal.client, "delivery.retranslate", held.id, reason, facts)
            unit.audited = (entry, self._store.now_ms())
            unit.keys = [] if once is None else [once.about(made)]
            return Round(Standing(made, "pending", extra={"replaces": held.id}), unit)

        in_flight = Standing(row["id"], row["state"], "in_flight", extra={"state": "in_flight"})
        return await self._operator.acted(decide, in_flight)

    def anew(self, file: CaseFile, held: DeliveryRow, message: Row, principal: Principal) -> Unit:
        """The same document under a message of its own; who waited for the old delivery waits for the new one."""
        ids = self._store.ids
        identifier, made = ids.new("message", after=file.subject), ids.new("delivery")
        document = self._store.unseal(message["document_sealed"], of_document(message["id"]))
        unit = Unit(file.subject, file.organization, file.sequence)
        unit.messages.append(
            NewMessage(
                identifier,
                message["type"],
                message["about"],
                message["version"],
                message["source"],
                message["correlation"],
                message["schema"],
                self._store.seal(document, of_document(identifier)),
            )
        )
        unit.deliveries.append(
            NewDelivery(
                made,
                identifier,
                held.type,
                held.about,
                held.endpoint,
                held.retry_class,
                held.requires,
                held.safe_at,
                MESSAGE_TYPES[MessageType(held.type)].overtakes,
            )
        )
        move_delivery(unit, ids, Hand.OPERATOR, held, "superseded", held.code, by=made)
        unit.repointed.append((held.id, made))
        unit.closed_tasks = closing(held.id, f"translated anew by {principal.client}")
        return unit

    # ---- only asked for

    async def _ask(self, principal: Principal, row: Row, reason: str, once: Once | None) -> Standing:
        identifier, state = row["id"], row["state"]
        refused = Standing(identifier, state, "state", extra={"state": state})
        if state not in STATES[ReplayKind.LOOKUP] or row["class"] in CLASSES:
            return refused
        line = self._lines.get(row["endpoint"])
        if line is None or not line.endpoint.adapter.can_be_asked():
            return replace(refused, refused="cannot_be_asked")
        if row["wire_sealed"] is None:
            return replace(refused, refused="never_sent")
        try:
            held = await self._held(line, identifier, row["wire_sealed"])
        except AdapterError as error:
            return replace(refused, refused="unanswered", extra={"state": state, "cause": error.code})
        except (TimeoutError, EndpointWaits) as error:
            return replace(refused, refused="unanswered", extra={"state": state, "cause": type(error).__name__.lower()})
        if held is not None:
            return await self._found(principal, row, reason, held, once)
        lag_ms = round(1000 * line.limits.lookup_lag_s)
        sure = row["doubt_at"] is None or self._store.now_ms() - row["doubt_at"] >= lag_ms
        facts = compact({"found": False, "conclusive": sure})
        await self._store.audit(AuditEntry(principal.client, "delivery.lookup", identifier, reason, facts))
        return Standing(identifier, state, extra={"found": False, "conclusive": sure})

    async def _held(self, line: Line, delivery: str, wire_sealed: bytes) -> Holding | None:
        """The platform's answer.

        Raises:
            AdapterError, EndpointWaits, TimeoutError: it gave none.
        """
        wire = wires.unpack(self._store.unseal(wire_sealed, of_wire(delivery)))
        adapter, seconds = line.endpoint.adapter, min(line.limits.deadline_s, _ASKED_S)
        try:
            async with asyncio.timeout(seconds):
                return await adapter.held(wire, line.exchange(self._store.now_ms, seconds))
        except (AdapterError, EndpointWaits, TimeoutError):
            raise
        except Exception as error:  # whatever an adapter does, it stays inside its question
            log.error("adapter_failed", endpoint=line.name, delivery=delivery, error=type(error).__name__)
            raise TimeoutError from error

    async def _found(self, principal: Principal, row: Row, reason: str, held: Holding, once: Once | None) -> Standing:
        standing = await self._operator.found(principal, row["id"], reason, held.reference, held.references, once)
        if standing.refused is not None:
            return standing
        if held.filed_twice:
            matter = await self._store.row("matter", row["subject"])
            owner = "" if matter is None else matter["organization"]
            task = NewTask(self._store.ids.new("task"), "filed_twice", row["id"], row["endpoint"])
            await self._store.write("open_task", task.row(row["subject"], owner))
        return replace(standing, extra={"found": True, "reference": held.reference})
