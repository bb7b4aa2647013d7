"""The rate that was agreed with a platform, shared among all the processes that send to it.

Slots are counted in the database; rate and requests at once are kept by each process. So every process that works tells that it
lives, and each takes its part of what was agreed. Who comes new is silent for one beat, until the others have made room; who
dies is missed after three."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

import structlog

from gateway.flow.delivering.exchange import Pace
from gateway.store.engine import Operation, StoreUnavailable
from gateway.store.store import Store

log = structlog.get_logger("gateway.shares")

_ALL: Final = "works"
"""The mark that every beat writes first: two that come at once go one after the other, and the second counts the first."""
_MISSED = 3
_FORGOTTEN_MS: Final = 86_400_000


class Shares:
    """Keeps the paces of one process at its share. ``beat_s``: how often it tells that it lives, and looks at who else does.
    ``begin`` is told once how many seconds this process must be silent still: none, where it is alone."""

    def __init__(self, store: Store, paces: Collection[Pace], beat_s: float, begin: Callable[[float], None]) -> None:
        self._store = store
        self._paces = paces
        self._beat_s = beat_s
        self._begin = begin
        self._place = f"works:{_machine()}:"
        token = f"{store.ids.token():x}"
        self._name = f"{self._place}{os.getpid()}:{token}"
        _OWN.add(token)
        self._many = 0

    async def turn(self) -> float:
        """Tell, look, take the share; returns how long until the next beat."""
        if self._many == 0:
            await self._bury()
        missed_ms = round(1000 * _MISSED * self._beat_s)
        many: int = await self._store.run(_beat, self._name, self._store.now_ms(), missed_ms)
        if many != self._many:
            first, self._many = self._many == 0, many
            for pace in self._paces:
                pace.share(many)
            if first:
                self._begin(self._beat_s if many > 1 else 0.0)
            if not first or many > 1:
                log.info("share", count=many)
        return self._beat_s

    async def _bury(self) -> None:
        """Forget the dead of this machine: who is started anew after a crash need not wait until the last run is missed."""
        for row in await self._store.rows("workers"):
            if row["consumer"].startswith(self._place) and not _lives(row["consumer"]):
                await self._store.write("drop_mark", (row["consumer"],))

    async def leave(self) -> None:
        """The others need not wait until this one is missed; where the database is away, they do."""
        if self._many:
            with contextlib.suppress(StoreUnavailable):
                await self._store.write("drop_mark", (self._name,))


_OWN: set[str] = set()
"""The tokens of this very process: in a container every run has the same number."""


def _machine() -> str:
    """The machine's name, this boot of it, and the room of process numbers: beyond them a number says nothing."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        numbers = str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:  # another kind of system: its name has to do
        boot = numbers = ""
    return f"{socket.gethostname()[:64]} {boot} {numbers}".replace(":", " ")


def _lives(name: str) -> bool:
    _, _, pid, token = name.split(":")
    if int(pid) == os.getpid():
        return token in _OWN
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True


def _beat(name: str, now: int, missed_ms: int) -> Operation[int]:
    yield "set_mark", [(_ALL, now)]
    yield "set_mark", [(name, now)]
    yield "drop_workers", [(now - _FORGOTTEN_MS,)]
    rows = yield "live_workers", [(now - missed_ms,)]
    return max(rows[0]["many"], 1)
