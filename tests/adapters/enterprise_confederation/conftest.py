"""The exchange directory on each of its media."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .exchange import Share
from .sftp import House, serving


@pytest.fixture
def mounted(tmp_path: Path) -> Share:
    """A mounted share."""
    return Share.made(tmp_path / "share")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """An SFTP server whose account has the exchange directory."""
    (tmp_path / "account").mkdir()
    async with serving(tmp_path / "account", tmp_path) as house:
        yield house


@pytest.fixture
async def account(house: House) -> AsyncIterator[Share]:
    """The root of an SFTP account."""
    share = Share.made(house.root / "share")
    share.reached = house.settings()
    yield share
    await share.leave()


@pytest.fixture(params=["mounted", "account"])
def share(request: pytest.FixtureRequest) -> Share:
    """The exchange directory, whatever carries it."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Share)
    return found
