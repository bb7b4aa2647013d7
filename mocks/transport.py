"""The transport faults, played once for all platforms on the real socket."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from mocks.faults import TRANSPORT, Fault
from mocks.platform import Platform

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: Where a handler finds the transport fault that its answer will meet, if any.
FAULT = web.RequestKey("fault", Fault)
#: An answer that never comes: the longest time a connection is kept for it, in seconds.
SILENCE_S = 120.0


def abort(request: web.Request) -> None:
    """Reset the TCP connection (RST, nothing more is sent)."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def silence(request: web.Request, seconds: float = SILENCE_S) -> None:
    """Say nothing until the client goes or ``seconds`` are over, then close without an answer."""
    end = time.monotonic() + seconds
    # aiohttp tells nobody when the client goes.
    while time.monotonic() < end and not gone(request):  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.05)
    if request.transport is not None:
        request.transport.close()


def gone(request: web.Request) -> bool:
    """Whether the client's connection is closed."""
    return request.transport is None or request.transport.is_closing()


async def drip(request: web.Request, answer: web.StreamResponse, wait_s: float) -> web.StreamResponse:
    """Send the body of ``answer`` byte by byte, ``wait_s`` between two bytes; the header goes at once."""
    body = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
    slow = web.StreamResponse(status=answer.status, headers=answer.headers)
    slow.content_length = len(body)
    await slow.prepare(request)
    for position in range(len(body)):
        if gone(request):
            break
        try:
            await slow.write(body[position : position + 1])
        except ConnectionError:
            break
        await asyncio.sleep(wait_s)
    else:
        await slow.write_eof()
    return slow


async def serve(platform: Platform, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer one request to ``platform``, with the fault that is scripted for its operation, if any."""
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return platform.too_large(request)
    operation = platform.operation_of(request, body)
    platform.requests[operation] += 1
    if operation not in platform.through_maintenance:
        maintenance = platform.faults.maintenance(operation)
        if maintenance is not None:
            return platform.maintenance_page(*maintenance)
    fault = platform.faults.take(operation, *TRANSPORT)
    if fault is None:
        return await handler(request)
    request[FAULT] = fault  # a handler may want to know that its answer will not arrive
    return await _play(platform, fault, request, handler)


async def _play(platform: Platform, fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    unheard = web.Response(status=500)  # goes to a connection that is closed: nobody gets it
    match fault.action:
        case "reset":
            await asyncio.sleep(fault.after_ms / 1000)
            abort(request)
            return unheard
        case "stall":
            await silence(request)
            return unheard
        case "http":
            await asyncio.sleep(fault.after_ms / 1000)
            return platform.http_answer(fault)
        case "accept_then_silent":
            await handler(request)
            await silence(request)
            return unheard
        case "accept_then_reset":
            await handler(request)
            await asyncio.sleep(fault.after_ms / 1000)
            abort(request)
            return unheard
    answer = await handler(request)
    match fault.action:
        case "drip":
            return await drip(request, answer, (fault.after_ms or 1000) / 1000)
        case "slow":
            await asyncio.sleep((fault.after_ms or 1000) / 1000)
            return answer
        case _:
            await asyncio.sleep(fault.after_ms / 1000)
            if not isinstance(answer, web.Response):
                return answer
            return await platform.garbage(fault, request, answer)
