"""A scene whose houses stand beside each other on one database, as processes do."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.house import Gateways
from tests.seam.scene import Scene


@pytest.fixture
async def scene(processes: Gateways) -> AsyncIterator[Scene]:
    """An empty scene: put platforms up, open houses, post."""
    made = Scene(processes)
    yield made
    await processes.close()
    await made.end()
