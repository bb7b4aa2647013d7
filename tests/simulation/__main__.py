"""``python -m tests.simulation --seeds 10000``: many seeds, the planted bugs, and a table."""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import sys
import time

from tests.simulation.many import Sum, hunts, outcomes, quiet
from tests.simulation.world import play


def main() -> int:
    """Exit code 0: nothing was violated, every planted bug was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="one seed, twice: the trace must be the same")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--bugs", action="store_true", help="also seek the planted bugs")
    chosen = parser.parse_args()
    return _one(chosen.seed) if chosen.seed is not None else _many(chosen)


def _one(seed: int) -> int:
    quiet()
    first, second = play(seed), play(seed)
    print(f"seed {seed}: trace {first.trace}, {first.virtual_s:.1f} virtual s, {first.tried}")
    for violation in first.violations:
        print(f"  {violation}")
    if first.trace != second.trace:
        print(f"  NOT REPEATABLE: the second run's trace is {second.trace}")
    return int(bool(first.violations) or first.trace != second.trace)


def _many(chosen: argparse.Namespace) -> int:
    started, whole = time.monotonic(), Sum()
    for outcome in outcomes(range(chosen.first, chosen.first + chosen.seeds), chosen.workers):
        whole.add(outcome)
        if outcome.violations:
            print(f"seed {outcome.seed}: {outcome.violations}", flush=True)
    seconds = time.monotonic() - started
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {chosen.workers} processes")
    print(f"{'seeds':<12}{whole.seeds:>10}   from {chosen.first}, {seconds:.0f} s, {whole.seeds / seconds:.1f}/s")
    print(f"{'failed':<12}{len(whole.failed):>10}")
    print(f"{'virtual s':<12}{whole.virtual_s:>10.0f}")
    for name, many in sorted(whole.tried.items()):
        print(f"{name:<12}{many:>10}")
    missed = 0
    for found in hunts(chosen.workers) if chosen.bugs else ():
        missed += found.seed is None
        print(
            f"  {found.bug:<28}{'NOT FOUND' if found.seed is None else f'seed {found.seed}':<12}{found.what}",
            flush=True,
        )
    return int(bool(whole.failed) or missed > 0)


if __name__ == "__main__":
    sys.exit(main())
