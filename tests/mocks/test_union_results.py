"""Results, decisions and statuses of the union platform, its failures on command, and its restart."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest

from tests.mocks.union_client import (
    FORM,
    NOTICE,
    PROGRESS,
    SUPPORT,
    Client,
    Gateway,
    listening,
    results,
    running,
    signature,
)


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with listening() as there:
        yield there


@pytest.fixture
async def client(tmp_path: Path, gateway: Gateway) -> AsyncIterator[Client]:
    async with running(tmp_path / "union", gateway) as there:
        yield there


async def test_results_wait_for_the_unions_clock(tmp_path: Path, gateway: Gateway) -> None:
    async with running(tmp_path, gateway, result_delay_s=3600) as client:
        await client.batch("case.notice", NOTICE | {"xlh": "a"}, NOTICE | {"xlh": "b"}, NOTICE | {"xlh": "c"})
        await client.mock("POST", "decide", {"ref": "b", "decision": "refuse", "yy": "L6", "yysm": "状态不符"})
        first = (await gateway.wait(1))[0]
        assert (first["n"], first["i1.xlh"], first["i1.yy"], first["i1.yysm"]) == ("1", "b", "L6", "状态不符")
        await client.mock("POST", "decide", {"ref": "a", "decision": "accept"})
        await gateway.wait(2)
        await client.mock("POST", "clock", {"shift_s": 3600})
        await client.mock("POST", "clock", {})
        found = results(await gateway.wait(3))
        assert found == {"a": ("1", ""), "b": ("0", "L6"), "c": ("1", "")}
        for order in (
            {"ref": "a", "decision": "accept"},
            {"ref": "zz", "decision": "refuse"},
            {"ref": "a", "decision": "x"},
        ):
            with pytest.raises(AssertionError):
                await client.mock("POST", "decide", order)


async def test_a_refused_notice_is_no_known_case(tmp_path: Path, gateway: Gateway) -> None:
    async with running(tmp_path, gateway, result_delay_s=3600) as client:
        await client.batch("case.notice", NOTICE | {"xlh": "a"})
        await client.batch("progress", PROGRESS | {"xlh": "b"})
        await client.mock("POST", "decide", {"ref": "a", "decision": "refuse"})
        await client.batch("progress", PROGRESS | {"xlh": "c"})
        codes = {record["xlh"]: record["yy"] for record in await client.mock("GET", "records")}
        assert codes == {"a": "L6", "b": "", "c": "L4"}


async def test_a_status_is_reported(client: Client, gateway: Gateway) -> None:
    await client.batch("support", SUPPORT | {"xlh": "dlv_1"})
    slh = (await gateway.wait(1))[0]["i1.slh"]
    order = {"ref": slh, "decision": "status", "zt": "71", "sj": "20261010090000", "sm": "已受理 a&b=c"}
    event = await client.mock("POST", "decide", order)
    told = (await gateway.wait(2))[1]
    assert told["method"] == "case.status"
    assert told["n"] == "1"
    assert [told[f"i1.{name}"] for name in ("ajbh", "slh", "zt", "sj", "sm", "sjbh")] == [
        SUPPORT["ajbh"],
        slh,
        "71",
        "20261010090000",
        "已受理 a&b=c",
        event["sjbh"],
    ]


@pytest.mark.parametrize("code", ["A1", "B2", "C1", "C2"])
async def test_business_errors_of_the_batch(client: Client, code: str) -> None:
    await client.mock("POST", "faults", [{"op": "case.notice", "action": "business_error", "code": code}])
    reply = await client.batch("case.notice", NOTICE)
    assert (reply["result"], reply["code"], "batchNo" in reply) == ("1", code, False)
    assert await client.mock("GET", "records") == []
    assert (await client.batch("case.notice", NOTICE))["result"] == "0"


async def test_a_system_error_stores_every_second_time(client: Client, gateway: Gateway) -> None:
    await client.mock("POST", "faults", [{"op": "*", "action": "business_error", "code": "C9", "times": 2}])
    replies = [await client.batch("case.notice", NOTICE | {"xlh": f"dlv_{n}"}) for n in range(2)]
    assert [reply["code"] for reply in replies] == ["C9", "C9"]
    assert all("batchNo" not in reply for reply in replies)
    assert results(await gateway.wait(1)) == {"dlv_1": ("1", "")}
    assert [record["xlh"] for record in await client.mock("GET", "records")] == ["dlv_1"]


@pytest.mark.parametrize("code", ["L6", "P1", "T1", "Q7"])
async def test_business_errors_of_the_items(client: Client, gateway: Gateway, code: str) -> None:
    await client.mock("POST", "faults", [{"op": "*", "action": "business_error", "code": code}])
    assert (await client.batch("case.notice", NOTICE | {"xlh": "a"}))["result"] == "0"
    assert results(await gateway.wait(1)) == {"a": ("0", code)}
    assert "privacy_breach" not in (await client.lines("case.notice"))[0]


async def test_an_expired_secret_is_a1_until_cleared(client: Client) -> None:
    await client.mock("POST", "faults", [{"op": "*", "action": "expire_session"}])
    assert [(await client.batch("case.notice", NOTICE))["code"] for _ in range(2)] == ["A1", "A1"]
    await client.mock("DELETE", "faults")
    assert (await client.batch("case.notice", NOTICE))["code"] == "0"


@pytest.mark.parametrize("kind", ["html", "truncated", "empty", "gbk", "bomb"])
async def test_garbage(client: Client, gateway: Gateway, kind: str) -> None:
    await client.mock("POST", "faults", [{"op": "case.notice", "action": "garbage", "kind": kind}])
    pairs = client.common("case.notice", 1)
    pairs += [(f"i1.{name}", value) for name, value in (NOTICE | {"xlh": "a", "jgdm": "o"}).items()]
    body = urlencode([*pairs, ("sign", signature(pairs, client.config["secret"]))], encoding="gb18030").encode()
    async with (
        aiohttp.ClientSession(auto_decompress=False) as http,
        http.post(f"{client.server.url}/lda/batch.do", data=body, headers={"Content-Type": FORM}) as response,
    ):
        assert response.status == 200
        reply = await response.content.read(2000)
        charset = response.headers["Content-Type"]
        match kind:
            case "html":
                assert "门户" in reply.decode("gbk")
            case "truncated":
                assert reply[-2:-1] == b"%"
            case "empty":
                assert reply == b""
            case "gbk":
                assert charset == "text/plain; charset=GB18030"
                assert b"%E5%B7%B2" in reply
            case _:
                assert response.headers["Content-Encoding"] == "gzip"
                assert reply[:2] == b"\x1f\x8b"
    assert results(await gateway.wait(1)) == {"a": ("1", "")}


async def test_maintenance_is_a_page_in_gbk_and_nothing_is_processed(client: Client) -> None:
    await client.mock("POST", "faults", [{"op": "*", "action": "maintenance"}])
    async with client.http.post(f"{client.server.url}/lda/batch.do", data=b"") as response:
        assert response.status == 502
        assert "维护" in (await response.read()).decode("gbk")
    assert await client.mock("GET", "journal") == []


@pytest.mark.parametrize("action", ["accept_then_silent", "accept_then_reset"])
async def test_the_result_comes_although_the_answer_did_not(client: Client, gateway: Gateway, action: str) -> None:
    await client.mock("POST", "faults", [{"op": "case.notice", "action": action}])
    client.http._timeout = aiohttp.ClientTimeout(total=0.5)
    with pytest.raises((aiohttp.ClientError, TimeoutError)):
        await client.batch("case.notice", NOTICE | {"xlh": "a"})
    assert results(await gateway.wait(1)) == {"a": ("1", "")}


async def test_a_reset_before_reading_stores_nothing(client: Client) -> None:
    await client.mock("POST", "faults", [{"op": "case.notice", "action": "reset"}])
    with pytest.raises(aiohttp.ClientError):
        await client.batch("case.notice", NOTICE)
    assert await client.mock("GET", "records") == []


async def test_the_state_survives_a_restart(tmp_path: Path, gateway: Gateway) -> None:
    async with running(tmp_path, gateway, result_delay_s=3600) as client:
        pairs = client.common("case.notice", 1)
        pairs += [(f"i1.{name}", value) for name, value in (NOTICE | {"xlh": "a", "jgdm": "SD-JN-GH-001"}).items()]
        await client.send(pairs)
        await client.batch("case.notice", NOTICE | {"xlh": "b", "ajbh": "B"})
        await client.mock("POST", "decide", {"ref": "b", "decision": "refuse"})
        await client.mock("POST", "refer", {"jgdm": "SD-JN-GH-001", "yjbh": "YJ1"})
        await gateway.wait(2)
        before = await client.mock("GET", "records")
        first = client.config["secret"]
    async with running(tmp_path, gateway, result_delay_s=3600) as client:
        assert client.config["secret"] == first
        assert await client.mock("GET", "records") == before
        assert (await client.send(pairs))["code"] == "A3"
        await client.batch("progress", PROGRESS | {"xlh": "c"})
        await client.batch("progress", PROGRESS | {"xlh": "d", "ajbh": "B"})
        await client.batch("referral.answer", {"xlh": "e", "yjbh": "YJ1", "df": "1"})
        await client.mock("POST", "clock", {"shift_s": 3600})
        await client.mock("POST", "clock", {})
        found = results(await gateway.wait(6))
        assert found == {k: v for k, v in found.items() if k in "abcde"}
        assert {xlh: code for xlh, (_, code) in found.items()} == {"a": "", "b": "L6", "c": "", "d": "L4", "e": ""}
        numbers = [entry["batchNo"] for entry in await client.mock("GET", "records") if "batchNo" in entry]
        assert len(set(numbers)) == 5


async def test_the_autopilot_decides(tmp_path: Path, gateway: Gateway) -> None:
    async with running(tmp_path, gateway, result_delay_s=3600) as client:
        await client.mock("POST", "autopilot", {"seed": 1, "mix": {"refuse": 1}})
        await client.batch("case.notice", NOTICE | {"xlh": "a"})
        assert results(await gateway.wait(1))["a"][0] == "0"
        await client.mock("POST", "autopilot", {"seed": 1, "mix": {"accept": 1, "file": 1}})
        await client.batch("support", SUPPORT | {"xlh": "s"})
        told = await gateway.wait(3)
        assert told[1]["i1.jg"] == "1"
        assert (told[2]["method"], told[2]["i1.zt"]) == ("case.status", "71")
