"""``gateway-prove``: the demonstration, killed at random moments and started again, until the four ledgers are compared.

Each round is a real process that ends by SIGKILL, its platforms with it; the next one goes on in the same directory with the
same arguments. What was acknowledged before must be there, what had an effect must have it once (``design.md`` §6).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from math import ceil
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from gateway.demo.waits import LONGER_WHERE_PLANNED

_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Round:
    """What was asked for: how many kills while how many cases flow. The kills are spread over all the cases: each comes after
    a number of further cases that is evenly drawn, or when none has ended for a third of the patience (a moment like any other,
    and one that is worth killing in); one in five comes while it starts. ``brief``, ``at_once``, ``patience_s``: see ``gateway
    demo --help``; a start may take several times the patience, as it is under way."""

    kills: int = 20
    cases: int = 400
    seed: int = 7
    brief: bool = True
    at_once: int = 60
    patience_s: float = 90.0


@dataclass(slots=True)
class Proof:
    """How it ended. ``recovered_s``: from each start to the first answer of the gateway. ``false_delivered``: called
    delivered, and the platform has nothing. ``summary`` is the demonstration's own; empty: it never ended well."""

    kills: int = 0
    in_start: int = 0
    recovered_s: list[float] = field(default_factory=list)
    summary: Mapping[str, Any] = field(default_factory=dict)
    false_delivered: int = 0
    code: int | None = None
    seconds: float = 0.0
    broken: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing was lost, doubled, reordered or falsely called delivered."""
        counts = [self.summary.get(name, 1) for name in ("lost", "duplicated", "reordered")]
        return self.code == 0 and not any(counts) and not self.false_delivered and not self.broken


class _Run:
    """One process of the demonstration."""

    def __init__(self, wanted: Round, data: Path, environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "gateway", "demo", "--once", "--json", "--data", str(data)]
        command += ["--cases", str(wanted.cases), "--seed", str(wanted.seed), "--patience", str(wanted.patience_s)]
        command += ["--at-once", str(wanted.at_once), *["--brief"] * wanted.brief]
        self._data = data
        self._out = data / "prove.json"
        with self._out.open("wb") as out, (data / "prove.log").open("ab") as said:
            self._process = subprocess.Popen(  # noqa: S603 # our own program, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=said,
                env=dict(environment),
                start_new_session=True,
            )

    @property
    def ended(self) -> bool:
        """Whether it has come to its end."""
        return self._process.poll() is not None

    def answers(self) -> bool:
        """Whether its gateway accepts connections."""
        try:
            port = json.loads((self._data / "ports.json").read_text("utf-8"))["gateway"]
            with socket.create_connection(("127.0.0.1", port), 0.2):
                return True
        except (OSError, ValueError, KeyError):
            return False

    def kill(self) -> None:
        """SIGKILL, to this process alone: its platforms see their parent gone."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def end(self) -> tuple[int, dict[str, Any]]:
        """Wait for the end; the exit code and the summary."""
        code = self._process.wait()
        lines = self._out.read_text("utf-8").splitlines()
        return code, json.loads(lines[-1]) if lines else {}


def prove(wanted: Round, data: Path, environment: Mapping[str, str] | None = None) -> Proof:
    """Kill and restart until the kills are done or the cases are; then let it end and read the verdict."""
    chance, proof, started = Random(wanted.seed), Proof(), time.monotonic()  # repeatable moments
    data.mkdir(parents=True, exist_ok=True)
    over = Over(data / "client.ndjson")
    surroundings = dict(os.environ if environment is None else environment)
    while True:
        born = time.monotonic()
        run = _Run(wanted, data, surroundings)
        try:
            last = proof.kills >= wanted.kills
            early = not last and chance.random() < 0.2
            if early and _sleep(run, chance.uniform(0.0, median(proof.recovered_s or [2.0]))):
                run.kill()
                proof.kills, proof.in_start = proof.kills + 1, proof.in_start + 1
                continue
            while not run.ended and not run.answers():
                if time.monotonic() - born > wanted.patience_s * LONGER_WHERE_PLANNED:
                    proof.broken = "the gateway did not come back"
                    return proof
                time.sleep(_LOOK_S)
            proof.recovered_s.append(time.monotonic() - born)
            cases, pause_s = further(chance, wanted, proof, wanted.cases - over.count()), chance.random() / 3
            if not last and _flows(run, over, wanted, cases, pause_s):
                run.kill()
                proof.kills += 1
                continue
            proof.code, proof.summary = run.end()
            break
        finally:
            if not run.ended:
                run.kill()
    proof.false_delivered = _false_delivered(data) if proof.code else 0
    proof.seconds = time.monotonic() - started
    return proof


def _sleep(run: _Run, seconds: float) -> bool:
    """Wait so long; ``False``: it ended by itself meanwhile."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if run.ended:
            return False
        time.sleep(_LOOK_S)
    return not run.ended


class Over:
    """How many cases are over, by the client's own log."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = self._cases = 0

    def count(self) -> int:
        """Count on from where it was read to."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                fresh = file.read()
        except FileNotFoundError:
            return 0
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._at += len(whole)
        self._cases += whole.count(b'"over":true')
        return self._cases


def further(chance: Random, wanted: Round, proof: Proof, left: int) -> int:
    """How many more cases shall end before the next kill, so that the kills that are to come spread over the cases that are
    left."""
    return chance.randint(0, ceil(2 * left / (wanted.kills - proof.kills + 1)))


def _flows(run: _Run, over: Over, wanted: Round, cases: int, pause_s: float) -> bool:
    """Wait until so many more cases are over, and a moment more; ``False``: it ended by itself meanwhile."""
    until, before = over.count() + cases, -1
    stuck = time.monotonic()
    while (now := over.count()) < until and time.monotonic() - stuck < wanted.patience_s / 3:
        if now > before:
            before, stuck = now, time.monotonic()
        if not _sleep(run, _LOOK_S):
            return False
    return _sleep(run, pause_s)


def _false_delivered(data: Path) -> int:
    try:
        found: list[dict[str, str]] = json.loads((data / "faults.json").read_text("utf-8"))
    except FileNotFoundError:
        return 0
    return sum(fault["what"].startswith("called delivered") for fault in found)


def table(wanted: Round, proof: Proof) -> Table:
    """The figures, with seed and versions."""
    made = Table(title=f"gateway {version('mediation-gateway')}, seed {wanted.seed}", show_header=False)
    recovered = proof.recovered_s or [0.0]
    for name, value in (
        ("断电次数 kills (SIGKILL)", f"{proof.kills} of {wanted.kills}, {proof.in_start} while starting"),
        ("案件 cases", proof.summary.get("cases", "?")),
        ("报文 messages", proof.summary.get("messages", "?")),
        ("丢失 lost", proof.summary.get("lost", "?")),
        ("重复 duplicated", proof.summary.get("duplicated", "?")),
        ("乱序 reordered", proof.summary.get("reordered", "?")),
        ("误报送达 falsely delivered", proof.false_delivered),
        ("恢复 seconds to answer again", f"median {median(recovered):.1f}, worst {max(recovered):.1f}"),
        ("历时 seconds", f"{proof.seconds:.0f}"),
        ("内存峰值 peak memory MB", proof.summary.get("peak_rss_mb", "?")),
        ("版本 versions", f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.system()}"),
    ):
        made.add_row(name, str(value))
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script. Exit code 0: the four ledgers agree."""
    parser = argparse.ArgumentParser(
        prog="gateway-prove", description="断电自证 kill it, restart it, compare the ledgers"
    )
    parser.add_argument("--kills", type=int, default=20, help="断电次数 how many kills, default 20")
    parser.add_argument("--cases", type=int, default=400, help="案件数 how many cases, default 400")
    parser.add_argument("--seed", type=int, default=7, help="种子 seed of cases and moments, default 7")
    parser.add_argument("--rich", action="store_true", help="全为完整案件，较慢 every case in full, which is slower")
    parser.add_argument("--at-once", type=int, default=60, help="同时进行的案件数 cases at the same time, default 60")
    parser.add_argument("--data", type=Path, help="目录 directory, kept; default: a temporary one")
    parser.add_argument(
        "--patience", type=float, default=90.0, help="停滞这么多秒后放弃 give up after so many idle seconds, default 90"
    )
    chosen = parser.parse_args(arguments)
    wanted = Round(chosen.kills, chosen.cases, chosen.seed, not chosen.rich, chosen.at_once, patience_s=chosen.patience)
    console = Console()
    if chosen.data is not None:
        proof = prove(wanted, chosen.data)
    else:
        with tempfile.TemporaryDirectory(prefix="gateway-prove-", ignore_cleanup_errors=True) as directory:
            proof = prove(wanted, Path(directory))
    console.print(table(wanted, proof))
    if proof.broken:
        console.print(proof.broken)
    return 0 if proof.holds else 1


def run() -> None:
    """What the console script calls."""
    sys.exit(main())
