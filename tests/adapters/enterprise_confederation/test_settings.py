"""What an operator may configure, and what is refused before the first exchange."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from adapters.enterprise_confederation import EnterpriseConfederationSettings
from adapters.enterprise_confederation.settings import Server
from contracts.adapter import AdapterSettings

from .exchange import settings

PINNED = {"host_key": "SHA256:" + "Ab3+/" * 8 + "abc", "private_key_file": "/etc/gateway/id_ed25519"}


@pytest.mark.parametrize("root", ["", "relative", "/", "/srv/../etc"])
def test_roots_that_are_refused(root: str) -> None:
    with pytest.raises(ValidationError):
        settings(root)


@pytest.mark.parametrize(
    ("root", "server"),
    [
        ("sftp://qltj@host.example:2222/exchange", Server("host.example", 2222, "qltj", "/exchange")),
        ("SFTP://qltj@host.example", Server("host.example", 22, "qltj", "/")),
        ("sftp://q%40l@[2001:db8::1]:22/a%20b/c/", Server("2001:db8::1", 22, "q@l", "/a b/c/")),
    ],
)
def test_roots_over_sftp(root: str, server: Server) -> None:
    assert settings(root, **PINNED).server == server
    assert settings("/srv/x").server is None


@pytest.mark.parametrize(
    "root",
    [
        "sftp:",
        "sftp://host.example/x",
        "sftp://user:word@host.example/x",
        "sftp://user@/x",
        "sftp://user@host.example:0/x",
        "sftp://user@host.example:99999/x",
        "sftp://user@host.example/x?y",
        "sftp://user@host.example/x#y",
        "sftp://user@host.example/a/../b",
        "sftp://user@host.example/%2e%2e/b",
        "sftp://user@host.example/a%00",
        "sftp://[user@host.example/x",
    ],
)
def test_roots_over_sftp_that_are_refused(root: str) -> None:
    with pytest.raises(ValidationError, match=r"须为已挂载.*sftp://user@host:port/path is needed") as refusal:
        settings(root, **PINNED)
    assert "host.example" not in str(refusal.value)
    assert "word@" not in str(refusal.value)


@pytest.mark.parametrize(
    ("root", "changes", "told"),
    [
        ("sftp://u@h/x", {}, "须同时填写.*needs host_key and private_key_file"),
        ("sftp://u@h/x", {"host_key": ""}, "须同时填写.*needs host_key and private_key_file"),
        ("sftp://u@h/x", {"private_key_file": ""}, "须同时填写.*needs host_key and private_key_file"),
        ("sftp://u@h/x", {"host_key": "MD5:00:11"}, "主机密钥指纹.*host key fingerprint is needed"),
        ("sftp://u@h/x", {"private_key_file": "id_ed25519"}, "私钥文件的绝对路径.*absolute path of the private key"),
        ("/srv/x", {}, "请删去.*leave them out"),
    ],
)
def test_pin_and_key_go_with_sftp(root: str, changes: dict[str, str], told: str) -> None:
    given = (PINNED if root == "/srv/x" or changes else {}) | changes
    with pytest.raises(ValidationError, match=told):
        settings(root, **given)


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
