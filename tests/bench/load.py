"""The load: a bare HTTP/1.1 client of a few lines, so that it takes as little as possible from what it measures."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from tests.bench.bodies import NUMBER

_FOUND = re.compile(NUMBER.encode() + rb"[0-9a-z-]+")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Answers:
    """What came back: seconds from the first request to the last answer, statuses, per request when it was sent and answered
    (``time.time``), and when each case's number was answered."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    sent: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    when: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.answered) / self.seconds if self.seconds else 0.0


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._buffer = b""
        self._waiting: asyncio.Future[int] | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's transports have no common base

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._buffer, 0, end)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self._buffer) < whole:
            return
        status, self._buffer = int(self._buffer[9:12]), self._buffer[whole:]
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            waiting.set_result(status)

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError(str(error)))

    def post(self, request: bytes) -> asyncio.Future[int]:
        assert self.transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._waiting


def request(path: str, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """A POST as bytes."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n{lines}"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _connections(port: int, many: int) -> list[_Connection]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(_Connection, "127.0.0.1", port))[1] for _ in range(many)]


async def burst(port: int, requests: Sequence[bytes], connections: int) -> Answers:
    """Every request as fast as the answers come, so many in flight."""
    open_ones = await _connections(port, connections)
    answers, todo = Answers(), list(reversed(requests))
    started = time.perf_counter()

    async def work(connection: _Connection) -> None:
        while todo:
            outgoing, sent = todo.pop(), time.time()
            status = await connection.post(outgoing)
            _note(answers, outgoing, status, sent)

    await asyncio.gather(*(work(connection) for connection in open_ones))
    answers.seconds = time.perf_counter() - started
    _close(open_ones)
    return answers


async def steady(port: int, requests: Sequence[bytes], rate: float) -> Answers:
    """So many requests a second, whatever the answers do."""
    free = await _connections(port, 32)
    everyone, answers = list(free), Answers()
    started = time.perf_counter()

    async def one(outgoing: bytes) -> None:
        connection, sent = free.pop(), time.time()
        status = await connection.post(outgoing)
        free.append(connection)
        _note(answers, outgoing, status, sent)

    tasks = []
    for number, outgoing in enumerate(requests):
        wait = started + number / rate - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(outgoing)))
    await asyncio.gather(*tasks)
    answers.seconds = time.perf_counter() - started
    _close(everyone)
    return answers


def _note(answers: Answers, outgoing: bytes, status: int, sent: float) -> None:
    now = time.time()
    answers.statuses[status] = answers.statuses.get(status, 0) + 1
    answers.sent.append(sent)
    answers.answered.append(now)
    found = _FOUND.search(outgoing)
    if found is not None:
        answers.when[found[0].decode()] = now


def _close(connections: Sequence[_Connection]) -> None:
    for connection in connections:
        if connection.transport is not None:
            connection.transport.close()
