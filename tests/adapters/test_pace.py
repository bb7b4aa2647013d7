"""The rate that was agreed with platforms that are no HTTP: their adapters keep it by themselves."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from adapters.enterprise_confederation import EnterpriseConfederation
from adapters.pace import Pace
from contracts.errors import AdapterError
from tests.adapters.enterprise_confederation.exchange import NO_EXCHANGE, adapter, wire_of


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was waited for, in hundreds of seconds: the moments in between do not count."""
    found: list[float] = []

    async def rest(seconds: float) -> None:
        found.append(round(seconds, -2))

    monkeypatch.setattr("adapters.pace.asyncio.sleep", rest)
    return found


async def test_each_has_a_turn_of_its_own(waits: list[float]) -> None:
    pace = Pace(0.01)
    for _ in range(3):
        await pace.turn()
    assert waits == [0, 100, 200]


async def test_batches_go_at_the_agreed_rate(waits: list[float], tmp_path: Path) -> None:
    one = adapter(tmp_path / "nothing", rate_per_s=0.01)
    for _ in range(2):
        with suppress(AdapterError):
            await one.send(wire_of(tmp_path), NO_EXCHANGE)
    assert waits == [0, 100]
    assert EnterpriseConfederation.info.rate_per_s * 60 <= 60
