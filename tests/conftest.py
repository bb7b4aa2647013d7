"""Fixtures that several rooms share."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.house import Gateways
from tests.servers.databases import Server, database
from tests.servers.kafka import Broker, GivenBroker, open_broker
from tests.servers.postgres import open_server

pytest.register_assert_rewrite("contracts.conformance")

# How quickly examples are made says something of the machine, nothing of what is tested.
settings.register_profile("gateway", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gateway")


ENGINE = os.environ.get("GATEWAY_TEST_ENGINE", "sqlite")
BUS = os.environ.get("GATEWAY_TEST_BUS", "memory")
"""What the houses of all tests stand on: ``GATEWAY_TEST_ENGINE=postgresql GATEWAY_TEST_BUS=kafka`` runs the suite on the other
engine and the other bus."""


@pytest.fixture
async def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Gateways]:
    """Makes real houses on a temporary directory, and closes them; see ``tests.house.Gateways``."""
    address = request.getfixturevalue("broker").address if BUS == "kafka" else None
    async with AsyncExitStack() as held:
        dsn = None
        if ENGINE == "postgresql":
            dsn = await held.enter_async_context(database(request.getfixturevalue("postgres"), virtual=True))
        houses = Gateways(tmp_path, dsn, address)
        yield houses
        await houses.close()


@pytest.fixture
async def processes(postgres: Server, tmp_path: Path) -> AsyncIterator[Gateways]:
    """Makes houses that stand beside each other on one PostgreSQL, as several processes do."""
    async with database(postgres, virtual=True) as dsn:
        houses = Gateways(tmp_path, dsn)
        yield houses
        await houses.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A real PostgreSQL for the whole run, started when the first test asks for it."""
    server = open_server()
    yield server
    server.remove()


@pytest.fixture
async def dsn(postgres: Server) -> AsyncIterator[str]:
    """A migrated and empty PostgreSQL database of this test's own."""
    async with database(postgres) as address:
        yield address


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker | GivenBroker]:
    """A real Kafka-protocol broker for the whole run, started when the first test asks for it."""
    opened = open_broker()
    yield opened
    opened.remove()
