"""A toy platform on the shared core: transport faults on real sockets, control calls, pushes, autopilot, restart."""

import asyncio
import json
import socket
import time
import zlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import aiohttp
import pytest
from aiohttp import web

from mocks.platform import Json, Platform, Refused
from mocks.pushes import Answer, Outgoing, Push, Pushes
from mocks.server import MockServer, load
from tests.servers.aside import served


class Toy(Platform):
    """Stores each posted text as one effect; a decision pushes it to the callback address."""

    name: ClassVar[str] = "toy"
    forgeries = frozenset({"wrong_key", "replay"})
    body_limit = 1000

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.ledger: dict[str, Json] = {}
        self.pushes = Pushes(
            journal=self.journal,
            clock=self.clock,
            faults=self.faults,
            waits_s=[60, 300],
            timeout_s=2,
            build=self.build,
            judge=self.judge,
        )

    @classmethod
    def default_config(cls, base_url: str, callbacks: str) -> Json:
        return {"base_url": base_url, "callback_url": f"{callbacks}/toy", "limit": 3}

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/x", self.take)]

    def operation_of(self, request: web.Request, body: bytes) -> str:
        return body.decode("utf-8", "replace").partition(":")[0]

    async def take(self, request: web.Request) -> web.Response:
        text = (await request.read()).decode()
        ref = f"R{len(self.ledger) + 1}"
        self.ledger[ref] = {"ref": ref, "matter": text, "state": "new", "undecided": True}
        await self.journal.append(
            kind="take", business_key=text, message_id=text, digest="", effect="created", ref=ref, payload=text
        )
        return web.json_response({"ref": ref, "text": "济南"})

    def records(self) -> list[Json]:
        return list(self.ledger.values())

    async def decide(self, order: Json) -> Json:
        if order["ref"] not in self.ledger:
            raise Refused(422, "unknown ref")
        record = self.ledger[order["ref"]]
        record.update(state=order["decision"], undecided=False)
        await self.pushes.put(
            Push(f"E-{order['ref']}-{order['decision']}", "told", {"ref": order["ref"]}, order["ref"], record["matter"])
        )
        return {"ref": order["ref"]}

    async def clerk(self, random: Random, record: Json) -> None:
        await self.decide({"ref": record["ref"], "decision": self.choose(random, {"yes": 1, "no": 1})})

    def restore(self, entries: Iterable[Json]) -> None:
        entries = list(entries)
        for entry in entries:
            if entry["kind"] == "take":
                self.ledger[entry["ref"]] = {"ref": entry["ref"], "matter": entry["payload"], "state": "new"}
        self.pushes.restore(entries)

    async def start(self) -> None:
        await self.pushes.start()

    async def stop(self) -> None:
        await self.pushes.stop()

    async def build(self, push: Push, how: str) -> Outgoing:
        body = json.dumps(push.content | {"id": push.id, "key": how or "right", "nonce": time.monotonic_ns()}).encode()
        return Outgoing(self.config["callback_url"], [("Content-Type", "application/json")], body)

    async def judge(self, push: Push, outgoing: Outgoing, answer: Answer) -> str:
        return "" if answer.status == 200 and answer.body == b"ok" else "no acknowledgement"


class Receiver:
    """A small HTTP server that notes what it gets and answers as it is told."""

    def __init__(self) -> None:
        self.base = ""
        self.got: list[Any] = []
        self.answers: list[web.Response] = []
        self.arrived = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        self.got.append(await request.json())
        self.arrived.set()
        return self.answers.pop(0) if self.answers else web.Response(body=b"ok")

    async def wait(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.got) < count:
                self.arrived.clear()
                await self.arrived.wait()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    application = web.Application()
    application.router.add_post("/callbacks/toy", made.handle)
    async with served(application) as port:
        made.base = f"http://127.0.0.1:{port}/callbacks"
        yield made


@pytest.fixture
async def server(tmp_path: Path, receiver: Receiver) -> AsyncIterator[MockServer]:
    made = MockServer(Toy, tmp_path / "toy", callbacks=receiver.base)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        yield session


async def fault(http: aiohttp.ClientSession, server: MockServer, **item: Any) -> None:
    async with http.post(f"{server.url}/_mock/faults", json=[item]) as response:
        assert response.status == 200, await response.text()


async def send(http: aiohttp.ClientSession, server: MockServer, text: str, timeout: float = 5) -> tuple[int, bytes]:  # noqa: ASYNC109 - the client's own limit is under test
    async with http.post(
        f"{server.url}/x", data=text.encode(), timeout=aiohttp.ClientTimeout(total=timeout), allow_redirects=False
    ) as response:
        return response.status, await response.read()


async def journal(http: aiohttp.ClientSession, server: MockServer, kind: str) -> list[Json]:
    async with http.get(f"{server.url}/_mock/journal?after=0") as response:
        return [entry for entry in await response.json() if entry["kind"] == kind]


async def until(http: aiohttp.ClientSession, server: MockServer, kind: str, count: int) -> list[Json]:
    async with asyncio.timeout(10):
        while len(entries := await journal(http, server, kind)) < count:
            await asyncio.sleep(0.02)
    return entries


async def test_reset_does_nothing_and_cuts(http: aiohttp.ClientSession, server: MockServer) -> None:
    await fault(http, server, op="a", action="reset")
    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await send(http, server, "a:1")
    assert server.platform.records() == []
    assert (await send(http, server, "a:1"))[0] == 200


async def test_reset_is_a_real_rst(server: MockServer, http: aiohttp.ClientSession) -> None:
    await fault(http, server, op="a", action="reset")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
    writer.write(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na:1")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_accept_then_reset_and_silent_have_stored(http: aiohttp.ClientSession, server: MockServer) -> None:
    await fault(http, server, op="a", action="accept_then_reset")
    await fault(http, server, op="b", action="accept_then_silent")
    await fault(http, server, op="c", action="stall")
    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await send(http, server, "a:1")
    with pytest.raises(TimeoutError):
        await send(http, server, "b:1", 0.3)
    with pytest.raises(TimeoutError):
        await send(http, server, "c:1", 0.3)
    assert [record["matter"] for record in server.platform.records()] == ["a:1", "b:1"]


async def test_slow_and_drip(http: aiohttp.ClientSession, server: MockServer) -> None:
    await fault(http, server, op="*", action="slow", after_ms=200)
    began = time.monotonic()
    assert (await send(http, server, "a:1"))[0] == 200
    assert time.monotonic() - began >= 0.2
    await fault(http, server, op="*", action="drip", after_ms=5)
    began = time.monotonic()
    status, body = await send(http, server, "a:2")
    assert (status, json.loads(body)["ref"]) == (200, "R2")
    assert time.monotonic() - began >= 0.005 * len(body) * 0.9
    await fault(http, server, op="*", action="drip", after_ms=1000)
    with pytest.raises(TimeoutError):
        await send(http, server, "a:3", 0.3)


async def test_http_answers_and_the_trap(http: aiohttp.ClientSession, server: MockServer) -> None:
    await fault(http, server, op="*", action="http", status=503, retry_after=7)
    async with http.post(f"{server.url}/x", data=b"a:1") as response:
        assert response.status == 503
        assert response.headers["Retry-After"] == "7"
    await fault(http, server, op="*", action="http", status=302)
    async with http.post(f"{server.url}/x", data=b"a:1") as response:  # this client follows
        assert await response.text() == "trap"
    assert len(await journal(http, server, "trap")) == 1
    assert server.platform.records() == []


async def test_garbage(http: aiohttp.ClientSession, server: MockServer) -> None:
    bodies = {}
    for kind in ("html", "truncated", "empty", "gbk", "bomb"):
        await fault(http, server, op="*", action="garbage", kind=kind)
        status, bodies[kind] = await send(http, server, kind)
        assert status == 200
    assert len(server.platform.records()) == 5
    assert b"<html>" in bodies["html"]
    with pytest.raises(ValueError, match=r"."):
        json.loads(bodies["truncated"])
    assert bodies["empty"] == b""
    with pytest.raises(UnicodeDecodeError):
        bodies["gbk"].decode("utf-8")
    assert len(bodies["bomb"]) < 1_000_000
    opening = zlib.decompressobj(31)
    size, rest = 0, bodies["bomb"]
    while rest:
        size += len(opening.decompress(rest, 1 << 22))
        rest = opening.unconsumed_tail
    assert size >= 512 * 1024 * 1024


async def test_maintenance_lasts_its_time(http: aiohttp.ClientSession, server: MockServer) -> None:
    await fault(http, server, op="*", action="maintenance", after_ms=400)
    async with http.post(f"{server.url}/x", data=b"a:1") as response:
        assert response.status == 503
        assert response.headers["Retry-After"] == "1"
    await asyncio.sleep(0.45)
    assert (await send(http, server, "a:1"))[0] == 200


async def test_refuse_closes_the_port_and_listens_again(server: MockServer, http: aiohttp.ClientSession) -> None:
    port = int(server.url.rpartition(":")[2])
    assert (await send(http, server, "a:0"))[0] == 200  # leaves an idle connection in the pool
    await fault(http, server, op="*", action="refuse", after_ms=400)
    await asyncio.sleep(0.1)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.to_thread(socket.create_connection, ("127.0.0.1", port), 1)
    with pytest.raises(aiohttp.ClientConnectorError):
        await send(http, server, "a:1")
    await asyncio.sleep(0.5)
    assert (await send(http, server, "a:1"))[0] == 200
    assert len(server.platform.records()) == 2


async def test_too_large(http: aiohttp.ClientSession, server: MockServer) -> None:
    assert (await send(http, server, "a" * 1001)) == (413, b"")


async def test_control_calls_refuse_what_is_wrong(http: aiohttp.ClientSession, server: MockServer) -> None:
    async def order(path: str, body: bytes, status: int = 422) -> str:
        async with http.post(f"{server.url}/_mock/{path}", data=body) as response:
            assert response.status == status, await response.text()
            return str((await response.json()).get("error", ""))

    assert "JSON" in await order("faults", b"{")
    assert "unknown action" in await order("faults", b'[{"action":"boom"}]')
    assert "unknown how" in await order("faults", b'[{"action":"forge_callback","how":"nonsense"}]')
    assert "ref is needed" in await order("decide", b"{}")
    assert "object" in await order("decide", b"[]")
    assert "unknown ref" in await order("decide", b'{"ref":"R9","decision":"yes"}')
    assert "hands no cases over" in await order("refer", b"{}")
    assert "unknown key" in await order("autopilot", b'{"speed":1}')
    assert "at:" in await order("clock", b'{"at":"yesterday"}')
    assert "offset" in await order("clock", b'{"at":"2026-09-30T00:00:00"}')
    assert "is needed" in await order("clock", b'{"shift_s":true}')
    assert "shift_s" in await order("clock", b'{"shift_s":1e300}')
    async with http.get(f"{server.url}/_mock/journal?after=x") as response:
        assert response.status == 422
    await order("clock", b'{"at":"2026-09-30T17:05:03+08:00"}', 200)
    assert server.clock.now().strftime("%Y%m%d%H%M") == "202609301705"
    await order("clock", b"{}", 200)
    await fault(http, server, op="q", action="reset")
    async with http.delete(f"{server.url}/_mock/faults") as response:
        assert response.status == 200
    assert server.faults.pending() == []


async def test_records_and_journal_are_shown_in_part(http: aiohttp.ClientSession, server: MockServer) -> None:
    for text in ("a:1", "a:2"):
        assert (await send(http, server, text))[0] == 200
    whole = server.platform.records()
    async with http.get(f"{server.url}/_mock/records?only=ref,state,nothing") as response:
        shown = await response.json()
    assert shown == [{"ref": record["ref"], "state": record["state"]} for record in whole]
    assert len(shown) == 2
    sought = server.platform.journal.entries()[1]["message_id"]
    async with http.get(f"{server.url}/_mock/journal?containing={sought}") as response:
        assert [entry["seq"] for entry in await response.json()] == [2]


async def test_control_is_for_loopback_alone(server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mocks.control.is_loopback", lambda _: False)
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/_mock/records") as response:
        assert response.status == 403


async def decide(http: aiohttp.ClientSession, server: MockServer, ref: str, decision: str = "yes") -> None:
    async with http.post(f"{server.url}/_mock/decide", json={"ref": ref, "decision": decision}) as response:
        assert response.status == 200, await response.text()


async def test_a_push_is_repeated_on_the_platforms_clock_then_given_up(
    http: aiohttp.ClientSession, server: MockServer, receiver: Receiver
) -> None:
    receiver.answers = [web.Response(status=500), web.Response(status=302, headers={"Location": "/x"}), web.Response()]
    await send(http, server, "a:1")
    await decide(http, server, "R1")
    (first,) = await until(http, server, "push", 1)
    assert (first["effect"], first["payload"]["status"], first["payload"]["attempt"]) == ("unacknowledged", 500, 1)
    await asyncio.sleep(0.1)
    assert len(receiver.got) == 1
    server.clock.shift(61)
    await until(http, server, "push", 2)
    server.clock.shift(299)
    await asyncio.sleep(0.1)
    assert len(receiver.got) == 2
    server.clock.shift(2)
    entries = await until(http, server, "push", 3)
    assert [entry["effect"] for entry in entries] == ["unacknowledged", "unacknowledged", "given_up"]
    assert len({got["id"] for got in receiver.got}) == 1
    assert len({got["nonce"] for got in receiver.got}) == 3
    server.clock.shift(100_000)
    await asyncio.sleep(0.1)
    assert len(receiver.got) == 3


async def test_a_restart_goes_on_with_pushes_and_state(
    http: aiohttp.ClientSession, server: MockServer, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.answers = [web.Response(status=500)]
    await send(http, server, "a:1")
    await send(http, server, "a:2")
    await decide(http, server, "R1")
    await until(http, server, "push", 1)
    config = server.config_path.read_bytes()
    await server.stop()
    again = MockServer(Toy, tmp_path / "toy", port=None, callbacks="http://127.0.0.1:1/other")
    await again.start()
    try:
        assert again.url == server.url
        assert again.config_path.read_bytes() == config
        assert [record["ref"] for record in again.platform.records()] == ["R1", "R2"]
        again.clock.shift(61)
        entries = await until(http, again, "push", 2)
        assert (entries[1]["effect"], entries[1]["payload"]["attempt"]) == ("acknowledged", 2)
    finally:
        await again.stop()
    third = MockServer(Toy, tmp_path / "toy", port=None)
    await third.start()
    try:
        third.clock.shift(100_000)
        await asyncio.sleep(0.1)
        assert len(receiver.got) == 2
    finally:
        await third.stop()


async def test_duplicate_forged_and_replayed_pushes(
    http: aiohttp.ClientSession, server: MockServer, receiver: Receiver
) -> None:
    for number in range(1, 4):
        await send(http, server, f"a:{number}")
    await fault(http, server, op="told", action="duplicate_callback", n=2)
    await decide(http, server, "R1")
    entries = await until(http, server, "push", 3)
    assert [entry["effect"] for entry in entries] == ["acknowledged", "duplicate", "duplicate"]
    assert len({got["nonce"] for got in receiver.got}) == 3
    receiver.answers = [web.Response(status=401)]
    await fault(http, server, op="told", action="forge_callback", how="wrong_key")
    await decide(http, server, "R2")
    entries = (await until(http, server, "push", 5))[3:]
    assert [(entry["effect"], entry["payload"]["how"], entry["payload"]["status"]) for entry in entries] == [
        ("forged", "wrong_key", 401),
        ("acknowledged", "", 200),
    ]
    await fault(http, server, op="told", action="forge_callback", how="replay")
    await decide(http, server, "R3")
    entries = (await until(http, server, "push", 7))[5:]
    assert [entry["effect"] for entry in entries] == ["acknowledged", "forged"]
    assert receiver.got[-1] == receiver.got[-2]


async def test_reordered_pushes(http: aiohttp.ClientSession, server: MockServer, receiver: Receiver) -> None:
    for number in range(1, 5):
        await send(http, server, f"a:{number}")
    await fault(http, server, op="told", action="reorder_callbacks", n=3)
    for ref in ("R1", "R2", "R3"):
        await decide(http, server, ref)
    await receiver.wait(3)
    assert [got["ref"] for got in receiver.got] == ["R3", "R2", "R1"]
    await fault(http, server, op="told", action="reorder_callbacks", after_ms=100)
    await decide(http, server, "R4")
    await receiver.wait(4)
    assert receiver.got[3]["ref"] == "R4"


async def test_the_autopilot_decides_by_seed_not_by_arrival(
    http: aiohttp.ClientSession, receiver: Receiver, tmp_path: Path
) -> None:
    results: list[dict[str, str]] = []
    for run, order in enumerate((range(6), reversed(range(6)))):
        server = MockServer(Toy, tmp_path / f"toy{run}", callbacks=receiver.base)
        await server.start()
        try:
            setting = {"seed": 7, "delay_ms": 10, "jitter_ms": 20, "mix": {"yes": 1, "no": 1, "other": 5}}
            async with http.post(f"{server.url}/_mock/autopilot", json=setting) as response:
                assert await response.json() == setting
            for number in order:
                await send(http, server, f"m{number}")
            async with asyncio.timeout(5):
                while any(record["undecided"] for record in server.platform.records()):
                    await asyncio.sleep(0.05)
            results.append({record["matter"]: record["state"] for record in server.platform.records()})
        finally:
            await server.stop()
    assert results[0] == results[1]
    assert set(results[0].values()) == {"yes", "no"}


async def test_settings_are_checked_and_written(tmp_path: Path) -> None:
    wrong = MockServer(Toy, tmp_path / "a", settings={"limitt": 1})
    with pytest.raises(ValueError, match="limitt"):
        await wrong.start()
    for key, value, words in (("limit", "soon", "a number"), ("limit", -1, "a number"), ("callback_url", 1, "a text")):
        wrong = MockServer(Toy, tmp_path / "a", settings={key: value})
        with pytest.raises(ValueError, match=f"^toy: {key} must be {words}"):
            await wrong.start()
    right = MockServer(Toy, tmp_path / "b", settings={"limit": 0.5})
    await right.start()
    await right.stop()
    assert json.loads(right.config_path.read_text())["limit"] == 0.5
    assert right.config_path.stat().st_mode & 0o077 == 0


def test_names_are_looked_up() -> None:
    with pytest.raises(LookupError, match="unknown platform"):
        load("nowhere")
