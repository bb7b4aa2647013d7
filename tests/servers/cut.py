"""A wire that can be cut: stands between the gateway and PostgreSQL, and loses a commit before or after it arrived."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Literal

When = Literal["before", "after"]
_COMMIT = b"COMMIT\x00"


class Wire:
    """A proxy on a port of its own. ``lose_commit`` arms it once; ``lost`` counts what it did."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._armed: When | None = None
        self.lost = 0
        self.port = 0

    async def __aenter__(self) -> Wire:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut_all()
        await asyncio.sleep(0.05)

    def lose_commit(self, when: When) -> None:
        """The next commit is lost on its way there (``before``), or its answer on the way back (``after``)."""
        self._armed = when

    def cut_all(self) -> None:
        """Cut every connection."""
        for writer in self._open:
            if writer.transport is not None:
                writer.transport.abort()
        self._open.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, up_writer}
        self._open |= ends
        deaf = asyncio.Event()
        back = asyncio.create_task(self._back(up_reader, writer, deaf))
        try:
            while data := await reader.read(65536):
                if self._armed is not None and _COMMIT in data:
                    when, self._armed = self._armed, None
                    self.lost += 1
                    if when == "before":
                        break
                    deaf.set()
                    up_writer.write(data)
                    await up_writer.drain()
                    await asyncio.sleep(0.05)  # it has been done by now
                    break
                up_writer.write(data)
                await up_writer.drain()
        except OSError:
            pass
        finally:
            back.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await back
            for end in ends:
                end.transport.abort()
            self._open -= ends

    @staticmethod
    async def _back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, deaf: asyncio.Event) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if not deaf.is_set():
                    writer.write(data)
                    await writer.drain()
        writer.transport.abort()
