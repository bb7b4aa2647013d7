"""Commands as real processes: they start, tell where they are, answer, and end in order."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.command import command

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "data" / "samples"
GATEWAY = (sys.executable, "-m", "gateway")


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}


def process(*arguments: str, within: float = 30.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (*GATEWAY, *arguments),
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )


def gateway(*arguments: str) -> Result:
    """The same command in this process: quicker where the process is not what is tested."""
    return CliRunner(env={name: None for name in os.environ if name.startswith("GATEWAY_")}).invoke(
        command, list(arguments)
    )


class Serving:
    """``gateway serve`` with a configuration of its own."""

    def __init__(self, directory: Path) -> None:
        self.config = directory / "gateway.toml"
        self.config.write_text(
            f'env = "development"\ndata = "{directory / "data"}"\nport = 0\nsite = "test"\n', encoding="utf-8"
        )
        added = gateway("client", "add", "测试", "-o", "SD-JN-LX-001", "-c", str(self.config), "--json")
        self.key: str = json.loads(added.stdout)["key"]
        self.process = self.start()
        self.url = self.ready(self.process)

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            (*GATEWAY, "serve", "--config", str(self.config)),
            cwd=ROOT,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def ready(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("就绪 ready http://127.0.0.1:"), line
        return line.split()[-1]

    def end(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Seconds until it had ended."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.communicate(timeout=20)
        return time.monotonic() - began


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    started = Serving(tmp_path)
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.communicate()


def test_it_serves_and_ends_in_order(serving: Serving) -> None:
    with urllib.request.urlopen(f"{serving.url}/readyz", timeout=5) as reply:  # noqa: S310 -- loopback, our own
        assert json.load(reply)["ready"] is True
    here = ("--to", serving.url, "--key", serving.key)
    sample = str(SAMPLES / "POST cases - wages.json")
    sent = json.loads(gateway("send", sample, *here, "--json").stdout)
    again = json.loads(gateway("send", sample, *here, "--json").stdout)
    assert (sent["replayed"], again["replayed"]) == (False, True)
    assert sent["id"] == again["id"]
    found = json.loads(gateway("find", "370102-LX001-2026-00123", *here, "--json").stdout)
    assert [case["id"] for case in found["cases"]] == [sent["id"]]
    assert found["cases"][0]["waits"][0]["who"] == "SD-JN-LX-001"
    assert f"{sent['id']}" in gateway("find", sent["id"], *here).stdout
    events = [
        json.loads(line)
        for line in gateway("tail", *here, "--after", "0", "--limit", "2", "--json").stdout.splitlines()
    ]
    assert [event["type"] for event in events] == ["case.received", "case.accepted"]
    foreign = str(SAMPLES / "POST cases - collective, dispatch and using unit.json")
    refused = gateway("send", foreign, *here)
    assert refused.exit_code in (65, 77)
    assert "Traceback" not in refused.stderr
    assert gateway("find", "x", "--to", serving.url, "--key", "mg0.wrong").exit_code == 77
    assert gateway("find", "no-such-number", *here).exit_code == 4
    assert serving.end() < 15
    assert serving.process.returncode == 0
    with closing(socket.create_server(("127.0.0.1", int(serving.url.rpartition(":")[2])))):
        pass


def test_what_was_served_is_there_after_a_restart(serving: Serving) -> None:
    here = ("--to", serving.url, "--key", serving.key)
    sent = json.loads(gateway("send", str(SAMPLES / "POST cases - wages.json"), *here, "--json").stdout)
    serving.end(signal.SIGINT)
    serving.process = serving.start()
    url = serving.ready(serving.process)
    found = json.loads(gateway("find", sent["id"], "--to", url, "--key", serving.key, "--json").stdout)
    assert found["cases"][0]["id"] == sent["id"]


def test_an_open_stream_does_not_hold_the_end_up(serving: Serving) -> None:
    tail = subprocess.Popen(
        (*GATEWAY, "tail", "--to", serving.url, "--key", serving.key, "--after", "0", "--json"),
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        gateway("send", str(SAMPLES / "POST cases - wages.json"), "--to", serving.url, "--key", serving.key)
        assert tail.stdout is not None
        assert json.loads(tail.stdout.readline())["type"] == "case.received"
        assert serving.end() < 15
    finally:
        tail.send_signal(signal.SIGINT)
        tail.communicate(timeout=20)
    assert tail.returncode == 0


def test_one_database_one_process(serving: Serving) -> None:
    config = str(serving.config)
    for words in (("client", "add", "x", "-o", "A"), ("migrate",)):
        result = gateway(*words, "--config", config)
        assert result.exit_code == 75, words
        assert "SQLite" in result.stderr
    second = process("serve", "--config", config)
    assert second.returncode == 75
    assert "SQLite" in second.stderr
    doctor = gateway("doctor", "--config", config, "--json")
    checks = {check["name"].split()[0]: check for check in json.loads(doctor.stdout)["checks"]}
    assert checks["数据库"]["ok"] is True
    assert "running" in checks["数据库"]["found"]


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        config = tmp_path / "g.toml"
        config.write_text(
            f'env = "development"\ndata = "{tmp_path / "data"}"\nport = {taken.getsockname()[1]}\n', encoding="utf-8"
        )
        result = process("serve", "--config", str(config))
    assert result.returncode == 75
    assert "cannot listen" in result.stderr


def test_the_mocks_are_started_with_their_own_arguments() -> None:
    listed = process("mocks", "--list", "hr_arbitration")
    assert json.loads(listed.stdout) == {"mocks": ["hr_arbitration"]}
    assert "journal.ndjson" in process("mocks", "--help").stdout
    assert process("mocks", "nowhere").returncode == 2


def test_a_wrong_command_line_is_no_traceback() -> None:
    result = process("demo", "--cases", "many")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
