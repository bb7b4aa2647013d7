"""Cases in batches: NDJSON in, one result line per input line, each line an intake of its own. Under an ``Idempotency-Key``
each line has a key of its own: that of the batch with the line's number."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType

import orjson
import structlog
from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from contracts.messages import MessageType
from gateway.flow.house import House
from gateway.flow.moving.order import Order, Principal, Refused
from gateway.web.auth import Door
from gateway.web.bodies import idempotency_key, only_media
from gateway.web.problems import problem

log = structlog.get_logger("gateway.web")

_LINES = 10_000
_AT_ONCE = 64


def router(house: House, door: Door) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["文书 Documents"])

    @routes.post("/v1/cases:batch", summary="批量报送 Submit cases in a batch (NDJSON)")
    async def batch(request: Request) -> Response:
        principal = await door.principal(request, "cases:write")
        only_media(request, "application/x-ndjson", "application/ndjson")
        key = idempotency_key(request)
        return _Answering(_results(house, principal, request, key), media_type="application/x-ndjson")

    return routes


class _Answering(StreamingResponse):
    """An answer that is given while the body still comes. Starlette's own would listen for the caller's disconnect meanwhile,
    and eat the body's parts that the lines are read from."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(ClientDisconnect):
            await self.stream_response(send)


async def _lines(request: Request, limit: int) -> AsyncIterator[bytes | None]:
    """The body's lines as they come; ``None`` in place of one that is too long (its rest is skipped)."""
    rest, skipping = b"", False
    async for part in request.stream():
        rest += part
        while (end := rest.find(b"\n")) >= 0:
            line, rest = rest[:end], rest[end + 1 :]
            yield None if skipping or len(line) > limit else line.removesuffix(b"\r")
            skipping = False
        if len(rest) > limit:
            rest, skipping = b"", True
    if rest or skipping:
        yield None if skipping else rest


async def _results(house: House, principal: Principal, request: Request, key: str | None) -> AsyncIterator[bytes]:
    """One result per line, in the order of the lines, blank ones too; at most so many at once."""
    waiting: list[asyncio.Task[bytes]] = []
    number = 0
    async for line in _lines(request, house.settings.limits.document):
        number += 1
        if number > _LINES:
            waiting.append(asyncio.create_task(_one(house, principal, request, number, None, None)))
            break  # the caller is told where the batch ends: no line is dropped in silence
        # No caller can send a key with a blank in it: a line's never meets that of another call.
        own = None if key is None else f"{key} {number}"
        waiting.append(asyncio.create_task(_one(house, principal, request, number, line, own)))
        while len(waiting) >= _AT_ONCE or (waiting and waiting[0].done()):
            yield await waiting.pop(0)
    for task in waiting:
        yield await task


async def _one(
    house: House, principal: Principal, request: Request, number: int, line: bytes | None, key: str | None
) -> bytes:
    if line is None:
        refused = problem(request, 413, "too_large", extra={"limit": house.settings.limits.document})
        return _line(number, 413, bytes(refused.body))
    try:
        accepted = await house.intake.take(Order(MessageType.CASE_SUBMITTED, principal, line, key=key))
    except Refused as error:
        answer = problem(request, error.status, error.code, error.findings, link=error.link, extra=error.extra)
        return _line(number, error.status, bytes(answer.body))
    except Exception as error:  # one line that breaks must not silence the answers to the others
        log.error("line_failed", error=type(error).__name__)
        return _line(number, 503, bytes(problem(request, 503, "unavailable").body))
    return _line(number, 202, accepted.answer, {"replayed": True} if accepted.replayed else {})


def _line(number: int, status: int, body: bytes, more: Mapping[str, bool] = MappingProxyType({})) -> bytes:
    return orjson.dumps({"line": number, "status": status, **more, "result": orjson.Fragment(body)}) + b"\n"
