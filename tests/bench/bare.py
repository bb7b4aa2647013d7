"""The least that a gateway can be: check, store in groups, claim in batches, post, mark. What ours costs beside it is the
price of its promises. ``python -m tests.bench.bare PORT DIRECTORY SINK``.

It seals nothing, asks nobody who he is, keeps no attempt, no order, no clock and no event, and repeats for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import uvicorn
import uvloop

from contracts.case import Case
from gateway.flow.delivering.transport import Transport

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_AT_ONCE = 64
_TABLES = """
CREATE TABLE IF NOT EXISTS cases (id TEXT PRIMARY KEY, document BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS owed (number INTEGER PRIMARY KEY, id TEXT NOT NULL, state INTEGER NOT NULL, taken INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS owed_open ON owed (number) WHERE state = 0;
"""


class Table:
    """Two tables on one thread, written in groups."""

    def __init__(self, path: Path) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._new: list[tuple[str, bytes, asyncio.Future[None]]] = []
        self._done: list[tuple[int]] = []
        self._writing = False
        self.connection = self._thread.submit(self._open, path).result()

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _TABLES)
        return connection

    async def add(self, identifier: str, document: bytes) -> None:
        """One case, durable when this returns."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._new.append((identifier, document, stored))
        if not self._writing:
            self._writing = True
            asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(self._write()))
        await stored

    async def _write(self) -> None:
        while self._new:
            group, self._new = self._new, []
            await asyncio.get_running_loop().run_in_executor(self._thread, self._insert, group)
            for _, _, stored in group:
                stored.set_result(None)
        self._writing = False

    def _insert(self, group: list[tuple[str, bytes, asyncio.Future[None]]]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany("INSERT INTO cases VALUES (?, ?)", [one[:2] for one in group])
        self.connection.executemany("INSERT INTO owed (id, state, taken) VALUES (?, 0, 0)", [one[:1] for one in group])
        self.connection.execute("COMMIT")

    async def take(self, done: list[tuple[int]]) -> list[tuple[int, str, bytes]]:
        """Mark what is done and take the next, in one commit."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._take, done)

    def _take(self, done: list[tuple[int]]) -> list[tuple[int, str, bytes]]:
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany("UPDATE owed SET state = 2 WHERE number = ?", done)
        rows = self.connection.execute(
            "UPDATE owed SET state = 1, taken = taken + 1 WHERE number IN"
            " (SELECT number FROM owed WHERE state = 0 ORDER BY number LIMIT ?) RETURNING number, id",
            (_AT_ONCE,),
        ).fetchall()
        found = [
            (number, identifier, self.connection.execute("SELECT document FROM cases WHERE id = ?", (identifier,)))
            for number, identifier in rows
        ]
        taken = [(number, identifier, cursor.fetchone()[0]) for number, identifier, cursor in found]
        self.connection.execute("COMMIT")
        return taken


class Bare:
    """The ASGI half and the delivering half."""

    def __init__(self, directory: Path, sink: str) -> None:
        self._table = Table(directory / "bare.db")
        self._transport = Transport()
        self._sink = httpx.URL(sink)
        self._bell = asyncio.Event()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        case = Case.model_validate_json(body)
        await self._table.add(case.source_case_no, body)
        self._bell.set()
        await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    async def deliver(self) -> None:
        """Until cancelled."""
        while True:
            done: list[tuple[int]] = []
            rows = await self._table.take(done)
            while rows:
                done = [number for number in await asyncio.gather(*map(self._post, rows)) if number is not None]
                rows = await self._table.take(done)
            self._bell.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), 0.05)

    async def _post(self, row: tuple[int, str, bytes]) -> tuple[int] | None:
        number, identifier, document = row
        headers = {"content-type": "application/json", "idempotency-key": identifier}
        outgoing = httpx.Request("POST", self._sink, headers=headers, content=document)
        answer = await self._transport.handle_async_request(outgoing)
        await answer.aread()
        return (number,) if answer.status_code < 300 else None


async def main(port: int, directory: Path, sink: str) -> None:
    """Serve and deliver until SIGTERM."""
    bare = Bare(directory, sink)
    server = uvicorn.Server(
        uvicorn.Config(bare, port=port, http="httptools", access_log=False, log_level="warning", lifespan="off")
    )
    delivering = asyncio.create_task(bare.deliver())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: setattr(server, "should_exit", True))
    await server.serve()
    delivering.cancel()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
