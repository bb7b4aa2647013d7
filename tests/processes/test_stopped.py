"""A process that is stopped past its leases is overtaken; what it writes when it wakes is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.processes import stopped
from tests.prove.shown import Shown


@pytest.mark.timeout(180)
async def test_a_stopped_process_loses_and_doubles_nothing(dsn: str, tmp_path: Path) -> None:
    shown = Shown("stopped")
    await stopped.one(dsn, tmp_path, 2, 7, shown)
    assert shown.holds, (shown.faults, shown.missed)
    assert int(shown.figures["late outcomes refused"]) > 0
