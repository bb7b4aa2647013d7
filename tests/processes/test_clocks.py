"""The clock of the gateway's machine is set two hours forward and back under a flow, on both engines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.processes import clocks
from tests.processes.stopped import on_server
from tests.prove.shown import Shown


@pytest.mark.timeout(180)
async def test_a_clock_that_is_set_stalls_and_doubles_nothing_on_sqlite(tmp_path: Path) -> None:
    shown = Shown("sqlite")
    await clocks.one("sqlite", tmp_path / "sqlite", shown)
    assert shown.holds, (shown.faults, shown.missed)


@pytest.mark.timeout(180)
async def test_a_clock_that_is_set_stalls_and_doubles_nothing_on_postgresql(dsn: str, tmp_path: Path) -> None:
    shown = Shown("postgresql")
    await clocks.one("postgresql", tmp_path / "postgresql", shown, dsn, on_server(dsn))
    assert shown.holds, (shown.faults, shown.missed)
