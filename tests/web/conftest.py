"""The application over a house of puppets, at work or still."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.flow.puppets import PUPPETS
from tests.flow.stage import lay
from tests.house import Gateways
from tests.web.site import Site
from tests.web.site import site as open_site

ENDPOINTS = {name: {"adapter": name} for name in PUPPETS}


@pytest.fixture
async def site(gateway: Gateways) -> AsyncIterator[Site]:
    """The application; nothing leaves the house."""
    lay(gateway.data)
    async with open_site(await gateway(ENDPOINTS, adapters=PUPPETS, start=False)) as made:
        yield made


@pytest.fixture
async def busy(gateway: Gateways) -> AsyncIterator[Site]:
    """The application over a house at work."""
    lay(gateway.data)
    async with open_site(await gateway(ENDPOINTS, adapters=PUPPETS)) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One still house for a whole table of refusals: they leave nothing behind, which every one of them proves."""
    houses = Gateways(tmp_path_factory.mktemp("shared"))
    lay(houses.data)
    async with open_site(await houses(ENDPOINTS, adapters=PUPPETS, start=False)) as made:
        yield made
    await houses.close()
