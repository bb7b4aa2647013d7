"""The front before PostgreSQL cuts at the end of a transaction, not at its beginning."""

import asyncio
import socket

import pytest

from mocks.commerce_federation.front import Front
from mocks.faults import Faults


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def test_accept_then_reset_cuts_at_commit_alone() -> None:
    came = bytearray()

    async def database(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            came.extend(data)
            writer.write(b"done")
        writer.close()

    behind = await asyncio.start_server(database, "127.0.0.1", 0)
    there = behind.sockets[0].getsockname()[1]
    here = _free_port()
    faults = Faults()
    faults.add([{"op": "*", "action": "accept_then_reset"}])
    front = Front(f"postgresql://127.0.0.1:{here}/x", f"postgresql://127.0.0.1:{there}/x", faults)
    await front.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", here)
        writer.write(b"Q\0\0\0\x2aBEGIN ISOLATION LEVEL READ COMMITTED\0")
        assert await reader.readexactly(4) == b"done"
        assert faults.pending()
        writer.write(b"Q\0\0\0\x0bcommit\0")
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(4)
        assert not faults.pending()
        assert came.endswith(b"commit\0")
        writer.close()
    finally:
        await front.stop()
        behind.close()
