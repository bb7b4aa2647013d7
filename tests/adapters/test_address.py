"""What every adapter takes as its platform's address, and what none does."""

from __future__ import annotations

import pytest

from adapters import address
from adapters.court_mediation import CourtMediationSettings
from adapters.hr_arbitration import HrArbitrationSettings
from adapters.one_stop import OneStopSettings
from adapters.union import UnionSettings
from contracts.adapter import AdapterSettings


@pytest.mark.parametrize(
    "value",
    [
        "https://platform.example",
        "https://platform.example:8443/base",
        "http://127.0.0.1:9101",
        "http://127.5.0.1",
        "http://localhost",
        "http://[::1]:9101",
    ],
)
def test_addresses(value: str) -> None:
    assert address.checked(value) == value
    assert address.checked(f"{value}/") == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "platform.example",
        "https://",
        "http://platform.example",
        "http://10.0.0.1",
        "http://localhost.example",
        "ftp://127.0.0.1",
        "https://secret@platform.example",
        "https://:secret@platform.example",
        "https://platform.example/?key=secret",
        "https://platform.example/#secret",
        "https://platform.example:99999",
        "https://platform.example:secret",
        "https://[secret",
    ],
)
def test_what_is_none_is_refused_with_the_cure_and_unquoted(value: str) -> None:
    with pytest.raises(ValueError, match=r"须为 https 地址.*an https address without user") as refused:
        address.checked(value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("kind", [CourtMediationSettings, HrArbitrationSettings, OneStopSettings, UnionSettings])
def test_every_adapter_of_a_platform_asks_for_one(kind: type[AdapterSettings]) -> None:
    assert any(getattr(mark, "func", None) is address.checked for mark in kind.model_fields["base_url"].metadata)
