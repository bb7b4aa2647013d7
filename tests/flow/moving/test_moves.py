"""A delivery's move and its event: one is never without the other, and no hand moves what the table does not let it move."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import orjson
import pytest

from contracts.deliveries import MOVES, DeliveryState, Hand
from contracts.events import EVENT_TYPES
from contracts.messages import HR
from gateway.flow.moving.envelope import INTERNAL
from gateway.flow.moving.moves import move_delivery, told, yields
from gateway.store.ids import Ids
from gateway.store.unit import Unit
from tests.flow.papers import CASE, delivery

IDS = Ids(lambda: 1_795_000_000_000, Random(1).randbytes)


@pytest.mark.parametrize("hand", Hand)
@pytest.mark.parametrize("before", DeliveryState)
@pytest.mark.parametrize("after", DeliveryState)
def test_the_table_alone_moves(hand: Hand, before: DeliveryState, after: DeliveryState) -> None:
    unit, held = Unit(CASE, "SD-JN-LX-001", 1), delivery("dlv_1", HR, "case.submitted", state=before.value, attempts=3)
    if before not in MOVES[hand].get(after, ()):
        with pytest.raises(ValueError, match=f"from {before} to {after}"):
            move_delivery(unit, IDS, hand, held, after.value)
        assert (unit.delivery_moves, unit.events) == ([], [])
        return
    move_delivery(unit, IDS, hand, held, after.value, "E17", reference="37")
    [moved], [event] = unit.delivery_moves, unit.events
    assert (moved.id, moved.endpoint, moved.before, moved.after) == ("dlv_1", HR, before, after)
    assert (moved.code, moved.reference) == ("E17", "37")
    assert (event.type, event.about) == (f"delivery.{after}", "dlv_1")
    assert event.type in EVENT_TYPES.keys() | INTERNAL
    assert orjson.loads(event.data) == {
        "delivery": "dlv_1",
        "message": "msg_dlv_1",
        "endpoint": HR,
        "status": after,
        "state_before": before,
        "attempts": 3,
        "code": "E17",
    }


def test_a_platforms_time_is_told_in_beijing_and_its_code_not_at_length() -> None:
    unit, held = Unit(CASE, "SD-JN-LX-001", 1), delivery("dlv_1", HR, "case.submitted", state="relayed")
    at = datetime(2026, 11, 26, 4, tzinfo=UTC)
    move_delivery(unit, IDS, Hand.WORD, held, "rejected", "x" * 100, at=at)
    facts = orjson.loads(unit.events[0].data)
    assert (facts["at"], facts["code"]) == ("2026-11-26T12:00:00+08:00", "x" * 64)
    assert unit.delivery_moves[0].code == "x" * 100


def test_what_is_absent_is_not_told() -> None:
    event = told(IDS, "dlv_1", "msg_1", HR, "delivered", 1, None)
    assert orjson.loads(event.data).keys() == {"delivery", "message", "endpoint", "status", "attempts"}


def test_one_whose_answer_was_lost_is_settled_first() -> None:
    assert yields(delivery("dlv_1", HR, "case.submitted", state="pending"))
    assert not yields(delivery("dlv_1", HR, "case.submitted", state="pending", doubt_at=1))
    assert not yields(delivery("dlv_1", HR, "case.submitted", state="delivered"))
