"""The same pages over PostgreSQL: every statement runs there, every page is whole."""

from __future__ import annotations

import re

from tests.console.conftest import ENDPOINTS
from tests.console.counter import Counter, open_counter
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
        await kept_and_asked(counter)


async def kept_and_asked(counter: Counter) -> None:
    """What people keep and ask, each statement once."""
    store, operator = counter.site.house.store, counter.operator
    for _ in range(2):
        view = await operator.post("views", {"name": "法院拒收", "state": "rejected"})
        assert view.status_code == 303
    place = view.headers["location"].removeprefix("/console/")
    assert (await counter.viewer.get(place)).status_code == 303
    assert (await operator.post(f"{place}/drop")).status_code == 303
    told = {"delivery": counter.ids["delivered"], "reason": "x"}
    assert (await operator.post(f"callbacks/{counter.ids['callback']}/match", told)).status_code in (303, 409)
    asked = (store.ids.new("correction"), counter.ids["rejected"], "user:oper01", "x", b"sealed")
    assert len(await store.write("ask_correction", asked)) == 1
    assert await store.write("ask_correction", (store.ids.new("correction"), *asked[1:])) == []
    assert await store.write("end_correction", (asked[0], "done", "user:oper01", "dlv_1")) == []
    assert [row["id"] for row in await store.rows("asked_corrections")] == [asked[0]]
    assert len(await store.write("end_correction", (asked[0], "done", "user:admi01", "dlv_1"))) == 1
    assert (await store.rows("corrections_of", asked[1], 9))[0]["approver"] == "user:admi01"
