"""``gateway alert test``: from the configuration alone, by exit code."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.command import command


class _Robot(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        came = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append(json.loads(came))  # type: ignore[attr-defined] # what the fixture put there
        answer = json.dumps({"errcode": self.server.errcode}).encode()  # type: ignore[attr-defined] # the same
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def robot() -> Iterator[HTTPServer]:
    """A robot in a thread: the command has a loop of its own."""
    server = HTTPServer(("127.0.0.1", 0), _Robot)
    server.came, server.errcode = [], 0  # type: ignore[attr-defined] # read by the handler
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run(tmp_path: Path, robot: HTTPServer, *arguments: str) -> Result:
    """The command over a configuration with one channel."""
    path = tmp_path / "gateway.toml"
    path.write_text(
        'env = "development"\n[alerts]\nallowed_hosts = [{ host = "127.0.0.1" }]\n'
        f'[alert_channels.duty]\nkind = "dingtalk"\nurl = "http://127.0.0.1:{robot.server_port}/r?access_token=geheim"\n',
        "utf-8",
    )
    return CliRunner().invoke(command, [*arguments, "--config", str(path)])


def test_a_test_that_gets_there(tmp_path: Path, robot: HTTPServer) -> None:
    done = run(tmp_path, robot, "alert", "test", "duty")
    assert done.exit_code == 0, done.output
    assert "geheim" not in done.output
    assert len(robot.came) == 1  # type: ignore[attr-defined] # as above
    assert json.loads(run(tmp_path, robot, "alert", "test", "duty", "--json").stdout) == {
        "ok": True,
        "channel": "duty",
        "code": None,
    }


def test_one_that_does_not_says_why(tmp_path: Path, robot: HTTPServer) -> None:
    robot.errcode = 310000  # type: ignore[attr-defined] # as above
    failed = run(tmp_path, robot, "alert", "test", "duty")
    assert failed.exit_code == 1
    assert "robot_310000" in failed.output


def test_an_unknown_channel_is_a_wrong_command(tmp_path: Path, robot: HTTPServer) -> None:
    wrong = run(tmp_path, robot, "alert", "test", "nobody")
    assert wrong.exit_code == 2
    assert "duty" in wrong.output


def test_a_configuration_is_shown_without_its_secrets(tmp_path: Path, robot: HTTPServer) -> None:
    shown = run(tmp_path, robot, "config", "show")
    assert shown.exit_code == 0, shown.output
    assert "geheim" not in shown.output
    assert "[alert_channels.duty]" in shown.output


def test_the_doctor_names_the_channels_and_what_is_wrong_with_them(tmp_path: Path, robot: HTTPServer) -> None:
    found = json.loads(run(tmp_path, robot, "doctor", "--json").stdout)["checks"]
    (alerts,) = [check for check in found if check["name"].startswith("告警外发")]
    assert (alerts["ok"], alerts["found"]) == (True, "duty")
    path = tmp_path / "gateway.toml"
    path.write_text(path.read_text("utf-8") + 'rules = ["no_such_rule"]\n', "utf-8")
    wrong = CliRunner().invoke(command, ["config", "check", str(path)])
    assert wrong.exit_code == 78
    assert "no_such_rule" in wrong.output
