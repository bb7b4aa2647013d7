"""Callbacks of the union platform: acknowledgement, repeats, oddities, forgeries, cases handed over and called back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

from mocks.numbers import is_credit_code, is_resident_id
from mocks.union.callbacks import FORGERIES
from tests.mocks.union_client import NOTICE, Client, Gateway, listening, results, running, signature


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with listening() as there:
        yield there


@pytest.fixture
async def client(tmp_path: Path, gateway: Gateway) -> AsyncIterator[Client]:
    async with running(tmp_path / "union", gateway) as there:
        yield there


async def until(found: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await found():
            await asyncio.sleep(0.02)


async def pushed(client: Client, effect: str, count: int = 1) -> list[str]:
    """The reasons of the pushes noted with ``effect``, once there are ``count``."""

    async def enough() -> bool:
        return len([line for line in await client.lines("push") if line["effect"] == effect]) >= count

    await until(enough)
    return [line["payload"]["reason"] for line in await client.lines("push") if line["effect"] == effect]


@pytest.mark.parametrize(
    "answer",
    [
        {"body": b"success\n", "content_type": "text/plain"},
        {"body": b"\xef\xbb\xbfsuccess", "content_type": "text/plain"},
        {"body": b'"success"', "content_type": "application/json"},
        {"body": b"success", "content_type": "text/html"},
        {"body": b"SUCCESS", "content_type": "text/plain"},
        {"status": 202, "body": b"success", "content_type": "text/plain"},
        {"status": 401, "body": b"fail", "content_type": "text/plain"},
    ],
)
async def test_only_the_seven_bytes_acknowledge(client: Client, gateway: Gateway, answer: dict[str, object]) -> None:
    gateway.answers = [web.Response(**answer)]  # type: ignore[arg-type] # the parameters are the point
    await client.batch("case.notice", NOTICE | {"xlh": "a"})
    assert len(await pushed(client, "unacknowledged")) == 1
    assert gateway.taken == []
    await client.mock("POST", "clock", {"shift_s": 59})
    await asyncio.sleep(0.05)
    assert gateway.taken == []
    await client.mock("POST", "clock", {"shift_s": 2})
    again = (await gateway.wait(1))[0]
    first = dict(part.split(b"=") for part in gateway.bodies[0].split(b"&"))
    assert again["i1.xlh"] == "a"
    assert again["nonce"] != first[b"nonce"].decode()
    assert again["sign"] != first[b"sign"].decode()
    assert await pushed(client, "acknowledged") == [""]


async def test_repeats_end_after_the_fifth_wait(client: Client, gateway: Gateway) -> None:
    gateway.answers = [web.Response(status=500) for _ in range(9)]
    await client.batch("case.notice", NOTICE | {"xlh": "a"})
    for count, wait in enumerate([60, 300, 1800, 7200, 43200], start=1):
        await pushed(client, "unacknowledged", count)
        await client.mock("POST", "clock", {"shift_s": wait + 1})
    assert len(await pushed(client, "given_up")) == 1
    await client.mock("POST", "clock", {"shift_s": 86400})
    await asyncio.sleep(0.1)
    assert len(gateway.bodies) == 6


async def test_empty_parameters_stand_in_callbacks(client: Client, gateway: Gateway) -> None:
    await client.batch("case.notice", NOTICE | {"xlh": "a"})
    await gateway.wait(1)
    assert b"&i1.yy=&i1.yysm=&" in gateway.bodies[0]


async def test_a_result_of_an_unknown_item_now_and_then(tmp_path: Path, gateway: Gateway) -> None:
    async with running(tmp_path, gateway, unknown_xlh_every=2) as client:
        for number in range(4):
            await client.batch("case.notice", NOTICE | {"xlh": f"a{number}"})
            await gateway.wait(number + 1)
        found = results(await gateway.wait(6))
    strange = {xlh for xlh in found if not xlh.startswith("a")}
    assert len(strange) == 2
    assert len(found) == 6


async def test_duplicates_have_the_same_batch_and_a_new_nonce(client: Client, gateway: Gateway) -> None:
    await client.mock("POST", "faults", [{"op": "batch.result", "action": "duplicate_callback", "n": 2}])
    reply = await client.batch("case.notice", NOTICE | {"xlh": "a"})
    told = await gateway.wait(3)
    assert {values["batchNo"] for values in told} == {reply["batchNo"]}
    assert len({values["nonce"] for values in told}) == 3


async def test_results_of_two_batches_are_exchanged_and_split(client: Client, gateway: Gateway) -> None:
    await client.mock("POST", "faults", [{"op": "batch.result", "action": "reorder_callbacks"}])
    first = await client.batch("case.notice", NOTICE | {"xlh": "a1"}, NOTICE | {"xlh": "a2"})
    await asyncio.sleep(0.05)
    second = await client.batch("case.notice", NOTICE | {"xlh": "b1"}, NOTICE | {"xlh": "b2"})
    told = await gateway.wait(4)
    assert [values["i1.xlh"] for values in told] == ["b2", "b1", "a2", "a1"]
    assert [values["batchNo"] for values in told] == [second["batchNo"]] * 2 + [first["batchNo"]] * 2
    assert {values["n"] for values in told} == {"1"}


async def test_held_results_come_although_no_other_batch_does(client: Client, gateway: Gateway) -> None:
    await client.mock("POST", "faults", [{"op": "batch.result", "action": "reorder_callbacks", "after_ms": 100}])
    await client.batch("case.notice", NOTICE | {"xlh": "a1"}, NOTICE | {"xlh": "a2"})
    assert [values["i1.xlh"] for values in await gateway.wait(2)] == ["a2", "a1"]


async def test_an_early_result_comes_before_the_answer(tmp_path: Path, gateway: Gateway) -> None:
    async with running(tmp_path, gateway, result_delay_s=3600) as client:
        await client.mock("POST", "faults", [{"op": "case.notice", "action": "early_callback"}])
        reply = await client.batch("case.notice", NOTICE | {"xlh": "a"})
        assert [values["batchNo"] for _, values in gateway.taken] == [reply["batchNo"]]


@pytest.mark.parametrize("how", sorted(FORGERIES))
async def test_no_forgery_passes(client: Client, gateway: Gateway, how: str) -> None:
    await client.mock("POST", "faults", [{"op": "batch.result", "action": "forge_callback", "how": how}])
    await client.batch("case.notice", NOTICE | {"xlh": "a"})
    assert results(await gateway.wait(1)) == {"a": ("1", "")}
    assert await pushed(client, "forged") == ["HTTP 401"]
    assert len(gateway.bodies) == 2
    assert len(gateway.taken) == 1
    if how == "replay":
        assert gateway.bodies[0] == gateway.bodies[1]
    else:
        assert gateway.bodies[0] != gateway.bodies[1]


async def test_unknown_forgeries_and_codes_are_refused(client: Client) -> None:
    for fault in ({"action": "forge_callback", "how": "magic"}, {"action": "business_error", "code": "签"}):
        async with client.http.post(f"{client.server.url}/_mock/faults", json=[fault]) as response:
            assert response.status == 422


async def test_forgeries_differ_from_the_right_sign_in_their_one_point(client: Client, gateway: Gateway) -> None:
    await client.mock("POST", "faults", [{"op": "*", "action": "forge_callback", "how": "numeric_sort"}])
    await client.batch("case.notice", NOTICE | {"xlh": "a"})
    await gateway.wait(1)
    pairs = parse_qsl(gateway.bodies[0].decode("ascii"), keep_blank_values=True, encoding="gb18030")
    values = [(name, value) for name, value in pairs if name != "sign"]
    assert len([name for name, _ in values if name.endswith(".xlh")]) == 11
    assert dict(pairs)["sign"] != signature(values, gateway.secret)


async def test_a_case_is_handed_over_answered_and_returned(client: Client, gateway: Gateway) -> None:
    own = {"jgdm": "SD-JN-GH-001"}
    order = await client.mock("POST", "refer", own | {"jq": "拖欠工资 a&b", "sqr.1.gz": ""})
    told = (await gateway.wait(1))[0]
    assert (told["method"], told["n"], gateway.taken[0][0]) == ("case.handover", "1", "/callbacks/union/handover")
    assert (told["i1.yjbh"], told["i1.jgdm"], told["i1.jq"]) == (order["yjbh"], "SD-JN-GH-001", "拖欠工资 a&b")
    assert told["i1.dfqx"] == order["dfqx"]
    assert told["i1.sqr.1.gz"] == ""
    assert is_resident_id(told["i1.sqr.1.zjhm"])
    assert told["i1.sqr.1.zjhm"][6:14] == told["i1.sqr.1.csrq"]
    assert told["i1.sqr.1.dz"]
    assert is_credit_code(told["i1.bsqr.1.xydm"])
    assert "i1.zzlx" not in told
    assert "i1.tjy" not in told

    task = {"yjbh": order["yjbh"]}
    await client.batch("referral.result", task | {"xlh": "early", "jg": "2", "bg": "未达成"})
    await client.batch("referral.answer", task | {"xlh": "foreign", "jgdm": "SD-XX", "df": "1"})
    await client.batch("referral.answer", task | {"xlh": "answer", "df": "1"})
    await client.batch("referral.answer", task | {"xlh": "again", "df": "2", "yy": "不便"})
    await client.batch("case.notice", NOTICE | task | {"xlh": "case", "ly": "5"})
    await client.batch(
        "referral.result", task | {"xlh": "result", "jg": "1", "bg": "达成协议", "xybh": "历〔2026〕1号"}
    )
    await client.batch("referral.result", task | {"xlh": "twice", "jg": "2", "bg": "未达成"})
    found = results(await gateway.wait(8))
    assert {xlh for xlh, (_, code) in found.items() if code == "T1"} == {"early", "foreign", "again", "twice"}
    assert {xlh for xlh, (jg, _) in found.items() if jg == "1"} == {"answer", "case", "result"}
    states = [record["state"] for record in await client.mock("GET", "records") if record["kind"] == "case.handover"]
    assert states == ["returned"]


async def test_an_answer_after_its_term_is_overdue(client: Client, gateway: Gateway) -> None:
    due = client.server.clock.now() + timedelta(seconds=100)
    order = {"jgdm": "SD-JN-GH-001", "yjbh": "YJ7", "dfqx": f"{due:%Y%m%d%H%M%S}"}
    await client.mock("POST", "refer", order)
    await gateway.wait(1)
    await client.mock("POST", "clock", {"shift_s": 102})
    await client.batch("referral.answer", {"xlh": "late", "yjbh": "YJ7", "df": "1"})
    assert results(await gateway.wait(2)) == {"late": ("0", "T1")}


async def test_a_task_is_recalled(client: Client, gateway: Gateway) -> None:
    order = await client.mock("POST", "refer", {"jgdm": "SD-JN-GH-001"})
    await client.mock("POST", "decide", {"ref": order["yjbh"], "decision": "recall", "sm": "撤回"})
    told = (await gateway.wait(2))[1]
    assert told["method"] == "case.recall"
    assert (told["i1.yjbh"], told["i1.sm"]) == (order["yjbh"], "撤回")
    await client.batch("referral.answer", {"xlh": "a", "yjbh": order["yjbh"], "df": "1"})
    assert results(await gateway.wait(3)) == {"a": ("0", "T1")}


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"jgdm": ""},
        {"jgdm": 1},
        {"jgdm": "x", "dfqx": "soon"},
        {"jgdm": "x", "a b": "c"},
        {"jgdm": "x", "jq": "\ud800"},
    ],
)
async def test_wrong_orders_to_refer(client: Client, order: dict[str, object]) -> None:
    async with client.http.post(f"{client.server.url}/_mock/refer", json=order) as response:
        assert response.status == 422
