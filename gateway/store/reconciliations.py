"""A reconciliation's rows in transactions of their own: a page and the place behind it are written together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.store.engine import Operation
from gateway.store.journal import AuditEntry, append_audit
from gateway.store.once import take_key
from gateway.store.unit import Key


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a reconciliation goes on, and what this page adds to its counts. ``cursor`` is kept where it is given."""

    phase: str
    place: str | None
    cursor: str | None = None
    held: int = 0
    compared: int = 0
    unasked: int = 0


def ask(row: tuple[object, ...], entry: AuditEntry | None, at: int, key: Key | None = None) -> Operation[bool]:
    """Make a reconciliation; ``False``: the day's own was made already."""
    yield from take_key(key)
    made = yield "add_reconciliation", [row]
    if made and entry is not None:
        yield from append_audit([entry], at)
    return bool(made)


def keep_page(
    reconciliation: str, differences: Sequence[tuple[str | None, ...]], progress: Progress, lease_ms: int
) -> Operation[int]:
    """What a page showed, once each, and the place behind it; returns how many differences were new."""
    found = (yield "add_difference", list(differences)) if differences else []
    yield (
        "move_reconciliation",
        [
            (
                reconciliation,
                progress.phase,
                progress.place,
                progress.cursor,
                progress.held,
                progress.compared,
                progress.unasked,
                len(found),
                lease_ms,
            )
        ],
    )
    return len(found)


def keep_listed(
    reconciliation: str,
    filings: Sequence[str],
    differing: Callable[[set[str]], Sequence[tuple[str | None, ...]]],
    progress: Progress,
    lease_ms: int,
) -> Operation[int]:
    """A page of a platform's filings: its ids are noted with what it showed. ``differing`` is told which were named twice."""
    twice = yield from see(reconciliation, filings)
    return (yield from keep_page(reconciliation, differing(twice), progress, lease_ms))


def see(reconciliation: str, filings: Sequence[str]) -> Operation[set[str]]:
    """Note the ids that a listing's page named; returns those that it had named before, or names twice."""
    many = Counter(filings)
    fresh = (yield "see_filing", [(reconciliation, filing) for filing in many]) if many else []
    known = {row["filing"] for row in fresh}
    return {filing for filing, times in many.items() if times > 1 or filing not in known}


def seen(reconciliation: str, filings: Sequence[str]) -> Operation[set[str]]:
    """Those of the ids that the listing has named."""
    rows = (yield "seen_filings", [(reconciliation, filing) for filing in filings]) if filings else []
    return {row["filing"] for row in rows}


def end(reconciliation: str, state: str, code: str | None) -> Operation[None]:
    """It is over; what only the comparing needed goes."""
    yield "end_reconciliation", [(reconciliation, state, code)]
    yield "forget_seen", [(reconciliation,)]


def heal(row: tuple[str, str, str, str], entry: AuditEntry, at: int, key: Key | None = None) -> Operation[bool]:
    """A person wants what was found mended; ``False``: it is not done comparing, or being mended already."""
    changed = yield "heal_reconciliation", [row]
    if changed:
        yield from take_key(key)
        yield from append_audit([entry], at)
    return bool(changed)


def put_before_person(
    task: tuple[object, ...], difference: tuple[str, str, str, str], entry: AuditEntry, at: int
) -> Operation[None]:
    """A difference that nobody but a person can mend: its task, its new state and the audit row."""
    yield "open_task", [task]
    yield "move_difference", [difference]
    yield from append_audit([entry], at)


def drop(reconciliation: str) -> Operation[None]:
    """An old one and what it found."""
    yield "forget_seen", [(reconciliation,)]
    yield "drop_differences", [(reconciliation,)]
    yield "drop_reconciliation", [(reconciliation,)]
