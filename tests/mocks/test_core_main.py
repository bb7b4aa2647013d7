"""The command line of the mocks, as a process: lines on standard output, restart with the same directory, clean end."""

import asyncio
import json
import re
import signal
import sys
import urllib.request
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web

from mocks.__main__ import main
from mocks.autopilot import Autopilot
from mocks.control import Control
from mocks.server import PLATFORMS, load
from tests.mocks.hr_client import CASE, Client

ROOT = Path(__file__).parents[2]


class Process:
    """``python -m mocks …`` until its ``ready`` line; ``lines`` by mock."""

    def __init__(self, *arguments: str) -> None:
        self.arguments = arguments
        self.lines: dict[str, dict[str, Any]] = {}

    async def __aenter__(self) -> "Process":
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "mocks", *self.arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            async for raw in self.process.stdout:
                line = json.loads(raw)
                if line == {"ready": True}:
                    return self
                self.lines[line["mock"]] = line
        raise AssertionError("ended before it was ready")

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            self.code = await self.process.wait()


def read(path: str) -> Any:
    return json.loads(Path(path).read_text("utf-8"))


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - loopback, our own
        return json.load(response)


async def test_one_mock_its_lines_and_its_restart(tmp_path: Path) -> None:
    arguments = ("hr_arbitration", "--data", str(tmp_path), "--callbacks", "http://127.0.0.1:9/callbacks")
    async with Process(*arguments, "--set", "hr_arbitration.rate_per_s=77") as first:
        line = first.lines["hr_arbitration"]
        config = read(line["config"])
        assert config["base_url"] == line["url"]
        assert config["callback_url"] == "http://127.0.0.1:9/callbacks/hr_arbitration/exchange"
        assert config["rate_per_s"] == 77
        assert await asyncio.to_thread(get, f"{line['url']}/_mock/records") == []
    assert first.code == 0
    port = line["url"].rpartition(":")[2]
    async with Process(*arguments, "--ports", f"hr_arbitration={port},one_stop=0") as second:
        assert second.lines["hr_arbitration"]["url"] == line["url"]
        assert read(line["config"]) == config
        second.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            assert await second.process.wait() == 0


async def test_the_line_tells_an_sftp_account(tmp_path: Path) -> None:
    root = "enterprise_confederation.root=sftp://gateway@127.0.0.1:0/"
    async with Process("enterprise_confederation", "--data", str(tmp_path), "--set", root) as first:
        line = first.lines["enterprise_confederation"]
        config = read(line["config"])
        told = {key: line[key] for key in ("root", "host_key", "private_key_file")}
        assert told == {key: config[key] for key in told}
        assert re.fullmatch(r"sftp://gateway@127\.0\.0\.1:[1-9][0-9]*/", line["root"])
    assert first.code == 0
    async with Process("enterprise_confederation", "--data", str(tmp_path)) as again:
        line = again.lines["enterprise_confederation"]
        assert {key: line[key] for key in told} == told


async def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    arguments = ("hr_arbitration", "--data", str(tmp_path))
    async with Process(*arguments) as first, aiohttp.ClientSession() as session:
        line = first.lines["hr_arbitration"]
        client = Client(read(line["config"]), session)
        reply = await client.send("TJ1001", CASE, "dlv_killed_0001")
        assert reply.code == "0000"
        first.process.kill()
        await first.process.wait()
    with (tmp_path / "hr_arbitration" / "journal.ndjson").open("ab") as journal:
        journal.write(b'{"seq":2,"at":"20')  # the write that the kill cut
    async with Process(*arguments) as second, aiohttp.ClientSession() as session:
        assert second.lines == first.lines
        again = await Client(read(line["config"]), session).send("TJ1001", CASE, "dlv_killed_0001")
        assert (again.code, again.content) == ("1001", reply.content)
        records = await asyncio.to_thread(get, f"{line['url']}/_mock/records")
        assert [record["message_id"] for record in records] == ["dlv_killed_0001"]


async def test_all_mocks(tmp_path: Path) -> None:
    async with Process("--data", str(tmp_path)) as all_of_them:
        assert "hr_arbitration" in all_of_them.lines
        urls = {line["url"] for line in all_of_them.lines.values()}
        assert len(urls) == len(all_of_them.lines)
        for name, line in all_of_them.lines.items():
            assert Path(line["config"]) == tmp_path / name / "config.json"
            assert await asyncio.to_thread(get, f"{line['url']}/_mock/faults") == []
    assert all_of_them.code == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nowhere"], "unknown platform"),
        (["--port", "1"], "need the name of one PLATFORM"),
        (["--ports", "nowhere=1"], "unknown platform"),
        (["--ports", "union=x"], "NAME=PORT"),
        (["hr_arbitration", "--set", "rate=1"], "NAME.KEY=VALUE"),
        (["hr_arbitration", "--set", "union.rate=1"], "not a platform started here"),
    ],
)
def test_a_wrong_command_line_is_explained(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert text in capsys.readouterr().err


def test_the_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    for part in ("config.json", "journal.ndjson", "--callbacks", "examples:", *PLATFORMS, *SHARED):
        assert part in text
    for kind in map(load, PLATFORMS):
        platform = object.__new__(kind)
        control = Control(platform, cast(Autopilot, None), lambda _: None)
        assert all(route.path in text for route in control.routes() if isinstance(route, web.RouteDef)), kind.name


SHARED = ("rate_per_s", "clock_tolerance_s", "nonce_memory_s", "callback_waits_s", "callback_timeout_s", "file_limit")
"""Settings that several mocks have, under one name."""

OTHER_NAMES = re.compile(r"skew|nonce_window|login_window|_bytes$|tolerance_ms|push_|repeats")
"""What they were or might be called elsewhere."""


def test_settings_of_one_meaning_have_one_name() -> None:
    told = {name: load(name).default_config("http://127.0.0.1:1", "http://127.0.0.1:2/callbacks") for name in PLATFORMS}
    odd = {f"{name}.{key}" for name, config in told.items() for key in config if OTHER_NAMES.search(key)}
    assert odd == set()
    for shared in ("rate_per_s", "clock_tolerance_s"):
        assert sum(shared in config for config in told.values()) >= 4, shared


async def test_every_mock_shows_the_callbacks_that_wait(tmp_path: Path) -> None:
    async with Process("--data", str(tmp_path)) as all_of_them:
        for line in all_of_them.lines.values():
            assert await asyncio.to_thread(get, f"{line['url']}/_mock/pushes") == []


def test_a_wrong_setting_ends_with_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hr_arbitration", "--data", str(tmp_path), "--set", "hr_arbitration.speed=1"]) == 1
    assert "no setting speed" in capsys.readouterr().err


async def test_some_mocks_and_the_list_of_them(tmp_path: Path) -> None:
    async with Process("hr_arbitration", "one_stop", "--data", str(tmp_path)) as two:
        assert set(two.lines) == {"hr_arbitration", "one_stop"}
    listed = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mocks", "--list", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    names = json.loads((await listed.communicate())[0])["mocks"]
    assert {"hr_arbitration", "one_stop"} <= set(names)


async def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    async with Process("hr_arbitration", "--data", str(tmp_path), "--parent", "1") as orphan:
        async with asyncio.timeout(10):  # the test is its parent, not process 1
            assert await orphan.process.wait() == 0
