"""What goes out, and what each answer means (``platforms/webhook.md`` §1, §2, §5, §6)."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib.metadata import version
from typing import Any

import pytest

from adapters.webhook import Webhook, WebhookSettings
from contracts.adapter import DeliveryClass, Reply
from contracts.conformance.stand_ins import tools
from contracts.errors import EndpointGone, PermanentError, RetryableError
from tests.adapters.webhook.receiver import (
    OLD_SECRET,
    OLD_SEED,
    SECRET,
    SEED,
    Upstream,
    event,
    private_key,
    settings,
    signatures,
    verification,
)

WHE = "whe_01K6EXAMPLE0000000000000E"


def adapter(now: datetime | None = None, **changes: Any) -> Webhook:
    """The adapter of one subscription."""
    made = WebhookSettings.model_validate(settings(**changes))
    return Webhook(WHE, made, tools(lambda: now or datetime.now(UTC), {}))


def test_the_pages_limits() -> None:
    info = Webhook.info
    assert (info.connect_s, info.deadline_s, info.deadline_files_s) == (5.0, 15.0, 15.0)
    assert (info.rate_per_s, info.at_once, info.reply_limit) == (20.0, 4, 65_536)
    assert info.status_alone
    assert info.delivery_class is DeliveryClass.IDEMPOTENT


async def test_the_request() -> None:
    hook, upstream = adapter(), Upstream()
    receipt = await hook.send(hook.announce(event()), upstream)
    assert receipt.reference is None
    assert not receipt.relayed
    [request] = upstream.requests
    headers = dict(request.headers)
    assert request.method == "POST"
    assert request.url == settings()["url"]
    assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert headers["User-Agent"] == f"mediation-gateway/{version('mediation-gateway')}"
    assert headers["webhook-id"] == event()["id"]
    assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 5
    assert {name.lower() for name in headers} == {
        "content-type",
        "user-agent",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }
    assert request.body == json.dumps(event(), ensure_ascii=False, separators=(",", ":")).encode()
    assert not request.body.startswith(b"\xef\xbb\xbf")


async def test_the_same_bytes_and_a_new_time_at_every_attempt() -> None:
    upstream = Upstream()
    wire = adapter().announce(event())
    stored = json.loads(json.dumps(wire.payload))
    now = datetime.now(UTC)
    for later in (0, 60, 120):
        hook = adapter(now + timedelta(seconds=later))
        frozen = type(wire)(wire.id, wire.operation, stored, (), (), wire.mapping)
        await hook.send(frozen, upstream)
    assert len({request.body for request in upstream.requests}) == 1
    stamps = [int(dict(request.headers)["webhook-timestamp"]) for request in upstream.requests]
    assert stamps == [int(now.timestamp()) + later for later in (0, 60, 120)]
    assert len({dict(request.headers)["webhook-signature"] for request in upstream.requests}) == 3


@pytest.mark.parametrize(
    ("signing", "keys", "kinds"),
    [
        (("v1",), (SECRET,), ["v1"]),
        (("v1a",), (private_key(SEED),), ["v1a"]),
        (("v1", "v1a"), (SECRET, private_key(SEED)), ["v1", "v1a"]),
        (("v1a", "v1"), (private_key(SEED), SECRET), ["v1", "v1a"]),
        (("v1",), (private_key(SEED), SECRET), ["v1"]),
    ],
)
async def test_signing(signing: tuple[str, ...], keys: tuple[str, ...], kinds: list[str]) -> None:
    upstream = Upstream(SECRET if "v1" in signing else None, SEED if "v1a" in signing else None)
    hook = adapter(signing=signing, keys=keys)
    await hook.send(hook.announce(event()), upstream)
    listed = dict(upstream.requests[0].headers)["webhook-signature"].split(" ")
    assert [entry.partition(",")[0] for entry in listed] == kinds


async def test_in_an_overlap_old_and_new_keys_sign() -> None:
    until = datetime.now(UTC) + timedelta(hours=24)
    hook = adapter(old_keys=(OLD_SECRET, private_key(OLD_SEED)), old_until=until)
    for upstream in (Upstream(), Upstream(OLD_SECRET, OLD_SEED), Upstream(SECRET, OLD_SEED)):
        await hook.send(hook.announce(event()), upstream)
        headers = dict(upstream.requests[0].headers)
        assert [len(found) for found in signatures(headers, "v1")] == [32, 32]
        assert [len(found) for found in signatures(headers, "v1a")] == [64, 64]
    newest = adapter()
    only_new = Upstream()
    await newest.send(newest.announce(event()), only_new)
    first = dict(upstream.requests[0].headers)
    assert signatures(first, "v1")[0] != signatures(first, "v1")[1]


async def test_after_the_overlap_the_old_keys_sign_no_more() -> None:
    hook = adapter(old_keys=(OLD_SECRET,), old_until=datetime.now(UTC))
    with pytest.raises(RetryableError, match="http_401"):
        await hook.send(hook.announce(event()), Upstream(OLD_SECRET, None))
    upstream = Upstream()
    await hook.send(hook.announce(event()), upstream)
    assert len(signatures(dict(upstream.requests[0].headers), "v1")) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 299])
async def test_2xx_is_delivered_whatever_the_body(status: int) -> None:
    hook, upstream = adapter(), Upstream()
    upstream.answers = [Reply(status, (("Content-Type", "text/html"),), b"\x00\xff<html>")]
    assert (await hook.send(hook.announce(event()), upstream)).reference is None


@pytest.mark.parametrize(
    "status", [100, 101, 300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 408, 409, 413, 422, 451, 500, 501, 505]
)
async def test_other_statuses_are_tried_again_by_the_schedule(status: int) -> None:
    hook, upstream = adapter(), Upstream()
    headers = (("Location", "https://elsewhere.example.org/"), ("Retry-After", "9"))
    upstream.answers = [Reply(status, headers)]
    with pytest.raises(RetryableError) as failure:
        await hook.send(hook.announce(event()), upstream)
    assert failure.value.code == f"http_{status}"
    assert failure.value.retry_after is None, "Retry-After counts with 429 and 503 (and proxies) alone"
    assert failure.value.maybe_accepted == (status >= 500)
    assert len(upstream.requests) == 1, "redirects are never followed"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("said", "waits"),
    [
        ("7", timedelta(seconds=7)),
        ("0", timedelta(0)),
        ("999999999", timedelta(hours=24)),
        ("soon", None),
        ("-5", None),
        (None, None),
    ],
)
async def test_retry_after_counts_for_the_endpoint(status: int, said: str | None, waits: timedelta | None) -> None:
    hook, upstream = adapter(), Upstream()
    upstream.answers = [Reply(status, () if said is None else (("Retry-After", said),))]
    with pytest.raises(RetryableError) as failure:
        await hook.send(hook.announce(event()), upstream)
    assert failure.value.retry_after == waits


async def test_retry_after_as_a_date() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    hook, upstream = adapter(now), Upstream()
    until = format_datetime(now + timedelta(seconds=90), usegmt=True)
    upstream.answers = [Reply(503, (("Retry-After", until),))]
    with pytest.raises(RetryableError) as failure:
        await hook.send(hook.announce(event()), upstream)
    assert failure.value.retry_after == timedelta(seconds=90)


@pytest.mark.parametrize("status", [502, 504])
async def test_a_proxy_without_its_server_gives_the_endpoint_a_rest(status: int) -> None:
    hook, upstream = adapter(), Upstream()
    upstream.answers = [Reply(status), Reply(status, (("Retry-After", "60"),))]
    for waits in (5, 60):
        with pytest.raises(RetryableError) as failure:
            await hook.send(hook.announce(event()), upstream)
        assert failure.value.retry_after == timedelta(seconds=waits)


async def test_410_is_gone() -> None:
    hook, upstream = adapter(), Upstream()
    upstream.answers = [Reply(410)]
    with pytest.raises(EndpointGone):
        await hook.send(hook.announce(event()), upstream)


class TestTheHandshake:
    """§5: 200, JSON, the same challenge."""

    async def answered(self, *headers: tuple[str, str], status: int = 200, body: bytes = b"") -> None:
        hook, upstream = adapter(), Upstream()
        upstream.answers = [Reply(status, headers, body)]
        await hook.send(hook.announce(verification()), upstream)

    async def test_repeated(self) -> None:
        hook, upstream = adapter(), Upstream()
        await hook.send(hook.announce(verification()), upstream)
        body = json.dumps({"challenge": "c" * 43, "more": 1}).encode()
        for kind in ("application/json", "Application/JSON; charset=utf-8"):
            await self.answered(("content-type", kind), body=body)

    @pytest.mark.parametrize(
        ("kind", "status", "body"),
        [
            ("application/json", 200, {"challenge": "d" * 43}),
            ("application/json", 200, {"challenge": "c" * 42}),
            ("application/json", 200, {"challenge": ["c" * 43]}),
            ("application/json", 200, {"challenge": None}),
            ("application/json", 200, {"echo": "c" * 43}),
            ("application/json", 200, ["c" * 43]),
            ("application/json", 200, "c" * 43),
            ("application/json", 201, {"challenge": "c" * 43}),
            ("application/json", 204, {"challenge": "c" * 43}),
            ("text/plain", 200, {"challenge": "c" * 43}),
            ("application/jsonp", 200, {"challenge": "c" * 43}),
            ("", 200, {"challenge": "c" * 43}),
        ],
    )
    async def test_not_repeated(self, kind: str, status: int, body: Any) -> None:
        with pytest.raises(RetryableError, match="challenge"):
            await self.answered(("Content-Type", kind), status=status, body=json.dumps(body).encode())

    async def test_among_too_much(self) -> None:
        body = b'{"challenge":"' + b"c" * 43 + b'","more":[' + b"[]," * 1000 + b"[]]}"
        with pytest.raises(RetryableError, match="challenge"):
            await self.answered(("Content-Type", "application/json"), body=body)

    @pytest.mark.parametrize("body", [b"", b"{", b'{"challenge":"' + b"c" * 43, b"\xff\xfe", b"[" * 70_000])
    async def test_what_is_no_json(self, body: bytes) -> None:
        with pytest.raises(RetryableError, match="challenge"):
            await self.answered(("Content-Type", "application/json"), body=body)

    async def test_410(self) -> None:
        with pytest.raises(EndpointGone):
            await self.answered(status=410)


async def test_the_test_event() -> None:
    hook, upstream = (
        adapter(source="urn:mediation-gateway:sd", schemas="https://gateway.example/v1/schemas"),
        Upstream(),
    )
    await hook.probe(upstream)
    await hook.probe(upstream)
    first, second = (json.loads(request.body) for request in upstream.requests)
    assert first["id"] != second["id"]
    assert first["type"] == "endpoint.test"
    assert first["subject"] == first["data"]["webhook_endpoint"] == WHE
    assert first["dataschema"] == "https://gateway.example/v1/schemas/event.endpoint.test"
    assert "cursor" not in first
    assert "sequence" not in first
    upstream.answers = [Reply(500)]
    with pytest.raises(RetryableError):
        await hook.probe(upstream)


def test_documents_never_go_to_a_webhook() -> None:
    nothing: Any = None
    with pytest.raises(PermanentError):
        adapter().translate(nothing, nothing)


@pytest.mark.parametrize(
    "changes",
    [
        {"keys": ()},
        {"keys": (SECRET,)},
        {"keys": (SECRET, SECRET, private_key(SEED))},
        {"keys": (SECRET, "whsk_" + base64.b64encode(bytes(64)).decode())},
        {"signing": ()},
        {"signing": ("v2",)},
        {"old_keys": (OLD_SECRET,)},
        {"old_until": datetime.now(UTC)},
        {"old_keys": ("rubbish",), "old_until": datetime.now(UTC)},
        {"old_keys": (OLD_SECRET,), "old_until": datetime(2026, 1, 1)},  # noqa: DTZ001 # a time without zone is what is refused
    ],
)
def test_settings_that_cannot_be(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"validation error") as refusal:
        WebhookSettings.model_validate(settings(**changes))
    assert SECRET not in str(refusal.value)
