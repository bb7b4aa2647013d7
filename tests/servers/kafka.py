"""A real broker that speaks Kafka's protocol, from the package ``noida-db``: its binary itself, as a process of our own.

``GATEWAY_TEST_KAFKA`` (``host:port``) names a given broker instead, such as Apache's own; tests that kill the broker are
then left out, and say so.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest

from tests.servers.process import Child, answers, free_port, missing, package_file

GIVEN = os.environ.get("GATEWAY_TEST_KAFKA", "")


class Broker:
    """One broker with its data in a directory of its own. ``stop`` or ``kill`` and ``start`` may be repeated: the port stays,
    and what was written."""

    def __init__(self) -> None:
        found = package_file("noida_db", "noida-db")
        if found is None:
            missing("noida-db", "a real Kafka-protocol broker")
        self._binary = found
        self._directory = Path(tempfile.mkdtemp(prefix="gateway-kafka-"))
        self.port = free_port()
        self._child: Child | None = None

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> Broker:
        """Start it, and wait until it takes connections."""
        # The binary itself: the package's script runs it as a child, and killing the script would leave the broker alive.
        command = [str(self._binary), "start", "--only", "kafka", "--kafka-port", str(self.port)]
        command += ["--data-dir", str(self._directory / "data")]
        self._child = Child(command, self._directory / "log", cwd=self._directory)
        self._child.until(lambda: answers(self.port))
        return self

    def stop(self) -> None:
        """Stop it in the midst of whatever it does; it writes its data out first."""
        if self._child is not None:
            self._child.end(signal.SIGTERM)

    def written(self) -> None:
        """Wait until what was acknowledged so far is on its disk.

        This broker writes once a second, and a kill before that loses what it had acknowledged; a cluster with replicas does
        not lose it, so a test of ours must not make it.
        """
        asked = time.time()
        path = self._directory / "data" / "kafka.json"
        end = time.monotonic() + 10
        while not path.exists() or path.stat().st_mtime < asked:
            if time.monotonic() > end:
                return  # nothing has changed since it last wrote
            time.sleep(0.05)
        time.sleep(1.3)  # what it was writing just then may be of before: if so, it writes once more

    def kill(self) -> None:
        """End it without a word."""
        if self._child is not None:
            self._child.end(signal.SIGKILL)

    def pause(self) -> None:
        """Freeze it: it takes connections and answers nothing."""
        if self._child is not None:
            self._child.pause()

    def resume(self) -> None:
        """Let it go on."""
        if self._child is not None:
            self._child.resume()

    def remove(self) -> None:
        """End it and delete everything."""
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)


class GivenBroker:
    """A broker that somebody else runs: it is used, never stopped."""

    address = GIVEN

    def remove(self) -> None:
        """It stays."""


def open_broker() -> Broker | GivenBroker:
    """The broker of most tests."""
    return GivenBroker() if GIVEN else Broker().start()


def own_broker() -> Broker:
    """A broker of a test's own, to be killed."""
    if GIVEN:
        pytest.skip("GATEWAY_TEST_KAFKA names a broker that is not ours to stop")
    return Broker().start()
