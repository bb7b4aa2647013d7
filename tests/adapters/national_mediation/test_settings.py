"""What an operator may configure, and what the engine's own limits follow from."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from adapters.national_mediation import NationalMediation

from .platform import ISSUER, settings


def test_the_engines_limits_follow_the_pages_settings() -> None:
    found = settings(quota_per_minute=120, poll_min_s=1, poll_max_s=9)
    assert found.rate_per_s == pytest.approx(1.8)
    assert found.poll_every_s == (1.0, 9.0)
    assert settings(rate_per_s=3).rate_per_s == 3
    assert found.issuer == ISSUER


def test_the_pages_limits_are_the_defaults() -> None:
    info, found = NationalMediation.info, settings()
    assert (info.at_once, info.connect_s, info.poll_every_s) == (4, 5.0, (5.0, 900.0))
    assert info.rate_per_s == found.rate_per_s == 9.0, "600 calls in 60 s, a tenth of them for polls and tokens"
    assert (found.exchange_s, found.upload_s) == (30.0, 120.0)
    assert (found.page_size, found.file_limit) == (100, 20 * 1024 * 1024)


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "http://national.example/ndm/v1"},
        {"auth_url": "ftp://national.example"},
        {"jwks_url": "https://user@national.example/k"},
        {"client_secret": "short"},
        {"client_secret": "密" * 20},
        {"client_id": ""},
        {"organizations": []},
        {"organizations": ["A", "A"]},
        {"poll_min_s": 900, "poll_max_s": 5},
        {"quota_per_minute": 0},
        {"page_size": 101},
        {"unknown": 1},
    ],
)
def test_what_cannot_be(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        settings(**changes)
