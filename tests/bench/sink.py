"""A receiver that takes as little as possible: answers 200, remembers when each case's number came first and how often.

``python -m tests.bench.sink PORT``; ``GET /seen`` tells, ``GET /forget`` starts anew.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
import time
from typing import cast

import httptools
import uvloop

from tests.bench.bodies import NUMBER

_FOUND = re.compile(NUMBER.encode() + rb"[0-9a-z-]+")
_OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'


class Sink:
    """What came."""

    def __init__(self) -> None:
        self.first: dict[str, float] = {}
        self.repeated = 0
        self.came = 0

    def take(self, body: bytes) -> None:
        """One delivery."""
        self.came += 1
        found = _FOUND.search(body)
        if found is None:
            return
        number = found[0].decode()
        if number in self.first:
            self.repeated += 1
        else:
            self.first[number] = time.time()

    def told(self, url: bytes) -> bytes:
        """The answer to a question."""
        if url == b"/forget":
            self.__init__()  # type: ignore[misc]  # as new
        known = self.first if url == b"/seen" else {}
        last = max(self.first.values(), default=0.0)
        return json.dumps(
            {"came": self.came, "unique": len(self.first), "repeated": self.repeated, "last": last, "first": known}
        ).encode()


class _Caller(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []
        self._url = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's transports have no common base

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_body(self, part: bytes) -> None:
        self._body.append(part)

    def on_message_complete(self) -> None:
        assert self._transport is not None
        if self._parser.get_method() == b"GET":
            answer = self._sink.told(self._url)
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
        else:
            self._sink.take(b"".join(self._body))
            self._transport.write(_OK)
        self._body = []


async def main(port: int) -> None:
    """Receive until SIGTERM."""
    sink, end = Sink(), asyncio.Event()
    server = await asyncio.get_running_loop().create_server(lambda: _Caller(sink), "127.0.0.1", port, backlog=1024)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    await end.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
