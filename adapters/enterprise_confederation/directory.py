"""The exchange directory as a mounted share: bounded, flushed, without overwriting; every step in a thread."""

from __future__ import annotations

import asyncio
import errno
import heapq
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar, cast

from adapters.enterprise_confederation.medium import MOST_LOOKED_AT, Facts, Unsound, Work
from contracts.adapter import Blocking
from contracts.errors import AdapterError, EndpointError, RetryableError

T = TypeVar("T")

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_RIGHT = frozenset({errno.EACCES, errno.EPERM})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_MISSING = frozenset({errno.ENOENT, errno.ENOTDIR})
_NO_LINKS = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EMLINK})
_NO_FILE = frozenset({errno.ELOOP, errno.EISDIR, errno.ENAMETOOLONG})
_NOTHING_HAPPENED = frozenset({errno.ENOTEMPTY, errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOENT})
"""Errors of a rename over something that is no file, or of a file that has gone."""


def of_os(error: OSError) -> AdapterError:
    """Who heals an error of the file system (page §5). Its text, which names paths, is not passed on."""
    code = error.errno
    if code in _RIGHT:
        return EndpointError("share_right_missing", "our account lacks a right in the exchange directory")
    if code == errno.EROFS:
        return EndpointError("share_read_only", "the exchange directory is mounted read-only")
    if code in _MISSING:
        return EndpointError("folder_missing", "a folder of the exchange directory is missing")
    if code in _NO_FILE:
        return EndpointError("not_a_file", "a name of ours in the exchange directory is no plain file")
    if code in _NO_LINKS:
        return EndpointError("share_without_links", "the file system of the exchange directory knows no hard links")
    if code in _FULL:
        return RetryableError("share_full", "the exchange directory has no space left")
    return RetryableError("share_gone", "the exchange directory cannot be reached")


@contextmanager
def _judged() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise of_os(error) from None


class MountedDirectory:
    """See ``medium.Medium``. Its operations never wait for the event loop: a whole step runs in one thread, within its time.
    One that hangs on a dead share is left to itself: what it may still write is the same bytes under the same names."""

    def __init__(self, root: str, blocking: Blocking, limit_s: float) -> None:
        self._root = Path(root)
        self._blocking = blocking
        self._limit_s = limit_s

    async def run(self, work: Work[T], *, filing: bool = False) -> T:
        """See ``medium.Medium``. Nobody knows how far a filing came that hangs."""
        try:
            async with asyncio.timeout(self._limit_s):
                return cast(T, await self._blocking(_driven, work))
        except TimeoutError:
            raise RetryableError(
                "timeout", "the exchange directory did not answer in time", maybe_accepted=filing
            ) from None

    async def compute(self, function: Callable[..., T], /, *arguments: object) -> T:
        """On the spot: a thread it is already."""
        return function(*arguments)

    async def stands(self) -> None:
        """See ``medium.Medium``. A root that is gone is a share that is not mounted."""
        with _judged():
            if not self._root.is_dir():
                raise RetryableError("share_gone", "the exchange directory cannot be reached")
            for folder in (self._root / "up", self._root / "down"):
                if folder.is_symlink() or not folder.is_dir():
                    raise EndpointError("folder_missing", "a folder of the exchange directory is missing")

    async def permitted(self) -> None:
        """See ``medium.Medium``."""
        up, down = self._root / "up", self._root / "down"
        if not os.access(up, os.W_OK | os.X_OK) or not os.access(down, os.R_OK | os.W_OK | os.X_OK):
            raise of_os(PermissionError(errno.EACCES, ""))

    async def names(
        self, folder: str, wanted: Callable[[str], bool], most: int = 1000, *, plain: bool = False
    ) -> list[str]:
        """See ``medium.Medium``."""
        with _judged(), suppress(FileNotFoundError), os.scandir(self._root / folder) as entries:
            return heapq.nsmallest(
                most,
                (
                    entry.name
                    for _, entry in zip(range(MOST_LOOKED_AT), entries, strict=False)
                    if wanted(entry.name) and (not plain or entry.is_file(follow_symlinks=False))
                ),
            )
        return []

    async def facts(self, path: str) -> Facts | None:
        """See ``medium.Medium``."""
        with _judged():
            try:
                found = os.lstat(self._root / path)
            except FileNotFoundError:
                return None
        return Facts(stat.S_ISREG(found.st_mode), found.st_size, found.st_mtime)

    async def present(self, paths: Sequence[str]) -> list[str]:
        """See ``medium.Medium``."""
        return [path for path in paths if await self.facts(path) is not None]

    async def read(self, path: str, limit: int) -> bytes | None:
        """See ``medium.Medium``."""
        with _judged():
            return _read(self._root / path, limit)

    async def create(self, path: str, data: bytes) -> None:
        """See ``medium.Medium``."""
        with _judged(), os.fdopen(os.open(self._root / path, _NEW, 0o640), "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())

    async def give_name(self, path: str, name: str) -> bool:
        """A second name for the file, then the first one goes: the rename that never overwrites."""
        with _judged():
            try:
                os.link(self._root / path, self._root / name, follow_symlinks=False)
            except FileExistsError:
                return False
        with suppress(OSError):  # what is left of it is swept an hour later
            os.unlink(self._root / path)
        return True

    async def replace(self, path: str, name: str) -> bool:
        """See ``medium.Medium``."""
        with _judged():
            try:
                os.replace(self._root / path, self._root / name)
            except OSError as error:
                if error.errno not in _NOTHING_HAPPENED:
                    raise
                return False
        return True

    async def remove(self, path: str) -> None:
        """See ``medium.Medium``."""
        with _judged(), suppress(FileNotFoundError):
            os.unlink(self._root / path)

    async def flush(self, folder: str) -> None:
        """See ``medium.Medium``."""
        with _judged():
            number = os.open(self._root / folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(number)
            finally:
                os.close(number)


def _driven(work: Work[T]) -> T:
    """A step over this medium to its end, in the thread that calls: it never waits."""
    going = work()
    try:
        going.send(None)
    except StopIteration as done:
        return cast(T, done.value)
    except Unsound:
        raise EndpointError("not_a_file", "a name of ours in the exchange directory is no plain file") from None
    going.close()
    raise RuntimeError("file work on a mounted share waits for nothing")


def _read(path: Path, limit: int) -> bytes | None:
    try:
        number = os.open(path, _READ)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in _NO_FILE or error.errno == errno.ENXIO:
            raise Unsound from None
        raise
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise Unsound
    with os.fdopen(number, "rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise Unsound
    return data
