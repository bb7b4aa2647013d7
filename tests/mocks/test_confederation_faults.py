"""The clerk's words, every fault of the page's §9, and a restart after a crash."""

import asyncio
import io
import json
import os
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mocks.server import PLATFORMS, load
from tests.mocks.confederation_client import CASE_KEY, DETAIL, LIST, Client, Written, batch, case, platform


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with platform(tmp_path / "ec") as made:
        yield made


def one() -> Written:
    return batch((LIST, DETAIL))


async def accepted(client: Client) -> str:
    return (await client.send(one()))[0]["平台编号"]


def beat(client: Client) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((client.root / "heartbeat.json").read_text("utf-8"))
    return told


def test_it_is_known_by_name() -> None:
    assert load("enterprise_confederation").name in PLATFORMS
    # A zip entry outside its folder means nothing where no archives are exchanged.
    assert [name for name in PLATFORMS if "slip" in load(name).garbage_kinds] == ["enterprise_confederation"]


# --- the clerk


@pytest.mark.parametrize(
    ("decision", "more", "word"),
    [
        ("accept", {}, "已受理"),
        ("refuse", {}, "不予受理"),
        ("correct", {"reason": "请补充材料"}, "需补正"),
        ("withdraw", {}, "已撤回"),
        ("file", {}, "已结案"),
        ("status", {"word": "待定"}, "待定"),
    ],
)
async def test_a_decision_is_a_status_file(client: Client, decision: str, more: dict[str, str], word: str) -> None:
    ref = await accepted(client)
    await client.control("POST", "decide", {"ref": ref, "decision": decision, **more})
    [item] = client.words()
    assert (item["平台编号"], item["案件主键"], item["状态"]) == (ref, CASE_KEY, word)
    assert item["说明"] == more.get("reason", "")


async def test_wrong_orders(client: Client) -> None:
    ref = await accepted(client)
    for order in (
        {"ref": "QL1", "decision": "accept"},
        {"ref": ref, "decision": "confirm"},
        {"ref": ref, "decision": "status"},
        {"ref": ref, "decision": "accept", "word": "已受理"},
        {"ref": ref, "decision": "accept", "more": "1"},
    ):
        await client.control("POST", "decide", order, status=422)
    await client.control("POST", "refer", {}, status=422)
    for fault in (
        {"op": "case", "action": "business_error", "code": "E99"},
        {"op": "poll", "action": "reset"},
        {"op": "reply", "action": "http", "status": 507},
        {"op": "reply", "action": "forge_callback", "how": "signature"},
    ):
        await client.control("POST", "faults", [fault], status=422)


async def test_the_autopilot_decides(client: Client) -> None:
    await accepted(client)
    await client.control("POST", "autopilot", {"seed": 1, "delay_ms": 0, "jitter_ms": 0, "mix": {"accept": 1}})
    async with asyncio.timeout(5):
        while not client.words():
            await asyncio.sleep(0.05)
    assert client.words()[0]["状态"] == "已受理"


# --- faults of a run and of a batch


@pytest.mark.parametrize(("code", "number", "folder"), [("B07", "0", "bad"), ("E33", "1", "done")])
async def test_business_error(client: Client, code: str, number: str, folder: str) -> None:
    await client.fault("case", "business_error", code=code)
    written = one()
    [row] = await client.send(written)
    assert (row["行号"], row["错误码"], row["结果"]) == (number, code, "拒绝")
    assert client.where(written.stem) == folder


async def test_later(client: Client) -> None:
    await client.fault("case", "business_error", code="处理中")
    written = one()
    assert (await client.send(written))[0]["结果"] == "处理中"
    await client.run()
    assert client.replies(written.stem)[1][0]["结果"] == "受理"


async def test_maintenance_and_silence(client: Client) -> None:
    await client.fault("heartbeat", "http", status=503, retry_after=3600)
    written = one()
    client.put_all(written.sealed())
    await client.run()
    assert (beat(client)["state"], client.replies(written.stem)) == ("MAINT", [])
    assert beat(client)["until"] > beat(client)["at"]
    await client.control("DELETE", "faults")
    await client.run()
    assert (beat(client)["state"], "until" in beat(client)) == ("RUN", False)
    assert client.replies(written.stem)
    await client.fault("*", "maintenance", after_ms=60000)
    await client.run()
    assert beat(client)["state"] == "MAINT"
    await client.control("DELETE", "faults")
    (client.root / "heartbeat.json").unlink()
    await client.fault("heartbeat", "http", status=500)
    await client.run()
    assert not (client.root / "heartbeat.json").exists()
    await client.run()
    assert beat(client)["state"] == "RUN"


async def test_stall_and_slow(client: Client) -> None:
    await client.fault("case", "stall", after_ms=30)
    await client.fault("case", "slow", after_ms=30)
    for _ in range(2):
        await client.run()
    assert await client.control("GET", "faults") == []


async def test_drip_shows_a_partial_set_under_its_marker(client: Client) -> None:
    await client.fault("reply", "drip", after_ms=100)
    written = one()
    client.put_all(written.sealed())
    running = asyncio.create_task(client.run())
    mark = client.root / "down" / f"{written.stem}.R01.ok"
    listed = client.root / "down" / f"{written.stem}.R01.csv"
    async with asyncio.timeout(5):
        while not (mark.exists() and listed.exists() and listed.stat().st_size):
            await asyncio.sleep(0.01)
    early = listed.stat().st_size
    await running
    assert early < listed.stat().st_size
    assert client.replies(written.stem)[0][0]["结果"] == "受理"


async def test_accept_then_silent_and_accept_then_reset(client: Client) -> None:
    await client.fault("case", "accept_then_silent")
    silent, left = batch(case(1)), batch(case(2))
    client.put_all(silent.sealed())
    await client.run()
    assert (client.where(silent.stem), client.replies(silent.stem)) == ("done", [])
    await client.fault("case", "accept_then_reset")
    await client.send(left)
    assert client.where(left.stem) == "up"
    await client.run()
    assert client.where(left.stem) == "done"
    assert [rows[0]["结果"] for rows in client.replies(left.stem)] == ["受理", "重复"]
    assert len(await client.control("GET", "records")) == 2


# --- faults of the directory


def _writable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK)


async def _until(wanted: bool, folder: Path) -> None:
    async with asyncio.timeout(5):
        while _writable(folder) is not wanted:
            await asyncio.sleep(0.02)


async def test_refuse_and_reset(client: Client) -> None:
    up = client.root / "up"
    for action in ("refuse", "reset"):
        await client.fault("*", action, after_ms=300)
        await _until(False, up)
        await client.run()
        await _until(True, up)
    assert await client.verdict(one()) == "受理"
    assert sorted(path.name for path in client.root.iterdir()) == ["bad", "done", "down", "heartbeat.json", "up"]


async def test_expire_session_until_it_is_cleared(client: Client) -> None:
    down = client.root / "down"
    await client.fault("*", "expire_session")
    await _until(False, down)
    await client.control("DELETE", "faults")
    await _until(True, down)
    assert await client.verdict(one()) == "受理"


# --- spoilt replies


@pytest.mark.parametrize("kind", ["html", "truncated", "empty", "gbk"])
async def test_garbage_has_right_digests(client: Client, kind: str) -> None:
    await client.fault("reply", "garbage", kind=kind)
    written = one()
    client.put_all(written.sealed())
    await client.run()
    _, data = client.data(f"{written.stem}.R01")
    match kind:
        case "html":
            assert data.startswith(b"<html>")
        case "empty":
            assert data == b""
        case "gbk":
            assert data.decode("gbk").startswith("行号")
        case _:
            assert not data.endswith(b"\r\n")
    await client.run()
    assert client.reply(f"{written.stem}.R02")[0]["结果"] == "受理"


async def test_bomb_and_slip(client: Client) -> None:
    ref = await accepted(client)
    for kind in ("bomb", "slip"):
        await client.fault("status", "garbage", kind=kind)
        told = await client.control("POST", "decide", {"ref": ref, "decision": "accept"})
        name, data = client.data(told["stem"])
        assert name.endswith(".zip")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            [entry] = archive.infolist()
            if kind == "bomb":
                assert (entry.file_size, len(data) < 3 * 1024 * 1024) == (1024**3, True)
                with archive.open(entry) as file:
                    assert file.read(100) == bytes(100)
            else:
                assert entry.filename == "../x"
                assert json.loads(archive.read(entry))["items"]


async def test_duplicate_reorder_early(client: Client) -> None:
    first, second, third = batch(case(1)), batch(case(2)), batch(case(3))
    await client.fault("reply", "duplicate_callback", n=3)
    await client.send(first)
    assert [rows[0]["结果"] for rows in client.replies(first.stem)] == ["受理"] * 3
    await client.fault("reply", "reorder_callbacks")
    client.put_all(second.sealed())
    await client.run()
    assert [name for name in client.marks() if second.stem in name] == [f"{second.stem}.R02.ok"]
    await client.run()
    assert [rows[0]["结果"] for rows in client.replies(second.stem)] == ["处理中", "受理"]
    await client.fault("case", "early_callback")
    [row] = await client.send(third)
    [item] = client.words()
    assert item["平台编号"] == row["平台编号"]
    down = client.root / "down"
    [status] = down.glob("QLST_*.ok")
    assert status.stat().st_mtime_ns <= (down / f"{third.stem}.R01.ok").stat().st_mtime_ns


@pytest.mark.parametrize("how", ["digest", "stem", "row", "ok"])
async def test_forged_replies_stand_beside_the_right_one(client: Client, how: str) -> None:
    await client.fault("reply", "forge_callback", how=how)
    written = one()
    client.put_all(written.sealed())
    await client.run()
    right = client.reply(f"{written.stem}.R02")
    assert right[0]["结果"] == "受理"
    match how:
        case "stem":
            [foreign] = [name for name in client.marks() if written.stem not in name]
            assert client.reply(foreign[:-3])[0]["结果"] == "受理"
        case "row":
            assert client.reply(f"{written.stem}.R01")[0]["业务主键"] != right[0]["业务主键"]
        case _:
            with pytest.raises(AssertionError):
                client.reply(f"{written.stem}.R01")


# --- restart


async def test_after_a_crash_what_stood_in_the_journal_is_not_done_twice(tmp_path: Path) -> None:
    written = one()
    async with platform(tmp_path / "ec") as client:
        await client.fault("case", "accept_then_reset")
        ref = (await client.send(written))[0]["平台编号"]
        told = await client.control("POST", "decide", {"ref": ref, "decision": "accept"})
        down = client.root / "down"
        # As if the process had died between the journal and the directory.
        for path in [*down.glob(f"{told['stem']}*"), *down.glob(f"{written.stem}.R01*")]:
            path.unlink()
        (down / f"{written.stem}.R01.csv").write_bytes(b"half")
        (down / "x.csv.part").write_bytes(b"half")
    async with platform(tmp_path / "ec") as client:
        await client.run()
        assert [item["平台编号"] for item in client.words()] == [ref]
        [rows] = client.replies(written.stem)
        assert (rows[0]["结果"], rows[0]["平台编号"]) == ("重复", ref)
        assert f"{written.stem}.R02.ok" in client.marks()
        assert client.where(written.stem) == "done"
        assert len(await client.control("GET", "records")) == 1
        assert not (client.root / "down" / "x.csv.part").exists()
        second = (await client.send(batch(case(9))))[0]["平台编号"]
        assert int(second[-6:]) == int(ref[-6:]) + 1
