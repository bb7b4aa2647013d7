"""A started house whose platforms are puppets."""

from __future__ import annotations

import pytest

from tests.flow.puppets import PUPPETS
from tests.flow.stage import Stage
from tests.house import Gateways


@pytest.fixture
async def stage(gateway: Gateways) -> Stage:
    """The house, at work."""
    return Stage(await gateway({name: {"adapter": name} for name in PUPPETS}, adapters=PUPPETS))


@pytest.fixture
async def still(gateway: Gateways) -> Stage:
    """The house before its loops are started: nothing leaves it."""
    return Stage(await gateway({name: {"adapter": name} for name in PUPPETS}, adapters=PUPPETS, start=False))
