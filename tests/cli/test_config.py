"""``gateway config``: the example is the defaults, a check names everything at once, nothing secret is shown."""

from __future__ import annotations

import json
import stat
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError
from typer.testing import CliRunner, Result

from gateway import settings
from gateway.cli.command import command
from gateway.demo.toml_text import table_text
from gateway.registry import installed
from gateway.security.fields import read_key_file
from gateway.settings import LimitSettings, RetrySettings, Settings
from gateway.texts import setting_text


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GATEWAY_CONFIG", "GATEWAY_ENV", "GATEWAY_URL", "GATEWAY_KEY"):
        monkeypatch.delenv(name, raising=False)


def gateway(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def config(path: Path, **values: object) -> str:
    path.write_text(table_text({"env": "development", "data": str(path.parent / "data"), **values}), "utf-8")
    return str(path)


def test_the_example_equals_the_defaults() -> None:
    result = gateway("config", "example")
    assert result.exit_code == 0
    assert Settings(**tomllib.loads(result.stdout)) == Settings()


def test_the_example_describes_every_key() -> None:
    text = gateway("config", "example").stdout
    for kind in (Settings, RetrySettings, LimitSettings):
        for name, field in kind.model_fields.items():
            assert field.description, name
            assert f"# {field.description}" in text, name
    for name, load in installed().items():
        if load().info.events:
            assert f"[endpoints.{name}]" not in text, "webhooks are subscribed to, not configured"
            continue
        assert f"# [endpoints.{name}]" in text
        for key, field in load().settings_type.model_fields.items():
            if field.is_required():
                assert f"# {key} = " in text, (name, key)


def test_every_key_is_described_in_chinese_too() -> None:
    text = gateway("config", "example").stdout
    kinds = [each for each in vars(settings).values() if isinstance(each, type) and issubclass(each, BaseModel)]
    ours = [each for each in kinds if each.__module__ == settings.__name__]
    assert len(ours) > 15
    for kind in ours:
        for name, field in kind.model_fields.items():
            chinese = setting_text((each.__name__ for each in kind.__mro__), name)
            assert chinese, (kind.__name__, name)
            if kind in (Settings, RetrySettings, LimitSettings):
                assert f"# {chinese}\n# {field.description}" in text, name
    assert "# reconcile = true" in text


def test_the_examples_commented_blocks_are_toml_too() -> None:
    lines = gateway("config", "example").stdout.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("# [endpoints."))
    opened = [line.removeprefix("# ") for line in lines[start:] if line.startswith(("# [", "# # ")) or " = " in line]
    found = tomllib.loads("\n".join(line for line in opened if not line.startswith("# ")))
    assert set(found["endpoints"]) == {name for name, load in installed().items() if not load().info.events}
    for name, block in found["endpoints"].items():
        with pytest.raises(ValidationError) as refusal:
            installed()[name]().settings_type.model_validate(block["settings"])
        kinds = {error["type"] for error in refusal.value.errors()}
        assert not {kind for kind in kinds if kind.endswith("_type")}, "a place to fill in has the shape of its value"
    assert found["routes"][0]["never"] is True


def test_the_example_is_not_written_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    assert gateway("config", "example", "--output", str(path)).exit_code == 0
    written = path.read_text("utf-8")
    again = gateway("config", "example", "-o", str(path))
    assert again.exit_code == 73
    assert "not overwritten" in again.stderr
    assert path.read_text("utf-8") == written


def test_a_good_configuration_passes(tmp_path: Path) -> None:
    path = config(tmp_path / "g.toml")
    assert gateway("config", "check", path).exit_code == 0
    result = gateway("config", "check", path, "--json")
    assert json.loads(result.stdout) == {"ok": True, "reasons": []}
    assert not (tmp_path / "data").exists()


def test_all_reasons_come_at_once(tmp_path: Path) -> None:
    path = config(
        tmp_path / "g.toml",
        key_file=str(tmp_path / "missing"),
        endpoints={
            "one": {"adapter": "nobody"},
            "two": {"adapter": "one_stop", "settings": {"base_url": "ftp://x", "token": "VERY-SECRET-TOKEN-1"}},
        },
        routes=[{"type": "case.exploded", "endpoint": "one"}],
    )
    result = gateway("config", "check", path)
    assert result.exit_code == 78
    for part in (
        "keys:",
        "endpoints.one.adapter",
        "endpoints.two.settings.base_url",
        "routes.0.type",
        "two.settings.paasid",
    ):
        assert part in result.stderr
    assert "VERY-SECRET" not in result.output
    assert "ftp://" not in result.output
    found = json.loads(gateway("config", "check", path, "--json").stdout)
    assert found["ok"] is False
    assert len(found["reasons"]) >= 5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("port = 99999999\nunknown = 1\n", ("port", "unknown")),
        ("this is no toml", ("not TOML",)),
        ('env = "production"\n', ("key_file",)),
    ],
)
def test_a_broken_configuration_is_explained(tmp_path: Path, text: str, told: tuple[str, ...]) -> None:
    path = tmp_path / "g.toml"
    path.write_text(text, "utf-8")
    result = gateway("config", "check", str(path))
    assert result.exit_code == 78
    for part in told:
        assert part in result.stderr


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    result = gateway("config", "check", str(tmp_path / "none.toml"))
    assert result.exit_code == 78
    assert "FileNotFoundError" in result.stderr


def test_the_configuration_may_come_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_CONFIG", config(tmp_path / "g.toml", port=1234))
    assert tomllib.loads(gateway("config", "show").stdout)["port"] == 1234


def test_what_is_secret_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_KEYS", "seal = 00")
    settings = {"base_url": "http://127.0.0.1:1", "paasid": "sdzz", "token": "VERY-SECRET-TOKEN-1", "odd": "HIDE-ME"}
    path = config(
        tmp_path / "g.toml",
        database="postgresql://gateway:HIDE-ME@db.example:5432/gateway",
        endpoints={
            "two": {"adapter": "one_stop", "settings": settings},
            "three": {"adapter": "stranger", "settings": {"anything": "HIDE-ME"}},
        },
    )
    result = gateway("config", "show", path)
    assert result.exit_code == 0
    shown = tomllib.loads(result.stdout)
    assert shown["endpoints"]["two"]["settings"] == {
        "base_url": "http://127.0.0.1:1",
        "paasid": "sdzz",
        "token": "***",
        "odd": "***",
    }
    assert shown["endpoints"]["three"]["settings"] == {"anything": "***"}
    assert shown["keys"] == "***"
    assert shown["database"] == "postgresql://gateway:***@db.example:5432/gateway"
    assert shown["retry"]["breaker"] == 10
    for secret in ("VERY-SECRET", "HIDE-ME", "seal"):
        assert secret not in result.output
    assert json.loads(gateway("config", "show", path, "--json").stdout) == shown


def test_fresh_keys_are_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys"
    result = gateway("config", "keys", str(path))
    assert result.exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    keys = read_key_file(path)
    assert len(keys.sealing) == 1
    assert keys.index.hex() not in result.output
    assert gateway("config", "keys", str(path)).exit_code == 73
    assert read_key_file(path) == keys
