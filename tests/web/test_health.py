"""Whether the house is ready: each of its loops goes on."""

from __future__ import annotations

import asyncio

import pytest

from gateway.flow import loops
from tests.flow.stage import until
from tests.web.site import Site


@pytest.mark.parametrize("fails", [False, True])
async def test_a_loop_that_hangs_or_fails_in_every_turn_is_named(
    busy: Site, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    for_ever = asyncio.Event()

    async def hang() -> int:
        if fails and not for_ever.is_set():
            raise ValueError("x")
        await for_ever.wait()
        return 0

    monkeypatch.setattr(loops, "_HUNG_S", 1.5)  # a turn without work rests for a second
    monkeypatch.setattr(busy.house.worker._applier, "turn", hang)

    async def named() -> bool:
        ready = await busy.nobody.get("/readyz")
        return ready.status_code == 503 and "loop:apply" in ready.json()["stuck"]

    await until(named, "the loop that hangs is named")
    for_ever.set()
    monkeypatch.undo()

    async def well() -> bool:
        return (await busy.nobody.get("/readyz")).status_code == 200

    await until(well, "it goes on and is named no more")
