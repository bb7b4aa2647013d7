"""The way out during a check: records every call, and breaks where the platform itself does not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from contracts.adapter import Exchange, Reply, Request
from contracts.conformance.stage import BUSY_FOR, Fault
from contracts.errors import RetryableError

T = TypeVar("T")
OnwardCall = Callable[[], Awaitable[Reply]]

_DONE = Reply(200, (), b"done")
"""The word that work is done: what is not that word came in its place."""

HTML = ("Content-Type", "text/html; charset=utf-8")

GARBAGE: tuple[tuple[str, bytes], ...] = (
    ("nothing", b""),
    ("login page", "<!DOCTYPE html><html><head><title>登录</title></head><body>请先登录</body></html>".encode()),
    ("cut off", b'{"code": "0000", "mess'),
    ("empty object", b"{}"),
    ("null", b"null"),
    ("other encoding", "操作成功".encode("gb18030")),
    ("empty answer", b'<?xml version="1.0"?><Envelope/>'),
    ("noise", bytes(range(256))),
    ("deep", b"[" * 100_000),
)
"""Bodies that come with HTTP 200 and are no platform's answer, by name."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that the adapter made: its step, request, whether it filed, and the reply where one came. Work that is no HTTP
    is a request without a body, its place the address."""

    step: str
    request: Request
    filing: bool
    reply: Reply | None


@dataclass(slots=True)
class Line:
    """An ``Exchange`` around the stage's own.

    ``fault`` strikes the filing, or the call number ``struck`` where that is given. ``garbage`` is the body of
    ``Fault.GARBAGE``. ``foreign`` is an answer that comes in place of the filing's own.
    """

    inner: Exchange
    fault: Fault | None = None
    struck: int | None = None
    garbage: bytes = GARBAGE[1][1]
    foreign: Reply | None = None
    calls: list[Call] = field(default_factory=list)

    @property
    def filings(self) -> list[Call]:
        """The calls that had the business effect."""
        return [call for call in self.calls if call.filing]

    async def call(
        self,
        step: str,
        request: Request,
        *,
        filing: bool = False,
        within: float | None = None,
        limit: int | None = None,
    ) -> Reply:
        """See ``contracts.adapter.Exchange``."""

        async def send() -> Reply:
            return await self.inner.call(step, request, filing=filing, within=within, limit=limit)

        return await self._struck(Call(step, request, filing, None), send)

    async def perform(
        self, step: str, place: str, work: Callable[[], Awaitable[T]], *, filing: bool = False, in_turn: bool = False
    ) -> T:
        """See ``contracts.adapter.Exchange``. Doubtful where the word that it is done is lost on the way."""
        found: list[T] = []

        async def done() -> Reply:
            found.append(await self.inner.perform(step, place, work, filing=filing, in_turn=in_turn))
            return _DONE

        if await self._struck(Call(step, Request("", place), filing, None), done) is not _DONE:
            raise RetryableError("broken_off", "the word that it is done was lost", maybe_accepted=filing)
        return found[0]

    async def _struck(self, call: Call, onward: OnwardCall) -> Reply:
        """The call as it goes on, or as the fault has it that strikes it."""
        strikes = call.filing if self.struck is None else len(self.calls) == self.struck
        place = len(self.calls)
        self.calls.append(call)

        async def on() -> Reply:
            reply = await onward()
            self.calls[place] = replace(call, reply=reply)
            return reply

        if not strikes:
            return await on()
        if self.foreign is not None:
            await on()
            return self.foreign
        return await on() if self.fault is None else await self._broken(self.fault, on, filing=call.filing)

    async def _broken(self, fault: Fault, on: OnwardCall, *, filing: bool) -> Reply:
        match fault:
            case Fault.REFUSED_CONNECTION:
                raise RetryableError("unreachable")
            case Fault.RESET_BEFORE:
                raise RetryableError("broken_off", maybe_accepted=filing)
            case Fault.RESET_AFTER:
                await on()
                raise RetryableError("broken_off", maybe_accepted=filing)
            case Fault.STALL:
                raise RetryableError("timeout", maybe_accepted=filing)
            case Fault.SILENT_AFTER:
                await on()
                raise RetryableError("timeout", maybe_accepted=filing)
            case Fault.GARBAGE:
                await on()
                return Reply(200, (HTML,), self.garbage)
            case Fault.SERVER_ERROR:
                return Reply(500, (HTML,), b"<html><body>Internal Server Error</body></html>")
            case Fault.BUSY:
                return Reply(503, (HTML, ("Retry-After", str(round(BUSY_FOR.total_seconds())))), b"")
            case _:
                raise NotImplementedError(f"only the platform's own dialect can say {fault}: the stage must play it")
