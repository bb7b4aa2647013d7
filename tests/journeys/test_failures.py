"""Failed mediation and what follows: filings with arbitration, court, legal aid, labour inspection and payment order."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.messages import COURT, HR, ONE_STOP, UNION
from tests.flow import papers
from tests.journeys.province import Province

ENDS = {
    "agreement_reached": "agreed",
    "self_settled_withdrawn": "withdrawn",
    "unreachable": "failed",
    "unwilling": "failed",
    "large_divergence": "failed",
    "expired": "terminated",
    "refused_to_sign": "failed",
    "other": "terminated",
}
AUTHORITIES = {
    "arbitration": {"kind": "arbitration_commission", "code": "370102", "name": "济南市历下区劳动人事争议仲裁委员会"},
    "court": {"kind": "court", "code": "鲁0102", "name": "济南市历下区人民法院"},
    "payment_order": {"kind": "court", "code": "鲁0102", "name": "济南市历下区人民法院"},
    "legal_aid": {"kind": "legal_aid_center", "code": "370102-FY", "name": "济南市历下区法律援助中心"},
    "labor_inspection": {"kind": "labor_inspection", "code": "370102-JC", "name": "济南市历下区劳动保障监察大队"},
}
DECIDES = {
    "arbitration": HR,
    "court": COURT,
    "legal_aid": UNION,
    "payment_order": ONE_STOP,
    "labor_inspection": ONE_STOP,
}


async def failed_case(province: Province) -> str:
    case = await province.case()
    await province.post(f"/v1/cases/{case}/progress", papers.body("failed"))
    return case


async def file_it(province: Province, case: str, transfer: str, to: str) -> None:
    """The clerk of the platform that decides about it files it."""
    match to:
        case "arbitration" | "court":
            await province.decide(DECIDES[to], transfer, "file")
        case "legal_aid":
            source = (await province.get(f"/v1/cases/{case}"))["document"]["source_case_no"]

            async def told() -> bool:
                order = {"ref": source, "decision": "status", "zt": "71"}
                reply = await province.http.post(f"{province.urls[UNION]}/_mock/decide", json=order)
                return reply.status_code == 200

            await province.until(told, "the union decides")
        case _:
            read = await province.get(f"/v1/cases/{case}")
            number = next(ref["value"] for ref in read["external_refs"] if ref["endpoint"] == ONE_STOP)
            await province.decide(ONE_STOP, number, "file", document_no="济综转〔2026〕第7号")


@pytest.mark.parametrize("to", list(AUTHORITIES))
async def test_a_failed_mediation_goes_on_and_its_filing_number_comes_back(province: Province, to: str) -> None:
    case = await failed_case(province)
    steps = {step["action"]: step for step in (await province.get(f"/v1/cases/{case}"))["next_steps"]}
    assert steps["apply_for_arbitration"]["until"] == "2027-09-16", "a year from the application (art. 27 ¶2)"
    assert {"complain_to_labor_inspection", "ask_for_legal_aid"} <= set(steps)
    body = papers.body("transfer", {"/to": to, "/authority": AUTHORITIES[to]})
    transfer = (await province.post(f"/v1/cases/{case}/transfers", body))["id"]
    await province.delivered(case, "transfer.requested", ONE_STOP)
    if to != "legal_aid":
        await province.delivered(case, "transfer.requested", DECIDES[to])
    await file_it(province, case, transfer, to)
    filed = await province.reaches(f"/v1/transfers/{transfer}", "filed")
    if to != "legal_aid":  # the union's word has no number of the filing
        assert {ref["kind"] for ref in filed["external_refs"]} & {"case_no", "document_no"}
    status = (await province.get(f"/v1/cases/{case}"))["status"]
    assert status == ("transferred" if to in ("arbitration", "court") else "failed")
    clocks: dict[tuple[str, str], str] = {
        (clock["rule"], clock["about"]): clock["state"]
        for clock in (await province.get(f"/v1/clocks?case={case}"))["items"]
    }
    assert clocks["D13", case] == ("met" if to == "arbitration" else "running")
    if to == "arbitration":
        assert clocks["D14", transfer] == "met"
    if to == "payment_order":
        assert clocks["D10", transfer] == "met"


async def test_arbitration_refuses_the_filing_and_the_worker_may_sue(province: Province) -> None:
    case = await failed_case(province)
    transfer = (await province.post(f"/v1/cases/{case}/transfers", papers.body("transfer")))["id"]
    await province.delivered(case, "transfer.requested", HR)
    (waiting,) = (await province.get(f"/v1/transfers/{transfer}"))["next_steps"]
    assert (waiting["action"], waiting["until"]) == ("await_filing", "2026-10-15")
    await province.decide(HR, transfer, "refuse")
    refused = await province.reaches(f"/v1/transfers/{transfer}", "refused")
    assert refused["next_steps"][0]["article"] == "《中华人民共和国劳动争议调解仲裁法》第29条"


@pytest.mark.parametrize("to", ["arbitration", "court"])
async def test_a_filing_that_comes_back_for_correction_is_filed_anew(province: Province, to: str) -> None:
    """补正: a new version under the same id, which the platform takes and decides about."""
    case = await failed_case(province)
    body = papers.body("transfer", {"/to": to, "/authority": AUTHORITIES[to]})
    transfer = (await province.post(f"/v1/cases/{case}/transfers", body))["id"]
    await province.delivered(case, "transfer.requested", DECIDES[to])
    await province.decide(DECIDES[to], transfer, "correct")
    asked = await province.reaches(f"/v1/transfers/{transfer}", "correction_required")
    assert asked["next_steps"][0]["action"] == "transfer_again"
    assert asked["correction"]["reasons"]
    headers = {"If-Match": f'"{asked["version"]}"'}
    answer = await province.api.put(f"/v1/transfers/{transfer}", json={**body, "reason_code": "other"}, headers=headers)
    assert answer.status_code == 202, answer.text
    fresh = {one["endpoint"]: one["id"] for one in answer.json()["deliveries"]}
    assert set(fresh) == {DECIDES[to], ONE_STOP}

    async def there() -> bool:
        read = await province.get(f"/v1/transfers/{transfer}")
        states = {one["id"]: one["state"] for one in read["deliveries"]}
        return {states[identifier] for identifier in fresh.values()} == {"delivered"}

    await province.until(there, "the new version is there")
    assert await province.tasks("correction_due") == []
    await province.decide(DECIDES[to], transfer, "file")
    await province.reaches(f"/v1/transfers/{transfer}", "filed")
    assert (await province.get(f"/v1/cases/{case}"))["status"] == "transferred"


async def test_every_reason_of_the_closed_list_ends_a_case(province: Province) -> None:
    for reason, status in ENDS.items():
        case = await province.case()
        body = papers.body("failed", {"/reason_code": reason, "/status": status, "/session": papers.DROP})
        await province.post(f"/v1/cases/{case}/progress", body)
        await province.delivered(case, "case.progressed", HR)
        await province.delivered(case, "case.progressed", ONE_STOP)


async def test_a_breached_wage_agreement_may_be_enforced_three_ways(province: Province) -> None:
    case = await province.case()
    agreement = await province.agreement(case, {"/terms/0/due_date": "2026-10-08"})
    body: dict[str, Any] = papers.body("performed", {"/status": "breached", "/at": "2026-10-09T09:00:00+08:00"})
    await province.post(f"/v1/agreements/{agreement}/performances", body)
    steps = {step["action"]: step for step in (await province.get(f"/v1/agreements/{agreement}"))["next_steps"]}
    assert steps["apply_for_payment_order"]["article"] == "《中华人民共和国劳动争议调解仲裁法》第16条"
    assert steps["sue_on_agreement"]["article_en"].endswith("art. 51 ¶2")
    assert steps["arbitrate_unperformed"]["until"] == "2027-09-27"
    assert "request_judicial_confirmation" in steps, "until its day is over"
