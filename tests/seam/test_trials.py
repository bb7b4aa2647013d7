"""A delivery that kills every process that sends it, among innocent ones: it is kept apart, they all arrive."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contracts.adapter import Exchange, Receipt, Wire
from gateway.flow import worker
from gateway.flow.delivering.settlement import QUARANTINE_AFTER
from gateway.store.settlement import SUSPECT_AFTER
from tests.seam.adapters import ToyIdempotent
from tests.seam.scene import IDS, Scene, until

POISON = "370102-LX001-2026-66666"


class Killer(ToyIdempotent):
    """Kills its process with the poison in its hands, and lets nobody finish before. ``holds``: keeps every filing back."""

    killed: asyncio.Event
    holds: asyncio.Event
    flying: set[str]
    beside: list[int]

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        kind = type(self)
        kind.flying.add(wire.id)
        kind.beside.append(len(kind.flying))
        try:
            if POISON in str(wire.payload):
                kind.killed.set()
                await asyncio.Event().wait()
            await kind.holds.wait()
            return await super().send(wire, exchange)
        finally:
            kind.flying.discard(wire.id)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_CALM_S", 0.0)
    Killer.killed, Killer.holds = asyncio.Event(), asyncio.Event()
    Killer.flying, Killer.beside = set(), []


async def _suspect(scene: Scene) -> str:
    """A case whose delivery has died under so many processes that it is tried alone."""
    case = await scene.case("370102-LX001-2026-00001")
    for _ in range(SUSPECT_AFTER):
        await scene.reopen()
        await _held(1)
    return case


async def _held(many: int) -> None:
    async def all_fly() -> bool:
        return len(Killer.flying) >= many

    await until(all_fly, f"{many} are in flight")


async def test_the_poison_is_kept_apart_and_the_innocent_arrive(scene: Scene) -> None:
    await scene.stand(IDS, adapter=Killer, slots=16)
    await scene.open(start=False)
    innocent = [await scene.case(f"370102-LX001-2026-{number:05}") for number in range(1, 7)]
    poison = await scene.case(POISON)
    for death in range(QUARANTINE_AFTER):
        Killer.killed.clear()
        Killer.beside.clear()
        if death >= SUSPECT_AFTER:
            Killer.holds.set()
        await scene.reopen()
        if death < SUSPECT_AFTER:
            await _held(len(innocent) + 1)
        await Killer.killed.wait()
        assert (max(Killer.beside) == 1) == (death >= SUSPECT_AFTER), "alone from the second death on"
    await scene.reopen()
    row = await scene.reaches("dead", poison, IDS)
    assert row.code == "crash_loop"
    assert [task["about"] for task in await scene.tasks("dead")] == [row.id]
    for case in innocent:
        await scene.reaches("delivered", case, IDS)
    assert sorted(scene.ids.ids()) == sorted({(await scene.delivery(case, IDS)).id for case in innocent})


async def test_kills_from_outside_leave_the_innocent_alone(scene: Scene) -> None:
    """Killed over and over while all are in flight, then once in the middle of a trial: none is given up."""
    await scene.stand(IDS, adapter=Killer, slots=16)
    await scene.open(start=False)
    cases = [await scene.case(f"370102-LX001-2026-{number:05}") for number in range(1, 6)]
    for _ in range(SUSPECT_AFTER):
        await scene.reopen()
        await _held(len(cases))
    for _ in range(len(cases)):
        Killer.beside.clear()
        await scene.reopen()
        await _held(1)
        assert max(Killer.beside) == 1
    Killer.holds.set()
    await scene.reopen()
    for case in cases:
        await scene.reaches("delivered", case, IDS)
    assert await scene.tasks("dead") == []


async def test_a_process_that_dies_young_convicts_nobody(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash loop that no delivery makes (a limit of memory, a probe that is too strict): each life serves those who are not
    suspect and is over before it has tried one who is."""
    await scene.stand(IDS, adapter=Killer, slots=16)
    await scene.open(start=False)
    suspect = await _suspect(scene)
    monkeypatch.setattr(worker, "_CALM_S", 60.0)
    for life in range(QUARANTINE_AFTER):
        Killer.beside.clear()
        other = await scene.case(f"370102-LX001-2026-1{life:04}")
        await scene.reopen()
        await _held(1)
        Killer.holds.set()
        await scene.reaches("delivered", other, IDS)
        Killer.holds.clear()
        assert len(Killer.beside) == 1
    monkeypatch.setattr(worker, "_CALM_S", 0.5)
    Killer.holds.set()
    await scene.reopen()
    await scene.reaches("delivered", suspect, IDS)
    assert await scene.tasks("dead") == []


async def test_a_long_trial_lets_the_others_on(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_TRIAL_S", 0.1)
    await scene.stand(IDS, adapter=Killer, slots=16)
    await scene.open(start=False)
    first = await _suspect(scene)
    house: Any = await scene.reopen()
    await _held(1)
    other = await scene.case("370102-LX001-2026-00002")
    await _held(2)
    row = await scene.delivery(first, IDS)
    assert row.attempts == SUSPECT_AFTER, "its dead claims are forgotten, the running one is its next"
    assert house.worker.stuck() == []
    Killer.holds.set()
    for case in (first, other):
        await scene.reaches("delivered", case, IDS)
