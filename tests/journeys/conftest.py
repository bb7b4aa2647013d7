"""Fixtures of the journeys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.house import Gateways
from tests.journeys.province import Province


@pytest.fixture
async def province(gateway: Gateways, tmp_path: Path) -> AsyncIterator[Province]:
    """Arbitration, court, one-stop platform and union as real servers, and a gateway before them."""
    opened = await Province.open(gateway, tmp_path / "mocks")
    yield opened
    await opened.close()
