"""The gateway's account (page §1): its address, what of the directory it sees, and what it may do there.

File work here blocks, and is called in a thread.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from mocks.enterprise_confederation.disk import FOLDERS, Disk

SCHEME: Final = "sftp://"
_BEAT: Final = "heartbeat.json"
_BY_DAY: Final = ("done", "bad")
#: What a marker of ``down/`` becomes once it is taken (page §5).
_TAKEN: Final = (".taken", ".bad")


class Denied(PermissionError):
    """Outside the rights of the account: ``what`` on ``name``."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(errno.EACCES, "Permission denied")
        self.what = what
        self.name = name


@dataclass(frozen=True, slots=True)
class Address:
    """``sftp://user@host:port/path``. ``way``: the folders of the account above the exchange directory."""

    user: str
    host: str
    port: int
    way: tuple[str, ...]

    def at(self, port: int) -> str:
        """The address as a text, at this port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{SCHEME}{quote(self.user, safe='')}@{host}:{port}/{'/'.join(quote(name) for name in self.way)}"


def address_of(root: str) -> Address:
    """Read the setting ``root``. Raises ``ValueError``."""
    try:
        parts = urlsplit(root)
        port = parts.port
    except ValueError:
        raise ValueError("root: no address; give sftp://user@host:port/path") from None
    way = tuple(filter(None, unquote(parts.path).split("/")))
    plain = not (parts.query or parts.fragment or parts.password)
    if not root.startswith(SCHEME) or not parts.username or not parts.hostname or port is None or not plain:
        raise ValueError("root: give sftp://user@host:port/path (port 0 = any), or the path of a directory")
    if {".", ".."} & set(way):
        raise ValueError("root: the path of an account has no . and no ..")
    return Address(unquote(parts.username), parts.hostname, port, way)


@dataclass(frozen=True, slots=True)
class Place:
    """What a path of the account means. ``kind``: ``above`` (the exchange directory and what leads to it), ``beat``,
    ``folder``, ``file``, or ``foreign``: nothing of the layout. ``folder``: of a file, where it lies."""

    kind: str
    path: Path
    folder: str = ""

    @property
    def name(self) -> str:
        return self.path.name


class Account:
    """The exchange directory as the account sees it: reading all of the layout, writing in ``up/``, renaming the markers
    of ``down/``; nothing else, and nothing outside."""

    def __init__(self, disk: Disk, way: tuple[str, ...]) -> None:
        self._disk = disk
        self._way = way
        self._root = Path(os.path.realpath(disk.root))
        self._top = self._root.parents[len(way) - 1] if way else self._root

    def place(self, path: bytes) -> Place:
        """What a path means; it begins at the top of the account, whatever it says."""
        text = os.fsdecode(posixpath.normpath(posixpath.join(b"/", path)))
        names = tuple(filter(None, text.split("/")))
        local = self._top.joinpath(*names)
        if "\0" in text:
            return Place("foreign", self._top)
        if names == self._way[: len(names)]:
            return Place("above", local)
        match names[len(self._way) :] if names[: len(self._way)] == self._way else ():
            case (name,) if name == _BEAT:
                return Place("beat", local)
            case (name,) if name in FOLDERS:
                return Place("folder", local, name)
            case (folder, _) if folder in _BY_DAY:
                return Place("folder", local, folder)
            case (("up" | "down") as folder, _):
                return Place("file", local, folder)
            case (folder, _, _) if folder in _BY_DAY:
                return Place("file", local, folder)
        return Place("foreign", local)

    # --- what it sees

    def see(self, place: Place, *, follow: bool = True) -> os.stat_result:
        """The attributes."""
        self._reach(place, follow=follow)
        return place.path.stat(follow_symlinks=follow)

    def names(self, place: Place) -> list[tuple[str, os.stat_result]]:
        """What a folder holds, by name."""
        self._reach(place)
        names = sorted(os.listdir(place.path))
        if place.kind == "above":
            known = (*FOLDERS, _BEAT) if place.path == self._root else self._way
            names = [name for name in names if name in known]
        found = []
        for name in names:
            try:
                found.append((name, (place.path / name).lstat()))
            except FileNotFoundError:
                continue  # the reader moved it meanwhile
        return found

    def read(self, place: Place) -> int:
        """Open a file for reading."""
        self._reach(place)
        if stat.S_ISDIR(place.path.stat().st_mode):
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
        return os.open(place.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)

    # --- what it may do

    def write(self, place: Place, flags: int) -> int:
        """Open a file of ``up/`` for writing."""
        self._may(place, "write")
        return os.open(place.path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)

    def remove(self, place: Place) -> None:
        """Remove a file of ``up/``."""
        self._may(place, "remove")
        place.path.unlink()

    def rename(self, old: Place, new: Place) -> None:
        """Rename within ``up/``, or a marker of ``down/`` that was taken. Never over another file."""
        within = old.kind == new.kind == "file" and old.folder == new.folder
        taken = old.name.endswith(".ok") and new.name in {f"{old.name[:-3]}{mark}" for mark in _TAKEN}
        if not within or not (old.folder == "up" or (old.folder == "down" and taken)):
            raise Denied("rename", old.name)
        for place in (old, new):
            self._may(place, "rename", folder=old.folder)
        # A rename proper would take the place of a file that came meanwhile.
        os.link(old.path, new.path, follow_symlinks=False)
        old.path.unlink()

    def _may(self, place: Place, what: str, folder: str = "up") -> None:
        if place.kind != "file" or place.folder != folder:
            raise Denied(what, place.name)
        self._reach(place, follow=False)
        if place.path.parent.is_dir() and self._disk.denies(folder):
            raise PermissionError(errno.EACCES, "Permission denied")
        if place.path.is_symlink() or place.path.is_dir():
            raise Denied(what, place.name)

    def _reach(self, place: Place, *, follow: bool = True) -> None:
        if place.kind == "foreign":
            raise FileNotFoundError(errno.ENOENT, "No such file")
        # A link would lead out of the directory: the account makes none, and follows none that somebody else made.
        path = place.path if follow else place.path.parent
        if os.path.realpath(path) != str(path):
            raise Denied("link", place.name)
