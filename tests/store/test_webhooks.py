"""Webhook endpoints in the store, on both engines: what events owe them, their probes, their health, their end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gateway.store import webhooks
from gateway.store.health import disabled
from gateway.store.journal import AuditEntry, owned_after
from gateway.store.lists import list_deliveries
from gateway.store.settlement import EndpointEffect, FrozenWire, Health
from gateway.store.webhooks import MOST, SLOTS, Change, Handshake, Webhook, owner_of, webhook_of
from tests.store.bench import LEASE_MS, ORGANIZATION, Bench, VirtualClock, failing

HEALTH = Health(failures=3, probe_ms=3_600_000, disabled_after_ms=120 * 3_600_000)
DAY_MS = 86_400_000


class Desk:
    """Clients and their webhooks on one store."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.store = bench.store
        self._clients: set[str] = set()

    async def client(self, name: str, organizations: str = f'["{ORGANIZATION}"]', enabled: bool = True) -> None:
        """A client with one key."""
        self._clients.add(name)
        row = (f"key-{name}", name, name, b"hash", "[]", organizations, None if enabled else 1)
        await self.store.write("add_client", row)

    async def subscribe(self, client: str = "up", events: str = '["*"]', organizations: str | None = None) -> str:
        """A subscription, not verified yet."""
        if client not in self._clients:
            await self.client(client)
        identifier = self.store.ids.new("webhook")
        webhook = Webhook(
            id=identifier,
            client=client,
            address_sealed=b"address",
            events=events,
            organizations=organizations,
            signing='["v1"]',
            keys_sealed=b"keys",
            old_keys_sealed=None,
            old_until=None,
            version=1,
            state="unverified",
            reason=None,
            mark=None,
            handshake=self.store.ids.new("delivery"),
            probe_at=0,
            waits_until=0,
            failing_since=None,
            last_success_at=None,
            last_failure_at=None,
            last_failure_code=None,
        )
        handshake = Handshake(webhook.handshake, self.store.ids.new("event"))
        entry = AuditEntry(client, "webhook.subscribe", identifier)
        assert await self.store.run(webhooks.register, webhook, handshake, entry, self.bench.clock())
        return identifier

    async def verified(self, client: str = "up", events: str = '["*"]', organizations: str | None = None) -> str:
        """A subscription whose handshake was answered."""
        identifier = await self.subscribe(client, events, organizations)
        claims = await self.store.claim_probes(LEASE_MS)
        assert [claim.endpoint for claim in claims] == [identifier]
        assert await self.settle(claims[0], effect=EndpointEffect())
        assert (await self.row(identifier)).state == "verified"
        return identifier

    async def settle(self, claim: Any, state: str = "delivered", **more: Any) -> bool:
        """The end of a claim for a webhook."""
        more.setdefault("effect", EndpointEffect(failed=False) if state == "delivered" else failing())
        return await self.bench.settle(claim, state, health=HEALTH, events=[], **more)

    async def row(self, identifier: str) -> Webhook:
        """How it stands."""
        row = await self.store.row("webhook", identifier)
        assert row is not None
        return webhook_of(row)

    async def change(self, identifier: str, client: str = "up", **fields: Any) -> Webhook | None:
        """Change its row."""
        entry = AuditEntry(client, "webhook.change", identifier)
        return await self.store.run(
            webhooks.change, identifier, client, lambda found, _: Change(replace(found, **fields)), entry, 0
        )

    async def relay(self, limit: int = 100) -> webhooks.Relayed:
        """One turn of the relay."""
        return await self.store.run(webhooks.relay, limit, self.store.ids)

    async def owed(self, identifier: str, state: str = "pending") -> list[tuple[str, str, int]]:
        """What is owed: subject, type, sequence."""
        rows = await self.store.run(list_deliveries, state, identifier, "", 100)
        owed = [(row["subject"], row["type"], row["sequence"]) for row in rows if row["class"] == "notify"]
        return sorted(owed, key=lambda one: (one[0], one[2]))

    async def claim(self, identifier: str, batch: int = 10) -> list[Any]:
        """What the engine would send there now."""
        return await self.bench.claim(batch, names=[identifier])


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk(bench)


async def test_nothing_but_the_handshake_goes_to_a_new_one(desk: Desk, bench: Bench, clock: VirtualClock) -> None:
    identifier = await desk.subscribe()
    await bench.committed(bench.case("case_1", ()))
    await desk.relay()
    assert await desk.owed(identifier) == []
    assert await desk.claim(identifier) == []
    [claim] = await desk.store.claim_probes(LEASE_MS)
    assert (claim.type, claim.subject, claim.retry_class) == ("endpoint.verification", identifier, "handshake")
    assert await desk.store.claim_probes(LEASE_MS) == [], "it is on its way"
    assert await desk.settle(claim, "pending", wait_ms=30_000, step=1, code="http_401", effect=EndpointEffect())
    assert (await desk.row(identifier)).last_failure_code == "http_401"
    assert await desk.store.claim_probes(LEASE_MS) == []
    clock.pass_ms(30_000)
    [claim] = await desk.store.claim_probes(LEASE_MS)
    assert await desk.settle(claim, effect=EndpointEffect())
    assert (await desk.row(identifier)).state == "verified"
    assert (await desk.relay()).owed == 1, "what happened since the subscription waited by cursor"
    [claim] = await desk.claim(identifier)
    assert (claim.message, claim.type, claim.retry_class) == (claim.message, "case.received", "notify")


async def test_a_handshake_that_ends_undelivered_is_failed(desk: Desk) -> None:
    identifier = await desk.subscribe()
    [claim] = await desk.store.claim_probes(LEASE_MS)
    assert await desk.settle(claim, "dead", code="challenge", effect=EndpointEffect())
    assert (await desk.row(identifier)).state == "failed"
    assert await desk.store.claim_probes(LEASE_MS) == []


async def test_an_older_handshake_proves_nothing(desk: Desk, bench: Bench) -> None:
    identifier = await desk.subscribe()
    [old] = await desk.store.claim_probes(LEASE_MS)
    fresh = Handshake(bench.store.ids.new("delivery"), bench.store.ids.new("event"))

    def again(found: Webhook, _: int) -> Change:
        return Change(replace(found, version=2, handshake=fresh.delivery), slots=0, handshake=fresh)

    entry = AuditEntry("up", "webhook.change", identifier)
    await desk.store.run(webhooks.change, identifier, "up", again, entry, 0)
    assert await desk.settle(old, effect=EndpointEffect())
    assert (await desk.row(identifier)).state == "unverified", "the old address answered, not the new one"
    [claim] = await desk.store.claim_probes(LEASE_MS)
    assert claim.delivery == fresh.delivery


async def test_ten_and_no_more(desk: Desk) -> None:
    for _ in range(MOST):
        await desk.subscribe()
    with pytest.raises(AssertionError):
        await desk.subscribe()
    await desk.subscribe("another")


async def test_each_webhook_is_owed_what_it_wants(desk: Desk, bench: Bench) -> None:
    every = await desk.verified()
    narrow = await desk.verified(events='["clock.*", "case.accepted"]')
    await desk.client("two", f'["{ORGANIZATION}", "OTHER"]')
    listed = await desk.verified("two", organizations='["OTHER"]')
    await desk.client("three", '["OTHER"]')
    foreign = await desk.verified("three")
    await desk.client("four", enabled=False)
    row = await desk.verified("four")
    unit = bench.case("case_1", ())
    unit.events += [bench.event(kind, "case_1") for kind in ("case.accepted", "delivery.relayed", "mediator.listed")]
    await bench.committed(unit)
    relayed = await desk.relay()
    assert (relayed.numbered, relayed.owed, relayed.behind) == (4, 3, False)
    assert await desk.owed(every) == [("case_1", "case.received", 1), ("case_1", "case.accepted", 2)]
    assert await desk.owed(narrow) == [("case_1", "case.accepted", 2)]
    for nothing in (listed, foreign, row):
        assert await desk.owed(nothing) == []


async def test_a_case_is_one_lane_and_cases_run_beside_each_other(desk: Desk, bench: Bench) -> None:
    identifier = await desk.verified()
    for case in ("case_1", "case_2"):
        unit = bench.case(case, ())
        unit.events += [bench.event("case.accepted", case)]
        await bench.committed(unit)
    await desk.relay()
    claims = await desk.claim(identifier)
    assert sorted((claim.subject, claim.sequence) for claim in claims) == [("case_1", 1), ("case_2", 1)]
    for claim in claims:
        assert await desk.settle(claim)
    claims = await desk.claim(identifier)
    assert sorted((claim.subject, claim.sequence) for claim in claims) == [("case_1", 2), ("case_2", 2)]


async def test_four_at_once(desk: Desk, bench: Bench) -> None:
    identifier = await desk.verified()
    for number in range(SLOTS + 2):
        await bench.committed(bench.case(f"case_{number}", ()))
    await desk.relay()
    assert len(await desk.claim(identifier)) == SLOTS
    assert await desk.claim(identifier) == []


async def test_what_webhooks_are_owed_is_no_part_of_a_cases_file(desk: Desk, bench: Bench) -> None:
    identifier = await desk.verified()
    await bench.endpoints()
    await bench.committed(bench.case("case_1"))
    await desk.relay()
    file = await bench.store.load("case_1")
    assert file is not None
    assert [delivery.endpoint for delivery in file.deliveries] == ["a"]
    before = file.sequence
    [claim] = await desk.claim(identifier)
    assert await desk.settle(claim)
    assert await bench.sequence("case_1") == before, "it makes no events of its own"


async def test_one_behind_catches_up_in_steps(desk: Desk, bench: Bench) -> None:
    identifier = await desk.verified()
    for number in range(5):
        await bench.committed(bench.case(f"case_{number}", ()))
    await desk.relay()
    for claim in await desk.claim(identifier) + await desk.claim(identifier):
        await desk.settle(claim)
    while claims := await desk.claim(identifier):
        for claim in claims:
            await desk.settle(claim)
    await desk.change(identifier, mark=1)
    relayed = await desk.relay(limit=2)
    assert (relayed.owed, relayed.behind) == (2, True)
    assert (await desk.row(identifier)).mark == 3
    await bench.committed(bench.case("case_new", ()))
    relayed = await desk.relay(limit=3)
    assert (relayed.numbered, relayed.owed, relayed.behind) == (1, 3, True)
    relayed = await desk.relay(limit=3)
    assert (relayed.owed, relayed.behind) == (0, False)
    assert (await desk.row(identifier)).mark is None
    assert sorted(await desk.owed(identifier)) == [
        (case, "case.received", 1) for case in ("case_1", "case_2", "case_3", "case_4", "case_new")
    ]


async def test_a_replay_keeps_wire_and_attempts(desk: Desk, bench: Bench) -> None:
    identifier = await desk.verified()
    unit = bench.case("case_1", ())
    unit.events += [bench.event("case.accepted", "case_1")]
    await bench.committed(unit)
    await desk.relay()
    [first] = await desk.claim(identifier)
    assert await bench.store.freeze(FrozenWire(first, "case.received", "1", b"wire"))
    assert await desk.settle(first)
    [second] = await desk.claim(identifier)
    await desk.change(identifier, mark=0)
    await desk.relay()
    assert await desk.owed(identifier) == [("case_1", "case.received", 1), ("case_1", "case.accepted", 2)]
    assert await desk.claim(identifier) == [], "one of the case is on its way"
    assert await desk.settle(second)
    [again] = await desk.claim(identifier)
    assert (again.delivery, again.wire_sealed, again.tries, again.step) == (first.delivery, b"wire", 2, 0)
    assert await desk.settle(again)
    assert await desk.claim(identifier) == []
    assert [row["number"] for row in await bench.store.rows("attempts_of", first.delivery)] == [1, 2]


async def test_failures_in_a_row_make_it_unhealthy_and_a_probe_heals_it(
    desk: Desk, bench: Bench, clock: VirtualClock
) -> None:
    identifier, other = await desk.verified(), await desk.verified(events='["referral.*"]')
    for number in range(4):
        clock.pass_ms(10)
        await bench.committed(bench.case(f"case_{number}", ()))
        await desk.relay()
    claims = await desk.claim(identifier)
    for claim in claims[:2]:
        await desk.settle(claim, "pending", step=1, wait_ms=10, code="http_500")
    assert (await desk.row(identifier)).state == "verified"
    await desk.settle(claims[2], "pending", step=1, wait_ms=10, code="http_500")
    sick = await desk.row(identifier)
    assert (sick.state, sick.reason, sick.last_failure_code) == ("unhealthy", "failing", "http_500")
    await desk.settle(claims[3], "dead", step=9, code="http_500")
    assert (await bench.delivery(claims[3].delivery))["state"] == "pending", "an unhealthy one burns no tries"
    clock.pass_ms(1000)
    assert await desk.claim(identifier) == []
    assert await desk.store.claim_probes(LEASE_MS) == []
    clock.pass_ms(HEALTH.probe_ms)
    [probe] = await desk.store.claim_probes(LEASE_MS)
    assert (probe.subject, probe.step) == ("case_0", 1)
    await desk.settle(probe, "pending", step=2, wait_ms=10, code="timeout")
    assert (await bench.delivery(probe.delivery))["step"] == 1
    clock.pass_ms(10_000)
    assert await desk.store.claim_probes(LEASE_MS) == [], "an hour between probes"
    clock.pass_ms(HEALTH.probe_ms)
    [probe] = await desk.store.claim_probes(LEASE_MS)
    assert await desk.settle(probe)
    assert (await desk.row(identifier)).state == "verified"
    assert len(await desk.claim(identifier)) == 3, "the queue flows, whatever the waits were"
    await desk.relay()
    assert [kind for _, kind, _ in await desk.owed(other)] == ["endpoint.unhealthy", "endpoint.recovered"]


async def test_one_dead_delivery_makes_it_unhealthy(desk: Desk, bench: Bench) -> None:
    identifier = await desk.verified()
    await bench.committed(bench.case("case_1", ()))
    await desk.relay()
    [claim] = await desk.claim(identifier)
    await desk.settle(claim, "dead", step=9, code="timeout")
    assert (await desk.row(identifier)).state == "unhealthy"
    assert await bench.state(claim.delivery) == "dead"


async def test_failing_for_too_long_disables_it(desk: Desk, bench: Bench, clock: VirtualClock) -> None:
    identifier = await desk.verified()
    clock.pass_ms(200 * DAY_MS)  # long idle is no failure
    await bench.committed(bench.case("case_1", ()))
    await desk.relay()
    [claim] = await desk.claim(identifier)
    await desk.settle(claim, "pending", step=1, wait_ms=10, code="timeout")
    assert (await desk.row(identifier)).state == "verified"
    clock.pass_ms(HEALTH.disabled_after_ms)
    await bench.committed(bench.case("case_2", ()))
    await desk.relay()
    claim, waiting = await desk.claim(identifier)
    await desk.settle(claim, "pending", step=2, wait_ms=10, code="timeout")
    ended = await desk.row(identifier)
    assert (ended.state, ended.reason) == ("disabled", "failing")
    await desk.settle(waiting, "pending", step=1, wait_ms=10, code="timeout")
    assert await desk.owed(identifier) == [], "what was on its way is cancelled when it ends"
    assert len(await desk.owed(identifier, "cancelled")) == 2
    assert await bench.table("SELECT * FROM lanes") == []


async def test_gone_cancels_what_is_open(desk: Desk, bench: Bench) -> None:
    identifier = await desk.verified()
    for case in ("case_1", "case_2", "case_3"):
        unit = bench.case(case, ())
        unit.events += [bench.event("case.accepted", case)]
        await bench.committed(unit)
    await desk.relay()
    first, second, *_ = await desk.claim(identifier, batch=2)
    gone = EndpointEffect(failed=True, gone=True)
    assert await desk.settle(first, "cancelled", code="http_410", effect=gone)
    ended = await desk.row(identifier)
    assert (ended.state, ended.reason, ended.last_failure_code) == ("disabled", "gone", "http_410")
    assert await desk.owed(identifier) == [(second.subject, "case.received", 1)], "the one on its way"
    assert await desk.settle(second), "it was taken before the receiver said so"
    assert await bench.state(second.delivery) == "delivered"
    assert await desk.owed(identifier) == []
    await bench.committed(bench.case("case_4", ()))
    assert (await desk.relay()).owed == 0


async def test_a_pause_is_no_failure(desk: Desk, bench: Bench) -> None:
    identifier = await desk.verified()
    await bench.committed(bench.case("case_1", ()))
    await desk.relay()
    [claim] = await desk.claim(identifier)
    effect = EndpointEffect(pause_reason="egress_refused")
    assert await desk.settle(claim, "pending", code="egress_refused", effect=effect)
    found = await desk.row(identifier)
    assert (found.state, found.last_failure_code, found.failing_since) == ("verified", "egress_refused", None)
    row = await bench.store.row("webhook", identifier)
    assert row is not None
    assert (bool(row["paused"]), row["pause_reason"]) == (True, "egress_refused")
    assert await desk.claim(identifier) == []


async def test_news_are_kept_in_the_clients_name(desk: Desk, bench: Bench) -> None:
    identifier, other = await desk.verified(), await desk.verified()
    stranger = await desk.verified("stranger")
    entry = AuditEntry("up", "webhook.change", identifier)
    ids = bench.store.ids
    await desk.store.run(webhooks.change, identifier, "up", lambda found, _: disabled(found, "operator", ids), entry, 0)
    await desk.relay()
    assert [kind for _, kind, _ in await desk.owed(other)] == ["endpoint.disabled"]
    assert await desk.owed(stranger) == []
    seen = await desk.store.runner.read(owned_after, (ORGANIZATION, owner_of("up")), 0, 10)
    assert [(event.type, event.about) for event in seen] == [("endpoint.disabled", identifier)]
    assert await desk.store.runner.read(owned_after, (ORGANIZATION, owner_of("stranger")), 0, 10) == []


async def test_another_clients_webhook_is_none(desk: Desk) -> None:
    identifier = await desk.verified()
    assert await desk.change(identifier, client="stranger", reason="x") is None
    entry = AuditEntry("stranger", "webhook.leave", identifier)
    assert not await desk.store.run(webhooks.remove, identifier, "stranger", entry, 0)
    assert (await desk.row(identifier)).reason is None


async def test_a_removed_one_leaves_nothing_open(desk: Desk, bench: Bench) -> None:
    identifier = await desk.verified()
    for case in ("case_1", "case_2"):
        await bench.committed(bench.case(case, ()))
    await desk.relay()
    claim, *_ = await desk.claim(identifier, batch=1)
    entry = AuditEntry("up", "webhook.leave", identifier)
    assert await desk.store.run(webhooks.remove, identifier, "up", entry, 0)
    assert await bench.store.row("webhook", identifier) is None
    assert await desk.settle(claim, "pending", step=1, wait_ms=10, code="timeout")
    assert await desk.owed(identifier) == []
    assert await bench.table("SELECT * FROM lanes") == []
    assert [row[0] for row in await bench.table("SELECT name FROM endpoints")] == []


async def test_old_keys_are_destroyed_in_time(desk: Desk, bench: Bench, clock: VirtualClock) -> None:
    identifier = await desk.verified()
    await desk.change(identifier, old_keys_sealed=b"old", old_until=clock() + DAY_MS)
    await bench.store.write("destroy_old_keys", ())
    assert (await desk.row(identifier)).old_keys_sealed == b"old"
    clock.pass_ms(DAY_MS)
    await bench.store.write("destroy_old_keys", ())
    found = await desk.row(identifier)
    assert (found.old_keys_sealed, found.old_until) == (None, None)


async def test_an_operator_moves_what_is_owed_without_events(desk: Desk, bench: Bench) -> None:
    identifier = await desk.verified()
    await bench.committed(bench.case("case_1", ()))
    await desk.relay()
    [claim] = await desk.claim(identifier)
    move = webhooks.move_owed
    pending = frozenset({"pending"})
    assert await desk.store.run(move, claim.delivery, pending, "cancelled") == "in_flight"
    await desk.settle(claim, "pending", step=1, wait_ms=10, code="timeout")
    assert await desk.store.run(move, claim.delivery, frozenset({"dead"}), "pending") == "state"
    assert await desk.store.run(move, claim.delivery, pending, "cancelled") is None
    assert await bench.state(claim.delivery) == "cancelled"
    assert await bench.table("SELECT * FROM lanes") == []
    assert await bench.sequence("case_1") == 1


async def test_relays_and_settlements_beside_each_other(desk: Desk, bench: Bench) -> None:
    """Numbering, owing, claiming and settling at once: each event is owed once to each."""
    hooks = [await desk.verified() for _ in range(3)]

    async def post(number: int) -> None:
        await bench.committed(bench.case(f"case_{number}", ()))
        await desk.relay()

    async def work(identifier: str) -> None:
        for _ in range(40):
            for claim in await desk.claim(identifier):
                await desk.settle(claim)
            await asyncio.sleep(0.001)

    await asyncio.gather(*(post(number) for number in range(20)), *(work(identifier) for identifier in hooks))
    await desk.relay()
    for identifier in hooks:
        while claims := await desk.claim(identifier):
            for claim in claims:
                await desk.settle(claim)
        assert sorted(await desk.owed(identifier, "delivered")) == sorted(
            (f"case_{number}", "case.received", 1) for number in range(20)
        )
