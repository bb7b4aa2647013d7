"""Pauses of endpoints and their ends, by hand and by the clock (维护时段): kept as holds, and told to the owners whose
deliveries wait there (``platforms/webhook.md`` §4).

A window is a pause that begins and ends by itself. It ends only what it began: an endpoint that a person paused, or took up
again within the window, stays as the person left it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from gateway.store.engine import Operation, Row
from gateway.store.ids import Ids
from gateway.store.webhooks import is_webhook

WINDOW = "window:"
"""By whom an endpoint is paused while a window lasts: this, and the hold's id."""


def pause(rows: Sequence[tuple[str, str, str]], ids: Ids) -> Operation[list[str]]:
    """Pause endpoints (name, by whom, why); returns those that were not paused before."""
    found = yield "pause_endpoint", rows
    names = sorted({row["name"] for row in found})
    yield from _tell(names, "endpoint.paused", ids)
    why = {name: (by, reason) for name, by, reason in rows}
    yield "add_hold", [(ids.new("hold"), name, *why[name]) for name in names if not is_webhook(name)]
    return names


def resume(name: str, ids: Ids, by: str = "", reason: str = "") -> Operation[list[str]]:
    """Let an endpoint flow again, its breaker and quiet time forgotten; returns its name where there is such an endpoint."""
    held = yield "lock_paused", [(name,)]
    found = yield "resume_endpoint", [(name,)]
    yield from _tell([row["name"] for row in held], "endpoint.resumed", ids)
    if held:
        yield "end_holds_of", [(name, by, reason)]
    return [row["name"] for row in found]


def plan(
    identifier: str, endpoint: str, by: str, reason: str, per_minute: int | None, starts_at: int, ends_at: int
) -> Operation[list[str]]:
    """Plan a window (times in ms; ``per_minute``: the rate of what waited, once it is over); returns its id, nothing where it
    would overlap another one of the endpoint."""
    row = (identifier, endpoint, by, reason, per_minute, starts_at, ends_at)
    return [found["id"] for found in (yield "plan_hold", [row])]


def take_back(identifier: str, by: str, reason: str) -> Operation[list[str]]:
    """Take a window back that has not begun; returns its id."""
    return [found["id"] for found in (yield "take_back_hold", [(identifier, by, reason)])]


def begin(window: Row, ids: Ids) -> Operation[None]:
    """A window's time has come: its endpoint holds, unless it holds already."""
    row = (window["endpoint"], WINDOW + window["id"], window["reason"])
    found = yield "pause_endpoint", [row]
    yield from _tell([one["name"] for one in found], "endpoint.paused", ids)
    yield "begin_hold", [(window["id"],)]


def end(window: Row, ids: Ids) -> Operation[None]:
    """A window's time is over: what it paused flows again."""
    name, by = window["endpoint"], WINDOW + window["id"]
    held = yield "lock_paused_by", [(name, by)]
    if held:
        yield "resume_endpoint", [(name,)]
        yield from _tell([name], "endpoint.resumed", ids)
    yield "end_hold", [(window["id"], by, "")]


def spread(endpoint: str, per_minute: int, before: int, most: int) -> Operation[int]:
    """Give what waits at a paused endpoint a time each, so that so many leave in a minute once it flows; ``before`` have got
    theirs in earlier batches. Returns how many were given one; again and again until none is left. Lanes in which
    something is bound by law come first, then what is oldest."""
    rows = yield "waiting_now", [(endpoint, most)]
    if not rows:
        return 0
    lanes = sorted({(endpoint, row["subject"]) for row in rows})
    yield "lock_lane", lanes
    # Each at least a moment off, so that the next batch does not find it again.
    waits = [(row["id"], (before + place) * 60_000 // per_minute + 1_000) for place, row in enumerate(rows)]
    yield "put_off", waits
    yield "rehead", lanes
    return len(rows)


def _tell(names: Sequence[str], kind: str, ids: Ids) -> Operation[None]:
    """One event for each owner with open deliveries there. What becomes of webhooks is told elsewhere."""
    platforms = [name for name in names if not is_webhook(name)]
    owners = yield "owners_waiting", [(name,) for name in platforms]
    if not owners:
        return
    subjects = sorted({_subject(row["endpoint"]) for row in owners})
    yield "ensure_subject", [(subject, "endpoint") for subject in subjects]
    locked = yield "lock_subject", [(subject,) for subject in subjects]
    at = {row["id"]: row["sequence"] for row in locked}
    events: list[tuple[object, ...]] = []
    for row in sorted(owners, key=lambda row: (row["endpoint"], row["organization"])):
        name, subject = row["endpoint"], _subject(row["endpoint"])
        at[subject] += 1
        data = json.dumps({"endpoint": name}, ensure_ascii=False, separators=(",", ":"))
        events.append((subject, at[subject], ids.new("event"), kind, name, row["organization"], data))
    yield "add_event", events
    yield "move_subject", sorted(at.items())


def _subject(endpoint: str) -> str:
    return f"endpoint:{endpoint}"
