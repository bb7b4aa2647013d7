"""The worker's loops: each has a name of its own, rests as its turns say, and keeps silent where it must."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from gateway.flow import loops
from gateway.flow.loops import Loop, LoopKnown, until_idle
from tests.flow.stage import Stage, until


async def never() -> float:
    return 60.0


@pytest.mark.parametrize("name", ["deliver", "hear", "poll0", "bulk", "alerts", "unanswered_alerts", "tasks"])
async def test_a_name_that_is_known_is_refused(still: Stage, name: str) -> None:
    known = still.house.worker.loop(name)
    with pytest.raises(LoopKnown, match=name):
        still.house.worker.add(Loop(name, never))
    assert still.house.worker.loop(name) is known


async def test_a_loop_that_fails_is_told_by_its_name_and_goes_on(still: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "_AFTER_FAILURE_S", 0.01)
    turns = 0

    async def fails() -> float:
        nonlocal turns
        turns += 1
        if turns == 1:
            raise ValueError("x")
        return 60.0

    still.house.worker.add(Loop("failing", fails))
    with capture_logs() as logs:
        still.house.start()

        async def again() -> bool:
            return turns == 2

        await until(again, "it goes on")
    assert [(one["loop"], one["error"]) for one in logs if one["event"] == "loop_failed"] == [("failing", "ValueError")]
    assert still.house.worker.stuck() == []


async def test_a_bell_ends_the_rest_and_who_sends_is_silent(still: Stage) -> None:
    bell, done = asyncio.Event(), {"idle": 0, "sends": 0}

    async def idle() -> int:
        done["idle"] += 1
        return 0

    async def sends() -> float:
        done["sends"] += 1
        return 60.0

    still.house.worker.add(Loop("idle", until_idle(idle), bell))
    still.house.worker.add(Loop("sends", sends, sends=True))
    still.house.worker.silent_until = float("inf")
    still.house.start()
    for turn in range(1, 6):

        async def came(turn: int = turn) -> bool:
            return done["idle"] >= turn

        await until(came, "the bell is heard")
        bell.set()
    assert done["sends"] == 0
    still.house.worker.silent_until = 0.0

    async def spoke() -> bool:
        return done["sends"] == 1

    await until(spoke, "it may send again")
