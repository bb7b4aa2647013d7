"""The exchange directory as the root of an SFTP account: every operation bounded in time and bytes, links never followed.
Imported only where a root is an SFTP account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing, suppress
from pathlib import PurePosixPath
from typing import Any, TypeVar, cast

import asyncssh

from adapters.enterprise_confederation.connection import FAULTS, Connection, Session
from adapters.enterprise_confederation.layout import DOWN, UP
from adapters.enterprise_confederation.medium import MOST_LOOKED_AT, Facts, Unsound, Work
from contracts.adapter import Blocking
from contracts.errors import AdapterError, EndpointError, RetryableError

T = TypeVar("T")

_BLOCK = 32 * 1024
"""Bytes of one request: what every server must take."""
_AT_ONCE = 16
"""Requests on the way for one file."""
_LONGEST = 4
"""Times of one operation that a whole step may take."""
_READ_ONLY = 0x1
_CUT = (asyncssh.SFTPNoConnection, asyncssh.SFTPConnectionLost, asyncssh.SFTPBadMessage)
_MISSING = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory)
_FULL = (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded)
_NO_FILE = (asyncssh.SFTPFileIsADirectory, asyncssh.SFTPLinkLoop, asyncssh.SFTPInvalidFilename)
_THERE = (
    asyncssh.SFTPFailure,  # the one word of version 3 for nearly everything
    asyncssh.SFTPFileAlreadyExists,
    asyncssh.SFTPFileIsADirectory,
    asyncssh.SFTPDirNotEmpty,
)
"""Answers to a rename that may mean that something stands under the new name."""


class SftpAccount:
    """See ``medium.Medium``. A step waits on the event loop; what is slow computing in it does not."""

    def __init__(self, connection: Connection, root: str, blocking: Blocking, limit_s: float) -> None:
        self._connection = connection
        self._root = PurePosixPath(root)
        self._blocking = blocking
        self._limit_s = limit_s

    async def run(self, work: Work[T], *, filing: bool = False) -> T:
        """See ``medium.Medium``. Each operation has its own time, and whoever lost the marker's rename knows it; a server that
        answers each of them at the last moment is left all the same."""
        try:
            async with asyncio.timeout(_LONGEST * self._limit_s):
                return await work()
        except TimeoutError:
            raise RetryableError(
                "timeout", "the exchange directory did not answer in time", maybe_accepted=filing
            ) from None
        except Unsound:
            raise EndpointError("not_a_file", "a name of ours in the exchange directory is no plain file") from None

    async def compute(self, function: Callable[..., T], /, *arguments: object) -> T:
        """See ``medium.Medium``."""
        return cast(T, await self._blocking(function, *arguments))

    async def close(self) -> None:
        """End the connection in order."""
        await self._connection.close()

    async def stands(self) -> None:
        """See ``medium.Medium``."""

        async def look(client: asyncssh.SFTPClient) -> list[asyncssh.SFTPAttrs]:
            folders = [client.lstat(self._at(folder)) for folder in (UP, DOWN)]
            return await asyncio.gather(client.stat(self._at("")), *folders)

        for found in await self._do(look):
            if found.type != asyncssh.FILEXFER_TYPE_DIRECTORY:
                raise EndpointError("folder_missing", "a folder of the exchange directory is missing")

    async def permitted(self) -> None:
        """Both folders open. SFTP cannot ask for a right: one to write is found out by the first batch."""

        async def look(client: asyncssh.SFTPClient) -> None:
            for folder in (UP, DOWN):
                async with aclosing(_entries(client, self._at(folder))) as entries:
                    async for _ in entries:
                        break

        await self._do(look)

    async def names(
        self, folder: str, wanted: Callable[[str], bool], most: int = 1000, *, plain: bool = False
    ) -> list[str]:
        """See ``medium.Medium``."""
        found: list[str] = []

        async def look(client: asyncssh.SFTPClient) -> None:
            looked_at = 0
            async with aclosing(_entries(client, self._at(folder))) as entries:
                async for entry in entries:
                    looked_at += 1
                    name = cast(bytes, entry.filename).decode("ascii", "replace")
                    if wanted(name) and "/" not in name and (not plain or _may_be_file(entry.attrs)):
                        found.append(name)
                    if looked_at >= MOST_LOOKED_AT:
                        break

        try:
            await self._do(look)
        except _Missing:
            return []
        return sorted(found)[:most]

    async def facts(self, path: str) -> Facts | None:
        """See ``medium.Medium``."""
        try:
            found = await self._do(lambda client: client.lstat(self._at(path)))
        except _Missing:
            return None
        return Facts(found.type == asyncssh.FILEXFER_TYPE_REGULAR, found.size or 0, float(found.mtime or 0))

    async def present(self, paths: Sequence[str]) -> list[str]:
        """See ``medium.Medium``. All are asked for at once."""

        async def look(client: asyncssh.SFTPClient) -> list[asyncssh.SFTPAttrs | BaseException]:
            asked = [client.lstat(self._at(path)) for path in paths]
            return list(await asyncio.gather(*asked, return_exceptions=True))

        def there(found: asyncssh.SFTPAttrs | BaseException) -> bool:
            if isinstance(found, BaseException) and not isinstance(found, _MISSING):
                raise found
            return not isinstance(found, BaseException)

        async def judged(client: asyncssh.SFTPClient) -> list[str]:
            return [path for path, found in zip(paths, await look(client), strict=True) if there(found)]

        return await self._do(judged)

    async def read(self, path: str, limit: int) -> bytes | None:
        """As much as stood there at the look. The protocol cannot open without following: a link that comes between look and
        opening leads nowhere but on the server's own disk, to bytes that no digest proves."""
        found = await self.facts(path)
        if found is None:
            return None
        if not found.plain or found.size > limit:
            raise Unsound
        if not found.size:
            return b""

        async def read(client: asyncssh.SFTPClient) -> bytes:
            async with client.open(self._at(path), "rb", block_size=_BLOCK, max_requests=_AT_ONCE) as file:
                return cast(bytes, await file.read(found.size))

        try:
            data = await self._do(read)
        except _Missing:
            return None
        if len(data) > limit:
            raise Unsound
        return data

    async def create(self, path: str, data: bytes) -> None:
        """See ``medium.Medium``. Flushed where the server can be told to (``fsync@openssh.com``)."""

        async def write(client: asyncssh.SFTPClient) -> None:
            mode = asyncssh.SFTPAttrs(permissions=0o640)
            opened = client.open(self._at(path), "xb", mode, block_size=_BLOCK, max_requests=_AT_ONCE)
            async with opened as file:
                await file.write(data)
                with suppress(asyncssh.SFTPOpUnsupported):
                    await file.fsync()

        await self._do(write, needs=len(data))

    async def give_name(self, path: str, name: str) -> bool:
        """The protocol's own rename, which never overwrites."""
        return await self._do(lambda client: self._renamed(client, path, name), needs=1)

    async def replace(self, path: str, name: str) -> bool:
        """The same rename, for which every account has the right; over a file ``posix-rename@openssh.com``, or two steps. Where
        the account may not take another's file away, it stays."""

        async def rename(client: asyncssh.SFTPClient) -> bool:
            if await self._renamed(client, path, name):
                return True
            if await self._kind(client, name) == asyncssh.FILEXFER_TYPE_DIRECTORY:
                return False
            try:
                await client.posix_rename(self._at(path), self._at(name))
            except (asyncssh.SFTPOpUnsupported, asyncssh.SFTPPermissionDenied):
                return await in_two(client)
            return True

        async def in_two(client: asyncssh.SFTPClient) -> bool:
            try:
                await client.remove(self._at(name))
            except asyncssh.SFTPPermissionDenied:
                return False
            return await self._renamed(client, path, name)

        try:
            return await self._do(rename, needs=1)
        except _Missing:
            return False

    async def remove(self, path: str) -> None:
        """See ``medium.Medium``."""
        with suppress(_Missing):
            await self._do(lambda client: client.remove(self._at(path)), needs=1)

    async def flush(self, folder: str) -> None:
        """SFTP has no word for it: what the server has renamed and answered stands there."""

    # ------------------------------------------------------------------------------------------------------- operations

    def _at(self, path: str) -> bytes:
        return str(self._root / path).encode()

    async def _renamed(self, client: asyncssh.SFTPClient, path: str, name: str) -> bool:
        try:
            await client.rename(self._at(path), self._at(name))
        except _THERE:
            if await self._kind(client, name) is None:
                raise
            return False
        return True

    async def _kind(self, client: asyncssh.SFTPClient, path: str) -> int | None:
        try:
            return (await client.lstat(self._at(path))).type
        except _MISSING:
            return None

    async def _do(self, work: Callable[[asyncssh.SFTPClient], Coroutine[Any, Any, T]], needs: int = 0) -> T:
        """One operation in its time. One that hangs, or whose caller is gone, takes the connection with it: nothing that waits
        for a dead server can be waited for. ``needs``: it writes, so that a bare failure may mean a full disk."""
        session = await self._connection.session()
        going = asyncio.create_task(work(session.client))
        try:
            await asyncio.wait({going}, timeout=self._limit_s)
        finally:
            if not going.done():
                self._connection.drop(session)
                going.add_done_callback(_unheard)
                going.cancel()
        if not going.done():
            raise RetryableError("timeout", "the exchange directory did not answer in time")
        return await self._told(going, session, needs)

    async def _told(self, done: asyncio.Task[T], session: Session, needs: int) -> T:
        try:
            return done.result()
        except asyncssh.SFTPFailure:
            raise (await self._why(needs) if needs else _refused()) from None
        except _CUT:
            self._connection.drop(session)
            raise _gone() from None
        except asyncssh.SFTPError as error:
            raise of_sftp(error) from None
        except FAULTS:
            self._connection.drop(session)
            raise _gone() from None

    async def _why(self, needs: int) -> AdapterError:
        """What a bare failure to write means, by the figures of the file system (``statvfs@openssh.com``)."""
        try:
            found = await self._do(lambda client: client.statvfs(self._at(UP)))
        except AdapterError:
            return _refused()
        if found.flags & _READ_ONLY:
            return EndpointError("share_read_only", "the exchange directory takes no writes")
        if found.bavail * found.frsize < needs:
            return RetryableError("share_full", "the exchange directory has no space left")
        return _refused()


class _Missing(EndpointError):
    """Nothing stands there; the operator's, where something must."""

    def __init__(self) -> None:
        super().__init__("folder_missing", "a folder of the exchange directory is missing")


def of_sftp(error: asyncssh.SFTPError) -> AdapterError:
    """Who heals what the server answered (page §5). Its words are not passed on."""
    if isinstance(error, _MISSING):
        return _Missing()
    if isinstance(error, asyncssh.SFTPPermissionDenied):
        return EndpointError("share_right_missing", "our account lacks a right in the exchange directory")
    if isinstance(error, asyncssh.SFTPWriteProtect):
        return EndpointError("share_read_only", "the exchange directory takes no writes")
    if isinstance(error, _NO_FILE):
        return EndpointError("not_a_file", "a name of ours in the exchange directory is no plain file")
    if isinstance(error, asyncssh.SFTPOpUnsupported):
        return EndpointError("sftp_unsupported", "the server offers no SFTP, or not what is needed of it")
    if isinstance(error, _FULL):
        return RetryableError("share_full", "the exchange directory has no space left")
    return _refused()


def _refused() -> AdapterError:
    return RetryableError("share_refused", "the SFTP server refused a file operation and did not say why")


def _gone() -> AdapterError:
    return RetryableError("share_gone", "the exchange directory cannot be reached")


def _entries(client: asyncssh.SFTPClient, folder: bytes) -> AsyncGenerator[asyncssh.SFTPName, None]:
    """Entries as they come; to be closed, since the server keeps a handle for them."""
    return cast("AsyncGenerator[asyncssh.SFTPName, None]", client.scandir(folder))


def _may_be_file(attrs: asyncssh.SFTPAttrs) -> bool:
    """A server that says nothing of the kind is asked again when the file is read."""
    return attrs.type in (asyncssh.FILEXFER_TYPE_REGULAR, asyncssh.FILEXFER_TYPE_UNKNOWN)


def _unheard(done: asyncio.Task[Any]) -> None:
    """What an operation says that nobody waits for any more."""
    if not done.cancelled():
        done.exception()
