"""Cases that platforms hand over: offered with clocks, answered and returned in the sender's dialect, recalled, expired."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
import pytest

from contracts.messages import COURT, HR, ONE_STOP, UNION
from tests.flow import papers
from tests.journeys.province import LIXIA, Province

ORDERS: dict[str, dict[str, Any]] = {
    "court_delegated": {"jgdm": LIXIA, "wplx": "1", "fydm": "鲁0102"},
    "court_entrusted": {"jgdm": LIXIA, "wplx": "2", "fydm": "鲁0102"},
    "arbitration_entrusted": {"organization_code": LIXIA},
    "one_stop_assigned": {"机构编码": LIXIA},
    "union_handed_over": {"jgdm": LIXIA},
}
SENDERS = {
    "court_delegated": COURT,
    "court_entrusted": COURT,
    "arbitration_entrusted": HR,
    "one_stop_assigned": ONE_STOP,
    "union_handed_over": UNION,
}
MEDIATION = {"court_delegated": "D23", "court_entrusted": "D24", "one_stop_assigned": "D27-assigned"}
AT = "2026-10-10T11:30:00+08:00"


async def offered(province: Province, kind: str) -> dict[str, Any]:
    """A referral of this kind, as its organisation reads it."""
    sender = SENDERS[kind]
    told = await province.tell(sender, "refer", ORDERS[kind])
    rows = await province.until(lambda: _listed(province), "a referral is offered")
    found = await province.referral(rows[-1]["task_no"])
    assert found["document"]["kind"] == kind, told
    return found


async def _listed(province: Province) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await province.get("/v1/referrals"))["items"]
    return items


async def answer(province: Province, referral: str, word: str = "accept", **more: Any) -> None:
    body = {"schema_version": "1.0", "answer": word, "at": AT} | more
    await province.post(f"/v1/referrals/{referral}/answer", body)


async def test_the_draft_of_an_entrusted_case_has_a_cause_that_can_be_posted(province: Province) -> None:
    for number in range(8):
        await province.tell(HR, "refer", ORDERS["arbitration_entrusted"] | {"task_no": f"WT-{number}"})
        referral = await province.referral(f"WT-{number}")
        body = papers.body("wages", {"/cause": referral["draft"]["cause"], "/source_case_no": f"WT-{number}"})
        answer = await province.api.post("/v1/cases?dry_run=true", json=body)
        assert answer.status_code == 200, answer.text


async def case_of(province: Province, referral: dict[str, Any]) -> str:
    """The organisation's case, from the sample with the draft's own facts."""
    draft = referral["draft"]
    assert draft["referral"] == referral["id"]
    assert draft["organization"]["code"] == LIXIA
    changes = {"/referral": referral["id"], "/channel": "referral", "/facts": draft["facts"]}
    return await province.case(changes | {"/received_at": AT, "/accepted_at": AT})


SIGNED = {f"/signatures/{place}/signed_at": "2026-10-10T11:40:00+08:00" for place in range(3)} | {
    "/organization_seal/sealed_at": "2026-10-10T11:45:00+08:00",
    "/performance_notice_sent_at": papers.DROP,
}


@pytest.mark.parametrize("kind", list(ORDERS))
async def test_a_referral_is_offered_answered_mediated_and_returned(province: Province, kind: str) -> None:
    sender = SENDERS[kind]
    referral = await offered(province, kind)
    path = f"/v1/referrals/{referral['id']}"
    answer_rule = "D21" if sender == COURT else "D27-answer"
    (clock,) = referral["clocks"]
    assert (clock["rule"], clock["state"]) == (answer_rule, "running")
    assert {step["action"] for step in referral["next_steps"]} == {"accept", "decline"}
    await answer(province, referral["id"])
    await province.delivered(referral["id"], "referral.answered", sender)
    accepted = await province.get(path)
    rules = {clock["rule"]: clock["state"] for clock in accepted["clocks"]}
    assert rules.pop(answer_rule) == "met"
    if kind in MEDIATION:
        assert rules[MEDIATION[kind]] == "running"
    assert await province.tasks("referral_due") == []

    case = await case_of(province, accepted)
    assert (await province.get(path))["case"] == case
    found = await province.api.get("/v1/cases", params={"external_ref": referral["document"]["task_no"]})
    assert [one["id"] for one in found.json()["items"]] == [case]
    agreement = await province.agreement(case, SIGNED)
    await province.delivered(case, "agreement.concluded", sender)
    result = {
        "schema_version": "1.0",
        "outcome": "agreed",
        "at": "2026-10-10T11:50:00+08:00",
        "reason_code": "agreement_reached",
        "agreement": agreement,
        "report": "双方自愿达成协议。",
    }
    await province.post(f"{path}/result", result)
    await province.delivered(referral["id"], "referral.returned", sender)
    returned = await province.get(path)
    assert returned["status"] == "returned"
    assert all(clock["state"] == "met" for clock in returned["clocks"])
    read = await province.get(f"/v1/agreements/{agreement}")
    steps = {step["action"]: step for step in read["next_steps"]}
    if sender == COURT:
        court = steps["request_judicial_confirmation"]["inviting_court"]
        assert court["code"] == "鲁0102"
        changes = {"/authority": court, "/applied_at": "2026-10-10T11:55:00+08:00"}
        confirmation = await province.confirmation(agreement, "judicial", **changes)
        await province.delivered(case, "confirmation.requested", COURT)
        filed = [entry["payload"] for entry in await province.journal(COURT) if entry["kind"] == "sfqr/add"]
        assert [(one["fydm"], one["rwbh"]) for one in filed] == [("鲁0102", referral["document"]["task_no"])]
        await province.decide(COURT, confirmation, "accept")
        await province.reaches(f"/v1/confirmations/{confirmation}", "accepted")
        await province.decide(COURT, confirmation, "confirm")
        await province.reaches(f"/v1/confirmations/{confirmation}", "confirmed")
        await province.delivered(case, "status.reported", HR)
        await province.delivered(case, "status.reported", ONE_STOP)


async def test_a_delegated_mediation_is_prolonged_and_its_appraisal_is_not_counted(province: Province) -> None:
    referral = await offered(province, "court_delegated")
    await answer(province, referral["id"])
    clocks = (await province.get(f"/v1/referrals/{referral['id']}"))["clocks"]
    limit = next(clock for clock in clocks if clock["rule"] == "D23")
    path = f"/v1/clocks/{limit['id']}"
    today = {"reason": "委托工伤鉴定", "on": "2026-10-10"}
    assert (await province.post(f"{path}/suspend", today, 200))["state"] == "suspended"
    steps = (await province.get(f"/v1/referrals/{referral['id']}"))["next_steps"]
    assert all("until" not in step for step in steps), "nobody knows the day while the appraisal lasts"
    province.gateway.clock.skip(6 * 86_400)
    await province.set_clocks()
    resumed = await province.post(f"{path}/resume", {"reason": "鉴定意见已出具"}, 200)
    longer = await province.post(f"{path}/extend", {"reason": "双方同意延长", "extended_by": 7}, 200)
    days = [date.fromisoformat(one["due"]) for one in (limit, resumed, longer)]
    assert [(day - days[0]).days for day in days] == [0, 6, 13]
    rows = await province.house.store.rows("events_of", referral["id"])
    told = {row["type"]: orjson.loads(row["data"]) for row in rows if row["type"].startswith("clock.")}
    assert told["clock.suspended"]["article"] == "《人民法院在线调解规则》第26条"
    assert told["clock.extended"]["article"] == "《人民法院在线调解规则》第24条"
    assert told["clock.extended"]["referral"] == referral["id"]


async def test_the_court_files_the_suit_after_a_failed_delegation(province: Province) -> None:
    """民事诉讼法 art. 126: seven days from the complaint; the time of correction is not counted."""
    referral = await offered(province, "court_delegated")
    await answer(province, referral["id"])
    case = await case_of(province, referral)
    await province.post(f"/v1/cases/{case}/progress", papers.body("failed", {"/at": AT, "/session": papers.DROP}))
    court = {"kind": "court", "code": "鲁0102", "name": "济南市历下区人民法院"}
    body = papers.body("transfer", {"/to": "court", "/authority": court})
    transfer = (await province.post(f"/v1/cases/{case}/transfers", body))["id"]
    (step,) = (await province.get(f"/v1/transfers/{transfer}"))["next_steps"]
    assert (step["action"], step["until"]) == ("await_filing", "2026-10-19"), "the 17th is a Saturday"
    assert step["article"] == "《中华人民共和国民事诉讼法》（2023年修正）第126条"
    await province.delivered(case, "transfer.requested", COURT)
    await province.decide(COURT, transfer, "correct", bznr=["请补充起诉状"], bzqx="20261016")
    waiting = await province.reaches(f"/v1/transfers/{transfer}", "correction_required")
    assert {clock["rule"]: clock["state"] for clock in waiting["clocks"]} == {"D25": "suspended"}
    await province.decide(COURT, transfer, "file")
    filed = await province.reaches(f"/v1/transfers/{transfer}", "filed")
    assert {clock["rule"]: clock["state"] for clock in filed["clocks"]} == {"D25": "met"}


async def test_a_failed_delegation_goes_back_with_its_reason(province: Province) -> None:
    referral = await offered(province, "court_delegated")
    await answer(province, referral["id"])
    case = await case_of(province, referral)
    undisputed = {"text": "双方确认自2025年3月起存在劳动关系。", "confirmed_at": AT}
    ended = {"/at": AT, "/session": papers.DROP, "/undisputed_facts": undisputed}
    await province.post(f"/v1/cases/{case}/progress", papers.body("failed", ended))
    steps = {step["action"]: step for step in (await province.get(f"/v1/cases/{case}"))["next_steps"]}
    assert steps["return_result_to_court"]["article_en"].endswith("art. 21")
    body = {
        "schema_version": "1.0",
        "outcome": "failed",
        "at": AT,
        "reason_code": "large_divergence",
        "report": "分歧较大。",
        "undisputed_facts": undisputed,
    }
    await province.post(f"/v1/referrals/{referral['id']}/result", body)
    await province.delivered(referral["id"], "referral.returned", COURT)
    said = "无争议事实（双方于2026-10-10 11:30:00确认）：双方确认自2025年3月起存在劳动关系。"
    finished = [entry for entry in await province.journal(COURT) if entry["kind"] == "task/finish"]
    assert finished[-1]["payload"]["qkbg"] == f"分歧较大。\n{said}"
    for platform in (HR, ONE_STOP):
        await province.delivered(case, "case.progressed", platform)
        assert [entry for entry in await province.journal(platform) if said in str(entry["payload"])], platform


async def test_a_union_hand_over_is_recalled(province: Province) -> None:
    referral = await offered(province, "union_handed_over")
    task_no = referral["document"]["task_no"]
    await province.decide(UNION, task_no, "recall", sm="已另行处理")
    recalled = await province.reaches(f"/v1/referrals/{referral['id']}", "recalled")
    assert {clock["state"] for clock in recalled["clocks"]} == {"cancelled"}
    assert "draft" not in recalled
    assert await province.tasks("referral_due") == []
    body = {"schema_version": "1.0", "answer": "accept", "at": AT}
    reply = await province.api.post(f"/v1/referrals/{referral['id']}/answer", json=body)
    assert reply.status_code == 409
    assert reply.json()["errors"][0]["code"] == "referral_closed"


async def test_a_hand_over_recalled_after_acceptance_keeps_its_case(province: Province) -> None:
    referral = await offered(province, "union_handed_over")
    await answer(province, referral["id"])
    await province.delivered(referral["id"], "referral.answered", UNION)
    case = await case_of(province, referral)
    await province.decide(UNION, referral["document"]["task_no"], "recall")
    recalled = await province.reaches(f"/v1/referrals/{referral['id']}", "recalled")
    assert recalled["case"] == case
    assert (await province.get(f"/v1/cases/{case}"))["status"] == "accepted"


async def test_an_assignment_that_nobody_signed_for_expires(province: Province) -> None:
    referral = await offered(province, "one_stop_assigned")
    await province.decide(ONE_STOP, referral["document"]["task_no"], "expire")
    expired = await province.reaches(f"/v1/referrals/{referral['id']}", "expired")
    assert {clock["state"] for clock in expired["clocks"]} == {"expired"}


async def test_declined_with_a_reason(province: Province) -> None:
    referral = await offered(province, "arbitration_entrusted")
    await answer(province, referral["id"], "decline", reason="当事人不同意调解")
    await province.delivered(referral["id"], "referral.answered", HR)
    assert (await province.get(f"/v1/referrals/{referral['id']}"))["status"] == "declined"


async def test_a_referral_is_its_organisations_alone(province: Province) -> None:
    referral = await offered(province, "union_handed_over")
    stranger = await province.client(("SD-XX-YY-999",))
    try:
        assert (await stranger.get(f"/v1/referrals/{referral['id']}")).status_code == 404
        assert (await stranger.get("/v1/referrals")).json()["items"] == []
    finally:
        await stranger.aclose()
