"""The disk is full while cases flow, and then is not: on every kind of disk that can be had here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.faults import full_disk
from tests.prove.shown import Shown


@pytest.mark.timeout(180)
@pytest.mark.parametrize("kind", full_disk.kinds() if sys.platform == "linux" else [])
async def test_nothing_acknowledged_is_lost_and_room_alone_heals(tmp_path: Path, kind: str) -> None:
    shown = Shown(kind)
    await full_disk.one(kind, tmp_path / kind, shown)
    assert shown.holds, (shown.faults, shown.missed)
