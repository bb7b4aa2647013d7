"""The AsyncAPI document: every event type once, on the topic it is published to, with the form it has there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from contracts.events import EVENT_NOUNS, EVENT_TYPES, WITHOUT_CURSOR, CloudEvent
from contracts.messages import MessageType
from gateway.bus.asyncapi import document
from gateway.bus.kafka import Cluster
from gateway.flow.moving.order import Order
from gateway.flow.relay import envelopes
from gateway.store import journal
from gateway.web.server import web
from tests.house import Gateways
from tests.seam import documents
from tests.seam.scene import OPERATOR

BASE = "https://gw.example.cn"


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document(
        site="sd", public_base=BASE, prefix="mediation", partitions=12, servers="k1:9093,k2:9093", tls=True, intake=True
    )


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def resolved(whole: dict[str, Any], pointer: str) -> Any:
    found: Any = whole
    for step in pointer.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    found = set(references(described))
    assert len(found) > 50
    for reference in found:
        if reference.startswith("#/"):
            assert resolved(described, reference)
        else:
            assert reference == f"{BASE}/v1/schemas/Case"


def test_every_published_type_is_one_message_of_its_nouns_topic(described: dict[str, Any]) -> None:
    published = set(EVENT_TYPES) - WITHOUT_CURSOR
    topics = {name: channel for name, channel in described["channels"].items() if name in EVENT_NOUNS}
    assert set(topics) == EVENT_NOUNS
    assert sorted(kind for channel in topics.values() for kind in channel["messages"]) == sorted(published)
    cluster = Cluster("x", prefix="mediation")
    for channel in topics.values():
        for kind in channel["messages"]:
            assert cluster.topic_of(kind) == channel["address"]


def test_servers_and_the_intake_stand_where_they_are(described: dict[str, Any]) -> None:
    assert described["servers"] == {
        "broker1": {"host": "k1:9093", "protocol": "kafka-secure"},
        "broker2": {"host": "k2:9093", "protocol": "kafka-secure"},
    }
    assert described["operations"]["intake.take"]["action"] == "receive"
    assert described["channels"]["intake.dead"]["address"] == "mediation.intake.dead"
    plain = document(site="sd", public_base=BASE, prefix="p", partitions=1)
    assert "servers" not in plain
    assert not any(name.startswith("intake") for name in plain["channels"])


def test_names_are_those_that_the_specification_allows(described: dict[str, Any]) -> None:
    assert described["asyncapi"] == "3.0.0"
    for kind in ("messages", "schemas"):
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in described["components"][kind])


async def test_what_is_published_has_the_form_that_is_described(gateway: Gateways, described: dict[str, Any]) -> None:
    house = await gateway({}, start=False)
    await house.intake.take(Order(MessageType.CASE_SUBMITTED, OPERATOR, documents.case()))
    await house.worker._relay.turn()
    events = await house.store.runner.read(journal.after, 0, 100)
    made = await envelopes(house.store, house.publisher, events)
    assert len(made) > 3
    for envelope in made:
        CloudEvent.model_validate(envelope)
        schema = described["components"]["messages"][envelope["type"]]["payload"] | {
            "components": described["components"]
        }
        jsonschema.Draft202012Validator(schema).validate(envelope)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema).validate(envelope | {"name": "张三"})


async def test_it_is_served(gateway: Gateways, tmp_path: Path) -> None:
    house = await gateway({}, start=False)
    transport = httpx.ASGITransport(web(house))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.get("/v1/asyncapi.json")
    assert answer.status_code == 200
    assert set(answer.json()["channels"]) == EVENT_NOUNS
