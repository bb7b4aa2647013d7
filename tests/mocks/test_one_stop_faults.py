"""How the one-stop platform fails on command: business errors, plain HTTP, garbage, acceptance without an answer."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.mocks.one_stop_client import CASE, PROGRESS, Client, running


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "one_stop") as there:
        yield there


async def script(client: Client, **fault: object) -> None:
    await client.mock("POST", "faults", [{"op": "reportCase", **fault}])


@pytest.mark.parametrize(
    ("code", "who", "wait"),
    [
        ("S004", "Server", "7"),
        ("S005", "Server", ""),
        ("S009", "Server", ""),
        ("S001", "Client", ""),
        ("S006", "Client", ""),
    ],
)
async def test_an_s_code_is_a_fault(client: Client, code: str, who: str, wait: str) -> None:
    await script(client, action="business_error", code=code, retry_after=wait or None)
    reply = await client.call("reportCase", CASE, "m1")
    assert (reply.status, reply.fault) == (500, (code, f"soap:{who}", wait))
    assert [(line["effect"], line["code"]) for line in await client.lines()] == [("refused", code)]
    assert (await client.call("reportCase", CASE, "m1")).ref


@pytest.mark.parametrize("code", ["E900", "E403", "E101", "E777"])
async def test_an_e_code_is_a_refusal(client: Client, code: str) -> None:
    await script(client, action="business_error", code=code)
    assert (await client.call("reportCase", CASE, "m1")).refusal == (code, "")
    assert (await client.call("reportCase", CASE, "m1")).ref


async def test_a_scripted_refusal_may_quote_the_document(client: Client) -> None:
    await script(client, action="business_error", code="E420", text="王建国的纠纷已办结")
    reply = await client.call("reportCase", CASE, "m1")
    assert (reply.refusal, reply["retMessage"]) == (("E420", ""), "王建国的纠纷已办结")


async def test_a_fault_meets_its_operation_alone(client: Client) -> None:
    await script(client, action="business_error", code="E900")
    assert (await client.call("ping", {}))["retCode"] == "1"
    assert (await client.call("reportCase", CASE)).refusal == ("E900", "")


async def test_http_500_is_a_fault_without_detail_and_200_one_with_s009(client: Client) -> None:
    for code, who in (("", "Server"), ("Client", "Client")):
        await script(client, action="http", status=500, code=code)
        reply = await client.call("reportCase", CASE)
        assert reply.status == 500
        assert [element.tag for element in reply.content] == ["faultcode", "faultstring"]
        assert reply.content[0].text == f"soap:{who}"
    await script(client, action="http", status=200)
    reply = await client.call("reportCase", CASE)
    assert (reply.status, reply.fault[0]) == (200, "S009")
    assert await client.mock("GET", "records") == []


@pytest.mark.parametrize("status", [302, 401, 403, 404, 502, 503])
async def test_other_statuses_are_plain(client: Client, status: int) -> None:
    await script(client, action="http", status=status, retry_after="9")
    body = client.headers("reportCase")
    async with client.session.post(client.address, data=b"x", headers=body, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (status, "9")
        assert "xml" not in answer.headers.get("Content-Type", "")


async def test_maintenance(client: Client) -> None:
    await client.mock("POST", "faults", [{"op": "*", "action": "maintenance"}])
    reply = await client.call("reportCase", CASE)
    assert reply.status == 503
    assert reply.headers["Content-Type"].startswith("text/html")
    assert int(reply.headers["Retry-After"]) > 0
    assert (await client.call("reportCase", CASE)).ref


async def test_an_expired_session_is_s001_until_cleared(client: Client) -> None:
    await client.mock("POST", "faults", [{"op": "*", "action": "expire_session"}])
    for _ in range(3):
        assert (await client.call("reportCase", CASE)).fault[0] == "S001"
    await client.mock("DELETE", "faults")
    assert (await client.call("reportCase", CASE)).ref


@pytest.mark.parametrize("kind", ["html", "truncated", "empty", "gbk", "bomb"])
async def test_garbage_comes_after_the_message_was_taken(client: Client, kind: str) -> None:
    await script(client, action="garbage", kind=kind)
    reply = await client.call("reportCase", CASE, "m1")
    assert reply.status == 200
    if kind == "gbk":
        assert b'encoding="UTF-8"' in reply.raw
        assert "成功" in reply.raw.decode("gbk")
    if kind == "bomb":
        assert reply.raw.count(b"<!ENTITY") == 9
        assert len(reply.raw) < 4096
    if kind == "html":
        assert b"<html>" in reply.raw
        assert reply.headers["Content-Type"].startswith("text/html")
    else:
        assert reply.root is None or kind == "bomb"
    again = await client.call("reportCase", CASE, "m1")
    assert (again["retCode"], again["重复标志"]) == ("1", "1")


async def test_the_bomb_is_well_formed_but_for_its_size() -> None:
    from mocks.one_stop.platform import _BOMB

    assert re.findall(r'<!ENTITY (\w) "&(\w);', _BOMB) == list(zip("bcdefghi", "abcdefgh", strict=True))


@pytest.mark.parametrize("action", ["accept_then_reset", "accept_then_silent"])
async def test_what_was_accepted_without_an_answer_is_known(client: Client, action: str) -> None:
    await script(client, action=action)
    with pytest.raises((aiohttp.ClientError, TimeoutError)):
        async with asyncio.timeout(1):
            await client.call("reportCase", CASE, "m1")
    records = await client.mock("GET", "records")
    assert [record["message_id"] for record in records] == ["m1"]
    again = await client.call("reportCase", CASE, "m1")
    assert (again["重复标志"], again["平台编号"]) == ("1", records[0]["ref"])
    assert (await client.call("reportProgress", PROGRESS)).ref == records[0]["ref"]


async def test_a_reset_before_the_message_was_taken(client: Client) -> None:
    await script(client, action="reset")
    with pytest.raises(aiohttp.ClientError):
        await client.call("reportCase", CASE, "m1")
    assert await client.mock("GET", "records") == []
    assert (await client.call("reportCase", CASE, "m1")).ref


async def test_a_disk_that_takes_nothing_is_s009(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(**_: object) -> int:
        raise OSError("full")

    monkeypatch.setattr(client.server.platform.journal, "append", full)
    assert (await client.call("reportCase", CASE)).fault[0] == "S009"
    assert (await client.call("reportProgress", PROGRESS | {"状态": "42"})).fault[0] == "S009"
