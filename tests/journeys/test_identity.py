"""One case over all platforms: what each knew and when, numbers in any spelling, the same dispute entering twice."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from contracts.messages import HR, ONE_STOP
from tests.flow import papers
from tests.journeys.province import LANSHAN, LIXIA, Province


async def test_what_each_platform_knew_at_a_past_moment(province: Province) -> None:
    before = province.gateway.clock.now()
    await province.house.store.write("pause_endpoint", (ONE_STOP, "operator", "test"))
    case = await province.case()
    await province.delivered(case, "case.submitted", HR)
    agreement = await province.agreement(case)
    confirmation = await province.confirmation(agreement)
    await province.delivered(case, "confirmation.requested", HR)
    told = province.gateway.clock.now()
    province.gateway.clock.skip(60)
    await province.set_clocks()
    await province.decide(HR, confirmation, "accept")
    await province.reaches(f"/v1/confirmations/{confirmation}", "accepted")
    await province.house.store.write("resume_endpoint", (ONE_STOP,))
    province.house.bells.committed()
    await province.delivered(case, "agreement.concluded", ONE_STOP)

    async def views(at: str) -> dict[str, dict[str, object]]:
        reply = await province.api.get(f"/v1/cases/{case}/platforms", params={"at": at} if at else {})
        return {view["endpoint"]: view for view in reply.json()["platforms"]}

    assert await views((before - timedelta(seconds=1)).isoformat()) == {}
    then = await views((told + timedelta(seconds=1)).isoformat())
    states = {(name, row["type"]): row["state"] for name, view in then.items() for row in view["told"]}  # type: ignore[attr-defined] # JSON
    assert states[HR, "confirmation.requested"] == "delivered"
    assert states[ONE_STOP, "case.submitted"] == "pending"
    assert not [row for row in then[HR]["said"] if row["type"] == "confirmation.accepted"]  # type: ignore[attr-defined] # JSON
    assert {ref["kind"] for ref in then[HR]["external_refs"]} == {"platform_no"}  # type: ignore[attr-defined] # JSON
    assert "external_refs" not in then[ONE_STOP]
    now = await views("")
    assert [row for row in now[HR]["said"] if row["type"] == "confirmation.accepted"]  # type: ignore[attr-defined] # JSON
    assert "external_refs" in now[ONE_STOP]


async def test_a_platforms_number_finds_the_case_in_any_spelling(province: Province) -> None:
    case = await province.case()
    await province.delivered(case, "case.submitted", HR)
    refs = (await province.get(f"/v1/cases/{case}"))["external_refs"]
    number = next(ref["value"] for ref in refs if ref["endpoint"] == HR)
    wide = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in number)
    for written in (number, number.lower(), wide, f" {number[:6]} {number[6:]} "):
        found = await province.api.get("/v1/cases", params={"external_ref": written})
        assert [one["id"] for one in found.json()["items"]] == [case]


async def test_the_same_dispute_at_another_organisation_goes_to_a_person(province: Province) -> None:
    first = await province.case()
    assert await province.tasks("possible_duplicate") == []
    body = papers.body("wages", {"/organization/code": LANSHAN, "/source_case_no": "371302-LS007-2026-00077"})
    answer = await province.post("/v1/cases", body)
    assert answer["warnings"] == [], "the sender hears nothing of another organisation's case"
    (task,) = await province.tasks("possible_duplicate")
    assert task["about"] == answer["id"]
    kept = province.house.store.unseal(task["detail_sealed"], f"tasks.detail:{task['id']}")
    assert first.encode() in kept
    assert (await province.get(f"/v1/cases/{first}"))["status"] == "accepted", "nothing is merged"


async def twins(province: Province) -> tuple[str, str, str]:
    """One dispute at two organisations, and the task that asks about it."""
    first = await province.case()
    body = papers.body("wages", {"/organization/code": LANSHAN, "/source_case_no": "371302-LS007-2026-00077"})
    second = str((await province.post("/v1/cases", body))["id"])
    (task,) = await province.tasks("possible_duplicate")
    return first, second, task["id"]


async def linked(province: Province, case: str, by: httpx.AsyncClient) -> list[str]:
    return [one["case"] for one in (await province.get(f"/v1/cases/{case}", by)).get("linked_cases", [])]


async def history(province: Province, case: str, by: httpx.AsyncClient) -> list[tuple[str, str]]:
    items = (await province.get(f"/v1/cases/{case}/timeline", by))["items"]
    return [(one["type"], one["data"]["with_case"]) for one in items if "with_case" in one["data"]]


async def test_a_person_links_two_cases_and_neither_is_merged(province: Province) -> None:
    first, second, task = await twins(province)
    path = f"/v1/ops/tasks/{task}/resolve"
    for body in ({}, {"decision": "merge"}, {"decision": "link", "cases": ["case_other"]}):
        refused = await province.ops.post(path, json={"reason": "同一劳动者同一欠薪"} | body)
        assert (refused.status_code, refused.json()["code"]) == (422, "decision_missing")
    assert await linked(province, first, province.api) == []
    decided = await province.ops.post(path, json={"reason": "同一劳动者同一欠薪", "decision": "link"})
    assert decided.status_code == 200, decided.text
    assert (await province.ops.post(path, json={"reason": "再次", "decision": "link"})).status_code == 409
    whole = await province.client(("*",))
    one = await province.client((LIXIA,))
    try:
        for case, other in ((first, second), (second, first)):
            read = await province.get(f"/v1/cases/{case}", whole)
            assert read["linked_cases"] == [{"case": other}]
            assert read["status"] == "accepted", "both go on by themselves"
            assert await history(province, case, whole) == [("case.linked", other)]
        assert await linked(province, first, one) == [], "a system sees its own organisations' cases alone"
        assert await history(province, first, one) == []
    finally:
        await whole.aclose()
        await one.aclose()
    rows = await province.house.store.rows("audit_after", 0, 100)
    (act,) = [row for row in rows if row["act"] == "task.resolve"]
    assert second in act["data"]
    assert first in act["data"]


async def test_cases_kept_apart_are_never_asked_about_again(province: Province) -> None:
    first, second, task = await twins(province)
    body = {"reason": "两次不同月份的欠薪", "decision": "keep_apart"}
    assert (await province.ops.post(f"/v1/ops/tasks/{task}/resolve", json=body)).status_code == 200
    for case, code, number in ((first, LIXIA, None), (second, LANSHAN, "371302-LS007-2026-00077")):
        read = await province.get(f"/v1/cases/{case}")
        document = read["document"] | {"facts": read["document"]["facts"] + "（更正）"}
        assert number in (None, document["source_case_no"])
        assert document["organization"]["code"] == code
        revised = await province.api.put(f"/v1/cases/{case}", json=document, headers={"If-Match": '"1"'})
        assert revised.status_code == 202, revised.text
    assert await province.tasks("possible_duplicate") == [], "the pair was decided"
    assert await linked(province, first, province.api) == []
    assert await history(province, first, province.api) == [("case.kept_apart", second)]
    third = papers.body("wages", {"/source_case_no": "370102-LX001-2026-90001"})
    await province.post("/v1/cases", third)
    (task,) = await province.tasks("possible_duplicate")
    kept = province.house.store.unseal(task["detail_sealed"], f"tasks.detail:{task['id']}")
    assert first.encode() in kept
    assert second.encode() in kept, "another case is another question"


async def test_a_revision_that_makes_two_cases_alike_is_noticed(province: Province) -> None:
    first = await province.case()
    other = {"/parties/0/id_number": "370102198805120017", "/parties/0/birth_date": "1988-05-12"}
    second = await province.case(other)
    assert await province.tasks("possible_duplicate") == []
    read = await province.get(f"/v1/cases/{second}")
    document = read["document"]
    theirs = (await province.get(f"/v1/cases/{first}"))["document"]["parties"]
    document["parties"] = theirs
    revised = await province.api.put(f"/v1/cases/{second}", json=document, headers={"If-Match": '"1"'})
    assert revised.status_code == 202, revised.text
    (task,) = await province.tasks("possible_duplicate")
    assert task["about"] == second


@pytest.mark.parametrize(
    "changes",
    [
        {"/cause/path": ["劳动争议", "劳动合同纠纷", "经济补偿金纠纷"]},
        {"/parties/0/id_number": "370102198805120017", "/parties/0/birth_date": "1988-05-12"},
        {"/parties/1/credit_code": "91371302MA0DEM021B"},
    ],
)
async def test_another_dispute_is_no_duplicate(province: Province, changes: dict[str, object]) -> None:
    await province.case()
    await province.case(changes)
    assert await province.tasks("possible_duplicate") == []


async def test_a_dispute_long_over_is_no_duplicate(province: Province) -> None:
    first = await province.case()
    await province.post(f"/v1/cases/{first}/progress", papers.body("failed"))
    province.gateway.clock.skip(120 * 86_400)
    later = province.gateway.clock.now().isoformat()
    await province.case({"/received_at": later, "/accepted_at": later})
    assert await province.tasks("possible_duplicate") == []
    await province.case()
    assert len(await province.tasks("possible_duplicate")) == 1, "received while the first was open"
