"""What reaches the platforms: the right business content in their own words, and what each decision leaves behind."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from contracts.messages import HR, ONE_STOP, UNION
from tests.flow import papers
from tests.house import standing
from tests.journeys.province import PDF, Province

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def province(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Province]:
    """The platforms and a gateway, for every case of this page."""
    room = tmp_path_factory.mktemp("content")
    async with standing(request, room) as houses:
        opened = await Province.open(houses, room / "mocks")
        yield opened
        await opened.close()


async def received(province: Province, platform: str, kind: str, source_no: str) -> list[dict[str, Any]]:
    """The payloads of a service that a platform kept about the case of this number."""
    return [
        one["payload"]
        for one in await province.journal(platform)
        if one["kind"] == kind and one["effect"] == "created" and source_no in str(one["payload"]) + one["business_key"]
    ]


async def filed(province: Province, kind: str, key: str) -> list[dict[str, Any]]:
    """The payloads of a service that the arbitration received under a business key."""
    return [one["payload"] for one in await province.journal(HR) if (one["kind"], one["business_key"]) == (kind, key)]


async def number_of(province: Province, case: str) -> str:
    return str((await province.get(f"/v1/cases/{case}"))["document"]["source_case_no"])


async def chain(province: Province) -> tuple[str, str, str, str]:
    """Case, its number, agreement and confirmation, all delivered."""
    case = await province.case()
    agreement = await province.agreement(case)
    confirmation = await province.confirmation(agreement)
    await province.delivered(case, "confirmation.requested", HR)
    await province.delivered(case, "agreement.concluded", ONE_STOP)
    return case, await number_of(province, case), agreement, confirmation


async def test_a_case_in_the_words_of_two_platforms(province: Province) -> None:
    case = await province.case()
    number = await number_of(province, case)
    for platform in (HR, ONE_STOP):
        await province.delivered(case, "case.submitted", platform)
    (kept,) = await received(province, HR, "TJ1001", number)
    assert (
        kept.items()
        >= {
            "BZA001": number,
            "BZA002": "SD-JN-LX-001",
            "BZA004": "03",
            "BZA006": "5",
            "BZA008": "0501",
            "BZA013": "18600.00",
            "BZA014": "0",
            "BZA020": "20260916093000",
        }.items()
    )
    worker, employer = kept["BZP000"]
    person = {"AAC003": "王建国", "AAC147": "370102199003071238", "AAC058": "01", "AAC006": "19900307"}
    assert worker.items() >= person.items()
    assert worker["BZP100"][0]["BZP101"] == "2"
    unit = {"AAB004": "济南泉城餐饮管理有限公司", "AAB003": "91370102MA0DEM013R", "AAB020": "150"}
    assert employer.items() >= unit.items()
    claim = {"BZQ001": "1", "BZQ002": "01", "BZQ003": "支付2026年6月至8月工资18600元", "BZQ004": "18600.00"}
    assert kept["BZQ000"] == [claim]
    (told,) = await received(province, ONE_STOP, "reportCase", number)
    assert (
        told.items()
        >= {
            "操作类型": "1",
            "名称": "王建国与济南泉城餐饮管理有限公司·追索劳动报酬纠纷",
            "类别": "0701",
            "规模": "01",
            "涉案金额": "1.860000",
            "涉及人数": "2",
            "来源渠道": "5",
            "发生日期": "2026-09-16",
            "化解时限": "2026-10-01",
        }.items()
    )


async def test_agreement_and_request_carry_their_papers_to_the_arbitration(province: Province) -> None:
    case, number, agreement, confirmation = await chain(province)
    (concluded,) = await received(province, HR, "TJ1004", number)
    read = (await province.get(f"/v1/agreements/{agreement}"))["document"]
    assert (concluded["BZD001"], concluded["BZD003"], concluded["BZD004"]) == (
        read["agreement_no"],
        "1",
        "20260925090000",
    )
    (payment, waiver) = concluded["BZD100"]
    assert (payment["BZD104"], payment["BZD105"], payment["BZD107"], payment["BZD108"]) == (
        "15000.00",
        "20261031",
        "王建国",
        "6222020000000000000",
    )
    assert waiver["BZD102"] == "2"
    files = {
        one["ref"]: one for one in await province.journal(HR) if one["kind"] == "TJ9002" and one["effect"] == "created"
    }
    assert files[concluded["BZD007"]]["payload"]["BZF002"] == hashlib.sha256(PDF).hexdigest()
    (asked,) = await filed(province, "TJ2001", confirmation)
    assert (asked["BZD001"], asked["BZC003"], asked["BZC011"]) == (read["agreement_no"], "370102", ["0", "1"])
    classes = {row["BZF005"] for row in asked["BZF000"]}
    assert {"01", "05"} <= classes
    assert {row["BZF001"] for row in asked["BZF000"]} <= files.keys()
    (result,) = await received(province, ONE_STOP, "reportAgreement", number)
    assert (result["给付总额"], result["履行期限"], result["生效时间"]) == (
        "1.500000",
        "2026-10-31",
        "2026-09-25 09:00:00",
    )
    await province.until(lambda: _none_pending(province, case), "everything is over")


async def _none_pending(province: Province, case: str) -> bool:
    read = await province.get(f"/v1/cases/{case}")
    return all(one["state"] == "delivered" for one in read["deliveries"])


async def statuses(province: Province, number: str) -> list[tuple[str, str, str]]:
    """What the one-stop platform was told of others' decisions: 进展类别, 来源, 状态."""
    told = await received(province, ONE_STOP, "reportProgress", number)
    return [(one["进展类别"], one["来源"], one["状态"]) for one in told if one["来源"] != "1"]


async def feed(province: Province, about: str) -> list[str]:
    """The types of the published events about one thing, in order."""
    found, cursor = [], "0"
    while True:
        page = await province.get(f"/v1/events?after={cursor}&limit=200")
        found += [event["type"] for event in page["items"] if event["subject"] == about]
        if int(page["cursor"]) == int(cursor):
            return found
        cursor = page["cursor"]


async def published(province: Province, about: str, last: str) -> list[str]:
    async def there() -> list[str] | None:
        found = await feed(province, about)
        return found if last in found else None

    found: list[str] = await province.until(there, f"{last} of {about} is published")
    return found


@pytest.mark.parametrize(
    ("decisions", "codes"),
    [
        (("accept", "confirm"), ["22", "26"]),
        (("accept", "reject"), ["22", "27"]),
        (("not_accept",), ["23"]),
        (("accept", "deem_withdraw"), ["22", "29"]),
    ],
    ids="-".join,
)
async def test_each_decision_is_told_to_the_one_stop_platform_and_in_the_feed(
    province: Province, decisions: tuple[str, ...], codes: list[str]
) -> None:
    case, number, agreement, confirmation = await chain(province)
    words = {
        "accept": "accepted",
        "confirm": "confirmed",
        "reject": "rejected",
        "not_accept": "not_accepted",
        "deem_withdraw": "deemed_withdrawn",
    }
    for decision in decisions:
        await province.decide(HR, confirmation, decision)
        await province.reaches(f"/v1/confirmations/{confirmation}", words[decision])

    async def told() -> bool:
        return len(await statuses(province, number)) == len(codes)

    await province.until(told, "the one-stop platform is told")
    assert await statuses(province, number) == [("2", "3", code) for code in codes]
    expected = ["confirmation.requested", *(f"confirmation.{words[one]}" for one in decisions)]
    assert [kind for kind in await published(province, confirmation, expected[-1]) if kind in expected] == expected
    timeline = (await province.get(f"/v1/cases/{case}/timeline"))["items"]
    assert [one["type"] for one in timeline if one["type"] in expected] == expected
    read = await province.get(f"/v1/confirmations/{confirmation}")
    free = decisions[-1] != "confirm"
    again = await province.api.post(f"/v1/agreements/{agreement}/confirmations", json=papers.body("judicial"))
    assert again.status_code == (202 if free else 409)
    if decisions[-1] == "not_accept":
        assert read["next_steps"] != []


async def test_a_withdrawal_is_asked_for_and_granted(province: Province) -> None:
    case, number, _, confirmation = await chain(province)
    await province.decide(HR, confirmation, "accept")
    await province.reaches(f"/v1/confirmations/{confirmation}", "accepted")
    body = {"schema_version": "1.0", "at": "2026-10-10T11:00:00+08:00", "reason": "双方已自行履行"}
    await province.post(f"/v1/confirmations/{confirmation}/withdrawal", body)
    await province.delivered(case, "confirmation.withdrawal_requested", HR)
    assert (await province.get(f"/v1/confirmations/{confirmation}"))["status"] == "accepted", "the arbitration decides"
    (asked,) = await filed(province, "TJ2003", confirmation)
    assert (asked["AAE013"], asked["AAE036"]) == ("双方已自行履行", "20261010110000")
    await province.decide(HR, confirmation, "withdraw")
    await province.reaches(f"/v1/confirmations/{confirmation}", "withdrawn")
    expected = [
        "confirmation.requested",
        "confirmation.accepted",
        "confirmation.withdrawal_requested",
        "confirmation.withdrawn",
    ]
    found = await published(province, confirmation, "confirmation.withdrawn")
    assert [kind for kind in found if kind.startswith("confirmation.")] == expected

    async def told() -> bool:
        return (await statuses(province, number))[-1:] == [("2", "3", "28")]

    await province.until(told, "the one-stop platform is told")


async def test_a_filed_transfer_moves_the_failed_case(province: Province) -> None:
    case = await province.case()
    number = await number_of(province, case)
    await province.post(f"/v1/cases/{case}/progress", papers.body("failed"))
    transfer = (await province.post(f"/v1/cases/{case}/transfers", papers.body("transfer")))["id"]
    await province.delivered(case, "transfer.requested", HR)
    await province.delivered(case, "transfer.requested", ONE_STOP)
    (ended,) = await received(province, HR, "TJ1003", number)
    assert (ended["BZS001"], ended["BZS005"], ended["BZS012"]) == ("08", "05", "第二调解室")
    (asked,) = await filed(province, "TJ3001", transfer)
    assert (asked["BZC003"], asked["BZG002"], asked["BZQ000"][0]["BZQ004"]) == ("370102", "01", "18600.00")
    (handed,) = await received(province, ONE_STOP, "reportTransfer", number)
    assert (handed["转往"], handed["转办编号"]) == ("1", transfer)
    await province.decide(HR, transfer, "file", case_no="济历劳人仲案字〔2026〕第77号")
    await province.reaches(f"/v1/transfers/{transfer}", "filed")
    await province.reaches(f"/v1/cases/{case}", "transferred")
    found = await province.api.get("/v1/cases", params={"external_ref": "济历劳人仲案(2026)77号"})
    assert [one["id"] for one in found.json()["items"]] == [case]


async def test_an_alert_overtakes_what_waits_in_its_lane(province: Province) -> None:
    case = await province.case(name="collective")
    number = await number_of(province, case)
    await province.delivered(case, "case.submitted", HR)
    await province.house.store.write("pause_endpoint", (HR, "op", "to fill the lane"))
    mediating: dict[str, Any] = {"/status": "mediating", "/at": "2026-10-10T10:00:00+08:00"}
    mediating |= {"/reason_code": papers.DROP, "/session": papers.DROP}
    await province.post(f"/v1/cases/{case}/progress", papers.body("failed", mediating))
    await province.post(f"/v1/cases/{case}/alerts", papers.body("alert"))
    await province.house.store.write("resume_endpoint", (HR,))
    province.house.bells.committed()
    await province.delivered(case, "case.progressed", HR)
    for platform in (ONE_STOP, UNION):
        await province.delivered(case, "case.alerted", platform)
    order = [
        one["kind"]
        for one in await province.journal(HR)
        if one["effect"] == "created"
        and number in one["business_key"]
        and one["kind"] in ("TJ1001", "TJ1003", "TJ3002")
    ]
    assert order == ["TJ1001", "TJ3002", "TJ1003"]
    (alert,) = await received(province, HR, "TJ3002", number)
    assert (alert["BZH001"], alert["BZA015"], alert["BZA013"], alert["AAE036"]) == (
        "1",
        "23",
        "503700.00",
        "20261010112000",
    )
    (told,) = await received(province, ONE_STOP, "reportAlert", number)
    assert (told["等级"], told["涉及人数"], told["涉案金额"]) == ("1", "23", "50.370000")


async def test_a_supervision_note_of_the_one_stop_platform_goes_to_a_person(province: Province) -> None:
    case = await province.case()
    number = await number_of(province, case)
    await province.delivered(case, "case.submitted", ONE_STOP)
    await province.decide(
        ONE_STOP, number, "supervise", 机构编码="SD-JN-LX-001", opinion="请三日内反馈", deadline="2026-10-13"
    )

    async def noted() -> Any:
        return [task for task in await province.tasks("supervision") if task["subject"] == case]

    (task,) = await province.until(noted, "the note is before a person")
    assert task["endpoint"] == ONE_STOP
    assert (await province.get(f"/v1/cases/{case}"))["status"] == "accepted"
    assert "case.noted" in await province.types(case)
