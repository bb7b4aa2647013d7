"""更正代码: asked on the page of a refused delivery, done or refused by a second person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from gateway.flow.moving.order import Refused
from gateway.flow.operating.correction import CORRECTED, LONGEST, Place, places
from gateway.store.engine import Row
from gateway.web.console import bodies
from gateway.web.console.desk import Page, Visit

_FIELD: Final = "code:"
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """One correction as people see it."""

    id: str
    delivery: str
    state: str
    who: str
    reason: str
    changes: dict[str, str]
    approver: str
    made: str
    at: int
    own: bool


def _asked(visit: Visit, row: Row) -> Asked:
    return Asked(
        id=row["id"],
        delivery=row["delivery"],
        state=row["state"],
        who=visit.who(row["actor"]),
        reason=row["reason"],
        changes=visit.desk.hands.corrections.changes(row),
        approver=visit.who(row["approver"]),
        made=row["made"] or "",
        at=row["created_at"],
        own=row["actor"] == visit.actor,
    )


async def view(visit: Visit, delivery: Row) -> dict[str, Any]:
    """What the page of a delivery shows: open places, and what was asked before."""
    wire = bodies.wire_of(visit.desk.store, delivery)
    possible = delivery["state"] in CORRECTED and delivery["endpoint"] in visit.desk.house.endpoints
    possible = possible and delivery["class"] in ("standard", "statutory")
    open_places: list[Place] = places(wire) if wire is not None and possible else []
    rows = await visit.desk.store.rows("corrections_of", delivery["id"], _SHOWN)
    return {
        "open_places": open_places,
        "asked": [_asked(visit, row) for row in rows],
        "code_field": _FIELD,
        "code_longest": LONGEST,
    }


async def waiting(visit: Visit) -> list[Asked]:
    """What waits for a second person."""
    return [_asked(visit, row) for row in await visit.desk.store.rows("asked_corrections")]


async def ask(visit: Visit) -> Response:
    """Ask for other codes, with the form's reason."""
    delivery, reason = visit.request.path_params["id"], visit.form.text("reason")
    row = await visit.desk.store.row("delivery", delivery)
    wire = bodies.wire_of(visit.desk.store, row) if row is not None else None
    given = {one.pointer: visit.form.text(_FIELD + one.pointer, LONGEST) for one in (places(wire) if wire else [])}
    changes = {pointer: code for pointer, code in given.items() if code}
    await visit.desk.hands.corrections.ask(visit.principal, delivery, changes, reason)
    return visit.to(f"deliveries/{delivery}", done="correct_ask")


async def end(visit: Visit) -> Response:
    """Do it, or refuse it with a reason."""
    identifier, what = visit.request.path_params["id"], visit.request.path_params["act"]
    if what == "do":
        made = await visit.desk.hands.corrections.do(visit.principal, identifier)
        return visit.to(f"deliveries/{made}", done="correct")
    if what == "refuse":
        reason = visit.form.text("reason")
        if not reason:
            raise Refused(422, "reason_missing")
        await visit.desk.hands.corrections.refuse(visit.principal, identifier, reason)
        return visit.to("jobs")
    raise Refused(404, "not_found")


PAGES = (Page("/corrections/{id:str}/{act:str}", end, "approve", "POST"),)
