"""A store of its own for every test, on a clock that the test moves."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.store.migrate import migrate_sqlite
from gateway.store.store import Store
from tests.servers.databases import clocked
from tests.servers.databases import database as fresh
from tests.store.bench import KEYS, Bench, VirtualClock, opened


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One migrated and empty database, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "gateway.db"
    migrate_sqlite(path)
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Path:
    """A migrated database of this test's own."""
    return Path(shutil.copy(migrated, tmp_path / "gateway.db"))


@pytest.fixture
def clock() -> VirtualClock:
    """The engine's clock."""
    return VirtualClock()


@pytest.fixture
async def embedded(database: Path, clock: VirtualClock) -> AsyncIterator[Store]:
    """The open store on SQLite, for what is SQLite's alone."""
    made = await opened(database, clock)
    yield made
    await made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, clock: VirtualClock) -> AsyncIterator[Store]:
    """The open store, on each engine: one suite for both."""
    if request.param == "sqlite":
        made = await opened(request.getfixturevalue("database"), clock)
        yield made
        await made.close()
        return
    async with fresh(request.getfixturevalue("postgres"), virtual=True) as dsn:
        made = await clocked(dsn, clock, KEYS)
        yield made
        await made.close()


@pytest.fixture
def bench(store: Store, clock: VirtualClock) -> Bench:
    """Cases, deliveries and claims in the test's own words."""
    return Bench(store, clock)
