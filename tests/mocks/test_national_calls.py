"""What the national platform's mock takes and refuses, field by field (page §3, §5, §7)."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.mocks.national_client import (
    AGREEMENT,
    ANSWER,
    CASE,
    FIGURES,
    NUMBER,
    ORGANIZATION,
    OTHER,
    PDF,
    PROGRESS,
    REPORT,
    RESULT,
    Client,
    running,
    with_party,
    without,
    written,
)

IN_WINDOW = "2026-10-03T09:00:00+08:00"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "national") as there:
        yield there


async def test_the_case_of_the_page(client: Client) -> None:
    reply = await client.post("/cases", CASE, "msg_01K6EXAMPLE0000000000000A")
    assert (reply.status, reply["version"]) == (201, 1)
    assert set(reply.json) == {"caseId", "caseNo", "version", "receipt"}
    assert "370102" in reply["caseNo"]
    await client.receipt(reply, "case.submit", written(CASE))
    (record,) = await client.records()
    assert (record["message_id"], record["business_key"]) == (
        "msg_01K6EXAMPLE0000000000000A",
        f"{ORGANIZATION}/{NUMBER}",
    )
    assert (record["ref"], record["state"]) == (reply["caseId"], "2")
    (line,) = await client.lines("case.submit")
    assert (line["effect"], line["payload"]) == ("created", CASE)


async def test_a_case_may_say_little_and_null_is_absent(client: Client) -> None:
    little = without(CASE, "acceptedAt", "mediators") | {"townCode": "370102001", "collectiveMajor": None}
    little["parties"] = [
        {"role": "1", "kind": "1", "name": "王", "idType": "02", "idNumber": "E12345678", "phone": "+86-1"},
        {"role": "2", "kind": "3", "name": "示例协会"},
    ]
    assert (await client.post("/cases", little)).status == 201
    assert (await client.records())[0]["state"] == "1"


@pytest.mark.parametrize(
    ("document", "findings"),
    [
        (without(CASE, "facts"), ["facts FIELD_MISSING"]),
        (CASE | {"facts": ""}, ["facts FORMAT"]),
        (CASE | {"facts": "实" * 2001}, ["facts FIELD_TOO_LONG"]),
        (CASE | {"fax": "1"}, ["fax FIELD_UNKNOWN"]),
        (CASE | {"orgType": "11"}, ["orgType CODE_UNKNOWN"]),
        (CASE | {"regionCode": "370102001"}, ["regionCode FORMAT"]),
        (CASE | {"townCode": "370103001"}, ["townCode ORDER"]),
        (CASE | {"form": 1}, ["form FORMAT"]),
        (CASE | {"causeCode": "20508"}, ["causeCode CODE_UNKNOWN"]),
        (CASE | {"receivedAt": "2026-09-16T01:30:00Z"}, ["receivedAt FORMAT"]),
        (CASE | {"receivedAt": "2026-09-31T01:30:00.000Z"}, ["receivedAt FORMAT"]),
        (CASE | {"acceptedAt": "2026-09-15T02:00:00.000Z"}, ["acceptedAt ORDER"]),
        (CASE | {"amountFen": "1860000"}, ["amountFen FORMAT"]),
        (CASE | {"amountFen": -1}, ["amountFen FORMAT"]),
        (CASE | {"amountFen": 10**15 + 1}, ["amountFen FORMAT"]),
        (CASE | {"amountFen": True}, ["amountFen FORMAT"]),
        (CASE | {"claims": []}, ["claims FIELD_MISSING"]),
        (
            CASE | {"claims": [{"kind": "16", "text": "x" * 501}]},
            ["claims[0].kind CODE_UNKNOWN", "claims[0].text FIELD_TOO_LONG"],
        ),
        (CASE | {"claims": [{"kind": "01", "text": "x"}] * 21}, ["claims FIELD_TOO_LONG"]),
        (CASE | {"parties": ["x", {"role": "1", "kind": "4"}]}, ["parties[0] FORMAT", "parties[1].kind CODE_UNKNOWN"]),
        (with_party(0, idNumber="370102199003071239"), ["parties[0].idNumber CHECKSUM"]),
        (with_party(0, idNumber="370102********1238"), ["parties[0].idNumber CHECKSUM"]),
        (with_party(0, idType="02", idNumber="E12***78"), ["parties[0].idNumber FORMAT"]),
        (with_party(0, idType="07"), ["parties[0].idType CODE_UNKNOWN"]),
        (with_party(0, phone=None), ["parties[0].phone FIELD_MISSING"]),
        (with_party(0, phone="138 5310 0001"), ["parties[0].phone FORMAT"]),
        (with_party(0, phone="1" * 21), ["parties[0].phone FIELD_TOO_LONG"]),
        (
            with_party(0, sex="3", birthDate="1990-02-30"),
            ["parties[0].sex CODE_UNKNOWN", "parties[0].birthDate FORMAT"],
        ),
        (with_party(0, ethnicGroup="汉族"), ["parties[0].ethnicGroup FIELD_UNKNOWN"]),
        (
            with_party(0, address={"regionCode": "370102", "detail": "x", "eConsent": True}),
            ["parties[0].address.eConsent FIELD_UNKNOWN"],
        ),
        (
            with_party(0, serviceAddress={"regionCode": "370102", "detail": "x" * 201, "eConsent": "1"}),
            ["parties[0].serviceAddress.detail FIELD_TOO_LONG", "parties[0].serviceAddress.eConsent FORMAT"],
        ),
        (with_party(0, agents=[{"name": "x"}] * 3), ["parties[0].agents FIELD_TOO_LONG"]),
        (with_party(1, creditCode="91370102MA3C123457"), ["parties[1].creditCode CHECKSUM"]),
        (with_party(1, idNumber="x"), ["parties[1].idNumber FIELD_UNKNOWN"]),
        (CASE | {"workerCount": 9, "collectiveMajor": True}, ["workerCount FORMAT"]),
        (CASE | {"workerCount": 30}, ["collectiveMajor FIELD_MISSING"]),
        (CASE | {"mediators": [{"certNo": "1", "name": "x"}] * 6}, ["mediators FIELD_TOO_LONG"]),
        (CASE | {"fileIds": ["nowhere"]}, ["fileIds[0] CODE_UNKNOWN"]),
    ],
)
async def test_wrong_cases(client: Client, document: Any, findings: list[str]) -> None:
    reply = await client.post("/cases", document)
    assert reply.findings == findings
    assert await client.records() == []
    (line,) = await client.lines()
    assert (line["effect"], line["code"]) == ("refused", "VALIDATION_FAILED")


async def test_all_findings_in_one_reply(client: Client) -> None:
    reply = await client.post("/cases", {"orgCode": ORGANIZATION, "parties": [{"role": "1", "kind": "1"}], "zip": 1})
    fields = {finding.partition(" ")[0] for finding in reply.findings}
    assert {
        "zip",
        "externalNo",
        "orgName",
        "claims",
        "parties[0].name",
        "parties[0].idNumber",
        "parties[0].phone",
    } <= fields
    assert "王" not in reply.raw.decode()


async def test_a_case_from_the_future(client: Client) -> None:
    await client.mock("POST", "clock", {"at": "2026-09-16T09:28:50+08:00"})
    await client.enter()
    assert (await client.post("/cases", CASE)).findings == ["receivedAt ORDER"]
    await client.mock("POST", "clock", {"at": "2026-09-16T09:29:05+08:00"})
    await client.enter()
    assert (await client.post("/cases", CASE)).status == 201


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"[]",
        b"\xef\xbb\xbf{}",
        b'{"a":NaN}',
        b'{"a":1,"a":2}',
        '{"a":"王"}'.encode("gbk"),
        b'{"a":"\\ud800"}',
    ],
)
async def test_an_unreadable_body(client: Client, body: bytes) -> None:
    reply = await client.post("/cases", body)
    assert (reply.status, reply.code) == (400, "BODY_UNREADABLE")


async def test_media_type_and_size(client: Client) -> None:
    for media in ("text/plain", "application/json; charset=gbk"):
        assert (await client.post("/cases", CASE, Content_Type=media)).code == "TYPE_REFUSED"
    reply = await client.post("/cases", CASE, Content_Encoding="gzip")
    assert (reply.status, reply.code) == (415, "TYPE_REFUSED")
    reply = await client.post("/cases", CASE | {"facts": "x" * 1024 * 1024})
    assert (reply.status, reply.code) == (413, "TOO_LARGE")


async def test_the_key_of_a_call(client: Client) -> None:
    for key in ("short", "x" * 65, "with space", "单号12345678"):
        reply = await client.post("/cases", CASE, Idempotency_Key=key)
        assert (reply.status, reply.code) == (400, "IDEMPOTENCY_KEY_MISSING")
    assert (await client.post("/cases", CASE, Idempotency_Key=None)).code == "IDEMPOTENCY_KEY_MISSING"
    first = await client.post("/cases", CASE, "msg_00000001")
    assert not first.replayed
    again = await client.post("/cases", CASE, "msg_00000001")
    assert (again.status, again.replayed) == (201, True)
    assert without(again.json, "receipt") == without(first.json, "receipt")
    other = await client.post("/cases", CASE | {"facts": "另"}, "msg_00000001")
    assert (other.status, other.code) == (422, "IDEMPOTENCY_MISMATCH")
    # The same key at another address is another call.
    assert (await client.post(f"/cases/{first['caseId']}/progress", PROGRESS, "msg_00000001")).status == 201
    assert [line["effect"] for line in await client.lines("case.submit")] == ["refused"] * 5 + [
        "created",
        "repeated",
        "refused",
    ]


async def test_a_refused_call_leaves_no_trace(client: Client) -> None:
    assert (await client.post("/cases", CASE | {"form": "3"}, "msg_00000001")).status == 422
    assert (await client.post("/cases", CASE, "msg_00000001")).status == 201


async def test_keys_are_remembered_for_30_days(client: Client) -> None:
    await client.post("/cases", CASE, "msg_00000001")
    await client.shift(30 * 86400 - 60)
    assert (await client.post("/cases", CASE, "msg_00000001")).replayed
    await client.shift(120)
    assert (await client.post("/cases", CASE, "msg_00000001")).code == "DUPLICATE"


async def test_the_first_is_still_running(client: Client) -> None:
    await client.fault("case.submit", "early_callback", after_ms=2000)
    first = asyncio.create_task(client.post("/cases", CASE, "msg_00000001"))
    while not await client.records():
        await asyncio.sleep(0.02)
    second = await client.post("/cases", CASE, "msg_00000001")
    assert (second.status, second.code) == (409, "IDEMPOTENCY_IN_PROGRESS")
    assert int(second.headers["Retry-After"]) > 0
    assert (await client.post("/cases", CASE | {"form": "2"}, "msg_00000001")).code == "IDEMPOTENCY_MISMATCH"
    assert (await first).status == 201
    assert (await client.post("/cases", CASE, "msg_00000001")).replayed
    assert len(await client.records()) == 1


async def test_the_same_number_again_is_a_duplicate(client: Client) -> None:
    first = await client.post("/cases", CASE)
    reply = await client.post("/cases", CASE | {"facts": "另"})
    assert (reply.status, reply.code) == (409, "DUPLICATE")
    assert reply["existing"] == {"caseId": first["caseId"], "caseNo": first["caseNo"]}
    assert (await client.post("/cases", CASE | {"orgCode": OTHER})).status == 201


async def test_only_bound_organisations(client: Client) -> None:
    for reply in (
        await client.post("/cases", CASE | {"orgCode": "SD-XX"}),
        await client.get("/cases?orgCode=SD-XX&externalNo=1"),
        await client.put("/statistics/SD-XX/2026Q3", REPORT),
    ):
        assert (reply.status, reply.code) == (403, "ORG_NOT_BOUND")


async def test_a_revision(client: Client) -> None:
    case = await client.filed()
    path = f"/cases/{case}"
    reply = await client.put(path, CASE | {"facts": "新"}, If_Match='"1"')
    assert (reply.status, without(reply.json, "receipt")) == (200, {"caseId": case, "version": 2})
    claims = await client.receipt(reply, "case.revise", written(CASE | {"facts": "新"}))
    assert claims["sub"] == case
    stale = await client.put(path, CASE, If_Match='"1"')
    assert (stale.status, stale.code) == (412, "VERSION_STALE")
    assert (await client.put(path, CASE)).findings == ["If-Match FIELD_MISSING"]
    for tag in ("2", 'W/"2"', '"x"'):
        assert (await client.put(path, CASE, If_Match=tag)).findings == ["If-Match FORMAT"]
    other = await client.put(path, CASE | {"externalNo": "X", "referralId": "y"}, If_Match='"2"')
    assert other.findings == ["externalNo ORDER", "referralId ORDER"]
    assert (await client.put("/cases/0", CASE, If_Match='"1"')).code == "CASE_UNKNOWN"
    assert [record["state"] for record in await client.records()] == ["superseded", "2"]


async def test_a_look_up(client: Client) -> None:
    path = f"/cases?orgCode={ORGANIZATION}&externalNo={NUMBER}"
    assert (await client.get(path)).json == {"items": []}
    filed = await client.post("/cases", CASE)
    (item,) = (await client.get(path))["items"]
    assert item == {"caseId": filed["caseId"], "caseNo": filed["caseNo"], "version": 1, "status": "2"}
    await client.post(f"/cases/{filed['caseId']}/progress", {"status": "99", "at": "2026-09-30T09:00:00.000Z"})
    assert (await client.get(path))["items"][0]["status"] == "99"
    assert (await client.get("/cases?orgCode=")).findings == ["orgCode FORMAT", "externalNo FIELD_MISSING"]


@pytest.mark.parametrize(
    ("document", "findings"),
    [
        (PROGRESS, []),
        ({"status": "5", "at": PROGRESS["at"]}, []),
        ({"status": "12", "route": "1", "at": PROGRESS["at"]}, []),
        (PROGRESS | {"result": "1", "endReason": None}, []),
        (without(PROGRESS, "result"), ["result FIELD_MISSING"]),
        (without(PROGRESS, "endReason"), ["endReason FIELD_MISSING"]),
        (without(PROGRESS, "at"), ["at FIELD_MISSING"]),
        (PROGRESS | {"route": "1"}, ["route FIELD_UNKNOWN"]),
        ({"status": "13", "at": PROGRESS["at"]}, ["route FIELD_MISSING"]),
        ({"status": "5", "result": "1", "at": PROGRESS["at"]}, ["result FIELD_UNKNOWN"]),
        ({"status": "3", "at": PROGRESS["at"]}, ["status CODE_UNKNOWN"]),
        (PROGRESS | {"endReason": "9", "note": "x" * 501}, ["endReason CODE_UNKNOWN", "note FIELD_TOO_LONG"]),
        (
            PROGRESS | {"session": {}},
            [
                "session.from FIELD_MISSING",
                "session.to FIELD_MISSING",
                "session.place FIELD_MISSING",
                "session.method FIELD_MISSING",
            ],
        ),
        (
            PROGRESS | {"session": PROGRESS["session"] | {"to": "2026-09-30T05:00:00.000Z", "method": "1"}},
            ["session.method CODE_UNKNOWN", "session.to ORDER"],
        ),
    ],
)
async def test_progress(client: Client, document: Any, findings: list[str]) -> None:
    case = await client.filed()
    reply = await client.post(f"/cases/{case}/progress", document)
    if findings:
        assert reply.findings == findings
    else:
        assert (reply.status, set(reply.json)) == (201, {"progressId", "receipt"})


async def test_a_status_of_a_confirmation_does_not_move_the_case(client: Client) -> None:
    case = await client.filed()
    await client.post(f"/cases/{case}/progress", {"status": "13", "route": "2", "at": PROGRESS["at"]})
    assert [record["state"] for record in await client.records()] == ["2", "13"]


async def test_an_agreement_and_its_performance(client: Client) -> None:
    case = await client.filed()
    file = (await client.upload())["fileId"]
    paid = {
        "agreementId": "unknown",
        "termNo": 1,
        "status": "1",
        "at": "2026-10-20T01:00:00.000Z",
        "amountFen": 1500000,
    }
    performances = f"/cases/{case}/performances"
    assert (await client.post(performances, paid)).findings == ["agreementId ORDER"]
    reply = await client.post(f"/cases/{case}/agreements", AGREEMENT | {"fileId": file})
    assert (reply.status, set(reply.json)) == (201, {"agreementId", "receipt"})
    again = await client.post(f"/cases/{case}/agreements", AGREEMENT)
    assert (again.status, again.code, again["existing"]) == (409, "DUPLICATE", {"agreementId": reply["agreementId"]})
    assert (await client.post(f"/cases/{case}/agreements", AGREEMENT | {"agreementNo": "2"})).status == 201
    paid["agreementId"] = reply["agreementId"]
    done = await client.post(performances, paid)
    assert (done.status, set(done.json)) == (201, {"performanceId", "receipt"})
    assert (await client.post(performances, paid | {"termNo": 3})).findings == ["termNo CODE_UNKNOWN"]
    assert (await client.post(performances, paid | {"status": "4"})).findings == ["status CODE_UNKNOWN"]
    other = await client.filed("X-2")
    assert (await client.post(f"/cases/{other}/performances", paid)).findings == ["agreementId ORDER"]
    assert (await client.post("/cases/0/agreements", AGREEMENT)).code == "CASE_UNKNOWN"


@pytest.mark.parametrize(
    ("document", "findings"),
    [
        (AGREEMENT | {"terms": []}, ["terms FIELD_MISSING"]),
        (AGREEMENT | {"terms": [AGREEMENT["terms"][0]] * 2}, ["terms[1].no FORMAT"]),
        (
            AGREEMENT | {"terms": [{"no": "1", "kind": "01"}]},
            ["terms[0].no FORMAT", "terms[0].kind CODE_UNKNOWN", "terms[0].text FIELD_MISSING"],
        ),
        (
            AGREEMENT | {"effectRule": "labor_law", "settled": "all"},
            ["settled CODE_UNKNOWN", "effectRule CODE_UNKNOWN"],
        ),
        (
            AGREEMENT | {"fileId": "nowhere", "agreementNo": "x" * 65},
            ["agreementNo FIELD_TOO_LONG", "fileId CODE_UNKNOWN"],
        ),
        (without(AGREEMENT, "effectiveAt"), ["effectiveAt FIELD_MISSING"]),
    ],
)
async def test_wrong_agreements(client: Client, document: Any, findings: list[str]) -> None:
    case = await client.filed()
    assert (await client.post(f"/cases/{case}/agreements", document)).findings == findings


async def test_nothing_but_a_look_up_after_99(client: Client) -> None:
    case = await client.filed()
    closed = {"status": "99", "at": "2026-10-30T09:00:00.000Z"}
    assert (await client.post(f"/cases/{case}/progress", closed, "msg_closed_01")).status == 201
    for reply in (
        await client.post(f"/cases/{case}/progress", PROGRESS),
        await client.post(f"/cases/{case}/agreements", AGREEMENT),
        await client.post(f"/cases/{case}/performances", {}),
        await client.put(f"/cases/{case}", CASE, If_Match='"1"'),
    ):
        assert (reply.status, reply.code) == (409, "CASE_CLOSED")
    assert (await client.post(f"/cases/{case}/progress", closed, "msg_closed_01")).replayed


@pytest.mark.parametrize("content", [PDF, b"\x89PNG\r\n\x1a\nx", b"\xff\xd8\xffx"])
async def test_an_upload(client: Client, content: bytes) -> None:
    media = {b"%": "application/pdf", b"\x89": "image/png", b"\xff": "image/jpeg"}[content[:1]]
    first = await client.upload(content, Content_Type=media)
    assert (first.status, set(first.json)) == (201, {"fileId"})
    again = await client.upload(content, kind="99", name="另一个", Content_Type=media)
    assert (again.status, again["fileId"]) == (200, first["fileId"])
    there = await client.get(f"/files/{first['fileId']}")
    assert (there.status, there.raw, there.headers["Content-Type"]) == (200, content, media)
    twice = await client.post("/cases", CASE | {"fileIds": [first["fileId"]] * 2})
    assert twice.findings == ["fileIds[1] FORMAT"]
    assert (await client.post("/cases", CASE | {"fileIds": [first["fileId"]]})).status == 201
    assert [record["kind"] for record in await client.records()] == ["case.submit"]


async def test_a_wrong_upload(client: Client) -> None:
    assert (await client.upload(kind="06")).findings == ["kind CODE_UNKNOWN"]
    assert (await client.upload(name="字" * 101)).findings == ["name FIELD_TOO_LONG"]
    assert (await client.upload(name="")).findings == ["name FORMAT"]
    assert (await client.upload(X_Content_SHA256="0" * 64)).findings == ["X-Content-SHA256 CHECKSUM"]
    assert (await client.upload(X_Content_SHA256=None)).findings == ["X-Content-SHA256 FIELD_MISSING"]
    for media in ("text/plain", "image/png", "application/ofd"):  # the bytes are a PDF's
        reply = await client.upload(Content_Type=media)
        assert (reply.status, reply.code) == (415, "TYPE_REFUSED")
    assert (await client.get("/files/nowhere")).code == "PATH_UNKNOWN"


async def test_an_upload_that_is_too_large(tmp_path: Path) -> None:
    async with running(tmp_path / "national", file_limit=1024 * 1024 + 10) as client:
        assert (await client.upload(PDF.ljust(1024 * 1024 + 10))).status == 201
        reply = await client.upload(PDF.ljust(1024 * 1024 + 11))
        assert (reply.status, reply.code) == (413, "TOO_LARGE")


async def test_the_quarter(client: Client) -> None:
    path = f"/statistics/{ORGANIZATION}/2026Q3"
    await client.mock("POST", "clock", {"at": IN_WINDOW})
    await client.enter()
    reply = await client.put(path, REPORT)
    assert (reply.status, without(reply.json, "receipt")) == (200, {"period": "2026Q3", "version": 1})
    assert (await client.receipt(reply, "statistics.submit", written(REPORT)))["sub"] == f"{ORGANIZATION}/2026Q3"
    assert (await client.put(path, REPORT)).code == "VERSION_STALE"
    assert (await client.put(path, REPORT | {"version": 2}))["version"] == 2
    assert [record["state"] for record in await client.records()] == ["superseded", "taken"]
    for day, code in (("10-11T00:00:01", 409), ("09-30T23:59:30", 409), ("10-10T23:59:00", 200)):
        await client.mock("POST", "clock", {"at": f"2026-{day}+08:00"})
        await client.enter()
        reply = await client.put(path, REPORT | {"version": 3})
        assert reply.status == code
        assert code == 200 or reply.code == "PERIOD_CLOSED"


@pytest.mark.parametrize(
    ("document", "findings"),
    [
        (REPORT | {"items": without(FIGURES, "C3")}, ["items.C3 FIELD_MISSING"]),
        (REPORT | {"items": FIGURES | {"D6": 1}}, ["items.D6 FIELD_UNKNOWN"]),
        (REPORT | {"items": FIGURES | {"M1": "1"}}, ["items.M1 FORMAT"]),
        (REPORT | {"items": FIGURES | {"D1": 2}}, ["items.A01 SUM_MISMATCH"]),
        (REPORT | {"items": FIGURES | {"O1": 3}}, ["items.A01 SUM_MISMATCH"]),
        (REPORT | {"items": FIGURES | {"R0": 8, "C2": 9}}, ["items.R0 SUM_MISMATCH", "items.C2 SUM_MISMATCH"]),
        (REPORT | {"items": [{"code": "A01", "value": 1}]}, ["items FORMAT"]),
        (REPORT | {"orgCode": OTHER}, ["orgCode ORDER"]),
    ],
)
async def test_wrong_figures(client: Client, document: Any, findings: list[str]) -> None:
    reply = await client.put(f"/statistics/{ORGANIZATION}/2026Q3", document)
    assert reply.findings == findings


async def test_a_wrong_period(client: Client) -> None:
    assert (await client.put(f"/statistics/{ORGANIZATION}/2026Q5", REPORT)).findings == ["period FORMAT"]


async def test_answers_and_results_have_their_forms(client: Client) -> None:
    referral = await client.offered()
    path = f"/referrals/{referral}"
    for document, findings in (
        (ANSWER | {"accept": "yes"}, ["accept FORMAT"]),
        (ANSWER | {"accept": False}, ["reason FIELD_MISSING"]),
        (ANSWER | {"reason": "x" * 201}, ["reason FIELD_TOO_LONG"]),
        (without(ANSWER, "answeredAt"), ["answeredAt FIELD_MISSING"]),
    ):
        assert (await client.post(f"{path}/answer", document)).findings == findings
    for document, findings in (
        (RESULT | {"result": "6"}, ["result CODE_UNKNOWN"]),
        (without(RESULT, "endReason"), ["endReason FIELD_MISSING"]),
        (RESULT | {"result": "1"}, ["agreementId FIELD_MISSING"]),
        (RESULT | {"result": "1", "agreementId": "x"}, ["agreementId ORDER"]),
        (RESULT | {"report": "x" * 2001}, ["report FIELD_TOO_LONG"]),
        (RESULT, ["referralId ORDER"]),  # not accepted yet
    ):
        assert (await client.post(f"{path}/result", document)).findings == findings
    assert (await client.post("/referrals/0/answer", ANSWER)).code == "REFERRAL_UNKNOWN"


def test_the_documents_of_the_tests_hold_nobodys_data() -> None:
    assert "示例" in json.dumps(CASE, ensure_ascii=False)
