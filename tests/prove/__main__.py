"""``python -m tests.prove --quick | --long``: every machine, one table, and the same as JSON beside it.

``--quick`` (the default) takes about four minutes on two quiet cores, ``--long`` hours. Single sizes: ``--seeds``, ``--kills``,
``--cases``, ``--aims`` and ``--gaps`` (0: every one), ``--stops``, ``--hangs``, ``--examples``, ``--losses``. ``--only NAME``
runs one.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.prove import machines
from tests.prove.shown import Shown, Wrong


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is tried."""

    seeds: int
    kills: int
    cases: int
    aims: int | None
    stops: int
    hangs: float
    examples: int
    gaps: int | None
    losses: int


QUICK = Sizes(seeds=40, kills=6, cases=120, aims=4, stops=2, hangs=30.0, examples=20, gaps=6, losses=20)
LONG = Sizes(
    seeds=10_000, kills=200, cases=20_000, aims=None, stops=40, hangs=600.0, examples=5_000, gaps=None, losses=1_000
)


_WIDTH = 160
"""Characters of the table, also where nobody looks at a terminal."""


def _chosen() -> tuple[argparse.Namespace, Sizes]:
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="the sizes of every change (the default)")
    size.add_argument("--long", action="store_true", help="the sizes of a release")
    parser.add_argument("--seeds", type=int, help="seeds of the simulation")
    parser.add_argument("--kills", type=int, help="SIGKILLs at random moments")
    parser.add_argument("--cases", type=int, help="cases that flow meanwhile")
    parser.add_argument("--aims", type=int, help="n-th system calls to hit; 0: every one")
    parser.add_argument("--gaps", type=int, help="gaps between steps to be killed in; 0: every one")
    parser.add_argument("--stops", type=int, help="SIGSTOPs past the lease")
    parser.add_argument("--hangs", type=float, help="virtual seconds that a platform hangs")
    parser.add_argument("--examples", type=int, help="random histories of the lifecycles")
    parser.add_argument("--losses", type=int, help="cases of which three in ten answers are lost, at each platform")
    parser.add_argument("--jobs", type=int, default=2, help="processes of the simulation")
    parser.add_argument("--seed", type=int, default=7, help="where chance begins")
    parser.add_argument(
        "--only", action="append", choices=sorted(machines.MACHINES), help="this machine alone; may repeat"
    )
    parser.add_argument("--json", type=Path, default=Path("prove.json"), help="the table as JSON, default prove.json")
    chosen = parser.parse_args()
    base = LONG if chosen.long else QUICK
    given = {name: getattr(chosen, name) for name in Sizes.__slots__ if getattr(chosen, name) is not None}
    given |= {name: None for name in ("aims", "gaps") if given.get(name) == 0}
    return chosen, Sizes(**{name: given.get(name, getattr(base, name)) for name in Sizes.__slots__})


def _table(rows: list[Shown], versions: str) -> Table:
    made = Table(title=versions)
    made.add_column("机器 machine", no_wrap=True)
    for name in (
        "故障 faults",
        "丢失 lost",
        "重复 doubled",
        "乱序 reordered",
        "误报 false",
        "恢复 recovery s",
        "种子 seed",
    ):
        made.add_column(name, justify="right")
    made.add_column("历时 s", justify="right")
    made.add_column("")
    for row in rows:
        wrong = [str(row.count(kind)) for kind in Wrong]
        seed = "–" if row.seed is None else str(row.seed)
        mark = "ok" if row.holds else "FAILED"
        made.add_row(row.machine, str(row.tried), *wrong, row.recovery(), seed, f"{row.seconds:.0f}", mark)
    return made


def main() -> int:
    """Exit code 0: every machine tried something, and nothing was wrong."""
    chosen, sizes = _chosen()
    console = Console()
    if console.width < _WIDTH:
        console = Console(width=_WIDTH)
    versions = f"gateway {version('mediation-gateway')}, Python {platform.python_version()}, {machines.engines()}"
    rows: list[Shown] = []
    every = [name for name in machines.MACHINES if chosen.long or name not in machines.LONG_ALONE]
    for name in chosen.only or every:
        run: Callable[[machines.Asked], Shown] = machines.MACHINES[name]
        asked = machines.Asked(chosen.seed, chosen.jobs, **{name: getattr(sizes, name) for name in Sizes.__slots__})
        row = _row(name, run, asked)
        rows.append(row)
        console.print(f"{row.machine}: {'ok' if row.holds else 'FAILED'}, {row.seconds:.0f} s")
        for what in row.told():
            console.print(f"  {what}", markup=False, style="dim", highlight=False)
        for what in [*map(str, row.faults), *row.missed]:
            console.print(f"  {what}", markup=False)
        _write(chosen.json, rows, versions)
    console.print(_table(rows, versions))
    return 0 if all(row.holds for row in rows) else 1


def _row(name: str, run: Callable[[machines.Asked], Shown], asked: machines.Asked) -> Shown:
    """The machine's row; of one that breaks, a row that does not hold: the others go on, and there is a table."""
    try:
        return run(asked)
    except Exception as error:  # whatever it is, it is the row's
        traceback.print_exc()
        return Shown(name, missed=[f"the machine broke: {type(error).__name__}: {error}"])


def _write(path: Path, rows: list[Shown], versions: str) -> None:
    found = [
        {
            "machine": row.machine,
            "holds": row.holds,
            "tried": row.tried,
            **{kind.value: row.count(kind) for kind in Wrong},
            "recovered_s": [round(seconds, 2) for seconds in row.recovered_s],
            "seed": row.seed,
            "seconds": round(row.seconds, 1),
            "figures": row.figures,
            "faults": [str(fault) for fault in row.faults],
            "missed": row.missed,
        }
        for row in rows
    ]
    path.write_text(json.dumps({"versions": versions, "machines": found}, ensure_ascii=False, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
