"""Runs the measurements and writes their figures.

``python -m tests.bench`` measures everything (about half an hour); ``--quick`` shows in minutes that every measurement still
works, and its figures mean little; ``--only a,d`` chooses; ``--only g --seconds 3600`` runs for an hour.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench import backlog, chain, delivery, intake, latency, months, scaling, soak
from tests.bench.figures import Result, keep, table
from tests.bench.ground import Ground, versions

MEASUREMENTS: dict[str, Callable[[Ground, float, int], Result]] = {
    "a": intake.measure,
    "b": delivery.measure,
    "c": chain.measure,
    "d": latency.measure,
    "e": scaling.measure,
    "f": backlog.measure,
    "g": soak.measure,
    "h": months.measure,
}


def main(arguments: list[str]) -> int:
    """Measure; 1 where a measurement could not be made. Whether a goal is met is printed, not judged: machines are shared."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="一轮小样本 one small round of each")
    parser.add_argument("--rounds", type=int, default=3, help="每项轮数 rounds of each (3)")
    parser.add_argument("--scale", type=float, default=1.0, help="样本倍数 how large the samples are (1)")
    parser.add_argument("--seconds", type=float, help="长跑 g 的秒数 how long g is (600 × scale)")
    parser.add_argument("--only", default=",".join(MEASUREMENTS), help="只测这些 only these, such as a,d")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results", help="结果目录 where figures go")
    told = parser.parse_args(arguments)
    scale, rounds = (0.05, 1) if told.quick else (told.scale, told.rounds)
    results, failed = [], 0
    for name in told.only.split(","):
        measure = MEASUREMENTS[name.strip()]
        large = told.seconds / soak.SECONDS if told.seconds and measure is soak.measure else scale
        print(f"{name}: {(measure.__module__ or '').rpartition('.')[2]}", flush=True)
        try:
            with Ground() as ground:
                results.append(measure(ground, large, rounds))
        except Exception as error:  # the others can still be measured
            failed += 1
            print(f"  没有测成 could not be measured: {type(error).__name__}: {error}", file=sys.stderr)
    raw = keep(results, versions(), told.out)
    print("\n" + table(results))
    print(f"原始数据 raw samples: {raw}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
