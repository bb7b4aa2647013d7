"""Every kind of event at the mock receiver, and the handshake."""

import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mocks.webhook.catalogue import TYPES
from tests.mocks.webhook_sender import CASE, EXAMPLE, Sender, about, compact, event, running


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


async def test_the_example_of_the_page(sender: Sender) -> None:
    assert await sender.post(EXAMPLE) == (204, b"")
    entry = await sender.last()
    assert {key: entry[key] for key in ("kind", "business_key", "message_id", "effect", "breaches", "answer")} == {
        "kind": "confirmation.accepted",
        "business_key": EXAMPLE["subject"],
        "message_id": EXAMPLE["id"],
        "effect": "created",
        "breaches": [],
        "answer": 204,
    }
    assert entry["digest"] == hashlib.sha256(compact(EXAMPLE)).hexdigest()
    assert entry["payload"] == EXAMPLE
    assert (await sender.post(EXAMPLE))[0] == 204
    assert (await sender.last())["effect"] == "repeated"
    records = await sender.mock("GET", "records")
    assert [(record["ref"], record["times"]) for record in records][1:] == [(EXAMPLE["id"], 2)]


async def test_the_handshake(stranger: Sender) -> None:
    await stranger.trust(endpoint_id="whe_1")
    assert (await stranger.post(event()))[0] == 400
    assert (await stranger.last())["breaches"] == ["before_handshake"]
    data = {"webhook_endpoint": "whe_1", "challenge": secrets.token_urlsafe(32)}
    status, body = await stranger.post(about("endpoint.verification", "whe_1", data, 900, case=False))
    assert (status, json.loads(body)) == (200, {"challenge": data["challenge"]})
    assert (await stranger.last())["verified"] is True
    assert (await stranger.trust(endpoint_id="whe_1"))["verified"] is True
    assert (await stranger.post(event(2)))[0] == 204


@pytest.mark.parametrize("how", ["wrong_challenge", "no_challenge", "text"])
async def test_a_forged_handshake_opens_nothing(stranger: Sender, how: str) -> None:
    await stranger.trust()
    await stranger.mock("POST", "faults", [{"op": "endpoint.verification", "action": "forge_callback", "how": how}])
    data = {"webhook_endpoint": "whe_1", "challenge": secrets.token_urlsafe(32)}
    status, body = await stranger.post(about("endpoint.verification", "whe_1", data, case=False))
    assert status == 200
    assert body == data["challenge"].encode() if how == "text" else json.loads(body) != {"challenge": data["challenge"]}
    assert (await stranger.post(event(2)))[0] == 400


ENDPOINT = {"webhook_endpoint": "whe_1", "at": "2026-09-28T11:20:00Z", "reason": "failing"}
STEP = {"status": "accepted", "at": "2026-09-28T11:20:00.5+08:00"}
CNF = {"confirmation": "cnf_1", "agreement": "agr_1", "route": "judicial_confirmation"}
SAMPLES: dict[str, tuple[str, dict[str, Any], bool]] = {
    "case.received": (CASE, STEP | {"status": "received"}, True),
    "case.alerted": (CASE, {"level": "major", "at": STEP["at"]}, True),
    "case.followed_up": (CASE, {"at": STEP["at"]}, True),
    "case.noted": (CASE, {"at": STEP["at"], "endpoint": "one_stop"}, True),
    "case.unknown_status": (CASE, STEP | {"status": "unknown", "raw_status": "77", "endpoint": "union"}, True),
    "agreement.concluded": ("agr_1", {"agreement": "agr_1", "settled_claims": "all", "effect_rule": "labor_law"}, True),
    "confirmation.supplemented": ("cnf_1", STEP | CNF, True),
    "confirmation.unknown_status": ("cnf_1", STEP | CNF | {"status": "unknown"}, True),
    "transfer.filed": ("trf_1", {"transfer": "trf_1", "to": "court", "status": "filed", "at": STEP["at"]}, True),
    "referral.offered": (
        "ref_1",
        {"referral": "ref_1", "kind": "union_handed_over", "task_no": "Y1", "status": "offered", "at": STEP["at"]},
        False,
    ),
    "referral.returned": (
        "ref_1",
        {"referral": "ref_1", "kind": "union_handed_over", "task_no": "Y1", "status": "returned", "at": STEP["at"]},
        True,
    ),
    "fulfilment.performed": (
        "agr_1",
        {"agreement": "agr_1", "term_no": 1, "status": "performed", "at": STEP["at"]},
        True,
    ),
    "clock.approaching": (
        "agr_1",
        {"clock": {"rule": "D04", "state": "running"}, "percent": 75, "agreement": "agr_1"},
        True,
    ),
    "clock.expired": ("ref_1", {"clock": {"rule": "D13", "state": "expired"}, "referral": "ref_1"}, False),
    "delivery.rejected": (
        "dlv_1",
        {"delivery": "dlv_1", "message": "msg_1", "endpoint": "union", "status": "rejected", "at": STEP["at"]},
        True,
    ),
    "endpoint.paused": ("union", {"endpoint": "union", "at": STEP["at"]}, False),
    "endpoint.test": ("whe_1", {"webhook_endpoint": "whe_1", "requested_at": STEP["at"]}, False),
    "endpoint.unhealthy": ("whe_1", ENDPOINT, False),
    "task.opened": ("tsk_1", {"task": "tsk_1", "kind": "in_doubt", "delivery": "dlv_1", "at": STEP["at"]}, False),
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
async def test_every_noun(sender: Sender, name: str) -> None:
    subject, data, with_case = SAMPLES[name]
    status, body = await sender.post(about(name, subject, data, case=with_case))
    assert (status, body) == (204, b"")
    for key in data:
        if key in TYPES[name].required:
            lacking = {inner: value for inner, value in data.items() if inner != key}
            assert (await sender.post(about(name, subject, lacking, 2, case=with_case)))[0] == 400
            assert f"data_missing:{key}" in (await sender.last())["breaches"]
    assert (await sender.post(about(name, "other_1", data, 3, case=with_case)))[0] == 400
    assert (await sender.last())["breaches"] == ["subject"]


def test_the_catalogue_is_the_pages() -> None:
    nouns: dict[str, int] = {}
    for name in TYPES:
        noun = name.partition(".")[0]
        nouns[noun] = nouns.get(noun, 0) + 1
    assert nouns == {
        "case": 17,
        "agreement": 2,
        "confirmation": 13,
        "transfer": 5,
        "referral": 7,
        "fulfilment": 4,
        "clock": 6,  # the page's three, and suspended, resumed, extended
        "delivery": 7,
        "endpoint": 8,
        "task": 2,
    }
