"""(g) A long run at a steady rate: the gateway's resident memory, open files and tasks, which must not grow.

``python -m tests.bench --only g --seconds 3600`` is the hour.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from tests.bench import bodies, load
from tests.bench.accounts import resident_mib
from tests.bench.figures import Result, Sample
from tests.bench.ground import Gateway, Ground, Receiver
from tests.bench.intake import HEADERS

SECONDS = 600.0
"""How long it is at scale 1."""
RATE = 40.0
_BEAT_S = 1.0
WARM_CASES = 2_000
"""So many fill SQLite's cache of pages (32 MiB; 20 KiB a case) and what else is full at some time."""

MIB_PER_THOUSAND = 1.5
"""What memory may grow by for a thousand cases: a document that is kept is 2.4 MiB for a thousand. A clean
process of 180 MiB showed none at all over 800 cases, one that kept each document 2.2."""
FILES, TASKS = 16, 16
"""By how many the fewest of the first and of the last third may differ: idle connections to a platform come and go."""

_SETTLED_S = 0.3
"""After a beat, until its connections are closed."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the process held when so many cases had passed."""

    passed: int
    mib: float
    files: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Soaked:
    """A run: what was seen after the warm-up, and what became of the cases."""

    looks: Sequence[Look]
    taken: int
    arrived: int
    doubled: int
    cpu_us: float

    @property
    def mib_per_thousand(self) -> float:
        """The slope of memory over cases (least squares), MiB for a thousand."""
        fit = statistics.linear_regression(
            [look.passed / 1000 for look in self.looks], [look.mib for look in self.looks]
        )
        return fit.slope

    def grown(self, of: str) -> float:
        """From the least of the first third to that of the last one: what leaks never lets go."""
        third = max(len(self.looks) // 3, 1)
        seen = [float(getattr(look, of)) for look in self.looks]
        return min(seen[-third:]) - min(seen[:third])

    def faults(self) -> list[str]:
        """What is not as it should be, in words."""
        found = []
        if self.taken != self.arrived or self.doubled:
            found.append(f"{self.taken} taken, {self.arrived} arrived, {self.doubled} doubled")
        if self.mib_per_thousand > MIB_PER_THOUSAND:
            found.append(f"memory grows by {self.mib_per_thousand:.2f} MiB for a thousand cases")
        if self.grown("files") > FILES:
            found.append(f"{self.grown('files'):.0f} more open files")
        if self.grown("tasks") > TASKS:
            found.append(f"{self.grown('tasks'):.0f} more tasks")
        return found


def measure(ground: Ground, scale: float, rounds: int) -> Result:
    """The measurement; one round, whatever is wanted: it is long.

    Raises:
        RuntimeError: something grew, or was lost.
    """
    result = Result("g", "长跑 soak")
    sink = ground.receiver()
    soaked = soak(ground.gateway(sink.url, logs="warning"), sink, SECONDS * scale)
    last = soaked.looks[-1]
    more = {
        "MiB / 1,000": soaked.mib_per_thousand,
        "MiB": last.mib,
        "files": float(last.files),
        "files more": soaked.grown("files"),
        "tasks": float(last.tasks),
        "tasks more": soaked.grown("tasks"),
        "lost": float(soaked.taken - soaked.arrived),
        "doubled": float(soaked.doubled),
    }
    result.add(Sample(f"{SECONDS * scale:,.0f} s, sqlite", RATE, soaked.cpu_us, more))
    result.compare("memory, MiB for 1,000 cases", soaked.mib_per_thousand, 1.0, MIB_PER_THOUSAND, at_most=True)
    if faults := soaked.faults():
        raise RuntimeError("; ".join(faults))
    return result


def soak(gateway: Gateway, sink: Receiver, seconds: float, rate: float = RATE) -> Soaked:
    """Warm up, post at a steady rate for so long, and look at the process at every beat."""
    warm = uvloop.run(load.burst(gateway.port, _cases(0, WARM_CASES), 16))
    taken, number = warm.statuses.get(202, 0), WARM_CASES
    sink.until(taken, 120)
    looks: list[Look] = []
    began, cpu = time.monotonic(), gateway.cpu
    while time.monotonic() - began < seconds:
        outgoing = _cases(number, round(rate * _BEAT_S))
        answers = uvloop.run(load.steady(gateway.port, outgoing, rate))
        number += len(outgoing)
        taken += answers.statuses.get(202, 0)
        time.sleep(_SETTLED_S)
        looks.append(_look(gateway, number))
    used = gateway.cpu - cpu
    arrived = sink.until(taken, 60)
    return Soaked(looks, taken, arrived.unique, arrived.repeated, used / (number - WARM_CASES) * 1e6)


def _cases(first: int, many: int) -> list[bytes]:
    return [load.request("/v1/cases", bodies.case(number, "g"), HEADERS) for number in range(first, first + many)]


def _look(gateway: Gateway, passed: int) -> Look:
    pid = gateway.child.pid
    files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return Look(passed, resident_mib([pid]), files, gateway.tasks())
