"""What a connection may cost before anybody knows who calls: how many there are, how long a head may be, how long all may take.

uvicorn sets none of these bounds: a head of any length is kept, and a client that sends a byte now and then, or none at all,
holds its connection for ever.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Collection
from typing import Final, Literal

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = structlog.get_logger("gateway.web")

LONGEST_HEAD: Final = 64 * 1024
"""Bytes of a request's line and headers; what comes with its end in one read is not measured (256 KiB at the most)."""

HEAD_S = 20.0
"""From a connection's or a request's beginning to the end of its head."""

BODY_S = 30.0
"""How long we wait for a body's parts, all waits together, ..."""

BODY_RATE: Final = 1024
"""... and a second longer for each so many bytes that came."""

_MOST: Final = 4096
_LOOK_S = 1.0


def most_connections() -> int:
    """How many connections there may be at once: half of the files that the process may have open, the rest is for the
    database, the platforms and the attachments."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MOST if allowed == resource.RLIM_INFINITY else min(max(allowed // 2, 32), _MOST)


class Bounded(HttpToolsProtocol):
    """One connection with its bounds. ``Sweeper`` looks at the times: a timer for each request would cost too much."""

    _part: Literal["head", "body", "done"]
    _since: float
    _waited: float
    _came: int
    _fresh: bool
    _spoke: bool

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn narrows asyncio's BaseTransport alike: there is no other
        super().connection_made(transport)
        self._spoke = False
        self._begin()
        if len(self.connections) > most_connections():
            log.warning("too_many_connections")
            self._refuse(503, "Service Unavailable")

    def data_received(self, data: bytes) -> None:
        if self._part == "done" and self._answered:
            self._begin()  # empty lines between two requests begin nothing for the parser
        self._fresh, self._spoke = False, True
        super().data_received(data)
        if self._part == "head" and not self._fresh:
            self._came += len(data)
            if self._came > LONGEST_HEAD:
                self._refuse(431, "Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        self._begin()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._part, self._came, self._waited = "body", 0, 0.0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._came += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._part = "done"
        super().on_message_complete()

    def _begin(self) -> None:
        self._part, self._since, self._came, self._fresh = "head", self.loop.time(), 0, True

    def look(self, passed_s: float) -> None:
        """End the connection if its request takes too long. What waits for us, not for the client, does not count."""
        if self._part == "head":
            if self.loop.time() - self._since > HEAD_S:
                if self._spoke:
                    self._refuse(408, "Request Timeout")
                else:  # browsers open connections ahead of need, and expect no word on them
                    self.transport.close()
        elif self._part == "body" and not self.flow.read_paused and (self._answered or not self.cycle.body):
            self._waited += passed_s
            if self._waited > BODY_S + self._came / BODY_RATE:
                self._refuse(408, "Request Timeout")

    @property
    def _answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _refuse(self, status: int, phrase: str) -> None:
        """Say why if nothing was said yet, and hang up."""
        if self.transport.is_closing():
            return
        log.info("connection_ended", status=status)
        silent = self._part == "body" and not self._answered and not self.cycle.response_started
        if silent or (self._part == "head" and self._answered):
            head = f"HTTP/1.1 {status} {phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            self.transport.write(head.encode("ascii"))
        self.transport.close()


class Sweeper:
    """Looks at every connection about once a second."""

    def __init__(self, connections: Collection[object]) -> None:
        self._connections = connections

    async def run(self) -> None:
        """Look until cancelled."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(_LOOK_S)
            now = loop.time()
            for connection in list(self._connections):
                if isinstance(connection, Bounded):
                    connection.look(now - last)
            last = now
