"""The same pages over PostgreSQL: every statement runs there, every page is whole."""

from __future__ import annotations

import re

from tests.console.conftest import ENDPOINTS
from tests.console.counter import open_counter
from tests.console.test_masking import leaked
from tests.flow.puppets import PUPPETS
from tests.house import Gateways
from tests.web.site import site as open_site


async def test_every_page_over_postgresql(gateway: Gateways, dsn: str) -> None:
    house = await gateway(ENDPOINTS, adapters=PUPPETS, database=dsn)
    async with open_site(house) as site, open_counter(site) as counter:
        await counter.journey()
        await counter.tallied()
        for path in counter.addresses():
            answer = await counter.visitors["administrator"].get(path)
            assert answer.status_code < 500, path
            assert leaked(answer.text) == []
        page = (await counter.viewer.get("messages?state=rejected")).text
        assert counter.ids["rejected"] in page
        found = await counter.viewer.post("search", {"q": "370102-lx001-2026-00001"})
        place = found.headers["location"]
        while "/cases/" not in place:
            place = (await counter.viewer.http.get(place)).headers["location"]
        ended = await counter.operator.post(
            "jobs", {"state": "rejected", "reason": "x", "per_minute": "600", "canary": "1", "stop_percent": "50"}
        )
        assert ended.status_code == 303
        approve = await counter.visitors["administrator"].post(
            ended.headers["location"].removeprefix("/console/") + "/approve"
        )
        assert approve.status_code == 303
        assert "链条完整" in (await counter.visitors["auditor"].post("audit/verify")).text
        assert re.search(r'data-number="delivered">[1-9]', (await counter.viewer.get("")).text)
