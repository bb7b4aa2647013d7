"""What an operator may configure, and what is refused before the first exchange."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from .platform import SECRET, settings


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "http://union.example"},
        {"base_url": "https://user@union.example"},
        {"base_url": "https://union.example/?a=1"},
        {"base_url": "https://union.example/#a"},
        {"base_url": "ftp://union.example"},
        {"base_url": "union.example"},
        {"secret": "EXAMPLE-SECRET-0"},
        {"secret": "fifteen-letters"},
        {"secret": "sixteen-letters&"},
        {"secret": "sixteen=letters0"},
        {"secret": "密钥密钥密钥密钥密钥密钥密钥密钥"},
        {"secret": "sixteen-letters\n"},
        {"app_key": ""},
        {"app_key": "GH 37"},
        {"organization_codes": ("A", "A")},
        {"organization_codes": ("",)},
        {"unknown": 1},
    ],
)
def test_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**changes)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9104", "http://localhost:9104/", "http://[::1]:9104"])
def test_loopback_needs_no_tls(address: str) -> None:
    assert settings(base_url=address).base_url == address.rstrip("/")


def test_the_secret_is_not_printed() -> None:
    assert SECRET not in repr(settings())
    assert settings().organization_codes == ("SD-JN-LX-001",)
    assert settings(secret="sixteen letters~").secret.get_secret_value() == "sixteen letters~"
