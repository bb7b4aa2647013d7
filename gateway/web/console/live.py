"""The pulse: looks at the figures once a second for everybody who watches, and tells each open page what has become old."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import orjson

from contracts.deliveries import FAILED_STATES
from contracts.moments import in_beijing
from gateway.flow.house import House
from gateway.flow.timing import overdue
from gateway.store import console
from gateway.store.console import Figures

WINDOWS: Final = {"15m": 900_000, "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000}
"""The windows that figures are shown for, in ms."""

RISK_DAYS: Final = 7
RISKS_SHOWN: Final = 200

_LOOK_S: Final = 1.0
_HEARTBEAT_S: Final = 15.0
_CHECK_S: Final = 60.0
_LONGEST_S: Final = 600.0
_STREAMS: Final = 200
_STREAMS_OF_ONE: Final = 4
"""Streams of one session. HTTP/1.1 gives a browser six connections to a host: what is left loads pages. Further tabs poll."""


class Pulse:
    """Figures that are looked at together, and the streams that tell of them."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._seen: dict[str, tuple[float, Figures]] = {}
        self._locks: dict[str, asyncio.Lock] = {window: asyncio.Lock() for window in WINDOWS}
        self._open: Counter[str] = Counter()
        self._over = asyncio.Event()

    async def look(self, window: str) -> Figures:
        """The figures of a window, at most a second old: however many pages are open, they are read once."""
        async with self._locks[window]:
            seen = self._seen.get(window)
            if seen is not None and time.monotonic() - seen[0] < _LOOK_S:
                return seen[1]
            now = self._house.store.now_ms()
            until = in_beijing(now + RISK_DAYS * 86_400_000).date().isoformat()
            since = overdue.since(in_beijing(now).date())
            names = sorted(self._house.endpoints)
            found = await self._house.store.runner.read(
                console.figures, names, now, WINDOWS[window], until, since, RISKS_SHOWN
            )
            self._seen[window] = (time.monotonic(), found)
            return found

    def forget(self) -> None:
        """Look anew at the next look: something was changed by hand."""
        self._seen.clear()

    def has_place(self, who: str) -> bool:
        """Whether one more stream of this session may be opened."""
        return not self._over.is_set() and self._open[who] < _STREAMS_OF_ONE and self._open.total() < _STREAMS

    def end(self) -> None:
        """Let every stream end, so that the server can."""
        self._over.set()

    async def stream(
        self, who: str, window: str, valid: Callable[[], Awaitable[bool]], *, counts: bool = True
    ) -> AsyncIterator[bytes]:
        """Server-sent events: ``numbers`` and ``versions`` whenever they changed, a heartbeat else. Ends by itself after
        ten minutes (the browser comes again), with the session, and with the server. ``counts``: the numbers are told, which
        count everybody's messages."""
        self._open[who] += 1
        try:
            started = spoke = checked = time.monotonic()
            before: dict[str, Any] = {}
            yield b"retry: 2000\n\n"
            while not self._over.is_set():
                figures = await self.look(window)
                told: dict[str, Any] = {"numbers": numbers(figures)} if counts else {}
                told["versions"] = versions(figures)
                lines = [
                    f"event: {name}\ndata: ".encode() + orjson.dumps(value) + b"\n\n"
                    for name, value in told.items()
                    if before.get(name) != value
                ]
                before = told
                now = time.monotonic()
                if lines:
                    spoke = now
                    yield f"id: {figures.position}\n".encode() + b"".join(lines)
                elif now - spoke > _HEARTBEAT_S:
                    spoke = now
                    yield b": heartbeat\n\n"
                if now - checked > _CHECK_S:
                    checked = now
                    if not await valid():
                        yield b"event: over\ndata: {}\n\n"
                        return
                if now - started > _LONGEST_S:
                    return
                try:
                    async with asyncio.timeout(_LOOK_S):
                        await self._over.wait()
                except TimeoutError:
                    continue
        finally:
            self._open[who] -= 1


def numbers(figures: Figures) -> dict[str, int]:
    """The six numbers, and those beside them."""
    series = figures.series
    return {
        "received": sum(many for name, many in series.items() if name.startswith("in|")),
        "delivered": sum(
            many for name, many in series.items() if name.startswith("out|") and name.endswith("|delivered")
        ),
        "queued": figures.total("pending"),
        "waiting": figures.total("relayed"),
        "retrying": figures.total("retrying"),
        "doubt": figures.total("in_doubt"),
        "dead": sum(figures.total(state) for state in FAILED_STATES),
        "risk": len({row["subject"] for row in figures.clocks}),
        "overdue": len({row["subject"] for row in overdue.still(figures.over)}),
        "tasks": figures.tasks,
        "orphans": figures.callbacks["orphan"] + figures.callbacks["unreadable"],
    }


def versions(figures: Figures) -> dict[str, str]:
    """A fingerprint of each topic: a page whose region was made from another one fetches it again."""
    standing = sorted((name, sorted(counts.items())) for name, counts in figures.standing.items())
    platforms = [
        (row["name"], bool(row["paused"]), row["breaker"], row["failures"], row["quiet_until"] > row["now"])
        for row in figures.endpoints
    ]
    return {
        "flow": _print([standing, sorted(figures.series.items())]),
        "platforms": _print([platforms, standing]),
        "tasks": _print([figures.tasks, figures.newest_task]),
        "callbacks": _print(sorted(figures.callbacks.items())),
        "clocks": _print([[row["id"] for row in rows] for rows in (figures.clocks, overdue.still(figures.over))]),
        "jobs": _print([(row["id"], row["state"], row["due_at"]) for row in figures.jobs]),
        "events": str(figures.position),
    }


def _print(value: Any) -> str:
    return hashlib.sha256(orjson.dumps(value)).hexdigest()[:12]
