"""Runs every shell block of the READMEs in a fresh copy of the repository, as a newcomer would.

The blocks of one README share a directory and run in order. A block whose first line is ``# until Ctrl-C`` is a thing to
look at: it is started, must say that it is ready within its time, is interrupted, and must end by itself. One that begins with
``# the tests`` is what CI runs next to this anyway: its install line is run, the suite is not run twice.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
READY_S = 300
END_S = 60


def main(work: Path) -> int:
    """Run the blocks of each README; returns an exit code."""
    for readme in sorted(ROOT.glob("README*.md")):
        place = work / readme.stem
        place.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(place)], check=True)  # noqa: S603, S607 # our own clone
        for number, block in enumerate(BLOCK.findall(readme.read_text("utf-8")), 1):
            print(f"-- {readme.name}, block {number}", flush=True)
            if not _run(block, place):
                print(f"{readme.name}: block {number} failed", file=sys.stderr)
                return 1
        shutil.rmtree(place)
    return 0


def _run(block: str, place: Path) -> bool:
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUNBUFFERED": "1"}
    if block.startswith("# the tests"):
        block = block.replace("&& .venv/bin/pytest -n 2", "&& .venv/bin/pytest --collect-only -q > /dev/null")
    command = ["bash", "-euo", "pipefail", "-c", block]
    if not block.startswith("# until Ctrl-C"):
        return subprocess.run(command, cwd=place, env=environment, check=False).returncode == 0  # noqa: S603 # our own text
    process = subprocess.Popen(  # noqa: S603 # our own text
        command,
        cwd=place,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    return _looked_at(process)


def _looked_at(process: subprocess.Popen[str]) -> bool:
    ready = False
    started = time.monotonic()
    if process.stdout is None:
        return False
    for line in process.stdout:
        print("   ", line.rstrip(), flush=True)
        if "Ctrl-C" in line:
            ready = True
            break
        if time.monotonic() - started > READY_S:
            break
    time.sleep(5)
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.communicate(timeout=END_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return False
    return ready and process.returncode in (0, 130)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
