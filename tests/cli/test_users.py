"""``gateway user add``: the first administrator."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from gateway.cli.command import command
from gateway.security.passwords import same_password
from tests.cli.resting import Resting


def stored(resting: Resting) -> list[tuple[str, str, str, int]]:
    return resting.sql("SELECT name, role, password, must_change FROM users ORDER BY name")


def test_the_first_administrator_gets_a_password_that_must_be_changed(resting: Resting) -> None:
    made = CliRunner().invoke(
        command, ["user", "add", "zhaoli", "赵丽", "--role", "administrator", "--config", resting.config, "--json"]
    )
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    [(name, role, kept, must_change)] = stored(resting)
    assert (name, role, bool(must_change)) == ("zhaoli", "administrator", True)
    assert same_password(kept, told["password"])
    again = CliRunner().invoke(command, ["user", "add", "zhaoli", "赵丽", "--config", resting.config])
    assert again.exit_code == 2
    assert told["password"] not in again.output


@pytest.mark.parametrize(
    ("name", "role", "password"),
    [("Zhao", "viewer", "k7mf-2xqp-9tda\n"), ("zhao", "king", "k7mf-2xqp-9tda\n"), ("zhao", "viewer", "short\n")],
)
def test_what_is_not_right_is_refused(resting: Resting, name: str, role: str, password: str) -> None:
    given = ["user", "add", name, "赵", "--role", role, "--password-stdin", "--config", resting.config]
    refused = CliRunner().invoke(command, given, input=password)
    assert refused.exit_code == 2
    assert stored(resting) == []


@pytest.mark.parametrize(("scope", "kept"), [("area:3702, SD-QD-SN-002", "SD-QD-SN-002 area:3702"), ("area:x", None)])
def test_a_data_scope_is_kept_or_refused(resting: Resting, scope: str, kept: str | None) -> None:
    given = ["user", "add", "lisi", "李四", "--role", "operator", "--scope", scope, "--config", resting.config]
    made = CliRunner().invoke(command, given)
    rows = resting.sql("SELECT scope FROM users")
    assert rows == ([] if kept is None else [(kept,)])
    assert made.exit_code == (2 if kept is None else 0), made.output
