"""Every event of a case's whole life, as it is published: sound, thin, and named in the table of events."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from typing import Any

import jsonschema
import orjson
import pytest

from contracts.errors import EndpointError
from contracts.events import EVENT_TYPES, MAX_BODY_BYTES, CloudEvent, envelope_schema
from contracts.messages import COURT, HR, UNION, MessageType
from gateway.bus.memory import Subscription
from gateway.flow.clock import Alarms
from gateway.flow.house import House
from gateway.flow.moving.order import Order, Principal
from gateway.flow.operating.operate import Operator
from tests.flow import papers
from tests.flow.puppets import PUPPETS, WORDS, Puppet
from tests.house import Gateways

ORGANIZATION = "SD-JN-LX-001"
UPSTREAM = Principal("upstream", frozenset({ORGANIZATION}), frozenset())
OPERATOR = Principal("operator", frozenset({"*"}), frozenset())
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


class Life:
    """A house among puppets, and the documents and words of cases."""

    def __init__(self, house: House, bus: Subscription, gateway: Gateways) -> None:
        self.house = house
        self._bus = bus
        self.gateway = gateway
        self._numbers = itertools.count(1)
        self.seen: list[dict[str, Any]] = []

    async def post(
        self,
        kind: MessageType,
        document: bytes | dict[str, Any],
        target: str | None = None,
        if_match: int | None = None,
    ) -> str:
        """Post a document; returns the thing's id."""
        raw = document if isinstance(document, bytes) else json.dumps(document).encode()
        order = Order(kind, UPSTREAM, raw, target, revises=if_match is not None, if_match=if_match)
        return (await self.house.intake.take(order)).about

    async def case(self, name: str = "wages", **changes: Any) -> str:
        """A new case."""
        number = {"/source_case_no": f"370102-LX001-2026-{next(self._numbers):05d}"}
        return await self.post(MessageType.CASE_SUBMITTED, papers.body(name, number | changes))

    async def agreement(self, case: str, number: str = "历下劳人调〔2026〕123号") -> str:
        """An agreement with its document."""
        paper = await self.house.attachments.keep(ORGANIZATION, "mediation_agreement", "协议.pdf", PDF)
        given = papers.body("agreement", {"/document": paper.id, "/agreement_no": number})
        return await self.post(MessageType.AGREEMENT_CONCLUDED, given, case)

    async def say(self, endpoint: str, **word: Any) -> str:
        """A platform's word, applied; the house's clock moves on a minute."""
        self.gateway.clock.skip(60)
        event = f"word-{next(self._numbers)}"
        at = {"at": self.gateway.clock.now().isoformat()}
        raw = json.dumps(at | word | {"event": event}, ensure_ascii=False).encode()
        await self.house.receiver.receive(endpoint, "POST", "/", "", tuple(WORDS.items()), raw)

        async def applied() -> bool:
            return await self.house.store.row("was_applied", endpoint, event) is not None

        await self.until(applied)
        return event

    async def until(self, check: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        """Collect what is published until something holds."""
        for _ in range(400):
            while (event := await self._bus.next(0.01)) is not None:
                self.seen.append(event)
            if await check():
                return
        raise AssertionError(f"in vain; seen: {sorted({event['type'] for event in self.seen})}")

    async def until_seen(self, *types: str) -> None:
        """Until events of these types were published."""

        async def all_seen() -> bool:
            return set(types) <= {event["type"] for event in self.seen}

        await self.until(all_seen)

    async def matter(self, kind: str) -> str:
        """The newest matter of a kind."""
        rows = await self.house.store.rows("list_matters", kind, "[]", True, "", "", 0, "", 100)
        return str(rows[-1]["id"])


@pytest.fixture
async def life(gateway: Gateways) -> AsyncIterator[Life]:
    endpoints = {name: {"adapter": name} for name in (HR, COURT, UNION)}
    house = await gateway(endpoints, adapters=PUPPETS, start=False)
    async with house.bus.subscribe() as bus:
        house.start()
        yield Life(house, bus, gateway)


def assert_sound(events: list[dict[str, Any]]) -> None:
    """Each is what its schema says, twice over: by jsonschema and by the model; thin; and in order within its case."""
    assert events
    last: dict[str, str] = {}
    for event in events:
        raw = orjson.dumps(event)
        assert len(raw) <= MAX_BODY_BYTES
        kind = event["type"]
        assert kind in EVENT_TYPES, f"{kind} is published, but no event type"
        validator = jsonschema.Draft202012Validator(envelope_schema(kind))
        assert [f"{kind}: {error.message}" for error in validator.iter_errors(orjson.loads(raw))] == []
        assert CloudEvent.model_validate(event).model_dump(exclude_none=True)["id"] == event["id"]
        if "partitionkey" in event:
            assert event["sequence"] > last.get(event["partitionkey"], "")
            last[event["partitionkey"]] = event["sequence"]


async def test_the_whole_life_of_cases_is_published_soundly(life: Life) -> None:
    case = await life.case()
    await life.post(
        MessageType.CASE_REVISED, papers.body("wages", {"/source_case_no": "370102-LX001-2026-00001"}), case, 1
    )
    step = {"schema_version": "1.0", "status": "mediating", "at": "2026-09-21T09:00:00+08:00"}
    await life.post(MessageType.CASE_PROGRESSED, step, case)
    await life.post(MessageType.CASE_ALERTED, papers.raw("alert"), case)
    visit = {"schema_version": "1.0", "at": "2026-09-22T09:00:00+08:00", "party": 0, "reason": "履行情况"}
    visit |= {"situation": "已开始履行", "visitor": "李明"}
    await life.post(MessageType.CASE_FOLLOWED_UP, visit, case)
    agreement = await life.agreement(case)
    await life.until_seen("case.agreed", "agreement.effective", "clock.started")

    confirmation = await life.post(MessageType.CONFIRMATION_REQUESTED, papers.raw("arbitration"), agreement)
    about = {"about": "confirmation", "keys": [["confirmation", confirmation, ""]]}
    references = [["case_no", "历下劳人仲审〔2026〕第45号"]]
    await life.say(HR, **about, status="correction_required", reasons=[["B1", "缺身份证明", "/attachments"]])
    proof = await life.house.attachments.keep(ORGANIZATION, "identity_proof", "身份证.pdf", PDF)
    supplement = {
        "schema_version": "1.0",
        "at": life.gateway.clock.now().isoformat(),
        "note": "补交身份证明",
        "attachments": [{"id": proof.id, "kind": "identity_proof", "name": "身份证.pdf"}],
    }
    await life.post(MessageType.CONFIRMATION_SUPPLEMENTED, supplement, confirmation)
    await life.say(HR, **about, status="accepted", references=references)
    await life.say(HR, **about, status="reviewing")
    await life.say(HR, **about, status="unknown", raw_status="ZZ9")
    withdrawal = {"schema_version": "1.0", "at": life.gateway.clock.now().isoformat(), "reason": "双方另行协商"}
    await life.post(MessageType.CONFIRMATION_WITHDRAWAL_REQUESTED, withdrawal, confirmation)
    await life.say(HR, **about, status="confirmed", references=[["document_no", "历下劳人仲调〔2026〕第45号"]])
    await life.say(HR, **about, status="objected")
    await life.say(HR, about="case", keys=[["confirmation", confirmation, ""]], status="", note="请核实")
    await life.say(HR, about="case", keys=[["confirmation", confirmation, ""]], status="failed", reason_code="E17")
    named = {"about": "fulfilment", "keys": [["agreement_no", "历下劳人调〔2026〕123号", ORGANIZATION]]}
    await life.say(HR, **named, status="partly_performed", term_no=1)
    await life.say(HR, **named, status="unknown", raw_status="07", term_no=1)
    paid = papers.body("performed", {"/at": life.gateway.clock.now().isoformat()})
    await life.post(MessageType.AGREEMENT_PERFORMED, paid, agreement)
    await life.until_seen("confirmation.confirmed", "case.noted", "confirmation.unknown_status", "fulfilment.performed")
    await life.until_seen("fulfilment.performing", "task.opened", "task.resolved")

    other = await life.case()
    failed = papers.body("failed", {"/at": "2026-09-29T09:00:00+08:00"})
    await life.post(MessageType.CASE_PROGRESSED, failed, other)
    transfer = await life.post(MessageType.TRANSFER_REQUESTED, papers.raw("transfer"), other)
    moved = {"about": "transfer", "keys": [["transfer", transfer, ""]]}
    await life.say(HR, **moved, status="correction_required")
    await life.say(HR, **moved, status="filed", references=[["case_no", "历下劳人仲案〔2026〕第9号"]])
    await life.until_seen("transfer.filed", "case.transferred", "clock.suspended")

    assert_sound(life.seen)


async def test_offers_of_platforms_are_published_soundly(life: Life) -> None:
    now = life.gateway.clock.now()
    referral = {
        "schema_version": "1.0",
        "endpoint": HR,
        "kind": "arbitration_entrusted",
        "task_no": "WP-2026-0001",
        "organization_code": ORGANIZATION,
        "due_at": (now + timedelta(days=3)).isoformat(),
        "case": {"facts": "拖欠工资"},
    }
    await life.say(HR, referral=referral)
    await life.until_seen("referral.offered")
    identifier = await life.matter("referral")
    reply = {"schema_version": "1.0", "answer": "accept", "at": life.gateway.clock.now().isoformat()}
    await life.post(MessageType.REFERRAL_ANSWERED, reply, identifier)
    await life.say(HR, about="referral", keys=[["referral", identifier, ""]], status="recalled")
    await life.say(HR, about="referral", keys=[["referral", identifier, ""]], status="unknown", raw_status="?")
    await life.until_seen("referral.accepted", "referral.recalled", "referral.unknown_status")
    assert_sound(life.seen)


async def test_what_becomes_of_deliveries_is_published_soundly(life: Life) -> None:
    case = await life.case()
    await life.until_seen("delivery.delivered")
    deliveries = await life.house.store.rows("deliveries_of", case)
    held = next(row["id"] for row in deliveries if row["endpoint"] == HR)
    operator = Operator(life.house.store, life.house.bells.committed)
    assert (await operator.pause(OPERATOR, HR, "test")).state == "paused"
    await life.post(
        MessageType.CASE_REVISED, papers.body("wages", {"/source_case_no": "370102-LX001-2026-00001"}), case, 1
    )
    rows = await life.house.store.rows("deliveries_of", case)
    waiting = [row for row in rows if (row["state"], row["endpoint"]) == ("pending", HR)]
    assert (await operator.cancel(OPERATOR, waiting[-1]["id"], "test")).refused is None
    await life.until_seen("delivery.cancelled")
    assert held != waiting[-1]["id"]
    assert not [event for event in life.seen if event["type"] == "endpoint.paused"], "nothing waited there yet"
    assert_sound(life.seen)


async def test_owners_hear_of_a_platform_where_their_deliveries_wait(life: Life) -> None:
    operator = Operator(life.house.store, life.house.bells.committed)
    await operator.pause(OPERATOR, HR, "test")
    await life.case()
    await operator.resume(OPERATOR, HR, "test")
    await life.until_seen("delivery.delivered")
    assert not [event for event in life.seen if event["type"] == "endpoint.paused"], "nothing waited when it was paused"
    puppet = life.house.endpoints[HR].adapter
    assert isinstance(puppet, Puppet)
    puppet.acts["case.submitted"].append(EndpointError("wrong_key"))
    await life.case()
    await life.until_seen("endpoint.paused")
    await operator.resume(OPERATOR, HR, "test")
    await operator.resume(OPERATOR, HR, "again, though it flows")
    await life.until_seen("endpoint.resumed")
    await life.case()
    await life.until_seen("delivery.delivered")
    told = [
        (event["type"], event["subject"], event["data"]["endpoint"])
        for event in life.seen
        if "endpoint." in event["type"]
    ]
    assert told == [("endpoint.resumed", HR, HR), ("endpoint.paused", HR, HR), ("endpoint.resumed", HR, HR)]
    assert_sound(life.seen)


async def test_clocks_ring_soundly(life: Life) -> None:
    case = await life.case()
    await life.agreement(case)
    await life.until_seen("clock.started")
    alarms = Alarms(life.house.store)
    for _ in range(6):
        life.gateway.clock.skip(12 * 86_400)
        while await alarms.turn():
            pass
        life.house.bells.committed()
    await life.until_seen("clock.approaching", "clock.expired")
    assert_sound(life.seen)
