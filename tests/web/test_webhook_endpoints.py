"""The calls on webhook endpoints: what is taken, what is refused, what is shown, and to whom."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import orjson
import pytest

from adapters.webhook import Webhook as WebhookAdapter
from contracts.webhook import PublicKey, Secret
from gateway.flow.house import House
from gateway.security.clients import make_key
from gateway.store.journal import AuditEntry
from gateway.store.webhooks import Change, Webhook, change
from gateway.web.server import web
from tests.house import FAST, Gateways
from tests.servers.databases import everything

URL = "https://receiver.example.org/hooks"
PATH = "/v1/webhook-endpoints"


class Answers(httpx.AsyncBaseTransport):
    """A receiver without a network: repeats the challenge, answers 204 else, or as it is told."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.status = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        event = orjson.loads(request.content)
        if self.status:
            return httpx.Response(self.status)
        if event["type"] == "endpoint.verification":
            body = orjson.dumps({"challenge": event["data"]["challenge"]})
            return httpx.Response(200, headers={"Content-Type": "application/json"}, stream=httpx.ByteStream(body))
        return httpx.Response(204, stream=httpx.ByteStream(b""))


class Caller:
    """One client's calls."""

    def __init__(self, house: House, key: str) -> None:
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(web(house)),
            base_url="http://gateway.test",
            headers={"Authorization": f"Bearer {key}", "Accept-Language": "en"},
        )

    async def __call__(self, method: str, path: str = "", body: Any = None, expect: int = 200) -> Any:
        """A call below the webhook endpoints; its answer."""
        reply = await self._http.request(method, PATH + path, json=body)
        assert reply.status_code == expect, reply.text
        if expect >= 400:
            assert reply.headers["Content-Type"] == "application/problem+json"
        return reply.json() if reply.content else None

    async def raw(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Any call."""
        return await self._http.request(method, PATH + path, **more)


@pytest.fixture
async def answers() -> Answers:
    return Answers()


@pytest.fixture
async def house(gateway: Gateways, answers: Answers) -> House:
    retry = FAST.model_copy(update={"handshake": (0.05, 0.05), "notify": (0.05,) * 9})
    return await gateway({}, adapters={"webhook": WebhookAdapter}, transport=answers, retry=retry)


async def join(
    house: House,
    client: str,
    organizations: tuple[str, ...] = ("ORG-1", "ORG-2"),
    scopes: tuple[str, ...] = ("webhooks:write",),
) -> Caller:
    key = make_key()
    row = (
        key.prefix,
        client,
        client,
        key.secret_hash,
        orjson.dumps(scopes).decode(),
        orjson.dumps(organizations).decode(),
        None,
    )
    await house.store.write("add_client", row)
    return Caller(house, key.shown)


@pytest.fixture
async def call(house: House) -> Caller:
    return await join(house, "one")


def wish(**changes: Any) -> dict[str, Any]:
    return {"url": URL, "events": ["*"]} | changes


async def until(call: Caller, identifier: str, state: str) -> dict[str, Any]:
    for _ in range(200):
        found: dict[str, Any] = await call("GET", f"/{identifier}")
        if found["state"] == state:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"{found['state']}, not {state}")


async def test_a_subscription_is_shown_with_its_secret_once(call: Caller) -> None:
    reply = await call.raw("POST", "", json=wish(description="事件接收", signing=["v1", "v1a"]))
    assert reply.status_code == 201
    made = reply.json()
    assert reply.headers["Location"] == made["links"]["self"]
    assert reply.headers["Location"].endswith(f"{PATH}/{made['id']}")
    assert reply.headers["Cache-Control"] == "no-store"
    assert (made["state"], made["enabled"], made["url"], made["events"]) == ("unverified", True, URL, ["*"])
    assert made["description"] == "事件接收"
    assert made["signing"] == ["v1", "v1a"]
    assert len(Secret.parse(made["secret"]).raw) == 32
    assert len(PublicKey.parse(made["public_key"]).raw) == 32
    shown = await until(call, made["id"], "verified")
    assert "secret" not in shown
    assert shown["public_key"] == made["public_key"]
    assert datetime.fromisoformat(shown["last_success_at"]).tzinfo is not None
    assert (await call("GET"))["items"] == [shown]
    assert made["secret"] not in str(await call("GET"))


async def test_a_lost_answer_is_given_again_with_the_same_secret(call: Caller) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = await call.raw("POST", "", json=wish(), headers=key)
    again = await call.raw("POST", "", json=wish(), headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert (again.headers["Idempotency-Replayed"], again.headers["Location"]) == ("true", first.headers["Location"])
    other = await call.raw("POST", "", json=wish(description="x"), headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len((await call("GET"))["items"]) == 1
    made = first.json()["id"]
    await until(call, made, "verified")
    turn = {"json": {"overlap_hours": 24}, "headers": {"Idempotency-Key": "k-2"}}
    rotated = await call.raw("POST", f"/{made}/rotate-secret", **turn)
    assert rotated.json()["secret"] != first.json()["secret"]
    repeated = await call.raw("POST", f"/{made}/rotate-secret", **turn)
    assert (repeated.status_code, repeated.content) == (200, rotated.content), "not refused as a second rotation"


async def test_v1_is_the_default_and_brings_no_public_key(call: Caller) -> None:
    made = await call("POST", body=wish(), expect=201)
    assert made["signing"] == ["v1"]
    assert "public_key" not in made
    only = await call("POST", body=wish(signing=["v1a"]), expect=201)
    assert "secret" not in only
    assert "public_key" in only


async def test_each_has_keys_of_its_own(call: Caller) -> None:
    first, second = await call("POST", body=wish(), expect=201), await call("POST", body=wish(), expect=201)
    assert first["secret"] != second["secret"]


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"url": None}, "/url", "wrong_type"),
        ({"url": 7}, "/url", "wrong_type"),
        ({"url": "http://receiver.example.org/"}, "/url", "url_scheme"),
        ({"url": "https://receiver.example.org:8080/"}, "/url", "url_port"),
        ({"url": "https://10.0.0.1/"}, "/url", "address_not_public"),
        ({"url": "https://[::1]/"}, "/url", "address_not_public"),
        ({"url": "https://2130706433/"}, "/url", "url_host"),
        ({"url": "https://user:pw@receiver.example.org/"}, "/url", "url_form"),
        ({"url": "https://receiver.example.org/#x"}, "/url", "url_form"),
        ({"url": "https://localhost/"}, "/url", "url_host"),
        ({"url": "https://receiver.example.org/" + "x" * 2048}, "/url", "too_long"),
        ({"events": []}, "/events", "empty"),
        ({"events": "case.*"}, "/events", "wrong_type"),
        ({"events": ["case.*", "case.exploded"]}, "/events/1", "event_unknown"),
        ({"events": ["*.received"]}, "/events/0", "event_unknown"),
        ({"events": ["case"]}, "/events/0", "event_unknown"),
        ({"events": [""]}, "/events/0", "event_unknown"),
        ({"organizations": ["ORG-1", "FOREIGN"]}, "/organizations/1", "organization_foreign"),
        ({"organizations": []}, "/organizations", "empty"),
        ({"signing": []}, "/signing", "empty"),
        ({"signing": ["v2"]}, "/signing/0", "not_in_list"),
        ({"description": "x" * 201}, "/description", "too_long"),
        ({"state": "verified"}, "/state", "unknown_field"),
        ({"secret": "whsec_x"}, "/secret", "unknown_field"),
        ({"张秘密13811112222": 1}, "", "unknown_field"),
    ],
)
async def test_fields_that_are_refused(call: Caller, changes: dict[str, Any], pointer: str, code: str) -> None:
    problem = await call("POST", body=wish(**changes), expect=422)
    assert problem["code"] == "webhook_field"
    found = {one["pointer"]: one for one in problem["errors"]}[pointer]
    assert found["code"] == code
    assert found["message"]
    assert found["message_zh"]
    assert (await call("GET"))["items"] == []


async def test_all_fields_that_are_refused_are_told_at_once(call: Caller) -> None:
    """Of the meaning as of the form: one that is malformed keeps nothing back about the others."""
    meant = {"url": "https://10.0.0.1/", "events": ["case.*", "case.*", "case.exploded"], "organizations": ["FOREIGN"]}
    expected = [
        ("/url", "address_not_public"),
        ("/events/2", "event_unknown"),
        ("/organizations/0", "organization_foreign"),
    ]
    problem = await call("POST", body=wish(**meant), expect=422)
    assert [(one["pointer"], one["code"]) for one in problem["errors"]] == expected
    problem = await call("POST", body=wish(**meant, signing=[]), expect=422)
    assert [(one["pointer"], one["code"]) for one in problem["errors"]] == [("/signing", "empty"), *expected]
    identifier = (await call("POST", body=wish(), expect=201))["id"]
    problem = await call("PATCH", f"/{identifier}", body=meant, expect=422)
    assert [(one["pointer"], one["code"]) for one in problem["errors"]] == expected


@pytest.mark.parametrize("missing", ["url", "events"])
async def test_what_is_required(call: Caller, missing: str) -> None:
    body = wish()
    del body[missing]
    problem = await call("POST", body=body, expect=422)
    assert [(one["pointer"], one["code"]) for one in problem["errors"]] == [(f"/{missing}", "missing")]
    assert problem["errors"][0]["message_zh"] == "缺少必填项。"


async def test_bodies_that_are_none(call: Caller) -> None:
    assert (await call.raw("POST", "", content=b"{", headers={"Content-Type": "application/json"})).status_code == 400
    assert (await call.raw("POST", "", content=b"[]", headers={"Content-Type": "application/json"})).status_code == 422
    assert (await call.raw("POST", "", content=b"{}", headers={"Content-Type": "text/plain"})).status_code == 415
    big = b'{"url":"' + b"x" * 70_000 + b'"}'
    assert (await call.raw("POST", "", content=big, headers={"Content-Type": "application/json"})).status_code == 413


async def test_a_refusal_speaks_both_languages(call: Caller) -> None:
    chinese = await call.raw("POST", "", json=wish(events=["x"]), headers={"Accept-Language": "zh-CN"})
    english = await call.raw("POST", "", json=wish(events=["x"]))
    assert chinese.json()["title"] == "订阅内容不符合要求"
    assert english.json()["title"] == "Subscription refused"


async def test_the_scope_is_needed(house: House) -> None:
    without = await join(house, "other", scopes=("cases:write", "events:read"))
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", "/whe_1"), ("POST", "/whe_1/test")):
        assert (await without(method, path, expect=403))["scope"] == "webhooks:write"
    nobody = Caller(house, "unknown.key")
    await nobody("GET", expect=401)


async def test_anothers_webhook_is_none(house: House, call: Caller) -> None:
    made = await call("POST", body=wish(), expect=201)
    stranger = await join(house, "two")
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"enabled": False}),
        ("DELETE", "", None),
        ("POST", "/test", None),
        ("POST", "/rotate-secret", {}),
    ):
        await stranger(method, f"/{made['id']}{path}", body, expect=404)
    assert (await stranger("GET"))["items"] == []
    assert (await until(call, made["id"], "verified"))["enabled"] is True


async def test_ten_and_no_more(house: House, call: Caller) -> None:
    for _ in range(10):
        await call("POST", body=wish(), expect=201)
    problem = await call("POST", body=wish(), expect=409)
    assert (problem["code"], problem["limit"]) == ("webhook_limit", 10)
    other = await join(house, "two")
    await other("POST", body=wish(), expect=201)
    first = (await call("GET"))["items"][0]["id"]
    await call("DELETE", f"/{first}", expect=204)
    await call("POST", body=wish(), expect=201)


async def test_changes(call: Caller) -> None:
    made = await call("POST", body=wish(organizations=["ORG-1"]), expect=201)
    path = f"/{made['id']}"
    await until(call, made["id"], "verified")
    changed = await call("PATCH", path, {"events": ["case.*", "clock.approaching"], "description": "新"})
    assert (changed["events"], changed["description"]) == (["case.*", "clock.approaching"], "新")
    assert changed["organizations"] == ["ORG-1"]
    assert changed["state"] == "verified"
    assert "secret" not in changed
    assert "organizations" not in await call("PATCH", path, {"organizations": None})
    assert (await call("PATCH", path, {"organizations": ["ORG-2"]}))["organizations"] == ["ORG-2"]
    await call("PATCH", path, {"organizations": ["FOREIGN"]}, expect=422)
    await call("PATCH", path, {"events": ["nothing.*"]}, expect=422)
    await call("PATCH", path, {"url": "http://127.0.0.1/"}, expect=422)
    await call("PATCH", path, {"replay_after": "x"}, expect=422)
    problem = await call("PATCH", path, {"replay_after": "999999"}, expect=422)
    assert [(one["pointer"], one["code"]) for one in problem["errors"]] == [("/replay_after", "cursor_unknown")]
    assert (await call("PATCH", path, {"replay_after": "0"}))["state"] == "verified"
    assert (await call("PATCH", path, {}))["url"] == URL


async def test_another_kind_of_signature_brings_a_key_shown_once(call: Caller, answers: Answers) -> None:
    made = await call("POST", body=wish(), expect=201)
    path = f"/{made['id']}"
    await until(call, made["id"], "verified")
    both = await call("PATCH", path, {"signing": ["v1", "v1a"]})
    assert "secret" not in both, "the secret stays as it is"
    public = PublicKey.parse(both["public_key"])
    await call("POST", f"{path}/test")
    listed = answers.requests[-1].headers["webhook-signature"].split(" ")
    assert [entry.partition(",")[0] for entry in listed] == ["v1", "v1a"]
    assert public.shown == (await call("GET", path))["public_key"]
    assert "public_key" not in await call("PATCH", path, {"signing": ["v1"]})
    again = await call("PATCH", path, {"signing": ["v1", "v1a"]})
    assert again["public_key"] != both["public_key"], "what was given up is destroyed"


async def test_a_new_address_begins_with_a_handshake(call: Caller, answers: Answers) -> None:
    made = await call("POST", body=wish(), expect=201)
    await until(call, made["id"], "verified")
    count = len(answers.requests)
    other = "https://other.example.org:8443/x?key=1"
    assert (await call("PATCH", f"/{made['id']}", {"url": other}))["state"] == "unverified"
    await until(call, made["id"], "verified")
    [request] = answers.requests[count:]
    assert str(request.url) == other
    assert orjson.loads(request.content)["type"] == "endpoint.verification"
    count = len(answers.requests)
    assert (await call("PATCH", f"/{made['id']}", {"url": other}))["state"] == "verified", (
        "the same address is no change"
    )


async def test_disabled_and_enabled(call: Caller, answers: Answers) -> None:
    made = await call("POST", body=wish(), expect=201)
    path = f"/{made['id']}"
    await until(call, made["id"], "verified")
    ended = await call("PATCH", path, {"enabled": False})
    assert (ended["state"], ended["reason"], ended["enabled"]) == ("disabled", "operator", False)
    count = len(answers.requests)
    assert (await call("POST", f"{path}/test", expect=409))["code"] == "webhook_disabled"
    assert (await call("PATCH", path, {"replay_after": "0"}, expect=409))["code"] == "webhook_disabled"
    assert (await call("PATCH", path, {"url": "https://other.example.org/"}))["state"] == "disabled"
    assert len(answers.requests) == count
    again = await call("PATCH", path, {"enabled": True, "replay_after": "0"})
    assert again["state"] == "unverified"
    assert "reason" not in again
    await until(call, made["id"], "verified")


async def test_the_test_call(call: Caller, answers: Answers) -> None:
    made = await call("POST", body=wish(), expect=201)
    path = f"/{made['id']}"
    await until(call, made["id"], "verified")
    result = await call("POST", f"{path}/test")
    assert result["status"] == 204
    assert result["duration_ms"] >= 0
    assert "code" not in result
    event = orjson.loads(answers.requests[-1].content)
    assert (event["type"], event["subject"]) == ("endpoint.test", made["id"])
    answers.status = 500
    assert (await call("POST", f"{path}/test"))["code"] == "http_500"
    found = await call("GET", path)
    assert found["last_failure"]["code"] == "http_500"
    assert found["state"] == "verified", "a client's own tests count for nothing"
    answers.status = 410
    assert (await call("POST", f"{path}/test"))["status"] == 410
    found = await call("GET", path)
    assert (found["state"], found["reason"]) == ("disabled", "gone")


async def test_the_test_call_repeats_the_handshake(call: Caller, answers: Answers) -> None:
    answers.status = 500
    made = await call("POST", body=wish(), expect=201)
    await until(call, made["id"], "failed")
    result = await call("POST", f"/{made['id']}/test")
    assert (result["status"], result["code"]) == (500, "http_500")
    await until(call, made["id"], "failed")
    answers.status = 0
    assert (await call("POST", f"/{made['id']}/test"))["status"] == 200
    await until(call, made["id"], "verified")


async def test_rotation(call: Caller, answers: Answers, gateway: Gateways) -> None:
    made = await call("POST", body=wish(), expect=201)
    path = f"/{made['id']}"
    await until(call, made["id"], "verified")
    for body in ({"overlap_hours": 0}, {"overlap_hours": 23}, {"overlap_hours": 49}, {"overlap_hours": -1}):
        problem = await call("POST", f"{path}/rotate-secret", body, expect=422)
        assert [(one["pointer"], one["code"]) for one in problem["errors"]] == [("/overlap_hours", "range")]
    await call("POST", f"{path}/rotate-secret", {"overlap_hours": "24"}, expect=422)
    new = await call("POST", f"{path}/rotate-secret", {})
    assert new["secret"] not in (made["secret"], "")
    ends = datetime.fromisoformat(new["rotation_ends_at"])
    assert 23.9 * 3600 < (ends - gateway.clock.now()).total_seconds() < 24.1 * 3600
    await call("POST", f"{path}/test")
    assert len(answers.requests[-1].headers["webhook-signature"].split(" ")) == 2
    assert (await call("POST", f"{path}/rotate-secret", {}, expect=409))["code"] == "rotation_open"
    gateway.clock.skip(24 * 3600 + 1)
    await call("POST", f"{path}/test")
    assert len(answers.requests[-1].headers["webhook-signature"].split(" ")) == 1
    newest = await call("POST", f"{path}/rotate-secret", {"overlap_hours": 0, "compromised": True})
    assert newest["secret"] != new["secret"]
    assert "rotation_ends_at" not in newest
    await call("POST", f"{path}/test")
    assert len(answers.requests[-1].headers["webhook-signature"].split(" ")) == 1


async def test_an_address_that_the_policy_refuses_later_is_paused(
    call: Caller, gateway: Gateways, house: House, answers: Answers
) -> None:
    allowed = [{"host": "10.1.2.3", "port": 8080, "scheme": "http"}]
    await gateway.abandon(house)
    settings: Mapping[str, Any] = {"adapters": {"webhook": WebhookAdapter}, "transport": answers}
    house = await gateway({}, **settings, webhook_allowed_hosts=allowed)
    call = await join(house, "three")
    made = await call("POST", body=wish(url="http://10.1.2.3:8080/hooks"), expect=201)
    await until(call, made["id"], "verified")
    await gateway.abandon(house)
    house = await gateway({}, **settings)
    call = await join(house, "three")
    assert (await call("POST", f"/{made['id']}/test"))["code"] == "egress_refused"
    await call("PATCH", f"/{made['id']}", {"url": "https://10.1.2.3/"}, expect=422)


async def test_keys_that_cannot_be_opened_pause_it_and_a_rotation_heals(
    call: Caller, house: House, answers: Answers
) -> None:
    made = await call("POST", body=wish(), expect=201)
    path = f"/{made['id']}"
    await until(call, made["id"], "verified")

    def spoil(found: Webhook, _: int) -> Change:
        return Change(replace(found, keys_sealed=b"\x01spoilt", version=found.version + 1))

    entry = AuditEntry("one", "webhook.change", made["id"])
    await house.store.run(change, made["id"], "one", spoil, entry, 0)
    other = await call("POST", body=wish(events=["case.*"]), expect=201)
    await until(call, other["id"], "verified")
    await call("PATCH", f"/{other['id']}", {"enabled": False})  # news of it go to the first
    paused = await until(call, made["id"], "paused")
    assert paused["reason"] == "keys_unreadable"
    assert (await call("POST", f"{path}/test"))["code"] == "keys_unreadable"
    count = len(answers.requests)
    new = await call("POST", f"{path}/rotate-secret", {"overlap_hours": 0, "compromised": True})
    await until(call, made["id"], "verified")
    for _ in range(100):
        if len(answers.requests) > count:
            break
        await asyncio.sleep(0.02)
    request = answers.requests[-1]
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.content
    kind, _, signature = request.headers["webhook-signature"].partition(",")
    assert (kind, base64.b64decode(signature)) == ("v1", Secret.parse(new["secret"]).sign(signed))
    assert orjson.loads(request.content)["type"] == "endpoint.disabled"


async def test_nothing_is_kept_in_clear(call: Caller, house: House, gateway: Gateways) -> None:
    url = "https://receiver.example.org/hooks/of-a-secret-kind"
    made = await call("POST", body=wish(url=url, signing=["v1", "v1a"]), expect=201)
    await until(call, made["id"], "verified")
    rows = await everything(house.store)
    assert made["id"].encode() in rows
    await gateway.close()
    kept = rows + b"".join(path.read_bytes() for path in gateway.data.glob("gateway.db*"))
    for secret in (made["secret"], made["secret"].removeprefix("whsec_"), "of-a-secret-kind"):
        assert secret.encode() not in kept


async def test_every_act_is_audited(call: Caller, house: House) -> None:
    made = await call("POST", body=wish(), expect=201)
    path = f"/{made['id']}"
    await until(call, made["id"], "verified")
    await call("PATCH", path, {"events": ["case.*"]})
    await call("POST", f"{path}/rotate-secret", {})
    await call("POST", f"{path}/test")
    await call("DELETE", path, expect=204)
    await call("GET", path, expect=404)
    acts = [(row["actor"], row["act"], row["target"]) for row in await house.store.rows("audit_after", 0, 100)]
    names = ("subscribe", "change", "rotate", "test", "leave")
    assert acts == [("one", f"webhook.{name}", made["id"]) for name in names]


async def test_without_the_adapter_there_are_no_webhooks(gateway: Gateways) -> None:
    house = await gateway({}, adapters={}, data=gateway.data / "other")
    call = await join(house, "one")
    assert (await call("GET", expect=503))["code"] == "unavailable"
