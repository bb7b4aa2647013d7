"""A real SFTP server on this machine: its account has a directory of a test. It can be told what to do at an operation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import asyncssh

Act = Callable[["Account", str], Awaitable[None]]
"""What happens at a moment (``before rename``, ``after rename`` …) of an operation on a name."""

USER = "qltj"


@cache
def key_of(whose: str, kind: str = "ssh-ed25519") -> asyncssh.SSHKey:
    """A key of this run."""
    return asyncssh.generate_private_key(kind, comment=whose)


class House:
    """The server's side: its keys, its one account, and what it does beside its work."""

    def __init__(self, root: Path, aside: Path) -> None:
        self.root = root
        self.private_key_file = aside / "id_ed25519"
        self.host_keys = [key_of("host")]
        self.extensions = self.offers_sftp = True
        self.script: dict[str, Act] = {}
        self.connections: list[asyncssh.SSHServerConnection] = []
        self.logins: list[str] = []
        self._server: asyncssh.SSHAcceptor | None = None
        self._port = 0
        key = key_of("gateway")
        self.private_key_file.write_bytes(key.export_private_key())
        self.private_key_file.chmod(0o600)

    async def open(self) -> None:
        """Listen, at the same port as before."""
        mine = asyncssh.import_authorized_keys(key_of("gateway").export_public_key().decode())
        self._server = await asyncssh.listen(
            "127.0.0.1",
            self._port,
            server_factory=lambda: _Door(self),
            server_host_keys=self.host_keys,
            authorized_client_keys=mine,
            sftp_factory=self._account if self.offers_sftp else None,
            process_factory=lambda process: process.exit(1),
        )
        self._port = self._server.get_port()

    def _account(self, channel: asyncssh.SSHServerChannel[Any]) -> asyncssh.SFTPServer:
        return (Account if self.extensions else PlainAccount)(self, channel)

    async def close(self) -> None:
        """Nothing is left of it but its port's number."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for connection in self.connections:
                connection.abort()
            await server.wait_closed()
            for connection in self.connections:
                await connection.wait_closed()
            self.connections.clear()

    def settings(self, path: str = "/share", pinned: asyncssh.SSHKey | None = None) -> dict[str, Any]:
        """As the adapter is told of it."""
        return {
            "root": f"sftp://{USER}@127.0.0.1:{self._port}{path}",
            "host_key": (pinned or self.host_keys[0]).get_fingerprint(),
            "private_key_file": str(self.private_key_file),
        }


@asynccontextmanager
async def serving(root: Path, aside: Path) -> AsyncIterator[House]:
    """A server whose account sees the folder ``root``; its keys lie in ``aside``."""
    house = House(root, aside)
    await house.open()
    try:
        yield house
    finally:
        await house.close()


class _Door(asyncssh.SSHServer):
    def __init__(self, house: House) -> None:
        self._house = house

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._house.connections.append(conn)

    def begin_auth(self, username: str) -> bool:
        self._house.logins.append(username)
        return True


class PlainAccount(asyncssh.SFTPServer):
    """The account on a server that knows the protocol alone, none of OpenSSH's words."""

    def __init__(self, house: House, channel: asyncssh.SSHServerChannel[Any]) -> None:
        super().__init__(channel, chroot=str(house.root).encode())

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPOpUnsupported("not here")

    def fsync(self, file_obj: object) -> None:
        raise asyncssh.SFTPOpUnsupported("not here")

    def statvfs(self, path: bytes) -> asyncssh.SFTPVFSAttrs:
        raise asyncssh.SFTPOpUnsupported("not here")


class Account(asyncssh.SFTPServer):
    """The account on a server that knows OpenSSH's words too, and can be told what to do."""

    def __init__(self, house: House, channel: asyncssh.SSHServerChannel[Any]) -> None:
        super().__init__(channel, chroot=str(house.root).encode())
        self._house = house

    async def meet(self, moment: str, path: bytes) -> None:
        """What was told for this moment."""
        act = self._house.script.get(moment)
        if act is not None:
            await act(self, path.decode())

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        await self.meet("before open", path)
        return super().open(path, pflags, attrs)

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        await self.meet("before write", b"")
        written = super().write(file_obj, offset, data)
        return written if isinstance(written, int) else await written

    async def fsync(self, file_obj: object) -> None:
        await self.meet("before fsync", b"")
        super().fsync(file_obj)

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        await self.meet("before rename", newpath)
        super().rename(oldpath, newpath)
        await self.meet("after rename", newpath)

    async def lstat(self, path: bytes) -> Any:
        await self.meet("before lstat", path)
        return super().lstat(path)

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        await self.meet("before scandir", path)
        async for entry in super().scandir(path):
            yield entry

    async def statvfs(self, path: bytes) -> Any:
        await self.meet("before statvfs", path)
        return super().statvfs(path)


def at(ending: str, act: Act) -> Act:
    """Only where the name ends so."""

    async def told(account: Account, path: str) -> None:
        if path.endswith(ending):
            await act(account, path)

    return told


async def cut(account: Account, path: str) -> None:
    """The line is cut: nothing is done and nothing answered from here on."""
    account.connection.abort()
    raise asyncssh.SFTPConnectionLost("cut")


def failing(error: Exception) -> Act:
    """The operation fails so."""

    async def told(account: Account, path: str) -> None:
        raise error

    return told
