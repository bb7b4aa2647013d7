"""Loops (循环): named turns, each supervised, woken by a bell, with a sweep as the safety net; one that hangs is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

import structlog

log = structlog.get_logger("gateway.worker")

SWEEP_S = 1.0
"""The longest rest of a loop that waits for work: what rang in another process may not have been heard here."""
FULL_S = 0.05
"""A look again where something is due and every slot is taken: a landing rings sooner."""
_AFTER_FAILURE_S = 1.0
_HUNG_S = 180.0
"""A loop that was to be well again so long ago (s), and was not, hangs or fails: many times a store's patience."""
_SLOW_HUNG_S = 3600.0
"""The same of one whose turns wait for platforms, mail or a broker."""


Turn = Callable[[], Awaitable[float]]
"""One turn of a loop; returns how many seconds to rest, 0 where it goes on at once."""


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop of the worker: its turns, and what the worker must know of them.

    ``bell`` ends a rest early, ``news_s`` is how long what it rang for is then left alone. ``gap_s``: from one turn's begin to
    the next one's. Under load every commit rings: without a gap a turn would find one thing to do, and a transaction costs as
    much for one as for ten; whoever comes after a quiet moment is not kept waiting. ``sends``: it speaks with platforms, and
    keeps silent while this process must. ``slow``: a turn may take long without anything being wrong here."""

    name: str
    turn: Turn
    bell: asyncio.Event | None = None
    gap_s: float = 0.0
    sends: bool = False
    slow: bool = False
    news_s: float = 0.0

    @property
    def patience_s(self) -> float:
        """How long it may be without a turn that ended well, its rest apart."""
        return _SLOW_HUNG_S if self.slow else _HUNG_S

    @property
    def title(self) -> str:
        """Its task's name, as ``/readyz`` and alerts tell it."""
        return f"loop:{self.name}"


class LoopKnown(Exception):
    """A loop of this name runs already: logs and alerts could not tell the two apart."""


def until_idle(turn: Callable[[], Awaitable[int]]) -> Turn:
    """A loop's turn of one that tells how much it did: where it found nothing, the loop rests until its bell or the sweep."""

    async def once() -> float:
        return 0.0 if await turn() else SWEEP_S

    return once


class Loops:
    """Runs loops until it is told to stop. ``silent_until`` (the event loop's time): until then nothing that speaks with
    platforms is begun, since this process has not found its share of their rates yet. ``hurried``: there is more to do than
    one turn takes, so that no gap is kept."""

    def __init__(self) -> None:
        self.silent_until = 0.0
        self.hurried = False
        self._loops: dict[str, Loop] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._well_by: dict[str, float] = {}
        """When (the event loop's time) each loop is to have ended a turn well."""
        self._stopping = asyncio.Event()

    def add(self, loop: Loop) -> None:
        """One more loop, before the start.

        Raises:
            LoopKnown: there is one of this name.
        """
        if loop.name in self._loops:
            raise LoopKnown(loop.name)
        self._loops[loop.name] = loop

    def loop(self, name: str) -> Loop:
        """The loop of this name. Raises ``KeyError`` where there is none."""
        return self._loops[name]

    def stuck(self) -> list[str]:
        """Loops that ended though nobody told them to, hang in one turn, or fail in every turn."""
        if self._stopping.is_set():
            return []
        ended = {task.get_name() for task in self._tasks if task.done()}
        now = asyncio.get_running_loop().time()
        late = {
            loop.title for loop in self._loops.values() if now > self._well_by.get(loop.name, now) + loop.patience_s
        }
        return sorted(ended | late)

    def halt(self) -> None:
        """Begin nothing more."""
        self._stopping.set()

    async def end(self, beside: Collection[asyncio.Task[None]] = ()) -> None:
        """End every loop, and cut off what runs ``beside`` them."""
        self.halt()
        for task in beside:
            task.cancel()
        done, late = await asyncio.wait(self._tasks, timeout=5.0) if self._tasks else (set(), set())
        for task in late:
            task.cancel()
        for task in [*beside, *done, *late]:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task

    def _run(self, loops: list[Loop]) -> None:
        self._tasks = [asyncio.create_task(self._supervised(loop), name=loop.title) for loop in loops]

    async def _supervised(self, loop: Loop) -> None:
        clock = asyncio.get_running_loop().time
        self._well_by[loop.name] = clock()
        while not self._stopping.is_set():
            begun = clock()
            if loop.sends and (silent := self.silent_until - begun) > 0:
                self._well_by[loop.name] = begun
                await self._rest(min(silent, FULL_S))
                continue
            try:
                rest = await loop.turn()
            except Exception as error:  # a loop that dies silently is the worst fault of all
                log.error("loop_failed", loop=loop.name, error=type(error).__name__)
                await self._rest(_AFTER_FAILURE_S)
            else:
                self._well_by[loop.name] = clock() + rest
                await self._rest_after(loop, rest)
            early = begun + loop.gap_s - clock()
            if early > 0 and not self.hurried:
                await self._rest(early)

    async def _rest_after(self, loop: Loop, seconds: float) -> None:
        if seconds > 0:
            await self._rest(seconds, loop.bell)
            if loop.news_s > 0:
                await self._rest(loop.news_s)

    async def _rest(self, seconds: float, bell: asyncio.Event | None = None) -> None:
        """Sleep until the time is over, the bell rings, or the end comes."""
        waits = [asyncio.create_task(self._stopping.wait())]
        if bell is not None:
            waits.append(asyncio.create_task(bell.wait()))
        try:
            await asyncio.wait(waits, timeout=max(seconds, 0), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if bell is not None:
            bell.clear()
