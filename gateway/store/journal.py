"""The events in the order of their commit: numbering, reading after a mark, and the audit chain."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

from gateway.store.engine import Operation, Row, Rows


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
    top = yield from lock_log()
    many = yield from numbered_quietly(top, limit)
    return many


def lock_log() -> Operation[int]:
    """Be the one that numbers until the commit; returns the highest position there is."""
    top: int = (yield "lock_log", [()])[0]["position"]
    return top


def numbered(top: int, limit: int) -> Operation[list[EventRow]]:
    """Under the log's lock: the events that were numbered, in order."""
    rows = yield from _numbered("number_events", top, limit)
    return sorted((event_of(row) for row in rows), key=lambda event: event.position or 0)


def numbered_quietly(top: int, limit: int) -> Operation[int]:
    """The same where nobody wants to know which: returns how many."""
    rows = yield from _numbered("number_quietly", top, limit)
    return len(rows)


def _numbered(statement: str, top: int, limit: int) -> Operation[Rows]:
    rows = yield statement, [(top, limit)]
    if rows:
        yield "move_log", [(top + len(rows),)]
        yield "notify_events", [()]
    return rows


def after(mark: int, limit: int) -> Operation[list[EventRow]]:
    """Numbered events after a position, in order."""
    rows = yield "events_after", [(mark, limit)]
    return [event_of(row) for row in rows]


def owned_after(organizations: tuple[str, ...], mark: int, limit: int) -> Operation[list[EventRow]]:
    """The same, of these organisations alone."""
    rows = yield "owned_events_after", [(organization, mark, limit) for organization in organizations]
    return sorted((event_of(row) for row in rows), key=lambda event: event.position or 0)[:limit]


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


def audited(statement: str, row: tuple[object, ...], entry: AuditEntry, at: int) -> Operation[bool]:
    """One write and its audit row, in one transaction; ``False``: the statement, which returns what it changed, changed
    nothing, and nothing was done."""
    changed = yield statement, [row]
    if changed:
        yield from append_audit([entry], at)
    return bool(changed)


class AuditFlaw(StrEnum):
    """What can be wrong at one place of the chain."""

    MISSING = "missing"
    """There is no row of this number: it was deleted."""
    CHANGED = "changed"
    """The row's content, number or hash is not what was written: it was changed, or moved to another place."""
    UNLINKED = "unlinked"
    """The row does not follow the one before it: one of the two was replaced."""
    CUT = "cut"
    """The chain does not hold the head that was kept elsewhere: its end was deleted, or the whole was written anew."""


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The chain's end: the number and hash of its last row. Kept outside of the table, it proves that nothing was cut off."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """Every flaw as (row number, what is wrong), in order; ``head`` is the chain's end as it stands."""

    flaws: tuple[tuple[int, AuditFlaw], ...]
    head: AuditHead

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.flaws


_PAGE = 1000


def verify_audit(kept: AuditHead | None = None) -> Operation[AuditVerdict]:
    """Read the whole chain and compute it again (审计链核验). ``kept`` is a head from before, from outside of the table: a
    plain chain cannot tell by itself that its last rows are gone."""
    flaws: list[tuple[int, AuditFlaw]] = []
    number, previous = 0, GENESIS
    held = kept is None or kept == AuditHead(0, GENESIS)
    while rows := (yield "audit_after", [(number, _PAGE)]):
        for row in rows:
            flaws += [(gone, AuditFlaw.MISSING) for gone in range(number + 1, row["number"])]
            entry = AuditEntry(row["actor"], row["act"], row["target"], row["reason"], row["data"])
            if audit_hash(row["number"], row["at"], entry, row["previous"]) != row["hash"]:
                flaws.append((row["number"], AuditFlaw.CHANGED))
            elif row["number"] == number + 1 and row["previous"] != previous:
                flaws.append((row["number"], AuditFlaw.UNLINKED))
            number, previous = row["number"], row["hash"]
            held = held or kept == AuditHead(number, previous)
    if kept is not None and not held:
        flaws.append((kept.number, AuditFlaw.CUT))
    return AuditVerdict(tuple(flaws), AuditHead(number, previous))
