"""Pauses of endpoints and their ends, told to the owners whose deliveries wait there (``platforms/webhook.md`` §4)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gateway.store.engine import Operation
from gateway.store.ids import Ids
from gateway.store.webhooks import is_webhook


def pause(rows: Sequence[tuple[str, str, str]], ids: Ids) -> Operation[list[str]]:
    """Pause endpoints (name, by whom, why); returns those that were not paused before."""
    found = yield "pause_endpoint", rows
    names = sorted({row["name"] for row in found})
    yield from _tell(names, "endpoint.paused", ids)
    return names


def resume(name: str, ids: Ids) -> Operation[list[str]]:
    """Let an endpoint flow again, its breaker and quiet time forgotten; returns its name where there is such an endpoint."""
    held = yield "lock_paused", [(name,)]
    found = yield "resume_endpoint", [(name,)]
    yield from _tell([row["name"] for row in held], "endpoint.resumed", ids)
    return [row["name"] for row in found]


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
