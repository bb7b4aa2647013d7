"""Every n-th call that makes bytes durable is where the process dies, or where the disk says no (``strace -e inject``).

What was answered with 2xx is on the disk whatever happened; a single refusal is survived without a restart; the ledgers agree.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from shutil import which
from tempfile import TemporaryDirectory

from tests.faults.outside import Ground, Hurt, acknowledged_is_stored, compare, ground, on_disk
from tests.prove.shown import Fault, Shown, Wrong

CASES = 5
_FOLLOW = ("-f", "-D", "-qq")
"""``-D``: the tracer is the grandchild, so that signals reach the process itself."""

_UNCOUNTED = 8
_LEAST, _LEAST_AT_FIRST = {"fdatasync": 50, "pwrite64": 500}, {"fdatasync": 56}
"""What a run makes at the least; so few aims are not worth a count."""

_QUICK = (*_FOLLOW, "--seccomp-bpf")
"""Only what is traced stops; with it strace injects no signals, though."""


@dataclass(frozen=True, slots=True)
class Aim:
    """Which call of the thread that writes is hit, and how: ``KILL``, ``EIO``, ``ENOSPC``. ``fresh``: in an empty directory,
    where the schema is laid first."""

    call: str
    act: str
    nth: int
    fresh: bool = False

    def __str__(self) -> str:
        return f"{self.act} at {self.call} {self.nth}{' of a first start' if self.fresh else ''}"

    @property
    def before(self) -> tuple[str, ...]:
        """The tracer's command."""
        how, what = (_FOLLOW, "signal=KILL") if self.act == "KILL" else (_QUICK, f"error={self.act}")
        return (
            *("strace", *how, "-o", "/dev/null", "-e", f"trace={self.call}"),
            *("-e", f"inject={self.call}:{what}:when={self.nth}"),
        )


def there() -> bool:
    """Whether the tracer is installed."""
    return sys.platform == "linux" and which("strace") is not None


async def counted(room: Path, laid: Path | None) -> dict[str, int]:
    """How often the thread that writes makes each call in one undisturbed run."""
    trace = room / "trace"
    async with ground(room) as place:
        _lay(place, laid)
        process = place.hurt("strace", *_QUICK, "-o", str(trace), "-e", "trace=fdatasync,pwrite64")
        await _undisturbed(place, process)
    calls = Counter(tuple(line.split("(")[0].split()[:2]) for line in trace.read_text("utf-8", "replace").splitlines())
    return {name: max(many for (_, call), many in calls.items() if call == name) for name in ("fdatasync", "pwrite64")}


def _lay(place: Ground, laid: Path | None) -> None:
    if laid is not None:
        shutil.copytree(laid, place.orders.data)


async def _laid(room: Path) -> Path:
    """A directory that a gateway has been in once."""
    async with ground(room) as place:
        process = place.hurt()
        await place.stands(process)
        await process.end(signal.SIGTERM)
        return Path(place.orders.data)


async def _undisturbed(place: Ground, process: Hurt) -> None:
    if not await place.stands(process):
        raise RuntimeError("it does not start under the tracer")
    try:
        if not await place.upstream.all(process.port, range(CASES)) or not await place.settled(process.port):
            raise RuntimeError("nothing is settled even where nothing is disturbed")
    finally:
        await process.end(signal.SIGTERM)


async def one(aim: Aim, room: Path, laid: Path | None, shown: Shown) -> None:
    """One run with one aim: hurt, look, start again where it died, and compare."""
    async with ground(room) as place:
        _lay(place, laid)
        database = room / "house" / "gateway.db"
        process = place.hurt(*aim.before)
        try:
            if await place.stands(process):
                await place.upstream.all(process.port, range(CASES), within_s=20)
                await place.settled(process.port, within_s=20)
            if aim.act == "KILL":
                await _until_dead(process)
                if process.alive:  # the run made fewer calls this time: the aim was past its end
                    return
                _stored(place, database, shown, aim)
            elif process.alive:
                shown.missed += [f"{aim}: {what}" for what in place.upstream.refusals_are_right()]
            elif place.upstream.answers["202"] or place.port:
                shown.missed.append(f"{aim}: it died of a disk that said no once")
                return
            shown.tried += 1
            if not process.alive:  # killed, or unable to start: another one does it
                began = time.monotonic()
                process = place.hurt()
                if not await place.stands(process):
                    shown.add([Fault(Wrong.LOST, "it does not start again")], str(aim))
                    return
                shown.recovered_s.append(time.monotonic() - began)
            if not await place.upstream.all(process.port, range(CASES)):
                shown.add([Fault(Wrong.LOST, f"it does not take everything: {dict(place.upstream.answers)}")], str(aim))
            if not await place.settled(process.port):
                shown.add([Fault(Wrong.LOST, "not everything is settled")], str(aim))
        finally:
            await process.end(signal.SIGTERM)
        _stored(place, database, shown, aim)
        shown.add(compare(place, on_disk(database)), str(aim))


async def _until_dead(process: Hurt) -> None:
    try:
        await asyncio.wait_for(asyncio.shield(process.child.wait()), 1.0)
    except TimeoutError:
        return


def _stored(place: Ground, database: Path, shown: Shown, aim: Aim) -> None:
    if not database.exists() and not place.upstream.acks:
        return
    ask = on_disk(database)
    try:
        whole = ask("PRAGMA integrity_check")[0][0]
        if whole != "ok":
            shown.add([Fault(Wrong.LOST, f"the database is damaged: {whole}")], str(aim))
        elif place.upstream.acks:
            shown.add(acknowledged_is_stored(place.upstream, ask), str(aim))
    except sqlite3.DatabaseError as error:
        shown.add([Fault(Wrong.LOST, f"the database cannot be read: {type(error).__name__}")], str(aim))


def aims(calls: dict[str, int], first: dict[str, int], most: int | None, seed: int) -> Sequence[Aim]:
    """Every aim, or so many of them, drawn evenly: three in four on a directory that was laid, the fourth on a fresh one."""
    syncs, writes, laying = calls["fdatasync"], calls["pwrite64"], max(first["fdatasync"] - calls["fdatasync"], 1)
    if most is None:
        numbers = range(1, syncs + 1)
        found = [Aim("fdatasync", act, nth) for act in ("KILL", "EIO") for nth in numbers]
        found += [Aim("pwrite64", "ENOSPC", nth) for nth in range(1, writes + 1, max(writes // syncs, 1))]
        return [*found, *(Aim("fdatasync", "KILL", nth, fresh=True) for nth in range(1, laying + 1))]
    chance = Random(seed)
    kinds = (
        ("fdatasync", "KILL", syncs, False),
        ("fdatasync", "EIO", syncs, False),
        ("pwrite64", "ENOSPC", writes, False),
        ("fdatasync", "KILL", laying, True),
    )
    chosen: list[Aim] = []
    for place in range(most):
        call, act, many, fresh = kinds[place % 4]
        share, of = place // 4, (most + 3 - place % 4) // 4
        chosen.append(Aim(call, act, 1 + int(many * (share + chance.random()) / of), fresh))
    return chosen


async def prove(most: int | None, seed: int) -> Shown:
    """The machine. ``most``: how many aims; ``None``: all."""
    shown, began = Shown("系统调用 n-th syscall", seed), time.monotonic()
    with TemporaryDirectory(prefix="syscalls-") as kept:
        room = Path(kept)
        laid = await _laid(room / "lay")
        calls, first = _LEAST, _LEAST_AT_FIRST
        if most is None or most > _UNCOUNTED:
            calls, first = await counted(room / "count", laid), await counted(room / "first", None)
        chosen = aims(calls, first, most, seed)
        for place, aim in enumerate(chosen):
            await one(aim, room / f"aim-{place}", None if aim.fresh else laid, shown)
    shown.figures = {**calls, "aims": len(chosen)}
    shown.seconds = time.monotonic() - began
    if shown.tried < len(chosen) * 0.75:
        shown.missed.append(f"only {shown.tried} of {len(chosen)} aims were met")
    return shown
