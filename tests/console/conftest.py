"""A console over a house of puppets, with somebody of every role signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.console.counter import Counter, open_counter
from tests.flow.puppets import PUPPETS
from tests.house import Gateways
from tests.web.site import site as open_site

ENDPOINTS = {name: {"adapter": name} for name in PUPPETS}


@pytest.fixture
async def counter(gateway: Gateways) -> AsyncIterator[Counter]:
    """The console over a house at work."""
    house = await gateway(ENDPOINTS, adapters=PUPPETS)
    async with open_site(house) as site, open_counter(site) as made:
        yield made
