"""Where a platform's word hangs in the trace of what it is about, and how long what it says is there took to get there."""

from __future__ import annotations

from typing import Final

from gateway.store.engine import many
from gateway.store.store import Store
from gateway.store.unit import Committed, Outcome, Unit

_REST_S: Final = 3600.0
_KEPT_MS: Final = 40 * 86_400_000
"""Longer than the longest schedule of tries."""


async def commit_traced(store: Store, unit: Unit, endpoint: str, call: str | None) -> Outcome:
    """Commit what a word changes: a step below the one that made its message, linked to the call that brought it."""
    if not store.tracer.on:
        return await store.commit(unit)
    about = await _message_of(store, unit)
    rows = await store.runner.read(many, "traces_of", [(thing,) for thing in (about, call) if thing])
    known = {row["thing"]: row["traceparent"] for row in rows}
    came = known.get(call or "")
    parent = known.get(about or "") or came
    links = () if came is None or parent == came else (came,)
    with store.tracer.span("apply", parent=parent, links=links, kind="consumer", endpoint=endpoint) as span:
        unit.trace = span.traceparent
        outcome = await store.commit(unit)
        span.set(outcome=type(outcome).__name__.lower())
        return outcome


async def _message_of(store: Store, unit: Unit) -> str | None:
    """The message that a word's unit is about: its delivery's, else the last one about the thing that it moves."""
    if unit.delivery_moves:
        row = await store.row("delivery", unit.delivery_moves[0].id)
        return None if row is None else row["message"]
    row = await store.row("matter", unit.matter_moves[0].id if unit.matter_moves else unit.subject)
    return None if row is None else row["message"]


async def tell_delivered(store: Store, unit: Unit, outcome: Outcome) -> None:
    """Whoever watches hears of deliveries that are there by a platform's later word."""
    if not isinstance(outcome, Committed):
        return
    for move in unit.delivery_moves:
        if move.after == "delivered":
            row = await store.row("delivery", move.id)
            if row is not None:
                store.watch.delivered(move.endpoint, row["class"], (store.now_ms() - row["created_at"]) / 1000)


async def forget_traces(store: Store) -> float:
    """Drop what nothing can hang on any more; returns how long to rest."""
    await store.write("drop_traces", (store.now_ms() - _KEPT_MS,))
    return _REST_S
