"""Production starts with safe settings alone, and says every reason at once."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.security.safety import unsafe
from gateway.settings import Settings

SAFE: dict[str, Any] = {
    "env": "production",
    "keys": "never read here",
    "public_base": "https://gateway.example",
    "endpoints": {"hr": {"adapter": "hr_arbitration", "settings": {"base_url": "https://hr.example"}}},
}


def reasons(**changes: Any) -> list[str]:
    return [line.partition(":")[0] for line in unsafe(Settings(**{**SAFE, **changes}))]


def test_safe_settings_have_no_reason() -> None:
    assert reasons() == []


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"keys": None}, ["key_file"]),
        ({"public_base": "http://gateway.example"}, ["public_base"]),
        ({"public_base": "http://gateway.example", "host": "0.0.0.0"}, ["public_base", "host"]),
        ({"endpoints": {}}, ["endpoints"]),
        (
            {"endpoints": {"hr": {"adapter": "x", "settings": {"base_url": "http://10.1.2.3"}}}},
            ["endpoints.hr.settings.base_url"],
        ),
        ({"database": "postgresql://db/x?sslmode=disable"}, ["database"]),
    ],
)
def test_each_unsafe_setting_is_named(changes: dict[str, Any], keys: list[str]) -> None:
    assert reasons(**changes) == keys


def test_all_reasons_come_at_once() -> None:
    found = reasons(
        keys=None,
        public_base="http://gateway.example",
        host="0.0.0.0",
        endpoints={"hr": {"adapter": "x", "settings": {"base_url": "http://10.1.2.3"}}},
        database="postgresql://db/x?sslmode=disable",
    )
    assert found == ["key_file", "public_base", "host", "endpoints.hr.settings.base_url", "database"]


@pytest.mark.parametrize("address", ["http://127.0.0.1:9101", "http://localhost:9101", "http://[::1]:9101"])
def test_plain_http_on_this_machine_is_no_reason(address: str) -> None:
    assert reasons(endpoints={"hr": {"adapter": "x", "settings": {"base_url": address}}}) == []


@pytest.mark.parametrize("env", ["development", "demo"])
def test_outside_production_nothing_is_asked(env: str) -> None:
    assert unsafe(Settings(env=env, public_base="http://gateway.example")) == []
