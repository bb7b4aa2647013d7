"""The intake topic when something goes wrong: every record is answered, none is marked before, and none holds up the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import RebalanceInProgressError

from gateway.bus.asyncapi import document
from gateway.bus.kafka import Cluster, Letter, Writer
from gateway.bus.port import BusUnavailable
from gateway.bus.reader import Reader
from gateway.flow.house import House
from gateway.flow.moving.order import Principal
from gateway.flow.topic import IntakeTopic, Topics
from tests.bus.broken import write_broken
from tests.house import Gateways
from tests.processes.test_broker import ORGANIZATION, Desk, case, standing
from tests.seam.scene import Scene
from tests.servers.kafka import Broker, own_broker

PRINCIPAL = Principal("province", frozenset({ORGANIZATION}), frozenset({"cases:write"}))


@pytest.fixture
def mortal() -> Iterator[Broker]:
    opened = own_broker()
    yield opened
    opened.remove()


@pytest.fixture
async def scene(broker: Broker, tmp_path: Path) -> AsyncIterator[Scene]:
    async with standing(Gateways(tmp_path, broker=broker.address)) as made:
        yield made


class Counter:
    """Takes the topic's cases in, turn by turn."""

    def __init__(self, scene: Scene, house: House, most_bytes: int = 1024 * 1024, silent_s: float = 10.0) -> None:
        self.house = house
        self.desk = Desk(scene.gateway)
        place = Cluster(str(scene.gateway.broker), prefix=scene.gateway.prefix, partitions=2, ack_s=1.0)
        topics = Topics.of(place.prefix)
        self.reader = Reader(place, topics.intake, f"{place.prefix}-intake", silent_s=silent_s)
        self.writer = Writer(place, (topics.receipts, topics.dead), most_bytes)
        self.topic = IntakeTopic(house.intake, PRINCIPAL, self.reader, self.writer, topics, lambda: "now")

    async def until_marked(self, count: int) -> None:
        """Take turns until so many records are marked."""
        async with asyncio.timeout(60):
            while await self.desk.committed() < count:
                await self.topic.turn()

    async def answers(self, count: int) -> tuple[dict[bytes | None, int], set[bytes | None]]:
        """What the receipts say of each key, and whose dead letters there are."""
        receipts = await self.desk.read("receipts", count)
        said = {one.key: orjson.loads(one.value)["status"] for one in receipts}
        dead = await self.desk.read("intake.dead", 1) if any(status != 202 for status in said.values()) else []
        return said, {one.key for one in dead}

    async def write(self, *numbers: int) -> None:
        """Write these cases; number 0 is no case."""
        records: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]] = [
            (b"k%d" % number, case(number) if number else b"{", []) for number in numbers
        ]
        await self.desk.write(*records)


@pytest.fixture
async def counter(scene: Scene) -> AsyncIterator[Counter]:
    made = Counter(scene, await scene.open(start=False))
    await made.reader.next(0.1)
    yield made
    await made.topic.close()


SAID = {b"k0": 400, b"k1": 202, b"k2": 202, b"k3": 202, b"k4": 202, b"k5": 202}


async def test_a_broker_that_freezes_before_the_receipts_gets_them_when_it_is_back(
    mortal: Broker, tmp_path: Path
) -> None:
    async with standing(Gateways(tmp_path, broker=mortal.address)) as scene:
        frozen = asyncio.Event()

        async def freezes(point: str) -> None:
            if point == "stored" and not frozen.is_set():
                frozen.set()
                mortal.pause()

        counter = Counter(scene, await scene.open(start=False, fault_point=freezes))
        await counter.reader.next(0.1)
        await counter.reader.close()
        await counter.write(0, 1, 2, 3)
        while not frozen.is_set():
            assert await counter.topic.turn() == 0
        assert await counter.topic.turn() == 0, "nobody takes the receipts"
        mortal.resume()
        await counter.write(4, 5)
        await counter.until_marked(6)
        assert await counter.answers(6) == (SAID, {b"k0"})
        await counter.topic.close()


@pytest.mark.parametrize("fault", [BusUnavailable("away"), ValueError("unforeseen")], ids=["away", "unforeseen"])
@pytest.mark.parametrize("where", ["write", "mark", "take"])
async def test_what_fails_between_reading_and_marking_is_done_again(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, fault: Exception, where: str
) -> None:
    failed: list[Any] = []
    thing: Any = {"write": counter.writer, "mark": counter.reader, "take": counter.topic}[where]
    name = {"take": "_taken_in"}.get(where, where)
    works = getattr(thing, name)

    async def fails(given: Any) -> Any:
        if not failed:
            failed.append(given)
            raise fault
        return await works(given)

    monkeypatch.setattr(thing, name, fails)
    await counter.write(0, 1, 2)
    while not failed:
        assert await counter.topic.turn() == 0
    await counter.write(3, 4, 5)
    await counter.until_marked(6)
    assert await counter.answers(6) == (SAID, {b"k0"})


async def test_a_mark_that_the_group_refuses_brings_the_records_again(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    await counter.write(0, 1, 2)
    refused: list[Any] = []
    commits = AIOKafkaConsumer.commit

    async def commit(self: AIOKafkaConsumer, places: Any) -> None:
        if not refused:
            refused.append(places)
            raise RebalanceInProgressError
        await commits(self, places)

    monkeypatch.setattr(AIOKafkaConsumer, "commit", commit)
    while not refused:
        await counter.topic.turn()
    await counter.write(3, 4, 5)
    await counter.until_marked(6)
    assert await counter.answers(6) == (SAID, {b"k0"})


async def test_a_record_that_cannot_be_read_is_answered_by_its_place(counter: Counter) -> None:
    await counter.write(1, 2)
    await write_broken(str(counter.desk.address), f"{counter.desk.prefix}.intake", 0, [b"a", b"b"], "lz4 that is none")
    await counter.write(3, 4, 5)
    await counter.until_marked(7)
    receipts = [orjson.loads(one.value) for one in await counter.desk.read("receipts", 7)]
    assert sorted(one["status"] for one in receipts) == [202] * 5 + [400] * 2
    unread = [one for one in receipts if one["status"] == 400]
    assert {(one["code"], one["fault"]) for one in unread} == {("record_unreadable", "DecompressionError")}
    dead = await counter.desk.read("intake.dead", 2)
    places = {f"{one['topic']}/{one['partition']}/{one['offset']}".encode() for one in unread}
    assert {dict(one.headers)["x-dead-origin"] for one in dead} == places
    assert len(places) == 2
    assert not any("sha256" in orjson.loads(one.value) for one in dead), "of what cannot be read nothing is known"
    described = document(site="sd", public_base="https://x", prefix="p", partitions=1, intake=True)["components"]
    for name, told in (("receipt", receipts), ("dead", [orjson.loads(one.value) for one in dead])):
        check = jsonschema.Draft202012Validator(described["messages"][f"intake.{name}"]["payload"])
        assert [error for one in told for error in check.iter_errors(one)] == []


async def test_a_key_that_fills_the_broker_is_answered_by_its_digest(counter: Counter) -> None:
    key = b"K" * 1_048_400  # the largest that the broker takes, nearly: no receipt has room beside it
    await counter.desk.write((b"k1", case(1), []), (key, b"{", []), (b"k2", case(2), []))
    await counter.until_marked(3)
    receipts = await counter.desk.read("receipts", 3)
    (odd,) = [one for one in receipts if one.key not in (b"k1", b"k2")]
    assert odd.key.startswith(b"sha256:")
    assert dict(odd.headers) == {"x-key-bytes": b"1048400"}
    (letter,) = await counter.desk.read("intake.dead", 1)
    assert (letter.key, dict(letter.headers)["x-key-bytes"]) == (odd.key, b"1048400")


async def test_a_receipt_that_is_too_large_loses_its_findings_and_no_other_is_lost(scene: Scene) -> None:
    counter = Counter(scene, await scene.open(start=False), most_bytes=4_000)
    await counter.reader.next(0.1)
    many = orjson.loads(case(3)) | {"claims": [{"type": "none"}] * 300}
    await counter.desk.write((b"k1", case(1), []), (b"k3", orjson.dumps(many), []), (b"k2", case(2), []))
    await counter.until_marked(3)
    said = {one.key: orjson.loads(one.value) for one in await counter.desk.read("receipts", 3)}
    assert {key: one["status"] for key, one in said.items()} == {b"k1": 202, b"k2": 202, b"k3": 422}
    assert {key for key, one in said.items() if one.get("shortened")} == {b"k3"}
    (letter,) = await counter.desk.read("intake.dead", 1)
    assert orjson.loads(letter.value)["shortened"] is True
    await counter.topic.close()


async def test_a_letter_that_never_fits_is_given_up_and_the_others_are_written(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = counter.topic._letters

    def swollen(answered: Any) -> list[Letter]:
        made = letters(answered)
        if answered.record.key != b"k1":
            return made
        said = orjson.loads(made[0].value or b"") | {"id": "x" * 2_000_000}
        return [Letter(made[0].topic, made[0].key, orjson.dumps(said))]

    monkeypatch.setattr(counter.topic, "_letters", swollen)
    await counter.write(0, 1, 2)
    await counter.until_marked(3)
    assert await counter.answers(2) == ({b"k0": 400, b"k2": 202}, {b"k0"})


async def test_how_long_the_topic_has_not_moved_is_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = Counter(scene, await scene.open(start=False), silent_s=0.2)
    assert counter.topic.quiet_s() is None, "it is not read at all"
    await counter.topic.turn()
    await asyncio.sleep(0.5)
    assert (counter.topic.quiet_s() or 0) >= 0.4
    await counter.topic.turn()  # a second without a record: the end is asked for
    assert (counter.topic.quiet_s() or 9) < 0.4, "there is nothing more to read"
    works = counter.writer.write

    async def away(_: Any) -> None:
        raise BusUnavailable("away")

    monkeypatch.setattr(counter.writer, "write", away)
    await counter.write(1)
    for _ in range(3):
        await counter.topic.turn()
    assert (counter.topic.quiet_s() or 0) > 0.9
    monkeypatch.setattr(counter.writer, "write", works)
    await counter.topic.turn()
    assert (counter.topic.quiet_s() or 9) < 0.4
    await counter.topic.close()


async def test_a_house_tells_how_long_its_topic_has_not_moved(scene: Scene) -> None:
    house = await scene.open(kafka=Desk(scene.gateway).settings)
    await asyncio.sleep(0.3)
    assert house.gauges is not None
    told = {family.name for family in house.gauges.collect()}
    assert "gateway_intake_topic_quiet_seconds" in told
