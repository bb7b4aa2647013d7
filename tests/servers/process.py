"""What both servers share: a port, a directory, a child that is ended by its id, and the word on what is missing."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest


def package_file(package: str, *parts: str) -> Path | None:
    """A file that an installed package ships, without importing the package; ``None`` where either is missing."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent.joinpath(*parts)
    return path if path.exists() else None


def missing(package: str, what: str) -> NoReturn:
    """Say plainly what cannot be tested here. Where the package has wheels (Linux x86_64) its absence is a failure."""
    text = f"{what} needs the package {package} (pip install 'mediation-gateway[test]')"
    if sys.platform == "linux" and platform.machine() == "x86_64":
        pytest.fail(text, pytrace=False)
    pytest.skip(f"{text}; it has no wheel for {sys.platform} {platform.machine()}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _end_with_parent() -> None:
    """A test run that is killed takes its servers with it (``prctl``, PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, int(signal.SIGQUIT))


class Child:
    """One server process."""

    def __init__(self, command: list[str], log: Path, *, user: int | None = None, cwd: Path | None = None) -> None:
        self._log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=cwd,
                user=user,
                group=user,
                extra_groups=[] if user is not None else None,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 -- one call into libc
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def until(self, ready: Callable[[], bool], within_s: float = 30.0) -> None:
        """Wait until it is ready.

        Raises:
            RuntimeError: it ended, or took too long; with the end of its log.
        """
        end = time.monotonic() + within_s
        while not ready():
            if not self.alive or time.monotonic() > end:
                self.end(signal.SIGKILL)
                raise RuntimeError(f"the server did not start: {self._log.read_text('utf-8', 'replace')[-800:]}")
            time.sleep(0.01)

    def pause(self) -> None:
        """Freeze it: connections stay open and nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def end(self, how: signal.Signals = signal.SIGTERM, within_s: float = 15.0) -> None:
        """End it and wait for its end."""
        if not self.alive:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(within_s)


def answers(port: int) -> bool:
    """Whether somebody listens on the port."""
    try:
        with socket.create_connection(("127.0.0.1", port), 0.2):
            return True
    except OSError:
        return False
