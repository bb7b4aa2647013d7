"""The verdict over four ledgers: a sound world has no fault, and every fault that is planted is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.demo.client_log import Acknowledged
from gateway.demo.ledgers import (
    ClientLedger,
    Delivery,
    Entry,
    GatewayLedger,
    Matter,
    Message,
    PlatformLedger,
)
from gateway.demo.verdict import Fault, Kind, compare

FILINGS = {"case.submitted": "F1", "case.progressed": "F2", "case.alerted": "F3", "confirmation.requested": "F4"}
STEPS = ("case.submitted", "case.alerted", "case.progressed", "confirmation.requested")


class World:
    """Two cases of one organisation, each told to two platforms, with a confirmation that the first of them decided."""

    def __init__(self) -> None:
        self.client = ClientLedger()
        self.gateway = GatewayLedger()
        self.one = PlatformLedger("one")
        self.two = PlatformLedger("two")
        self.gateway.filings = {name: frozenset({*FILINGS.values(), "F9"}) for name in ("one", "two")}
        for case in ("case_a", "case_b"):
            self._case(case)
        self.gateway.events = {"ORG": [f"evt_{number}" for number in range(4)]}
        self.feed = [(f"{number:04d}", f"evt_{number}", "case_a", f"{number:04d}") for number in range(4)]
        self.client.feeds = {"ORG": self.feed}

    def _case(self, case: str) -> None:
        confirmation = f"cnf_{case}"
        for sequence, kind in enumerate(STEPS, 1):
            about = confirmation if kind == "confirmation.requested" else case
            message = f"msg_{case}_{sequence}"
            self.gateway.messages.append(Message(message, case, sequence, kind, about, 1))
            owed = []
            for platform in (self.one, self.two):
                delivery = Delivery(
                    f"dlv_{platform.name}_{case}_{sequence}",
                    message,
                    kind,
                    about,
                    platform.name,
                    case,
                    sequence,
                    "delivered",
                    FILINGS[kind],
                    kind == "case.alerted",
                )
                self.gateway.deliveries.append(delivery)
                owed.append((delivery.id, platform.name))
                self.arrive(platform, delivery)
            self.client.acknowledged.append(Acknowledged(f"key-{message}", kind, about, tuple(owed)))
        self.one.records[-1] = {**self.one.records[-1], "business_key": confirmation, "state": "confirmed"}
        self.gateway.matters[confirmation] = Matter(confirmation, "confirmation", "confirmed", "arbitration_review")
        self._decision(case, confirmation)

    def _decision(self, case: str, confirmation: str) -> None:
        event = f"EV_{case}"
        self.note(self.one, "push_queued", event, "created")
        self.note(self.one, "push", event, "acknowledged")
        self.gateway.callbacks["one", event] = "applied"
        self.gateway.messages.append(Message(f"msg_{case}_word", case, 9, "status.reported", confirmation, 1))
        told = Delivery(
            f"dlv_two_{case}_word",
            f"msg_{case}_word",
            "status.reported",
            confirmation,
            "two",
            case,
            9,
            "delivered",
            "F9",
        )
        self.gateway.deliveries.append(told)
        self.arrive(self.two, told)

    def arrive(self, platform: PlatformLedger, delivery: Delivery) -> None:
        self.note(platform, delivery.operation or "", delivery.id, "created", delivery.subject)
        platform.records.append({"message_id": delivery.id, "business_key": delivery.subject, "state": "stored"})

    def note(self, platform: PlatformLedger, kind: str, message_id: str, effect: str, key: str = "") -> None:
        platform.journal.append(Entry(len(platform.journal) + 1, kind, key, message_id, effect))

    def delivery(self, identifier: str) -> Delivery:
        return next(delivery for delivery in self.gateway.deliveries if delivery.id == identifier)

    def change(self, identifier: str, **values: object) -> None:
        place = self.gateway.deliveries.index(self.delivery(identifier))
        self.gateway.deliveries[place] = replace(self.gateway.deliveries[place], **values)  # type: ignore[arg-type] # a test's own

    def forget(self, platform: PlatformLedger, message_id: str) -> None:
        platform.journal = [entry for entry in platform.journal if entry.message_id != message_id]
        platform.records = [record for record in platform.records if record["message_id"] != message_id]

    def faults(self) -> list[Fault]:
        return compare(self.client, self.gateway, [self.one, self.two])


def test_a_sound_world_has_no_fault() -> None:
    assert World().faults() == []


DELIVERY = "dlv_one_case_a_3"


def never_arrived(world: World) -> None:
    world.forget(world.one, DELIVERY)


def still_pending(world: World) -> None:
    world.change(DELIVERY, state="pending")
    world.forget(world.one, DELIVERY)


def rejected_and_nobody_told(world: World) -> None:
    world.change(DELIVERY, state="rejected")
    world.forget(world.one, DELIVERY)


def rejected_but_taken(world: World) -> None:
    world.change(DELIVERY, state="rejected")
    world.gateway.rejected = frozenset({DELIVERY})


def superseded_by_nothing(world: World) -> None:
    world.change("dlv_one_case_a_4", state="superseded")
    world.forget(world.one, "dlv_one_case_a_4")


def acknowledged_but_not_stored(world: World) -> None:
    world.client.acknowledged.append(Acknowledged("key-x", "case.progressed", "case_a", ()))


def owed_but_not_stored(world: World) -> None:
    world.client.acknowledged[0] = replace(world.client.acknowledged[0], deliveries=(("dlv_gone", "one"),))


def life_stopped_short(world: World) -> None:
    world.client.broken.append("case 7: 422 missing")


def event_not_in_the_feed(world: World) -> None:
    del world.feed[2]


def callback_never_acknowledged(world: World) -> None:
    world.note(world.one, "push_queued", "EV_x", "created")


def callback_acknowledged_but_not_stored(world: World) -> None:
    del world.gateway.callbacks["one", "EV_case_a"]


def callback_stored_but_orphan(world: World) -> None:
    world.gateway.callbacks["one", "EV_case_a"] = "orphan"


def change_announced_but_not_polled(world: World) -> None:
    world.note(world.two, "change", "000042", "announced")


def another_word_at_the_platform(world: World) -> None:
    place = next(i for i, r in enumerate(world.one.records) if r["business_key"] == "cnf_case_b")
    world.one.records[place] = {**world.one.records[place], "state": "rejected"}


def nobody_told_the_others(world: World) -> None:
    world.gateway.messages = [message for message in world.gateway.messages if message.id != "msg_case_b_word"]
    world.gateway.deliveries = [d for d in world.gateway.deliveries if d.message != "msg_case_b_word"]
    world.forget(world.two, "dlv_two_case_b_word")


def journal_without_record(world: World) -> None:
    world.one.records = [record for record in world.one.records if record["message_id"] != DELIVERY]


def platform_is_gone(world: World) -> None:
    world.two.journal.clear()
    world.two.records.clear()


def two_effects_of_one_delivery(world: World) -> None:
    world.note(world.one, "F2", DELIVERY, "created", "case_a")


def effect_without_a_delivery(world: World) -> None:
    world.note(world.one, "F2", "dlv_nobody_knows", "created", "case_a")


def the_same_case_registered_twice(world: World) -> None:
    second = Delivery("dlv_one_2nd", "msg_2nd", "case.submitted", "case_c", "one", "case_c", 1, "delivered", "F1")
    world.gateway.messages.append(Message("msg_2nd", "case_c", 1, "case.submitted", "case_c", 1))
    world.gateway.deliveries.append(second)
    world.client.acknowledged.append(Acknowledged("key-2nd", "case.submitted", "case_c", (("dlv_one_2nd", "one"),)))
    world.note(world.one, "F1", "dlv_one_2nd", "created", "case_a")
    world.one.records.append({"message_id": "dlv_one_2nd", "business_key": "case_a"})


def two_records_of_one_delivery(world: World) -> None:
    world.one.records.append({"message_id": DELIVERY, "business_key": "case_a"})


def stored_more_than_acknowledged(world: World) -> None:
    world.gateway.messages.append(Message("msg_more", "case_a", 8, "case.progressed", "case_a", 1))


def two_messages_of_one_version(world: World) -> None:
    world.gateway.messages.append(Message("msg_more", "case_a", 8, "case.submitted", "case_a", 1))
    world.client.acknowledged.append(Acknowledged("key-more", "case.submitted", "case_a", ()))


def two_deliveries_of_one_message(world: World) -> None:
    twin = replace(world.delivery(DELIVERY), id="dlv_twin")
    world.gateway.deliveries.append(twin)
    world.arrive(world.one, twin)
    place = next(i for i, e in enumerate(world.one.journal) if e.message_id == DELIVERY)
    world.one.journal.insert(place + 1, world.one.journal.pop())


def event_twice_in_the_feed(world: World) -> None:
    world.feed.append(("0009", "evt_1", "case_a", "0009"))


def upload_twice_under_one_number(world: World) -> None:
    world.note(world.one, "UPLOAD", "F0123", "created")
    world.note(world.one, "UPLOAD", "F0123", "created")


def later_before_earlier(world: World) -> None:
    journal = world.one.journal
    first = next(i for i, e in enumerate(journal) if e.message_id == "dlv_one_case_a_1")
    third = next(i for i, e in enumerate(journal) if e.message_id == DELIVERY)
    journal[first], journal[third] = journal[third], journal[first]


def cursor_went_back(world: World) -> None:
    feed = world.feed
    feed[1], feed[2] = feed[2], feed[1]


def case_sequence_went_back(world: World) -> None:
    feed = world.feed
    feed[3] = (feed[3][0], feed[3][1], "case_a", "0000")


@pytest.mark.parametrize(
    "plant",
    [
        never_arrived,
        still_pending,
        rejected_and_nobody_told,
        rejected_but_taken,
        superseded_by_nothing,
        acknowledged_but_not_stored,
        owed_but_not_stored,
        life_stopped_short,
        event_not_in_the_feed,
        callback_never_acknowledged,
        callback_acknowledged_but_not_stored,
        callback_stored_but_orphan,
        change_announced_but_not_polled,
        another_word_at_the_platform,
        nobody_told_the_others,
        journal_without_record,
        platform_is_gone,
    ],
)
def test_a_loss_is_found(plant: Callable[[World], None]) -> None:
    assert {fault.kind for fault in _after(plant)} == {Kind.LOST}


@pytest.mark.parametrize(
    "plant",
    [
        two_effects_of_one_delivery,
        effect_without_a_delivery,
        the_same_case_registered_twice,
        two_records_of_one_delivery,
        stored_more_than_acknowledged,
        two_messages_of_one_version,
        two_deliveries_of_one_message,
        event_twice_in_the_feed,
        upload_twice_under_one_number,
    ],
)
def test_a_duplicate_is_found(plant: Callable[[World], None]) -> None:
    assert {fault.kind for fault in _after(plant)} == {Kind.DUPLICATED}


@pytest.mark.parametrize("plant", [later_before_earlier, cursor_went_back, case_sequence_went_back])
def test_a_wrong_order_is_found(plant: Callable[[World], None]) -> None:
    assert {fault.kind for fault in _after(plant)} == {Kind.REORDERED}


def _after(plant: Callable[[World], None]) -> list[Fault]:
    world = World()
    plant(world)
    found = world.faults()
    assert found
    return found


def test_a_fault_names_its_place_and_id() -> None:
    fault = _after(never_arrived)[0]
    assert (fault.place, fault.id) == ("one", DELIVERY)
    assert str(fault) == f"lost one {DELIVERY}: called delivered, but the platform has nothing"


def test_an_alert_may_overtake() -> None:
    world = World()
    journal = world.one.journal
    first = next(i for i, e in enumerate(journal) if e.message_id == "dlv_one_case_a_1")
    alert = next(i for i, e in enumerate(journal) if e.message_id == "dlv_one_case_a_2")
    journal[first], journal[alert] = journal[alert], journal[first]
    assert world.faults() == []


@pytest.mark.parametrize(("came_at", "faults"), [(1_000, 0), (9_000, 1)])
def test_one_that_need_not_wait_may_pass_one_that_must(came_at: int, faults: int) -> None:
    world = World()
    later_before_earlier(world)
    world.gateway.deliveries.append(
        Delivery("dlv_word", "msg_word", "case.submitted", "case_a", "two", "case_b", 5, "cancelled", finished_at=2_000)
    )
    world.change("dlv_one_case_a_1", requires="dlv_word")
    place = next(i for i, entry in enumerate(world.one.journal) if entry.message_id == DELIVERY)
    # Its claims died, and a person said that it had arrived: of when it was sent only the platform knows.
    world.one.journal[place] = replace(world.one.journal[place], at=came_at)
    wrong = [fault for fault in world.faults() if fault.kind is Kind.REORDERED]
    assert len(wrong) == faults


def test_a_rejection_that_stands_before_a_person_is_explained() -> None:
    world = World()
    rejected_and_nobody_told(world)
    world.gateway.rejected = frozenset({DELIVERY})
    assert world.faults() == []


def test_a_newer_version_explains_a_superseded_one() -> None:
    world = World()
    superseded_by_nothing(world)
    newer = Delivery(
        "dlv_newer", "msg_newer", "confirmation.requested", "cnf_case_a", "one", "case_a", 10, "delivered", "F4"
    )
    world.gateway.messages.append(Message("msg_newer", "case_a", 10, "confirmation.requested", "cnf_case_a", 2))
    world.gateway.deliveries.append(newer)
    world.client.acknowledged.append(Acknowledged("key-newer", "confirmation.requested", "cnf_case_a", ()))
    world.arrive(world.one, newer)
    assert world.faults() == []


def test_a_repeat_and_a_preparing_step_are_no_effect() -> None:
    world = World()
    world.note(world.one, "F2", DELIVERY, "repeated", "case_a")
    world.note(world.one, "F2", DELIVERY, "refused", "case_a")
    world.note(world.one, "UPLOAD", "F0123", "created")
    assert world.faults() == []


def test_a_platform_may_know_a_delivery_by_its_message() -> None:
    world = World()
    world.one.journal = [
        replace(entry, message_id="msg_case_a_3") if entry.message_id == DELIVERY else entry
        for entry in world.one.journal
    ]
    world.one.records = [
        {**record, "message_id": "msg_case_a_3"} if record["message_id"] == DELIVERY else record
        for record in world.one.records
    ]
    assert world.faults() == []
