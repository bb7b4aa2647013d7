"""Fixtures that several rooms share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.house import Gateways

pytest.register_assert_rewrite("contracts.conformance")


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateways]:
    """Makes real houses on a temporary directory, and closes them; see ``tests.house.Gateways``."""
    houses = Gateways(tmp_path)
    yield houses
    await houses.close()
