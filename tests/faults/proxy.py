"""A proxy that stands between the gateway and a platform and breaks what passes: after n bytes, at a byte, for a while."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from dataclasses import dataclass
from socket import SO_LINGER, SOL_SOCKET


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to one request. Of the ``place`` (``request``, ``reply``) the first ``after`` bytes pass, then the ``act``:

    ``cut`` (the connection is reset), ``close`` (it ends), ``stall`` (nothing more comes), ``drip`` (a byte each ``every_s``),
    ``corrupt`` (that byte is another, the rest passes), ``swap`` (the next reply is given for this one, and this for that),
    ``say`` (``instead`` is said and the platform hears nothing), ``flood`` (the reply never ends).
    """

    act: str
    place: str = "reply"
    after: int = 0
    every_s: float = 0.05
    instead: bytes = b""


class Proxy:
    """Listens on a port of its own. ``requests`` counts what the gateway sent whole, by path."""

    def __init__(self, upstream_port: int, filing: str) -> None:
        self._upstream_port = upstream_port
        self._filing = f"/{filing}".encode()
        self.plans: list[Plan] = []
        self.requests: list[str] = []
        self.played = 0
        self.port = 0
        self._swapping: asyncio.Queue[tuple[bytes, asyncio.Future[bytes]]] = asyncio.Queue()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where the gateway thinks the platform is."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cut everybody off."""
        if self._server is not None:
            self._server.close()
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            _reset(writer)
            self._tasks.discard(task)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; whether the connection lives on."""
        request = await _message(reader)
        path = request.split(b" ", 2)[1].partition(b"?")[0]
        self.requests.append(path.decode())
        plan = None
        if path == self._filing and self.plans:
            plan = self.plans.pop(0)
            self.played += 1
        if plan is not None and plan.act == "say":
            writer.write(plan.instead)
            await writer.drain()
            return False
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        try:
            if plan is not None and plan.place == "request":
                return await self._break(plan, request, up_writer)
            up_writer.write(request)
            await up_writer.drain()
            reply = await _message(up_reader)
        finally:
            _reset(up_writer)
        if plan is not None and plan.act == "swap":
            reply = await self._swapped(reply)
            plan = None
        if plan is None:
            writer.write(reply)
            await writer.drain()
            return b"connection: close" not in request.lower()
        return await self._break(plan, reply, writer)

    async def _break(self, plan: Plan, message: bytes, to: asyncio.StreamWriter) -> bool:
        passing, rest = message[: plan.after], message[plan.after :]
        to.write(passing)
        await to.drain()
        match plan.act:
            case "close":
                to.write_eof()
                await asyncio.sleep(0.02)
            case "cut":
                await asyncio.sleep(0.02)  # what passed has passed
            case "stall":
                await asyncio.Event().wait()
            case "drip":
                for place in range(len(rest)):
                    to.write(rest[place : place + 1])
                    await to.drain()
                    await asyncio.sleep(plan.every_s)
            case "corrupt":
                to.write(bytes([rest[0] ^ 1]) + rest[1:] if rest else b"")
                await to.drain()
                await asyncio.sleep(0.02)
            case "flood":
                head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
                to.write(head)
                with contextlib.suppress(ConnectionError):
                    while True:
                        to.write(b"[" * 65_536)
                        await to.drain()
        return False

    async def _swapped(self, reply: bytes) -> bytes:
        """Wait for another reply and change with it."""
        if self._swapping.empty():
            mine: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            await self._swapping.put((reply, mine))
            return await mine
        other, waiting = self._swapping.get_nowait()
        waiting.set_result(reply)
        return other


async def _message(reader: asyncio.StreamReader) -> bytes:
    """A whole HTTP message with a length."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head + (await reader.readexactly(int(lengths[0])) if lengths else b"")


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close as by a reset: no farewell."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
