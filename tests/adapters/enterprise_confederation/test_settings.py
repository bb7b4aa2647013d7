"""What an operator may configure, and what is refused before the first exchange."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from adapters.enterprise_confederation import EnterpriseConfederationSettings
from contracts.adapter import AdapterSettings

from .exchange import settings


@pytest.mark.parametrize("root", ["", "relative", "/", "/srv/../etc", "sftp://u@h:22/x", "SFTP://u@h/x"])
def test_roots_that_are_refused(root: str) -> None:
    with pytest.raises(ValidationError):
        settings(root)


def test_sftp_is_refused_in_both_languages() -> None:
    with pytest.raises(ValidationError, match=r"暂不支持 SFTP.*SFTP is not supported yet") as refusal:
        settings("sftp://user@host.example:22/x")
    assert "host.example" not in str(refusal.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": "a"},
        {"sender": "ABC_"},
        {"organizations": ["A", "A"]},
        {"organizations": ["A|1"]},
        {"poll_min_s": 10, "poll_max_s": 5},
        {"host_key": "x"},
        {"private_key_file": "x"},
    ],
)
def test_settings_that_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings("/srv/x", **changes)


def test_the_engines_waits_follow_the_pages() -> None:
    assert settings("/srv/x", poll_min_s=1, poll_max_s=20).poll_every_s == (1, 20)


def test_every_setting_is_explained() -> None:
    fields = EnterpriseConfederationSettings.model_fields
    own = fields.keys() - AdapterSettings.model_fields.keys()
    assert all(fields[name].description for name in own)
