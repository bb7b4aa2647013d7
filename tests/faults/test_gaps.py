"""The gaps, one test each, and the switch that makes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.flow.moving.fault_points import VARIABLE, from_environment
from tests.faults.gaps import GAPS, PLATFORMS, play
from tests.faults.victim import TOYS


@pytest.mark.parametrize(("point", "name"), GAPS)
async def test_the_next_process_finds_what_the_table_says(tmp_path: Path, point: str, name: str) -> None:
    await play(tmp_path, point, name)


@pytest.mark.parametrize("asked", ["nowhere", "claimed:x", "claimed:0x1"])
def test_a_point_that_is_not_there_is_refused(asked: str) -> None:
    with pytest.raises(ValueError, match="point"):
        from_environment("development", {VARIABLE: asked})


async def test_production_does_not_look(capfd: pytest.CaptureFixture[str]) -> None:
    reach = from_environment("production", {VARIABLE: "claimed"})
    await reach("claimed")
    assert set(TOYS) == set(PLATFORMS)
