"""One thread that does what it is asked. What waits together is done together and comes back together: waking the event loop
costs more than a short read, and a transaction's end more than all that is in it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")
Item = TypeVar("Item")


class Outcome(NamedTuple):
    """What came of a piece of work: its result, or the error that belongs to whoever asked."""

    result: Any
    error: BaseException | None = None


class _Job(NamedTuple):
    asked: asyncio.Future[Any]
    work: Callable[..., Any] | None
    arguments: tuple[Any, ...]
    long: bool


_Done = list[tuple["asyncio.Future[Any]", Outcome]]


class Thread(Generic[Item]):
    """Started when it is made; ``end`` lets it finish what it was asked. ``together`` does all the items that wait at once, and
    gives the outcome of each, in order."""

    def __init__(self, name: str, together: Callable[[Sequence[Item]], Sequence[Outcome]]) -> None:
        self._together = together
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def ask(self, work: Callable[..., T], *arguments: object, long: bool = False) -> asyncio.Future[T]:
        """The work's result, to be awaited. ``long``: nobody else's answer waits for it."""
        return self._put(work, arguments, long)

    def join(self, item: Item) -> asyncio.Future[Any]:
        """The item's result, to be awaited: it is done with the others that wait. What was asked meanwhile may go before."""
        return self._put(None, (item,), True)

    def end(self) -> None:
        """Finish what is asked already, then stop."""
        self._jobs.put(None)
        self._thread.join()

    def _put(self, work: Callable[..., Any] | None, arguments: tuple[Any, ...], long: bool) -> asyncio.Future[Any]:
        asked: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(asked, work, arguments, long))
        return asked

    def _waiting(self) -> tuple[list[_Job], bool]:
        """Everything that waits, and whether more may come. Waits for the first."""
        jobs: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            jobs.append(job)
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return jobs, True
        return jobs, False

    def _work(self) -> None:
        more = True
        while more:
            jobs, more = self._waiting()
            done: _Done = []
            for asked, work, arguments, long in jobs:
                if work is None:
                    continue
                if long:
                    done = _give_back(done)
                done.append((asked, _outcome(work, arguments)))
            done = _give_back(done)
            items = [job for job in jobs if job.work is None]
            if items:
                outcomes = _outcomes(self._together, [job.arguments[0] for job in items])
                _give_back([(job.asked, outcome) for job, outcome in zip(items, outcomes, strict=True)])
            del jobs, items


def _outcome(work: Callable[..., Any], arguments: tuple[Any, ...]) -> Outcome:
    try:
        return Outcome(work(*arguments))
    except BaseException as error:  # it belongs to whoever asked
        return Outcome(None, error)


def _outcomes(together: Callable[[Sequence[Any]], Sequence[Outcome]], items: list[Any]) -> Sequence[Outcome]:
    try:
        return together(items)
    except BaseException as error:  # a thread that ends leaves everyone waiting for ever
        return [Outcome(None, error)] * len(items)


def _give_back(done: _Done) -> _Done:
    for loop in {asked.get_loop() for asked, _ in done}:
        mine = [entry for entry in done if entry[0].get_loop() is loop]
        try:
            loop.call_soon_threadsafe(_settle, mine)
        except RuntimeError:
            continue  # the loop is closed: nobody waits any more
    return []


def _settle(done: _Done) -> None:
    for asked, outcome in done:
        if asked.done():
            continue  # whoever asked has gone
        if outcome.error is None:
            asked.set_result(outcome.result)
        else:
            asked.set_exception(outcome.error)
