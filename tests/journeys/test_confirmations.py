"""Confirmation as a process, against the real platforms: correction, decision papers, dismissal and what may follow."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import pytest

from contracts.messages import COURT, HR, ONE_STOP
from tests.flow import papers
from tests.journeys.province import Province

CONFIRMED = "26"
"""The one-stop platform's word for a confirmation that arbitration or a court has given."""


def actions(thing: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The next steps by action."""
    return {step["action"]: step for step in thing["next_steps"]}


async def test_wages_by_arbitration_review_with_one_correction(province: Province) -> None:
    case = await province.case()
    agreement = await province.agreement(case)
    steps = actions(await province.get(f"/v1/agreements/{agreement}"))
    assert steps["request_arbitration_review"]["until"] == "2026-10-10"
    assert steps["request_arbitration_review"]["article"] == "《劳动人事争议仲裁办案规则》第74条"
    assert steps["request_judicial_confirmation"]["until"] == "2026-10-26"
    listed = (await province.get(f"/v1/clocks?case={case}"))["items"]
    window = next(clock for clock in listed if clock["rule"] == "D07")
    assert window["title"] == "共同申请司法确认"
    assert window["article"] == "《中华人民共和国民事诉讼法》（2023年修正）第205条"
    assert (window["article_en"], window["verified"]) == ("Civil Procedure Law (2023), art. 205", True)
    confirmation = await province.confirmation(agreement)
    await province.delivered(case, "confirmation.requested", HR)

    reply = await province.api.post(f"/v1/agreements/{agreement}/confirmations", json=papers.body("judicial"))
    assert reply.status_code == 409
    assert reply.json()["errors"][0]["code"] == "confirmation_active"
    assert confirmation in reply.text
    waiting = actions(await province.get(f"/v1/agreements/{agreement}"))
    assert waiting["await_confirmation"]["confirmation"] == confirmation
    assert waiting["request_judicial_confirmation"]["blocked_by"] == confirmation
    assert waiting["request_judicial_confirmation"]["until"] == "2026-10-26"

    await province.decide(
        HR, confirmation, "correct", texts=["请补充被申请人身份证明", "请明确履行方式"], due="2026-10-15"
    )
    read = await province.reaches(f"/v1/confirmations/{confirmation}", "correction_required")
    assert [reason["text"] for reason in read["correction"]["reasons"]] == ["请补充被申请人身份证明", "请明确履行方式"]
    assert read["correction"]["due"] == "2026-10-15"
    assert set(actions(read)) == {"supplement", "withdraw"}

    proof = {"id": await province.paper("identity_proof"), "kind": "identity_proof", "name": "营业执照.pdf"}
    body = {"schema_version": "1.0", "at": "2026-10-10T11:00:00+08:00", "note": "已补", "attachments": [proof]}
    await province.post(f"/v1/confirmations/{confirmation}/supplements", body)
    await province.delivered(case, "confirmation.supplemented", HR)
    assert "correction" not in await province.get(f"/v1/confirmations/{confirmation}")
    await province.decide(HR, confirmation, "accept")
    accepted = await province.reaches(f"/v1/confirmations/{confirmation}", "accepted")
    assert {clock["rule"] for clock in accepted["clocks"]} == {"D06"}
    await province.decide(HR, confirmation, "confirm")

    async def decided() -> dict[str, Any] | None:
        found = await province.get(f"/v1/confirmations/{confirmation}")
        papers_there = [paper for paper in found["documents"] if paper["state"] == "fetched"]
        return found if found["status"] == "confirmed" and papers_there else None

    read = await province.until(decided, "the arbitration mediation statement is here")
    paper = read["documents"][0]
    content = (await province.api.get(paper["link"])).content
    assert hashlib.sha256(content).hexdigest() == paper["sha256"]
    kinds = {reference["kind"] for reference in read["external_refs"]}
    assert {"platform_no", "case_no", "document_no"} <= kinds
    enforce = actions(read)["enforce_arbitration_statement"]
    assert enforce["until"] == "2028-10-31", "two years from the last day of performance"
    assert enforce["article_en"].endswith("art. 51")

    async def told() -> bool:
        progress = [entry["payload"] for entry in await province.journal(ONE_STOP) if entry["kind"] == "reportProgress"]
        return any(one.get("进展类别") == "2" and one.get("状态") == CONFIRMED for one in progress)

    await province.until(told, "the one-stop platform was told that it is confirmed")
    number = next(ref["value"] for ref in read["external_refs"] if ref["kind"] == "case_no")
    spelled = number.replace("〔", "(").replace("〕", ")")
    found = await province.api.get("/v1/cases", params={"external_ref": spelled})
    assert [one["id"] for one in found.json()["items"]] == [case]


async def test_judicial_confirmation_is_dismissed_and_what_may_follow(province: Province) -> None:
    case = await province.case()
    agreement = await province.agreement(case)
    confirmation = await province.confirmation(agreement, "judicial")
    await province.delivered(case, "confirmation.requested", COURT)
    await province.decide(COURT, confirmation, "accept")
    await province.reaches(f"/v1/confirmations/{confirmation}", "accepted")
    await province.decide(COURT, confirmation, "reject")
    read = await province.reaches(f"/v1/confirmations/{confirmation}", "rejected")
    steps = actions(read)
    assert steps["mediate_again"]["article"].endswith("第206条")
    assert steps["request_judicial_confirmation"]["until"] == "2026-10-26"
    assert steps["apply_for_arbitration"]["until"] == "2027-09-27", "a year from the consent, rolled over the weekend"
    assert steps["apply_for_arbitration"]["article"] == "《中华人民共和国劳动争议调解仲裁法》第27条"
    assert "sue" in steps, "only wages: 解释一 art. 51"

    async def paper_here() -> Any:
        found = await province.get(f"/v1/confirmations/{confirmation}")
        return [paper for paper in found["documents"] if paper["state"] == "fetched"]

    assert await province.until(paper_here, "the ruling is here")
    # The agreement is free again: within its clock the other route, or this one anew.
    await province.confirmation(agreement)


@pytest.mark.parametrize(
    ("route", "platform", "article", "due", "late"),
    [
        ("arbitration", HR, "《劳动人事争议仲裁办案规则》第74条", "2026-10-09", "2026-10-10"),
        ("judicial", COURT, "《中华人民共和国民事诉讼法》（2023年修正）第205条", "2026-10-26", "2026-10-27"),
    ],
)
async def test_one_day_late_is_refused_and_with_its_reason_goes_and_says_so(
    province: Province, route: str, platform: str, article: str, due: str, late: str
) -> None:
    case = await province.case()
    agreement = await province.agreement(case, {"/organization_seal/sealed_at": "2026-09-24T16:00:00+08:00"})
    province.gateway.clock.skip(86_400 * (date.fromisoformat(late) - date(2026, 10, 9)).days)
    await province.set_clocks()
    applied = {"/applied_at": f"{late}T10:00:00+08:00"}
    reply = await province.api.post(f"/v1/agreements/{agreement}/confirmations", json=papers.body(route, applied))
    assert reply.status_code == 422
    (finding,) = reply.json()["errors"]
    assert (finding["pointer"], finding["code"]) == ("/applied_at", "deadline_passed")
    for fact in (article, due, late):
        assert fact in finding["message_zh"], finding
    await province.confirmation(agreement, route, **applied | {"/late_reason": "申请人住院，次日方出院"})
    await province.delivered(case, "confirmation.requested", platform)
    filed = await province.journal(platform)
    assert any("申请人住院" in str(entry["payload"]) for entry in filed)
    file = await province.house.store.load(case)
    assert file is not None
    sent = next(row for row in file.deliveries if row.type == "confirmation.requested")
    told = await province.house.store.rows("list_tasks", "resolved", "statutory_late", "", 100)
    assert ("made_late", sent.id) in {(row["code"], row["about"]) for row in told}, (
        "a person was told, the delivery answered"
    )
