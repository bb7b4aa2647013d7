"""The machines by name: each takes what was asked for and hands back its row."""

from __future__ import annotations

import asyncio
import os
import platform
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.demo.prove import Round, prove
from tests.faults import full_disk, gaps, lost_answers, syscalls
from tests.faults import hung as really_hung
from tests.processes import clocks, stopped
from tests.prove.shown import Fault, Shown, Wrong
from tests.simulation import hung
from tests.simulation.many import Sum, hunts, outcomes


@dataclass(frozen=True, slots=True)
class Asked:
    """The sizes of a run; see ``__main__``."""

    seed: int
    jobs: int
    seeds: int
    kills: int
    cases: int
    aims: int | None
    stops: int
    hangs: float
    examples: int
    gaps: int | None
    losses: int


def engines() -> str:
    """What was under the gateway."""
    return f"SQLite {sqlite3.sqlite_version}, {platform.system()} {platform.release()}, {os.cpu_count()} cores"


def _kills(asked: Asked) -> Shown:
    shown = Shown("随机断电 random SIGKILL, the whole demonstration", asked.seed)
    with TemporaryDirectory(prefix="prove-", ignore_cleanup_errors=True) as room:
        proof = prove(Round(asked.kills, asked.cases, asked.seed), Path(room))
        if not proof.holds:
            shown.missed += _unended(Path(room) / "prove.log")
    shown.tried, shown.recovered_s, shown.seconds = proof.kills, proof.recovered_s, proof.seconds
    for wrong in (Wrong.LOST, Wrong.DUPLICATED, Wrong.REORDERED):
        shown.add(Fault(wrong, "by the four ledgers") for _ in range(int(proof.summary.get(wrong.value, 0))))
    shown.add(Fault(Wrong.FALSE, "by the four ledgers") for _ in range(proof.false_delivered))
    shown.figures = {name: proof.summary.get(name, 0) for name in ("cases", "messages")}
    if not proof.holds and not shown.faults:
        shown.missed.append(proof.broken or f"the demonstration ended with {proof.code}")
    return shown


def _unended(log: Path) -> list[str]:
    """What the demonstration said last: its faults, and of each thing that had not ended what it waits for; or why it could
    not go on."""
    lines = log.read_text("utf-8").splitlines()
    return [line for line in lines if line.startswith((*(f"{wrong} " for wrong in Wrong), "未了 "))] or lines[-3:]


_KINDS = {
    "I1": Wrong.LOST,
    "I2": Wrong.DUPLICATED,
    "I3": Wrong.FALSE,
    "I4": Wrong.REORDERED,
    "I5": Wrong.DUPLICATED,
    "liveness": Wrong.LOST,
}


def _simulation(asked: Asked) -> Shown:
    shown, whole, began = Shown("模拟 simulation, virtual time", asked.seed), Sum(), time.monotonic()
    for outcome in outcomes(range(asked.seed, asked.seed + asked.seeds), asked.jobs):
        whole.add(outcome)
    for seed, violations in whole.failed.items():
        for what in violations:
            kind = _KINDS.get(what.partition(" ")[0].rstrip(":"), Wrong.LOST)
            shown.add([Fault(kind, what)], f"seed {seed}")
    shown.tried = sum(whole.tried[name] for name in ("kills", "faults", "sleeps", "stalls", "store", "jumps"))
    shown.seconds = time.monotonic() - began
    shown.figures = {**whole.tried, "seeds": whole.seeds, "seconds per seed": round(shown.seconds / whole.seeds, 3)}
    return shown


def _bugs(asked: Asked) -> Shown:
    shown, began = Shown("植入缺陷 planted bugs are seen", 0), time.monotonic()
    for found in hunts(asked.jobs):
        shown.tried += 1
        shown.figures[found.bug] = -1 if found.seed is None else found.seed
        if found.seed is None:
            shown.missed.append(f"{found.bug} is not seen")
    shown.seconds = time.monotonic() - began
    return shown


def _lifecycles(asked: Asked) -> Shown:
    shown, began = Shown("状态机 random histories (Hypothesis)", asked.seed), time.monotonic()
    told = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            f"--hypothesis-seed={asked.seed}",
            "tests/simulation/test_lifecycles.py",
        ],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "GATEWAY_TEST_EXAMPLES": str(asked.examples)},
        capture_output=True,
        text=True,
        check=False,
    )
    shown.tried, shown.seconds = asked.examples, time.monotonic() - began
    if told.returncode:
        shown.add([Fault(Wrong.LOST, told.stdout[-2000:])], "a history")
    return shown


MACHINES: dict[str, Callable[[Asked], Shown]] = {
    "simulation": _simulation,
    "bugs": _bugs,
    "lifecycles": _lifecycles,
    "hung": lambda asked: hung.prove(asked.hangs),
    "lost_answers": lambda asked: asyncio.run(lost_answers.prove(asked.losses, asked.seed)),
    "gaps": lambda asked: asyncio.run(gaps.prove(asked.gaps)),
    "syscalls": lambda asked: asyncio.run(syscalls.prove(asked.aims, asked.seed)),
    "disk": lambda asked: asyncio.run(full_disk.prove()),
    "stopped": lambda asked: asyncio.run(stopped.prove(asked.stops, asked.seed)),
    "clocks": lambda asked: asyncio.run(clocks.prove()),
    "kills": _kills,
    "hung_real": lambda asked: asyncio.run(really_hung.prove(asked.hangs)),
}
"""In the order in which they run: what needs no process first."""

LONG_ALONE = frozenset({"bugs", "hung_real"})
"""Not in the quick run: the planted bugs have their own test, and times on a busy machine mean little."""
