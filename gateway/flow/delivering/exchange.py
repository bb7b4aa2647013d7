"""The one way out: requests of one attempt through the injected transport, bounded in time and bytes, every step recorded.

A failure is told apart by one question: may a byte of the filing have left us? Before that, nothing happened; after it, the
platform may have it (``design.md`` §6, ``reliability.md`` §2 rows 13-19).
"""

from __future__ import annotations

import asyncio
import base64
import time
import zlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar, cast

import httpx
import orjson

from contracts.adapter import AdapterInfo, AdapterSettings, Reply, Request
from contracts.errors import AdapterError, EndpointError, RetryableError
from gateway.security.egress import EgressRefused

T = TypeVar("T")

_MOST_HEADERS = 200
_MOST_KEPT = 256 * 1024
_CROWDED_MS = 1000
"""How long a delivery stays away that has found too many of ours before it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """An endpoint's agreed limits: the page's, as its settings change them. Seconds, requests, bytes."""

    connect_s: float
    deadline_s: float
    deadline_files_s: float
    rate_per_s: float
    at_once: int
    reply_limit: int
    lookup_lag_s: float
    word_within_s: float
    poll_every_s: tuple[float, float]

    @staticmethod
    def of(info: AdapterInfo, settings: AdapterSettings) -> Limits:
        """The page's values where the settings say nothing."""
        return Limits(
            connect_s=settings.connect_s or info.connect_s,
            deadline_s=settings.deadline_s or info.deadline_s,
            deadline_files_s=settings.deadline_files_s or info.deadline_files_s,
            rate_per_s=settings.rate_per_s or info.rate_per_s,
            at_once=settings.at_once or info.at_once,
            reply_limit=info.reply_limit,
            lookup_lag_s=info.lookup_lag.total_seconds() if settings.lookup_lag_s is None else settings.lookup_lag_s,
            word_within_s=settings.word_within_s or info.word_within.total_seconds(),
            poll_every_s=settings.poll_every_s or info.poll_every_s,
        )


@dataclass(slots=True)
class StepRecord:
    """One request and what came of it."""

    step: str
    method: str
    address: str
    filing: bool
    at_ms: int
    duration_ms: int = 0
    status: int | None = None
    error: str | None = None
    request: bytes = b""
    reply: bytes = b""

    def as_json(self) -> dict[str, object]:
        """For the sealed exchange of the attempt; bodies in base64, cut at 256 KiB."""
        return {
            "step": self.step,
            "method": self.method,
            "address": self.address,
            "filing": self.filing,
            "at": self.at_ms,
            "ms": self.duration_ms,
            "status": self.status,
            "error": self.error,
            "request": base64.b64encode(self.request[:_MOST_KEPT]).decode(),
            "reply": base64.b64encode(self.reply[:_MOST_KEPT]).decode(),
        }


@lru_cache(1024)
def _address(url: str) -> tuple[httpx.URL, str]:
    """The address, and as it is recorded: without its query. Endpoints have few of them.

    Raises:
        httpx.InvalidURL: it is none.
    """
    parsed = httpx.URL(url)
    return parsed, str(parsed.copy_with(query=None))


def pack_steps(steps: list[StepRecord]) -> bytes:
    """The exchange of an attempt as compressed JSON, to be sealed."""
    return zlib.compress(orjson.dumps([step.as_json() for step in steps]), 1)


def unpack_steps(packed: bytes) -> list[dict[str, object]]:
    """What ``pack_steps`` made."""
    steps: list[dict[str, object]] = orjson.loads(zlib.decompress(packed))
    return steps


class EndpointWaits(Exception):
    """The endpoint asked to be left alone after this request was prepared: it did not leave. ``wait_ms`` is how long."""

    def __init__(self, wait_ms: int) -> None:
        super().__init__(wait_ms)
        self.wait_ms = wait_ms


class Places:
    """A semaphore whose number may change: fewer places than are taken are reached as they are given back."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for a place, first come first served."""
        if self._taken < self.most and not self._waiting:
            self._taken += 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.give()  # it came in the same moment
            raise

    def give(self) -> None:
        """Give a place back."""
        self._taken -= 1
        self._let_in()

    def room(self, most: int) -> None:
        """So many places from now on."""
        self.most = most
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._taken < self.most:
            place = self._waiting.popleft()
            if not place.done():
                self._taken += 1
                place.set_result(None)


class Pace:
    """An endpoint's agreed rate and number of requests at once, for every request that goes there. ``now`` is its clock in
    seconds, which only runs forward: the machine's or a simulation's. ``interval``: seconds from one request to the next."""

    def __init__(self, rate_per_s: float, at_once: int, now: Callable[[], float] = time.monotonic) -> None:
        self._rate_per_s, self._at_once = rate_per_s, at_once
        self.interval = 1 / rate_per_s
        self.now = now
        self._next = 0.0
        self._quiet_until = 0.0
        self._places = Places(at_once)

    def share(self, many: int) -> None:
        """Keep to the part of one among so many processes; a request at once remains to each."""
        self.interval = many / self._rate_per_s
        self._places.room(max(1, self._at_once // many))

    @property
    def at_once(self) -> int:
        """How many requests may be out at once, from this process."""
        return self._places.most

    def hush(self, seconds: float) -> None:
        """Let nothing out for so long, not even what waits for its turn already."""
        self._quiet_until = max(self._quiet_until, self.now() + seconds)

    @asynccontextmanager
    async def turn(self, by: float | None = None) -> AsyncIterator[None]:
        """Wait for the turn of one request, which ends with the block.

        Raises:
            EndpointWaits: the endpoint must be left alone; or the turn has not come ``by`` then (by ``now``).
        """
        await self._wait(by)
        try:
            yield
        finally:
            self._places.give()

    async def _wait(self, by: float | None) -> None:
        try:
            async with asyncio.timeout(None if by is None else max(by - self.now(), 0)):
                await self._places.take()
                try:
                    await self._in_turn()
                except BaseException:
                    self._places.give()
                    raise
        except TimeoutError:
            raise EndpointWaits(_CROWDED_MS) from None

    async def _in_turn(self) -> None:
        now = self.now()
        turn = max(self._next, now)
        self._next = turn + self.interval
        if turn > now:
            await asyncio.sleep(turn - now)
        if (quiet := self._quiet_until - self.now()) > 0:
            raise EndpointWaits(round(1000 * quiet))


@dataclass(slots=True)
class HttpExchange:
    """The ``Exchange`` of one attempt, poll, look-up or probe. ``filed``: a filing request may have left us. ``turn_by``: when
    its request must have had its turn, by the pace's clock: whoever waits longer among others of ours has no fair part of
    the deadline left for the platform, and comes again."""

    transport: httpx.AsyncBaseTransport
    limits: Limits
    pace: Pace
    now_ms: Callable[[], int]
    deadline: float
    keep_alive: bool = True
    status_alone: bool = False
    steps: list[StepRecord] = field(default_factory=list)
    filed: bool = False
    traceparent: str | None = None
    heard: Callable[[Reply, int, int], None] | None = None
    turn_by: float | None = None

    async def perform(
        self, step: str, place: str, work: Callable[[], Awaitable[T]], *, filing: bool = False, in_turn: bool = False
    ) -> T:
        """See ``contracts.adapter.Exchange``. Raises ``EndpointWaits`` where the endpoint must be left alone."""
        record = StepRecord(step, "", place, filing, self.now_ms())
        async with self._recorded(record, in_turn=in_turn) as left:
            sent_before, self.filed = self.filed, self.filed or filing
            try:
                async with asyncio.timeout(left):
                    return await work()
            except TimeoutError:
                raise RetryableError("timeout", "not done in time", maybe_accepted=self.filed) from None
            except AdapterError as error:
                if not (isinstance(error, RetryableError) and error.maybe_accepted):
                    self.filed = sent_before
                raise

    @asynccontextmanager
    async def _recorded(self, record: StepRecord, *, in_turn: bool = True) -> AsyncIterator[float]:
        """One step of the attempt, from its turn to its end; gives the seconds that are left for it."""
        started = self.pace.now()
        try:
            async with self.pace.turn(self.turn_by) if in_turn else nullcontext():
                left = self.deadline - self.pace.now()
                if left <= 0:
                    raise RetryableError("deadline", "no time left in this attempt")
                self.steps.append(record)
                record.at_ms, started = self.now_ms(), self.pace.now()
                yield left
        except AdapterError as error:
            record.error = error.code
            raise
        finally:
            record.duration_ms = round(1000 * (self.pace.now() - started))

    async def call(
        self,
        step: str,
        request: Request,
        *,
        filing: bool = False,
        within: float | None = None,
        limit: int | None = None,
    ) -> Reply:
        """See ``contracts.adapter.Exchange``. Raises ``EndpointWaits`` where the endpoint must be left alone."""
        outgoing = self._build(request)
        address = _address(request.url)[1]
        record = StepRecord(step, request.method, address, filing, self.now_ms(), request=request.body)
        async with self._recorded(record) as left:
            reply = await self._within(outgoing, min(left, within or left), limit or self.limits.reply_limit, filing)
        record.status, record.reply = reply.status, reply.body
        if self.heard is not None:
            self.heard(reply, record.at_ms, self.now_ms())
        return reply

    def _build(self, request: Request) -> httpx.Request:
        headers = [("Accept-Encoding", "identity"), *request.headers]
        if not any(name.lower() == "user-agent" for name, _ in headers):
            headers.append(("User-Agent", "mediation-gateway"))
        if not self.keep_alive:
            headers.append(("Connection", "close"))
        if self.traceparent is not None:
            headers.append(("traceparent", self.traceparent))
        try:
            url, _ = _address(request.url)
            outgoing = httpx.Request(request.method, url, headers=headers, content=request.body)
        except (httpx.InvalidURL, ValueError, UnicodeError) as error:
            raise EndpointError("bad_address", type(error).__name__) from None
        connect = self.limits.connect_s
        outgoing.extensions["timeout"] = {"connect": connect, "read": None, "write": None, "pool": connect}
        return outgoing

    async def _within(self, outgoing: httpx.Request, seconds: float, limit: int, filing: bool) -> Reply:
        try:
            async with asyncio.timeout(seconds):
                return await self._once(outgoing, limit, filing)
        except TimeoutError:
            raise RetryableError("timeout", "no whole answer in time", maybe_accepted=self.filed) from None

    async def _once(self, outgoing: httpx.Request, limit: int, filing: bool) -> Reply:
        sent_before, self.filed = self.filed, self.filed or filing
        try:
            response = await self.transport.handle_async_request(outgoing)
        except EgressRefused as refusal:
            self.filed = sent_before
            raise EndpointError("egress_refused", refusal.code) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            self.filed = sent_before
            raise RetryableError("unreachable", type(error).__name__) from None
        except httpx.TransportError as error:
            raise RetryableError("broken_off", type(error).__name__, maybe_accepted=self.filed) from None
        try:
            return await self._read(response, limit)
        except httpx.HTTPError as error:
            raise RetryableError("broken_off", type(error).__name__, maybe_accepted=self.filed) from None
        finally:
            await response.aclose()

    async def _read(self, response: httpx.Response, limit: int) -> Reply:
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw[:_MOST_HEADERS]
        )
        parts: list[bytes] = []
        size = 0
        stream = cast(httpx.AsyncByteStream, response.stream)  # the async transport's contract
        try:
            async for part in stream:
                size += len(part)
                parts.append(part)
                if size > limit:
                    if not self.status_alone:
                        raise RetryableError("reply_too_large", f"over {limit} bytes", maybe_accepted=self.filed)
                    break
        except httpx.HTTPError:
            if not self.status_alone:
                raise
        return Reply(response.status_code, headers, b"".join(parts)[:limit])
