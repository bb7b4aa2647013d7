"""Serves the application on a socket: bound before anything starts, ended in order, without signals of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from gateway.web.bounds import Sweeper, bounded

GRACE_S = 3
"""How long open requests (streams of events above all) may go on after the end was told."""

_BACKLOG = 1024


def listening_socket(host: str, port: int) -> socket.socket:
    """A TCP socket bound to the address; it refuses connections until it is served. Port 0 takes a free one.

    Raises:
        OSError: the address is taken, or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except BaseException:
        bound.close()
        raise
    bound.setblocking(False)
    return bound


class _Quiet(uvicorn.Server):
    """uvicorn's server without its signals: it would raise them again at its end, and so cut ours short."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Listener:
    """One application on one socket. ``start`` returns once it answers; ``stop`` once the last request is done."""

    def __init__(self, application: ASGIApp, bound: socket.socket, most_of_one: int = 0) -> None:
        """``most_of_one``: connections that one address may hold; 0: half of all there may be."""
        self._bound = bound
        self._server = _Quiet(
            uvicorn.Config(
                application,
                http=bounded(most_of_one),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                backlog=_BACKLOG,
                timeout_keep_alive=20,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self._task: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to answer.

        Raises:
            RuntimeError: the server ended instead.
        """
        self._task = asyncio.create_task(self._server.serve(sockets=[self._bound]), name="web")
        while not self._server.started:  # uvicorn tells it by a flag alone
            if self._task.done():
                self._task.result()
                raise RuntimeError("the web server ended before it was ready")
            await asyncio.sleep(0.01)
        sweeper = Sweeper(self._server.server_state.connections)
        self._sweeping = asyncio.create_task(sweeper.run(), name="sweeper")

    async def ended(self) -> None:
        """Wait until the server ends, which nobody but ``stop`` should bring about."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def stop(self) -> None:
        """Take no new connection, let open requests end within the grace, give the socket back."""
        self._server.should_exit = True
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._bound.close()
