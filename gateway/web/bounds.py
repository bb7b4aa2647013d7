"""What a connection may cost before anybody knows who calls: how many there are, how long a head may be, how long all may take.

uvicorn sets none of these bounds: a head of any length is kept, and a client that sends a byte now and then, or none at all,
or reads nothing of its answers, holds its connection for ever.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from collections.abc import Collection
from typing import ClassVar, Final, Literal

import structlog
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
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

READ_S = 30.0
"""How long an answer may wait for its reader, all waits together, until nothing of it waits any more, ..."""

READ_RATE: Final = 1024
"""... and a second longer for each so many bytes that were taken. A stream that has nothing to say waits for nobody."""

_TAKEN: Final = 48 * 1024
"""What was taken when a transport lets us write on: asyncio waits from 64 KiB on, until 16 KiB are left."""

_MOST: Final = 4096
_LOOK_S = 1.0


def most_connections() -> int:
    """How many connections there may be at once: half of the files that the process may have open, the rest is for the
    database, the platforms and the attachments."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MOST if allowed == resource.RLIM_INFINITY else min(max(allowed // 2, 32), _MOST)


class Bounded(HttpToolsProtocol):
    """One connection with its bounds. ``Sweeper`` looks at the times: a timer for each request would cost too much."""

    held: ClassVar[Counter[str]] = Counter()
    """Connections of each address; a listener has a class with its own (``bounded``)."""
    most_of_one: ClassVar[int] = 0

    _part: Literal["head", "body", "done"]
    _since: float
    _waited: float
    _came: int
    _fresh: bool
    _spoke: bool
    _counted: str
    _unread_s: float
    _unread: int
    _taken: int

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn narrows asyncio's BaseTransport alike: there is no other
        super().connection_made(transport)
        self._spoke = False
        self._unread_s, self._unread, self._taken = 0.0, 0, 0
        self._begin()
        self._counted = self._address()
        self.held[self._counted] += 1
        most = most_connections()
        if len(self.connections) > most:
            log.warning("too_many_connections")
            self._refuse(503, "Service Unavailable")
        elif self._counted and self.held[self._counted] > (self.most_of_one or most // 2):
            log.warning("too_many_connections", code="of_one_address")
            self._refuse(429, "Too Many Requests")

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.held[self._counted] -= 1
        if not self.held[self._counted]:
            del self.held[self._counted]

    def _address(self) -> str:
        """Whose connection it is; ``""`` for a proxy of ours, behind which are many, and for a local socket."""
        address = (self.client[0] if self.client else "").removeprefix("::ffff:")
        ours = isinstance(self.app, ProxyHeadersMiddleware) and address in self.app.trusted_hosts
        return "" if ours else address

    def resume_writing(self) -> None:
        self._taken += _TAKEN
        super().resume_writing()

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
        self._look_at_reader(passed_s)

    def _look_at_reader(self, passed_s: float) -> None:
        """End the connection if what we wrote is not taken, whether more comes or we hung up already: a transport that is
        closed waits for its reader without end."""
        unread = self.transport.get_write_buffer_size()
        if unread:
            self._taken += max(self._unread - unread, 0)
            self._unread_s += passed_s
            if self._unread_s > READ_S + self._taken / READ_RATE:
                log.info("connection_ended", code="unread")
                self.transport.abort()
        else:
            self._unread_s, self._taken = 0.0, 0
        self._unread = unread

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


def bounded(most_of_one: int = 0) -> type[Bounded]:
    """The protocol of one listener. ``most_of_one``: connections that one address may hold; 0: half of all."""

    class Counted(Bounded):
        held: ClassVar[Counter[str]] = Counter()

    Counted.most_of_one = most_of_one
    return Counted


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
