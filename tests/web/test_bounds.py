"""What a connection may cost, over a real socket: the head's length, the time of head and body, how many there are."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

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
