"""A delivery's move, and the event that tells it (``webhook.md`` §4): one place for both.

An attempt's own end is written by the settlement, which uses ``told`` alone; everybody else moves a delivery by
``move_delivery``, as far as the table of ``contracts.deliveries`` lets his hand.
"""

from __future__ import annotations

from datetime import datetime

import orjson

from contracts.deliveries import YIELDING_STATES, Hand, may_move
from gateway.flow.moving.envelope import compact
from gateway.store.casefile import DeliveryRow
from gateway.store.ids import Ids
from gateway.store.unit import DeliveryMove, NewEvent, Unit

_LONGEST_CODE = 64
"""Characters of a platform's code that an event tells."""


def told(
    ids: Ids,
    delivery: str,
    message: str,
    endpoint: str,
    after: str,
    attempts: int,
    code: str | None,
    **more: str | None,
) -> NewEvent:
    """The event of a delivery that is ``after`` now: ids, state, count and code, and nothing of people."""
    facts: dict[str, object] = {
        "delivery": delivery,
        "message": message,
        "endpoint": endpoint,
        "status": after,
        "attempts": attempts,
    }
    if code:
        facts["code"] = code[:_LONGEST_CODE]
    data = compact(facts | more) if more else orjson.dumps(facts).decode()  # an attempt's end has nothing to leave out
    return NewEvent(ids.new("event"), f"delivery.{after}", delivery, data)


def move_delivery(
    unit: Unit,
    ids: Ids,
    hand: Hand,
    held: DeliveryRow,
    after: str,
    code: str | None = None,
    *,
    reasons: bytes | None = None,
    reference: str | None = None,
    wait_ms: int = 0,
    fresh: bool = False,
    at: datetime | None = None,
    by: str | None = None,
) -> None:
    """Move a delivery that is not in flight, and tell it. ``reasons`` are sealed; ``at`` is the platform's own time of it,
    ``by`` the delivery that takes its place; the rest as in ``DeliveryMove``.

    Raises:
        ValueError: this hand moves no delivery so.
    """
    if not may_move(hand, held.state, after):
        raise ValueError(f"no {hand} moves a delivery from {held.state} to {after}")
    step = DeliveryMove(held.id, held.endpoint, held.state, after, code, reasons, reference, wait_ms, fresh)
    unit.delivery_moves.append(step)
    said = None if at is None else at.isoformat()
    event = told(
        ids, held.id, held.message, held.endpoint, after, held.attempts, code, state_before=held.state, at=said, by=by
    )
    unit.events.append(event)


def yields(held: DeliveryRow) -> bool:
    """Whether a newer version takes its place: one whose answer was lost may be there, and is settled first."""
    return held.state in YIELDING_STATES and not (held.state == "pending" and held.doubt_at is not None)
