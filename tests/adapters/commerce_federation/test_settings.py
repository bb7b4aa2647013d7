"""What an operator may configure, and what is refused before the first exchange (page §1)."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from adapters.commerce_federation import CommerceFederationSettings
from contracts.adapter import AdapterSettings

from .exchange import settings

PLAIN = "postgresql://127.0.0.1:5433/qzj"


@pytest.mark.parametrize(
    ("url", "file"),
    [("sqlite:///tjex.db", "tjex.db"), ("sqlite:////var/lib/tjex.db", "/var/lib/tjex.db"), (PLAIN, None)],
)
def test_addresses(url: str, file: str | None) -> None:
    assert settings(url).file == file


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite:///",
        "mysql://h/d",
        "postgresql://h",
        "postgresql:///d",
        "postgresql://h/d/e",
        "postgresql://h:x/d",
        "postgresql://u:geheim@h/d",
        "postgresql://h/d?sslmode=disable",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        settings(url)
    assert "geheim" not in str(refusal.value)


def test_the_server_and_its_account() -> None:
    server = settings("postgresql://[::1]/a%20b").server
    assert (server.host, server.port, server.database, server.account, server.here) == (
        "::1",
        5432,
        "a b",
        "tj_gateway",
        True,
    )
    other = settings("postgresql://me@db.example:6000/x", account="you").server
    assert (other.host, other.port, other.account, other.here) == ("db.example", 6000, "me", False)


def test_a_password_is_never_shown() -> None:
    assert "geheim-geheim" not in repr(settings(PLAIN, password="geheim-geheim"))


def test_the_engines_waits_follow_the_pages() -> None:
    assert settings(PLAIN, poll_min_s=1, poll_max_s=20).poll_every_s == (1, 20)
    assert settings(PLAIN, poll_max_s=900).poll_every_s == (5, 30), "our heart beats with the poll"
    assert settings(PLAIN, poll_min_s=100).poll_every_s == (100, 100)
    assert settings(PLAIN, poll_every_s=(1, 900)).poll_every_s == (1, 900)
    with pytest.raises(ValidationError):
        settings(PLAIN, poll_min_s=10, poll_max_s=5)
    with pytest.raises(ValidationError):
        settings(PLAIN, organizations=["A", "A"])
    with pytest.raises(ValidationError):
        settings(PLAIN, organizations=["A#1"])


@pytest.mark.parametrize("schema", ["", "a b", "x;drop", "1a"])
def test_a_schema_is_a_plain_name(schema: str) -> None:
    assert settings(PLAIN, schema="other").db_schema == "other"
    with pytest.raises(ValidationError):
        settings(PLAIN, schema=schema)


def test_every_setting_is_explained() -> None:
    own = CommerceFederationSettings.model_fields.keys() - AdapterSettings.model_fields.keys()
    assert all(CommerceFederationSettings.model_fields[name].description for name in own)
