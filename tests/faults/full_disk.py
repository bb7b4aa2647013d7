"""The disk is full: nothing is acknowledged that is not kept, callers hear when to come again, and room alone heals it.

Two kinds of disk. ``file``: no file may grow past a size (``RLIMIT_FSIZE``, moved from outside); works everywhere. ``tmpfs``: a
real file system of a few megabytes in a mount namespace of the process's own; needs the right to mount.
"""

from __future__ import annotations

import asyncio
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.faults.outside import Ground, Hurt, acknowledged_is_stored, compare, ground, on_disk
from tests.prove.shown import Fault, Shown, Wrong
from tests.seam import documents

_MIB = 1 << 20
_SIZE = 24 * _MIB
_CASES = 8
_MOST = 400
_RECOVERS_WITHIN_S = 10.0
"""R16 of the bars: without a restart."""

_MOUNTED = ("unshare", "-m", "sh", "-c")
_SCRIPT = 'mkdir -p "$0" && mount -t tmpfs -o size={size} none "$0" && exec "$@"'


def kinds() -> list[str]:
    """The disks that can be had here."""
    probe = [*_MOUNTED, "mount -t tmpfs -o size=65536 none /tmp"]
    try:
        mounts = sys.platform == "linux" and subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounts = False
    return ["file", "tmpfs"] if mounts else ["file"]


class _Room:
    """How much room there is for the process, and where its files are seen from outside."""

    def __init__(self, kind: str, place: Ground) -> None:
        self._kind = kind
        self._house = Path(place.orders.data)
        before = (*_MOUNTED, _SCRIPT.format(size=_SIZE), str(self._house)) if kind == "tmpfs" else ()
        self.process: Hurt = place.hurt(*before)
        self.left = 0
        """Bytes that a file may have once the disk is full: a long log leaves room for others."""

    @property
    def database(self) -> Path:
        """The database; a namespace of the process's own is entered through its root."""
        path = self._house / "gateway.db"
        return path if self._kind == "file" else Path(f"/proc/{self.process.child.pid}/root{path}")

    def fill(self) -> None:
        """No more room than a page or two."""
        if self._kind == "file":
            log = self.database.with_name(self.database.name + "-wal")
            size = log.stat().st_size if log.exists() else 0
            self.left = max(size, 64 * 1024) + 16 * 1024
            self._limit(self.left)
            return
        with (self.database.parent / "filler").open("wb", buffering=0) as filler:
            for size in (_MIB, 64 * 1024, 4096):
                try:
                    while filler.write(b"\0" * size):
                        pass
                except OSError:
                    continue

    def empty(self) -> None:
        """There is room again."""
        if self._kind == "file":
            self._limit(resource.RLIM_INFINITY)
        else:
            (self.database.parent / "filler").unlink()

    def _limit(self, size: int) -> None:
        hard = resource.prlimit(self.process.child.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(self.process.child.pid, resource.RLIMIT_FSIZE, (size, hard))


async def one(kind: str, room: Path, shown: Shown) -> None:
    """Cases flow; the disk fills while they do; calls and uploads too are told to come again; then there is room."""
    async with ground(room) as place:
        disk = _Room(kind, place)
        process = disk.process
        if not await place.stands(process):
            shown.missed.append(f"{kind}: it does not start")
            return
        try:
            await place.upstream.all(process.port, range(_CASES))
            disk.fill()
            async with place.upstream.http(process.port) as http:
                refused = await _until_refused(place, http)
                if not refused:
                    shown.missed.append(f"{kind}: the disk never was full")
                    return
                shown.tried += 1
                shown.missed += [f"{kind}: {what}" for what in place.upstream.refusals_are_right()]
                shown.missed += [f"{kind}: {what}" for what in await _is_told(http, disk.left)]
                if not process.alive:
                    shown.add([Fault(Wrong.LOST, "a full disk ended the process")], kind)
                    return
                shown.add(acknowledged_is_stored(place.upstream, on_disk(disk.database)), kind)
                disk.empty()
                began = time.monotonic()
                await _until_ready(http)
                took = await place.upstream.all(process.port, range(_CASES + refused))
                shown.recovered_s.append(time.monotonic() - began)
            if not took or shown.recovered_s[-1] > _RECOVERS_WITHIN_S:
                shown.add([Fault(Wrong.LOST, f"not well {shown.recovered_s[-1]:.1f} s after there was room")], kind)
            if not await place.settled(process.port):
                shown.add([Fault(Wrong.LOST, "not everything is settled")], kind)
            shown.add(compare(place, on_disk(disk.database)), kind)
        finally:
            await process.end(signal.SIGTERM)


async def _until_refused(place: Ground, http: httpx.AsyncClient) -> int:
    """Post until nothing is taken any more: several refusals in a row. How many cases were tried; 0: there was no end."""
    in_a_row = 0
    for more in range(_MOST):
        well = await place.upstream.chain(http, _CASES + more)
        in_a_row = 0 if well else in_a_row + 1
        if in_a_row == 3:
            return more + 1
    return 0


async def _is_told(http: httpx.AsyncClient, left: int) -> list[str]:
    """Both languages, readiness, uploads, and the platforms' calls."""
    wrong = []
    raw, words = documents.case("370102-LX001-2026-99999"), {"zh": "暂时不可用", "en": "Unavailable"}
    for language, title in words.items():
        reply = await http.post(
            "/v1/cases", content=raw, headers={"Content-Type": "application/json", "Accept-Language": language}
        )
        if (reply.status_code, reply.json().get("title")) != (503, title):
            wrong.append(f"in {language} it says {reply.status_code} {reply.json().get('title')}")
    for _ in range(20):
        ready = await http.get("/readyz")
        if (ready.status_code, ready.json()["storage"]) == (503, False):
            break
        await asyncio.sleep(0.2)
    else:
        wrong.append(f"readiness says {ready.status_code}")
    big = documents.PDF + b"%" * (2 * _MIB + left)
    sent = await http.post("/v1/attachments", files={"file": ("协议.pdf", big)}, data={"kind": "mediation_agreement"})
    if sent.status_code != 503 or "retry-after" not in sent.headers:
        wrong.append(f"an upload is answered with {sent.status_code}")
    return wrong


async def _until_ready(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(_RECOVERS_WITHIN_S):
        while (await http.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.1)


async def prove(chosen: list[str] | None = None) -> Shown:
    """The machine, on every disk that can be had."""
    shown, began = Shown("磁盘写满 full disk"), time.monotonic()
    with TemporaryDirectory(prefix="full-disk-") as room:
        for kind in chosen or kinds():
            await one(kind, Path(room) / kind, shown)
    shown.figures = {"disks": " ".join(chosen or kinds())}
    shown.seconds = time.monotonic() - began
    return shown
