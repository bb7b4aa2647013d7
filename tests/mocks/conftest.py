"""The mock of hr_arbitration at work, and a caller of it, for all tests that name no server of their own."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from mocks.hr_arbitration import HrArbitration
from mocks.server import MockServer
from tests.mocks.hr_client import Client


@pytest.fixture
async def server(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[MockServer]:
    """The platform, which lets everybody through as fast as he comes; a test may name other settings by parameter."""
    settings = {"rate_per_s": 1000, "at_once": 100} | getattr(request, "param", {})
    made = MockServer(HrArbitration, tmp_path / "hr", settings=settings)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def client(server: MockServer) -> AsyncIterator[Client]:
    """A caller with the keys that the platform agreed with it."""
    async with aiohttp.ClientSession() as session:
        yield Client(json.loads(server.config_path.read_text("utf-8")), session)
