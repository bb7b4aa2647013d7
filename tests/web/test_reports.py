"""Statistical reports: made on the operator's word, in versions, owed to the platform that takes them."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from typing import Any

import httpx
import pytest

from contracts.messages import NATIONAL
from contracts.statistics import StatisticalReport
from gateway.flow.statistics import Reporter
from gateway.report.definitions import definitions
from tests.flow.puppets import PUPPETS
from tests.flow.stage import until
from tests.house import Gateways
from tests.web.conftest import ENDPOINTS
from tests.web.site import Site
from tests.web.site import site as open_site

PATH = "/v1/ops/reports"
ASKED = {"organization": "SD-JN-LX-001", "period": "2026Q3", "reason": "季度上报"}


async def made(site: Site, by: httpx.AsyncClient | None = None, **changes: Any) -> httpx.Response:
    return await site.post(PATH, ASKED | changes, by=by or site.op)


async def settled(site: Site, identifier: str) -> list[dict[str, Any]]:
    async def over() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await site.op.get(f"{PATH}/{identifier}")).json()["deliveries"]
        return rows if rows and all(row["state"] != "pending" for row in rows) else []

    found: list[dict[str, Any]] = await until(over, "delivered")
    return found


async def test_a_report_is_the_statistics_and_reaches_who_takes_it(busy: Site) -> None:
    await busy.case()
    answer = await made(busy)
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert (told["version"], told["unchanged"]) == (1, False)
    assert [one["endpoint"] for one in told["deliveries"]] == [NATIONAL]
    statistics = (await busy.op.get("/v1/statistics?organization=SD-JN-LX-001&period=2026Q3")).json()
    figures = {item["code"]: item["value"] for item in statistics["items"]}
    document = told["document"]
    assert document["definition_version"] == statistics["definition_version"]
    assert document["period"] == {"from": "2026-07-01", "to": "2026-09-30"}
    assert [item["code"] for item in document["items"]] == [one.code for one in definitions().items if one.reported]
    assert all(figures[item["code"]] == item["value"] for item in document["items"])
    assert figures["A01"] == 1
    (row,) = await settled(busy, told["id"])
    assert (row["state"], row["type"]) == ("delivered", "statistics.reported")
    sent = busy.stage.puppet(NATIONAL).sent[-1]
    assert sent.operation == "statistics.reported"
    assert sent.payload["organization_code"] == "SD-JN-LX-001"
    context = busy.stage.puppet(NATIONAL).contexts[-1]
    assert context.organization is not None
    assert context.organization.code == "SD-JN-LX-001"


async def test_the_same_figures_are_not_reported_twice(busy: Site) -> None:
    await busy.case()
    first = (await made(busy)).json()
    again = await made(busy)
    assert again.status_code == 200
    assert {**again.json(), "unchanged": False} == first
    await busy.case()
    second = await made(busy)
    assert (second.status_code, second.json()["version"], second.json()["id"]) == (202, 2, first["id"])
    await settled(busy, first["id"])
    sent = [wire.payload["version"] for wire in busy.stage.puppet(NATIONAL).sent if "period" in wire.payload]
    assert sent == [1, 2]


async def test_a_new_version_supersedes_what_nobody_has(site: Site) -> None:
    await site.case()
    first = (await made(site)).json()
    await site.case()
    second = (await made(site)).json()
    read = (await site.op.get(f"{PATH}/{first['id']}")).json()
    assert read["version"] == second["version"] == 2
    assert [row["state"] for row in read["deliveries"]] == ["superseded", "pending"]
    kept = StatisticalReport.model_validate_json(json.dumps(read["document"]))
    assert kept.version == 2


async def test_a_type_that_nobody_takes_is_kept(gateway: Gateways) -> None:
    without = {name: value for name, value in ENDPOINTS.items() if name != NATIONAL}
    async with open_site(await gateway(without, adapters=PUPPETS, start=False)) as site:
        await site.case()
        answer = await made(site)
        assert (answer.status_code, answer.json()["deliveries"]) == (202, [])


async def test_every_report_is_audited_and_published_to_nobody(site: Site) -> None:
    await site.case()
    identifier = (await made(site)).json()["id"]
    row = (await site.house.store.rows("newest_audit", 2**62, 1))[0]
    assert (row["act"], row["target"], row["reason"], row["actor"]) == ("report.make", identifier, "季度上报", "op")
    assert "statistics" not in (await site.up.get("/v1/events")).text


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"reason": " "}, 422, "reason_missing"),
        ({"reason": 7}, 422, "reason_missing"),
        ({"period": "2026Q5"}, 422, "body_field"),
        ({"period": None}, 422, "body_field"),
        ({"organization": ""}, 422, "body_field"),
        ({"organization": ["SD-JN-LX-001"]}, 422, "body_field"),
        ({"period": "2026Q4"}, 422, "period_open"),
        ({"organization": "SD-NO-NO-999"}, 404, "not_found"),
    ],
)
async def test_what_is_not_made(site: Site, changes: dict[str, Any], status: int, code: str) -> None:
    await site.case()
    before = await site.counts()
    answer = await made(site, **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await site.counts() == before


async def test_only_operators_make_reports(site: Site) -> None:
    await site.case()
    assert (await made(site, by=site.up)).status_code == 403
    assert (await site.up.get(f"{PATH}/rpt_x")).status_code == 403
    for never in ("rpt_01M7Q5CQG057N683VPG2HEWAGG", await site.case()):
        assert (await site.op.get(f"{PATH}/{never}")).status_code == 404


async def test_by_itself_in_the_first_days_of_the_next_quarter(gateway: Gateways) -> None:
    """The test's clock stands at the tenth of October: the last day on which it happens by itself."""
    endpoints: dict[str, Any] = dict(ENDPOINTS) | {NATIONAL: {"adapter": NATIONAL, "organizations": ["SD-JN-LX-001"]}}
    house = await gateway(endpoints, adapters=PUPPETS, start=False, report={"every_quarter": True})
    async with open_site(house) as site:
        await site.case()
        await site.post("/v1/cases", site.case_body({"/organization/code": "SD-QD-SN-002"}), by=site.stranger)
        assert isinstance(house.reporter, Reporter)
        for _ in range(2):
            assert await house.reporter.turn() > 0
        rows = await house.store.rows("list_matters", "statistics", "[]", True, "", "", 0, "", 10)
        assert [row["business_key"] for row in rows] == ["SD-JN-LX-001|2026-07-01/2026-09-30"]
        assert rows[0]["version"] == 1
        row = (await house.store.rows("newest_audit", 2**62, 1))[0]
        assert (row["actor"], row["act"]) == ("gateway", "report.make")
        gateway.clock.skip(86_400)
        await house.store.write("drop_matter", (rows[0]["id"],))
        await house.reporter.turn()
        assert await house.store.rows("list_matters", "statistics", "[]", True, "", "", 0, "", 10) == []


async def test_nothing_by_itself_unless_the_settings_say_so(site: Site) -> None:
    await site.case()
    assert site.house.reporter is not None
    await site.house.reporter.turn()
    assert await site.house.store.rows("list_matters", "statistics", "[]", True, "", "", 0, "", 10) == []


async def test_two_who_ask_at_once_make_one_version(site: Site) -> None:

    await site.case()
    reporter = site.house.reporter
    assert reporter is not None
    days = (date(2026, 7, 1), date(2026, 9, 30))
    both = await asyncio.gather(*(reporter.make(f"op{n}", "SD-JN-LX-001", *days, "x") for n in range(4)))
    assert {one.version for one in both} == {1}
    assert sum(one.fresh for one in both) == 1


async def test_a_report_that_comes_back_is_a_task(busy: Site) -> None:
    """``STAT_RETURNED`` and the like: known by the delivery, the message or the number that the platform gave it."""
    await busy.case()
    told = (await made(busy)).json()
    (row,) = await settled(busy, told["id"])
    keys = [("delivery", row["id"], ""), ("reference", row["reference"], "platform_no")]
    for key in keys:
        await busy.stage.tell(busy.stage.word("report", "returned", key), endpoint=NATIONAL)
    (task,) = await busy.stage.tasks("report_returned")
    assert (task["about"], task["endpoint"], task["state"]) == (told["id"], NATIONAL, "open")
