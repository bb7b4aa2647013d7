"""The demonstration as a process: everything settles, the ledgers agree, a kill changes nothing, an end leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli.command import command
from gateway.demo.cast import HOMES

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "data" / "samples"
KEYS = {"cases", "messages", "deliveries", "confirmations", "lost", "duplicated", "reordered", "seconds", "peak_rss_mb"}
ONCE = ("demo", "--once", "--cases", "8", "--seed", "7", "--json")


def start(*arguments: str, **pipes: Any) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    return subprocess.Popen(
        (sys.executable, "-m", "gateway", *arguments),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **pipes,
    )


def gateway(*arguments: str) -> str:
    """A command in this process; its standard output."""
    result = CliRunner(env={name: None for name in os.environ if name.startswith("GATEWAY_")}).invoke(
        command, list(arguments)
    )
    assert result.exit_code == 0, result.output
    return result.stdout


def finish(process: subprocess.Popen[str], within: float = 100.0) -> dict[str, Any]:
    out, told = process.communicate(timeout=within)
    assert process.returncode == 0, told[-3000:]
    assert out.count("\n") == 1, out
    summary: dict[str, Any] = json.loads(out)
    return summary


def counted(summary: dict[str, Any]) -> dict[str, Any]:
    """What must be the same in every run. Whether a first version was still on its way when the sender corrected it is a
    matter of moments: superseded or delivered, it is one delivery."""
    counts = {name: value for name, value in summary.items() if name not in ("seconds", "peak_rss_mb")}
    return counts | {"deliveries": {name: sum(states.values()) for name, states in summary["deliveries"].items()}}


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.name))
    return found


def wait_for(what: Any, within: float) -> None:
    until = time.monotonic() + within
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


@contextmanager
def idle_stage(directory: Path) -> Iterator[subprocess.Popen[str]]:
    process = start("demo", "--cases", "0", "--data", str(directory))
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "Ctrl-C" in line:
                break
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    directory = tmp_path_factory.mktemp("demo") / "run"
    return finish(start(*ONCE, "--data", str(directory))), directory


def test_eight_cases_settle_and_the_ledgers_agree(summary: tuple[dict[str, Any], Path]) -> None:
    found, directory = summary
    assert set(found) == KEYS
    assert (found["lost"], found["duplicated"], found["reordered"]) == (0, 0, 0)
    assert found["cases"] == 8
    assert found["messages"] > 40
    assert {"hr_arbitration", "one_stop"} <= set(found["deliveries"])
    states = {state for states in found["deliveries"].values() for state in states}
    assert "delivered" in states <= {"delivered", "superseded"}
    assert sum(many for decisions in found["confirmations"].values() for many in decisions.values()) >= 2
    assert found["peak_rss_mb"] < 250
    assert not (directory / "faults.json").exists()


def test_everything_is_announced(summary: tuple[dict[str, Any], Path]) -> None:
    directory = summary[1]
    told = json.loads((directory / "demo.json").read_text("utf-8"))
    assert {"api", "console", "keys", "mocks"} <= set(told)
    assert set(told["keys"]["upstream"]) == {home.code for home in HOMES}
    assert told["keys"]["operator"].startswith("mg")
    ports = json.loads((directory / "ports.json").read_text("utf-8"))
    assert told["api"] == f"http://127.0.0.1:{ports['gateway']}"
    for name, url in told["mocks"].items():
        assert url == f"http://127.0.0.1:{ports[name]}"
    for file in ("demo.json", "keys.json", "gateway.toml", "gateway/keys"):
        assert (directory / file).stat().st_mode & 0o077 == 0


def test_no_personal_data_is_logged(summary: tuple[dict[str, Any], Path]) -> None:
    directory = summary[1]
    logged = (directory / "gateway.log").read_text("utf-8") + (directory / "mocks.log").read_text("utf-8")
    assert '"event":"accepted"' in logged
    assert '"level":"error"' not in logged
    for word in ("示例", "拖欠", "Traceback"):
        assert word not in logged


def test_ended_means_gone(summary: tuple[dict[str, Any], Path]) -> None:
    for port in json.loads((summary[1] / "ports.json").read_text("utf-8")).values():
        with closing(socket.create_server(("127.0.0.1", port))):
            pass


def test_a_run_that_is_over_stays_the_same(summary: tuple[dict[str, Any], Path]) -> None:
    found, directory = summary
    assert counted(finish(start(*ONCE, "--data", str(directory)))) == counted(found)


def test_kills_change_nothing_and_leave_nothing(summary: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    chance = Random(11)
    for _ in range(2):
        process = start(*ONCE, "--data", str(tmp_path))
        wait_for((tmp_path / "client.ndjson").exists, 30)
        time.sleep(chance.uniform(0.1, 2.5))
        child = children(process.pid)
        process.kill()
        process.communicate()
        wait_for(lambda found=child: not any(Path(f"/proc/{pid}").exists() for pid in found), 15)
    assert counted(finish(start(*ONCE, "--data", str(tmp_path)))) == counted(summary[0])


def test_another_seed_does_not_fit_into_the_directory(summary: tuple[dict[str, Any], Path]) -> None:
    process = start("demo", "--once", "--seed", "8", "--json", "--data", str(summary[1]))
    out, told = process.communicate(timeout=30)
    assert process.returncode == 75
    assert "--seed 7" in told
    assert json.loads(out)["error"]["exit"] == 75


def test_a_stage_to_play_on_and_its_end(tmp_path: Path) -> None:
    with idle_stage(tmp_path) as stage:
        child = children(stage.pid)
        assert len(child) == 1
        demo = ("--demo", str(tmp_path))
        case = json.loads(gateway("send", str(SAMPLES / "POST cases - wages.json"), *demo, "--json"))["id"]
        for sample in ("POST cases {id} progress - failed.json", "POST cases {id} transfers - to arbitration.json"):
            gateway("send", str(SAMPLES / sample), "--case", case, *demo)
        told = gateway("tail", *demo, "--after", "0", "--type", "transfer.*", "--limit", "2", "--json")
        decided = json.loads(told.splitlines()[-1])
        number = decided["data"]["external_refs"][-1]["value"] if decided["type"] == "transfer.filed" else case
        found = json.loads(gateway("find", number, *demo, "--json"))
        assert [one["id"] for one in found["cases"]] == [case]
        stage.send_signal(signal.SIGINT)
        stage.communicate(timeout=20)
        assert stage.returncode == 0
        assert not Path(f"/proc/{child[0]}").exists()
    for port in json.loads((tmp_path / "ports.json").read_text("utf-8")).values():
        with closing(socket.create_server(("127.0.0.1", port))):
            pass


def test_one_more_platform_plays_where_it_is_asked_for(tmp_path: Path) -> None:
    arguments = ("demo", "--once", "--cases", "8", "--seed", "7", "--json", "--with", "national_mediation")
    summary = finish(start(*arguments, "--data", str(tmp_path / "stage")))
    assert (summary["lost"], summary["duplicated"], summary["reordered"]) == (0, 0, 0)
    assert summary["deliveries"]["national_mediation"]["delivered"] > 0


def test_a_platform_that_is_not_there_is_named(tmp_path: Path) -> None:
    process = start("demo", "--cases", "0", "--with", "nobody", "--data", str(tmp_path / "stage"))
    _, told = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "nobody" in told
    assert "hr_arbitration" in told
