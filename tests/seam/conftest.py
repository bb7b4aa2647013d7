"""The scene that the seam tests play on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.house import Gateways
from tests.seam.scene import Scene


@pytest.fixture
async def scene(gateway: Gateways) -> AsyncIterator[Scene]:
    """An empty scene: put platforms up, open the house, post."""
    made = Scene(gateway)
    yield made
    await made.recorded_is_sent()
    await gateway.close()
    await made.end()
