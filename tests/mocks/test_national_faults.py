"""How the national platform's mock fails on command (page §9)."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from tests.mocks.national_client import ANSWER, CASE, PROGRESS, Client, running, written

ALL_CHANGES = "/changes?since=2026-01-01T00:00:00.000Z"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "national") as there:
        yield there


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("TOKEN_INVALID", 401),
        ("CLIENT_DISABLED", 401),
        ("SCOPE_MISSING", 403),
        ("CASE_UNKNOWN", 404),
        ("DUPLICATE", 409),
        ("CASE_CLOSED", 409),
        ("VERSION_STALE", 412),
        ("TYPE_REFUSED", 415),
        ("IDEMPOTENCY_MISMATCH", 422),
        ("VALIDATION_FAILED", 422),
        ("RATE_LIMITED", 429),
        ("BUSY", 503),
    ],
)
async def test_any_code_with_its_status(client: Client, code: str, status: int) -> None:
    await client.fault("case.submit", "business_error", code=code, retry_after=7, text="王示例的案件有误")
    assert (await client.get("/ping")).status == 200
    reply = await client.post("/cases", CASE, "msg_00000001")
    assert (reply.status, reply.code, reply["detail"]) == (status, code, "王示例的案件有误")
    assert reply.headers["Retry-After"] == "7"
    assert "existing" not in reply.json
    assert [(line["effect"], line["code"]) for line in await client.lines()] == [("refused", code)]
    again = await client.post("/cases", CASE, "msg_00000001")
    assert (again.status, again.replayed) == (201, False)


async def test_a_scripted_finding(client: Client) -> None:
    await client.fault("case.submit", "business_error", code="CHECKSUM", kind="parties[0].idNumber")
    assert (await client.post("/cases", CASE)).findings == ["parties[0].idNumber CHECKSUM"]
    assert (await client.post("/cases", CASE)).status == 201


async def test_errors_of_the_token_endpoint(client: Client) -> None:
    for code, status in (("invalid_client", 401), ("invalid_scope", 400), ("unsupported_grant_type", 400)):
        await client.fault("token", "business_error", code=code)
        reply = await client.ask_token()
        assert (reply.status, reply.json) == (status, {"error": code})
    await client.fault("token", "business_error", code="BUSY")
    assert (await client.ask_token()).code == "BUSY"
    await client.fault("token", "http", status=429, retry_after=3)
    reply = await client.ask_token()
    assert (reply.code, reply.headers["RateLimit-Remaining"], reply.headers["Retry-After"]) == (
        "RATE_LIMITED",
        "0",
        "3",
    )
    assert (await client.ask_token()).status == 200


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "RATE_LIMITED"), (503, "BUSY"), (500, "INTERNAL"), (502, "STATUS_502"), (418, "STATUS_418")],
)
async def test_http_statuses_are_problems(client: Client, status: int, code: str) -> None:
    await client.fault("case.submit", "http", status=status, retry_after=2)
    reply = await client.post("/cases", CASE)
    assert (reply.status, reply.code, reply.headers["Retry-After"]) == (status, code, "2")
    assert reply.headers["RateLimit-Remaining"] == "0" or status != 429
    assert await client.records() == []


async def test_a_redirect_leads_nowhere(client: Client) -> None:
    await client.fault("case.submit", "http", status=302)
    reply = await client.post("/cases", CASE)
    assert (reply.status, reply.headers["Location"]) == (302, "/_trap")


@pytest.mark.parametrize("kind", ["html", "truncated", "empty", "gbk", "bomb"])
async def test_garbage_comes_after_the_case_was_taken(client: Client, kind: str) -> None:
    await client.fault("case.submit", "garbage", kind=kind)
    url, body = client.config["base_url"] + "/cases", written(CASE)
    headers = client.headers(Content_Type="application/json", Idempotency_Key="msg_00000001")
    async with (
        aiohttp.ClientSession(auto_decompress=False) as plain,
        plain.post(url, data=body, headers=headers) as answer,
    ):
        raw = await answer.read()
        assert answer.status == 200
        encoding, media = answer.headers.get("Content-Encoding"), answer.content_type
    match kind:
        case "html":
            assert media == "text/html"
        case "truncated":
            assert raw.startswith(b"{")
            assert not raw.endswith(b"}")
        case "empty":
            assert raw == b""
        case "gbk":
            assert "成功" in raw.decode("gbk")
            with pytest.raises(UnicodeDecodeError):
                raw.decode("utf-8")
        case _:
            assert encoding == "gzip"
            assert len(raw) < 4 * 1024 * 1024
            assert zlib.decompressobj(31).decompress(raw, 3 << 20) == bytes(3 << 20)  # and so on, 1 GiB of it
    again = await client.post("/cases", CASE, "msg_00000001")
    assert (again.status, again.replayed) == (201, True)


@pytest.mark.parametrize("action", ["accept_then_reset", "accept_then_silent"])
async def test_what_was_accepted_without_an_answer_is_known(client: Client, action: str) -> None:
    await client.fault("case.submit", action)
    with pytest.raises((aiohttp.ClientError, TimeoutError)):
        async with asyncio.timeout(1):
            await client.post("/cases", CASE, "msg_00000001")
    (record,) = await client.records()
    again = await client.post("/cases", CASE, "msg_00000001")
    assert (again.status, again.replayed, again["caseId"]) == (201, True, record["ref"])
    await client.receipt(again, "case.submit", written(CASE))


@pytest.mark.parametrize("action", ["reset", "stall"])
async def test_what_fails_before_is_not_stored(client: Client, action: str) -> None:
    await client.fault("case.submit", action)
    with pytest.raises((aiohttp.ClientError, TimeoutError)):
        async with asyncio.timeout(1):
            await client.post("/cases", CASE, "msg_00000001")
    assert await client.records() == []
    assert (await client.post("/cases", CASE, "msg_00000001")).status == 201


async def test_slow_and_dripping_answers(client: Client) -> None:
    await client.fault("probe", "slow", after_ms=300)
    begun = asyncio.get_running_loop().time()
    assert (await client.get("/ping")).status == 200
    assert asyncio.get_running_loop().time() - begun >= 0.3
    await client.fault("probe", "drip", after_ms=1)
    assert (await client.get("/ping"))["maintenance"] is None


async def test_a_closed_port(client: Client) -> None:
    await client.fault("*", "refuse", after_ms=1500)
    await asyncio.sleep(0.3)
    with pytest.raises(aiohttp.ClientError):
        await client.get("/ping")
    await asyncio.sleep(1.5)
    assert (await client.get("/ping")).status == 200


async def test_maintenance_is_announced_by_ping(client: Client) -> None:
    await client.fault("*", "maintenance", after_ms=2000)
    reply = await client.post("/cases", CASE)
    assert (reply.status, reply.code) == (503, "MAINTENANCE")
    assert (await client.ask_token()).code == "MAINTENANCE"
    ping = await client.get("/ping")
    window = ping["maintenance"]
    assert (ping.status, set(window)) == (200, {"from", "to"})
    begins, ends = (datetime.fromisoformat(window[name]) for name in ("from", "to"))
    assert begins <= datetime.now(UTC) <= ends
    assert abs((parsedate_to_datetime(reply.headers["Retry-After"]) - ends).total_seconds()) <= 2
    await asyncio.sleep(2.05)
    assert (await client.get("/ping"))["maintenance"] is None
    assert (await client.post("/cases", CASE)).status == 201


async def test_a_counted_maintenance_is_not_used_up_by_ping(client: Client) -> None:
    await client.fault("*", "maintenance", times=1)
    for _ in range(2):
        assert (await client.get("/ping"))["maintenance"] is not None
    assert (await client.post("/cases", CASE)).code == "MAINTENANCE"
    assert (await client.get("/ping"))["maintenance"] is None


async def items(client: Client, path: str = ALL_CHANGES) -> Any:
    return (await client.get(path))["items"]


async def test_a_change_stands_on_several_pages(client: Client) -> None:
    case = await client.filed()
    first = await client.decide(case, "accept")
    await client.fault("changes.poll", "duplicate_callback", n=3)
    page = (await client.get(ALL_CHANGES)).json
    cursor = quote(page["nextCursor"])
    assert [item["changeId"] for item in page["items"]] == [first]
    second = await client.decide(case, "correct")
    found = []
    for _ in range(4):
        page = (await client.get(f"/changes?cursor={cursor}")).json
        assert [item["seq"] for item in page["items"]] == sorted(item["seq"] for item in page["items"])
        found.append([item["changeId"] for item in page["items"]])
        cursor = quote(page["nextCursor"])
    assert found == [[first, second], [first], [], []]


async def test_times_out_of_order_inside_a_page(client: Client) -> None:
    case = await client.filed()
    for decision in ("accept", "correct", "accept"):
        await client.decide(case, decision)
    await client.fault("changes.poll", "reorder_callbacks")
    page = await items(client)
    assert [item["seq"] for item in page] == [1, 2, 3]
    assert [item["at"] for item in page] == sorted((item["at"] for item in page), reverse=True)
    assert len({item["at"] for item in page}) == 3


@pytest.mark.parametrize(
    ("op", "kind"),
    [("case.submit", "CASE_STATUS"), ("case.progress", "CASE_STATUS"), ("referral.answer", "REFERRAL_RECALLED")],
)
async def test_a_change_comes_before_the_reply(client: Client, op: str, kind: str) -> None:
    referral = await client.offered()
    case = await client.filed("X-2")
    await client.fault(op, "early_callback", after_ms=2000)
    call = asyncio.create_task(
        client.post("/cases", CASE)
        if op == "case.submit"
        else client.post(f"/cases/{case}/progress", PROGRESS)
        if op == "case.progress"
        else client.post(f"/referrals/{referral}/answer", ANSWER)
    )
    while not (found := await items(client)):
        await asyncio.sleep(0.02)
    (change,) = found
    assert change["kind"] == kind
    assert not call.done()
    reply = await call
    assert reply.status in (200, 201)
    assert change["caseId"] == reply.json.get("caseId", change["caseId"])


async def test_a_cursor_that_is_said_to_be_gone(client: Client) -> None:
    cursor = quote((await client.get(ALL_CHANGES))["nextCursor"])
    await client.fault("changes.poll", "forge_callback", how="cursor")
    assert (await client.get(f"/changes?cursor={cursor}")).code == "CURSOR_EXPIRED"
    assert (await client.get(f"/changes?cursor={cursor}")).status == 200


async def test_unchanged_though_something_changed(client: Client) -> None:
    case = await client.filed()
    cursor = quote((await client.get(ALL_CHANGES))["nextCursor"])
    path = f"/changes?cursor={cursor}"
    tag = (await client.get(path)).headers["ETag"]
    await client.fault("changes.poll", "forge_callback", how="etag")
    assert (await client.get(path, If_None_Match=tag)).status == 304  # that was true
    await client.decide(case, "accept")
    assert (await client.get(path, If_None_Match=tag)).status == 304  # that was not
    assert len((await client.get(path, If_None_Match=tag))["items"]) == 1


async def test_what_means_nothing_is_refused(client: Client) -> None:
    for fault in (
        {"op": "*", "action": "business_error", "code": "E900"},
        {"op": "case.submit", "action": "business_error", "code": "invalid_client"},
        {"op": "*", "action": "forge_callback", "how": "signature"},
        {"op": "*", "action": "expire_session", "rotate": "yes"},
    ):
        assert (await client.mock_raw("POST", "faults", [fault]))[0] == 422


async def test_a_disk_that_takes_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(**_: object) -> int:
        raise OSError("full")

    monkeypatch.setattr(client.server.platform.journal, "append", full)
    reply = await client.post("/cases", CASE, "msg_00000001")
    assert (reply.status, reply.code) == (500, "INTERNAL")
    assert (await client.post("/cases", CASE, "msg_00000001")).status == 500  # nor by a repeat


async def test_requests_are_counted_by_operation(client: Client) -> None:
    await client.filed()
    await client.get("/ping")
    counted = await client.mock("GET", "requests")
    assert counted == {"token": 1, "jwks": 1, "case.submit": 1, "probe": 1}
