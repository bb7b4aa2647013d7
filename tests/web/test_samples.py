"""The samples of the contract are taken exactly as they are, each by its own call."""

from __future__ import annotations

from datetime import datetime

import pytest

from contracts.messages import HR, ONE_STOP, UNION
from tests.flow import papers
from tests.house import Gateways
from tests.web.site import Site, accepted


async def test_a_case(site: Site) -> None:
    response = await site.post("/v1/cases", papers.raw("wages"))
    assert response.status_code == 202
    body = response.json()
    assert body["id"].startswith("case_")
    assert (body["status"], body["version"], body["warnings"]) == ("accepted", 1, [])
    assert [delivery["endpoint"] for delivery in body["deliveries"]] == [HR, ONE_STOP]
    assert {clock["rule"] for clock in body["clocks"]} >= {"D03"}
    for clock in body["clocks"]:
        assert datetime.fromisoformat(clock["latest_safe_time"]).utcoffset() is not None
        assert clock["article"]
    assert response.headers["Location"] == body["links"]["self"] == f"http://127.0.0.1:8080/v1/cases/{body['id']}"
    assert response.headers["ETag"] == '"1"'
    read = await site.up.get(f"/v1/cases/{body['id']}")
    assert read.json()["document"] == papers.body("wages")


async def test_an_answer_tells_its_clocks_as_they_are_read_right_after(site: Site) -> None:
    """What starts and ends by one document never ran: neither the answer nor the event says that it does."""
    answer = (await site.post("/v1/cases", papers.raw("wages"))).json()
    read = (await site.up.get(f"/v1/clocks?case={answer['id']}")).json()["items"]
    assert {(one["rule"], one["state"]) for one in answer["clocks"]} == {(one["rule"], one["state"]) for one in read}
    assert {one["rule"]: one["state"] for one in read}["D01"] == "met", "the decision whether to accept was made"
    started = [one["clock"] for one in await site.stage.history(answer["id"]) if one["type"] == "clock.started"]
    assert {(one["rule"], one["state"]) for one in started} == {(one["rule"], one["state"]) for one in read}


async def test_an_agreement_tells_when_it_takes_effect(site: Site) -> None:
    case = await site.case()
    body = await site.agreement_body()
    concluded = (await site.post(f"/v1/cases/{case}/agreements", body)).json()
    assert concluded["effective_at"] == "2026-09-25T09:00:00+08:00", "the seal is the last of them"
    path = f"/v1/agreements/{concluded['id']}"
    assert (await site.up.get(path)).json()["effective_at"] == concluded["effective_at"]
    changed = body | {"effect_rule": "court_online"}
    revised = (await site.put(path, changed, headers={"If-Match": '"1"'})).json()
    assert revised["effective_at"] == "2026-09-24T15:10:00+08:00", "the parties' signatures alone"
    assert (await site.up.get(path)).json()["effective_at"] == revised["effective_at"]


async def test_a_collective_case_goes_to_the_union_too(site: Site) -> None:
    body = (await site.post("/v1/cases", papers.raw("collective"))).json()
    assert [delivery["endpoint"] for delivery in body["deliveries"]] == [HR, ONE_STOP, UNION]


@pytest.mark.parametrize(("name", "path"), [("failed", "progress"), ("transfer", "transfers")])
async def test_what_is_appended_to_a_case(site: Site, name: str, path: str) -> None:
    case = accepted(await site.post("/v1/cases", papers.raw("wages")))
    response = await site.post(f"/v1/cases/{case}/{path}", papers.raw(name))
    assert response.status_code == 202, response.text
    assert response.json()["warnings"] == []


async def test_an_alert(site: Site) -> None:
    case = accepted(await site.post("/v1/cases", papers.raw("collective")))
    response = await site.post(f"/v1/cases/{case}/alerts", papers.raw("alert"))
    assert [delivery["endpoint"] for delivery in response.json()["deliveries"]] == [HR, ONE_STOP, UNION]


@pytest.mark.parametrize("route", ["arbitration", "judicial"])
async def test_an_agreement_and_its_confirmation(site: Site, route: str) -> None:
    case = accepted(await site.post("/v1/cases", papers.raw("wages")))
    upload = (await site.upload()).encode()
    concluded = await site.post(
        f"/v1/cases/{case}/agreements", papers.raw("agreement").replace(b"att_REPLACE_WITH_UPLOADED", upload)
    )
    assert concluded.status_code == 202, concluded.text
    agreement = concluded.json()
    assert {clock["rule"] for clock in agreement["clocks"]} >= {"D04", "D07"}
    read = (await site.up.get(f"/v1/agreements/{agreement['id']}")).json()
    assert [step["action"] for step in read["next_steps"]] == [
        "request_arbitration_review",
        "request_judicial_confirmation",
    ]
    response = await site.post(f"/v1/agreements/{agreement['id']}/confirmations", papers.raw(route))
    assert response.status_code == 202, response.text
    assert [one["code"] for one in response.json()["warnings"]] in ([], ["paper_missing"])
    assert (await site.up.get(f"/v1/cases/{case}")).json()["status"] == "agreed"


async def test_the_agreement_as_it_is_needs_its_upload(site: Site) -> None:
    case = accepted(await site.post("/v1/cases", papers.raw("wages")))
    response = await site.post(f"/v1/cases/{case}/agreements", papers.raw("agreement"))
    assert response.status_code == 422
    assert [(one["pointer"], one["code"]) for one in response.json()["errors"]] == [("/document", "attachment_unknown")]


async def test_a_performance(gateway: Gateways, site: Site) -> None:
    case = await site.case()
    agreement = await site.agreement(case)
    gateway.clock.skip(30 * 86_400)
    response = await site.post(f"/v1/agreements/{agreement}/performances", papers.raw("performed"))
    assert response.status_code == 202, response.text
    read = (await site.up.get(f"/v1/agreements/{agreement}")).json()
    assert [(term["term_no"], term["status"]) for term in read["fulfilment"]] == [(1, "performed")]
