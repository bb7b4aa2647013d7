"""Rows that lie in no month are before a person: on the health page and as an alert, until they are brought home."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.flow.alerting.alerts import Alerts
from gateway.flow.house import House
from gateway.store.postgres import Postgres
from tests.console.conftest import ENDPOINTS
from tests.console.counter import open_counter
from tests.flow.puppets import PUPPETS
from tests.house import Gateways
from tests.servers.databases import execute
from tests.web.site import site as open_site

STRAY = (
    "INSERT INTO messages (id, subject, sequence, type, about, version, source, correlation, schema, document_sealed, "
    "created_at) VALUES ('msg_03MD998G000000000000000000', 'case_1', 1, 'case.submitted', 'case_1', 1, 's', 'c', '1.0', 'x', 1)"
)
"""A message that a clock of the year 2096 has named."""


@pytest.fixture
async def houses(tmp_path: Path) -> AsyncIterator[Gateways]:
    """Makes houses on the engine that each test names, whatever the suite runs on."""
    made = Gateways(tmp_path)
    yield made
    await made.close()


async def standing(house: House) -> set[tuple[str, str, str]]:
    """What a fresh loop of alerts finds of the months."""
    await Alerts(house.store, tuple(sorted(house.endpoints)), house.settings.data).turn()
    rows = await house.store.rows("open_alerts")
    return {(row["rule"], row["about"], row["figure"]) for row in rows if row["rule"] == "partitions"}


async def test_a_row_in_no_month_is_told_of_until_it_is_home(houses: Gateways, dsn: str) -> None:
    house = await houses(ENDPOINTS, adapters=PUPPETS, database=dsn)
    async with open_site(house) as site, open_counter(site) as counter:
        page = (await counter.viewer.get("health")).text
        assert "月分区" in page
        assert "gateway partitions --mend" not in page
        assert await standing(house) == set()
        await execute(dsn, STRAY)
        page = (await counter.viewer.get("health")).text
        assert "messages DEFAULT: 1" in page
        assert "gateway partitions --mend" in page
        assert await standing(house) == {("partitions", "messages", "DEFAULT: 1")}
        assert "有数据不在月分区内" in (await counter.viewer.get("alerts")).text
        assert isinstance(house.store.runner, Postgres)
        await house.store.runner.mend_months()
        assert await standing(house) == set()
        assert "messages DEFAULT" not in (await counter.viewer.get("health")).text


async def test_whole_tables_say_nothing_of_months(houses: Gateways) -> None:
    house = await houses(ENDPOINTS, adapters=PUPPETS, database="sqlite")
    async with open_site(house) as site, open_counter(site) as counter:
        assert "月分区" not in (await counter.viewer.get("health")).text
        assert await standing(house) == set()
