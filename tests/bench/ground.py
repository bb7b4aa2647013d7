"""What a measurement stands on: a directory, a receiver, gateways and servers as processes, all ended at its end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.bench.accounts import cpu_of, tasks_file
from tests.servers.postgres import PostgresServer
from tests.servers.process import Child, answers, free_port

STALLED_S = 20.0
"""Nothing has come for so long: the rest will not come."""


@dataclass(slots=True)
class Arrived:
    """What a receiver has: all requests, different cases, repeats, and when the last new one came (``time.time``)."""

    came: int
    unique: int
    repeated: int
    last: float
    first: dict[str, float]


class Receiver:
    """The sink, as a process."""

    def __init__(self, child: Child, port: int) -> None:
        self.child = child
        self.port = port
        self.url = f"http://127.0.0.1:{port}/cases"

    def ask(self, what: str = "stats") -> Arrived:
        """``stats``, ``seen`` (with the times), ``forget``."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{what}", timeout=30) as answer:
            return Arrived(**json.load(answer))

    def until(self, unique: int, within_s: float = 300.0) -> Arrived:
        """Wait for so many cases, or until nothing comes any more."""
        end, seen, moved = time.monotonic() + within_s, -1, time.monotonic()
        while True:
            found = self.ask()
            now = time.monotonic()
            if found.unique >= unique or now > end or now - moved > STALLED_S:
                return found
            if found.unique != seen:
                seen, moved = found.unique, now
            time.sleep(0.05)


@dataclass(slots=True)
class Gateway:
    """A measured process of ours; ``port`` 0 for one that only works."""

    child: Child
    port: int
    data: Path

    @property
    def cpu(self) -> float:
        """CPU seconds so far."""
        return cpu_of(self.child.pid)

    def tasks(self) -> int:
        """How many tasks its loop has, by its own word."""
        told = tasks_file(self.data, self.child.pid)
        told.unlink(missing_ok=True)
        os.kill(self.child.pid, signal.SIGUSR1)
        self.child.until(told.exists, 10.0)
        return int(told.read_text("ascii"))


class Ground:
    """Starts what is needed and ends it. Use as a context."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="gateway-bench-"))
        self._children: list[Child] = []
        self._servers: list[PostgresServer] = []
        self._log = self.directory / "log"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end(*self._children)
        for server in self._servers:
            server.remove()
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, command: Sequence[str], port: int = 0, cwd: Path | None = None) -> Child:
        """A child of this Python or any other command; ready once its port answers."""
        child = Child(list(command), self._log, cwd=cwd)
        self._children.append(child)
        if port:
            child.until(lambda: answers(port), 60.0)
        return child

    def module(self, name: str, *arguments: str, port: int = 0) -> Child:
        """``python -m name …``."""
        return self.run([sys.executable, "-m", name, *arguments], port)

    def end(self, *children: Child) -> None:
        """End children in order."""
        for child in children:
            child.end(signal.SIGTERM)
            if child in self._children:
                self._children.remove(child)

    def receiver(self) -> Receiver:
        """A new sink."""
        port = free_port()
        return Receiver(self.module("tests.bench.sink", str(port), port=port), port)

    def postgres(self) -> PostgresServer:
        """A new server that keeps what it has acknowledged."""
        server = PostgresServer(durable=True, shared_buffers="512MB", max_wal_size="4GB").start()
        self._servers.append(server)
        return server

    def gateway(self, sink: str, *, database: str = "sqlite", data: Path | None = None, **wanted: Any) -> Gateway:
        """A gateway that serves and works, unless told otherwise (``tests.bench.stand``). It is warm when this returns."""
        serve = wanted.get("serve", True)
        port = free_port() if serve else 0
        # Processes of one database share their sealing keys; a directory that nobody uses twice is a database of its own.
        where = data or (Path(tempfile.mkdtemp(dir=self.directory)) if database == "sqlite" else self.directory)
        told = {"data": str(where), "database": database, "port": port, "sink": sink, **wanted}
        child = self.module("tests.bench.stand", json.dumps(told), port=port)
        if not serve:
            time.sleep(2.0)  # it has no door to knock at
        return Gateway(child, port, where)


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


def versions() -> dict[str, str]:
    """What was measured, on what."""
    from importlib.metadata import version

    names = ("fastapi", "pydantic", "uvicorn", "uvloop", "httpx", "aiohttp", "httpx-aiohttp", "asyncpg", "aiokafka")
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 -- whichever git is on the path
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "python": sys.version.split()[0],
        "processors": str(processors()),
        "commit": commit.stdout.strip() or "?",
        **{name: version(name) for name in names},
    }
