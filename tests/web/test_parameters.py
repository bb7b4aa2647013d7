"""What is asked for in an address is heard or refused: never left unread, for the answer would be a longer list than meant."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from contracts.messages import HR
from gateway.web.queries import QUERIES
from tests.flow import papers
from tests.house import Gateways
from tests.web.site import Site

NUMBER = "示例劳人仲案字〔2026〕第17号"


async def numbered(site: Site, confirmation: str) -> None:
    """The arbitration gives the confirmation a number."""
    key = ("confirmation", confirmation, "")
    await site.stage.tell(site.stage.word("confirmation", "accepted", key, references=[["case_no", NUMBER]]))


async def ids(site: Site, query: str) -> list[str]:
    answer = await site.up.get(f"/v1/cases?external_ref={quote(NUMBER)}{query}")
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


async def test_filters_beside_a_platforms_number_hold(busy: Site, gateway: Gateways) -> None:
    case, _, confirmation = await busy.stage.chain()
    await numbered(busy, confirmation)
    found = (await busy.up.get(f"/v1/cases/{case}")).json()
    number, status = found["document"]["source_case_no"], found["status"]
    assert await ids(busy, f"&status={status}&source_case_no={quote(number)}&limit=1") == [case]
    assert await ids(busy, "&status=declined") == []
    assert await ids(busy, "&source_case_no=OTHER") == []
    gateway.clock.skip(60)
    later = quote(gateway.clock.now().isoformat())
    assert await ids(busy, f"&updated_after={later}") == []
    assert await ids(busy, "&cursor=" + "WyJjYXNlX1oiXQ") == []  # the cursor of ["case_Z"]: behind every case
    for bad in ("status=gone", "updated_after=x", "cursor=%21", "limit=0"):
        refused = await busy.up.get(f"/v1/cases?external_ref={quote(NUMBER)}&{bad}")
        assert (refused.status_code, refused.json()["parameter"]) == (400, bad.partition("=")[0])


async def test_filters_beside_a_case_hold_for_its_clocks(site: Site) -> None:
    case = await site.case()
    agreement = await site.agreement(case)

    async def rules(query: str) -> list[str]:
        answer = await site.up.get(f"/v1/clocks?case={case}{query}")
        assert answer.status_code == 200, answer.text
        return [one["rule"] for one in answer.json()["items"]]

    every = (await site.up.get(f"/v1/clocks?case={case}")).json()["items"]
    states = {one["state"] for one in every}
    assert len(states) > 1
    for state in states:
        assert await rules(f"&state={state}") == [one["rule"] for one in every if one["state"] == state]
    first = min(one["due"] for one in every)
    assert await rules(f"&due_before={first}") == []
    page: dict[str, Any] = {"cursor": ""}
    paged: list[str] = []
    while "cursor" in page:
        after = f"&cursor={page['cursor']}" if page["cursor"] else ""
        page = (await site.up.get(f"/v1/clocks?case={case}&limit=2{after}")).json()
        paged += [one["id"] for one in page["items"]]
    assert paged == [one["id"] for one in every]
    assert (await site.up.get(f"/v1/clocks?case={agreement}")).status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "cases?stauts=accepted",
        "cases?organization=SD-JN-LX-001",
        "referrals?source_case_no=1",
        "mediators?name=x",
        "clocks?due=2026-01-01",
        "events?since=1",
        "ledger?organisation=x",
        "ops/deliveries?status=dead",
        "ops/tasks?states=open",
        "ops/orphans?endpoint=hr",
        "ops/redrives?state=running",
        "ops/reconciliations?state=running",
    ],
)
async def test_a_parameter_that_there_is_not_is_told(site: Site, address: str) -> None:
    caller = site.op if address.startswith("ops") else site.up
    refused = await caller.get(f"/v1/{address}")
    told = refused.json()
    name = address.partition("?")[2].partition("=")[0]
    assert (refused.status_code, told["code"], told["parameter"]) == (400, "parameter_unknown", name)
    assert set(told["takes"]) == {query.name for query in QUERIES[f"GET /v1/{address.partition('?')[0]}"]}


async def test_a_parameter_that_is_nobodys_name_is_not_repeated(site: Site) -> None:
    refused = await site.up.get("/v1/cases", params={"张三13811112222": "x"})
    assert (refused.status_code, refused.json()["code"]) == (400, "parameter_unknown")
    assert "张" not in refused.text
    assert "1381111" not in refused.text


async def test_a_parameter_comes_once(site: Site) -> None:
    refused = await site.up.get("/v1/cases?status=received&status=accepted")
    assert (refused.status_code, refused.json()["parameter"]) == (400, "status")
    assert (await site.up.get("/v1/events?type=case.received&type=case.accepted")).status_code == 200


async def test_the_words_of_a_list_are_told(site: Site) -> None:
    refused = (await site.up.get("/v1/clocks?state=late")).json()
    assert refused["allowed"] == ["running", "suspended", "met", "expired", "cancelled"]
    kinds = (await site.op.get("/v1/ops/tasks?kind=x")).json()["allowed"]
    assert (len(kinds), kinds[-1]) == (17, "…")
    assert HR in (await site.op.get("/v1/ops/deliveries?endpoint=x")).json()["allowed"]


@pytest.mark.parametrize("wish", ["dryrun=true", "dry-run=true", "dry_run=yes", "dry_run=true&dry_run=false"])
async def test_a_misspelt_dry_run_stores_nothing(site: Site, wish: str) -> None:
    before = await site.counts()
    assert (await site.post(f"/v1/cases?{wish}", papers.raw("wages"))).status_code == 400
    assert await site.counts() == before


async def test_a_plus_sign_may_come_as_it_is(site: Site) -> None:
    """Who writes ``+08:00`` into an address without ``%2B`` sends a blank."""
    case = await site.case()
    for moment in ("2026-10-01T00:00:00+08:00", "2026-10-01T00:00:00%2B08:00", "2026-09-30T16:00:00Z"):
        answer = await site.up.get(f"/v1/cases?updated_after={moment}")
        assert [one["id"] for one in answer.json()["items"]] == [case], moment
    for day in ("2026-10-01", "2026-10-01 00:00", "2026-10-01T00:00:00"):
        assert (await site.up.get(f"/v1/cases?updated_after={day}")).status_code == 400


async def test_unmatched_callbacks_are_paged(busy: Site) -> None:
    for number in range(3):
        key = ("confirmation", f"cnf_01M7Q5CQG057N683VPG2HEWAG{number}", "")
        await busy.stage.tell(busy.stage.word("confirmation", "accepted", key))
    every = [one["id"] for one in (await busy.op.get("/v1/ops/orphans?state=orphan")).json()["items"]]
    assert len(every) == 3
    paged, after = [], ""
    while True:
        page = (await busy.op.get(f"/v1/ops/orphans?state=orphan&limit=2{after}")).json()
        paged += [one["id"] for one in page["items"]]
        if "cursor" not in page:
            break
        after = f"&cursor={page['cursor']}"
    assert paged == every
