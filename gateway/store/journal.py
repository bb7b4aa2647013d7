"""The events in the order of their commit: numbering, reading after a mark, and the audit chain."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from gateway.store.engine import Operation, Row


@dataclass(frozen=True, slots=True)
class EventRow:
    """A fact with its place in the one global order (``position``, the cursor)."""

    id: str
    subject: str
    sequence: int
    type: str
    about: str
    organization: str
    data: str
    at: int
    position: int | None


def event_of(row: Row) -> EventRow:
    """An event from its row."""
    return EventRow(
        row["id"],
        row["subject"],
        row["sequence"],
        row["type"],
        row["about"],
        row["organization"],
        row["data"],
        row["at"],
        row["position"],
    )


def number(limit: int) -> Operation[int]:
    """Give positions to committed events that have none yet; returns how many.

    The lock is held until the commit, so positions become visible in order and a reader's high-water mark is safe."""
    top = (yield "lock_log", [()])[0]["position"]
    numbered = yield "number_events", [(top, limit)]
    if numbered:
        yield "move_log", [(top + len(numbered),)]
    return len(numbered)


def after(mark: int, limit: int) -> Operation[list[EventRow]]:
    """Numbered events after a position, in order."""
    rows = yield "events_after", [(mark, limit)]
    return [event_of(row) for row in rows]


def owned_after(organizations: tuple[str, ...], mark: int, limit: int) -> Operation[list[EventRow]]:
    """The same, of these organisations alone."""
    rows = yield "owned_events_after", [(organization, mark, limit) for organization in organizations]
    return sorted((event_of(row) for row in rows), key=lambda event: event.position or 0)[:limit]


def consumer_mark(consumer: str) -> Operation[int]:
    """How far a consumer has come (0: nothing yet)."""
    rows = yield "read_mark", [(consumer,)]
    return int(rows[0]["position"]) if rows else 0


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act of a person (or of the gateway) that must be accounted for. ``data`` holds no personal data."""

    actor: str
    act: str
    target: str
    reason: str | None = None
    data: str = "{}"


GENESIS = bytes(32)
"""What the first audit row takes for its predecessor's hash."""


def audit_hash(number: int, at: int, entry: AuditEntry, previous: bytes) -> bytes:
    """SHA-256 over the row and its predecessor's hash."""
    row = [number, at, entry.actor, entry.act, entry.target, entry.reason, entry.data]
    return hashlib.sha256(previous + json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()).digest()


def append_audit(entries: list[AuditEntry], at: int) -> Operation[None]:
    """Append to the chain. One appender at a time: it locks the chain's own row first."""
    yield "lock_audit", [()]
    last = yield "last_audit", [()]
    number, previous = (last[0]["number"], bytes(last[0]["hash"])) if last else (0, GENESIS)
    for entry in entries:
        number += 1
        digest = audit_hash(number, at, entry, previous)
        yield (
            "add_audit",
            [(number, at, entry.actor, entry.act, entry.target, entry.reason, entry.data, previous, digest)],
        )
        previous = digest
