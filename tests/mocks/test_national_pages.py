"""Changes and referrals of the national platform's mock: pages, cursors, decisions, what is handed over (page §6)."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.mocks.national_client import (
    AGREEMENT,
    ANSWER,
    CASE,
    NUMBER,
    ORGANIZATION,
    REPORT,
    RESULT,
    Client,
    running,
    without,
)

SINCE = "2026-01-01T00:00:00.000Z"
QUARTER = f"{ORGANIZATION}/2026Q3"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "national") as there:
        yield there


async def changes(client: Client, **query: str | int) -> Any:
    """A page of changes, from the beginning unless the query says otherwise."""
    return await page(client, "changes", **query)


async def page(client: Client, name: str, **query: str | int) -> Any:
    asked = query if "cursor" in query else {"since": SINCE, **query}
    reply = await client.get(f"/{name}?" + "&".join(f"{key}={quote(str(value))}" for key, value in asked.items()))
    assert reply.status == 200, reply.raw
    assert set(reply.json) == {"items", "nextCursor", "hasMore"}
    assert 0 < len(reply["nextCursor"]) <= 256
    return reply.json


async def test_pages_go_on_from_their_cursor(client: Client) -> None:
    empty = await changes(client)
    assert (empty["items"], empty["hasMore"]) == ([], False)
    case = await client.filed()
    for _ in range(3):
        await client.decide(case, "accept")
    first = await changes(client, cursor=empty["nextCursor"], limit=2)
    assert ([item["seq"] for item in first["items"]], first["hasMore"]) == ([1, 2], True)
    second = await changes(client, cursor=first["nextCursor"], limit=2)
    assert ([item["seq"] for item in second["items"]], second["hasMore"]) == ([3], False)
    rest = await changes(client, cursor=second["nextCursor"])
    assert (rest["items"], rest["nextCursor"]) == ([], second["nextCursor"])
    assert [item["seq"] for item in (await changes(client))["items"]] == [1, 2, 3]
    assert len({item["changeId"] for item in (await changes(client))["items"]}) == 3


async def test_since_begins_at_a_time(client: Client) -> None:
    case = await client.filed()
    await client.decide(case, "accept")
    await client.shift(3600)
    await client.decide(case, "correct")
    later = (await changes(client))["items"][1]
    assert [item["seq"] for item in (await changes(client, since=later["at"]))["items"]] == [2]


@pytest.mark.parametrize(
    ("query", "findings"),
    [
        ("", ["cursor FIELD_MISSING"]),
        ("?cursor=", ["cursor FORMAT"]),
        (f"?cursor={'x' * 257}", ["cursor FIELD_TOO_LONG"]),
        (f"?cursor=x&since={SINCE}", ["since FIELD_UNKNOWN"]),
        ("?since=2026-01-01", ["since FORMAT"]),
        (f"?since={SINCE}&limit=101", ["limit FORMAT"]),
        (f"?since={SINCE}&limit=0", ["limit FORMAT"]),
        (f"?since={SINCE}&order=desc", ["? FIELD_UNKNOWN"]),
    ],
)
async def test_wrong_questions(client: Client, query: str, findings: list[str]) -> None:
    for name in ("changes", "referrals"):
        assert (await client.get(f"/{name}{query}")).findings == findings


async def test_cursors_are_kept_for_seven_days(client: Client) -> None:
    cursor = (await changes(client))["nextCursor"]
    await client.shift(7 * 86400 - 60)
    assert (await client.get(f"/changes?cursor={cursor}")).status == 200
    await client.shift(2 * 3600)
    for old in (cursor, "AAAA", "~"):
        reply = await client.get(f"/changes?cursor={old}")
        assert (reply.status, reply.code) == (410, "CURSOR_EXPIRED")
    fresh = (await changes(client))["nextCursor"]
    assert (await client.get(f"/referrals?cursor={fresh}")).code == "CURSOR_EXPIRED"  # of the other list


async def test_an_etag_belongs_to_its_url(client: Client) -> None:
    case = await client.filed()
    cursor = (await changes(client))["nextCursor"]
    path = f"/changes?cursor={quote(cursor)}"
    tag = (await client.get(path)).headers["ETag"]
    same = await client.get(path, If_None_Match=tag)
    assert (same.status, same.raw, same.headers["ETag"]) == (304, b"", tag)
    assert (await client.get(f"{path}&limit=5", If_None_Match=tag)).status == 200
    await client.decide(case, "accept")
    news = await client.get(path, If_None_Match=tag)
    assert (news.status, len(news["items"])) == (200, 1)
    assert news.headers["ETag"] != tag


async def test_polls_keep_their_distance(tmp_path: Path) -> None:
    async with running(tmp_path / "national", poll_min_s=2) as client:
        case = await client.filed()
        await client.decide(case, "accept")
        await client.decide(case, "correct")
        first = await changes(client, limit=1)
        second = await changes(client, cursor=first["nextCursor"], limit=1)  # more was promised
        reply = await client.get(f"/changes?cursor={quote(second['nextCursor'])}")
        assert (reply.status, reply.code) == (429, "RATE_LIMITED")
        assert int(reply.headers["Retry-After"]) in (1, 2)
        assert (await client.get(f"/referrals?since={SINCE}")).status == 200  # the other list
        await asyncio.sleep(2.05)
        assert (await changes(client, cursor=second["nextCursor"]))["items"] == []


@pytest.mark.parametrize(
    ("decision", "change", "state"),
    [
        ("accept", {"kind": "CASE_STATUS", "status": "2", "rawStatus": "2"}, "2"),
        ("refuse", {"kind": "CASE_STATUS", "status": "10", "rawStatus": "10"}, "10"),
        ("file", {"kind": "CASE_STATUS", "status": "99", "rawStatus": "99"}, "99"),
        ("withdraw", {"kind": "CASE_STATUS", "status": "6", "result": "4", "rawStatus": "6"}, "6"),
        ("correct", {"kind": "CORRECTION", "status": "7", "rawStatus": "7"}, "7"),
    ],
)
async def test_decisions_about_a_case(client: Client, decision: str, change: dict[str, str], state: str) -> None:
    case = await client.filed()
    number = await client.decide(NUMBER, decision, reason="请补充材料")
    (item,) = (await changes(client))["items"]
    assert item["changeId"] == number
    assert without(item, "at") == {
        "changeId": number,
        "seq": 1,
        "caseId": case,
        "externalNo": NUMBER,
        "reason": "请补充材料",
        "docs": [],
        **change,
    }
    assert [record["state"] for record in await client.records()] == [state]


async def test_an_unknown_word(client: Client) -> None:
    case = await client.filed()
    await client.decide(case, "status", status="77", kind="NEWS")
    (item,) = (await changes(client))["items"]
    assert (item["kind"], item["rawStatus"]) == ("NEWS", "77")
    for order in (
        {"ref": case, "decision": "burn"},
        {"ref": case, "decision": "recall"},
        {"ref": "nowhere", "decision": "accept"},
        {"ref": case, "decision": "accept", "status": "2"},
        {"ref": case, "decision": "accept", "docs": [{"kind": "77", "name": "x"}]},
    ):
        assert (await client.mock_raw("POST", "decide", order))[0] == 422


async def test_papers_of_a_change(tmp_path: Path) -> None:
    async with running(tmp_path / "national", file_ready_s=60) as client:
        case = await client.filed()
        await client.decide(case, "accept", docs=[{"kind": "99", "name": "受理通知书.pdf"}])
        (doc,) = (await changes(client))["items"][0]["docs"]
        assert set(doc) == {"fileId", "kind", "name", "sha256", "size"}
        reply = await client.get(f"/files/{doc['fileId']}")
        assert (reply.status, reply.code) == (404, "FILE_NOT_READY")
        assert int(reply.headers["Retry-After"]) > 0
        await client.shift(61)
        reply = await client.get(f"/files/{doc['fileId']}")
        assert (reply.status, reply.headers["Content-Type"]) == (200, "application/pdf")
        assert (hashlib.sha256(reply.raw).hexdigest(), len(reply.raw)) == (doc["sha256"], doc["size"])
        assert (await client.get(f"/files/{doc['fileId']}", If_None_Match=reply.headers["ETag"])).status == 304


async def test_a_report_is_returned(client: Client) -> None:
    await client.mock("POST", "clock", {"at": "2026-10-03T09:00:00+08:00"})
    await client.enter()
    assert (await client.put(f"/statistics/{QUARTER}", REPORT)).status == 200
    await client.decide(QUARTER, "correct", reason="合计有误")
    (item,) = (await changes(client))["items"]
    assert (item["kind"], item["rawStatus"], item["reason"]) == ("STAT_RETURNED", "RETURNED", "合计有误")
    assert (item["caseId"], item["externalNo"]) == (QUARTER, QUARTER)
    assert (await client.records())[0]["state"] == "returned"
    assert (await client.put(f"/statistics/{QUARTER}", REPORT | {"version": 2})).status == 200


# --- referrals


async def test_a_referral_is_listed_without_names_and_read_whole(client: Client) -> None:
    await client.mock("POST", "clock", {"at": "2026-09-30T17:00:00+08:00"})  # a Wednesday
    await client.enter()
    referral = await client.offered(channel="5", docs=[{"kind": "01", "name": "申请书.pdf"}])
    reply = await page(client, "referrals")
    (item,) = reply["items"]
    assert set(item) >= {"referralId", "referralNo", "state", "orgCode", "offeredAt", "dueAt"}
    assert (item["referralId"], item["state"], item["orgCode"]) == (referral, "OFFERED", ORGANIZATION)
    assert (item["offeredAt"][:16], item["dueAt"][:16]) == ("2026-09-30T09:00", "2026-10-05T09:00")
    whole = (await client.get(f"/referrals/{referral}")).json
    assert without(whole, "case", "docs") == item
    assert whole["case"]["sourceChannel"] == "5"
    for party in whole["case"]["parties"]:
        assert {"name", "role", "kind"} <= set(party)
        assert party["name"] not in str(reply)
    assert whole["case"]["facts"]
    assert not {"externalNo", "fileIds"} & set(whole["case"])
    (doc,) = whole["docs"]
    assert (await client.get(f"/files/{doc['fileId']}")).status == 200
    assert (await client.get("/referrals/nowhere")).code == "REFERRAL_UNKNOWN"


async def test_a_case_of_the_tester_may_say_little(client: Client) -> None:
    case = {"facts": "欠薪", "parties": [{"role": "1", "kind": "1", "name": "李示例"}]}
    referral = await client.offered(case=case)
    whole = (await client.get(f"/referrals/{referral}")).json
    assert whole["case"] == case | {"sourceChannel": "3"}
    assert not {"regionCode", "causeCode"} & set(whole)
    for wrong in (
        {"facts": "x"},
        case | {"externalNo": "1"},
        case | {"causeCode": "1"},
        {"facts": "x", "parties": [{"role": "1", "kind": "1"}]},
    ):
        assert (await client.mock_raw("POST", "refer", {"orgCode": ORGANIZATION, "case": wrong}))[0] == 422
    assert (await client.mock_raw("POST", "refer", {"orgCode": "SD-XX"}))[0] == 422
    assert (await client.mock_raw("POST", "refer", {"orgCode": ORGANIZATION, "channel": "1"}))[0] == 422


async def test_made_up_cases_are_as_the_page_says(client: Client) -> None:
    known = 0
    for _ in range(6):
        case = (await client.get(f"/referrals/{await client.offered()}"))["case"]
        full = without(CASE, "acceptedAt") | {name: value for name, value in case.items() if name != "sourceChannel"}
        if "causeCode" in case:
            known += 1
            assert (await client.post("/cases", full | {"externalNo": f"X-{known}"})).status == 201
    assert 0 < known < 6


async def test_a_referral_from_offer_to_result(client: Client) -> None:
    referral = await client.offered()
    path = f"/referrals/{referral}"
    early = await client.post("/cases", CASE | {"referralId": referral})
    assert early.findings == ["referralId ORDER"]
    answer = await client.post(f"{path}/answer", ANSWER, "msg_answer_01")
    assert (answer.status, without(answer.json, "receipt")) == (200, {"referralId": referral, "state": "ACCEPTED"})
    assert (await client.post(f"{path}/answer", ANSWER, "msg_answer_01")).replayed
    again = await client.post(f"{path}/answer", ANSWER)
    assert (again.status, again.code, again["existing"]) == (409, "REFERRAL_ANSWERED", {"state": "ACCEPTED"})
    case = await client.post("/cases", CASE | {"referralId": referral})
    assert case.status == 201
    other = await client.post("/cases", CASE | {"externalNo": "X-2", "referralId": referral})
    assert (other.code, other["existing"]) == ("DUPLICATE", {"caseId": case["caseId"], "caseNo": case["caseNo"]})
    # A revision may name the referral or leave it out.
    for version, document in ((1, CASE), (2, CASE | {"referralId": referral})):
        assert (await client.put(f"/cases/{case['caseId']}", document, If_Match=f'"{version}"')).status == 200
    agreement = (await client.post(f"/cases/{case['caseId']}/agreements", AGREEMENT))["agreementId"]
    settled = {"result": "1", "agreementId": agreement, "report": "达成协议"}
    result = await client.post(f"{path}/result", settled)
    assert (result.status, without(result.json, "receipt")) == (200, {"referralId": referral, "state": "RETURNED"})
    again = await client.post(f"{path}/result", settled)
    assert (again.code, again["existing"]) == ("REFERRAL_ANSWERED", {"state": "RETURNED"})
    assert (await page(client, "referrals"))["items"][0]["state"] == "RETURNED"


async def test_a_referral_is_declined(client: Client) -> None:
    referral = await client.offered()
    no = {"accept": False, "reason": "不属于本地", "answeredAt": ANSWER["answeredAt"]}
    assert (await client.post(f"/referrals/{referral}/answer", no))["state"] == "DECLINED"
    for reply in (
        await client.post(f"/referrals/{referral}/answer", ANSWER),
        await client.post(f"/referrals/{referral}/result", RESULT),
        await client.post("/cases", CASE | {"referralId": referral}),
    ):
        assert (reply.code, reply["existing"]) == ("REFERRAL_ANSWERED", {"state": "DECLINED"})


async def test_a_referral_is_recalled(client: Client) -> None:
    referral = await client.accepted()
    number = await client.decide(referral, "recall", reason="当事人撤回")
    (item,) = (await changes(client))["items"]
    assert (item["changeId"], item["kind"], item["rawStatus"]) == (number, "REFERRAL_RECALLED", "RECALLED")
    assert (item["referralId"], item["reason"]) == (referral, "当事人撤回")
    assert "externalNo" not in item
    assert item["caseId"]
    for reply in (
        await client.post(f"/referrals/{referral}/answer", ANSWER),
        await client.post(f"/referrals/{referral}/result", RESULT),
        await client.post("/cases", CASE | {"referralId": referral}),
    ):
        assert (reply.status, reply.code) == (409, "REFERRAL_RECALLED")
    assert (await client.mock_raw("POST", "decide", {"ref": referral, "decision": "recall"}))[0] == 422


async def test_a_referral_expires(client: Client) -> None:
    referral = await client.offered()
    kept = await client.accepted()
    await client.shift(6 * 86400)
    reply = await client.post(f"/referrals/{referral}/answer", ANSWER)
    assert (reply.status, reply.code) == (409, "REFERRAL_EXPIRED")
    (item,) = (await changes(client))["items"]
    assert (item["kind"], item["referralId"], item["rawStatus"]) == ("REFERRAL_EXPIRED", referral, "EXPIRED")
    states = {item["referralId"]: item["state"] for item in (await page(client, "referrals"))["items"]}
    assert states == {referral: "EXPIRED", kept: "ACCEPTED"}


async def test_a_result_after_the_case_was_closed(client: Client) -> None:
    referral = await client.accepted()
    case = await client.filed(referralId=referral)
    await client.decide(case, "file")
    assert (await client.post(f"/referrals/{referral}/result", RESULT)).code == "CASE_CLOSED"


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path / "national") as client:
        referral = await client.accepted(docs=[{"kind": "01", "name": "申请书.pdf"}])
        case = await client.filed(referralId=referral)
        await client.post(f"/cases/{case}/agreements", AGREEMENT)
        await client.decide(case, "correct")
        file = (await client.upload())["fileId"]
        cursor = (await changes(client))["nextCursor"]
        before = (await client.records(), (await changes(client))["items"], (await page(client, "referrals"))["items"])
    async with running(tmp_path / "national") as client:
        assert before == (
            await client.records(),
            (await changes(client))["items"],
            (await page(client, "referrals"))["items"],
        )
        assert (await changes(client, cursor=cursor))["items"] == []
        assert (await client.upload())["fileId"] == file
        assert (await client.get(f"/files/{file}")).status == 200
        await client.decide(case, "accept")
        assert [item["seq"] for item in (await changes(client, cursor=cursor))["items"]] == [2]
        assert (await client.post(f"/cases/{case}/agreements", AGREEMENT)).code == "DUPLICATE"


async def test_the_autopilot_decides_cases(client: Client) -> None:
    case = await client.filed()
    await client.filed("X-2")
    await client.mock("POST", "autopilot", {"seed": 7, "mix": {"correct": 1}})
    async with asyncio.timeout(20):
        while len((await changes(client))["items"]) < 2:
            await asyncio.sleep(0.1)
    items = (await changes(client))["items"]
    assert {item["kind"] for item in items} == {"CORRECTION"}
    assert case in {item["caseId"] for item in items}
    await client.mock("POST", "autopilot", {"seed": 7, "mix": {"nothing": 1}})
    await client.filed("X-3")
    async with asyncio.timeout(20):
        while any(record.get("undecided") for record in await client.records()):
            await asyncio.sleep(0.1)
    assert len((await changes(client))["items"]) == 2
