"""What an operator may configure, and what is refused before the first exchange."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.adapters.court_mediation.platform import CALLBACK_KEY, settings


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "http://court.example"},
        {"base_url": "ftp://court.example"},
        {"base_url": "https://user@court.example"},
        {"base_url": "https://court.example/?a=b"},
        {"base_url": "https://"},
        {"username": ""},
        {"username": "with space"},
        {"password": ""},
        {"callback_key": "00" * 32},
        {"callback_key": "00" * 40},
        {"callback_key": "ab" * 31},
        {"callback_key": "a" * 65},
        {"callback_key": "zz" * 32},
        {"court_codes": {}},
        {"court_codes": {"3701": "鲁01"}},
        {"court_codes": {"370102": ""}},
        {"court_codes": {"370102": "鲁" * 11}},
        {"exchange_s": 0},
        {"unknown": "x"},
    ],
)
def test_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**changes)
    assert CALLBACK_KEY.hex() not in str(refused.value)


def test_what_the_pages_defaults_are() -> None:
    found = settings(base_url="https://court.example/")
    assert found.base_url == "https://court.example"
    assert (found.exchange_s, found.upload_s, found.rate_wait_s) == (40, 120, 10)
    assert (found.session_s, found.idle_s) == (7200, 1200)
    assert (found.push_skew_s, found.nonce_kept_s) == (300, 900)
    assert (found.form_limit, found.file_limit) == (1024 * 1024, 20 * 1024 * 1024)
    assert found.upload_kept_s < 24 * 3600
    assert 10 * 60 / found.login_again_s < 5, "five refused logins within 10 minutes lock the account"


def test_secrets_do_not_show() -> None:
    shown = repr(settings())
    assert CALLBACK_KEY.hex() not in shown
    assert "Synthetic" not in shown
    assert settings().push_key == CALLBACK_KEY


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9102", "http://localhost", "http://[::1]:80", "https://court.example"]
)
def test_addresses(address: str) -> None:
    assert settings(base_url=address).base_url == address
