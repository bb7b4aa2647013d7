"""What an operator may configure, and what the engine's own limits follow from."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from .platform import ISSUER, settings


def test_the_engines_limits_follow_the_pages_settings() -> None:
    found = settings(quota_per_minute=120, poll_min_s=1, poll_max_s=9)
    assert found.rate_per_s == pytest.approx(1.8)
    assert found.poll_every_s == (1.0, 9.0)
    assert settings(rate_per_s=3).rate_per_s == 3
    assert found.issuer == ISSUER


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
