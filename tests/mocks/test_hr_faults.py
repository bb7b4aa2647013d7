"""The mock of hr_arbitration across a restart, and how it fails on command (page §8)."""

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mocks.hr_arbitration import HrArbitration
from mocks.server import MockServer
from tests.mocks.hr_client import CASE, SUPPLEMENT, TRANSFER, Client, decide, refer


async def test_a_restart_keeps_everything(client: Client, server: MockServer, tmp_path: Path) -> None:
    file = await client.agreed()
    first = await client.send("TJ2001", client.review(file), "dlv_restart_001")
    await decide(client, first.ref, "correct")
    await refer(client, organization_code="SD-JN-LX-001", task_no="RW-1")
    before = json.dumps(server.platform.records(), ensure_ascii=False)
    await server.stop()
    again = MockServer(HrArbitration, tmp_path / "hr", port=None)
    await again.start()
    try:
        assert json.dumps(again.platform.records(), ensure_ascii=False) == before
        client.config["base_url"] = again.url
        repeat = await client.send("TJ2001", client.review(file), "dlv_restart_001")
        assert (repeat.code, repeat.content) == ("1001", first.content)
        assert (await client.done("TJ9003", {"BZF001": file})).content["BZF003"] == "application/pdf"
        await client.done("TJ2002", SUPPLEMENT)
        new = await client.done("TJ3001", TRANSFER)
        assert int(new.ref) > int(first.ref)
        answer = {"BZJ001": "RW-1", "BZA002": "SD-JN-LX-001", "AAE036": CASE["BZA020"], "BZJ004": "1"}
        await client.done("TJ5001", answer)
    finally:
        await again.stop()


async def test_what_is_lost_is_unknown_and_can_be_filed_again(
    client: Client, server: MockServer, tmp_path: Path
) -> None:
    async def lose(serial: str) -> int:
        address = f"{client.config['base_url']}/_mock/lose"
        async with client.session.post(address, json={"message_id": serial}) as response:
            return response.status

    question = {"BZR007": "TJ1001", "BZR008": "dlv_lost_00001"}
    first = await client.send("TJ1001", CASE, "dlv_lost_00001")
    assert await lose("dlv_lost_00002") == 422
    assert await lose("dlv_lost_00001") == 200
    assert (await client.done("TJ9001", question)).content == {"BZR009": "0"}
    assert server.platform.records() == []
    await server.stop()
    again = MockServer(HrArbitration, tmp_path / "hr", port=None)
    await again.start()
    try:
        client.config["base_url"] = again.url
        assert (await client.done("TJ9001", question)).content == {"BZR009": "0"}
        anew = await client.send("TJ1001", CASE, "dlv_lost_00001")
        assert (anew.code, anew.ref != first.ref) == ("0000", True)
    finally:
        await again.stop()


@pytest.mark.parametrize("code", ["2001", "2002", "5000", "4010", "4999", "3003"])
async def test_business_error_stores_nothing(client: Client, server: MockServer, code: str) -> None:
    faults = [{"op": "TJ1001", "action": "business_error", "code": code, "text": "证件号码与姓名不符"}]
    async with client.session.post(f"{client.config['base_url']}/_mock/faults", json=faults) as response:
        assert response.status == 200
    assert (await client.send("TJ0001", {"BZR002": "PING"})).code == "0000"
    reply = await client.send("TJ1001", CASE, "dlv_fault_00001")
    assert reply.code == code
    if code.startswith("4"):
        assert len(reply.findings) == 1
        assert "证件号码与姓名不符" in str(reply.raw)
    assert ("retryafter" in reply.head) == (code in ("2001", "2002"))
    assert server.platform.records() == []
    assert (await client.send("TJ1001", CASE, "dlv_fault_00001")).code == "0000"


async def test_faults_of_the_platform(client: Client, server: MockServer) -> None:
    async def script(**fault: Any) -> None:
        async with client.session.post(f"{client.config['base_url']}/_mock/faults", json=[fault]) as response:
            assert response.status == 200, await response.text()

    await script(op="TJ1001", action="accept_then_reset")
    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await client.send("TJ1001", CASE, "dlv_lost_000001")
    repeat = await client.send("TJ1001", CASE, "dlv_lost_000001")
    assert (repeat.code, repeat.ref) == ("1001", server.platform.records()[0]["ref"])
    await script(op="*", action="maintenance", after_ms=60_000)
    head = client.head("TJ0001", "dlv_00000001")
    async with client.session.post(
        f"{client.config['base_url']}/ldzc/exchange",
        data=client.envelope(head, client.seal(b'{"BZR002":"PING"}')),
        headers={"Content-Type": "application/json; charset=UTF-8"},
    ) as response:
        assert response.status == 503
        assert response.headers["Content-Type"] == "text/html; charset=GBK"
        assert 55 <= int(response.headers["Retry-After"]) <= 60
        assert "停机维护" in (await response.read()).decode("gbk")
    async with client.session.delete(f"{client.config['base_url']}/_mock/faults"):
        pass
    await script(op="*", action="expire_session")
    for _ in range(2):
        assert (await client.send("TJ0001", {"BZR002": "PING"})).code == "3006"
    async with client.session.delete(f"{client.config['base_url']}/_mock/faults"):
        pass
    assert (await client.send("TJ0001", {"BZR002": "PING"})).code == "0000"
