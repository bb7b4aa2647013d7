"""The engine's way out against servers that break off at every byte: what left us is told truly, and nothing goes twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from contracts.adapter import Reply, Request
from contracts.errors import RetryableError
from gateway.flow.delivering.exchange import HttpExchange, Limits, Pace
from gateway.flow.delivering.transport import Transport

LIMITS = Limits(
    connect_s=5.0,
    deadline_s=1.0,
    deadline_files_s=1.0,
    rate_per_s=10_000.0,
    at_once=8,
    reply_limit=4096,
    lookup_lag_s=0.0,
    word_within_s=1.0,
    poll_every_s=(1.0, 1.0),
)
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"code":"OK"}'
BODY = b"x" * 200

Speaker = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]
"""Answers one request on a connection, whose number is given; whoever returns is cut off."""


async def _request(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
    )
    await reader.readexactly(length)


class Server:
    """A raw server that counts whole requests."""

    def __init__(self, speak: Speaker) -> None:
        self._speak = speak
        self.requests = 0
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while True:
                await _request(reader)
                self.requests += 1
                await self._speak(reader, writer, self.requests)
                if writer.is_closing():
                    return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def end(self) -> None:
        """Cut everybody off."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)  # the loop closes the sockets after this turn


@asynccontextmanager
async def serving(speak: Speaker) -> AsyncIterator[Server]:
    """A server that is up."""
    made = Server(speak)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.end()
        await server.wait_closed()


@asynccontextmanager
async def going_out() -> AsyncIterator[Callable[..., HttpExchange]]:
    """Exchanges over one production transport."""
    transport = Transport()
    pace = Pace(LIMITS.rate_per_s, LIMITS.at_once)

    def exchange(seconds: float = 10.0, *, keep_alive: bool = True) -> HttpExchange:
        return HttpExchange(transport, LIMITS, pace, lambda: 0, time.monotonic() + seconds, keep_alive)

    try:
        yield exchange
    finally:
        await transport.aclose()


async def _failure(exchange: HttpExchange, port: int, method: str = "POST", *, filing: bool = True) -> RetryableError:
    request = Request(method, f"http://127.0.0.1:{port}/", body=BODY if method == "POST" else b"")
    with pytest.raises(RetryableError) as failure:
        await exchange.call("file", request, filing=filing)
    return failure.value


def _first(count: int) -> Speaker:
    """The first so many bytes of the answer, then the end."""

    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: int) -> None:
        writer.write(ANSWER[:count])
        await writer.drain()
        writer.close()

    return speak


async def test_an_answer_cut_at_any_byte_is_doubt() -> None:
    async with going_out() as exchange:
        for count in range(len(ANSWER)):
            async with serving(_first(count)) as server:
                error = await _failure(exchange(), server.port)
                assert error.maybe_accepted, f"cut after {count} bytes of the answer"
                assert error.code == "broken_off", f"cut after {count} bytes of the answer: {error.code}"
                assert server.requests == 1, f"cut after {count} bytes of the answer: sent {server.requests} times"
        async with serving(_first(len(ANSWER))) as server:
            whole = exchange()
            reply = await whole.call(
                "file", Request("POST", f"http://127.0.0.1:{server.port}/", body=BODY), filing=True
            )
            assert isinstance(reply, Reply)
            assert reply.body == b'{"code":"OK"}'


async def test_a_preparing_step_that_breaks_is_no_doubt() -> None:
    async with going_out() as exchange, serving(_first(10)) as server:
        error = await _failure(exchange(), server.port, filing=False)
        assert not error.maybe_accepted


async def test_a_request_cut_at_any_byte_is_doubt() -> None:
    """The platform read a part of it and hung up: how much left us, nobody knows."""
    for count in (1, 20, 100, 250):

        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: int = count) -> None:
            await reader.readexactly(count)
            writer.transport.abort()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        async with going_out() as exchange:
            error = await _failure(exchange(), server.sockets[0].getsockname()[1])
        assert error.maybe_accepted, f"cut after {count} bytes of the request"
        server.close()
        await server.wait_closed()


async def test_a_connection_that_was_never_made_is_none() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with going_out() as exchange:
        out = exchange()
        error = await _failure(out, port)
        assert (error.code, error.maybe_accepted, out.filed) == ("unreachable", False, False)
        unknown = exchange()
        with pytest.raises(RetryableError) as failure:
            await unknown.call("file", Request("POST", "http://no-such-host.invalid/", body=BODY), filing=True)
        assert not failure.value.maybe_accepted


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_kept_connection_that_is_dead_is_not_tried_again_unseen(method: str) -> None:
    """aiohttp would repeat a GET by itself: a request that no attempt tells of."""

    async def once(_: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        if number == 1:
            writer.write(ANSWER)
            await writer.drain()
        else:
            writer.transport.abort()

    async with going_out() as exchange, serving(once) as server:
        await exchange().call("ping", Request("GET", f"http://127.0.0.1:{server.port}/"))
        error = await _failure(exchange(), server.port, method)
        assert error.maybe_accepted
        assert server.requests == 2


async def test_platforms_without_a_remedy_get_a_connection_each() -> None:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with going_out() as exchange:
        for _ in range(3):
            await exchange(keep_alive=False).call("file", Request("GET", f"http://127.0.0.1:{port}/"), filing=True)
    server.close()
    await server.wait_closed()
    assert len(heads) == 3
    assert all(b"connection: close" in head.lower() for head in heads)


@pytest.mark.parametrize(
    "noise",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"HTTP/9.9 huh\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: zz\r\n\r\n",
        b"SSH-2.0-x\r\n",
    ],
)
async def test_what_is_no_http_is_doubt(noise: bytes) -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: int) -> None:
        writer.write(noise)
        await writer.drain()
        writer.close()

    async with going_out() as exchange, serving(speak) as server:
        error = await _failure(exchange(), server.port)
        assert (error.code, error.maybe_accepted) == ("broken_off", True)


async def test_a_dripping_answer_ends_with_the_attempt() -> None:
    dripped: list[int] = []

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: int) -> None:
        for byte in ANSWER:
            writer.write(bytes([byte]))
            await writer.drain()
            dripped.append(byte)
            await asyncio.sleep(0.05)

    async with going_out() as exchange, serving(drip) as server:
        error = await _failure(exchange(0.3), server.port)
        assert (error.code, error.maybe_accepted) == ("timeout", True)
        assert 0 < len(dripped) < len(ANSWER), "it is not waited for to its end"


async def test_an_endless_answer_is_cut_at_its_limit() -> None:
    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _chunk in range(1000):
            writer.write(b"400\r\n" + b"a" * 1024 + b"\r\n")
            await writer.drain()

    async with going_out() as exchange, serving(flood) as server:
        error = await _failure(exchange(), server.port)
        assert (error.code, error.maybe_accepted) == ("reply_too_large", True)


async def test_redirects_are_not_followed_and_packed_answers_not_unpacked() -> None:
    async def elsewhere(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: int) -> None:
        writer.write(
            b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08"
        )
        await writer.drain()

    async with going_out() as exchange, serving(elsewhere) as server:
        reply = await exchange().call(
            "file", Request("POST", f"http://127.0.0.1:{server.port}/", body=BODY), filing=True
        )
        assert (reply.status, reply.body) == (302, b"\x1f\x8b\x08")
        assert server.requests == 1
