"""A gateway at rest for the commands that open its store themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.cli.resting import Resting
from tests.house import ENGINE
from tests.servers.databases import new_database


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """A command sets the logs up for its process: here, whoever comes after it has its own again."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def resting(request: pytest.FixtureRequest, tmp_path: Path) -> Resting:
    """It was never started; its configuration is written."""
    dsn = asyncio.run(new_database(request.getfixturevalue("postgres"))) if ENGINE == "postgresql" else None
    return Resting(tmp_path, dsn).written()
