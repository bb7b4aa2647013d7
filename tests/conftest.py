"""Fixtures that several rooms share."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.house import Gateways, standing
from tests.servers.databases import Server, database
from tests.servers.kafka import Broker, GivenBroker, open_broker
from tests.servers.postgres import open_server

pytest.register_assert_rewrite("contracts.conformance")

# A worker of the suite is told how wide its master's terminal is, and the command line's would keep to that for ever.
os.environ.pop("COLUMNS", None)

# How quickly examples are made says something of the machine, nothing of what is tested.
settings.register_profile("gateway", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gateway")


@pytest.fixture
async def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Gateways]:
    """Makes real houses on a temporary directory, and closes them; see ``tests.house.Gateways``."""
    async with standing(request, tmp_path) as houses:
        yield houses


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
