"""Callbacks of the mock of hr_arbitration: clerk, acknowledgement, repeats, faults, autopilot (page §5, §7)."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from mocks.hr_arbitration import HrArbitration, sm2
from mocks.hr_arbitration.fields import check, join
from mocks.hr_arbitration.paper import one_page_pdf
from mocks.server import MockServer
from tests.mocks.hr_client import CASE, PROGRESS, SUPPLEMENT, TRANSFER, WITHDRAWAL, Client, text_to_sign
from tests.servers.aside import served


class Gateway:
    """Receives callbacks, answers as :attr:`answer` says, and keeps what came."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, Any], bytes]] = []
        self.answer: Callable[[dict[str, Any]], web.Response] | None = None
        self.client: Client
        self.base = ""
        self.standing = AsyncExitStack()

    async def handle(self, request: web.Request) -> web.Response:
        assert request.headers["Content-Type"] == "application/json; charset=UTF-8"
        data = await request.read()
        callback = json.loads(data)
        self.got.append((callback, data))
        if self.answer is not None:
            return self.answer(callback)
        code, _ = self.client.check(data)
        return web.Response(body=self.client.acknowledge(callback, code=code))

    def contents(self, service: str = "") -> list[dict[str, Any]]:
        return [
            self.client.unseal(callback["body"])
            for callback, _ in self.got
            if service in ("", callback["head"]["serviceid"])
        ]


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    made = Gateway()
    application = web.Application()
    application.router.add_post("/callbacks/hr_arbitration/exchange", made.handle)
    async with made.standing:
        port = await made.standing.enter_async_context(served(application))
        made.base = f"http://127.0.0.1:{port}/callbacks"
        yield made


@pytest.fixture
async def server(tmp_path: Path, gateway: Gateway) -> AsyncIterator[MockServer]:
    made = MockServer(
        HrArbitration, tmp_path / "hr", callbacks=gateway.base, settings={"rate_per_s": 1000, "at_once": 100}
    )
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def client(server: MockServer, gateway: Gateway) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        gateway.client = Client(json.loads(server.config_path.read_text("utf-8")), session)
        yield gateway.client


async def call(client: Client, path: str, order: Any, status: int = 200) -> Any:
    async with client.session.post(f"{client.config['base_url']}/_mock/{path}", json=order) as response:
        assert response.status == status, await response.text()
        return await response.json()


async def pushes(server: MockServer, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        while True:
            found = [entry for entry in server.platform.journal.entries() if entry["kind"] == "push"]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)


async def test_the_clerk_tells_every_fact(client: Client, server: MockServer, gateway: Gateway) -> None:
    file = await client.agreed()
    review = (await client.done("TJ2001", client.review(file))).ref
    transfer = (await client.done("TJ3001", TRANSFER)).ref
    case = server.platform.records()[0]["ref"]
    orders = [
        {"ref": case, "decision": "status", "code": "05", "note": "调解中"},
        {"ref": "cnf_01JB2Z9K7Q4N", "decision": "accept", "case_no": "历下劳人仲审〔2026〕第45号"},
        {"ref": review, "decision": "correct", "texts": ["缺身份证明"], "due": "2026-10-08"},
        {"ref": review, "decision": "not_accept", "reason": "4"},
        {"ref": review, "decision": "confirm", "at": "2026-10-10T02:00:00+00:00"},
        {"ref": review, "decision": "reject"},
        {"ref": review, "decision": "withdraw"},
        {"ref": review, "decision": "deem_withdraw"},
        {"ref": "trf_01JB2Z9K7Q4N", "decision": "correct"},
        {"ref": transfer, "decision": "refuse", "note": "不予受理"},
        {"ref": transfer, "decision": "file"},
    ]
    for number, order in enumerate(orders, 1):
        told = await call(client, "decide", order)
        assert (await pushes(server, number))[-1]["effect"] == "acknowledged"
        assert told["serialno"] == gateway.got[-1][0]["head"]["serialno"]
    services = [callback["head"]["serviceid"] for callback, _ in gateway.got]
    assert services == ["ZC1001", "ZC2001", "ZC2003", "ZC2002", *["ZC2004"] * 4, *["ZC3001"] * 3]
    contents = gateway.contents()
    assert all(len(content["AAE036"]) == 14 for content in contents)
    assert [content["BZR001"] for content in contents] == [case, *[review] * 7, *[transfer] * 3]
    assert (contents[0]["BZS001"], contents[0]["AAE013"]) == ("05", "调解中")
    assert contents[1]["BZC005"] == "历下劳人仲审〔2026〕第45号"
    assert (contents[2]["BZC007"], contents[2]["BZC008"]) == (["缺身份证明"], "20261008")
    assert contents[3]["BZC006"] == "4"
    assert [content["BZC010"] for content in contents[4:8]] == ["1", "2", "3", "4"]
    assert contents[4]["AAE036"] == "20261010100000"
    assert "BZC009" in contents[4]
    assert "BZC009" not in contents[5]
    paper = await client.done("TJ9003", {"BZF001": contents[4]["BZF001"]})
    assert base64.b64decode(paper.content["BZF006"]).startswith(b"%PDF-1.4")
    assert [content["BZG005"] for content in contents[8:]] == ["3", "2", "1"]
    assert "BZG006" in contents[10]
    assert len({callback["head"]["serialno"] for callback, _ in gateway.got}) == len(orders)
    with_number = ["BZA001" in contents[0], *("BZC002" in content for content in contents[1:8])]
    assert True in with_number
    assert False in with_number  # a matter known by BZR001 alone is legal
    states = {record["kind"]: record["state"] for record in server.platform.records()}
    assert (states["TJ1001"], states["TJ2001"], states["TJ3001"]) == ("05", "deemed_withdrawn", "filed")


async def test_wrong_orders(client: Client) -> None:
    await client.done("TJ1001", CASE)
    ref = CASE["BZA001"]
    for order, text in (
        ({"ref": "nobody", "decision": "accept"}, "nothing is known"),
        ({"ref": ref, "decision": "accept"}, "a case takes: status"),
        ({"ref": ref, "decision": "status"}, "code is needed"),
        ({"ref": ref, "decision": "status", "code": "05", "speed": 1}, "unknown key speed"),
        ({"ref": ref, "decision": "status", "code": "05", "at": "today"}, "RFC 3339"),
        ({"ref": ref, "decision": "status", "code": "05", "fields": []}, "fields"),
    ):
        assert text in (await call(client, "decide", order, 422))["error"]
    for order, text in (({}, "organization_code"), ({"organization_code": "X", "due": "soon"}, "RFC 3339")):
        assert text in (await call(client, "refer", order, 422))["error"]
    assert (
        "unknown how"
        in (await call(client, "faults", [{"action": "forge_callback", "how": "upper_hex"}], 422))["error"]
    )


async def test_fields_can_be_put_in_and_taken_out(client: Client, server: MockServer, gateway: Gateway) -> None:
    await client.done("TJ1001", CASE)
    fields = {"BZS001": "77", "BZA001": None, "BZA002": None, "BZS999": "x"}
    await call(
        client,
        "decide",
        {"ref": f"{CASE['BZA002']}/{CASE['BZA001']}", "decision": "status", "code": "05", "fields": fields},
    )
    await pushes(server, 1)
    (content,) = gateway.contents()
    assert set(content) == {"BZR001", "BZS001", "BZS999", "AAE036"}
    assert content["BZS001"] == "77"


async def test_a_case_is_handed_over(client: Client, server: MockServer, gateway: Gateway) -> None:
    await client.done("TJ1001", CASE)
    facts = "长" * 4500
    order = {
        "organization_code": CASE["BZA002"],
        "task_no": "RW-1",
        "due": "2026-10-08T18:00:00+08:00",
        "fields": {"BZA010": facts},
    }
    await call(client, "refer", order)
    await call(client, "refer", {"BZA002": "NEW-ORG"})
    assert "there already" in (await call(client, "refer", order, 422))["error"]
    await pushes(server, 2)
    known, new = gateway.contents("ZC5001")
    assert (known["BZJ001"], known["BZJ003"], known["BZA003"]) == ("RW-1", "20261008180000", CASE["BZA003"])
    assert len(known["BZX000"]) == 2
    assert join(known)["BZA010"] == facts
    for content in (known, new):
        assert not {"BZA004", "BZA006", "BZA007", "BZM000"} & set(content)
        as_case = {key: value for key, value in content.items() if key not in ("BZJ002", "BZJ003", "AAE036")}
        found, _ = check("TJ1001", as_case | {"BZA004": "03", "BZA006": "7", "BZA007": "1"})
        assert found == []
    await call(client, "decide", {"ref": "RW-1", "decision": "recall", "note": "当事人撤回"})
    await pushes(server, 3)
    (recalled,) = gateway.contents("ZC5002")
    assert (recalled["BZJ001"], recalled["AAE013"]) == ("RW-1", "当事人撤回")


def answers(client: Client) -> dict[str, Callable[[dict[str, Any]], web.Response]]:
    """Answers that are no acknowledgement."""
    other = sm2.Signer(sm2.new_private_key(), b"1234567812345678")

    def edited(callback: dict[str, Any], edit: Callable[[dict[str, Any]], None]) -> web.Response:
        envelope = json.loads(client.acknowledge(callback))
        edit(envelope)
        return web.json_response(envelope)

    def resigned(callback: dict[str, Any]) -> web.Response:
        envelope = json.loads(client.acknowledge(callback))
        envelope["head"]["sign"] = base64.b64encode(other.sign(text_to_sign(envelope["head"], ""))).decode()
        return web.json_response(envelope)

    def with_body(callback: dict[str, Any]) -> web.Response:
        envelope = json.loads(client.acknowledge(callback))
        body = client.seal(b"{}")
        return web.Response(body=client.envelope({k: v for k, v in envelope["head"].items() if k != "sign"}, body))

    return {
        "HTTP 201": lambda c: web.Response(status=201, body=client.acknowledge(c)),
        "HTTP 302": lambda c: web.Response(status=302, headers={"Location": "/elsewhere"}),
        "HTTP 500": lambda c: web.Response(status=500),
        "no JSON envelope": lambda c: web.Response(text="success"),
        "no envelope": lambda c: web.json_response({"code": "0000"}),
        "code 3006": lambda c: web.Response(body=client.acknowledge(c, code="3006")),
        "code 5000": lambda c: web.Response(body=client.acknowledge(c, code="5000")),
        "reqnonce": lambda c: web.Response(body=client.acknowledge(c, reqnonce="0" * 32)),
        "an answer to another callback": lambda c: web.Response(body=client.acknowledge(c, serialno="EV000000000")),
        "form of code": lambda c: web.Response(body=client.acknowledge(c, code="OK")),
        "signature": resigned,
        "body is not empty": with_body,
        "fields of the head are missing or unknown": lambda c: edited(c, lambda e: e["head"].pop("sign")),
        "a value of the head is not a string": lambda c: edited(c, lambda e: e["head"].update(version=1)),
    }


async def test_what_is_no_acknowledgement(client: Client, server: MockServer, gateway: Gateway) -> None:
    await client.done("TJ1001", CASE)
    for number, (reason, answer) in enumerate(answers(client).items(), 1):
        gateway.answer = answer
        await call(client, "decide", {"ref": CASE["BZA001"], "decision": "status", "code": "05"})
        entry = (await pushes(server, number))[-1]
        assert (entry["effect"], entry["payload"]["reason"]) == ("unacknowledged", reason)
        assert entry["payload"]["content"]["BZS001"] == "05"


async def test_1001_acknowledges(client: Client, server: MockServer, gateway: Gateway) -> None:
    await client.done("TJ1001", CASE)
    gateway.answer = lambda callback: web.Response(body=client.acknowledge(callback, code="1001"))
    await call(client, "decide", {"ref": CASE["BZA001"], "decision": "status", "code": "05"})
    assert (await pushes(server, 1))[0]["effect"] == "acknowledged"


async def test_repeats_keep_serial_and_plaintext(client: Client, server: MockServer, gateway: Gateway) -> None:
    await client.done("TJ1001", CASE)
    gateway.answer = lambda callback: web.Response(status=503)
    await call(client, "decide", {"ref": CASE["BZA001"], "decision": "status", "code": "05"})
    waits = [60, 300, 900, 3600, 21600, 86400]
    for number, wait in enumerate(waits, 1):
        entries = await pushes(server, number)
        assert entries[-1]["effect"] == "unacknowledged"
        server.clock.shift(wait - 2)
        await asyncio.sleep(0.03)
        assert len(gateway.got) == number
        server.clock.shift(3)
    entries = await pushes(server, 7)
    assert entries[-1]["effect"] == "given_up"
    heads = [callback["head"] for callback, _ in gateway.got]
    assert len({head["serialno"] for head in heads}) == 1
    for name in ("nonce", "sign", "timestamp"):
        assert len({head[name] for head in heads}) == 7
    assert len({callback["body"] for callback, _ in gateway.got}) == 7
    assert all(content == gateway.contents()[0] for content in gateway.contents())


async def test_silence_of_the_gateway_is_no_acknowledgement(
    client: Client, server: MockServer, gateway: Gateway
) -> None:
    await gateway.standing.aclose()
    await client.done("TJ1001", CASE)
    await call(client, "decide", {"ref": CASE["BZA001"], "decision": "status", "code": "05"})
    entry = (await pushes(server, 1))[0]
    assert (entry["effect"], entry["payload"]["status"]) == ("unacknowledged", 0)


FORGED = {
    "wrong_key": "3004",
    "tampered_body": "3004",
    "tampered_head": "3004",
    "der": "3004",
    "wrong_id": "3004",
    "stale": "3003",
    "unsigned": "3001",
    "wrong_sm4_key": "3006",
}


@pytest.mark.parametrize("how", sorted(FORGED))
async def test_forged_callbacks(client: Client, server: MockServer, gateway: Gateway, how: str) -> None:
    await client.done("TJ1001", CASE)
    await call(client, "faults", [{"op": "ZC1001", "action": "forge_callback", "how": how}])
    await call(client, "decide", {"ref": CASE["BZA001"], "decision": "status", "code": "05"})
    forged, true = await pushes(server, 2)
    assert (forged["effect"], forged["payload"]["how"], true["effect"]) == ("forged", how, "acknowledged")
    assert client.check(gateway.got[0][1])[0] == FORGED[how]
    assert FORGED[how] in forged["payload"]["answer"]
    assert client.check(gateway.got[1][1])[0] == "0000"


async def test_replay_is_the_same_bytes(client: Client, server: MockServer, gateway: Gateway) -> None:
    await client.done("TJ1001", CASE)
    await call(client, "faults", [{"op": "*", "action": "forge_callback", "how": "replay"}])
    await call(client, "decide", {"ref": CASE["BZA001"], "decision": "status", "code": "05"})
    true, replayed = await pushes(server, 2)
    assert (true["effect"], replayed["effect"], replayed["payload"]["how"]) == ("acknowledged", "forged", "replay")
    assert gateway.got[0][1] == gateway.got[1][1]


async def test_duplicates_have_new_nonces(client: Client, server: MockServer, gateway: Gateway) -> None:
    await client.done("TJ1001", CASE)
    await call(client, "faults", [{"op": "ZC1001", "action": "duplicate_callback", "n": 3}])
    await call(client, "decide", {"ref": CASE["BZA001"], "decision": "status", "code": "05"})
    await pushes(server, 4)
    assert len({callback["head"]["serialno"] for callback, _ in gateway.got}) == 1
    assert len({callback["head"]["nonce"] for callback, _ in gateway.got}) == 4
    assert all(content == gateway.contents()[0] for content in gateway.contents())


async def test_reordered_callbacks(client: Client, server: MockServer, gateway: Gateway) -> None:
    file = await client.agreed()
    review = (await client.done("TJ2001", client.review(file))).ref
    await call(client, "faults", [{"op": "ZC2001", "action": "reorder_callbacks"}])
    await call(client, "decide", {"ref": review, "decision": "accept"})
    await call(client, "decide", {"ref": review, "decision": "confirm"})
    await pushes(server, 2)
    assert [callback["head"]["serviceid"] for callback, _ in gateway.got] == ["ZC2004", "ZC2001"]


@pytest.mark.parametrize("op", ["TJ2001", "ZC2001", "*"])
async def test_a_callback_before_the_answer(client: Client, server: MockServer, gateway: Gateway, op: str) -> None:
    file = await client.agreed()
    await call(client, "faults", [{"op": op, "action": "early_callback"}])
    answered: list[int] = []

    def answer(callback: dict[str, Any]) -> web.Response:
        answered.append(len(gateway.got))
        return web.Response(body=client.acknowledge(callback))

    gateway.answer = answer
    reply = await client.done("TJ2001", client.review(file))
    assert answered == [1]
    (content,) = gateway.contents()
    assert content["BZR001"] == reply.ref
    assert content["BZC002"] == "cnf_01JB2Z9K7Q4N"  # the gateway does not know BZR001 yet
    assert (await pushes(server, 1))[0]["effect"] == "acknowledged"


async def test_the_number_stands_while_the_answer_was_lost(
    client: Client, server: MockServer, gateway: Gateway
) -> None:
    file = await client.agreed()
    await call(client, "faults", [{"op": "TJ2001", "action": "accept_then_reset"}])
    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await client.send("TJ2001", client.review(file), "dlv_lost_000001")
    for _ in range(3):
        await call(client, "decide", {"ref": "cnf_01JB2Z9K7Q4N", "decision": "accept"})
    await pushes(server, 3)
    assert all("BZC002" in content for content in gateway.contents())


async def test_an_expired_key_is_used_for_callbacks_too(client: Client, server: MockServer, gateway: Gateway) -> None:
    await client.done("TJ1001", CASE)
    await call(client, "faults", [{"op": "*", "action": "expire_session"}])
    await call(client, "decide", {"ref": CASE["BZA001"], "decision": "status", "code": "05"})
    assert (await pushes(server, 1))[0]["payload"]["reason"] == "code 3006"
    async with client.session.delete(f"{client.config['base_url']}/_mock/faults"):
        pass
    server.clock.shift(61)
    client.skew = server.clock.now() - client.now()
    assert (await pushes(server, 2))[1]["effect"] == "acknowledged"


async def test_a_restart_sends_what_was_not_acknowledged(
    client: Client, server: MockServer, gateway: Gateway, tmp_path: Path
) -> None:
    await client.done("TJ1001", CASE)
    gateway.answer = lambda callback: web.Response(status=503)
    await call(client, "decide", {"ref": CASE["BZA001"], "decision": "status", "code": "05"})
    await pushes(server, 1)
    await server.stop()
    gateway.answer = None
    again = MockServer(HrArbitration, tmp_path / "hr", port=None)
    await again.start()
    try:
        again.clock.shift(61)
        client.skew = again.clock.now() - client.now()
        assert (await pushes(again, 2))[1]["effect"] == "acknowledged"
        serials = [callback["head"]["serialno"] for callback, _ in gateway.got]
        assert serials[0] == serials[1]
        client.config["base_url"] = again.url
        told = await call(client, "decide", {"ref": CASE["BZA001"], "decision": "status", "code": "06"})
        assert told["serialno"] != serials[0]
    finally:
        await again.stop()


async def test_the_autopilot(client: Client, server: MockServer, gateway: Gateway) -> None:
    file = await client.agreed()
    await client.done("TJ2001", client.review(file))
    await client.done("TJ3001", TRANSFER)
    await call(
        client,
        "autopilot",
        {"seed": 1, "delay_ms": 1, "jitter_ms": 1, "mix": {"accept": 1, "confirm": 1, "refuse": 1}},
    )
    await pushes(server, 3)
    services = sorted(callback["head"]["serviceid"] for callback, _ in gateway.got)
    assert services == ["ZC2001", "ZC2004", "ZC3001"]
    states = {record["kind"]: record["state"] for record in server.platform.records()}
    assert (states["TJ2001"], states["TJ3001"]) == ("confirmed", "refused")
    await call(client, "autopilot", {})  # or it might decide about the next before it is withdrawn
    await client.done("TJ2001", client.review(file, BZC002="cnf_2"))
    await client.done("TJ2003", WITHDRAWAL | {"BZC002": "cnf_2"})
    await call(client, "autopilot", {"seed": 1, "delay_ms": 1, "jitter_ms": 1, "mix": {}})
    await pushes(server, 4)
    assert gateway.contents()[-1]["BZC010"] == "3"


async def test_the_autopilot_waits_until_its_last_word_was_heard(
    client: Client, server: MockServer, gateway: Gateway
) -> None:
    file = await client.agreed()
    await client.done("TJ2001", client.review(file))
    gateway.answer = lambda _: web.Response(status=500)
    mix = {"accept": 1, "confirm": 1}
    await call(client, "autopilot", {"seed": 1, "delay_ms": 1, "jitter_ms": 1, "mix": mix})
    await asyncio.sleep(0.6)
    assert [callback["head"]["serviceid"] for callback, _ in gateway.got] == ["ZC2001"]
    gateway.answer = None
    await call(client, "clock", {"shift_s": 61})
    async with asyncio.timeout(10):
        while len(gateway.got) < 3:
            await asyncio.sleep(0.02)
    assert [callback["head"]["serviceid"] for callback, _ in gateway.got] == ["ZC2001", "ZC2001", "ZC2004"]


async def test_the_autopilot_asks_for_one_correction_alone(
    client: Client, server: MockServer, gateway: Gateway
) -> None:
    file = await client.agreed()
    await client.done("TJ2001", client.review(file))
    await call(client, "autopilot", {"seed": 1, "delay_ms": 1, "jitter_ms": 1, "mix": {"correct": 1, "accept": 0.001}})
    await pushes(server, 1)
    await client.done("TJ2002", SUPPLEMENT)
    await pushes(server, 3)
    assert [callback["head"]["serviceid"] for callback, _ in gateway.got] == ["ZC2003", "ZC2001", "ZC2004"]


async def test_progress_moves_the_case(client: Client, server: MockServer) -> None:
    await client.done("TJ1001", CASE)
    await client.done("TJ1003", PROGRESS)
    assert server.platform.records()[0]["state"] == "08"


def test_the_paper_is_a_pdf_whose_table_points_at_its_objects() -> None:
    paper = one_page_pdf("Statement (1)")
    start = int(paper.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    assert paper[start : start + 4] == b"xref"
    rows = paper[start:].split(b"\n")[3:8]
    for number, row in enumerate(rows, 1):
        place = int(row.split()[0])
        assert paper[place:].startswith(b"%d 0 obj" % number)
