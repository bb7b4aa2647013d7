"""What a connection may cost, over a real socket: the head's length, the time of head, body and answer, how many there are."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn
from uvicorn.server import ServerState

from gateway.web import bounds
from gateway.web.api import events
from gateway.web.listen import Listener, listening_socket
from tests.web.site import Site

PATIENCE_S = 10.0
STALLED = b"POST /v1/cases HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n"


@dataclass(frozen=True, slots=True)
class Door:
    """Where the site listens, and a key for it."""

    port: int
    key: str

    async def says(self, *parts: bytes, every_s: float = 0.0) -> bytes:
        """All that is answered until the server hangs up.

        Raises:
            TimeoutError: it never does.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        heard: list[bytes] = []

        async def hear() -> None:
            with contextlib.suppress(ConnectionError):  # hung up on in the middle of a part
                while part := await reader.read(65536):
                    heard.append(part)

        try:
            async with asyncio.timeout(PATIENCE_S):
                hearing = asyncio.create_task(hear())
                for part in parts:
                    writer.write(part)
                    await asyncio.sleep(every_s)
                    if hearing.done():
                        break
                await hearing
        finally:
            writer.close()
        return b"".join(heard)


@pytest.fixture
async def door(site: Site, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    monkeypatch.setattr(bounds, "HEAD_S", 0.5)
    monkeypatch.setattr(bounds, "BODY_S", 0.5)
    monkeypatch.setattr(bounds, "_LOOK_S", 0.1)
    bound = listening_socket("127.0.0.1", 0)
    listener = Listener(site.application, bound)
    await listener.start()
    yield Door(bound.getsockname()[1], await site.key("bounded"))
    await listener.stop()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 400_000,
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 70_000,
        b"GET /" + b"a" * 400_000,
    ],
    ids=["one header", "many headers", "address"],
)
async def test_a_head_without_end_is_cut_off(door: Door, head: bytes) -> None:
    parts = [head[at : at + 50_000] for at in range(0, len(head), 50_000)]
    assert (await door.says(*parts, every_s=0.01)).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"GET /healthz HTTP/1.1\r\nX-Slow: ", b"a"),
        (STALLED + b"\r\n", b""),
        (STALLED + b"\r\n", b" "),
    ],
    ids=["drips its head", "stalls its body", "drips its body"],
)
async def test_who_keeps_us_waiting_is_hung_up_on(door: Door, first: bytes, drop: bytes) -> None:
    authorized = first.replace(b"Host: x", b"Host: x\r\nAuthorization: Bearer " + door.key.encode())
    said = await door.says(authorized, *[drop] * 40, every_s=0.1)
    assert said.startswith(b"HTTP/1.1 408 ")


async def test_who_says_nothing_is_told_nothing(door: Door) -> None:
    """Browsers open connections ahead of need."""
    assert await door.says() == b""


async def test_a_body_that_drips_on_after_its_answer(door: Door) -> None:
    said = await door.says(STALLED + b"\r\n", *[b" "] * 40, every_s=0.1)
    assert said.startswith(b"HTTP/1.1 401 ")
    assert b" 408 " not in said


async def test_empty_lines_between_two_requests(door: Door) -> None:
    said = await door.says(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", *[b"\r\n"] * 40, every_s=0.1)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in said


async def test_a_slow_answer_to_a_quick_request_is_given(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that is heard longer than a request may take, on a connection that was used before."""
    monkeypatch.setattr(events, "_HEARTBEAT_S", 1.0)
    headers = {"Authorization": f"Bearer {door.key}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{door.port}", headers=headers) as client:
        assert (await client.get("/v1/cases")).status_code == 200
        async with client.stream("GET", "/v1/events/stream", timeout=PATIENCE_S) as stream:
            heard = stream.aiter_raw()
            assert await anext(heard)
            assert await anext(heard) == b": heartbeat\n\n"


async def test_more_connections_than_there_is_room_for(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "most_connections", lambda: 2)
    monkeypatch.setattr(bounds, "HEAD_S", 60.0)
    held = [await asyncio.open_connection("127.0.0.1", door.port) for _ in range(2)]
    await asyncio.sleep(0.2)
    assert (await door.says(b"")).startswith(b"HTTP/1.1 503 ")
    for _, writer in held:
        writer.close()
        await writer.wait_closed()
    await asyncio.sleep(0.2)
    said = await door.says(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200 ")


# ------------------------------------------------------------------------------------------------ answers that nobody reads

PAGE = b"GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"


async def page_size(site: Site) -> int:
    return len((await site.nobody.get("/docs/static/swagger-ui-bundle.js")).content)


def narrow(port: int) -> socket.socket:
    """A connection whose reader's side holds little."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect(("127.0.0.1", port))
    made.setblocking(False)
    return made


async def test_who_reads_nothing_of_many_answers_is_hung_up_on(
    site: Site, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "READ_S", 0.5)
    loop, heard = asyncio.get_running_loop(), 0
    with narrow(door.port) as line:
        await loop.sock_sendall(line, PAGE * 8)
        await asyncio.sleep(2.0)
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionError):
                while part := await loop.sock_recv(line, 65536):
                    heard += len(part)
    assert 0 < heard < 8 * await page_size(site)


async def test_who_reads_slowly_but_reads_is_given_all(site: Site, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "READ_S", 0.5)
    loop, wanted, heard = asyncio.get_running_loop(), await page_size(site), 0
    with narrow(door.port) as line:
        await loop.sock_sendall(line, PAGE)
        async with asyncio.timeout(PATIENCE_S):
            while heard < wanted:
                heard += len(await loop.sock_recv(line, 65536))
                await asyncio.sleep(0.02)


class Reader(asyncio.Transport):
    """A transport whose reader takes what it is told to."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 1)})
        self.unread = 0
        self.aborted = False

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def write(self, data: Any) -> None:
        self.unread += len(data)


@pytest.fixture
async def reading(monkeypatch: pytest.MonkeyPatch) -> tuple[bounds.Bounded, Reader]:
    monkeypatch.setattr(bounds, "HEAD_S", 1e9)
    config = uvicorn.Config(lambda *_: None, log_config=None, ws="none")
    protocol, reader = bounds.bounded()(config, ServerState(), {}), Reader()
    protocol.connection_made(reader)
    return protocol, reader


@pytest.mark.parametrize(
    ("unread", "takes", "ends"),
    [(0, 0, False), (100, 0, True), (10**6, 1, True), (10**6, 500, True), (10**6, 1100, False)],
    ids=["an idle stream", "nothing", "a byte a second", "too slowly", "slowly"],
)
async def test_an_answer_waits_a_while_for_its_reader(
    reading: tuple[bounds.Bounded, Reader], unread: int, takes: int, ends: bool
) -> None:
    protocol, reader = reading
    reader.unread = unread
    for _ in range(600):
        protocol.look(1.0)
        reader.unread = max(reader.unread - takes, 0)
    assert reader.aborted is ends


async def test_a_reader_who_lets_us_write_on_has_read(reading: tuple[bounds.Bounded, Reader]) -> None:
    """Between two looks the buffer was emptied and filled again: its size alone does not tell."""
    protocol, reader = reading
    reader.unread = 100_000
    for second in range(600):
        protocol.look(1.0)
        if second % 40 == 0:
            protocol.pause_writing()
            protocol.resume_writing()
    assert not reader.aborted


# --------------------------------------------------------------------------------------------------- connections of one address


@pytest.mark.parametrize(("proxies", "lets_in"), [("192.0.2.7", False), ("192.0.2.7,127.0.0.1", True), ("*", True)])
async def test_one_address_holds_so_many_and_a_proxy_all(
    site: Site, monkeypatch: pytest.MonkeyPatch, proxies: str, lets_in: bool
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", proxies)
    bound = listening_socket("127.0.0.1", 0)
    listener = Listener(site.application, bound, 2)
    await listener.start()
    door = Door(bound.getsockname()[1], "")
    asked = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    held = [await asyncio.open_connection("127.0.0.1", door.port) for _ in range(2)]
    await asyncio.sleep(0.2)
    assert (await door.says(asked)).startswith(b"HTTP/1.1 200 " if lets_in else b"HTTP/1.1 429 ")
    for _, writer in held:
        writer.close()
        await writer.wait_closed()
    await asyncio.sleep(0.2)
    assert (await door.says(asked)).startswith(b"HTTP/1.1 200 ")
    await listener.stop()
