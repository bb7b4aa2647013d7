"""Houses on a broker: cases flow whether it is there or not, events catch up in order, and cases come in from a topic."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from contracts.events import CloudEvent
from contracts.messages import MessageType
from gateway.bus.kafka import Cluster
from gateway.flow.house import House
from gateway.flow.moving.order import Order
from tests.bus.listening import ear_of_topics
from tests.house import Gateways
from tests.seam import documents
from tests.seam.scene import IDS, OPERATOR, Scene, until
from tests.servers.databases import Server, database, execute
from tests.servers.kafka import Broker, own_broker

ORGANIZATION = orjson.loads(documents.case())["organization"]["code"]


@pytest.fixture
def mortal() -> Iterator[Broker]:
    opened = own_broker()
    yield opened
    opened.remove()


@asynccontextmanager
async def standing(houses: Gateways) -> AsyncIterator[Scene]:
    scene = Scene(houses)
    await scene.stand(IDS)
    try:
        yield scene
    finally:
        await houses.close()
        await scene.end()


async def post(house: House, number: int) -> str:
    raw = documents.case(f"370102-LX001-2026-{number:05}")
    return (await house.intake.take(Order(MessageType.CASE_SUBMITTED, OPERATOR, raw))).about


async def published(house: House, cases: list[str]) -> set[str]:
    """Wait until these cases are delivered and all of it is on the broker; returns the ids of their events."""
    broker = house.broker
    assert broker is not None
    events: set[str] = set()

    async def done() -> bool:
        events.clear()
        for case in cases:
            rows = await house.store.rows("events_of", case)
            if "delivery.delivered" not in {row["type"] for row in rows} or any(
                row["position"] is None for row in rows
            ):
                return False
            events.update(row["id"] for row in rows)
        return await broker.waiting() == 0

    await until(done, "everything is published", 30)
    return events


def place_of(houses: Gateways) -> Cluster:
    assert houses.broker is not None
    return Cluster(houses.broker, prefix=houses.prefix)


async def test_events_reach_their_topics_as_they_are_described(broker: Broker, tmp_path: Path) -> None:
    async with standing(Gateways(tmp_path, broker=broker.address)) as scene:
        house = await scene.open()
        case = await post(house, 1)
        events = await published(house, [case])
        async with ear_of_topics(place_of(scene.gateway)) as ear:
            heard = await ear.until(len(events))
    assert heard.ids >= events
    assert {one["type"] for one in heard.envelopes} >= {"case.received", "case.accepted", "delivery.delivered"}
    for envelope in heard.envelopes:
        assert CloudEvent.model_validate(envelope).partitionkey == case


async def test_a_broker_away_holds_nothing_up_and_misses_nothing(mortal: Broker, tmp_path: Path) -> None:
    async with standing(Gateways(tmp_path, broker=mortal.address)) as scene:
        house = await scene.open()
        cases = [await post(house, number) for number in range(3)]
        await published(house, cases)
        await asyncio.to_thread(mortal.written)
        mortal.kill()
        cases += [await post(house, number) for number in range(3, 20)]
        for case in cases:
            await scene.reaches("delivered", case, IDS)
        assert house.broker is not None
        assert await house.broker.waiting() > 0
        assert house.worker.stuck() == []
        mortal.start()
        events = await published(house, cases)
        async with ear_of_topics(place_of(scene.gateway)) as ear:
            heard = await ear.until(len(events))
    assert heard.ids >= events
    assert heard.in_order()
    assert heard.whole().keys() == set(cases)


async def test_two_processes_share_one_mark(broker: Broker, postgres: Server, tmp_path: Path) -> None:
    """Only the holder publishes; when it leaves, the other goes on where it stopped."""
    async with (
        database(postgres, virtual=True) as dsn,
        standing(Gateways(tmp_path, dsn, broker.address)) as scene,
    ):
        first = await scene.open()
        cases = [await post(first, number) for number in range(5)]
        await published(first, cases)
        second = await scene.open()
        cases += [await post(second, number) for number in range(5, 10)]
        await published(second, cases)
        scene.gateway._open.remove(first)
        await first.close()
        cases += [await post(second, number) for number in range(10, 15)]
        events = await published(second, cases)
        async with ear_of_topics(place_of(scene.gateway)) as ear:
            heard = await ear.until(len(events))
            await ear.step()
    assert heard.ids >= events
    assert len(heard.envelopes) == len(heard.ids), "nothing was published twice"
    assert heard.in_order()
    assert heard.whole().keys() == set(cases)


async def test_the_mark_of_a_dead_process_is_taken_over_when_its_lease_is_over(
    broker: Broker, postgres: Server, tmp_path: Path
) -> None:
    async with (
        database(postgres, virtual=True) as dsn,
        standing(Gateways(tmp_path, dsn, broker.address)) as scene,
    ):
        first = await scene.open()
        cases = [await post(first, number) for number in range(3)]
        await published(first, cases)
        assert first.broker is not None
        first.leaving = [first.broker._bus.close]  # it takes no leave of the mark
        await scene.gateway.abandon(first)
        # Abandoning ends every lease, since no test but this one would wait for it.
        held_until = scene.gateway.clock.ms() + 60_000
        await execute(dsn, f"UPDATE marks SET token = 1, lease_until = {held_until} WHERE consumer = 'broker'")  # noqa: S608 -- a number
        second = await scene.open()
        cases += [await post(second, number) for number in range(3, 6)]
        for case in cases:
            await scene.reaches("delivered", case, IDS)
        assert second.broker is not None
        assert await second.broker.turn() == 0
        assert await second.broker.waiting() > 0
        scene.gateway.clock.skip(61)
        await published(second, cases)


# ---- cases from a topic


class Desk:
    """An upstream of provincial size: writes cases to the topic, reads receipts and dead letters."""

    def __init__(self, houses: Gateways) -> None:
        self.address = houses.broker
        self.prefix = houses.prefix
        self.settings = {
            "prefix": houses.prefix,
            "partitions": 2,
            "intake": {"client": "province", "organizations": [ORGANIZATION]},
        }

    async def write(self, *records: tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]) -> None:
        """Write records: key, value, headers."""
        producer = AIOKafkaProducer(bootstrap_servers=self.address, acks="all")
        await producer.start()
        try:
            for key, value, headers in records:
                await producer.send_and_wait(f"{self.prefix}.intake", value, key=key, headers=headers)
        finally:
            await producer.stop()

    async def read(self, topic: str, count: int, *, extra_s: float = 0.3) -> list[Any]:
        """The records of a topic, once so many have come; and what comes shortly after."""
        consumer = AIOKafkaConsumer(
            f"{self.prefix}.{topic}", bootstrap_servers=self.address, auto_offset_reset="earliest"
        )
        await consumer.start()
        found: list[Any] = []
        try:
            async with asyncio.timeout(20):
                while len(found) < count:
                    for records in (await consumer.getmany(timeout_ms=100)).values():
                        found += records
            for records in (await consumer.getmany(timeout_ms=round(1000 * extra_s))).values():
                found += records
        finally:
            await consumer.stop()
        return sorted(found, key=lambda one: (one.key or b"", one.offset))

    async def committed(self) -> int:
        """How far the group has come, over all partitions."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.address, group_id=f"{self.prefix}-intake", enable_auto_commit=False
        )
        await consumer.start()
        try:
            places = [TopicPartition(f"{self.prefix}.intake", number) for number in range(2)]
            return sum([await consumer.committed(place) or 0 for place in places])
        finally:
            await consumer.stop()


def case(number: int, **changes: Any) -> bytes:
    return documents.case(f"370102-LX001-2026-{number:05}", **changes)


async def test_cases_come_in_from_a_topic_by_the_same_checks(broker: Broker, tmp_path: Path) -> None:
    async with standing(Gateways(tmp_path, broker=broker.address)) as scene:
        desk = Desk(scene.gateway)
        house = await scene.open(kafka=desk.settings)
        stranger = orjson.loads(case(4))
        stranger["organization"]["code"] = "SD-QD-XX-999"
        await desk.write(
            (b"k1", case(1), []),
            (b"k2", b"{", [("trace", b"t-1")]),
            (b"k3", case(3, claims=[]), []),
            (b"k4", orjson.dumps(stranger), []),
            (b"k5", case(1), []),
            (b"k6", case(1, facts="另一份内容"), []),
            (b"k7", None, []),
            (None, case(8), [("idempotency-key", b"mine-8")]),
            (b"k9", case(9), [("idempotency-key", b"not a key")]),
        )
        receipts = await desk.read("receipts", 9)
        dead = await desk.read("intake.dead", 6)

        async def marked() -> bool:
            return await desk.committed() == 9

        await until(marked, "the records are marked")
        listed = await house.store.rows("list_matters", "case", "[]", True, "", "", 0, "", 100)
    said = {one.key: orjson.loads(one.value) for one in receipts}
    assert {key: one["status"] for key, one in said.items()} == {
        b"k1": 202,
        b"k2": 400,
        b"k3": 422,
        b"k4": 403,
        b"k5": 202,
        b"k6": 409,
        b"k7": 400,
        None: 202,
        b"k9": 400,
    }
    assert said[b"k1"]["result"]["id"] == said[b"k5"]["result"]["id"]
    assert {said[b"k1"]["replayed"], said[b"k5"]["replayed"]} == {True, False}
    assert said[b"k3"]["errors"][0]["pointer"] == "/claims"
    assert len(listed) == 2
    letters = {one.key: one for one in dead}
    assert set(letters) == {b"k2", b"k3", b"k4", b"k6", b"k7", b"k9"}
    refused = case(3, claims=[])
    told = orjson.loads(letters[b"k3"].value)
    assert (told["bytes"], told["sha256"]) == (len(refused), hashlib.sha256(refused).hexdigest())
    assert (told["status"], told["errors"]) == (422, said[b"k3"]["errors"])
    headers = dict(letters[b"k2"].headers)
    assert headers["x-dead-code"] == b"json_invalid"
    assert headers["x-dead-origin"].startswith(f"{desk.prefix}.intake/".encode())
    people = [party["name"].encode() for party in orjson.loads(refused)["parties"]]
    assert not [name for name in people for letter in dead if name in letter.value], "nobody is named in a dead letter"


async def test_records_that_were_read_but_not_marked_are_read_again_and_change_nothing(
    broker: Broker, tmp_path: Path
) -> None:
    async with standing(Gateways(tmp_path, broker=broker.address)) as scene:
        desk = Desk(scene.gateway)
        died = asyncio.Event()

        async def dies(point: str) -> None:
            if point == "stored" and not died.is_set():
                died.set()
                await asyncio.Event().wait()

        await scene.open(kafka=desk.settings, fault_point=dies)
        await asyncio.sleep(0.3)
        await desk.write(*((f"k{number}".encode(), case(number), []) for number in range(20)))
        await asyncio.wait_for(died.wait(), 20)
        await scene.gateway.abandon(scene.house)
        house = await scene.open(kafka=desk.settings)
        receipts = await desk.read("receipts", 20)
        listed = await house.store.rows("list_matters", "case", "[]", True, "", "", 0, "", 100)

        async def marked() -> bool:
            return await desk.committed() == 20

        await until(marked, "the records are marked")
    assert len(listed) == 20
    assert {orjson.loads(one.value)["status"] for one in receipts} == {202}
    assert {one.key for one in receipts} == {f"k{number}".encode() for number in range(20)}
    assert any(orjson.loads(one.value)["replayed"] for one in receipts), "the fault did not come"
