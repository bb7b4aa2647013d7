"""A house takes leave of everybody, whoever does not let it go."""

from __future__ import annotations

import asyncio

import pytest

from gateway.flow import house as houses
from tests.house import Gateways


async def test_who_hangs_or_fails_at_the_end_holds_up_nobody(
    gateway: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(houses, "_LEAVE_S", 0.2)
    house = await gateway({}, adapters={})
    left: list[str] = []

    async def fail() -> None:
        raise ConnectionResetError

    async def hang() -> None:
        await asyncio.sleep(3600)

    async def go() -> None:
        left.append("gone")

    async def closed() -> None:
        left.append("store")
        await shut()

    shut = house.store.close
    monkeypatch.setattr(house.store, "close", closed)
    house.leaving[:0] = [fail, hang, go]
    async with asyncio.timeout(8):
        await gateway.close()
    assert left == ["gone", "store"]
