"""Many seeds on every core, and how soon a planted bug is found."""

from __future__ import annotations

import logging
import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import structlog

from tests.simulation.bugs import BUGS
from tests.simulation.world import Outcome, play

WITHIN = 500
"""Seeds within which every planted bug must be found."""


@dataclass(slots=True)
class Found:
    """How a planted bug fared: the first seed that shows it (``None``: none did) and what was seen."""

    bug: str
    seed: int | None
    what: str


@dataclass(slots=True)
class Sum:
    """Many outcomes together."""

    seeds: int = 0
    virtual_s: float = 0.0
    tried: Counter[str] = field(default_factory=Counter)
    failed: dict[int, list[str]] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """One more."""
        self.seeds += 1
        self.virtual_s += outcome.virtual_s
        self.tried.update(outcome.tried)
        if outcome.violations:
            self.failed[outcome.seed] = outcome.violations


def quiet() -> None:
    """The engine's own log is no part of the result."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def seek(bug: str, within: int = WITHIN) -> Found:
    """The first seed under which the simulation sees the bug."""
    quiet()
    for seed in range(within):
        outcome = play(seed, BUGS[bug])
        if outcome.violations:
            return Found(bug, seed, outcome.violations[0])
    return Found(bug, None, "")


def _play(seed: int) -> Outcome:
    quiet()
    return play(seed)


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def outcomes(seeds: Iterable[int], workers: int) -> Iterator[Outcome]:
    """Play the seeds, each in one of so many processes."""
    with _pool(workers) as pool:
        yield from pool.map(_play, seeds, chunksize=5)


def hunts(workers: int) -> Iterator[Found]:
    """Seek every planted bug."""
    with _pool(workers) as pool:
        yield from pool.map(seek, BUGS)
