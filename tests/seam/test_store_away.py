"""The store is away for a moment while an outcome is to be written: what is known is written later, not asked for again."""

from __future__ import annotations

import pytest

from gateway.store.engine import StoreUnavailable
from gateway.store.settlement import FrozenWire, Settlement
from tests.seam.scene import BYTES, IDS, Scene


async def test_a_store_that_is_away_before_the_sending_leaves_no_doubt(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.stand(BYTES)
    house = await scene.open()
    freeze, away = house.store.freeze, [StoreUnavailable("SQLITE_FULL")]

    async def not_at_once(wire: FrozenWire) -> bool:
        if away:
            raise away.pop()
        return await freeze(wire)

    monkeypatch.setattr(house.store, "freeze", not_at_once)
    await scene.reaches("relayed", await scene.case(), BYTES)
    assert away == []
    assert scene.batches.count() == 1
    assert await scene.tasks() == []


async def test_an_outcome_waits_for_the_store_and_bothers_nobody(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.stand(IDS, BYTES)
    house = await scene.open()
    settle, away = house.store.settle, [StoreUnavailable("SQLITE_FULL") for _ in range(4)]

    async def not_at_once(settlement: Settlement) -> bool:
        if away:
            raise away.pop()
        return await settle(settlement)

    monkeypatch.setattr(house.store, "settle", not_at_once)
    case = await scene.case()
    row = await scene.reaches("delivered", case, IDS)
    relayed = await scene.reaches("relayed", case, BYTES)
    assert away == []
    assert (row.attempts, relayed.attempts) == (1, 1)
    assert scene.ids.count() == scene.batches.count() == 1, "nothing was sent twice"
    assert await scene.tasks() == []
