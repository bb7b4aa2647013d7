"""What is read: cases and what hangs on them, lists, the timeline, the platforms' views, clocks, batches, rehearsals."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.errors import PermanentError
from contracts.messages import HR, ONE_STOP
from tests.flow import papers
from tests.house import Gateways
from tests.web.site import Site, accepted


async def read(site: Site, path: str) -> dict[str, Any]:
    response = await site.up.get(f"/v1/{path}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_a_case_with_everything_that_hangs_on_it(site: Site) -> None:
    case = await site.case()
    agreement = await site.agreement(case)
    confirmation = await site.confirmation(agreement)
    transfer = accepted(await site.post(f"/v1/cases/{case}/transfers", papers.raw("transfer")))
    found = await read(site, f"cases/{case}")
    assert (found["status"], found["version"], found["organization"]) == ("agreed", 1, {"code": "SD-JN-LX-001"})
    assert [one["id"] for one in found["agreements"]] == [agreement]
    assert [(one["id"], one["route"]) for one in found["confirmations"]] == [(confirmation, "arbitration_review")]
    assert [(one["id"], one["to"]) for one in found["transfers"]] == [(transfer, "arbitration")]
    assert {one["state"] for one in found["deliveries"]} == {"pending"}
    concluded = await read(site, f"agreements/{agreement}")
    assert [(one["term_no"], one["status"]) for one in concluded["fulfilment"]] == [(1, "performing")]
    assert {one["rule"] for one in concluded["clocks"]} >= {"D04", "D07"}
    asked = await read(site, f"confirmations/{confirmation}")
    assert (asked["agreement"], asked["route"], asked["case"]) == (agreement, "arbitration_review", case)
    kinds = {one["kind"]: one for one in asked["document"]["attachments"]}
    assert kinds["mediation_agreement"]["id"] == concluded["document"]["document"]
    made = await site.up.get(f"/v1/attachments/{kinds['confirmation_application']['id']}")
    assert made.content.startswith(b"%PDF")
    assert (await read(site, f"transfers/{transfer}"))["to"] == "arbitration"


@pytest.mark.parametrize("home", ["cases", "agreements", "confirmations", "transfers", "referrals"])
async def test_a_thing_is_not_read_at_anothers_address(site: Site, home: str) -> None:
    case = await site.case()
    agreement = await site.agreement(case)
    ids = {"cases": case, "agreements": agreement, "confirmations": await site.confirmation(agreement)}
    for kind, identifier in ids.items():
        response = await site.up.get(f"/v1/{home}/{identifier}")
        assert response.status_code == (200 if kind == home else 404)


async def test_the_law_leaves_other_steps_after_each_answer(busy: Site) -> None:
    case, _, confirmation = await busy.stage.chain()
    assert (await read(busy, f"confirmations/{confirmation}"))["next_steps"] == []
    key = ("confirmation", confirmation, "")
    await busy.stage.tell(busy.stage.word("confirmation", "correction_required", key))
    steps = (await read(busy, f"confirmations/{confirmation}"))["next_steps"]
    assert [one["action"] for one in steps] == ["supplement", "withdraw"]
    await busy.stage.tell(busy.stage.word("confirmation", "rejected", key, at="2026-10-10T10:00:00+08:00"))
    steps = (await read(busy, f"confirmations/{confirmation}"))["next_steps"]
    actions = [one["action"] for one in steps]
    assert (actions[0], actions[-1]) == ("mediate_again", "apply_for_arbitration")
    assert (await read(busy, f"cases/{case}"))["status"] == "agreed"


async def test_cases_are_found_and_paged(gateway: Gateways, site: Site) -> None:
    first = [await site.case() for _ in range(7)]
    gateway.clock.skip(60)
    middle = gateway.clock.now().isoformat().replace("+00:00", "Z")
    gateway.clock.skip(60)
    late = await site.case({"/accepted_at": papers.DROP})
    found, cursor = [], ""
    while True:
        page = await read(site, f"cases?limit=3{f'&cursor={cursor}' if cursor else ''}")
        assert len(page["items"]) <= 3
        found += [one["id"] for one in page["items"]]
        if "cursor" not in page:
            break
        cursor = page["cursor"]
    assert found == [*first, late]
    assert [one["id"] for one in (await read(site, "cases?status=received"))["items"]] == [late]
    assert [one["id"] for one in (await read(site, f"cases?updated_after={middle}"))["items"]] == [late]
    number = (await read(site, f"cases/{first[3]}"))["document"]["source_case_no"]
    assert [one["id"] for one in (await read(site, f"cases?source_case_no={number}"))["items"]] == [first[3]]
    everybody = (await site.op.get(f"/v1/cases?source_case_no={number}")).json()["items"]
    assert [one["id"] for one in everybody] == [first[3]]
    assert (await site.op.get(f"/v1/cases?source_case_no={number}&status=closed")).json()["items"] == []
    for bad in ("limit=x", "cursor=%21", "updated_after=x", "updated_after=2026-10-01T00:00:00"):
        response = await site.up.get(f"/v1/cases?{bad}")
        assert (response.status_code, response.json()["parameter"]) == (400, bad.partition("=")[0])


async def test_a_case_is_found_by_a_platforms_number_in_any_spelling(busy: Site) -> None:
    case, _, confirmation = await busy.stage.chain()
    number = "示例劳人仲案字〔2026〕第17号"
    word = busy.stage.word(
        "confirmation", "accepted", ("confirmation", confirmation, ""), references=[["case_no", number]]
    )
    await busy.stage.tell(word)
    for spelling in (number, "示例劳人仲案(2026)17号", "示例劳人仲案字 [2026] 第 17 号"):
        response = await busy.up.get("/v1/cases", params={"external_ref": spelling})
        assert [one["id"] for one in response.json()["items"]] == [case], spelling
    assert (await busy.stranger.get("/v1/cases", params={"external_ref": number})).json()["items"] == []
    assert (await read(busy, "cases?external_ref=0"))["items"] == []


async def test_the_timeline_is_everything_in_order(busy: Site) -> None:
    case, _, confirmation = await busy.stage.chain()
    await busy.stage.delivered(case)
    await busy.stage.tell(busy.stage.word("confirmation", "confirmed", ("confirmation", confirmation, "")))
    items = (await read(busy, f"cases/{case}/timeline"))["items"]
    assert [one["sequence"] for one in items] == list(range(1, len(items) + 1))
    types = [one["type"] for one in items]
    for earlier, later in (
        ("case.received", "case.accepted"),
        ("case.accepted", "agreement.concluded"),
        ("agreement.concluded", "confirmation.requested"),
        ("confirmation.requested", "confirmation.confirmed"),
    ):
        assert types.index(earlier) < types.index(later)
    assert types.count("delivery.delivered") >= 5
    text = json.dumps(items, ensure_ascii=False)
    for value in ("王建国", "370102199003071238", "13853100001"):
        assert value not in text


async def test_what_each_platform_knows_and_said(busy: Site, gateway: Gateways) -> None:
    busy.stage.puppet(ONE_STOP).acts["case.submitted"].append(PermanentError("E105"))
    case = await busy.case()
    await busy.stage.delivered(case)
    gateway.clock.skip(60)
    before = gateway.clock.now().isoformat().replace("+00:00", "Z")
    gateway.clock.skip(60)
    number = (await read(busy, f"cases/{case}"))["document"]["source_case_no"]
    await busy.stage.tell(busy.stage.word("case", "mediating", ("source_case_no", number, "SD-JN-LX-001")))
    views = {one["endpoint"]: one for one in (await read(busy, f"cases/{case}/platforms"))["platforms"]}
    assert [(one["type"], one["state"]) for one in views[HR]["told"]] == [("case.submitted", "delivered")]
    assert ("case.submitted", "rejected") in [(one["type"], one["state"]) for one in views[ONE_STOP]["told"]]
    assert [one["status"] for one in views[HR]["said"]] == ["mediating"]
    assert views[HR]["external_refs"][0]["value"] == "hr_arbitration-1"
    earlier = (await read(busy, f"cases/{case}/platforms?at={before}"))["platforms"]
    assert {one["endpoint"]: one["said"] for one in earlier}[HR] == []
    for bad in ("x", "2026-10-10", "2026-10-10T00:00:00"):
        assert (await busy.up.get(f"/v1/cases/{case}/platforms?at={bad}")).status_code == 400


async def test_clocks_by_case_and_by_day(site: Site) -> None:
    case = await site.case()
    await site.agreement(case)
    found = (await read(site, f"clocks?case={case}"))["items"]
    rules = {one["rule"]: one for one in found}
    assert {"D03", "D04", "D07"} <= rules.keys()
    assert rules["D04"]["start"] == "2026-09-25"
    listed = (await read(site, "clocks?due_before=2027-12-31&state=running"))["items"]
    dues = [one["due"] for one in listed]
    assert dues == sorted(dues)
    assert {one["rule"] for one in listed} >= {"D04", "D07"}
    assert (await read(site, "clocks?due_before=2026-01-01"))["items"] == []
    pages, cursor = [], ""
    while True:
        page = await read(site, f"clocks?limit=1{f'&cursor={cursor}' if cursor else ''}")
        pages += page["items"]
        if "cursor" not in page:
            break
        cursor = page["cursor"]
    assert len(pages) == len((await read(site, "clocks"))["items"])
    for bad in ("due_before=x", "cursor=x"):
        assert (await site.up.get(f"/v1/clocks?{bad}")).status_code == 400


# ------------------------------------------------------------------------------------------------ batches, rehearsals


async def test_a_batch_is_one_result_per_line(site: Site) -> None:
    good, twin, bad = site.case_body(), site.case_body(), site.case_body({"/facts": ""})
    lines = [json.dumps(good), "", json.dumps(bad), "{not json", json.dumps(twin), json.dumps(twin)]
    response = await site.up.post(
        "/v1/cases:batch", content="\r\n".join(lines).encode(), headers={"Content-Type": "application/x-ndjson"}
    )
    assert response.status_code == 200
    results = [json.loads(line) for line in response.text.splitlines()]
    assert [(one["line"], one["status"]) for one in results][:4] == [(1, 202), (2, 400), (3, 422), (4, 400)]
    assert sorted(one["status"] for one in results[4:]) == [202, 409]
    assert results[0]["result"]["id"].startswith("case_")
    assert results[2]["result"]["errors"][0]["pointer"] == "/facts"
    assert (await site.counts())["subjects"] == 2
    refused = await site.post("/v1/cases:batch", good)
    assert refused.status_code == 415


async def test_a_batch_line_that_is_too_long_stops_nothing(gateway: Gateways, site: Site) -> None:
    limit = site.house.settings.limits.document
    long = json.dumps(site.case_body({"/facts": "x"}) | {"pad": "y" * limit})
    content = f"{long}\n{json.dumps(site.case_body())}".encode()
    response = await site.up.post("/v1/cases:batch", content=content, headers={"Content-Type": "application/x-ndjson"})
    assert [json.loads(line)["status"] for line in response.text.splitlines()] == [413, 202]


async def test_a_rehearsal_stores_nothing_and_shows_no_person(site: Site) -> None:
    before = await site.counts()
    response = await site.post("/v1/cases?dry_run=true", papers.raw("wages"))
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["dry_run"] is True
    assert [one["endpoint"] for one in body["endpoints"]] == [HR, ONE_STOP]
    for value in ("王建国", "370102199003071238", "13853100001", "文化东路1号"):
        assert value not in response.text
    assert await site.counts() == before
    assert (await site.post("/v1/cases", papers.raw("wages"))).status_code == 202
    refused = await site.post("/v1/cases?dry_run=true", papers.body("wages", {"/facts": ""}))
    assert refused.status_code == 422
