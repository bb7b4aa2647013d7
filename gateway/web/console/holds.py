"""Holds of platforms as people see them: who paused what and why, windows that come, and what a case or delivery waited for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from gateway.store import pauses
from gateway.store.casefile import DeliveryRow
from gateway.store.engine import Row
from gateway.web.console.desk import Visit

_MOST: Final = 50
RATES: Final = (60, 120, 300, 600, 1_200)
"""Rates that a platform may be taken up again at, per minute."""


def view(visit: Visit, row: Row) -> dict[str, Any]:
    """One hold: its times, by whom and why, and where it stands: coming, lasting, over, back (taken back), missed."""
    if row["began_at"] is not None:
        word = "lasting" if row["ended_at"] is None else "over"
    elif row["ended_at"] is None:
        word = "coming"
    else:
        word = "missed" if row["end_reason"] == "missed" else "back"
    by_itself = (row["ended_by"] or "").startswith(pauses.WINDOW)
    return {
        "id": row["id"],
        "endpoint": row["endpoint"],
        "planned": bool(row["planned"]),
        "word": word,
        "who": visit.who(row["actor"]),
        "reason": visit.cause(row["reason"]) if row["actor"] in ("gateway", "platform") else row["reason"],
        "per_minute": row["per_minute"],
        "starts": row["began_at"] or row["starts_at"],
        "ends": row["ended_at"] or row["ends_at"],
        "ended_by": "" if by_itself else visit.who(row["ended_by"]),
        "end_reason": row["end_reason"] if row["end_reason"] != "missed" else "",
    }


@dataclass(frozen=True, slots=True)
class Held:
    """Why a platform takes nothing just now: ``paused`` by a person or a window, ``open``: by our breaker after failures,
    ``quiet``: the platform asked for patience. ``until``: when it ends by itself, ``None`` where nobody knows."""

    word: str
    until: int | None = None


async def held(visit: Visit) -> dict[str, Held]:
    """The platforms that take nothing just now."""
    found = {}
    for row in await visit.desk.store.rows("all_endpoints"):
        later = row["quiet_until"] if row["quiet_until"] > visit.now else None
        if row["paused"]:
            found[row["name"]] = Held("paused")
        elif row["breaker"] != "closed":
            found[row["name"]] = Held("open", later)
        elif later is not None:
            found[row["name"]] = Held("quiet", later)
    return found


async def open_windows(visit: Visit) -> list[dict[str, Any]]:
    """Windows that last or come, the soonest first."""
    rows = [row for row in await visit.desk.store.rows("open_holds") if row["planned"]]
    return [view(visit, row) for row in sorted(rows, key=lambda row: row["starts_at"])]


async def of_platform(visit: Visit, endpoint: str, most: int = _MOST) -> list[dict[str, Any]]:
    """A platform's holds, newest first."""
    return [view(visit, row) for row in await visit.desk.store.rows("holds_of", endpoint, most)]


async def of_deliveries(visit: Visit, deliveries: Iterable[DeliveryRow]) -> list[dict[str, Any]]:
    """The holds that these deliveries met, oldest first: what began while one waited, or lasted when it was made."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for one in deliveries:
        spans.setdefault(one.endpoint, []).append((one.created_at, one.finished_at or visit.now))
    found = []
    for endpoint, times in sorted(spans.items()):
        for row in await visit.desk.store.rows("holds_of", endpoint, _MOST):
            began, ended = row["began_at"], row["ended_at"] or visit.now
            if began is not None and any(began < until and since < ended for since, until in times):
                found.append(view(visit, row))
    return sorted(found, key=lambda one: int(one["starts"]))
