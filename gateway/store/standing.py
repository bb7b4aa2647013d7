"""What stands now, in bounded looks at indexes, and how many deliveries were ever there, from the tallies.

A look costs in proportion to what is open, never to what is stored. A count that reached ``COUNTED`` may be more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contracts.deliveries import FAILED_STATES, OPEN_STATES
from gateway.store.console import made_at
from gateway.store.engine import Operation
from gateway.store.ids import PREFIXES
from gateway.store.tally import CONSUMER, EVER

COUNTED: Final = 100_000
WEBHOOKS: Final = "webhook"
"""What all webhooks together are called."""

OPEN_CALLS: Final = ("stored", "orphan", "unreadable")
BANDS: Final = (("overdue", 0), ("1d", 1), ("3d", 3), ("7d", 7))
"""Running clocks by the days that are left; the names of the bands, and how many days after today each ends."""


@dataclass(slots=True)
class Standing:
    """Counts. ``deliveries``: by endpoint, class and state, open and failed ones; ``ended``: by endpoint and end, ever;
    ``oldest``: of what is pending, when it was made (ms), by endpoint and class; ``clocks``: by band, each without the
    ones before it."""

    now: int
    deliveries: Counter[tuple[str, str, str]]
    ended: Counter[tuple[str, str]]
    oldest: dict[tuple[str, str], int]
    callbacks: Counter[tuple[str, str]]
    clocks: dict[str, int]
    endpoints: dict[str, tuple[bool, str, int]]
    tasks: int
    unnumbered: int
    untallied: int
    alerts: Counter[str]


def look(names: Sequence[str], now: int, ends: Sequence[str], most: int = COUNTED) -> Operation[Standing]:
    """Everything at one moment. ``ends``: the days (ISO) that the bands end before, as ``BANDS`` orders them."""
    deliveries: Counter[tuple[str, str, str]] = Counter()
    oldest: dict[tuple[str, str], int] = {}
    states = (*OPEN_STATES, *FAILED_STATES)
    rows = (yield "standing_of", [(s, name, most) for name in names for s in states]) if names else []
    found = [(row["endpoint"], row) for row in rows]
    low = PREFIXES["webhook"]
    rows = yield "standing_between", [(s, low, low[:-1] + chr(ord(low[-1]) + 1), most) for s in states]
    for endpoint, row in [*found, *((WEBHOOKS, row) for row in rows)]:
        deliveries[(endpoint, row["class"], row["state"])] += row["many"]
        if row["state"] == "pending":
            oldest[(endpoint, row["class"])] = made_at(row["oldest"]) or now
    ended: Counter[tuple[str, str]] = Counter()
    for row in (yield "tallies_since", [(EVER, 0, 10_000)]):
        _, endpoint, word = row["series"].split("|", 2)
        ended[(endpoint, word)] += row["many"]
    calls = yield "callbacks_in", [(state, most) for state in OPEN_CALLS]
    upto = [row["many"] for row in (yield "clocks_before", [(day, most) for day in ends])]
    places = yield "all_endpoints", [()]
    tasks = yield "count_tasks", [(most,)]
    fresh = yield "count_unnumbered", [(most,)]
    log = yield "log_position", [()]
    mark = yield "read_mark", [(CONSUMER,)]
    alerts = yield "open_alerts", [()]
    return Standing(
        now=now,
        deliveries=deliveries,
        ended=ended,
        oldest=oldest,
        callbacks=Counter({(row["endpoint"], row["state"]): row["many"] for row in calls}),
        clocks={name: upto[at] - (upto[at - 1] if at else 0) for at, (name, _) in enumerate(BANDS)},
        endpoints={
            row["name"]: (bool(row["paused"]), row["breaker"], row["failures"])
            for row in places
            if row["name"] in names
        },
        tasks=tasks[0]["many"],
        unnumbered=fresh[0]["many"],
        untallied=log[0]["position"] - (mark[0]["position"] if mark else 0),
        alerts=Counter(row["rule"] for row in alerts),
    )
