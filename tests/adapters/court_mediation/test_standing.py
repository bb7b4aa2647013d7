"""How a filing stands at the court, by the state that its query tells (page §6)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.court_mediation import replies, standing
from adapters.court_mediation.replies import Filed
from contracts.adapter import Json, Wire
from contracts.errors import RetryableError
from contracts.holdings import Holding
from contracts.update import About, Key, KeyKind, Reference
from tests.adapters.court_mediation.platform import Clock, Platform, adapter, answer
from tests.adapters.court_mediation.test_send import _application, _court

NOW = datetime(2026, 10, 12, 2, tzinfo=UTC)
UUID = "6F1C0C5A0B7E4D7C9D0E11AA22BB33CC"
APPLICATION = Wire("dlv_1", "sfqr/add", {"sqbh": "cnf_1"})
TRANSFER = Wire("dlv_1", "transfer/add", {"ysbh": "trf_1"})


def held(wire: Wire, state: str, ah: str = "", total: int = 1) -> Holding:
    return standing.holding(wire, [Filed(UUID, "20261010 12:00", ah, state)], total, NOW)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("0", "requested"),
        ("1", "correction_required"),
        ("2", "accepted"),
        ("3", "not_accepted"),
        ("4", "reviewing"),
        ("5", "confirmed"),
        ("6", "rejected"),
        ("7", "withdrawn"),
        ("8", "deemed_withdrawn"),
        ("9", "objected"),
        ("22", "unknown"),
        ("77", "unknown"),
    ],
)
def test_an_application(state: str, status: str) -> None:
    word = held(APPLICATION, state).word
    assert word is not None
    assert (word.about, word.status, word.raw_status, word.at) == (About.CONFIRMATION, status, state, NOW)
    assert word.keys == (
        Key(KeyKind.DELIVERY, "dlv_1"),
        Key(KeyKind.CONFIRMATION, "cnf_1"),
        Key(KeyKind.REFERENCE, UUID, "platform_no"),
    )
    assert word.event_id == held(APPLICATION, state).word.event_id  # type: ignore[union-attr]  # it is there


@pytest.mark.parametrize(
    ("state", "status"), [("0", "requested"), ("1", "correction_required"), ("22", "filed"), ("23", "refused")]
)
def test_a_transfer(state: str, status: str) -> None:
    word = held(TRANSFER, state).word
    assert word is not None
    assert (word.about, word.status) == (About.TRANSFER, status)
    assert Key(KeyKind.TRANSFER, "trf_1") in word.keys


@pytest.mark.parametrize("operation", ["offline/addOffline", "offline/perform", "sfqr/supplement", "mediator/save"])
def test_what_has_no_state_of_its_own_says_nothing(operation: str) -> None:
    found = held(Wire("dlv_1", operation, {}), "20")
    assert found.word is None
    assert (found.name, found.reference, found.filing) == (UUID, UUID, "dlv_1")


def test_numbers_and_time_come_along() -> None:
    found = held(APPLICATION, "2", "（2026）鲁0102民特1号", total=2)
    assert found.references == (Reference("platform_no", UUID), Reference("case_no", "（2026）鲁0102民特1号"))
    assert found.at == datetime(2026, 10, 10, 4, tzinfo=UTC)
    assert found.filed_twice
    assert held(Wire("dlv_1", "sfqr/supplement", {}), "1").references == (), "a follow-up's number is no thing's own"


def test_a_record_without_its_state_says_nothing() -> None:
    assert held(APPLICATION, "").word is None


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"total": "1", "list": []},
        {"total": "many", "list": [{"uuid": UUID, "tjbh": "dlv_1"}]},
        {"total": "0", "list": [{"uuid": UUID, "tjbh": "dlv_1"}]},
        {"total": "1", "list": [{"uuid": UUID, "tjbh": "dlv_2"}]},
    ],
)
def test_what_does_not_say_how_many_is_no_answer(content: Json) -> None:
    with pytest.raises(RetryableError):
        replies.asked(content, "dlv_1")


async def test_it_is_asked_for_by_the_same_query() -> None:
    platform = Platform()
    court = _court(platform)
    wire = _application()
    receipt = await court.send(wire, platform)
    assert await court.held(wire, platform) is None, "the index lags"
    platform.clock.wait(10)
    found = await court.held(wire, platform)
    assert found is not None
    assert (found.reference, found.filed_twice) == (receipt.reference, False)
    assert platform.path()[-1] == "query/byTjbh"
    platform.script("query/byTjbh", answer("500"))
    with pytest.raises(RetryableError):
        await court.held(wire, platform)
    assert adapter(Clock()).can_be_asked()
