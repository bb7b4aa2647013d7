"""``gateway user add``: the first administrator."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.command import command
from gateway.security.fields import Keys, write_key_file
from gateway.security.passwords import same_password


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration of a gateway that was never started."""
    write_key_file(tmp_path / "keys", Keys.generate())
    path = tmp_path / "gateway.toml"
    path.write_text(f'env = "development"\ndata = "{tmp_path}/data"\nkey_file = "{tmp_path}/keys"\n', "utf-8")
    return path


def stored(config: Path) -> list[tuple[str, str, str, int]]:
    with sqlite3.connect(config.parent / "data" / "gateway.db") as connection:
        return connection.execute("SELECT name, role, password, must_change FROM users ORDER BY name").fetchall()


def test_the_first_administrator_gets_a_password_that_must_be_changed(config: Path) -> None:
    made = CliRunner().invoke(
        command, ["user", "add", "zhaoli", "赵丽", "--role", "administrator", "--config", str(config), "--json"]
    )
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    [(name, role, kept, must_change)] = stored(config)
    assert (name, role, bool(must_change)) == ("zhaoli", "administrator", True)
    assert same_password(kept, told["password"])
    again = CliRunner().invoke(command, ["user", "add", "zhaoli", "赵丽", "--config", str(config)])
    assert again.exit_code == 2
    assert told["password"] not in again.output


@pytest.mark.parametrize(
    ("name", "role", "password"),
    [("Zhao", "viewer", "k7mf-2xqp-9tda\n"), ("zhao", "king", "k7mf-2xqp-9tda\n"), ("zhao", "viewer", "short\n")],
)
def test_what_is_not_right_is_refused(config: Path, name: str, role: str, password: str) -> None:
    given = ["user", "add", name, "赵", "--role", role, "--password-stdin", "--config", str(config)]
    refused = CliRunner().invoke(command, given, input=password)
    assert refused.exit_code == 2
    assert stored(config) == []


@pytest.mark.parametrize(("scope", "kept"), [("area:3702, SD-QD-SN-002", "SD-QD-SN-002 area:3702"), ("area:x", None)])
def test_a_data_scope_is_kept_or_refused(config: Path, scope: str, kept: str | None) -> None:
    given = ["user", "add", "lisi", "李四", "--role", "operator", "--scope", scope, "--config", str(config)]
    made = CliRunner().invoke(command, given)
    with sqlite3.connect(config.parent / "data" / "gateway.db") as connection:
        rows = connection.execute("SELECT scope FROM users").fetchall()
    assert rows == ([] if kept is None else [(kept,)])
    assert made.exit_code == (2 if kept is None else 0), made.output
