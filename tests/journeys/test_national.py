"""The national platform: online cases of its organisations, cases that it hands over, words of others, quarterly figures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from contracts.messages import HR, NATIONAL, ONE_STOP
from tests.flow import papers
from tests.house import Gateways
from tests.journeys.province import LIXIA, Province

AT = "2026-10-10T11:30:00+08:00"
SIGNED = {f"/signatures/{place}/signed_at": "2026-10-10T11:40:00+08:00" for place in range(3)} | {
    "/organization_seal/sealed_at": "2026-10-10T11:45:00+08:00",
    "/performance_notice_sent_at": papers.DROP,
}


@pytest.fixture
async def nation(gateway: Gateways, tmp_path: Path) -> AsyncIterator[Province]:
    """Arbitration, the one-stop platform and the national one as real servers, and a gateway before them."""
    opened = await Province.open(gateway, tmp_path / "mocks", (HR, ONE_STOP, NATIONAL))
    yield opened
    await opened.close()


async def held(nation: Province, kind: str) -> list[dict[str, Any]]:
    """What the platform was filed of a kind."""
    return [entry for entry in await nation.journal(NATIONAL) if entry["kind"] == kind and entry["effect"] == "created"]


async def test_an_online_case_goes_there_and_its_words_come_back(nation: Province) -> None:
    window = await nation.case({"/channel": "window"})
    case = await nation.case({"/channel": "mini_program"})
    agreement = await nation.agreement(case)
    await nation.delivered(case, "agreement.concluded", NATIONAL)
    performed = papers.body("performed", {"/at": "2026-10-10T10:00:00+08:00"})
    await nation.post(f"/v1/agreements/{agreement}/performances", performed)
    await nation.delivered(case, "agreement.performed", NATIONAL)
    confirmation = await nation.confirmation(agreement)
    await nation.delivered(case, "confirmation.requested", HR)
    await nation.decide(HR, confirmation, "confirm")
    await nation.reaches(f"/v1/confirmations/{confirmation}", "confirmed")
    await nation.delivered(case, "status.reported", NATIONAL)
    (filed,) = await held(nation, "case.submit")
    assert filed["payload"]["externalNo"].endswith("00002"), "the case of the window is none of its own"
    assert [entry["payload"]["status"] for entry in await held(nation, "case.progress")] == ["13"]
    (signed,) = await held(nation, "agreement.submit")
    assert signed["payload"]["fileId"]
    platforms = await nation.get(f"/v1/cases/{window}/platforms")
    assert NATIONAL not in str(platforms)

    await nation.decide(NATIONAL, filed["ref"], "file")
    await nation.reaches(f"/v1/cases/{case}", "closed")


async def test_a_case_is_revised_by_the_platforms_own_version(nation: Province) -> None:
    case = await nation.case({"/channel": "app"})
    await nation.delivered(case, "case.submitted", NATIONAL)
    for number in (1, 2):
        body = papers.body(
            "wages", {"/channel": "app", "/source_case_no": "370102-LX001-2026-00001", "/facts": f"补充{number}"}
        )
        answer = await nation.api.put(f"/v1/cases/{case}", json=body, headers={"If-Match": f'"{number}"'})
        assert answer.status_code == 202, answer.text
    await nation.until(lambda: _revised(nation, "补充2"), "the newest revision")


async def _revised(nation: Province, facts: str) -> bool:
    return any(entry["payload"]["facts"] == facts for entry in await held(nation, "case.revise"))


async def test_a_case_that_it_hands_over_is_answered_mediated_and_returned(nation: Province) -> None:
    offer = await nation.tell(NATIONAL, "refer", {"orgCode": LIXIA, "channel": "4"})
    referral = await nation.referral(str(offer["referralNo"]))
    assert referral["document"]["kind"] == "national_platform"
    path = f"/v1/referrals/{referral['id']}"
    await nation.post(f"{path}/answer", {"schema_version": "1.0", "answer": "accept", "at": AT})
    await nation.delivered(referral["id"], "referral.answered", NATIONAL)
    draft = (await nation.get(path))["draft"]
    changes = {"/referral": referral["id"], "/channel": "referral", "/facts": draft["facts"]}
    case = await nation.case(changes | {"/received_at": AT, "/accepted_at": AT})
    agreement = await nation.agreement(case, SIGNED)
    await nation.delivered(case, "agreement.concluded", NATIONAL)
    result = {
        "schema_version": "1.0",
        "outcome": "agreed",
        "at": "2026-10-10T11:50:00+08:00",
        "reason_code": "agreement_reached",
        "agreement": agreement,
        "report": "双方自愿达成协议。",
    }
    await nation.post(f"{path}/result", result)
    await nation.delivered(referral["id"], "referral.returned", NATIONAL)
    assert (await nation.get(path))["status"] == "returned"
    (filed,) = await held(nation, "case.submit")
    assert filed["payload"]["referralId"] == offer["referralId"]


async def test_a_case_that_it_takes_back_is_recalled(nation: Province) -> None:
    offer = await nation.tell(NATIONAL, "refer", {"orgCode": LIXIA})
    referral = await nation.referral(str(offer["referralNo"]))
    await nation.decide(NATIONAL, str(offer["referralId"]), "recall")
    await nation.reaches(f"/v1/referrals/{referral['id']}", "recalled")


async def test_the_quarters_figures_are_taken_and_sent_back(nation: Province) -> None:
    await nation.case({"/channel": "web"})
    order = {"organization": LIXIA, "period": "2026Q3", "reason": "季度上报"}
    made = await nation.ops.post("/v1/ops/reports", json=order)
    assert made.status_code in (200, 201, 202), made.text
    report = made.json()["id"]
    await nation.delivered(report, "statistics.reported", NATIONAL)
    (filed,) = await held(nation, "statistics.submit")
    assert (filed["payload"]["version"], filed["payload"]["items"]["A01"]) == (1, 1)
    await nation.decide(NATIONAL, f"{LIXIA}/2026Q3", "correct", reason="合计不符")

    async def returned() -> bool:
        return bool(await nation.tasks("report_returned"))

    await nation.until(returned, "the report is returned")
