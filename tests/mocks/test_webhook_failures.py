"""Keys, refusals and failures on command of the mock receiver of webhooks, and its restart."""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mocks.webhook.receiver import wait_of
from mocks.webhook.signatures import read_key, read_keys
from mocks.webhook.trust import Trust
from tests.mocks.webhook_sender import Sender, compact, event, expect, running


@pytest.fixture
async def stranger(tmp_path: Path) -> AsyncIterator[Sender]:
    """A sender whose keys are not trusted yet."""
    async with running(tmp_path / "webhook", grace_s=0) as there:
        yield there


@pytest.fixture
async def sender(stranger: Sender) -> Sender:
    """A sender after its handshake."""
    await stranger.trust()
    assert (await stranger.shake_hands())[0] == 200
    return stranger


async def test_without_keys_nobody_is_trusted(stranger: Sender) -> None:
    assert (await stranger.shake_hands())[0] == 401
    entry = await stranger.last()
    assert (entry["untrusted"], entry["breaches"]) == (True, [])


async def test_both_kinds_are_expected_where_both_are_trusted(stranger: Sender) -> None:
    stranger.pairs = [Ed25519PrivateKey.generate()]
    await stranger.trust()
    assert (await stranger.shake_hands())[0] == 200
    for lacking, kind in (("secrets", "v1"), ("pairs", "v1a")):
        kept = getattr(stranger, lacking)
        setattr(stranger, lacking, [])
        assert (await stranger.post(event()))[0] == 401
        await expect(stranger, 401, f"signature_kind:{kind}")
        setattr(stranger, lacking, [secrets.token_bytes(32)] if kind == "v1" else [Ed25519PrivateKey.generate()])
        assert (await stranger.post(event()))[0] == 401
        await expect(stranger, 401, f"signature_kind:{kind}")
        setattr(stranger, lacking, kept)
    assert (await stranger.post(event()))[0] == 204


async def test_rotation_and_retired_keys(sender: Sender) -> None:
    old, new = sender.secrets[0], secrets.token_bytes(32)
    sender.secrets = [new, old]
    assert (await sender.post(event(1)))[0] == 204  # the receiver knows the old key alone
    await sender.trust()
    assert (await sender.post(event(2)))[0] == 204
    sender.secrets = [new]
    await sender.trust(retired=[f"whsec_{base64.b64encode(old).decode()}"])
    assert (await sender.post(event(3)))[0] == 204
    sender.secrets = [new, old]
    assert (await sender.post(event(4)))[0] == 401
    await expect(sender, 401, "retired_key")
    sender.secrets = [old]
    assert (await sender.post(event(4)))[0] == 401
    await expect(sender, 401, "retired_key", "signature")


async def test_each_endpoint_has_its_own_order_and_handshake(sender: Sender) -> None:
    assert (await sender.post(event(5)))[0] == 204
    other = Sender(sender.server, sender.http, [secrets.token_bytes(64)])
    await other.trust(endpoint_id="whe_2")
    assert (await other.post(event(5)))[0] == 400
    await other.shake_hands(901)
    assert (await other.post(event(3)))[0] == 204
    assert (await other.last())["endpoint"] == "whe_2"
    assert len(await sender.mock("GET", "records")) == 4


def test_keys_as_shown(tmp_path: Path) -> None:
    assert read_key("whsec_" + base64.b64encode(bytes(24)).decode()) == ("v1", bytes(24))
    for text in ("", "whsec_", "whsec_%", "whsec_" + base64.b64encode(bytes(23)).decode(), "whsk_AAAA", "whpk_AAAA"):
        with pytest.raises(ValueError, match=r"whsec_|whpk_"):
            read_key(text)
    with pytest.raises(ValueError, match="public_keys"):
        read_keys(["whpk_" + base64.b64encode(bytes(32)).decode()], [], [])
    with pytest.raises(ValueError, match="whsec_"):
        Trust(tmp_path / "trust.json", ["whsec_x"], [])


async def test_wrong_orders(sender: Sender) -> None:
    orders: list[dict[str, object]] = [{"secrets": "x"}, {"secrets": ["x"]}, {"keys": []}, {"endpoint_id": 1}]
    for order in orders:
        await sender.mock("POST", "trust", order, 422)
    await sender.mock("POST", "decide", {"ref": "x", "decision": "accept"}, 422)
    await sender.mock("POST", "refer", {}, 422)
    for action in ("duplicate_callback", "reorder_callbacks", "early_callback"):
        await sender.mock("POST", "faults", [{"op": "*", "action": action}], 422)
    await sender.mock("POST", "faults", [{"op": "*", "action": "forge_callback", "how": "replay"}], 422)
    assert (await sender.post(event()))[0] == 204


async def test_every_status_is_noted_and_the_repeat_is_new(sender: Sender) -> None:
    for number, status in enumerate([400, 401, 404, 429, 500, 503], start=1):
        await sender.mock("POST", "faults", [{"op": "confirmation.*", "action": "http", "status": status}])
        assert (await sender.post(event(number)))[0] == status
        await expect(sender, status)
        assert (await sender.post(event(number)))[0] == 204
        assert (await sender.last())["effect"] == "created"
    await sender.mock("POST", "faults", [{"op": "confirmation.accepted", "action": "http", "status": 202}])
    assert (await sender.post(event(9)))[0] == 202
    assert (await sender.last())["effect"] == "created"


async def test_a_redirect_points_to_a_trap(sender: Sender) -> None:
    await sender.mock("POST", "faults", [{"op": "*", "action": "http", "status": 301}])
    body = compact(event())
    url, headers = f"{sender.server.url}/hooks/mediation", sender.headers(event()["id"], body)
    async with sender.http.post(url, data=body, headers=headers, allow_redirects=False) as response:
        assert response.status == 301
        place = response.headers["Location"]
    assert not [entry for entry in await sender.mock("GET", "journal") if entry["kind"] == "trap"]
    async with sender.http.get(sender.server.url + place):
        pass
    assert (await sender.last())["kind"] == "trap"


async def test_nothing_comes_after_gone(sender: Sender) -> None:
    await sender.mock("POST", "faults", [{"op": "*", "action": "http", "status": 410}])
    assert (await sender.post(event()))[0] == 410
    assert (await sender.post(event(2, case="case_2")))[0] == 400
    await expect(sender, 400, "after_gone")
    assert (await sender.shake_hands(901))[0] == 200
    assert (await sender.post(event()))[0] == 204


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_nothing_comes_during_retry_after(sender: Sender, form: str) -> None:
    until = datetime.now(UTC) + timedelta(seconds=2)
    wait = "1" if form == "seconds" else format_datetime(until, usegmt=True)
    await sender.mock("POST", "faults", [{"op": "*", "action": "http", "status": 503, "retry_after": wait}])
    assert (await sender.post(event()))[0] == 503
    assert (await sender.post(event(2, case="case_2")))[0] == 400
    await expect(sender, 400, "during_retry_after")
    await asyncio.sleep(1.05 if form == "seconds" else max(0.0, (until - datetime.now(UTC)).total_seconds()))
    assert (await sender.post(event(2, case="case_2")))[0] == 204


async def test_what_was_on_its_way_may_arrive(tmp_path: Path) -> None:
    async with running(tmp_path, grace_s=5) as sender:
        await sender.trust()
        await sender.shake_hands()
        await sender.mock("POST", "faults", [{"op": "*", "action": "http", "status": 503, "retry_after": 60}])
        assert (await sender.post(event()))[0] == 503
        assert (await sender.post(event(2, case="case_2")))[0] == 204


async def test_maintenance(sender: Sender) -> None:
    await sender.mock("POST", "faults", [{"op": "*", "action": "maintenance", "after_ms": 600_000}])
    for number, breaches in ((1, []), (2, ["during_retry_after"])):
        body = compact(event(number))
        url, headers = f"{sender.server.url}/hooks/mediation", sender.headers(event(number)["id"], body)
        async with sender.http.post(url, data=body, headers=headers) as response:
            assert response.status == 503
            assert 590 <= int(response.headers["Retry-After"]) <= 600
        await expect(sender, 503, *breaches)


def test_retry_after_in_its_spellings() -> None:
    now = datetime.now(UTC)
    assert wait_of("120") == 120
    assert wait_of(" 0 ") == 0
    assert wait_of("9999999999999") == 86400
    assert 50 < wait_of(format_datetime(now + timedelta(seconds=60), usegmt=True)) <= 60
    assert 50 < wait_of((now + timedelta(seconds=60)).strftime("%A, %d-%b-%y %H:%M:%S GMT")) <= 60
    assert wait_of(format_datetime(now - timedelta(seconds=60), usegmt=True)) == 0
    assert wait_of("soon") == wait_of("-5") == wait_of("") == 0


@pytest.mark.parametrize("kind", ["html", "truncated", "empty", "gbk"])
async def test_garbage_is_still_2xx(sender: Sender, kind: str) -> None:
    await sender.mock("POST", "faults", [{"op": "*", "action": "garbage", "kind": kind, "times": 2}])
    status, body = await sender.post(event())
    assert status == 200
    assert bool(body) == (kind != "empty")
    assert (await sender.last())["effect"] == "created"
    assert (await sender.post(event(2) | {"cursor": 1}))[0] == 400


async def test_a_business_error_is_delivered_all_the_same(sender: Sender) -> None:
    await sender.mock("POST", "faults", [{"op": "*", "action": "business_error", "code": "E1"}])
    status, body = await sender.post(event())
    assert (status, json.loads(body)) == (200, {"error": "E1"})
    assert (await sender.last())["effect"] == "created"


async def test_expired_keys_are_forgotten_until_trusted_anew(sender: Sender) -> None:
    await sender.mock("POST", "faults", [{"op": "*", "action": "expire_session"}])
    assert (await sender.post(event()))[0] == 401
    assert (await sender.last())["untrusted"] is True
    await sender.mock("DELETE", "faults")
    assert (await sender.post(event()))[0] == 401
    await sender.trust()
    assert (await sender.post(event()))[0] == 204


async def test_the_state_survives_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as first:
        await first.trust()
        await first.shake_hands()
        for number in (1, 5, 5):
            assert (await first.post(event(number)))[0] == 204
        await first.mock("POST", "faults", [{"op": "*", "action": "http", "status": 500}])
        assert (await first.post(event(6)))[0] == 500
        before = await first.mock("GET", "records")
        keys = first.secrets
    async with running(tmp_path) as second:
        second.secrets = keys
        assert await second.mock("GET", "records") == before
        assert (await second.post(event(5)))[0] == 204
        assert (await second.last())["effect"] == "repeated"
        assert (await second.post(event(4)))[0] == 400
        assert (await second.post(event(6, time="2026-09-28T11:20:01Z")))[0] == 400
        await expect(second, 400, "body_changed")
        assert (await second.post(event(6)))[0] == 204
        assert (tmp_path / "trust.json").stat().st_mode & 0o077 == 0
