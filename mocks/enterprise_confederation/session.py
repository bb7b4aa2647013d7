"""One SFTP session (page §1): the requests that the page needs, within the rights of the account."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import posixpath
import socket
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final, NoReturn, TypeVar

import asyncssh
from asyncssh import SFTPAttrs, SFTPName, SSHServerChannel, SSHServerConnection

from mocks.enterprise_confederation.account import Account, Denied, Place
from mocks.enterprise_confederation.medium import ACTIONS, Medium
from mocks.transport import SILENCE_S

T = TypeVar("T")
Ended = Callable[["Session"], None]
SLOW_S: Final = 1.0


@dataclass(slots=True)
class Opened:
    """A file that a session holds open."""

    number: int
    place: Place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """For the library, which looks for holes in a file by itself."""
        return os.lseek(self.number, offset, whence)


class Session(asyncssh.SFTPServer):
    """One SFTP session: SFTP 3, the requests of the page, and ``fsync@openssh.com``. No request comes before the answer of
    the one before: the library asks for them one by one."""

    def __init__(
        self, channel: SSHServerChannel[bytes], account: Account, user: str, medium: Medium, ended: Ended
    ) -> None:
        super().__init__(channel)
        self._account = account
        self._user = user
        self._medium = medium
        self._ended = ended
        self._open: set[int] = set()

    def exit(self) -> None:
        """The end of the session, however it came."""
        for number in self._open:  # opened, but the client never heard of it
            os.close(number)
        self._ended(self)

    async def _serve(self, request: str, work: Callable[[], T]) -> T:
        op = f"sftp.{request}"
        medium = self._medium
        medium.requests[op] += 1
        fault = medium.take(op, *ACTIONS)
        wait_s = fault.after_ms / 1000 if fault is not None else 0.0
        action = fault.action if fault is not None else ""
        if action == "slow":
            await pause(self.connection, wait_s or SLOW_S)
        elif action == "stall":
            await self._fall_silent()
        elif action == "reset":
            await pause(self.connection, wait_s)
            self._cut()
        try:
            result = await asyncio.to_thread(work)
        except Denied as denied:
            await medium.breach(f"no right to {denied.what}", denied.name[:200])
            raise
        if action == "accept_then_silent":
            await self._fall_silent()
        elif action == "accept_then_reset":
            await pause(self.connection, wait_s)
            self._cut()
        return result

    def _cut(self) -> None:
        reset(self.connection)
        raise ConnectionAbortedError(errno.ECONNABORTED, "cut")  # goes to nobody

    async def _fall_silent(self) -> None:
        await silence(self.connection)
        raise ConnectionAbortedError(errno.ECONNABORTED, "silent")  # goes to nobody

    # --- looking

    def realpath(self, path: bytes) -> bytes:
        """The path from the top of the account; whether something is there is another question."""
        return b"/" + posixpath.normpath(posixpath.join(b"/", path)).lstrip(b"/")

    async def stat(self, path: bytes) -> os.stat_result:
        """As the base."""
        return await self._serve("stat", lambda: self._account.see(self._account.place(path)))

    async def lstat(self, path: bytes) -> os.stat_result:
        """As the base."""
        return await self._serve("stat", lambda: self._account.see(self._account.place(path), follow=False))

    async def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        """As the base."""

        def work() -> list[tuple[str, os.stat_result]]:
            place = self._account.place(path)
            itself = self._account.see(place)
            return [(".", itself), ("..", itself), *self._account.names(place)]

        for name, attributes in await self._serve("list", work):
            yield SFTPName(os.fsencode(name), attrs=SFTPAttrs.from_local(attributes))

    def format_user(self, uid: int | None) -> str:
        """The account, whoever owns the file on this machine."""
        return self._user

    def format_group(self, gid: int | None) -> str:
        """The same."""
        return self._user

    # --- files

    async def open(self, path: bytes, pflags: int, attrs: SFTPAttrs) -> object:
        """As the base; the attributes that the client wishes are not taken."""
        place = self._account.place(path)
        writing = bool(pflags & (asyncssh.FXF_WRITE | asyncssh.FXF_APPEND))
        if not writing:
            return Opened(await self._serve("open", lambda: self._keep(self._account.read(place))), place)
        flags = os.O_RDWR if pflags & asyncssh.FXF_READ else os.O_WRONLY
        for asked, flag in (
            (asyncssh.FXF_APPEND, os.O_APPEND),
            (asyncssh.FXF_CREAT, os.O_CREAT),
            (asyncssh.FXF_TRUNC, os.O_TRUNC),
            (asyncssh.FXF_EXCL, os.O_EXCL),
        ):
            flags |= flag if pflags & asked else 0
        number = await self._serve("open", lambda: self._keep(self._account.write(place, flags)))
        self._medium.written(place)
        if not place.name.endswith(".part"):
            await self._medium.breach("written under its own name", place.name)
        return Opened(number, place)

    def _keep(self, number: int) -> int:
        self._open.add(number)
        return number

    def close(self, file_obj: object) -> None:
        """As the base."""
        number = _opened(file_obj).number
        self._open.discard(number)
        os.close(number)

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """As the base; a client has to bear that fewer bytes come than it asked for."""
        file = _opened(file_obj)
        fault = self._medium.take("sftp.read", "drip")
        if fault is not None:
            await pause(self.connection, fault.after_ms / 1000)
        length = 1 if fault is not None else size
        return await self._serve("read", lambda: os.pread(file.number, length, offset))

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """As the base."""
        file = _opened(file_obj)
        if self._medium.full(file.place):
            raise OSError(errno.ENOSPC, "No space left on device")
        self._medium.written(file.place)
        return await self._serve("write", lambda: _put(file.number, data, offset))

    async def fsync(self, file_obj: object) -> None:
        """As the base."""
        file = _opened(file_obj)
        await self._serve("flush", lambda: os.fsync(file.number))
        self._medium.flushed(file.place)

    async def fstat(self, file_obj: object) -> os.stat_result:
        """As the base."""
        file = _opened(file_obj)
        return await self._serve("stat", lambda: os.fstat(file.number))

    async def remove(self, path: bytes) -> None:
        """As the base."""
        place = self._account.place(path)
        await self._serve("remove", lambda: self._account.remove(place))
        await self._medium.removed(place)

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """As the base."""
        old, new = self._account.place(oldpath), self._account.place(newpath)
        marks = new.name.endswith(".ok") or old.name.endswith(".ok")
        await self._serve("mark" if marks else "rename", lambda: self._account.rename(old, new))
        await self._medium.renamed(old, new)

    # --- what the account may not, and nobody needs

    async def _refuse(self, what: str, path: bytes) -> NoReturn:
        self._medium.requests["sftp.other"] += 1
        await self._medium.breach(f"no right to {what}", self._account.place(path).name[:200])
        raise asyncssh.SFTPPermissionDenied(f"{what}: not for this account")

    async def setstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Refused."""
        await self._refuse("set attributes", path)

    async def lsetstat(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Refused."""
        await self._refuse("set attributes", path)

    async def fsetstat(self, file_obj: object, attrs: SFTPAttrs) -> None:
        """Refused."""
        await self._refuse("set attributes", os.fsencode(_opened(file_obj).place.name))

    async def mkdir(self, path: bytes, attrs: SFTPAttrs) -> None:
        """Refused: no other folders (§1)."""
        await self._refuse("make a folder", path)

    async def rmdir(self, path: bytes) -> None:
        """Refused."""
        await self._refuse("remove a folder", path)

    async def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        """Refused."""
        await self._refuse("link", newpath)

    async def link(self, oldpath: bytes, newpath: bytes) -> None:
        """Refused."""
        await self._refuse("link", newpath)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Refused: it overwrites (§1)."""
        await self._refuse("rename over another file", newpath)

    def readlink(self, path: bytes) -> bytes:
        """Refused: there are no links."""
        raise asyncssh.SFTPOpUnsupported("readlink")

    def statvfs(self, path: bytes) -> os.statvfs_result:
        """Refused: how much space there is, is the platform's own matter."""
        raise asyncssh.SFTPOpUnsupported("statvfs")

    def fstatvfs(self, file_obj: object) -> os.statvfs_result:
        """The same."""
        raise asyncssh.SFTPOpUnsupported("fstatvfs")


def reset(connection: SSHServerConnection) -> None:
    """Reset the TCP connection (RST, nothing more is sent)."""
    held = connection.get_extra_info("socket")
    if held is not None:
        with contextlib.suppress(OSError):
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.abort()


async def pause(connection: SSHServerConnection, seconds: float) -> None:
    """Wait, but not for a client that is gone."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await connection.wait_closed()


async def silence(connection: SSHServerConnection) -> None:
    """Say nothing until the client goes or its patience must be over, then close."""
    await pause(connection, SILENCE_S)
    connection.abort()


def _opened(file_obj: object) -> Opened:
    if not isinstance(file_obj, Opened):
        raise TypeError("not a file of this session")
    return file_obj


def _put(number: int, data: bytes, offset: int) -> int:
    done = 0
    while done < len(data):
        done += os.pwrite(number, data[done:], offset + done)
    return done
