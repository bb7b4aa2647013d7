"""The directory of one demonstration: one owner at a time, and everything that a continuation after a crash must find again."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import random
import shutil
import socket
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_PORTS = range(15_000, 30_000)
"""Below what the system hands out for outgoing connections: a port of ours is then free again after a restart."""

OWNER_WITHIN_S = 20.0


class StageRefused(Exception):
    """The stage cannot be set up; the text says why and what to do."""


class PlatformUnknown(StageRefused):
    """A platform was asked for that cannot play: the command line is wrong, not the machine."""


class Workspace:
    """``DIR``: ports.json, started.json, demo.json, gateway.toml, client.ndjson, gateway/, mocks/, logs.

    The lock is held by this process and inherited by its child: who gets it knows that both of a former run are gone.
    """

    def __init__(self, path: Path | None, owner_within_s: float = OWNER_WITHIN_S) -> None:
        self._owner_within_s = owner_within_s
        self.temporary = path is None
        self.path = Path(tempfile.mkdtemp(prefix="gateway-demo-")) if path is None else path.resolve()
        self.path.mkdir(parents=True, exist_ok=True)
        self.lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    async def own(self, within_s: float) -> None:
        """Become the owner; a former run that was killed needs a moment to end.

        Raises:
            StageRefused: another run is using the directory.
        """
        until = time.monotonic() + within_s
        while True:
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > until:
                    raise StageRefused(
                        f"目录正在使用：换一个 --data，或先结束那个演示 another demonstration uses this directory, "
                        f"choose another by --data or end that one: {self.path}"
                    ) from None
                await asyncio.sleep(0.1)
            else:
                return

    def release(self) -> None:
        """Give the directory up; a temporary one goes."""
        os.close(self.lock)
        if self.temporary:
            shutil.rmtree(self.path, ignore_errors=True)

    async def __aenter__(self) -> Self:
        try:
            await self.own(self._owner_within_s)
        except BaseException:
            os.close(self.lock)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    # ---- what is kept

    def read(self, name: str) -> dict[str, Any]:
        """A JSON object that was kept, empty where there is none."""
        try:
            found: dict[str, Any] = json.loads((self.path / name).read_text("utf-8"))
        except FileNotFoundError:
            return {}
        return found

    def write(self, name: str, content: str) -> Path:
        """Keep a text, whole or not at all, readable by its owner alone."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.part")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        return path

    def keep(self, name: str, content: dict[str, Any]) -> None:
        """Keep a JSON object."""
        self.write(name, json.dumps(content, ensure_ascii=False, indent=2) + "\n")

    def began(self, seed: int) -> datetime:
        """When this demonstration began (whole seconds, UTC): all documents are dated from it.

        Raises:
            StageRefused: the directory belongs to another seed.
        """
        started = self.read("started.json")
        if not started:
            started = {"seed": seed, "began": datetime.now(UTC).replace(microsecond=0).isoformat()}
            self.keep("started.json", started)
        if started["seed"] != seed:
            raise StageRefused(
                f"此目录的演示用的是 the demonstration in {self.path} has --seed {started['seed']}"
                "：用同样的种子，或换一个 --data take that seed, or another --data"
            )
        return datetime.fromisoformat(started["began"])

    def ports(self, names: list[str], gateway: int | None) -> dict[str, int]:
        """A port for each mock by name and for ``gateway``, the same in every continuation."""
        kept: dict[str, int] = self.read("ports.json")
        ports = dict(kept)
        if gateway:
            ports["gateway"] = gateway
        for name in ("gateway", *names):
            if name not in ports:
                ports[name] = _free_port(set(ports.values()))
        if ports != kept:
            self.keep("ports.json", ports)
        return ports


def _free_port(taken: set[int]) -> int:
    chance = random.SystemRandom()
    for _ in range(200):
        port = chance.choice(_PORTS)
        if port in taken:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise StageRefused("找不到空闲端口 no free port was found")
