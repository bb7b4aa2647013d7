"""How the chambers' mock fails on command (page §9), over SQLite."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.mocks.commerce_client import CASE, MEDIATING, NUMBER, ORGANIZATION, Client, digest_in, running


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "commerce", period_s=600) as there:
        await there.runs()
        yield there


async def sent(client: Client, **columns: Any) -> str:
    """A case that the reader has worked."""
    out_id = await client.send(CASE, **columns)
    await client.runs(1)
    return out_id


async def heart(client: Client) -> dict[str, Any]:
    return (await client.sql("SELECT * FROM TJ_HEART WHERE NODE = 'READER'"))[0]


@pytest.mark.parametrize("code", ["E10", "E15", "E23", "E31", "E81", "E91"])
async def test_any_code(client: Client, code: str) -> None:
    await client.fault("case.submit", "business_error", code=code, text="王示例的材料有误")
    row = await client.out(await sent(client))
    assert (row["UPLOAD_STATUS"], row["FAIL_CODE"], row["FAIL_REASON"]) == (3, code, "王示例的材料有误")
    (_, failed) = await client.news(row["OUT_ID"])
    assert (failed["KIND"], failed["FAIL_CODE"], failed["REASON"]) == ("09", code, "王示例的材料有误")
    assert await client.control("GET", "records") == []


async def test_the_reader_stops_beating(client: Client) -> None:
    await client.control("POST", "clock", {"at": "2026-09-17T10:00:00+08:00"})
    await client.runs(1)
    before = (await heart(client))["BEAT_AT"]
    await client.fault("probe", "http", status=503, times=0)
    await client.control("POST", "clock", {"shift_s": 3600})
    assert (await client.out(await sent(client)))["UPLOAD_STATUS"] == 2
    assert (await heart(client))["BEAT_AT"] == before
    await client.control("DELETE", "faults")
    await client.runs(1)
    assert (await heart(client))["BEAT_AT"] >= "2026-09-17 11:00:00"


async def test_maintenance(client: Client) -> None:
    await client.control("POST", "clock", {"at": "2026-09-17T10:00:00+08:00"})
    await client.fault("*", "http", status=429, retry_after=90)
    row = await sent(client)
    beat = await heart(client)
    assert beat["STATE"] == "MAINT"
    until = datetime.strptime(beat["UNTIL_AT"], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 -- as the page writes it
    assert timedelta(seconds=85) < until - datetime(2026, 9, 17, 10, 0) < timedelta(seconds=95)  # noqa: DTZ001
    assert (await client.out(row))["UPLOAD_STATUS"] == 0
    await client.control("POST", "clock", {"shift_s": 95})
    await client.runs(1)
    assert ((await heart(client))["STATE"], (await heart(client))["UNTIL_AT"]) == ("RUN", None)
    assert (await client.out(row))["UPLOAD_STATUS"] == 2
    await client.fault("*", "maintenance", after_ms=60_000)
    await client.runs(1)
    assert (await heart(client))["STATE"] == "MAINT"
    await client.control("DELETE", "faults")
    await client.runs(1)
    assert (await heart(client))["STATE"] == "RUN"


async def test_another_status_is_busy(client: Client) -> None:
    await client.fault("*", "http", status=500)
    row = await client.out(await sent(client))
    assert (row["UPLOAD_STATUS"], row["FAIL_CODE"]) == (3, "E80")


@pytest.mark.parametrize("kind", ["html", "truncated", "gbk", "empty"])
async def test_garbage(client: Client, kind: str) -> None:
    await client.fault("case.submit", "garbage", kind=kind)
    row = await sent(client)
    done = (await client.news(row))[-1]
    assert done["KIND"] == "01"
    assert done["DIGEST"] == digest_in(done)
    assert (done["PLAT_NO"] is None) == (kind == "empty")
    assert (await client.out(row))["PLAT_NO"] is not None
    if kind != "empty":
        assert 0 < len(done["REASON"]) <= 200
        assert done["REASON"].startswith("<!DOCTYPE" if kind != "gbk" else "Ïµ")


async def test_a_bomb(client: Client) -> None:
    await client.fault("case.submit", "garbage", kind="bomb")
    row = await sent(client)
    counted = await client.sql("SELECT KIND, COUNT(*) AS N FROM TJ_IN GROUP BY KIND ORDER BY KIND")
    assert [(line["KIND"], line["N"]) for line in counted] == [("00", 1), ("01", 1), ("04", 100_000)]
    assert (await client.out(row))["UPLOAD_STATUS"] == 2


async def test_accept_then_silent(client: Client) -> None:
    await client.fault("case.submit", "accept_then_silent")
    row = await sent(client)
    assert await client.kinds(row) == ["00"]
    assert (await client.out(row))["PLAT_NO"].startswith("SHTJ")


async def test_duplicates(client: Client) -> None:
    await client.fault("case.submit", "duplicate_callback", n=3)
    row = await sent(client)
    same = (await client.news(row))[1:]
    assert [line["KIND"] for line in same] == ["01"] * 3
    assert len({line["IN_ID"] for line in same}) == 3
    assert all(line["DIGEST"] == digest_in(line) for line in same)


async def test_a_lower_number_is_committed_after_a_higher_one(client: Client) -> None:
    await client.fault("case.submit", "reorder_callbacks")
    first = await sent(client)
    assert await client.kinds(first) == ["00"]
    highest = (await client.news())[-1]["IN_ID"]
    late = await client.send(MEDIATING, "02")
    await client.runs(1)
    assert await client.kinds(late) == ["00", "01"]
    done = (await client.news(first))[-1]
    assert (done["KIND"], highest < done["IN_ID"] < (await client.news(late))[0]["IN_ID"]) == ("01", True)


async def test_early(client: Client) -> None:
    await client.fault("case.submit", "early_callback")
    assert await client.kinds(await sent(client)) == ["01", "00"]
    late = await client.send(MEDIATING, "02")
    await client.runs(1)
    assert await client.kinds(late) == ["00", "01"]
    assert await client.control("GET", "faults") == []


@pytest.mark.parametrize("how", ["digest", "out_id", "case_key"])
async def test_forgeries(client: Client, how: str) -> None:
    await client.fault("case.submit", "forge_callback", how=how)
    row = await sent(client)
    _, done, forged = await client.news()
    assert (done["OUT_ID"], done["DIGEST"]) == (row, digest_in(done))
    assert (forged["DIGEST"] == digest_in(forged)) == (how != "digest")
    assert (forged["OUT_ID"] == row) == (how == "digest")
    assert (forged["CASE_KEY"] == f"{ORGANIZATION}#{NUMBER}") == (how != "case_key")


async def test_the_database_is_locked_for_a_while(client: Client) -> None:
    """The writer with a short patience fails once; one with more comes through, later."""
    await client.fault("insert", "reset", after_ms=700)
    await _locked(client)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await client.sql("DELETE FROM TJ_DICT WHERE CODE = '-'", timeout_s=0.1)
    begun = time.monotonic()
    await client.sql("DELETE FROM TJ_DICT WHERE CODE = '-'")
    assert time.monotonic() - begun > 0.1
    assert (await client.out(await sent(client)))["UPLOAD_STATUS"] == 2


async def test_the_reader_outlasts_a_lock(tmp_path: Path) -> None:
    async with running(tmp_path / "commerce", busy_timeout_ms=100) as client:
        row = await client.send(CASE)
        await client.fault("*", "stall", after_ms=600)
        await _locked(client)
        assert (await client.until(row))["UPLOAD_STATUS"] == 2
        assert (await client.kinds(row))[-2:] == ["00", "01"]
        assert len(await client.control("GET", "records")) == 1


async def _locked(client: Client) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                await client.sql("DELETE FROM TJ_DICT WHERE CODE = '-'", timeout_s=0.01)
            except sqlite3.OperationalError:
                return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("action", ["refuse", "expire_session"])
async def test_the_file_cannot_be_read(client: Client, action: str) -> None:
    await client.fault("*", action, after_ms=600)
    async with asyncio.timeout(5):
        with pytest.raises(sqlite3.OperationalError, match="unable to open"):
            while True:
                await client.sql("SELECT * FROM TJ_HEART")
                await asyncio.sleep(0.01)
        while True:
            try:
                await client.sql("SELECT * FROM TJ_HEART")
                break
            except sqlite3.OperationalError:
                await asyncio.sleep(0.02)
    assert (await client.out(await sent(client)))["UPLOAD_STATUS"] == 2


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({"op": "*", "action": "business_error", "code": "E99"}, "unknown code"),
        ({"op": "file.upload", "action": "drip"}, "unknown op"),
        ({"op": "*", "action": "forge_callback", "how": "signature"}, "unknown how"),
        ({"op": "*", "action": "accept_then_reset"}, "server_url"),
    ],
)
async def test_faults_that_mean_nothing_here(client: Client, fault: dict[str, Any], text: str) -> None:
    answer = await client.control("POST", "faults", [fault], status=422)
    assert text in answer["error"]
