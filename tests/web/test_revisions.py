"""Corrections by the sender: made from the version that was seen, refused once a platform has the old one."""

from __future__ import annotations

from typing import Any, Final

import orjson
import pytest

from contracts.messages import COURT, HR, ONE_STOP
from tests.flow import papers
from tests.flow.stage import until
from tests.web.site import Site, accepted

MEDIATOR: Final = {
    "schema_version": "1.0",
    "certificate_no": "LDTJ-3701-2023-0456",
    "certificate_valid_until": "2028-12-31",
    "name": "李明",
    "organization_code": "SD-JN-LX-001",
    "employment": "full_time",
    "active": True,
}


async def test_a_revision_names_the_version_it_was_made_from(site: Site) -> None:
    body = site.case_body()
    case = accepted(await site.post("/v1/cases", body))
    changed = {**body, "facts": "更正后的事实。"}
    missing = await site.put(f"/v1/cases/{case}", changed)
    assert (missing.status_code, missing.json()["code"]) == (428, "if_match_missing")
    for stale in ('"2"', '"0"', '"x"', 'W/"7"', '"x", "7"', '""'):
        refused = await site.put(f"/v1/cases/{case}", changed, headers={"If-Match": stale})
        assert (refused.status_code, refused.json()["code"]) == (412, "version_stale")
    for formless in ("**", "1", '"1', "'1'", '"1" "2"', '"1", "2"', "", '"1",' * 1000):
        refused = await site.put(f"/v1/cases/{case}", changed, headers={"If-Match": formless})
        told = refused.json()
        assert (refused.status_code, told["code"], told["header"]) == (400, "if_match_form", "If-Match"), formless
    taken = await site.put(f"/v1/cases/{case}", changed, headers={"If-Match": '"1"'})
    assert taken.status_code == 202, taken.text
    assert (taken.json()["version"], taken.headers["ETag"]) == (2, '"2"')
    read = await site.up.get(f"/v1/cases/{case}")
    assert read.headers["ETag"] == '"2"'
    assert read.json()["document"]["facts"] == "更正后的事实。"
    again = await site.put(f"/v1/cases/{case}", changed, headers={"If-Match": '"1"'})
    assert again.status_code == 412


async def test_a_star_matches_whatever_there_is(site: Site) -> None:
    """RFC 9110 §13.1.1: ``*`` holds where there is a current representation, and only there."""
    body = site.case_body()
    case = accepted(await site.post("/v1/cases", body))
    for number in (2, 3):
        taken = await site.put(f"/v1/cases/{case}", {**body, "facts": f"更正{number}。"}, headers={"If-Match": " * "})
        assert (taken.status_code, taken.json()["version"]) == (202, number)
    missing = await site.put("/v1/cases/case_01M7Q5CQG057N683VPG2HEWAGG", body, headers={"If-Match": "*"})
    assert missing.status_code == 404


async def test_the_roster_keeps_to_if_match_where_it_is_given(site: Site) -> None:
    accepted(await site.post("/v1/cases", site.case_body()))
    path = "/v1/mediators/LDTJ-3701-2023-0456"
    body = {
        "schema_version": "1.0",
        "certificate_no": "LDTJ-3701-2023-0456",
        "certificate_valid_until": "2027-12-31",
        "name": "李明",
        "organization_code": "SD-JN-LX-001",
        "employment": "full_time",
        "specialities": [],
        "active": True,
    }
    for never in ("*", '"1"'):
        assert (await site.put(path, body, headers={"If-Match": never})).status_code == 412
    assert (await site.put(path, body)).status_code == 202
    assert (await site.put(path, body | {"name": "李鸣"}, headers={"If-Match": '"7"'})).status_code == 412
    assert (await site.put(path, body | {"name": "李鸣"}, headers={"If-Match": '"1"'})).json()["version"] == 2
    assert (await site.put(path, body | {"name": "李铭"}, headers={"If-Match": "*"})).json()["version"] == 3


async def test_a_revision_supersedes_what_nobody_has_and_frees_what_waits(site: Site) -> None:
    body = site.case_body()
    case = accepted(await site.post("/v1/cases", body))
    accepted(await site.post(f"/v1/cases/{case}/progress", papers.raw("failed")))
    accepted(await site.put(f"/v1/cases/{case}", {**body, "facts": "更正。"}, headers={"If-Match": '"1"'}))
    read = (await site.up.get(f"/v1/cases/{case}")).json()
    states = [(one["type"], one["endpoint"], one["state"]) for one in read["deliveries"]]
    assert sorted(states) == sorted(
        [("case.submitted", name, "superseded") for name in (HR, ONE_STOP)]
        + [(kind, name, "pending") for kind in ("case.progressed", "case.revised") for name in (HR, ONE_STOP)]
    )
    newest = {one["endpoint"]: one["id"] for one in read["deliveries"] if one["type"] == "case.revised"}
    waiting = {one["endpoint"]: one["requires"] for one in read["deliveries"] if one["type"] == "case.progressed"}
    assert waiting == newest


async def test_a_revision_keeps_the_business_key(site: Site) -> None:
    body = site.case_body()
    case = accepted(await site.post("/v1/cases", body))
    refused = await site.put(f"/v1/cases/{case}", {**body, "source_case_no": "OTHER"}, headers={"If-Match": '"1"'})
    assert (refused.status_code, refused.json()["code"]) == (422, "business_key_changed")


async def test_what_names_a_thing_is_no_correction_of_it(site: Site) -> None:
    """Whoever looks for the business key would find it where it no longer is, and the new one would be free for a second."""
    case = await site.case()
    body = await site.agreement_body()
    agreement = accepted(await site.post(f"/v1/cases/{case}/agreements", body))
    transfer = papers.body("transfer")
    sent = accepted(await site.post(f"/v1/cases/{case}/transfers", transfer))
    for path, changed in (
        (f"agreements/{agreement}", {**body, "agreement_no": "OTHER"}),
        (f"transfers/{sent}", {**transfer, "to": "court"}),
    ):
        refused = await site.put(f"/v1/{path}", changed, headers={"If-Match": '"1"'})
        assert (refused.status_code, refused.json()["code"]) == (422, "business_key_changed")


async def test_a_request_that_takes_the_other_route_stands_there(site: Site) -> None:
    case = await site.case()
    agreement = await site.agreement(case)
    confirmation = await site.confirmation(agreement, "arbitration")
    changed = await site.put(f"/v1/confirmations/{confirmation}", papers.raw("judicial"), headers={"If-Match": '"1"'})
    assert changed.status_code == 202, changed.text
    assert [one["endpoint"] for one in changed.json()["deliveries"]] == [COURT]
    read = (await site.up.get(f"/v1/confirmations/{confirmation}")).json()
    assert read["route"] == "judicial_confirmation"
    clocks = {row["rule"]: row["state"] for row in await site.house.store.rows("clocks_of", case)}
    assert (clocks["D04"], clocks["D07"]) == ("running", "met")


async def test_a_corrected_agreement_is_performed_as_it_says_now(site: Site) -> None:
    """A term that it has no more is not waited for, and nobody is told that its day is over; a new one counts."""
    case = await site.case()
    body = await site.agreement_body()
    second = {**body["terms"][0], "no": 7, "due_date": "2026-12-01", "installments": []}
    agreement = accepted(await site.post(f"/v1/cases/{case}/agreements", {**body, "terms": [*body["terms"], second]}))
    third = {**second, "no": 8, "due_date": "2026-12-08"}
    changed = {**body, "terms": [*body["terms"], third]}
    accepted(await site.put(f"/v1/agreements/{agreement}", changed, headers={"If-Match": '"1"'}))
    read = (await site.up.get(f"/v1/agreements/{agreement}")).json()
    assert [one["term_no"] for one in read["fulfilment"]] == [1, 8]
    clocks = {
        row["about"]: row["state"]
        for row in await site.house.store.rows("clocks_of", case)
        if row["rule"] == "D26-performance"
    }
    assert (clocks[f"{agreement}/7"], clocks[f"{agreement}/8"]) == ("cancelled", "running")
    again = {**changed, "terms": [*body["terms"], second]}
    accepted(await site.put(f"/v1/agreements/{agreement}", again, headers={"If-Match": '"2"'}))
    read = (await site.up.get(f"/v1/agreements/{agreement}")).json()
    assert [one["term_no"] for one in read["fulfilment"]] == [1, 7]


async def test_a_corrected_agreement_moves_its_case_by_what_it_settles_now(site: Site) -> None:
    case = await site.case()
    body = await site.agreement_body({"/settled_claims": "partial"})
    agreement = accepted(await site.post(f"/v1/cases/{case}/agreements", body))
    assert await site.stage.status(case) == "partly_agreed"
    accepted(
        await site.put(f"/v1/agreements/{agreement}", {**body, "settled_claims": "all"}, headers={"If-Match": '"1"'})
    )
    assert await site.stage.status(case) == "agreed"
    back = await site.put(f"/v1/agreements/{agreement}", body, headers={"If-Match": '"2"'})
    assert (back.status_code, back.json()["code"]) == (409, "illegal_transition")


async def test_an_agreement_that_a_court_has_with_its_request_is_not_corrected(busy: Site) -> None:
    """The court's filing carries the agreement, though no delivery of the agreement itself went anywhere."""
    await busy.house.store.write("pause_endpoint", (HR, "op", "x"))
    await busy.house.store.write("pause_endpoint", (ONE_STOP, "op", "x"))
    case = await busy.case()
    body = await busy.agreement_body()
    agreement = accepted(await busy.post(f"/v1/cases/{case}/agreements", body))
    await busy.confirmation(agreement, "judicial")
    await busy.stage.delivered(case, "confirmation.requested", endpoint=COURT)
    late = await busy.put(f"/v1/agreements/{agreement}", {**body, "copies": 6}, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["code"]) == (409, "already_delivered")


async def test_an_agreement_may_be_corrected_until_somebody_has_it(busy: Site) -> None:
    case = await busy.case()
    body = await busy.agreement_body()
    await busy.house.store.write("pause_endpoint", (HR, "op", "x"))
    await busy.house.store.write("pause_endpoint", (ONE_STOP, "op", "x"))
    agreement = accepted(await busy.post(f"/v1/cases/{case}/agreements", body))
    fixed = await busy.put(f"/v1/agreements/{agreement}", {**body, "copies": 5}, headers={"If-Match": '"1"'})
    assert fixed.status_code == 202, fixed.text
    for name in (HR, ONE_STOP):
        await busy.house.store.write("resume_endpoint", (name,))
    busy.house.bells.committed()
    await busy.stage.delivered(case)
    late = await busy.put(f"/v1/agreements/{agreement}", {**body, "copies": 6}, headers={"If-Match": '"2"'})
    assert (late.status_code, late.json()["code"]) == (409, "already_delivered")
    sent = [wire.payload for wire in busy.stage.puppet().sent if wire.operation == "agreement.concluded"]
    assert [payload["copies"] for payload in sent] == [5]


@pytest.mark.parametrize("kind", ["confirmations", "transfers"])
async def test_requests_may_be_corrected_too(site: Site, kind: str) -> None:
    case = await site.case()
    if kind == "transfers":
        body = papers.body("transfer")
        identifier = accepted(await site.post(f"/v1/cases/{case}/transfers", body))
        changed = {**body, "reason_code": "other"}
    else:
        body = papers.body("arbitration")
        identifier = await site.confirmation(await site.agreement(case))
        changed = {**body, "late_reason": "说明"}
    fixed = await site.put(f"/v1/{kind}/{identifier}", changed, headers={"If-Match": '"1"'})
    assert fixed.status_code == 202, fixed.text
    read = (await site.up.get(f"/v1/{kind}/{identifier}")).json()
    assert (read["version"], read["status"]) == (2, "requested")


async def test_a_delivered_case_is_revised_at_the_platform(busy: Site) -> None:
    body = busy.case_body()
    case = accepted(await busy.post("/v1/cases", body))
    await busy.stage.delivered(case)
    accepted(await busy.put(f"/v1/cases/{case}", {**body, "facts": "更正。"}, headers={"If-Match": '"1"'}))
    await busy.stage.delivered(case)
    puppet = busy.stage.puppet()
    assert [wire.operation for wire in puppet.sent] == ["case.submitted", "case.revised"]
    assert [context.registered_version for context in puppet.contexts] == [None, 1]


async def test_a_mediator_is_listed_again_as_the_next_version(site: Site) -> None:
    await site.case()
    first = await site.put("/v1/mediators/LDTJ-3701-2023-0456", MEDIATOR)
    assert first.status_code == 202, first.text
    second = await site.put("/v1/mediators/LDTJ-3701-2023-0456", {**MEDIATOR, "active": False})
    assert (second.json()["id"], second.json()["version"]) == (first.json()["id"], 2)
    other = await site.put("/v1/mediators/LDTJ-0000", MEDIATOR)
    assert (other.status_code, other.json()["code"]) == (422, "certificate_no_differs")
    unknown = await site.put(
        "/v1/mediators/X-1", {**MEDIATOR, "certificate_no": "X-1", "organization_code": "SD-LY-LS-007"}
    )
    assert (unknown.status_code, unknown.json()["code"]) == (422, "organization_unknown")
    listed = (await site.up.get("/v1/mediators")).json()["items"]
    assert [(one["certificate_no"], one["status"], one["version"]) for one in listed] == [
        ("LDTJ-3701-2023-0456", "left", 2)
    ]


async def test_a_mediator_goes_with_his_certificate_to_another_organisation(site: Site) -> None:
    """Whoever acts for both says so; from then on the new organisation's own system has him, and the old one's no more."""
    await site.case()
    await site.case({"/organization/code": "SD-LY-LS-007"})
    path = "/v1/mediators/LDTJ-3701-2023-0456"
    accepted(await site.put(path, MEDIATOR))
    moved = {**MEDIATOR, "organization_code": "SD-LY-LS-007"}
    accepted(await site.put(path, moved))
    old = await site.caller("old", organizations=("SD-JN-LX-001",))
    new = await site.caller("new", organizations=("SD-LY-LS-007",))
    assert (await old.get("/v1/mediators")).json()["items"] == []
    (listed,) = (await new.get("/v1/mediators")).json()["items"]
    assert (listed["organization"]["code"], listed["version"]) == ("SD-LY-LS-007", 2)
    assert (await new.put(path, json=moved)).json()["version"] == 3


async def test_steps_that_the_law_does_not_know_are_refused_with_the_legal_ones(site: Site) -> None:
    case = await site.case()
    early = await site.post(
        f"/v1/cases/{case}/progress", papers.body("failed", {"/status": "closed", "/reason_code": papers.DROP})
    )
    assert (early.status_code, early.json()["code"]) == (409, "illegal_transition")
    assert early.json()["legal"] == ["agreed", "failed", "mediating", "partly_agreed", "terminated", "withdrawn"]
    assert early.json()["errors"][0]["pointer"] == "/status"
    accepted(await site.post(f"/v1/cases/{case}/progress", papers.raw("failed")))
    before = await site.counts()
    again = await site.post(f"/v1/cases/{case}/progress", papers.body("failed", {"/at": "2026-10-01T09:00:00+08:00"}))
    assert (again.status_code, again.json()["status"]) == (202, "failed")
    assert await site.counts() == before | {"idempotency_keys": before["idempotency_keys"] + 1}
    accepted(
        await site.post(
            f"/v1/cases/{case}/progress", papers.body("failed", {"/status": "closed", "/reason_code": papers.DROP})
        )
    )
    for path, body in (
        ("progress", orjson.dumps(papers.body("failed", {"/at": "2026-10-01T10:00:00+08:00"}))),
        ("transfers", papers.raw("transfer")),
        ("alerts", papers.raw("alert")),
    ):
        closed = await site.post(f"/v1/cases/{case}/{path}", body)
        assert (closed.status_code, closed.json()["code"]) == (409, "case_closed")


async def test_a_supplement_needs_a_correction_and_a_withdrawal_an_open_request(busy: Site) -> None:
    _, _, confirmation = await busy.stage.chain()
    supplement = {"schema_version": "1.0", "at": "2026-10-09T10:00:00+08:00", "note": "已补正", "attachments": []}
    early = await busy.post(f"/v1/confirmations/{confirmation}/supplements", supplement)
    assert (early.status_code, early.json()["code"]) == (409, "correction_not_open")
    for language, cure in (("zh-CN", "GET /v1/confirmations/{id}"), ("en", "has not asked")):
        told = await busy.post(
            f"/v1/confirmations/{confirmation}/supplements", supplement, headers={"Accept-Language": language}
        )
        assert cure in told.json()["detail"], "where it is seen when the platform asks"
    await busy.stage.tell(busy.stage.word("confirmation", "not_accepted", ("confirmation", confirmation, "")))
    withdrawal = {"schema_version": "1.0", "at": "2026-10-10T10:00:00+08:00", "reason": "双方自行和解"}
    late = await busy.post(f"/v1/confirmations/{confirmation}/withdrawal", withdrawal)
    assert (late.status_code, late.json()["code"]) == (409, "confirmation_closed")

    async def over() -> bool:
        return (await busy.stage.status(confirmation)) == "not_accepted"

    assert await until(over, "it stays not accepted")


async def test_a_transfer_that_came_back_for_correction_is_sent_again(busy: Site) -> None:
    """It asks anew, as a new version under its own id; until a platform asks, what it has is not changed."""
    case = await busy.case()
    body = papers.body("transfer")
    transfer = accepted(await busy.post(f"/v1/cases/{case}/transfers", body))
    await busy.stage.delivered(case)
    path = f"/v1/transfers/{transfer}"
    early = await busy.put(path, {**body, "reason_code": "other"}, headers={"If-Match": "*"})
    assert (early.status_code, early.json()["code"]) == (409, "already_delivered")

    async def asked(hour: int) -> dict[str, Any]:
        word = busy.stage.word("transfer", "correction_required", ("transfer", transfer, ""))
        due = {"at": f"2026-10-10T{hour:02}:00:00+08:00", "due_at": "2026-10-20T17:00:00+08:00"}
        await busy.stage.tell(word | due | {"reasons": [["", "受理机关填写有误", "/authority"]]})
        return dict((await busy.up.get(path)).json())

    read = await asked(9)
    assert (read["status"], read["next_steps"][0]["action"]) == ("correction_required", "transfer_again")
    assert read["correction"]["reasons"][0]["text"] == "受理机关填写有误"
    again = await busy.post(f"/v1/cases/{case}/transfers", body)
    assert (again.status_code, again.json()["code"]) == (409, "already_posted"), "PUT is the way"
    stale = await busy.put(path, body, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    fixed = await busy.put(path, {**body, "reason_code": "other"}, headers={"If-Match": '"1"'})
    assert fixed.status_code == 202, fixed.text
    assert (fixed.json()["status"], fixed.json()["version"]) == ("requested", 2)
    assert [one["endpoint"] for one in fixed.json()["deliveries"]] == [HR, ONE_STOP]
    await busy.stage.delivered(case)
    sent = [wire.payload for wire in busy.stage.puppet().sent if wire.operation == "transfer.requested"]
    assert [payload["reason_code"] for payload in sent] == [body["reason_code"], "other"]
    read = (await busy.up.get(path)).json()
    assert (read["status"], "correction" in read) == ("requested", False)
    assert (read["next_steps"][0]["action"], read["clocks"][0]["state"]) == ("await_filing", "running")
    assert await busy.stage.tasks("correction_due") == []
    told = [one for one in await busy.stage.history(case, transfer) if one["type"] == "transfer.requested"]
    assert [one.get("state_before") for one in told] == [None, "correction_required"]
    closed = await busy.put(path, body, headers={"If-Match": '"2"'})
    assert (closed.status_code, closed.json()["code"]) == (409, "already_delivered")
    # The old demand once more, late: nothing. A new one: another task, another version.
    assert (await asked(9))["status"] == "requested"
    later = busy.stage.word("transfer", "correction_required", ("transfer", transfer, ""))
    await busy.stage.tell(later | {"at": "2027-01-10T09:00:00+08:00", "reasons": [["", "缺少授权委托书", ""]]})
    read = (await busy.up.get(path)).json()
    assert (read["status"], read["correction"]["reasons"][0]["text"]) == ("correction_required", "缺少授权委托书")
    accepted(await busy.put(path, body, headers={"If-Match": '"2"'}))
    await busy.stage.tell(busy.stage.word("transfer", "filed", ("transfer", transfer, "")))
    assert await busy.stage.status(transfer) == "filed"
    over = await busy.put(path, body, headers={"If-Match": "*"})
    assert (over.status_code, over.json()["code"]) == (409, "already_delivered")


async def test_a_supplement_that_comes_again_is_answered_alike(busy: Site) -> None:
    _, _, confirmation = await busy.stage.chain()
    path = f"/v1/confirmations/{confirmation}/supplements"
    word = busy.stage.word("confirmation", "correction_required", ("confirmation", confirmation, ""))
    await busy.stage.tell(word | {"due_at": "2026-10-20T17:00:00+08:00"})
    supplement = {"schema_version": "1.0", "at": "2026-10-10T10:00:00+08:00", "note": "已补正", "attachments": []}
    first = await busy.post(path, supplement)
    assert first.status_code == 202, first.text
    again = await busy.post(path, supplement)
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await busy.post(path, supplement | {"note": "另一说法"})
    assert (other.status_code, other.json()["code"]) == (409, "already_posted")
    assert other.json()["link"].endswith(f"/v1/confirmations/{confirmation}")
    fresh = await busy.post(path, supplement | {"at": "2026-10-10T11:00:00+08:00"})
    assert (fresh.status_code, fresh.json()["code"]) == (409, "correction_not_open")
