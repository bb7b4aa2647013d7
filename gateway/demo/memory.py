"""How much memory the demonstration took at most: this process and its child; and how it is kept small."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import sys
from pathlib import Path

_KIB = 1 if sys.platform != "darwin" else 1024
"""``ru_maxrss`` counts KiB on Linux, bytes on macOS."""

_ARENA_MAX = -8
"""``M_ARENA_MAX`` of glibc's malloc.h."""


def peak_rss_mb(child: int | None) -> float:
    """Peak resident memory in MB of this process plus that of the child (0 where the system does not tell of a living one)."""
    own = _high_water(os.getpid()) or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB
    others = 0.0 if child is None else _high_water(child)
    return round((own + others) / 1024, 1)


def be_thrifty() -> None:
    """Let all threads share one heap of the C library: hashing the passwords of the console's users takes 20 MB for a moment,
    which each thread's own heap would keep. Where it knows no ``mallopt`` (musl, macOS) nothing happens."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def give_back() -> None:
    """Return freed memory to the system."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _high_water(pid: int) -> float:
    """``VmHWM`` of a process in KiB."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii", errors="replace")
    except OSError:
        return 0.0
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return float(line.split()[1])
    return 0.0
