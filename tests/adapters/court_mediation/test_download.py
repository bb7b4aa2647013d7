"""Decision documents: from the platform's own address alone, without a cookie, proven by size and digest."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.adapter import Reply, Request
from contracts.errors import EndpointError, PermanentError, RetryableError
from contracts.update import DocumentLink
from tests.adapters.court_mediation.platform import NOW, URL, Platform, adapter, answer, login_page, raw

NUMBER = "WS20261012001"
DATA = "%PDF-1.7 民事裁定书".encode()
LINK = DocumentLink(
    ref=NUMBER,
    kind="decision",
    name="民事裁定书",
    link=f"{URL}/fayuan/a/file/get/{NUMBER}",
    expires_at=NOW + timedelta(seconds=600),
    size=len(DATA),
    sha256=hashlib.sha256(DATA).hexdigest(),
)


def _platform(**documents: bytes) -> Platform:
    return Platform(documents=documents or {NUMBER: DATA})


async def test_a_fresh_link_is_fetched_without_a_session() -> None:
    platform = _platform()
    assert await adapter(platform.clock).download(LINK, platform) == DATA
    assert platform.path() == [f"file/get/{NUMBER}"]
    assert platform.steps[0].request == Request("GET", LINK.link or "")
    assert platform.steps[0].within == 120


@pytest.mark.parametrize(
    "changes",
    [{"expires_at": NOW}, {"expires_at": NOW - timedelta(days=1)}, {"link": None}, {"link": None, "expires_at": None}],
)
async def test_an_ended_link_is_replaced_first(changes: dict[str, Any]) -> None:
    platform = _platform()
    assert await adapter(platform.clock).download(replace(LINK, **changes), platform) == DATA
    assert platform.path() == ["login", "ws/link", f"file/get/{NUMBER}"]


async def test_a_link_that_turns_out_ended_is_replaced_once() -> None:
    platform = _platform()
    old = replace(LINK, link=f"{URL}/fayuan/a/file/get/old", expires_at=None)
    assert await adapter(platform.clock).download(old, platform) == DATA
    assert platform.path() == ["file/get/old", "login", "ws/link", f"file/get/{NUMBER}"]


async def test_a_new_link_that_has_ended_too_waits() -> None:
    platform = _platform(other=b"x")
    with pytest.raises(RetryableError, match="link_ended"):
        await adapter(platform.clock).download(LINK, platform)


async def test_a_relative_link_is_the_platforms_own() -> None:
    platform = _platform()
    relative = replace(LINK, link=f"/fayuan/a/file/get/{NUMBER}")
    assert await adapter(platform.clock).download(relative, platform) == DATA


@pytest.mark.parametrize(
    "link",
    [
        "http://attacker.example/fayuan/a/file/get/x",
        "https://127.0.0.1:9102/fayuan/a/file/get/x",
        "http://127.0.0.1:9103/fayuan/a/file/get/x",
        "http://127.0.0.1:9102@attacker.example/x",
        "http://user@127.0.0.1:9102/x",
        "//attacker.example/x",
        "http://127.0.0.1:notaport/x",
        "http://[::1/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
    ],
)
async def test_no_other_host_is_ever_asked(link: str) -> None:
    platform = _platform()
    with pytest.raises(RetryableError, match="foreign_link"):
        await adapter(platform.clock).download(replace(LINK, link=link), platform)
    assert platform.path() == []


async def test_a_new_link_to_another_host_is_not_followed() -> None:
    platform = _platform()
    platform.script("ws/link", answer("200", {"c_wsbh": NUMBER, "wjlj": "http://attacker.example/x"}))
    with pytest.raises(RetryableError, match="foreign_link"):
        await adapter(platform.clock).download(replace(LINK, link=None), platform)
    assert platform.path() == ["login", "ws/link"]


@pytest.mark.parametrize(("told", "code"), [({"size": 3}, "wrong_size"), ({"sha256": "0" * 64}, "wrong_digest")])
async def test_other_bytes_than_told_are_not_kept(told: dict[str, Any], code: str) -> None:
    platform = _platform()
    with pytest.raises(RetryableError, match=code):
        await adapter(platform.clock).download(replace(LINK, **told), platform)


async def test_what_was_not_told_is_not_compared() -> None:
    platform = _platform()
    assert await adapter(platform.clock).download(replace(LINK, size=None, sha256=None), platform) == DATA
    upper = replace(LINK, sha256=(LINK.sha256 or "").upper())
    assert await adapter(platform.clock).download(upper, platform) == DATA


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer("200", {"c_wsbh": "another", "wjlj": "/x"}), RetryableError),
        (answer("200", {"c_wsbh": NUMBER}), RetryableError),
        (answer("1001"), PermanentError),
        (answer("403"), EndpointError),
    ],
)
async def test_a_new_link_that_is_not_given(reply: Reply, kind: type[Exception]) -> None:
    platform = _platform()
    platform.script("ws/link", reply)
    with pytest.raises(kind):
        await adapter(platform.clock).download(replace(LINK, link=None), platform)


async def test_the_new_link_renews_the_session_where_needed() -> None:
    platform = _platform()
    platform.script("ws/link", login_page())
    assert await adapter(platform.clock).download(replace(LINK, link=None), platform) == DATA


@pytest.mark.parametrize(("status", "kind"), [(404, EndpointError), (500, RetryableError), (503, RetryableError)])
async def test_statuses(status: int, kind: type[Exception]) -> None:
    platform = _platform()
    platform.script(f"file/get/{NUMBER}", raw(b"", status))
    with pytest.raises(kind) as failed:
        await adapter(platform.clock).download(LINK, platform)
    assert not getattr(failed.value, "maybe_accepted", False)
