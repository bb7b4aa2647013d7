"""Webhooks end to end: the gateway's engine against the mock upstream system, which checks all and fails on command."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.store.lists import list_deliveries
from tests.house import Gateways
from tests.journeys.receiver import QUICK, Receiver, Upstream, in_order, open_house, payload, until, until_arrived


@pytest.fixture
async def receiver(tmp_path: Path, gateway: Gateways) -> AsyncIterator[Receiver]:
    mock = Receiver(tmp_path / "receiver")
    await mock.set_clock(gateway)
    yield mock
    await mock.close()


async def test_every_event_arrives_once_and_in_order(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    await upstream.subscribe(receiver, signing=["v1", "v1a"])
    await asyncio.gather(*(upstream.chain(number) for number in range(6)))
    feed = await until_arrived(receiver, upstream)
    events = await receiver.events()
    assert len(events) == len(feed) >= 60
    assert {entry["message_id"] for entry in events} == {event["id"] for event in feed}
    assert not [entry for entry in await receiver.journal() if entry["effect"] == "repeated"]
    assert in_order(events)
    assert await receiver.breaches() == []


async def test_what_is_posted_is_what_the_feed_shows(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    await upstream.subscribe(receiver)
    await upstream.chain(1)
    feed = {event["id"]: event for event in await until_arrived(receiver, upstream)}
    for entry in await receiver.events():
        shown = feed[entry["message_id"]]
        assert payload(entry) == shown
        assert entry["digest"].endswith(hashlib.sha256(orjson.dumps(shown)).hexdigest())


async def test_a_failing_receiver_gets_everything_all_the_same(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    await upstream.subscribe(receiver)
    for status in (500, 404, 400, 301, 302, 502, 504):
        await receiver.fault("http", op="case.*", status=status)
    for action in ("reset", "accept_then_reset", "accept_then_silent", "stall"):
        await receiver.fault(action, op="agreement.*")
    for kind in ("html", "truncated", "empty", "gbk", "bomb"):
        await receiver.fault("garbage", op="clock.*", kind=kind)
    await receiver.fault("business_error", op="confirmation.*", code="E1")
    await receiver.fault("slow", op="case.alerted", after_ms=3000)
    await asyncio.gather(*(upstream.chain(number) for number in range(3)))
    await until_arrived(receiver, upstream, seconds=60)
    assert await receiver.breaches() == []
    journal = await receiver.journal()
    repeated = [entry for entry in journal if entry["effect"] == "repeated"]
    assert repeated, "what was accepted without an answer came again"
    for entry in repeated:
        first = next(one for one in journal if one["message_id"] == entry["message_id"])
        assert first["digest"] == entry["digest"]
    assert in_order(await receiver.events())


async def test_garbage_after_a_2xx_is_delivered(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    await upstream.subscribe(receiver)
    for kind in ("html", "truncated", "empty", "gbk", "bomb"):
        await receiver.fault("garbage", kind=kind)
    await upstream.chain(1)
    await until_arrived(receiver, upstream)
    assert not [entry for entry in await receiver.journal() if entry["effect"] == "repeated"]


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_holds_the_whole_endpoint(gateway: Gateways, receiver: Receiver, status: int) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    await upstream.subscribe(receiver)
    await receiver.fault("http", status=status, retry_after="2")
    await asyncio.gather(*(upstream.case(number) for number in range(8)))
    await until_arrived(receiver, upstream)
    assert await receiver.breaches() == []
    refused = next(entry for entry in await receiver.journal() if entry["answer"] == status)
    later = [
        entry for entry in await receiver.journal() if entry["seq"] > refused["seq"] and entry["effect"] == "created"
    ]
    assert len(later) >= 16, "everything came, after the wait"


async def test_what_waits_for_its_turn_obeys_too(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway, webhook_rate_per_s=3)
    upstream = await Upstream.join(house)
    await upstream.subscribe(receiver, "case.received")
    await receiver.fault("http", status=429, retry_after="2")
    await asyncio.gather(*(upstream.case(number) for number in range(4)))
    await until_arrived(receiver, upstream, "case.received")
    assert await receiver.breaches() == [], "a request that was prepared already did not leave"


async def test_a_restart_keeps_the_wait(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    shown = await upstream.subscribe(receiver)
    await receiver.fault("http", status=503, retry_after="4")
    await upstream.case(1)

    async def refused() -> bool:
        return any(entry["answer"] == 503 for entry in await receiver.journal())

    await until(refused, "the 503")
    await asyncio.sleep(0.2)
    await gateway.abandon(house)
    upstream = upstream.at(await open_house(gateway))
    assert (await upstream.call("POST", f"/v1/webhook-endpoints/{shown['id']}/test")) == {
        "code": "endpoint_waits",
        "duration_ms": 0,
    }
    await until_arrived(receiver, upstream)
    assert await receiver.breaches() == []


async def test_maintenance(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    await upstream.subscribe(receiver)
    await receiver.fault("maintenance", times=0, after_ms=2500)
    await upstream.chain(1)
    await until_arrived(receiver, upstream)
    assert await receiver.breaches() == []


async def test_a_closed_port_and_a_restart(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    await upstream.subscribe(receiver)
    await upstream.chain(1)
    await receiver.fault("refuse", after_ms=2500)
    await asyncio.sleep(0.1)
    await asyncio.gather(*(upstream.chain(number) for number in range(2, 5)))
    await gateway.abandon(house)
    upstream = upstream.at(await open_house(gateway))
    await upstream.chain(5)
    feed = await until_arrived(receiver, upstream, seconds=30)
    events = await receiver.events()
    assert sorted(entry["message_id"] for entry in events) == sorted(event["id"] for event in feed)
    assert in_order(events)
    assert await receiver.breaches() == []


async def test_410_ends_it(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    gone = await upstream.subscribe(receiver, tail="/gone")
    other = await upstream.subscribe(receiver, "referral.*", tail="/other")
    await receiver.fault("http", op="case.*", status=410)
    await asyncio.gather(*(upstream.chain(number) for number in range(3)))
    ended = await upstream.until_state(gone["id"], "disabled")
    assert ended["reason"] == "gone"
    assert ended["last_failure"]["code"] == "http_410"

    async def told() -> Any:
        return [entry for entry in await receiver.events() if entry["kind"] == "endpoint.disabled"]

    news = (await until(told, "news at the other endpoint"))[0]
    assert news["endpoint"] == other["id"]
    assert payload(news)["data"]["webhook_endpoint"] == gone["id"]
    assert payload(news)["data"]["reason"] == "gone"
    rows = await house.store.run(list_deliveries, "pending", gone["id"], "", 100)
    assert [row for row in rows if row["class"] == "notify"] == []
    assert await receiver.breaches() == []

    await upstream.call("PATCH", f"/v1/webhook-endpoints/{gone['id']}", {"enabled": True})
    await upstream.until_state(gone["id"], "verified")
    case = await upstream.case(77)

    async def flows() -> bool:
        return any(
            entry["business_key"] == case and entry["endpoint"] == gone["id"] for entry in await receiver.events()
        )

    await until(flows, "events flow again")
    assert await receiver.breaches() == []


async def test_rotation_with_overlap(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    old = await upstream.subscribe(receiver, signing=["v1", "v1a"])
    path = f"/v1/webhook-endpoints/{old['id']}"
    new = await upstream.call("POST", f"{path}/rotate-secret", {"overlap_hours": 24})
    assert new["secret"] != old["secret"]
    assert new["public_key"] != old["public_key"]
    await upstream.case(1)
    await until_arrived(receiver, upstream, "case.*")  # the receiver still trusts the old keys alone
    await receiver.trust(new)
    await upstream.case(2)
    await until_arrived(receiver, upstream, "case.*", "clock.*")  # none is on its way while the clock is turned
    await upstream.call("POST", f"{path}/rotate-secret", {"overlap_hours": 24}, 409)
    gateway.clock.skip(timedelta(hours=24, seconds=1).total_seconds())
    await receiver.set_clock(gateway)
    await receiver.trust(new, retired=[old["secret"], old["public_key"]])
    await upstream.case(3)
    await until_arrived(receiver, upstream, "case.*")
    assert await receiver.breaches() == []
    row = await house.store.row("webhook", old["id"])
    assert row is not None
    await house.store.write("destroy_old_keys", ())
    row = await house.store.row("webhook", old["id"])
    assert row is not None
    assert row["old_keys_sealed"] is None


async def test_compromised_keys_sign_no_more(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    old = await upstream.subscribe(receiver)
    path = f"/v1/webhook-endpoints/{old['id']}/rotate-secret"
    new = await upstream.call("POST", path, {"overlap_hours": 0, "compromised": True})
    await receiver.trust(new, retired=[old["secret"]])
    await upstream.case(1)
    await until_arrived(receiver, upstream, "case.*")
    assert await receiver.breaches() == []


async def test_a_receiver_that_forgets_its_keys(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    shown = await upstream.subscribe(receiver)
    await receiver.fault("expire_session", times=0)
    await upstream.case(1)

    async def refused() -> bool:
        return bool((await upstream.endpoint(shown["id"])).get("last_failure", {}).get("code") == "http_401")

    await until(refused, "401")
    await receiver.heal()
    await receiver.trust(shown)
    await until_arrived(receiver, upstream)
    assert await receiver.breaches() == []


@pytest.mark.parametrize("how", ["wrong_challenge", "no_challenge", "text"])
async def test_a_handshake_that_fails(gateway: Gateways, receiver: Receiver, how: str) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    await receiver.fault("forge_callback", times=0, how=how)
    shown = await upstream.call("POST", "/v1/webhook-endpoints", {"url": receiver.url(), "events": ["*"]}, 201)
    await receiver.trust(shown)
    await upstream.case(1)
    failed = await upstream.until_state(shown["id"], "failed")
    assert failed["last_failure"]["code"] in ("challenge", "http_401")
    tries = [entry for entry in await receiver.journal() if entry["kind"] == "endpoint.verification"]
    assert len(tries) == 3
    assert len({entry["message_id"] for entry in tries}) == 1
    assert await receiver.events() == [], "nothing else is sent before the handshake"
    assert (await upstream.call("POST", f"/v1/webhook-endpoints/{shown['id']}/test"))["code"] == "challenge"
    await receiver.heal()
    await upstream.until_state(shown["id"], "verified", "failed")
    if (await upstream.endpoint(shown["id"]))["state"] == "failed":
        assert (await upstream.call("POST", f"/v1/webhook-endpoints/{shown['id']}/test"))["status"] == 200
    await upstream.until_state(shown["id"], "verified")
    await until_arrived(receiver, upstream)  # what happened since the subscription waited by cursor
    assert await receiver.breaches() == []


async def test_events_before_the_handshake_are_sent_after_it(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    await upstream.case(1)

    async def numbered() -> bool:
        return bool(await upstream.feed())

    await until(numbered, "the first case in the feed")
    before = {event["id"] for event in await upstream.feed()}
    shown = await upstream.call("POST", "/v1/webhook-endpoints", {"url": receiver.url(), "events": ["*"]}, 201)
    await upstream.chain(2)
    await gateway.close()
    upstream = upstream.at(await open_house(gateway))
    await upstream.case(3)
    await receiver.trust(shown)
    await upstream.call("POST", f"/v1/webhook-endpoints/{shown['id']}/test")
    await upstream.until_state(shown["id"], "verified")

    async def complete() -> bool:
        there = {entry["message_id"] for entry in await receiver.events()}
        return there == {event["id"] for event in await upstream.feed()} - before

    await until(complete, "exactly what happened since the subscription")
    assert in_order(await receiver.events())
    assert await receiver.breaches() == []


async def test_an_unhealthy_one_is_probed_and_recovers(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway, QUICK.model_copy(update={"webhook_failures": 10, "webhook_probe": 1.0}))
    upstream = await Upstream.join(house)
    shown = await upstream.subscribe(receiver, tail="/sick")
    healthy = await upstream.subscribe(receiver, "referral.*", tail="/healthy")
    await receiver.fault("http", op="case.*", times=0, status=500)
    cases = await asyncio.gather(*(upstream.case(number) for number in range(4)))
    await upstream.until_state(shown["id"], "unhealthy")
    await asyncio.sleep(0.3)  # what was on its way has ended
    before = len(await receiver.journal())
    await upstream.case(9)
    await asyncio.sleep(1.5)
    probes = [entry for entry in (await receiver.journal())[before:] if entry["endpoint"] == shown["id"]]
    assert 1 <= len(probes) <= 2, "one try an hour"
    assert len({entry["message_id"] for entry in probes}) == 1, "of the oldest open one"
    assert probes[0]["business_key"] in cases
    await receiver.heal()
    await upstream.until_state(shown["id"], "verified")
    await until_arrived(receiver, upstream, "case.*", "clock.*", "endpoint.unhealthy", "endpoint.recovered")
    news = [entry for entry in await receiver.events() if entry["kind"].startswith("endpoint.")]
    assert [(entry["kind"], entry["endpoint"]) for entry in news] == [
        ("endpoint.unhealthy", healthy["id"]),
        ("endpoint.recovered", healthy["id"]),
    ]
    assert in_order(await receiver.events())
    assert await receiver.breaches() == []


async def test_a_dead_delivery_makes_it_unhealthy(gateway: Gateways, receiver: Receiver) -> None:
    retry = QUICK.model_copy(update={"notify": (0.05, 0.05), "webhook_probe": 0.2})
    house = await open_house(gateway, retry)
    upstream = await Upstream.join(house)
    shown = await upstream.subscribe(receiver, "case.*")
    await receiver.fault("http", times=0, status=500)
    await upstream.case(1)
    await upstream.until_state(shown["id"], "unhealthy")
    dead = await house.store.run(list_deliveries, "dead", shown["id"], "", 10)
    assert [row["type"] for row in dead] == ["case.received"]
    await receiver.heal()
    await upstream.until_state(shown["id"], "verified")
    assert await house.store.rows("list_tasks", "open", "", "", 10) == []
    assert (await receiver.events())[-1]["kind"] == "case.accepted"


async def test_failing_for_too_long_disables(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway, QUICK.model_copy(update={"webhook_failures": 3, "webhook_probe": 0.1}))
    upstream = await Upstream.join(house)
    shown = await upstream.subscribe(receiver, "case.*")
    await receiver.fault("http", times=0, status=500)
    await upstream.case(1)
    await upstream.until_state(shown["id"], "unhealthy")
    gateway.clock.skip(timedelta(hours=121).total_seconds())
    ended = await upstream.until_state(shown["id"], "disabled")
    assert ended["reason"] == "failing"
    assert ended["enabled"] is False
    count = len(await receiver.journal())
    await upstream.case(2)
    await asyncio.sleep(0.5)
    assert len(await receiver.journal()) == count, "nothing is sent to a disabled one"
    assert len(await upstream.feed("case.*")) == 4, "its events stay readable by cursor"


async def test_replay_by_cursor(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    shown = await upstream.subscribe(receiver)
    await upstream.chain(1)
    feed = await until_arrived(receiver, upstream)
    gateway.clock.skip(60)
    await receiver.set_clock(gateway)
    half = len(feed) // 2
    path = f"/v1/webhook-endpoints/{shown['id']}"
    await upstream.call("PATCH", path, {"replay_after": feed[half - 1]["cursor"]})
    await upstream.case(2)

    async def came_again() -> Any:
        found = [entry for entry in await receiver.journal() if entry["effect"] == "repeated"]
        return found if len(found) == len(feed) - half else None

    again = await until(came_again, "the second half again")
    await until_arrived(receiver, upstream)
    assert [entry["message_id"] for entry in again] == [event["id"] for event in feed[half:]]
    first = {entry["message_id"]: entry for entry in await receiver.events()}
    for entry in again:
        assert entry["digest"] == first[entry["message_id"]]["digest"]
        assert int(entry["timestamp"]) >= int(first[entry["message_id"]]["timestamp"]) + 60
    assert await receiver.breaches() == []


async def test_each_client_sees_its_own(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    stranger = await Upstream.join(house, "stranger", ("SD-JN-LX-999",))
    every = await upstream.subscribe(receiver, tail="/every")
    clocks = await upstream.subscribe(receiver, "clock.started", "case.accepted", tail="/clocks")
    foreign = await stranger.subscribe(receiver, tail="/foreign")
    await upstream.case(1)
    await until_arrived(receiver, upstream)
    await until_arrived(receiver, upstream, "clock.started", "case.accepted")

    async def of(identifier: str) -> set[str]:
        return {entry["kind"] for entry in await receiver.events() if entry["endpoint"] == identifier}

    async def narrow() -> bool:
        return await of(clocks["id"]) == {"clock.started", "case.accepted"}

    await until(narrow, "the filtered ones")
    assert await of(every["id"]) == {"case.received", "case.accepted", "clock.started"}
    assert await of(foreign["id"]) == set()
    assert await stranger.feed() == []
    await stranger.call("GET", f"/v1/webhook-endpoints/{every['id']}", expect=404)
    assert await receiver.breaches() == []


async def test_a_changed_address_proves_itself_before_anything_goes_there(
    gateway: Gateways, receiver: Receiver
) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    shown = await upstream.subscribe(receiver)
    await receiver.fault("forge_callback", times=0, how="no_challenge")
    path = f"/v1/webhook-endpoints/{shown['id']}"
    moved = await upstream.call("PATCH", path, {"url": receiver.url("/elsewhere")})
    assert moved["state"] == "unverified"
    await upstream.case(1)
    await upstream.until_state(shown["id"], "failed")
    assert await receiver.events() == []
    await receiver.heal()
    await upstream.call("POST", f"{path}/test")
    await upstream.until_state(shown["id"], "verified")
    await until_arrived(receiver, upstream)
    assert await receiver.breaches() == []


async def test_an_address_against_the_policy_pauses_and_burns_nothing(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    shown = await upstream.subscribe(receiver)
    await gateway.close()
    house = await open_house(gateway, webhook_allowed_hosts=[])
    upstream = upstream.at(house)
    await upstream.case(1)
    paused = await upstream.until_state(shown["id"], "paused")
    assert paused["reason"] == "egress_refused"
    await upstream.case(2)
    await asyncio.sleep(0.3)
    rows = await house.store.run(list_deliveries, "", shown["id"], "", 100)
    assert {row["step"] for row in rows if row["class"] == "notify"} == {0}
    assert await receiver.events() == []
    await gateway.close()
    upstream = upstream.at(await open_house(gateway))
    assert (await upstream.endpoint(shown["id"]))["state"] == "paused", "until somebody looks"
    assert (await upstream.call("POST", f"/v1/webhook-endpoints/{shown['id']}/test"))["status"] == 204
    await until_arrived(receiver, upstream)
    assert await receiver.breaches() == []


async def test_the_rate_is_kept(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway, webhook_rate_per_s=10)
    upstream = await Upstream.join(house)
    await upstream.subscribe(receiver, "case.*")
    await asyncio.gather(*(upstream.case(number) for number in range(6)))
    await until_arrived(receiver, upstream, "case.*")
    times = [datetime.fromisoformat(entry["at"]) for entry in await receiver.events()]
    assert len(times) == 12
    assert (times[-1] - times[0]).total_seconds() >= 1.0


async def test_a_deleted_one_gets_nothing_more(gateway: Gateways, receiver: Receiver) -> None:
    house = await open_house(gateway)
    upstream = await Upstream.join(house)
    shown = await upstream.subscribe(receiver)
    await receiver.fault("http", times=0, status=500)
    await upstream.case(1)

    async def tried() -> bool:
        return any(entry["answer"] == 500 for entry in await receiver.journal())

    await until(tried, "a try")
    reply = await upstream.api.delete(f"/v1/webhook-endpoints/{shown['id']}")
    assert reply.status_code == 204
    await asyncio.sleep(0.3)
    await receiver.heal()
    count = len(await receiver.journal())
    await upstream.case(2)
    await asyncio.sleep(0.5)
    assert len(await receiver.journal()) == count
    assert await upstream.call("GET", "/v1/webhook-endpoints") == {"items": []}
    assert await house.store.run(list_deliveries, "pending", shown["id"], "", 10) == []
