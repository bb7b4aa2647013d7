"""An event loop whose time is virtual: nobody waits, the clock jumps to the next timer."""

from __future__ import annotations

import asyncio
import contextvars
from asyncio import base_events
from collections.abc import Callable
from typing import Any


class Stalled(Exception):
    """Nothing is ready and no timer is set: everybody waits for somebody else."""


class VirtualLoop(base_events.BaseEventLoop):
    """No selector, no sockets, no threads: what is handed to an executor runs at once, in place.

    ``born`` is called with every new task and the context that it was given, if any.
    """

    def __init__(
        self, born: Callable[[asyncio.Task[Any], contextvars.Context | None], None] = lambda task, context: None
    ) -> None:
        super().__init__()
        self._moment = 0.0
        self._selector = self  # the base class asks it for what is ready, and for how long to wait
        self._born = born
        self.set_task_factory(self._make)

    def _make(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> asyncio.Task[Any]:
        context: contextvars.Context | None = more.get("context")
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **more)
        self._born(task, context)
        return task

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._moment

    def leap(self, seconds: float) -> None:
        """The machine slept for so long: every timer in between is due at once."""
        self._moment += seconds

    def select(self, timeout: float | None) -> list[Any]:
        """What the base class takes for a selector's wait: the clock jumps."""
        if timeout is None:
            raise Stalled("nothing is ready and nothing is due")
        self._moment += timeout
        return []

    def _process_events(self, events: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps, so nobody is woken."""

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # the base class types it with a TypeVarTuple
        """Run it now."""
        done: asyncio.Future[Any] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done
