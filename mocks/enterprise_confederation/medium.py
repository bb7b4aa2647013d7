"""How the medium fails on command (page §9), and what can be seen of the gateway's conduct where SFTP is served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from mocks.enterprise_confederation.account import Place
from mocks.enterprise_confederation.names import owner
from mocks.enterprise_confederation.reader import NO_SPACE
from mocks.enterprise_confederation.words import OPS
from mocks.faults import Fault, Faults

Tell = Callable[[str, str], Awaitable[None]]

#: ``op`` of faults for one request each; ``mark`` is the rename of a marker.
REQUESTS: Final = tuple(
    f"sftp.{name}"
    for name in ("login", "list", "stat", "open", "read", "write", "flush", "rename", "mark", "remove", "other")
)
#: What may be scripted for them.
ACTIONS: Final = ("reset", "stall", "slow", "accept_then_reset", "accept_then_silent")


class Medium:
    """Faults of requests, and breaches. ``tell`` notes a breach of conduct; ``requests`` counts."""

    def __init__(self, faults: Faults, requests: Counter[str], tell: Tell) -> None:
        self.requests = requests
        self._faults = faults
        self._tell = tell
        self._told: set[tuple[str, str]] = set()
        self._unflushed: set[Path] = set()

    # --- faults

    @staticmethod
    def strikes(fault: Fault) -> bool:
        """Whether a fault is meant for requests to the service: ``*`` means the reader and the directory (page §9)."""
        return fault.op.startswith("sftp")

    @staticmethod
    def check(fault: Fault) -> None:
        """Refuse what cannot be played at a request. Raises ``ValueError``."""
        ops = [op for op in REQUESTS if fault.fits(op)]
        if not ops:
            raise ValueError(f"unknown op; known: {', '.join(REQUESTS)}, sftp.*")
        match fault.action:
            case "drip" if "sftp.read" in ops:
                return
            case "http" if fault.status == NO_SPACE and "sftp.write" in ops:
                return
            case "expire_session" if "sftp.login" in ops:
                return
            case action if action in ACTIONS:
                return
        raise ValueError(
            f"{fault.action} does not apply to {fault.op}; known: {', '.join(ACTIONS)}, drip (sftp.read), "
            f"http {NO_SPACE} (sftp.write), expire_session (sftp.login)"
        )

    def take(self, op: str, *actions: str) -> Fault | None:
        """The next fault of a request."""
        return self._faults.take(op, *actions, where=self.strikes)

    def full(self, place: Place) -> bool:
        """Whether there is no space for a file: a fault of the request, or of the batch that it belongs to."""
        stem = owner(place.name).split("_")
        ops = ("sftp.write", OPS.get(stem[2], "") if len(stem) > 2 else "")
        return any(self._faults.take(op, "http", where=lambda fault: fault.status == NO_SPACE) for op in ops)

    def expired(self, *, rotate: bool) -> bool:
        """Whether the login fails now: its key counts no more or, with ``rotate``, the host shows another one."""
        found = self._faults.standing(
            "sftp.login", "expire_session", where=lambda fault: self.strikes(fault) and fault.rotate is rotate
        )
        return found is not None

    # --- conduct

    async def breach(self, what: str, name: str) -> None:
        """Note a breach, once."""
        if (what, name) not in self._told:
            self._told.add((what, name))
            await self._tell(what, name)

    def written(self, place: Place) -> None:
        """Bytes were written that may not be on disk."""
        self._unflushed.add(place.path)

    def flushed(self, place: Place) -> None:
        """They are."""
        self._unflushed.discard(place.path)

    async def renamed(self, old: Place, new: Place) -> None:
        """Hold a rename in ``up/`` against the steps of §2."""
        if old.folder != "up":
            return
        if old.path in self._unflushed:
            self._unflushed.discard(old.path)
            await self.breach("renamed before it was flushed", new.name)
        manifest = new.path.with_name(f"{new.name[:-3]}.manifest.json")
        if new.name.endswith(".ok") and not manifest.exists():
            await self.breach("marker before its manifest", new.name)

    async def removed(self, place: Place) -> None:
        """What stands under its marker stays (§2)."""
        self._unflushed.discard(place.path)
        stem = owner(place.name)
        marked = stem and place.path.with_name(f"{stem}.ok").exists()
        if (marked or place.name.endswith(".ok")) and not place.name.endswith(".part"):
            await self.breach("removed under its marker", place.name)
