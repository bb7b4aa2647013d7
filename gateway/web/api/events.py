"""The feed of events: by cursor without gaps, and as a stream (SSE)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from contracts.events import fits, is_filter
from gateway.bus.memory import FellBehind
from gateway.flow.house import House
from gateway.flow.moving.envelope import INTERNAL, source_numbers
from gateway.flow.moving.order import Principal, Refused
from gateway.store import journal
from gateway.store.journal import EventRow
from gateway.store.webhooks import owner_of
from gateway.web.api.answers import answer
from gateway.web.api.parameters import bad_parameter, only_its_own, page_limit
from gateway.web.auth import Door

_HEARTBEAT_S = 15.0
_STREAMS_OF_ONE = 16
"""Streams that one client may have open in this process."""
_MOST_FILTERS = 200
_LOOK, _LOOKS = 500, 200
"""Events looked at in one go where a filter hides some, and how often: more than that an empty page may leave to come."""


def router(house: House, door: Door) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["事件 Events"])
    open_streams: Counter[str] = Counter()

    @routes.get("/v1/events", summary="按游标读取事件 Read events after a cursor")
    async def feed(request: Request) -> Response:
        principal = await door.principal(request, "events:read")
        only_its_own(request)
        after = _cursor(request.query_params.get("after", "0"), "after")
        limit = page_limit(request, house.settings.limits.event_page)
        events, mark = await read_after(house, principal, after, limit, _filters(request))
        return answer({"items": events, "cursor": f"{mark:016d}"})

    @routes.get("/v1/events/stream", summary="事件流 Stream of events (SSE)")
    async def stream(request: Request) -> Response:
        principal = await door.principal(request, "events:read")
        only_its_own(request)
        if open_streams[principal.client] >= _STREAMS_OF_ONE:
            raise Refused(429, "streams_full")
        last = request.headers.get("last-event-id") or request.query_params.get("after")
        after = None if last is None else _cursor(last, "after")
        return StreamingResponse(
            _counted(
                open_streams,
                principal.client,
                _stream(house, lambda: door.principal(request, "events:read"), after, _filters(request)),
            ),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return routes


def _cursor(given: str, name: str) -> int:
    if not given.isascii() or not given.isdigit() or len(given) > 18:
        raise bad_parameter(name)
    return int(given)


def _filters(request: Request) -> tuple[str, ...]:
    """What a webhook may name as well: a filter that names nothing would be an empty feed for ever."""
    given = request.query_params.getlist("type")
    if len(given) > _MOST_FILTERS or not all(map(is_filter, given)):
        raise bad_parameter("type")
    return tuple(dict.fromkeys(given)) or ("*",)


async def read_after(
    house: House, principal: Principal, after: int, limit: int, filters: tuple[str, ...]
) -> tuple[list[dict[str, Any]], int]:
    """The caller's events after a cursor, and the cursor to go on from. It moves on although a filter hides events, and looks
    far enough ahead that a page without events is the end of the feed, as every reader takes it."""
    owners = (*sorted(principal.organizations), owner_of(principal.client))
    step = limit if filters == ("*",) else max(limit, _LOOK)
    shown: list[EventRow] = []
    mark = after
    for _ in range(_LOOKS):
        if "*" in principal.organizations:
            rows = await house.store.runner.read(journal.after, mark, step)
        else:
            rows = await house.store.runner.read(journal.owned_after, owners, mark, step)
        fitting = [row for row in rows if row.type not in INTERNAL and fits(filters, row.type)]
        shown, rest = fitting[:limit], fitting[limit:]
        mark = _end_of(shown if rest else rows, mark)
        if shown or len(rows) < step:
            break
    numbers = await source_numbers(house.store, shown)
    return [house.publisher.envelope(row, numbers.get(row.subject)) for row in shown], mark


def _end_of(rows: list[EventRow], mark: int) -> int:
    return rows[-1].position or mark if rows else mark


async def _counted(open_streams: Counter[str], client: str, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    open_streams[client] += 1
    try:
        async for part in stream:
            yield part
    finally:
        open_streams[client] -= 1
        if not open_streams[client]:
            del open_streams[client]


async def _stream(
    house: House, caller: Callable[[], Awaitable[Principal]], after: int | None, filters: tuple[str, ...]
) -> AsyncIterator[bytes]:
    """What was missed by cursor first, then live; a slow reader is sent back to the feed. Ends with the caller's key."""
    async with house.bus.subscribe() as subscription:
        if after is None:
            row = await house.store.row("log_position")
            after = int(row["position"]) if row is not None else 0
        yield b"retry: 3000\n\n"
        principal, asked = await caller(), time.monotonic()
        while True:
            if time.monotonic() - asked >= _HEARTBEAT_S:
                try:
                    principal, asked = await caller(), time.monotonic()
                except Refused:
                    return
            events, mark = await read_after(house, principal, after, house.settings.limits.event_page, filters)
            for event in events:
                yield f"id: {event['cursor']}\nevent: {event['type']}\ndata: ".encode() + orjson.dumps(event) + b"\n\n"
            if mark > after:
                after = mark
                continue
            try:
                if await subscription.next(_HEARTBEAT_S) is None:
                    yield b": heartbeat\n\n"
            except FellBehind:
                return
