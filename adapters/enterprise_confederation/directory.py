"""File work in the exchange directory: bounded, flushed, without overwriting; every step in a thread, every wait limited."""

from __future__ import annotations

import asyncio
import errno
import heapq
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar, cast

from contracts.adapter import Blocking
from contracts.errors import AdapterError, EndpointError, RetryableError

T = TypeVar("T")

MOST_LOOKED_AT = 50_000
"""Names of one folder that are looked at: more is somebody's mischief."""
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_RIGHT = frozenset({errno.EACCES, errno.EPERM})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_MISSING = frozenset({errno.ENOENT, errno.ENOTDIR})
_NO_LINKS = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EMLINK})
_NO_FILE = frozenset({errno.ELOOP, errno.EISDIR, errno.ENAMETOOLONG})


class Unsound(Exception):
    """A file that is none, or larger than it may be."""


class Steps(Protocol):
    """Runs one step of file work."""

    async def run(self, step: str, work: Callable[[], T], *, filing: bool = False) -> T:
        """What the work returned.

        Raises:
            RetryableError, EndpointError: page §5.
        """
        ...


class Threads:
    """Steps in threads, each within its time. A step that hangs on a dead share is left to itself: what it may still write is
    the same bytes under the same names."""

    def __init__(self, blocking: Blocking, limit_s: float) -> None:
        self._blocking = blocking
        self._limit_s = limit_s

    async def run(self, step: str, work: Callable[[], T], *, filing: bool = False) -> T:
        """See ``Steps``."""
        try:
            async with asyncio.timeout(self._limit_s):
                return cast(T, await self._blocking(_sorted_out, work))
        except TimeoutError:
            raise RetryableError(
                "timeout", "the exchange directory did not answer in time", maybe_accepted=filing
            ) from None


def _sorted_out(work: Callable[[], T]) -> T:
    try:
        return work()
    except OSError as error:
        raise of_os(error) from None
    except Unsound:
        raise EndpointError("not_a_file", "a name of ours in the exchange directory is no plain file") from None


def of_os(error: OSError, *, filing: bool = False) -> AdapterError:
    """Who heals an error of the file system (page §5). Its text, which names paths, is not passed on. ``filing``: the share
    may have done it and lost the answer."""
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
    return RetryableError("share_gone", "the exchange directory cannot be reached", maybe_accepted=filing)


class Folder:
    """The layout of page §1 under its root."""

    def __init__(self, root: str) -> None:
        self.root = Path(root)
        self.up, self.down = self.root / "up", self.root / "down"
        self.done, self.bad = self.root / "done", self.root / "bad"
        self.heartbeat = self.root / "heartbeat.json"

    def stands(self) -> None:
        """Raises:
        RetryableError: the root is gone (a share that is not mounted).
        EndpointError: ``folder_missing``.
        """
        if not self.root.is_dir():
            raise RetryableError("share_gone", "the exchange directory cannot be reached")
        for folder in (self.up, self.down):
            if folder.is_symlink() or not folder.is_dir():
                raise EndpointError("folder_missing", "a folder of the exchange directory is missing")

    def days(self, folder: Path) -> list[Path]:
        """The dated folders under ``done`` or ``bad``, the newest first, no more than sixty."""
        found = matching(folder, lambda name: len(name) == 8 and name.isascii() and name.isdigit())
        return [folder / name for name in sorted(found, reverse=True)[:60]]


def read(path: Path, limit: int) -> bytes | None:
    """A plain file; ``None`` where there is none.

    Raises:
        Unsound: a link, a pipe, a folder, or larger than its limit.
    """
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


def matching(folder: Path, wanted: Callable[[str], bool], most: int = 1000, *, plain: bool = False) -> list[str]:
    """Names of a folder, sorted, the first ``most``; no folder, no names. However many stand there, no more are kept.
    ``plain``: files alone, no links, no folders."""
    try:
        with os.scandir(folder) as entries:
            names = (
                entry.name
                for _, entry in zip(range(MOST_LOOKED_AT), entries, strict=False)
                if wanted(entry.name) and (not plain or entry.is_file(follow_symlinks=False))
            )
            return heapq.nsmallest(most, names)
    except FileNotFoundError:
        return []


def put(folder: Path, name: str, data: bytes) -> None:
    """Write ``name.part``, flush it, and give it its name without overwriting. The same bytes that stand there already are
    kept; a leftover of other bytes goes. Only for a batch that has no marker."""
    there = standing(folder / name, len(data))
    if there == data:
        return
    if there is not None:
        os.unlink(folder / name)
    write_part(folder, name, data)
    give_name(folder, name, data)


def write_part(folder: Path, name: str, data: bytes) -> None:
    """``name.part``, on disk."""
    part = folder / f"{name}.part"
    with suppress(FileNotFoundError):
        os.unlink(part)
    number = os.open(part, _NEW, 0o640)
    with os.fdopen(number, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(number)


def give_name(folder: Path, name: str, data: bytes) -> None:
    """The rename that never overwrites: a second name for the file, then the first one goes.

    Raises:
        EndpointError: ``other_content``, somebody else was here first.
    """
    part, target = folder / f"{name}.part", folder / name
    try:
        os.link(part, target, follow_symlinks=False)
        linked = True
    except FileExistsError:
        linked = False
    there = standing(target, len(data))
    if there is None and not linked:
        raise OSError(errno.EAGAIN, "another writer was here")
    # A marker of ours that is gone again was taken by the reader in this very moment.
    if there is not None and there != data:
        raise EndpointError("other_content", "the exchange directory holds another file under our name")
    with suppress(OSError):  # what is left of it is swept an hour later
        os.unlink(part)


def standing(path: Path, size: int) -> bytes | None:
    """What stands there; a file that is larger than ours is other bytes all the same."""
    try:
        return read(path, size)
    except Unsound:
        if stat.S_ISREG(os.stat(path, follow_symlinks=False).st_mode):
            return b"\0larger"
        raise


def flush(folder: Path) -> None:
    """The directory's entries to disk."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)
