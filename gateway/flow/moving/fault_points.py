"""The named gaps between the journey's steps, where a test ends the process; nothing happens at them in production."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NoReturn

Reach = Callable[[str], Awaitable[None]]
"""Called with a point's name when the journey gets there. What it raises is what happens there."""

VARIABLE: Final = "GATEWAY_FAULT_POINT"
"""``NAME`` or ``NAME:N``: the process ends, as by SIGKILL, when it comes to that point for the N-th time."""

POINTS: Final = (
    "judged",  # intake: read and judged, nothing stored
    "stored",  # intake: committed, not acknowledged
    "claimed",  # deliver: leased, nothing prepared
    "translated",  # deliver: the wire is frozen, nothing sent
    "answered",  # deliver: the platform has answered, nothing written
    "before_settle",  # deliver: judged, nothing written
    "settled",  # deliver: written
    "proven",  # receive: the call is authentic, not stored
    "kept",  # receive: stored, not answered
    "parsed",  # apply: read, nothing moved
    "moved",  # apply: the status has moved, the call still counts as open
    "polled",  # poll: a page was read, nothing of it is kept
    "page_kept",  # poll: kept with its cursor, not marked as read there
    "fetched",  # papers: a decision's document is kept, the update that named it does not know
    "numbered",  # relay: events have their cursor, not published
    "published",  # relay: on the bus, not marked
)

KILLED: Final = 137
"""The exit code of a process that a point ended: a shell's word for SIGKILL."""


async def nowhere(point: str) -> None:
    """Nothing happens."""


def from_environment(env: str, environment: Mapping[str, str]) -> Reach:
    """What ``GATEWAY_FAULT_POINT`` asks for; it is not even read in production.

    Raises:
        ValueError: it names no point.
    """
    wanted = "" if env == "production" else environment.get(VARIABLE, "")
    if not wanted:
        return nowhere
    name, _, times = wanted.partition(":")
    if name not in POINTS or not (times or "1").isdecimal():
        raise ValueError(f"{VARIABLE}: a point's name and perhaps a number (points: {', '.join(POINTS)})")
    left = int(times or "1")

    async def reach(point: str) -> None:
        nonlocal left
        if point == name:
            left -= 1
            if left <= 0:
                _end()

    return reach


def _end() -> NoReturn:
    os._exit(KILLED)
