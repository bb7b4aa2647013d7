"""The one-stop platform over its socket: security headers, rate, configuration."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mocks.clock import Clock
from mocks.one_stop import OneStop
from mocks.one_stop.gate import Gate
from mocks.one_stop.refusal import SoapFault
from mocks.one_stop.settings import Settings
from tests.mocks.one_stop_client import Client, ping, running, signature


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "one_stop") as there:
        yield there


# --- security headers (§2)


def test_the_worked_signature_of_the_page() -> None:
    assert signature("1790672703", "EXAMPLE-TOKEN-00", "Zk3fA9bQ7LmX2pRt") == (
        "3C49A243783C71DBC3828B308449FCA9F0F7F3F37B2EA0F14B423971942618BD"
    )


async def test_the_platform_takes_the_worked_form_of_signature(tmp_path: Path) -> None:
    async with running(tmp_path / "m", token="EXAMPLE-TOKEN-01") as client:
        await client.mock("POST", "clock", {"at": "2026-09-29T17:05:03+08:00"})
        stamp, nonce = "1790672703", "Zk3fA9bQ7LmX2pRt"
        right = signature(stamp, "EXAMPLE-TOKEN-01", nonce)
        reply = await client.post(
            ping(), client.headers("ping", stamp=stamp, nonce=nonce, **{"x-tif-signature": right})
        )
        assert reply["retCode"] == "1"


async def test_ping_answers_in_the_order_of_the_page(client: Client) -> None:
    reply = await client.call("ping", {}, "p-1")
    assert reply.status == 200
    assert reply.names == ["retCode", "retMessage", "errCode", "外部编号", "平台编号", "重复标志"]
    assert (reply["retCode"], reply["retMessage"], reply["外部编号"], reply["平台编号"]) == ("1", "成功", "p-1", "")
    assert await client.lines() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-tif-paasid", "somebody_else"),
        ("x-tif-serviceId", "another_service"),
        ("x-tif-timestamp", "179067270"),
        ("x-tif-timestamp", "179067270x"),
        ("x-tif-nonce", "short"),
        ("x-tif-nonce", "a" * 33),
        ("x-tif-nonce", "sixteen-letters-"),
        ("x-tif-signature", "0" * 64),
        ("x-tif-signature", ""),
    ],
)
async def test_a_wrong_header_is_s001(client: Client, name: str, value: str) -> None:
    reply = await client.post(ping(), client.headers("ping") | {name: value})
    assert reply.status == 500
    assert reply.fault == ("S001", "soap:Client", "")


async def test_a_missing_or_doubled_header_is_s001(client: Client) -> None:
    for name in ("x-tif-paasid", "x-tif-serviceId", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature"):
        headers = client.headers("ping")
        value = headers.pop(name)
        assert (await client.post(ping(), headers)).fault[0] == "S001", name
        doubled = [*headers.items(), (name, value), (name, value)]
        assert (await client.post(ping(), doubled)).fault[0] == "S001", name


async def test_a_lower_case_signature_is_s001(client: Client) -> None:
    headers = client.headers("ping")
    headers["x-tif-signature"] = headers["x-tif-signature"].lower()
    assert (await client.post(ping(), headers)).fault[0] == "S001"


async def test_the_clock_is_checked_before_the_signature_and_after_the_names(client: Client) -> None:
    late = str(int(time.time()) - 305)
    assert (await client.post(ping(), client.headers("ping", stamp=late))).fault == ("S002", "soap:Client", "")
    early = str(int(time.time()) + 310)
    assert (await client.post(ping(), client.headers("ping", stamp=early, token="w" * 16))).fault[0] == "S002"
    wrong = client.headers("ping", stamp=late) | {"x-tif-paasid": "somebody_else"}
    assert (await client.post(ping(), wrong)).fault[0] == "S001"
    inside = str(int(time.time()) - 290)
    assert (await client.post(ping(), client.headers("ping", stamp=inside)))["retCode"] == "1"


async def test_a_nonce_is_noted_only_after_the_signature_held(client: Client) -> None:
    nonce = "N" * 16
    assert (await client.post(ping(), client.headers("ping", nonce=nonce, token="w" * 16))).fault[0] == "S001"
    assert (await client.post(ping(), client.headers("ping", nonce=nonce)))["retCode"] == "1"
    assert (await client.post(ping(), client.headers("ping", nonce=nonce))).fault == ("S003", "soap:Server", "")
    await client.mock("POST", "clock", {"shift_s": 899})
    assert (await client.post(ping(), client.headers("ping", nonce=nonce))).fault[0] == "S003"
    await client.mock("POST", "clock", {"shift_s": 2})
    assert (await client.post(ping(), client.headers("ping", nonce=nonce)))["retCode"] == "1"


async def test_too_many_requests_are_s004(tmp_path: Path) -> None:
    async with running(tmp_path / "m", rate_per_s=1) as client:
        replies = await asyncio.gather(*(client.call("ping", {}) for _ in range(3)))
        faults = [reply.fault for reply in replies if reply.status == 500]
        assert faults == [("S004", "soap:Server", "1")] * 2
        await asyncio.sleep(1.05)
        assert (await client.call("ping", {}))["retCode"] == "1"


def test_ten_requests_a_second_are_admitted(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.read(OneStop.default_config("http://127.0.0.1:1", ""))
    gate = Gate(settings, Clock().now)
    moment = 100.0
    monkeypatch.setattr("mocks.one_stop.gate.time.monotonic", lambda: moment)
    for _ in range(10):
        gate.admit()
    moment = 100.99
    with pytest.raises(SoapFault, match="S004"):
        gate.admit()
    moment = 101.0
    for _ in range(10):
        gate.admit()
    with pytest.raises(SoapFault, match="S004"):
        gate.admit()


def test_configuration_is_refused_when_it_cannot_be_right() -> None:
    good = OneStop.default_config("http://127.0.0.1:1", "")
    assert len(good["token"]) >= 16
    assert good["token"] != OneStop.default_config("http://127.0.0.1:1", "")["token"]
    assert (good["rate_per_s"], good["pull_interval_s"], good["cursor_days"]) == (10, 5, 30)
    assert (good["request_limit"], good["reply_limit"], good["gb18030_every"]) == (1 << 20, 4 << 20, 3)
    wrong_ones: list[dict[str, Any]] = [
        {"token": "EXAMPLE-TOKEN-00"},
        {"token": "short"},
        {"token": "中文中文中文中文中文中文中文中文"},
        {"paasid": ""},
        {"organization_codes": []},
        {"organization_codes": "SD"},
        {"rate_per_s": "10"},
        {"rate_per_s": -1},
        {"page_limit": 101},
        {"pull_scope": "all"},
        {"surprise": 1},
    ]
    for wrong in wrong_ones:
        with pytest.raises(ValueError, match="one_stop"):
            Settings.read(good | wrong)
