"""Proof that a function is pure: while it runs, nobody asks the clock, throws dice, opens a file or a connection."""

from __future__ import annotations

import gc
import random
import socket
import sys
from collections.abc import Callable
from datetime import date
from types import FrameType, ModuleType
from typing import Any, TypeVar

T = TypeVar("T")

_CLOCK = frozenset({"now", "utcnow", "today"})
_OF_MODULES = {
    "time": frozenset(
        {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "clock_gettime", "sleep"}
    ),
    "posix": frozenset(
        {"urandom", "getrandom", "open", "read", "write", "stat", "lstat", "listdir", "scandir", "fork"}
    ),
    "nt": frozenset({"urandom", "open", "read", "write", "stat", "lstat", "listdir", "scandir"}),
    "io": frozenset({"open", "open_code"}),
    "_io": frozenset({"open", "open_code"}),
    "_socket": frozenset({"getaddrinfo", "gethostbyname", "create_connection"}),
}


def _impurity(function: Any) -> str | None:
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if isinstance(owner, type) and issubclass(owner, date):
        return f"{owner.__name__}.{name}" if name in _CLOCK else None
    if isinstance(owner, random.Random | socket.socket):
        return f"{type(owner).__name__}.{name}"
    module = owner.__name__ if isinstance(owner, ModuleType) else ""
    return f"{module}.{name}" if name in _OF_MODULES.get(module, ()) else None


def watched(function: Callable[[], T]) -> tuple[T | Exception, list[str]]:
    """What the function returned (or the exception that it raised), and every impure call that it made on the way.

    Only calls into the interpreter's own functions are seen, which is where every clock, die, file and socket is at the end.
    Run the function once before, so that tables which are read once and kept do not count.
    """
    seen: list[str] = []

    def look(_: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and (found := _impurity(called)) is not None:
            seen.append(found)

    collecting, before = gc.isenabled(), sys.getprofile()
    gc.disable()  # a finalizer of somebody else's must not count
    sys.setprofile(look)
    try:
        result: T | Exception = function()
    except Exception as error:
        result = error
    finally:
        sys.setprofile(before if callable(before) else None)  # some profilers cannot be set from here
        if collecting:
            gc.enable()
    return result, seen
