"""Figures over time, made from numbered events by one consumer with a mark: per minute and hour, what went in and out."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from contracts.deliveries import FAILED_STATES, TAKEN_STATES
from gateway.store.engine import Operation, Row

CONSUMER: Final = "tally"

MINUTE: Final = 60
HOUR: Final = 3600
EVER: Final = 0
"""The step of what is counted for good: how deliveries ended, one row for each endpoint and end."""

LATENCY_MS: Final = (
    *(100, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000, 10_000, 30_000),
    *(60_000, 300_000, 1_800_000, 7_200_000),
)
"""Upper bounds of the classes that times from acceptance to delivery are counted in; the last class is open."""

_ENDS: Final = frozenset({*TAKEN_STATES, *FAILED_STATES})
_NUMBERED: Final = frozenset({"case.received", "agreement.concluded"})


def tally(batch: int, fold: Callable[[str], str]) -> Operation[int]:
    """Count the next events and move the mark, in one transaction; returns how many. One consumer at a time: the mark's row
    is locked. Also notes the case and agreement numbers that people search by."""
    marks = yield "lock_mark", [(CONSUMER,)]
    if not marks:
        yield "set_mark", [(CONSUMER, 0)]
        marks = yield "lock_mark", [(CONSUMER,)]
    rows = yield "events_to_tally", [(marks[0]["position"], batch)]
    if not rows:
        return 0
    counted: Counter[tuple[int, int, str]] = Counter()
    for row in rows:
        for series in _series(row):
            for step in (MINUTE, HOUR):
                counted[(step, row["at"] - row["at"] % (step * 1000), series)] += 1
            if series.startswith("out|"):
                counted[(EVER, 0, series)] += 1
    if counted:
        yield "add_tally", [(*key, many) for key, many in sorted(counted.items())]
    new = sorted({row["about"] for row in rows if row["type"] in _NUMBERED})
    if new:
        matters = yield "subject_matter", [(about,) for about in new]
        subjects = {row["about"]: row["subject"] for row in rows}
        numbers = [
            _number(matter["id"], subjects[matter["id"]], fold(matter["business_key"].partition("|")[2]))
            for matter in matters
        ]
        yield "add_number", numbers
    yield "set_mark", [(CONSUMER, rows[-1]["position"])]
    return len(rows)


def _number(about: str, subject: str, folded: str) -> tuple[object, ...]:
    return (folded, about, folded[::-1], subject)


def _series(row: Row) -> Iterable[str]:
    if row["message_type"] is not None and not row["type"].startswith("delivery."):  # else: one translated anew
        yield f"in|{row['organization']}"
        yield f"from|{row['message_source']}"
    noun, _, word = row["type"].partition(".")
    endpoint, created_at = row["delivery_endpoint"], row["delivery_created"]
    if noun == "delivery" and word in _ENDS and endpoint is not None and created_at is not None:
        yield f"out|{endpoint}|{word}"
        if word == "delivered":
            yield f"good|{row['delivery_source']}"
        elif word in FAILED_STATES:
            yield f"bad|{row['delivery_source']}|{row['delivery_code'] or word}"
        if word == "delivered":
            took = max(row["at"] - created_at, 0)
            yield f"took|{endpoint}|{bisect_left(LATENCY_MS, took)}"


def quantile(classes: Counter[int], part: float) -> int | None:
    """The upper bound in ms of the class that holds this part (0…1) of the counted times; ``None`` where none is counted."""
    total = sum(classes.values())
    if not total:
        return None
    wanted, seen = part * total, 0
    for place in sorted(classes):
        seen += classes[place]
        if seen >= wanted:
            return LATENCY_MS[min(place, len(LATENCY_MS) - 1)]
    return LATENCY_MS[-1]
