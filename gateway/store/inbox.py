"""Platforms' words: kept raw and sealed before they are answered, handed out to be applied, at most once each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.store.engine import Operation
from gateway.store.ids import PREFIXES, made_at

_CLOCKS_APART_MS = 60_000
"""Ids are made by a process's clock, calls are kept by the database's."""


@dataclass(frozen=True, slots=True)
class NewCallback:
    """A raw call (or one polled item) to keep."""

    id: str
    endpoint: str
    event_id: str
    digest: str
    call_sealed: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """``fresh``: kept for the first time. ``conflict``: the number was known with other content; kept beside the first."""

    id: str
    fresh: bool
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class DueCallback:
    """A stored call whose turn it is. ``matched``: the delivery that a person said it is about."""

    id: str
    endpoint: str
    event_id: str
    digest: str
    state: str
    tries: int
    call_sealed: bytes
    received_at: int
    matched: str | None = None


def keep(calls: list[NewCallback]) -> Operation[list[Stored]]:
    """Store raw calls; a number known with the same content is a duplicate, with other content is kept beside it."""
    fresh = {row["id"] for row in (yield "store_callback", [_row(call, call.event_id) for call in calls])}
    if fresh:
        yield "notify_call", [()]
    known = [call for call in calls if call.id not in fresh]
    found = {}
    if known:
        rows = yield "find_callback", [(call.endpoint, call.event_id) for call in known]
        found = {(row["endpoint"], row["event_id"]): row for row in rows}
    outcomes = []
    for call in calls:
        if call.id in fresh:
            outcomes.append(Stored(call.id, fresh=True))
            continue
        first = found[(call.endpoint, call.event_id)]
        if first["digest"] == call.digest:
            # Under the very same id it was kept by a commit whose answer was lost.
            outcomes.append(Stored(first["id"], fresh=first["id"] == call.id))
            continue
        beside = yield "store_callback", [_row(call, f"{call.event_id}#{call.digest[:16]}")]
        outcomes.append(Stored(call.id, fresh=bool(beside), conflict=True))
    return outcomes


def _row(call: NewCallback, event_id: str) -> tuple[object, ...]:
    return (call.id, call.endpoint, event_id, call.digest, call.call_sealed)


def keep_page(endpoint: str, calls: list[NewCallback], cursor: str, wait_ms: int) -> Operation[list[Stored]]:
    """A polled page and the cursor behind it, in one transaction."""
    outcomes: list[Stored] = []
    if calls:
        outcomes = yield from keep(calls)
    yield "set_cursor", [(endpoint, cursor)]
    yield "set_poll_at", [(endpoint, wait_ms)]
    yield "note_poll", [(endpoint,)]
    return outcomes


def take_due(batch: int, lease_ms: int) -> Operation[list[DueCallback]]:
    """Stored calls (and orphans whose time has come), leased for ``lease_ms``."""
    rows = yield "due_callbacks", [(batch, lease_ms)]
    return [
        DueCallback(
            row["id"],
            row["endpoint"],
            row["event_id"],
            row["digest"],
            row["state"],
            row["tries"],
            row["call_sealed"],
            row["received_at"],
            row["matched"],
        )
        for row in sorted(rows, key=lambda row: (row["received_at"], row["id"]))
    ]


def wake(numbered: Iterable[tuple[str, str]]) -> Operation[None]:
    """Things (endpoint, id) have got a number of that platform: its orphans (孤儿回调) that may be about them are looked at
    again, those that stand before a person as well. No waits would be long enough: a platform may be away for days between
    taking a filing and telling its number.

    A word about a thing is not older than the thing, except about a referral, which we know by its offer alone. What the looks
    cost is bounded by what people leave open: one whose task is closed rests."""
    since: dict[str, int] = {}
    for endpoint, about in numbered:
        made = None if about.startswith(PREFIXES["referral"]) else made_at(about.partition("/")[0])
        at = max((made or 0) - _CLOCKS_APART_MS, 0)
        since[endpoint] = min(since.get(endpoint, at), at)
    if since:
        yield "wake_orphans", sorted(since.items())
