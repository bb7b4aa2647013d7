"""A TCP front before PostgreSQL (page §9): it closes, cuts and delays; the bytes themselves pass as they are."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from typing import Final
from urllib.parse import urlsplit

from mocks.commerce_federation.reader import OPS
from mocks.faults import Fault, Faults

_PORT: Final = 5432
_CHUNK: Final = 65536
_COMMIT_S: Final = 0.1
#: A whole statement: ``BEGIN ISOLATION LEVEL READ COMMITTED`` ends no transaction.
_COMMIT: Final = re.compile(rb"\bCOMMIT\s*[\0;]", re.IGNORECASE)


class Front:
    """Listens where ``database_url`` points to, speaks to where ``server_url`` points to."""

    def __init__(self, database_url: str, server_url: str, faults: Faults) -> None:
        self._here = _address(database_url)
        self._there = _address(server_url)
        self._faults = faults
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._reopening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._pass, *self._here)

    async def stop(self) -> None:
        """End, with all connections."""
        if self._reopening is not None:
            self._reopening.cancel()
            await asyncio.gather(self._reopening, return_exceptions=True)
        self._close()

    def refuse(self, seconds: float) -> None:
        """Close the port and every connection for so long."""
        self._close()
        if self._reopening is not None:
            self._reopening.cancel()
        self._reopening = asyncio.create_task(self._reopen(seconds))

    async def _reopen(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.start()

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            _cut(writer)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with contextlib.suppress(OSError):
                back, on = await asyncio.open_connection(*self._there)
                try:
                    answers = asyncio.create_task(_copy(back, writer))
                    try:
                        await self._ask(reader, writer, on, answers)
                    finally:
                        answers.cancel()
                        await asyncio.gather(answers, return_exceptions=True)
                finally:
                    on.close()
        finally:
            self._open.discard(writer)
            writer.close()

    async def _ask(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        on: asyncio.StreamWriter,
        answers: asyncio.Task[None],
    ) -> None:
        while data := await reader.read(_CHUNK):
            if self._take("reset") is not None:
                _cut(writer)
                return
            if (fault := self._take("slow")) is not None:
                await asyncio.sleep((fault.after_ms or 1000) / 1000)
            last = _COMMIT.search(data) is not None and self._take("accept_then_reset") is not None
            if last:
                answers.cancel()
            on.write(data)
            await on.drain()
            if last:
                await asyncio.sleep(_COMMIT_S)
                _cut(writer)
                return

    def _take(self, action: str) -> Fault | None:
        for op in OPS:
            if (fault := self._faults.take(op, action)) is not None:
                return fault
        return None


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        writer.close()


def _cut(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or _PORT
