"""``gateway client rotate`` and ``disable``: keys of upstream systems, each act with its reason in the audit trail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.command import command
from tests.cli.resting import Resting


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEWAY_CONFIG", raising=False)
    monkeypatch.setenv("COLUMNS", "160")


def client(resting: Resting, *arguments: str) -> Result:
    return CliRunner().invoke(command, ["client", *arguments, "--config", resting.config])


def added(resting: Resting) -> dict[str, Any]:
    told = client(resting, "add", "历下区系统", "-o", "SD-JN-LX-001", "--json")
    assert told.exit_code == 0, told.output
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def keys(resting: Resting) -> dict[str, tuple[bool, int | None, int]]:
    rows = resting.sql("SELECT prefix, enabled, expires_at, created_at FROM clients")
    return {prefix: (bool(enabled), ends, made) for prefix, enabled, ends, made in rows}


def acts(resting: Resting) -> list[tuple[Any, ...]]:
    return resting.sql("SELECT actor, act, target, reason FROM audit ORDER BY number")[1:]


@pytest.mark.parametrize(("given", "hours"), [((), 24), (("--overlap", "0"), 0), (("--overlap", "168"), 168)])
def test_a_new_key_beside_the_old_one(resting: Resting, given: tuple[str, ...], hours: int) -> None:
    first = added(resting)
    told = client(resting, "rotate", first["client"], "--reason", "每年更换", *given, "--json")
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert (found["client"], found["name"], found["overlap_hours"]) == (first["client"], "历下区系统", hours)
    old, new = (one["key"].partition(".")[0] for one in (first, found))
    kept = keys(resting)
    assert kept.keys() == {old, new}
    assert kept[new][:2] == (True, None)
    assert kept[old][0]
    ends, rotated_at = kept[old][1], kept[new][2]
    assert ends is not None
    assert 0 <= ends - (rotated_at + hours * 3_600_000) < 1_000, "each statement reads the clock for itself"
    assert acts(resting) == [("cli", "client.rotate", first["client"], "每年更换")]
    assert found["key"] not in str(resting.sql("SELECT * FROM clients")) + str(resting.sql("SELECT * FROM audit"))


def test_a_person_is_told_the_key_once_and_when_the_old_ones_end(resting: Resting) -> None:
    first = added(resting)
    told = client(resting, "rotate", first["client"], "--reason", "每年更换")
    assert told.exit_code == 0, told.output
    new = (keys(resting).keys() - {first["key"].partition(".")[0]}).pop()
    assert told.stdout.count(f"{new}.") == 1
    assert "24 小时后失效 end after 24 h" in told.stdout
    at_once = client(resting, "rotate", first["client"], "--reason", "泄露", "--overlap", "0")
    assert "立即失效 end at once" in at_once.stdout


@pytest.mark.parametrize("whole", [False, True])
def test_one_key_is_good_no_more(resting: Resting, whole: bool) -> None:
    first, other = added(resting), added(resting)
    prefix, _, secret = first["key"].partition(".")
    given = first["key"] if whole else prefix
    told = client(resting, "disable", given, "--reason", "设备遗失", "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout) == {"prefix": prefix, "disabled": True}
    assert {key: enabled for key, (enabled, *_) in keys(resting).items()} == {
        prefix: False,
        other["key"].partition(".")[0]: True,
    }
    assert acts(resting)[1:] == [("cli", "client.disable_key", prefix, "设备遗失")]
    again = client(resting, "disable", given, "--reason", "设备遗失")
    assert again.exit_code == 4
    assert secret not in again.output + told.output
    assert len(acts(resting)) == 2


@pytest.mark.parametrize("act", ["rotate", "disable"])
def test_what_is_not_there_is_told_with_where_to_look(resting: Resting, act: str) -> None:
    added(resting)
    told = client(resting, act, "none", "--reason", "核对", "--json")
    assert told.exit_code == 4
    assert json.loads(told.stdout)["error"]["exit"] == 4
    assert "没有该接入方" in told.stderr
    assert "console's page of clients" in told.stderr
    assert acts(resting) == []


@pytest.mark.parametrize("given", [(), ("--reason", " ")])
@pytest.mark.parametrize("act", ["rotate", "disable"])
def test_nothing_is_done_without_a_reason(resting: Resting, act: str, given: tuple[str, ...]) -> None:
    first = added(resting)
    target = first["client"] if act == "rotate" else first["key"].partition(".")[0]
    told = client(resting, act, target, *given)
    assert told.exit_code == 2
    assert "--reason" in told.stderr
    assert acts(resting) == []


@pytest.mark.parametrize("hours", ["-1", "169", "soon"])
def test_an_overlap_is_at_most_a_week(resting: Resting, hours: str) -> None:
    first = added(resting)
    assert client(resting, "rotate", first["client"], "--reason", "x", "--overlap", hours).exit_code == 2
    assert acts(resting) == []
