"""The command line as such: help that teaches, clear refusals with exit codes, which call a sample is."""

from __future__ import annotations

import fcntl
import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from gateway.cli.command import command
from gateway.cli.sending import address
from gateway.web.api.documents import CALLS
from tests.cli.resting import Resting

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
IDS = {"cases": "case_1", "agreements": "agr_1", "confirmations": "cnf_1", "referrals": "ref_1"}


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GATEWAY_CONFIG", "GATEWAY_URL", "GATEWAY_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "160")


def gateway(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_the_help_names_every_command_and_exit_code() -> None:
    text = gateway("--help").stdout
    for name in (
        "demo",
        "serve",
        "work",
        "mocks",
        "send",
        "config",
        "client",
        "migrate",
        "find",
        "tail",
        "doctor",
        "reconcile",
    ):
        assert f" {name} " in text
    for code in ("65", "69", "75", "77", "78"):
        assert f"{code} " in text


@pytest.mark.parametrize(
    "name",
    [
        "demo",
        "serve",
        "work",
        "migrate",
        "doctor",
        "send",
        "find",
        "tail",
        "replay",
        "reconcile",
        "config check",
        "client add",
        "client rotate",
        "client disable",
        *("partitions", "user add", "verify audit", "alert test", "report make", "export ledger"),
        *("export stats", "export indicators", "config example", "config show", "config keys"),
        *("client", "user", "verify", "alert", "report", "export", "config"),
    ],
)
def test_every_command_teaches_by_example(name: str) -> None:
    result = gateway(*name.split(), "--help")
    assert result.exit_code == 0
    assert f"gateway {name}" in result.stdout.split("示例 example")[1]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("serve --nope", "没有这个选项"),
        ("nothing", "命令写法不对"),
        ("send", "缺少必填的参数或选项"),
        ("demo --cases many", "参数或选项的值不合要求"),
        ("demo --with nowhere", "national_mediation"),
    ],
)
def test_a_command_that_is_written_wrong_is_told_in_both_languages(written: str, said: str) -> None:
    result = gateway(*written.split())
    assert result.exit_code == 2
    assert said in result.stderr
    assert re.search("[a-z]{4} [a-z]", result.stderr)


def test_without_a_command_the_help_is_shown() -> None:
    assert "gateway demo" in gateway().stdout


def test_the_version() -> None:
    assert gateway("--version").stdout.startswith("gateway ")


def test_one_process_is_enough_on_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "g.toml"
    path.write_text('env = "development"\n', "utf-8")
    result = gateway("work", "--config", str(path))
    assert result.exit_code == 78
    assert "gateway serve" in result.stderr
    assert gateway("serve", "--no-work", "-c", str(path)).exit_code == 78


def test_every_sample_tells_its_call() -> None:
    known = {(call.method, call.path) for call in CALLS}
    found = set()
    for sample in sorted(SAMPLES.glob("*.json")):
        method, path = address(sample.stem, dict(IDS))
        for identifier in IDS.values():
            path = path.replace(identifier, "{id}")
        assert (method, path) in known, sample.name
        found.add(path)
    assert len(found) == 7


@pytest.mark.parametrize(
    ("call", "path"),
    [
        ("POST cases/{id}/progress", "/v1/cases/case_1/progress"),
        ("post /v1/cases/{id}/follow-ups", "/v1/cases/case_1/follow-ups"),
        ("PUT agreements {id}", "/v1/agreements/agr_1"),
        ("POST confirmations {id} supplements - anything at all", "/v1/confirmations/cnf_1/supplements"),
        ("POST referrals {id} answer", "/v1/referrals/ref_1/answer"),
    ],
)
def test_a_call_may_be_written_in_any_of_these_ways(call: str, path: str) -> None:
    assert address(call, dict(IDS))[1] == path


@pytest.mark.parametrize("call", ["wages", "GET cases", "POST passwords {id}", "POST", "POST cases {id} progress"])
def test_what_is_no_call_is_refused(call: str) -> None:
    with pytest.raises(typer.Exit) as ended:
        address(call, {})
    assert ended.value.exit_code == 2


def test_sending_says_what_is_missing(tmp_path: Path) -> None:
    case = next(SAMPLES.glob("POST cases - wages.json"))
    result = gateway("send", str(case))
    assert result.exit_code == 2
    assert "GATEWAY_KEY" in result.stderr
    result = gateway("send", str(tmp_path / "POST cases - none.json"), "--key", "a.b")
    assert result.exit_code == 66
    agreement = next(SAMPLES.glob("POST cases {id} agreements*.json"))
    result = gateway("send", str(agreement), "--key", "a.b", "--case", "case_1", "--json")
    assert result.exit_code == 2
    assert "--document" in result.stderr
    assert json.loads(result.stdout)["error"]["exit"] == 2
    result = gateway("send", str(agreement), "--key", "a.b")
    assert "--case" in result.stderr
    result = gateway("send", str(case), "--demo", str(tmp_path))
    assert result.exit_code == 66
    assert "gateway demo --data DIR" in result.stderr


@pytest.mark.parametrize("arguments", [("find", "7"), ("tail", "--limit", "1"), ("send", "FILE")])
def test_a_gateway_that_is_not_there_is_no_traceback(arguments: tuple[str, ...]) -> None:
    case = str(next(SAMPLES.glob("POST cases - wages.json")))
    filled = [case if part == "FILE" else part for part in arguments]
    result = gateway(*filled, "--to", "http://127.0.0.1:1", "--key", "a.b")
    assert result.exit_code == 69
    assert "gateway serve" in result.stderr
    assert "Traceback" not in result.output


def test_an_unknown_event_type_is_refused() -> None:
    result = gateway("tail", "--type", "case.exploded", "--key", "a.b")
    assert result.exit_code == 2
    assert "case.exploded" in result.stderr


def test_a_role_and_its_organisations(resting: Resting) -> None:
    path = resting.config
    assert gateway("client", "add", "x", "--config", str(path)).exit_code == 2
    assert gateway("client", "add", "x", "--role", "king", "--config", str(path)).exit_code == 2
    nameless = gateway("client", "add", " ", "-o", "A", "--config", str(path))
    assert nameless.exit_code == 2
    assert "at least one organisation code" in nameless.stderr
    added = gateway("client", "add", "调解中心", "-o", "A", "-o", "B", "--config", str(path), "--json")
    assert added.exit_code == 0
    found = json.loads(added.stdout)
    assert found["organizations"] == ["A", "B"]
    assert "cases:write" in found["scopes"]
    operator = json.loads(gateway("client", "add", "y", "--role", "operator", "--config", str(path), "--json").stdout)
    assert operator["organizations"] == ["*"]
    assert "ops:write" in operator["scopes"]
    limited = gateway("client", "add", "z", "--role", "operator", "-o", "A", "--config", str(path))
    assert limited.exit_code == 2
    assert "cannot be limited" in limited.stderr
    kept = str(resting.sql("SELECT * FROM clients"))
    kept += "".join(file.read_text("latin-1") for file in (resting.directory / "data").glob("gateway.db*"))
    assert found["client"] in kept
    assert found["key"] not in kept
    acts = resting.sql("SELECT actor, act, target FROM audit ORDER BY number")
    assert acts == [("cli", "client.add", one["client"]) for one in (found, operator)]


def test_a_new_database_is_migrated_once(resting: Resting) -> None:
    path = resting.config
    first = json.loads(gateway("migrate", "--config", str(path), "--json").stdout)
    again = json.loads(gateway("migrate", "--config", str(path), "--json").stdout)
    assert first["before"] is None
    assert again["before"] == again["after"] == first["after"]
    assert resting.sql("SELECT version_num FROM alembic_version") == [(first["after"],)]


def test_the_doctor_finds_and_cures(tmp_path: Path) -> None:
    path = tmp_path / "g.toml"
    settings = 'base_url = "http://127.0.0.1:1"\npaasid = "sdzz"\ntoken = "a-token-of-sixteen-or-more"\n'
    settings += 'service_id = "s"\norganization_codes = ["A"]\n'
    path.write_text(
        f'env = "development"\ndata = "{tmp_path / "data"}"\nport = 0\n[endpoints.two]\nadapter = "one_stop"\n'
        f"[endpoints.two.settings]\n{settings}",
        "utf-8",
    )
    result = gateway("doctor", "--config", str(path), "--json")
    assert result.exit_code == 1
    checks = {check["name"].split()[0]: check for check in json.loads(result.stdout)["checks"]}
    assert checks["配置"]["ok"] is True
    assert checks["密钥"]["ok"] is None
    assert checks["数据库"]["ok"] is None
    assert checks["two"]["ok"] is False
    assert checks["two"]["found"] == "unreachable"
    assert checks["two"]["cure"]
    gateway("migrate", "--config", str(path))
    checks = {
        c["name"].split()[0]: c for c in json.loads(gateway("doctor", "-c", str(path), "--json").stdout)["checks"]
    }
    assert checks["数据库"]["ok"] is True


@pytest.mark.parametrize(("floor", "ok", "told"), [("0001", True, "9999"), ("9999", False, "9999 > ")])
def test_the_doctor_knows_a_newer_schema(resting: Resting, floor: str, ok: bool, told: str) -> None:
    path = resting.written("port = 0\n").config
    gateway("migrate", "--config", path)
    resting.sql("UPDATE alembic_version SET version_num = '9999'")
    resting.sql(f"INSERT INTO schema_floors (revision, oldest_reader) VALUES ('9999', '{floor}')")  # noqa: S608 -- the floors are the cases above; this fixture takes whole statements
    checks = json.loads(gateway("doctor", "-c", str(path), "--json").stdout)["checks"]
    found = next(check for check in checks if "结构" in check["name"] + check["found"])
    assert (found["ok"], told in found["found"]) == (ok, True)
    assert (gateway("migrate", "--config", str(path)).exit_code == 0) is ok


@pytest.mark.parametrize(
    ("alive_s", "running", "ok", "told"),
    [
        (0, False, True, "as the gateway's"),
        (7200, False, False, "behind the gateway's"),
        (-7200, False, True, "as the gateway's"),
        (-30, True, True, "as the gateway's"),
        (7200, True, False, "behind the gateway's"),
        (-7200, True, False, "ahead of the gateway's"),
    ],
)
def test_the_doctor_sees_a_clock_that_was_set(tmp_path: Path, alive_s: int, running: bool, ok: bool, told: str) -> None:
    path, data = tmp_path / "g.toml", tmp_path / "data"
    path.write_text(f'env = "development"\ndata = "{data}"\nport = 0\n', "utf-8")
    gateway("migrate", "--config", str(path))
    alive = round(1000 * (time.time() + alive_s))
    with closing(sqlite3.connect(data / "gateway.db")) as database:
        database.execute("INSERT INTO marks (consumer, position) VALUES ('alive:here', ?), ('tally', 7)", (alive,))
        database.commit()
    with (data / "gateway.db.lock").open("a") as lock:
        if running:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        result = gateway("doctor", "--config", str(path), "--json")
    (clock,) = [check for check in json.loads(result.stdout)["checks"] if check["name"].startswith("时钟")]
    assert (clock["ok"], bool(clock["cure"])) == (ok, not ok)
    assert told in clock["found"]


def test_the_doctor_names_every_reason_of_a_bad_configuration(tmp_path: Path) -> None:
    path = tmp_path / "g.toml"
    path.write_text('env = "development"\n[endpoints.one]\nadapter = "x"\n[endpoints.two]\nadapter = "y"\n', "utf-8")
    result = gateway("doctor", "--config", str(path))
    assert result.exit_code == 1
    assert "endpoints.one.adapter" in result.stdout
    assert "endpoints.two.adapter" in result.stdout
