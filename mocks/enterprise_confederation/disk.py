"""The exchange directory (page §1, §2, §5, §6): everything here blocks, and is called in a thread."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from mocks.enterprise_confederation.batch import belongs
from mocks.enterprise_confederation.names import owner, sm3

FOLDERS: Final = ("up", "down", "done", "bad")
_OURS: Final = re.compile(
    r"(?:[A-Za-z0-9_.-]+\.R[0-9]{2,}|QLST_[0-9]{8}_[0-9]{6})(\.csv|\.json|\.zip|\.manifest\.json)"
)
_MARKED: Final = (".ok", ".taken", ".bad")
_AWAY: Final = ".away"


@dataclass(slots=True)
class Sheet:
    """A set for ``down/``. ``spoil``: ``digest`` (of the manifest), ``ok`` (other digits) or nothing. ``drip_s``: the marker
    first, then the data in pieces."""

    stem: str
    op: str
    rows: int
    created_at: str
    data: dict[str, bytes]
    spoil: str = ""
    drip_s: float = 0


@dataclass(slots=True)
class Look:
    """What stands in ``up/``: stems under a marker in the order of arrival, stems without one, breaches of conduct."""

    marked: list[str] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    breaches: list[tuple[str, str]] = field(default_factory=list)


class Disk:
    """The directory ``root``. ``served``: nobody else reaches it but by the account, which asks here for its rights."""

    def __init__(self, root: Path, *, served: bool = False) -> None:
        self.root = root
        self._served = served
        self.up, self.down = root / "up", root / "down"
        self._told: set[tuple[str, str]] = set()
        self._prints: dict[str, tuple[tuple[str, int, int, int], ...]] = {}
        self._taken_away: dict[str, int] = {}  # folder → its mode

    # --- life

    def prepare(self) -> None:
        """Make the folders, give back what a fault took away, remove what a crash left half written in ``down/``."""
        self.root.mkdir(parents=True, exist_ok=True)
        for name in ("up", "down"):
            if (self.root / (name + _AWAY)).exists():
                self.give(name)
        for name in FOLDERS:
            folder = self.root / name
            folder.mkdir(exist_ok=True)
            if not folder.stat().st_mode & 0o200:  # a crash came before it was given back
                folder.chmod(folder.stat().st_mode & 0o777 | 0o200)
        names = {path.name for path in self.down.iterdir()}
        for name in names:
            stem = _OURS.fullmatch(name)
            head = "" if stem is None else name[: -len(stem[1])]
            if name.endswith(".part") or (head and not any(head + mark in names for mark in _MARKED)):
                (self.down / name).unlink()

    @property
    def whole(self) -> bool:
        """Whether the reader may come to its folders."""
        return not self._taken_away and self.up.is_dir() and self.down.is_dir()

    def beat(self, at: str, state: str, until: str, period_s: float) -> None:
        """Write ``heartbeat.json``."""
        told = {"at": at, "state": state, "period_s": max(1, round(period_s))} | ({"until": until} if until else {})
        part = self.root / "heartbeat.json.part"
        part.write_text(json.dumps(told), "utf-8")
        part.replace(self.root / "heartbeat.json")

    # --- rights

    def take(self, name: str, *, away: bool) -> None:
        """Take the write right of a folder, or rename it ``away``."""
        if name in self._taken_away:
            return
        folder = self.root / name
        self._taken_away[name] = folder.stat().st_mode & 0o777
        if self._served and not away:
            return
        if away or os.geteuid() == 0:
            folder.rename(self.root / (name + _AWAY))
            # Rights do not hold root: it finds a file in the folder's place.
            if not away:
                folder.write_bytes(b"")
        else:
            folder.chmod(self._taken_away[name] & ~0o222)

    def denies(self, name: str) -> bool:
        """Whether nobody may write in a folder now."""
        return name in self._taken_away

    def give(self, name: str) -> None:
        """Give it back."""
        mode = self._taken_away.pop(name, None)
        folder, away = self.root / name, self.root / (name + _AWAY)
        if away.exists():
            if folder.is_file():
                folder.unlink()
            elif folder.is_dir():
                # Somebody made it anew meanwhile.
                for path in folder.iterdir():
                    path.rename(away / path.name)
                folder.rmdir()
            away.rename(folder)
        if mode is not None and folder.is_dir():
            folder.chmod(mode)

    # --- look

    def look(self) -> Look:
        """Look at ``up/`` and at what nobody may put anywhere."""
        found = Look()
        names = sorted(path.name for path in self.up.iterdir())
        marked = [name[:-3] for name in names if name.endswith(".ok")]
        marked.sort(key=lambda stem: (self._mtime(f"{stem}.ok"), stem))
        found.marked = marked
        here = set(marked)
        found.loose = sorted({owner(name) for name in names if not name.endswith(".part")} - here - {""})
        for name in names:
            if not owner(name) and not any(belongs(name, stem) for stem in marked if not owner(f"{stem}.ok")):
                self._tell(found, "foreign name in up", name)
        for path in self.root.iterdir():
            if path.name not in (*FOLDERS, "heartbeat.json", "heartbeat.json.part", "up.away", "down.away"):
                self._tell(found, "foreign name in root", path.name)
        for path in self.down.iterdir():
            if _OURS.fullmatch(path.name) is None and not path.name.endswith((*_MARKED, ".part")):
                self._tell(found, "foreign name in down", path.name)
        for stem in marked:
            self._watch(found, stem, [name for name in names if belongs(name, stem) and not name.endswith(".part")])
        for gone in self._prints.keys() - here:
            del self._prints[gone]
        return found

    def _watch(self, found: Look, stem: str, names: list[str]) -> None:
        stats = {}
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                stats[name] = (self.up / name).lstat()
        marker = stats.get(f"{stem}.ok")
        if marker is None:
            return
        if any(stat.st_mtime_ns > marker.st_mtime_ns for stat in stats.values()):
            self._tell(found, "marker older than its files", stem)
        now = tuple((name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in sorted(stats.items()))
        before = self._prints.setdefault(stem, now)
        if not set(before) <= set(now):
            self._tell(found, "overwritten under its marker", stem)
        self._prints[stem] = now

    def _tell(self, found: Look, what: str, name: str) -> None:
        if (what, name) not in self._told:
            self._told.add((what, name))
            found.breaches.append((what, name))

    def _mtime(self, name: str) -> int:
        try:
            return (self.up / name).stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def arrived(self, stem: str) -> float:
        """When the marker of a batch was written."""
        return self._mtime(f"{stem}.ok") / 1e9

    # --- write

    def write(self, sheet: Sheet) -> None:
        """Write a set by the steps of §2: data, manifest, marker; nothing that stands is overwritten."""
        files = [
            {"name": name, "size": len(data), "sm3": "0" * 64 if sheet.spoil == "digest" else sm3(data)}
            for name, data in sorted(sheet.data.items())
        ]
        told = {
            "stem": sheet.stem,
            "op": sheet.op,
            "rows": sheet.rows,
            "created_at": sheet.created_at,
            "files": files,
        }
        manifest = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        digits = sm3(sheet.stem.encode()) if sheet.spoil == "ok" else sm3(manifest)
        marker = (f"{sheet.stem}.ok", digits.encode() + b"\n")
        steps = [*sheet.data.items(), (f"{sheet.stem}.manifest.json", manifest), marker]
        if sheet.drip_s:
            self._put(*marker)
            self._put(f"{sheet.stem}.manifest.json", manifest)
            for name, data in sheet.data.items():
                self._drip(name, data, sheet.drip_s)
            return
        for name, data in steps:
            self._put(name, data)
        _flush(self.down)

    def _put(self, name: str, data: bytes) -> None:
        part = self.down / f"{name}.part"
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, self.down / name)
        part.unlink()

    def _drip(self, name: str, data: bytes, wait_s: float) -> None:
        size = max(1, len(data) // 4)
        with (self.down / name).open("xb", buffering=0) as file:
            for at in range(0, len(data), size):
                file.write(data[at : at + size])
                time.sleep(wait_s)

    def stands(self, stem: str) -> bool:
        """Whether a set of this stem stands in ``down/``, under whatever marker."""
        return any((self.down / f"{stem}{mark}").exists() for mark in _MARKED)

    def move(self, stem: str, folder: str, day: str) -> None:
        """Move a batch out of ``up/``, its marker last."""
        target = self.root / folder / day
        target.mkdir(exist_ok=True)
        names = [path.name for path in self.up.iterdir() if belongs(path.name, stem)]
        for name in sorted(names, key=lambda name: (name.endswith(".ok"), name)):
            with contextlib.suppress(FileNotFoundError):
                (self.up / name).replace(target / name)
        _flush(target)
        _flush(self.up)

    def clean(self, now: datetime, kept_days: float, taken_days: float) -> None:
        """Delete old ``done/`` and ``bad/`` days, and old sets in ``down/`` that were taken."""
        for folder in ("done", "bad"):
            for path in (self.root / folder).iterdir():
                with contextlib.suppress(ValueError):
                    day = datetime.strptime(path.name, "%Y%m%d").replace(tzinfo=now.tzinfo)
                    if now - day > timedelta(days=kept_days + 1):
                        shutil.rmtree(path)
        names = [path.name for path in self.down.iterdir()]
        for name in names:
            mark = name[name.rfind(".") :]
            if mark in (".taken", ".bad") and now.timestamp() - (self.down / name).stat().st_mtime > taken_days * 86400:
                stem = name[: -len(mark)]
                for other in [one for one in names if one != name and one.startswith(f"{stem}.") and _is_of(one, stem)]:
                    (self.down / other).unlink(missing_ok=True)
                (self.down / name).unlink(missing_ok=True)


def _is_of(name: str, stem: str) -> bool:
    return name[len(stem) :] in (".csv", ".json", ".zip", ".manifest.json")


def _flush(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
