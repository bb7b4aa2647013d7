"""What the mock receiver of webhooks names as a breach, over its socket and by hostile bytes."""

import asyncio
import base64
import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from mocks.webhook.inspection import inspect
from mocks.webhook.privacy import luhn
from mocks.webhook.trust import Trust
from tests.mocks.webhook_sender import EXAMPLE, LINKS, Sender, compact, event, expect, running


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


HEADERS: list[tuple[Callable[[CIMultiDict[str]], object], int, str]] = [
    (lambda h: h.pop("webhook-id"), 401, "header_missing:webhook-id"),
    (lambda h: h.pop("webhook-timestamp"), 401, "header_missing:webhook-timestamp"),
    (lambda h: h.pop("webhook-signature"), 401, "header_missing:webhook-signature"),
    (lambda h: h.add("webhook-id", h["webhook-id"]), 401, "header_twice:webhook-id"),
    (lambda h: h.add("webhook-signature", h["webhook-signature"]), 401, "header_twice:webhook-signature"),
    (lambda h: h.update({"webhook-id": "evt.1"}), 401, "header_form:webhook-id"),
    (lambda h: h.update({"webhook-timestamp": "1790565605.0"}), 401, "header_form:webhook-timestamp"),
    (lambda h: h.update({"webhook-timestamp": "１７９０５６５６０５"}), 401, "header_form:webhook-timestamp"),
    (lambda h: h.update({"webhook-signature": "v1"}), 401, "header_form:webhook-signature"),
    (lambda h: h.update({"webhook-signature": "v1,AAAA"}), 401, "header_form:webhook-signature"),
    (lambda h: h.update({"webhook-signature": "v1,*"}), 401, "header_form:webhook-signature"),
    (lambda h: h.update({"webhook-signature": "é"}), 401, "header_form:webhook-signature"),
    (
        lambda h: h.update({"webhook-signature": h["webhook-signature"] + "  v2,x"}),
        401,
        "header_form:webhook-signature",
    ),
    (lambda h: h.update({"webhook-signature": "v2,x"}), 401, "signature"),
    (lambda h: h.update({"webhook-signature": f"v1,{base64.b64encode(bytes(32)).decode()}"}), 401, "signature"),
    (lambda h: h.update({"webhook-timestamp": str(int(h["webhook-timestamp"]) + 1)}), 401, "signature"),
    (lambda h: h.update({"Content-Type": "application/json"}), 400, "content_type"),
    (lambda h: h.update({"Content-Type": "application/cloudevents+json"}), 400, "content_type"),
    (lambda h: h.update({"User-Agent": "python"}), 400, "user_agent"),
    (lambda h: h.update({"Cookie": "a=b"}), 400, "header_unexpected:cookie"),
    (lambda h: h.update({"Authorization": "x"}), 400, "header_unexpected:authorization"),
    (lambda h: h.update({"X-Own": "x"}), 400, "header_unexpected:x-own"),
]


@pytest.mark.parametrize(("change", "status", "breach"), HEADERS)
async def test_headers(sender: Sender, change: Callable[[CIMultiDict[str]], object], status: int, breach: str) -> None:
    assert (await sender.post(event(), change))[0] == status
    await expect(sender, status, breach)
    assert (await sender.post(event()))[0] == 204
    assert (await sender.last())["effect"] == "created"


async def test_unknown_signature_kinds_are_skipped_and_traceparent_is_allowed(sender: Sender) -> None:
    def change(headers: CIMultiDict[str]) -> None:
        headers["webhook-signature"] = f"v9,abc {headers['webhook-signature']}"
        headers["traceparent"] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    assert (await sender.post(event(), change))[0] == 204


@pytest.mark.parametrize(("shift_s", "status"), [(-302, 401), (-298, 204), (298, 204), (302, 401)])
async def test_the_time_of_the_attempt(sender: Sender, shift_s: int, status: int) -> None:
    assert (await sender.post(event(), shift_s=shift_s))[0] == status
    assert (await sender.last())["breaches"] == (["timestamp"] if status == 401 else [])


BODIES: list[tuple[bytes, list[str]]] = [
    (b"", ["json"]),
    (b"[]", ["json"]),
    (b"{", ["json"]),
    (b'{"a":NaN}', ["json"]),
    (b'{"a":' + b"[" * 9000, ["json"]),
    (b'{"a":' + b"[" * 40 + b"]" * 40 + b"}", ["depth"]),
    (b"\xef\xbb\xbf" + compact(event()), ["bom"]),
    (b'{"a":"\xff"}', ["utf8"]),
    (compact(event()).replace(b'{"spec', b'{"id":"x","spec'), ["duplicate_key"]),
    (compact(event()).replace(b'"route":', b'"route":"x","route":'), ["duplicate_key"]),
    (compact(event()).replace(b":{", b": {", 1), ["not_compact"]),
    (compact(event()).replace(b'"state_before":"requested"', b'"state_before":null'), ["null"]),
    (compact(event()).replace(b'"requested"', b'"\\ud800"'), ["lone_surrogate"]),
    (compact(event(data=EXAMPLE["data"] | {"more": "x" * 20_480})), ["size"]),
]


@pytest.mark.parametrize(("body", "breaches"), BODIES)
async def test_bodies(sender: Sender, body: bytes, breaches: list[str]) -> None:
    assert (await sender.post(body, webhook_id=event()["id"]))[0] == 400
    await expect(sender, 400, *breaches)


async def test_a_body_far_over_the_limit(sender: Sender) -> None:
    async with sender.http.post(f"{sender.server.url}/hooks/mediation", data=io.BytesIO(bytes(2_000_000))) as response:
        assert response.status == 413
    await expect(sender, 413, "size")


ATTRIBUTES: list[tuple[dict[str, Any], str]] = [
    ({"specversion": "1.1"}, "attribute_form:specversion"),
    ({"source": "urn:mediation-gateway:SD"}, "attribute_form:source"),
    ({"time": "2026-09-28T11:20:00"}, "attribute_form:time"),
    ({"time": "2026-02-30T11:20:00Z"}, "attribute_form:time"),
    ({"datacontenttype": "text/json"}, "attribute_form:datacontenttype"),
    ({"dataschema": "https://gateway.example/v1/schemas/event.case.received"}, "attribute_form:dataschema"),
    ({"dataschema": "/v1/schemas/event.confirmation.accepted"}, "attribute_form:dataschema"),
    ({"sequence": "12"}, "attribute_form:sequence"),
    ({"sequence": 12}, "attribute_form:sequence"),
    ({"partitionkey": "case_other"}, "attribute_form:partitionkey"),
    ({"cursor": 4711}, "attribute_form:cursor"),
    ({"data_base64": "AA=="}, "attribute_unknown:data_base64"),
    ({"extra": "x"}, "attribute_unknown:extra"),
]


@pytest.mark.parametrize(("change", "breach"), ATTRIBUTES)
async def test_attributes(sender: Sender, change: dict[str, Any], breach: str) -> None:
    assert (await sender.post(event() | change))[0] == 400
    assert breach in (await sender.last())["breaches"]


@pytest.mark.parametrize("name", sorted(EXAMPLE))
async def test_missing_attributes(sender: Sender, name: str) -> None:
    lacking = {key: value for key, value in event().items() if key != name}
    assert (await sender.post(compact(lacking), webhook_id=event()["id"]))[0] == 400
    kind = "presence" if name in ("sequence", "partitionkey", "cursor") else "missing"
    assert f"attribute_{kind}:{name}" in (await sender.last())["breaches"]


async def test_the_id_is_the_header_and_the_type_is_known(sender: Sender) -> None:
    assert (await sender.post(event(), webhook_id="evt_other"))[0] == 400
    await expect(sender, 400, "attribute_form:id")
    changed = event(2, type="case.deleted", dataschema="https://gateway.example/v1/schemas/event.case.deleted")
    assert (await sender.post(changed))[0] == 400
    await expect(sender, 400, "type")


DATA: list[tuple[dict[str, Any], str]] = [
    ({"agreement": "agreement-1"}, "data_form:agreement"),
    ({"status": "unknown"}, "data_form:status"),
    ({"at": "2026-09-28"}, "data_form:at"),
    ({"organization": "SD"}, "data_form:organization"),
    ({"links": {"self": "https://g.example/v1/x"}}, "data_form:links"),
    ({"links": LINKS | {"case": "https://g.example/v1/cases?no=370102"}}, "data_form:links"),
    ({"clocks": [{"rule": "D06"}]}, "data_form:clocks"),
    ({"external_refs": {"kind": "x"}}, "data_form:external_refs"),
]


@pytest.mark.parametrize(("change", "breach"), DATA)
async def test_data(sender: Sender, change: dict[str, Any], breach: str) -> None:
    assert (await sender.post(event(data=EXAMPLE["data"] | change)))[0] == 400
    await expect(sender, 400, breach)


@pytest.mark.parametrize("key", ["case", "source_case_no", "organization", "links"])
async def test_what_every_event_with_a_case_needs(sender: Sender, key: str) -> None:
    lacking = {name: value for name, value in EXAMPLE["data"].items() if name != key}
    assert (await sender.post(event(data=lacking)))[0] == 400
    assert f"data_missing:{key}" in (await sender.last())["breaches"]


async def test_unknown_keys_in_data_are_ignored(sender: Sender) -> None:
    assert (await sender.post(event(data=EXAMPLE["data"] | {"later": {"deep": [1, True]}})))[0] == 204


RESIDENT = "370102199003071238"
PRIVATE: list[tuple[dict[str, Any], str]] = [
    ({"x": RESIDENT}, "personal_data:resident_id:x"),
    ({"x": f"证号{RESIDENT}。"}, "personal_data:resident_id:x"),
    ({"x": "３７０１０２１９９００３０７１２３８"}, "personal_data:resident_id:x"),
    ({"x": ["a", {"y": f"n {RESIDENT}"}]}, "personal_data:resident_id:x.1.y"),
    ({"x": "13853100001"}, "personal_data:mobile:x"),
    ({"x": "+8613853100001"}, "personal_data:mobile:x"),
    ({"x": 13853100001}, "personal_data:mobile:x"),
    ({"x": "4111111111111111"}, "personal_data:card:x"),
    ({"x": {"task_no_": "4111111111111111"}}, "personal_data:card:x.task_no_"),
    ({"source_case_no": RESIDENT}, "personal_data:resident_id:source_case_no"),
    ({"name": "王"}, "personal_data:key:name"),
    ({"organization": {"code": "o", "name": "中心"}}, "personal_data:key:organization.name"),
    ({"x": [{"account_no": 1}]}, "personal_data:key:x.0.account_no"),
    ({"amount": 0}, "personal_data:key:amount"),
]


@pytest.mark.parametrize(("change", "breach"), PRIVATE)
async def test_personal_data(sender: Sender, change: dict[str, Any], breach: str) -> None:
    assert (await sender.post(event(data=EXAMPLE["data"] | change)))[0] == 400
    await expect(sender, 400, breach)


@pytest.mark.parametrize(
    "change",
    [
        {"x": "370102199003071239"},  # wrong check digit
        {"x": "370102199013071230"},  # no such month
        {"x": "a13853100001"},
        {"x": "138531000012"},
        {"x": "4111111111111112"},  # wrong Luhn digit
        {"source_case_no": "4111111111111111"},
        {"task_no": "4111111111111111"},
        {"external_refs": [{"endpoint": "hr", "kind": "platform_no", "value": "4111111111111111"}]},
    ],
)
async def test_numbers_that_are_no_personal_data(sender: Sender, change: dict[str, Any]) -> None:
    assert (await sender.post(event(data=EXAMPLE["data"] | change)))[0] == 204


def test_luhn() -> None:
    assert luhn("79927398713")
    assert not luhn("79927398710")


async def test_the_same_id_has_the_same_body(sender: Sender) -> None:
    assert (await sender.post(event()))[0] == 204
    assert (await sender.post(event(time="2026-09-28T11:20:01+08:00")))[0] == 400
    await expect(sender, 400, "body_changed")


async def test_the_sequence_rises_per_case(sender: Sender) -> None:
    assert (await sender.post(event(5)))[0] == 204
    assert (await sender.post(event(4)))[0] == 400
    await expect(sender, 400, "sequence")
    assert (await sender.post(event(3, case="case_2")))[0] == 204
    assert (await sender.post(event(7)))[0] == 204
    assert (await sender.post(event(5)))[0] == 204
    assert (await sender.last())["effect"] == "repeated"


async def test_one_request_of_a_case_at_a_time(sender: Sender) -> None:
    await sender.mock("POST", "faults", [{"op": "*", "action": "slow", "after_ms": 300, "times": 2}])
    first = asyncio.create_task(sender.post(event(1)))
    await asyncio.sleep(0.1)
    assert (await sender.post(event(2, case="case_2")))[0] == 204
    assert (await first)[0] == 204
    await sender.mock("POST", "faults", [{"op": "*", "action": "slow", "after_ms": 300}])
    first = asyncio.create_task(sender.post(event(3)))
    await asyncio.sleep(0.1)
    assert (await sender.post(event(4)))[0] == 400
    await expect(sender, 400, "case_concurrency")
    assert (await first)[0] == 204
    assert (await sender.post(event(4)))[0] == 204


@pytest.mark.parametrize("action", ["drip", "garbage", "stall", "accept_then_silent", "accept_then_reset", "reset"])
async def test_a_request_that_is_over_holds_nobody(sender: Sender, action: str) -> None:
    await sender.mock("POST", "faults", [{"op": "*", "action": action, "kind": "bomb", "after_ms": 20}])
    sender.http._timeout = aiohttp.ClientTimeout(total=1)
    try:
        body = compact(event(1))
        url, headers = f"{sender.server.url}/hooks/mediation", sender.headers(event(1)["id"], body)
        async with sender.http.post(url, data=body, headers=headers) as response:
            read = await response.content.read(64 * 1024)
            assert (response.status, bool(read)) == (200, True)
            if action == "drip":
                assert read + await response.read() == b'{"received": true}'
    except (aiohttp.ClientError, TimeoutError):
        assert action in ("stall", "accept_then_silent", "accept_then_reset", "reset")
    await asyncio.sleep(0.01)
    assert (await sender.post(event(2)))[0] == 204
    await asyncio.sleep(0.1)
    kept = {entry["message_id"]: entry for entry in await sender.mock("GET", "journal")}
    assert kept[event(1)["id"]]["effect"] == ("refused" if action in ("stall", "reset") else "created")
    assert kept[event(2)["id"]]["effect"] == "created"


header_text = st.text(st.characters(max_codepoint=0xFF), max_size=60)


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), header_text))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_header_bytes_are_401(tmp_path: Path, hostile: dict[str, str]) -> None:
    key = "whsec_" + base64.b64encode(bytes(32)).decode()
    body = compact(event())
    finding = inspect(
        list(hostile.items()),
        body,
        trust=Trust(tmp_path / "trust.json", [key], []),
        now=datetime.now(UTC),
        tolerance_s=300,
        limit=20_480,
    )
    assert finding.status == 401


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*EXAMPLE["data"], "x"]), inner, max_size=6)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from([*EXAMPLE, "x"]), json_values) | json_values, st.binary(max_size=30))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_body_is_judged(tmp_path: Path, value: Any, tail: bytes) -> None:
    key = bytes(32)
    for body in (json.dumps(value).encode(), compact(EXAMPLE | value) if isinstance(value, dict) else tail):
        content = b"evt_1.1790565605." + body
        signature = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
        finding = inspect(
            [("webhook-id", "evt_1"), ("webhook-timestamp", "1790565605"), ("webhook-signature", f"v1,{signature}")],
            body,
            trust=Trust(tmp_path / "trust.json", ["whsec_" + base64.b64encode(key).decode()], []),
            now=datetime.fromtimestamp(1790565605, UTC),
            tolerance_s=300,
            limit=20_480,
        )
        assert finding.endpoint == ""
        assert finding.status == 400
