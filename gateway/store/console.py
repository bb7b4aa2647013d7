"""What the console's lists and figures read: each an operation over bounded index look-ups, at one moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from contracts.deliveries import FAILED_STATES, OPEN_STATES, DeliveryState
from gateway.store.engine import Operation, Row, Rows
from gateway.store.ids import id_at as id_at
from gateway.store.ids import made_at as made_at
from gateway.store.tally import HOUR, MINUTE

FIRST: Final = ""
LAST: Final = "zzz"
"""Sorts after every id, whatever the database's collation."""

EXAMINED: Final = 4000
"""Rows that one page looks through at the most, where a filter has no index of its own."""

_AT_ONCE: Final = 100
"""Organisations that are asked for in one statement."""

COUNTED: Final = 10_000
"""Counts go no further than this; a count that reached it reads "10,000 or more"."""


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries a list shows. Empty tuples do not filter. ``subjects`` are cases; ``after`` and ``before`` bound ids."""

    states: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    retrying: bool | None = None
    after: str = FIRST
    before: str = LAST

    @property
    def residual(self) -> bool:
        """Whether something is asked that no index carries."""
        return bool(self.types or self.codes or self.organizations or self.retrying is not None) or (
            bool(self.subjects) and bool(self.states or self.endpoints)
        )

    @property
    def empty(self) -> bool:
        """Whether everything matches."""
        return self == DeliveryFilter()


@dataclass(slots=True)
class DeliveryPage:
    """Rows, newest first; ``before`` is where to go on (``None``: the end); ``looked`` says how many were looked through."""

    rows: Rows
    before: str | None
    looked: int
    matters: dict[str, Row] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    durations: dict[str, int] = field(default_factory=dict)


def find_deliveries(wanted: DeliveryFilter, every: Sequence[str], size: int) -> Operation[DeliveryPage]:
    """One page of deliveries; ``every`` names all endpoints there are."""
    page = yield from _matching(wanted, every, size)
    yield from decorate(page)
    return page


def _matching(wanted: DeliveryFilter, every: Sequence[str], size: int) -> Operation[DeliveryPage]:
    chunk = 400 if wanted.residual else size + 1
    kept: Rows = []
    before, looked = wanted.before, 0
    while True:
        rows = yield from _chunk(wanted, every, before, chunk)
        looked += len(rows)
        matters: dict[str, Row] = {}
        if wanted.organizations and rows:
            found = yield "subject_matter", [(subject,) for subject in sorted({row["subject"] for row in rows})]
            matters = {row["id"]: row for row in found}
        kept += [row for row in rows if _matches(wanted, row, matters)]
        if len(kept) > size:
            return DeliveryPage(kept[:size], kept[size - 1]["id"], looked)
        if len(rows) < chunk:
            return DeliveryPage(kept, None, looked)
        before = rows[-1]["id"]
        if looked >= EXAMINED:
            return DeliveryPage(kept, before, looked)


def _chunk(wanted: DeliveryFilter, every: Sequence[str], before: str, most: int) -> Operation[Rows]:
    if wanted.subjects:
        asked = [(subject, wanted.after, before, most) for subject in wanted.subjects]
        rows = yield "newest_deliveries_of", asked
    elif wanted.states or wanted.endpoints:
        pairs = product(wanted.states or tuple(DeliveryState), wanted.endpoints or every)
        rows = yield (
            "newest_deliveries_in",
            [(state, endpoint, wanted.after, before, most) for state, endpoint in pairs],
        )
    else:
        rows = yield "newest_deliveries", [(wanted.after, before, most)]
    return sorted(rows, key=lambda row: str(row["id"]), reverse=True)[:most]


def _matches(wanted: DeliveryFilter, row: Row, matters: dict[str, Row]) -> bool:
    matter = matters.get(row["subject"])
    return (
        (not wanted.states or row["state"] in wanted.states)
        and (not wanted.endpoints or row["endpoint"] in wanted.endpoints)
        and (not wanted.types or row["type"] in wanted.types)
        and (not wanted.codes or (row["code"] or "") in wanted.codes)
        and (wanted.retrying is None or wanted.retrying == (row["code"] is not None))
        and (not wanted.organizations or (matter is not None and matter["organization"] in wanted.organizations))
    )


def decorate(page: DeliveryPage) -> Operation[None]:
    """Add what the rows hang on: the case's number and organisation, the source, the length of the last attempt."""
    if not page.rows:
        return
    matters = yield "subject_matter", [(subject,) for subject in sorted({row["subject"] for row in page.rows})]
    page.matters = {row["id"]: row for row in matters}
    sources = yield "message_source", [(message,) for message in sorted({row["message"] for row in page.rows})]
    page.sources = {row["id"]: row["source"] for row in sources}
    tried = [(row["id"], row["attempts"]) for row in page.rows if row["attempts"]]
    if tried:
        attempts = yield "attempt", tried
        page.durations = {row["delivery"]: row["duration_ms"] for row in attempts}


def count_matching(wanted: DeliveryFilter, every: Sequence[str]) -> Operation[int | None]:
    """How many match, at most ``COUNTED``; ``None`` where no index counts them."""
    if wanted.residual or wanted.subjects:
        return None
    if not (wanted.states or wanted.endpoints):
        rows = yield "count_all_deliveries", [(wanted.after, wanted.before, COUNTED)]
        return rows[0]["many"]
    pairs = product(wanted.states or tuple(DeliveryState), wanted.endpoints or every)
    rows = yield (
        "count_deliveries",
        [(state, endpoint, wanted.after, wanted.before, COUNTED) for state, endpoint in pairs],
    )
    return int(min(sum(row["many"] for row in rows), COUNTED))


# ---------------------------------------------------------------------------------------------------------------- figures


@dataclass(slots=True)
class Figures:
    """What stands now and what flowed in the window: everything that overview, platforms and wall show."""

    now: int
    since: int
    step: int
    endpoints: Rows
    standing: dict[str, Counter[str]]
    oldest: dict[str, int]
    series: Counter[str]
    buckets: dict[str, dict[int, int]]
    callbacks: Counter[str]
    tasks: int
    newest_task: str
    clocks: Rows
    over: Rows
    jobs: Rows
    position: int

    def total(self, state: str) -> int:
        """A state's count over all endpoints."""
        return sum(counts[state] for counts in self.standing.values())


def figures(
    names: Sequence[str], now: int, window_ms: int, clocks_before: str, over_since: str, most_clocks: int
) -> Operation[Figures]:
    """Counts of these endpoints and the window's series. ``clocks`` run out before a day, ``over`` have since another.
    ``standing`` counts pending without and with a failure apart (``pending``, ``retrying``)."""
    rows = yield "all_endpoints", [()]
    endpoints = [row for row in rows if row["name"] in names]
    states = (*OPEN_STATES, *FAILED_STATES)
    standing: dict[str, Counter[str]] = {name: Counter() for name in names}
    oldest: dict[str, int] = {}
    if names:
        counts = yield "count_deliveries", [(s, name, FIRST, LAST, COUNTED) for name in names for s in states]
        for row in counts:
            standing[row["endpoint"]][row["state"]] = row["many"]
            if row["state"] == "pending" and row["oldest"] is not None:
                oldest[row["endpoint"]] = made_at(row["oldest"]) or now
        retrying = yield "count_retrying", [(name, COUNTED) for name in names]
        for row in retrying:
            standing[row["endpoint"]]["retrying"] = row["many"]
            standing[row["endpoint"]]["pending"] = max(standing[row["endpoint"]]["pending"] - row["many"], 0)
    step = MINUTE if window_ms <= 3_600_000 else HOUR
    since = (now - window_ms) // (step * 1000) * (step * 1000) + step * 1000
    series: Counter[str] = Counter()
    buckets: dict[str, dict[int, int]] = {}
    tallied = yield "tallies_since", [(step, since, 100_000)]
    for row in tallied:
        series[row["series"]] += row["many"]
        buckets.setdefault(row["series"], {})[row["at"]] = row["many"]
    calls = yield "count_callbacks", [(state, COUNTED) for state in ("stored", "orphan", "unreadable")]
    tasks = yield "count_tasks", [(COUNTED,)]
    clocks = yield "clocks_until", [(clocks_before, most_clocks)]
    over = yield "clocks_over", [(over_since, most_clocks)]
    jobs = yield "job_marks", [(20,)]
    position = yield "log_position", [()]
    return Figures(
        now=now,
        since=since,
        step=step,
        endpoints=endpoints,
        standing=standing,
        oldest=oldest,
        series=series,
        buckets=buckets,
        callbacks=Counter({row["state"]: row["many"] for row in calls}),
        tasks=tasks[0]["many"],
        newest_task=tasks[0]["newest"] or "",
        clocks=clocks,
        over=over,
        jobs=jobs,
        position=position[0]["position"],
    )


def groups(endpoints: Sequence[str], since: int) -> Operation[Rows]:
    """Failures by endpoint, cause, type and state: those that ended, then those that are tried again."""
    if not endpoints:
        return []
    ended = yield "failed_groups", [(name, since) for name in endpoints]
    trying = yield "retrying_groups", [(name, 100) for name in endpoints]
    return [*ended, *trying]


def for_subjects(subjects: Sequence[str], statement: str) -> Operation[dict[str, Rows]]:
    """The rows of one statement by subject."""
    found: dict[str, Rows] = {subject: [] for subject in subjects}
    if subjects:
        rows = yield statement, [(subject,) for subject in subjects]
        for row in rows:
            found[row["subject"]].append(row)
    return found


def newest_cases_in(organizations: Sequence[str], after: str, before: str, most: int) -> Operation[Rows]:
    """The newest cases of these organisations together, newest first."""
    rows: Rows = []
    for start in range(0, len(organizations), _AT_ONCE):
        asked = [(one, after, before, most) for one in organizations[start : start + _AT_ONCE]]
        found = yield "newest_cases_of", asked
        rows = sorted([*rows, *found], key=lambda row: str(row["id"]), reverse=True)[:most]
    return rows


def find_numbers(folded: str, most: int) -> Operation[Rows]:
    """Search numbers: the exact ones first, then what begins so, then what ends so."""
    exact = yield "numbers_between", [(folded, folded + "\x01", most)]
    begins = yield "numbers_between", [(folded, folded + "\uffff", most)]
    ends: Rows = []
    if len(folded) >= 3:
        ends = yield "numbers_ending", [(folded[::-1], folded[::-1] + "\uffff", most)]
    rows = {(row["folded"], row["about"]): row for row in [*exact, *begins, *ends]}
    return list(rows.values())[:most]


def verify_audit(
    after: int, previous: bytes, most: int, digest: Callable[[Row, bytes], bytes]
) -> Operation[tuple[int, bytes, int | None]]:
    """Follow the chain over the next rows: the last number, its hash, and the number of the first row that breaks it."""
    rows = yield "audit_from", [(after, most)]
    for row in rows:
        if row["number"] != after + 1 or row["previous"] != previous or digest(row, previous) != row["hash"]:
            return row["number"], previous, row["number"]
        after, previous = row["number"], row["hash"]
    return after, previous, None
