"""The clerk of the chambers' mock, and what the mock has no use for (page §9)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mocks.server import PLATFORMS, MockServer, load
from tests.mocks.commerce_client import CASE, MEDIATING, NUMBER, ORGANIZATION, Client, digest_in, running

KEY = f"{ORGANIZATION}#{NUMBER}"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "commerce") as there:
        yield there


@pytest.mark.parametrize(
    ("order", "kind", "zt"),
    [
        ({"decision": "accept"}, "02", "2"),
        ({"decision": "refuse", "reason": "不属于受理范围"}, "02", "10"),
        ({"decision": "file"}, "02", "99"),
        ({"decision": "status", "code": "5"}, "02", "5"),
        ({"decision": "status", "code": "77"}, "02", "77"),
        ({"decision": "correct", "reason": "请补充身份证明"}, "03", None),
        ({"decision": "note"}, "04", None),
    ],
)
async def test_words_of_the_clerk(client: Client, order: dict[str, Any], kind: str, zt: str | None) -> None:
    number = await client.done(CASE)
    step = await client.done(MEDIATING, "02")
    answer = await client.control("POST", "decide", {"ref": step, **order})
    row = (await client.news())[-1]
    assert (row["IN_ID"], row["KIND"], row["ZT"], row["OUT_ID"]) == (answer["in_id"], kind, zt, None)
    assert (row["PLAT_NO"], row["CASE_KEY"], row["DIGEST"]) == (number, KEY, digest_in(row))
    assert row["REASON"] == order.get("reason") or (kind != "02" and row["REASON"])
    (line,) = await client.lines("decision")
    assert (line["effect"], line["ref"], line["payload"]["ZT"]) == ("announced", number, zt)
    await client.control("POST", "decide", {"ref": KEY, "decision": "note"})


@pytest.mark.parametrize(
    ("order", "text"),
    [
        ({"ref": "SHTJ20260917999999", "decision": "accept"}, "no case"),
        ({"ref": KEY, "decision": "confirm"}, "unknown decision"),
        ({"ref": KEY, "decision": "status"}, "code is needed"),
        ({"ref": KEY, "decision": "accept", "code": "2"}, "code belongs"),
        ({"ref": KEY, "decision": "note", "reason": ""}, "reason must"),
        ({"ref": KEY, "decision": "note", "docs": []}, "unknown key docs"),
    ],
)
async def test_wrong_orders(client: Client, order: dict[str, Any], text: str) -> None:
    await client.done(CASE)
    assert text in (await client.control("POST", "decide", order, status=422))["error"]
    assert await client.lines("decision") == []


async def test_what_it_has_no_use_for(client: Client) -> None:
    await client.control("POST", "refer", {"orgCode": ORGANIZATION}, status=422)
    await client.control("POST", "lose", {"message_id": "msg_00000001"}, status=422)
    async with client.session.get(f"{client.server.url}/anything") as answer:
        assert answer.status == 404


async def test_autopilot(client: Client) -> None:
    await client.done(CASE)
    await client.control("POST", "autopilot", {"seed": 7, "delay_ms": 10, "mix": {"correct": 1}})
    async with asyncio.timeout(10):
        while (row := (await client.news())[-1])["KIND"] != "03":
            await asyncio.sleep(0.05)
    assert row["REASON"]
    assert not any(record["undecided"] for record in await client.control("GET", "records"))


async def test_a_deleted_case_has_no_clerk(client: Client) -> None:
    number = await client.done(CASE)
    await client.done("{}", operate=3)
    await client.control("POST", "decide", {"ref": number, "decision": "accept"}, status=422)


async def test_the_settings(tmp_path: Path) -> None:
    assert "commerce_federation" in PLATFORMS
    config = load("commerce_federation").default_config("http://127.0.0.1:1", "")
    names = {"database_url", "schema", "organizations", "period_s", "poll_min_s", "poll_max_s"}
    assert names <= set(config)
    assert [config[name] for name in ("schema", "period_s", "poll_min_s", "poll_max_s")] == ["tjex", 30, 5, 900]
    for wrong in ({"database_url": "mysql://localhost/x"}, {"schema": 'a"b'}, {"period_s": 0}):
        with pytest.raises(ValueError, match=r"database_url|schema|period_s"):
            await MockServer(load("commerce_federation"), tmp_path / "wrong", settings=wrong).start()
    file = tmp_path / "elsewhere.db"
    async with running(tmp_path / "commerce", database_url=f"sqlite:///{file}") as client:
        await client.done(CASE)
        assert file.exists()


async def test_an_organisation_that_is_not_bound(tmp_path: Path) -> None:
    async with running(tmp_path / "commerce", organizations=["SD-QD-SH-004"]) as client:
        assert await client.failed(CASE) == "E30 ORG_CODE"
