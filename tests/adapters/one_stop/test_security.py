"""The signature of page §2, its headers, and the settings that both sides refuse."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from adapters.one_stop.security import headers, signature

from .platform import TOKEN, settings


def test_worked_example_of_the_page() -> None:
    found = signature("1790672703", "EXAMPLE-TOKEN-00", "Zk3fA9bQ7LmX2pRt")
    assert found == "3C49A243783C71DBC3828B308449FCA9F0F7F3F37B2EA0F14B423971942618BD"


def test_headers_stand_once_in_the_order_of_the_check() -> None:
    at = datetime(2026, 9, 30, 9, 5, 3, 999_999, tzinfo=UTC)
    found = headers("p", "s", TOKEN, at, bytes(range(16)))
    assert [name for name, _ in found] == [
        "x-tif-paasid",
        "x-tif-serviceId",
        "x-tif-timestamp",
        "x-tif-nonce",
        "x-tif-signature",
    ]
    values = dict(found)
    assert values["x-tif-timestamp"] == str(int(at.timestamp()))
    assert re.fullmatch("[0-9]{10}", values["x-tif-timestamp"])
    assert re.fullmatch("[0-9a-zA-Z]{16,32}", values["x-tif-nonce"])
    plain = values["x-tif-timestamp"] + TOKEN + values["x-tif-nonce"] + values["x-tif-timestamp"]
    assert values["x-tif-signature"] == hashlib.sha256(plain.encode()).hexdigest().upper()


@pytest.mark.parametrize(
    "change",
    [
        {"token": "EXAMPLE-TOKEN-00"},
        {"token": "short"},
        {"token": "令牌令牌令牌令牌令牌令牌令牌令牌"},
        {"base_url": "http://one-stop.example"},
        {"base_url": "http://127.0.0.1.example"},
        {"base_url": "ftp://127.0.0.1"},
        {"base_url": "https://user:word@one-stop.example"},
        {"base_url": "https://one-stop.example?x=1"},
        {"base_url": "https://"},
        {"paasid": ""},
        {"paasid": "a\r\nx: y"},
        {"organization_codes": ()},
        {"organization_codes": ("A", "A")},
        {"page_size": 101},
        {"page_size": 0},
        {"strange": 1},
    ],
)
def test_unsafe_settings_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        settings(**change)


@pytest.mark.parametrize("address", ["http://127.0.0.1:8103/", "http://[::1]:8103", "http://localhost:8103"])
def test_plain_http_on_loopback(address: str) -> None:
    assert settings(base_url=address).base_url == address.rstrip("/")


def test_the_token_is_in_no_text_of_the_settings() -> None:
    assert TOKEN not in repr(settings())
    assert TOKEN not in settings().model_dump_json()
