"""The store's thread: order, togetherness, errors that stay with whoever asked, and an end that leaves nothing undone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from gateway.store.thread import Outcome, Thread


class Desk:
    """Notes what was done together."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.gate = threading.Event()

    def together(self, items: Sequence[int]) -> list[Outcome]:
        self.groups.append(list(items))
        if 13 in items:
            raise RuntimeError("all of them")
        return [Outcome(None, ValueError(item)) if item < 0 else Outcome(item * 2) for item in items]

    def hold(self) -> str:
        self.gate.wait(10)
        return "held"


async def test_what_waits_is_done_together_and_each_gets_its_own() -> None:
    desk = Desk()
    thread: Thread[int] = Thread("test", desk.together)
    held = thread.ask(desk.hold)
    await asyncio.sleep(0.05)  # the thread is in it by now
    asked = [thread.join(item) for item in (1, -2, 3)]
    read = thread.ask(lambda: "read")
    desk.gate.set()
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert (await held, await read) == ("held", "read")
    assert desk.groups == [[1, -2, 3]]
    assert found[0] == 2
    assert isinstance(found[1], ValueError)
    assert found[2] == 6
    thread.end()


async def test_a_group_that_breaks_tells_everyone_and_the_thread_goes_on() -> None:
    desk = Desk()
    thread: Thread[int] = Thread("test", desk.together)
    with pytest.raises(RuntimeError, match="all of them"):
        await thread.join(13)
    assert await thread.join(4) == 8
    thread.end()


async def test_an_error_in_a_read_is_the_readers() -> None:
    thread: Thread[int] = Thread("test", Desk().together)

    def broken() -> None:
        raise KeyError("nothing")

    with pytest.raises(KeyError):
        await thread.ask(broken)
    assert await thread.ask(lambda: 1) == 1
    thread.end()


async def test_whoever_has_gone_is_not_missed() -> None:
    desk = Desk()
    thread: Thread[int] = Thread("test", desk.together)
    held = thread.ask(desk.hold)
    gone = asyncio.ensure_future(thread.join(5))
    await asyncio.sleep(0)
    gone.cancel()
    desk.gate.set()
    assert await held == "held"
    assert await thread.join(6) == 12
    thread.end()
    assert [item for group in desk.groups for item in group] == [5, 6]  # the work was done all the same


async def test_the_end_waits_for_what_was_asked() -> None:
    desk = Desk()
    thread: Thread[int] = Thread("test", desk.together)
    asked = [thread.join(item) for item in range(1, 6)]
    await asyncio.to_thread(thread.end)
    assert await asyncio.gather(*asked) == [2, 4, 6, 8, 10]
