"""What a process has used: CPU seconds and memory, from the system's own books (Linux)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_MIB = 1024 * 1024


def _fields(pid: int) -> list[str] | None:
    try:
        line = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return None
    return line[line.rindex(")") + 2 :].split()


def cpu_of(*pids: int) -> float:
    """CPU seconds (user and system, reaped children included) of these processes and everything that descends from them."""
    books = {}
    for entry in Path("/proc").iterdir():
        fields = _fields(int(entry.name)) if entry.name.isdigit() else None
        if fields is not None:
            books[int(entry.name)] = (int(fields[1]), sum(int(value) for value in fields[11:15]))
    family, more = set(pids), True
    while more:
        children = {pid for pid, (parent, _) in books.items() if parent in family} - family
        family |= children
        more = bool(children)
    return sum(books[pid][1] for pid in family if pid in books) / _TICK


def own_cpu(pid: int) -> float:
    """CPU seconds of one process alone; 0 where it has ended."""
    fields = _fields(pid)
    return 0.0 if fields is None else sum(int(value) for value in fields[11:13]) / _TICK


def resident_mib(pids: Iterable[int]) -> float:
    """Resident memory in MiB."""
    total = 0
    for pid in pids:
        fields = _fields(pid)
        if fields is not None:
            total += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return total / _MIB


def busy_share(before: tuple[int, int], after: tuple[int, int]) -> float:
    """The share of the whole machine that was busy between two ``machine()``."""
    busy, idle = after[0] - before[0], after[1] - before[1]
    return busy / max(busy + idle, 1)


def machine() -> tuple[int, int]:
    """(busy, idle) ticks of the whole machine: what neighbours used shows in it."""
    fields = [int(value) for value in Path("/proc/stat").read_text("ascii").splitlines()[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return sum(fields) - idle, idle


def tasks_file(directory: Path, pid: int) -> Path:
    """Where a measured process writes how many tasks its loop has, when it is asked (SIGUSR1)."""
    return directory / f"tasks-{pid}"
