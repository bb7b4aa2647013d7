"""A toy platform as a real HTTP server: it counts what arrives, keeps a ledger, and fails on command. Knows nothing of ours."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from aiohttp import web

from tests.servers.aside import served

KEY = "toy-key-93b1d0c4a7"
CALL_KEY = "toy-call-key-5f0e2a81"

Door = Callable[[str, str, tuple[tuple[str, str], ...], bytes], Awaitable[int]]
"""Where the platform's calls go: method, path, headers, body; returns the status of the answer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that arrived: operation, moment (monotonic seconds), body, query, headers (names in lower case)."""

    operation: str
    at: float
    body: bytes
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Booking:
    """One business effect: the sender's id, the content, the number given, and when (monotonic seconds, and by the platform's
    clock). ``word``: how its matter stands, where the platform says so (``about``, ``word``)."""

    id: str
    content: Any
    number: str
    at: float
    day: datetime
    word: dict[str, str] | None = None


@dataclass(slots=True)
class Action:
    """What happens to the next request of an operation, ``times`` times."""

    kind: str
    times: int
    more: dict[str, Any] = field(default_factory=dict)


def call_signature(at: str, nonce: str, body: bytes, key: str = CALL_KEY) -> str:
    """How these platforms sign what they call in."""
    return hmac.new(key.encode(), f"{at}.{nonce}.".encode() + body, hashlib.sha256).hexdigest()


class ToyPlatform:
    """Server, ledger, faults. Subclasses answer by ``process``, in their own dialect.

    Actions: ``reset_before``, ``reset_after``, ``stall``, ``silent_after``, ``html``, ``http`` (status, retry_after),
    ``refuse`` (text), ``deny``, ``early`` (call: made before the answer), ``gate`` (open: an event to wait for first).
    """

    operations: ClassVar[tuple[tuple[str, str], ...]] = ()
    file_operation: ClassVar[str] = "file"

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.clock = clock
        self.seen: list[Seen] = []
        self.booked: list[Booking] = []
        self.door: Door | None = None
        self.port = 0
        self._script: dict[str, list[Action]] = {}
        self._over = asyncio.Event()
        self._standing = AsyncExitStack()
        self._events = 0
        self._numbers = 0

    # ---- the server
    @property
    def url(self) -> str:
        """The platform's address; the port stays while it is down."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> ToyPlatform:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, on the port of before where there was one."""
        application = web.Application()
        for method, operation in self.operations:
            application.router.add_route(method, f"/{operation}", self._handle)
        self._over = asyncio.Event()
        self.port = await self._standing.enter_async_context(served(application, 0.2, port=self.port))

    async def stop(self) -> None:
        """Refuse connections; whoever waits for an answer is cut off."""
        self._over.set()
        await self._standing.aclose()

    def fail(self, kind: str, times: int = 1, *, operation: str | None = None, **more: Any) -> None:
        """The next requests of an operation (default: the filing) end so."""
        self._script.setdefault(operation or self.file_operation, []).append(Action(kind, times, more))

    def scripted(self, operation: str | None = None) -> list[Action]:
        """The faults to come; each counts its own ``times`` down to 0."""
        return list(self._script.get(operation or self.file_operation, ()))

    def heal(self) -> None:
        """Forget the faults that were scripted and did not come."""
        self._script.clear()

    def count(self, operation: str | None = None) -> int:
        """Requests that arrived, of one operation or of all."""
        return sum(operation in (None, one.operation) for one in self.seen)

    def ids(self) -> list[str]:
        """The ids in the ledger, in its order."""
        return [one.id for one in self.booked]

    def _next(self, operation: str) -> Action | None:
        waiting = self._script.get(operation)
        if not waiting:
            return None
        action = waiting[0]
        action.times -= 1
        if action.times == 0:
            waiting.pop(0)
        return action

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        operation = request.path.strip("/")
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        seen = Seen(operation, time.monotonic(), body, dict(request.query), headers)
        self.seen.append(seen)
        action = self._next(operation)
        kind = action.kind if action is not None else "answer"
        more = action.more if action is not None else {}
        match kind:
            case "reset_before":
                return self._cut(request)
            case "stall":
                await self._over.wait()
                return self._cut(request)
            case "http":
                headers = {"Retry-After": more["retry_after"]} if "retry_after" in more else {}
                return web.Response(status=more["status"], headers=headers, text="<html>gateway</html>")
            case "refuse":
                return self.refused(seen, more.get("text", "不符合要求"))
            case "deny":
                return self.denied()
            case "gate":
                await more["open"].wait()
        if seen.headers.get("x-key") != KEY:
            return self.denied()
        answer = self.process(seen)
        match kind:
            case "reset_after":
                return self._cut(request)
            case "silent_after":
                await self._over.wait()
                return self._cut(request)
            case "html":
                return web.Response(text="<!DOCTYPE html><html><body>请登录</body></html>", content_type="text/html")
            case "early":
                await more["call"](seen)
        return answer

    @staticmethod
    def _cut(request: web.Request) -> web.Response:
        if request.transport is not None:  # else the caller has hung up already
            request.transport.abort()
        return web.Response(status=500)

    # ---- the dialect
    def process(self, seen: Seen) -> web.Response:
        """The platform's answer."""
        raise NotImplementedError

    def refused(self, seen: Seen, text: str) -> web.Response:
        """It refuses the document, and quotes it."""
        raise NotImplementedError

    def denied(self) -> web.Response:
        """Wrong key."""
        raise NotImplementedError

    def book(self, identifier: str, content: Any) -> Booking:
        """One more business effect."""
        self._numbers += 1
        booking = Booking(identifier, content, f"N{self._numbers:05d}", time.monotonic(), self.clock())
        self.booked.append(booking)
        return booking

    # ---- what it calls in
    def word(self, word: str, *, about: str = "delivery", event: str | None = None, **more: Any) -> bytes:
        """The content of one word: ``id`` (the sender's) or ``number`` (the platform's own) says of what."""
        self._events += 1
        said = {"event": event or f"E{self._events:05d}", "about": about, "word": word, "at": self.clock().isoformat()}
        return json.dumps(said | more, ensure_ascii=False).encode()

    def call(self, body: bytes, **changes: str) -> tuple[str, str, tuple[tuple[str, str], ...], bytes]:
        """A call around a content: signed, with a nonce and time of its own. ``changes`` spoil it."""
        at = changes.get("at", self.clock().isoformat())
        nonce = changes.get("nonce", secrets.token_hex(8))
        sign = changes.get("sign", call_signature(at, nonce, body, changes.get("key", CALL_KEY)))
        headers = (("Content-Type", "application/json"), ("X-Time", at), ("X-Nonce", nonce), ("X-Sign", sign))
        return "POST", "/word", headers, body

    async def say(self, word: str, **more: Any) -> int:
        """Call a word in; returns the status of the answer."""
        assert self.door is not None, "nobody to call"
        return await self.door(*self.call(self.word(word, **more)))
