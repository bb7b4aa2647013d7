"""A hundred seeds on every change; the same seed is the same world; every planted bug is seen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.bugs import BUGS
from tests.simulation.many import Sum, outcomes, quiet, seek
from tests.simulation.world import play

_SEEDS = range(20_000, 20_100)


@pytest.mark.timeout(900)
def test_nothing_is_violated_under_any_seed() -> None:
    whole = Sum()
    for outcome in outcomes(_SEEDS, os.cpu_count() or 1):
        whole.add(outcome)
    assert whole.failed == {}
    assert whole.seeds == len(_SEEDS)
    for name in ("kills", "faults", "sleeps", "stalls", "store", "jumps"):
        assert whole.tried[name] > len(_SEEDS) / 10, f"{name} never happened: the simulation has lost its teeth"


def test_the_same_seed_is_the_same_world_whatever_python_hashes_by() -> None:
    quiet()
    here = play(20_007)
    code = "from tests.simulation import many, world; many.quiet(); print(world.play(20_007).trace)"
    for salt in ("1", "2"):
        there = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": salt},
        )
        assert there.stdout.strip() == here.trace
    assert play(20_008).trace != here.trace


@pytest.mark.timeout(900)
@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str) -> None:
    found = seek(bug, 100)
    assert found.seed is not None, f"{bug} is not seen within 100 seeds"
