"""Faults on command and the autopilot of the court's mock (court_mediation §7)."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from mocks.numbers import is_credit_code, is_resident_id
from tests.mocks.court_client import (
    FYDM,
    HEAD,
    JGDM,
    Client,
    Doc,
    agreement,
    application,
    court,
    gunzipped,
    inbox,
    transfer,
)

MEDIATOR: Doc = {"tjbh": "d1", **HEAD, "zsbh": "LDTJ-1", "xm": "李明"}
SAVE = "mediator/save"


@pytest.mark.parametrize("code", ["429", "500", "503", "401", "403", "423", "413", "1002", "1008", "9999"])
async def test_a_business_error_does_nothing(tmp_path: Path, code: str) -> None:
    async with court(tmp_path) as client:
        await client.fault(op=SAVE, action="business_error", code=code)
        reply = await client.post(SAVE, MEDIATOR)
        assert (reply.status, reply.code) == (200, code)
        assert await client.mock("records") == []
        assert (await client.post(SAVE, MEDIATOR)).code == "200"


async def test_a_scripted_400_lists_an_error(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        await client.fault(op=SAVE, action="business_error", code="400")
        assert (await client.post(SAVE, MEDIATOR)).errors == {"tjbh": "格式错误"}


async def test_a_scripted_refusal_may_quote_the_document(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        for code in ("1007", "400"):
            await client.fault(op=SAVE, action="business_error", code=code, text="证书LDTJ-1已注销")
            reply = await client.post(SAVE, MEDIATOR)
            assert reply.json["msg"] == "证书LDTJ-1已注销"
        assert reply.errors == {"tjbh": "证书LDTJ-1已注销"}


async def test_a_login_may_fail_on_command(tmp_path: Path) -> None:
    async with court(tmp_path, log_in=False) as client:
        await client.fault(op="login", action="business_error", code="423")
        reply = await client.login()
        assert (reply.code, client.cookie) == ("423", "")
        assert (await client.login()).code == "200"


async def test_minus_one_is_stored_on_odd_calls(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        await client.fault(op=SAVE, action="business_error", code="-1", times=4)
        for stored in (1, 1, 2, 2):
            reply = await client.post(SAVE, MEDIATOR)
            assert (reply.status, reply.body) == (200, b"-1")
            assert reply.headers["Content-Type"].startswith("text/html")
            assert len(await client.mock("records")) == stored


async def test_garbage_comes_in_five_kinds(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        looks: dict[str, Callable[[bytes], bool]] = {
            "html": lambda body: b"<html" in body.lower() and b"loginForm" not in body,
            "truncated": lambda body: len(body) > 0 and body.startswith(b"{") and not body.endswith(b"}"),
            "empty": lambda body: body == b"",
            "gbk": lambda body: json.loads(body.decode("gbk"))["msg"] == "操作成功",
        }
        for number, (kind, looks_so) in enumerate(looks.items(), 1):
            await client.fault(op=SAVE, action="garbage", kind=kind)
            reply = await client.post(SAVE, MEDIATOR)
            assert looks_so(reply.body), kind
            assert len(await client.mock("records")) == number
        await client.fault(op=SAVE, action="garbage", kind="bomb")
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            other = Client(client.server, session)
            other.cookie = client.cookie
            reply = await other.post(SAVE, MEDIATOR)
        assert reply.headers["Content-Encoding"] == "gzip"
        assert gunzipped(reply.body, 64 << 20) == 64 << 20


@pytest.mark.parametrize("action", ["accept_then_silent", "accept_then_reset"])
async def test_stored_without_an_answer_and_stored_again(tmp_path: Path, action: str) -> None:
    async with court(tmp_path, index_lag_s=10) as client:
        await client.fault(op=SAVE, action=action)
        with pytest.raises((aiohttp.ClientError, TimeoutError)):
            await asyncio.wait_for(client.post(SAVE, MEDIATOR), 0.3)
        assert await client.query("d1") == []
        assert (await client.post(SAVE, MEDIATOR)).code == "200"
        await client.mock("clock", {"shift_s": 10})
        assert len(await client.query("d1")) == 2


async def test_reset_and_http_store_nothing(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        await client.fault(op=SAVE, action="reset")
        with pytest.raises(aiohttp.ClientError):
            await client.post(SAVE, MEDIATOR)
        for status in (502, 404, 302):
            await client.fault(op=SAVE, action="http", status=status)
            assert (await client.post(SAVE, MEDIATOR)).status == status
        assert await client.mock("records") == []


async def test_a_session_may_end_in_the_middle_of_an_upload_series(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        document = await agreement(client)
        await client.fault(op="file/upload", action="expire_session")
        assert (await client.upload("05")).is_login_page
        assert len(await client.journal("file/upload")) == 2  # the one before, and the refusal
        assert (await client.post("offline/addOffline", document)).is_login_page
        await client.login()
        assert (await client.upload("05")).code == "200"
        assert (await client.post("offline/addOffline", document)).code == "200"


async def test_a_second_login_page_follows_when_asked_for(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        await client.fault(op=SAVE, action="expire_session", times=2)
        for _ in range(2):
            assert (await client.post(SAVE, MEDIATOR)).is_login_page
            await client.login()
        assert (await client.post(SAVE, MEDIATOR)).code == "200"


async def test_maintenance_processes_nothing(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        await client.fault(op="*", action="maintenance", times=3)
        for reply in (await client.post(SAVE, MEDIATOR), await client.login(), await client.upload("05")):
            assert (reply.status, reply.json) == (200, {"code": "503", "msg": "系统维护中"})
        assert await client.mock("records") == []
        assert (await client.post(SAVE, MEDIATOR)).code == "200"


async def test_every_fault_of_the_page_is_known(tmp_path: Path) -> None:
    async with court(tmp_path) as client:
        for action in ("refuse", "stall", "drip", "slow", "duplicate_callback", "reorder_callbacks", "early_callback"):
            if action != "refuse":
                await client.fault(op="x", action=action)
        await client.fault(op="x", action="refuse", after_ms=300)
        await asyncio.sleep(0.1)
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.post(SAVE, MEDIATOR)
        await asyncio.sleep(0.35)
        assert (await client.post(SAVE, MEDIATOR)).code == "200"


# --- the clerk by himself


async def _run(tmp_path: Path, seed: int, mix: dict[str, float]) -> dict[str, list[str]]:
    """The pushes of eight matters by number, decided by the autopilot."""
    async with inbox() as box, court(tmp_path, box) as client:
        for number in range(4):
            document = await application(client, f"a{number}", f"cnf_{number}", xybh=f"协议{number}")
            assert (await client.post("sfqr/add", document)).code == "200"
            assert (
                await client.post("transfer/add", await transfer(client, f"t{number}", f"trf_{number}"))
            ).code == "200"
        await client.mock("autopilot", {"seed": seed, "delay_ms": 10, "jitter_ms": 20, "mix": mix})
        final = {"sqbysl", "cdyx", "cdbh", "zych", "acch", "ssla", "ssbl"}
        found: dict[str, list[str]] = {}
        async with asyncio.timeout(20):
            while sum(tslx in final for tslxs in found.values() for tslx in tslxs) < 8:
                await asyncio.sleep(0.05)
                matters = {
                    r["ref"]: r.get("sqbh") or r["ysbh"] for r in await client.mock("records") if "about" not in r
                }
                found = {}
                for entry in await client.journal("push_queued"):
                    found.setdefault(matters[entry["ref"]], []).append(entry["payload"]["op"])
                for record in await client.mock("records"):
                    if record["kind"] == "sfqr/add" and record["state"] == "1":
                        about = {**HEAD, "sqbh": record["sqbh"], "uuid": record["ref"]}
                        await client.post("sfqr/supplement", {"tjbh": f"s{record['ref'][:9]}", **about})
        return found


async def test_the_autopilot_decides_by_the_mix(tmp_path: Path) -> None:
    found = await _run(tmp_path, 1, {"correct": 1, "accept": 1, "reject": 1, "refuse": 1})
    for number in range(4):
        way = found[f"cnf_{number}"]
        assert way[0] == "sqys"
        assert [tslx for tslx in way if tslx != "sqbz"] == ["sqys", "sqsl", "cdbh"]
        assert way.count("sqbz") <= 1
        assert found[f"trf_{number}"][-1] == "ssbl"


async def test_the_same_seed_decides_alike(tmp_path: Path) -> None:
    assert await _run(tmp_path / "one", 7, {}) == await _run(tmp_path / "two", 7, {})


async def test_the_autopilot_permits_a_withdrawal(tmp_path: Path) -> None:
    async with inbox() as box, court(tmp_path, box) as client:
        uuid = (await client.post("sfqr/add", await application(client))).content["uuid"]
        about = {"tjbh": "w", **HEAD, "sqbh": "cnf_1", "uuid": uuid, "yy": "和解", "sqsj": "20261010 10:00"}
        assert (await client.post("sfqr/withdraw", about)).code == "200"
        await client.mock("autopilot", {"seed": 1})
        await box.wait(1)
        assert box.body(0)["tslx"] == "zych"


async def test_the_cases_of_tasks_are_whole(tmp_path: Path) -> None:
    async with inbox() as box, court(tmp_path, box) as client:
        for number in range(5):
            await client.mock("refer", {"jgdm": JGDM, "wplx": "1", "fydm": FYDM})
            await box.wait(number + 1)
            content = box.body(number)["content"]
            (one,), (other,) = content["applicantPartyList"], content["respondentPartyList"]
            assert is_resident_id(one["applicantIDCardNo"])
            assert one["applicantSex"] == str(1 - int(one["applicantIDCardNo"][16]) % 2)
            assert one["applicantBirthday"] == one["applicantIDCardNo"][6:14]
            assert is_credit_code(other["respondentIDCardNo"])
            # A case as the court tells it is a case as the court takes it.
            case = {
                key: value
                for key, value in content.items()
                if key not in ("rwbh", "wplx", "ah", "jgdm", "qrqx", "tjqx", "wslist")
            }
            filed = await agreement(client, f"d{number}", **case)
            assert (await client.post("offline/addOffline", filed)).code == "200"
