"""The application over a house of puppets, at work or still."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.flow.puppets import PUPPETS
from tests.house import Gateways, standing
from tests.web.site import Site
from tests.web.site import site as open_site

ENDPOINTS = {name: {"adapter": name} for name in PUPPETS}


@pytest.fixture
async def site(gateway: Gateways) -> AsyncIterator[Site]:
    """The application; nothing leaves the house."""
    async with open_site(await gateway(ENDPOINTS, adapters=PUPPETS, start=False)) as made:
        yield made


@pytest.fixture
async def busy(gateway: Gateways) -> AsyncIterator[Site]:
    """The application over a house at work."""
    async with open_site(await gateway(ENDPOINTS, adapters=PUPPETS)) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One still house for a whole table of refusals: they leave nothing behind, which every one of them proves."""
    async with (
        standing(request, tmp_path_factory.mktemp("shared")) as houses,
        open_site(await houses(ENDPOINTS, adapters=PUPPETS, start=False)) as made,
    ):
        yield made
