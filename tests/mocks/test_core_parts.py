"""Clock, faults and check characters of the mocks."""

import importlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mocks.__main__ import main
from mocks.clock import Clock
from mocks.faults import ACTIONS, Faults
from mocks.numbers import credit_code_check, is_credit_code, is_resident_id, reference, resident_id_check
from mocks.server import PLATFORMS


def test_the_clock_is_beijing_time_and_can_be_moved() -> None:
    clock = Clock()
    told: list[int] = []
    clock.changed.append(lambda: told.append(1))
    assert clock.now().utcoffset() == timedelta(hours=8)
    clock.set(datetime(2026, 9, 30, 9, 5, 3, tzinfo=UTC))
    assert clock.now().strftime("%Y%m%d%H%M%S") in ("20260930170503", "20260930170504")
    clock.shift(-3600)
    assert clock.now().strftime("%H%M") == "1605"
    clock.reset()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)
    assert len(told) == 3
    with pytest.raises(ValueError, match="offset"):
        clock.set(datetime(2026, 9, 30))  # noqa: DTZ001 - the naive time is the point


def test_faults_count_down_and_match_their_operation() -> None:
    faults = Faults()
    faults.add(
        [{"op": "TJ1001", "action": "reset", "times": 2}, {"op": "case.*", "action": "slow"}, {"action": "stall"}]
    )
    assert faults.take("TJ1002", "reset") is None
    assert faults.take("TJ1001", "reset") is not None
    assert faults.take("TJ1001", "reset") is not None
    assert faults.take("TJ1001", "reset") is None
    assert faults.take("casework", "slow") is None
    assert faults.take("case.opened", "slow") is not None
    assert faults.take("anything", "drip") is None
    assert faults.take("anything", "stall", "drip") is not None
    assert faults.pending() == []


def test_standing_faults_stay_until_cleared_or_over() -> None:
    faults = Faults()
    faults.add([{"action": "expire_session"}])
    assert faults.standing("x", "expire_session") is not None
    assert faults.standing("x", "expire_session") is not None
    faults.clear()
    assert faults.standing("x", "expire_session") is None
    faults.add([{"action": "maintenance", "times": 2}])
    assert faults.maintenance("x") is not None
    assert faults.maintenance("x") is not None
    assert faults.maintenance("x") is None
    faults.add([{"action": "maintenance", "after_ms": 60_000}])
    first = faults.maintenance("x")
    assert first is not None
    assert 55 < first[1] <= 60
    assert faults.maintenance("x") is not None


def test_zero_times_is_until_cleared() -> None:
    faults = Faults()
    faults.add([{"action": "http", "status": 503, "times": 0}])
    assert all(faults.take("x", "http") for _ in range(10))
    faults.clear()
    assert faults.take("x", "http") is None


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"op": "*", "action": "explode"}, "unknown action"),
        ({"action": "reset", "tiems": 2}, "unknown key tiems"),
        ({"action": "reset", "times": -1}, "times"),
        ({"action": "reset", "times": True}, "times"),
        ({"action": "http"}, "status"),
        ({"action": "garbage", "kind": "noise"}, "kind"),
        ({"action": "business_error"}, "code"),
        ({"action": "forge_callback"}, "how"),
        ({"op": 3, "action": "reset"}, "op"),
        ("reset", "object"),
    ],
)
def test_wrong_faults_are_named_and_none_is_taken(item: object, text: str) -> None:
    faults = Faults()
    with pytest.raises(ValueError, match=text):
        faults.add([{"action": "reset"}, item])  # type: ignore[list-item] # wrong items are the point
    assert faults.pending() == []


def test_the_catalogue_of_actions_is_the_readme() -> None:
    assert {
        *("refuse", "reset", "stall", "drip", "http", "business_error", "garbage", "accept_then_silent"),
        *("accept_then_reset", "slow", "maintenance", "expire_session", "duplicate_callback"),
        *("reorder_callbacks", "early_callback", "forge_callback"),
    } == ACTIONS


def test_who_looks_for_one_fault_among_others_of_its_action() -> None:
    faults = Faults()
    faults.add([{"action": "http", "status": 500}, {"action": "http", "status": 507}, {"action": "expire_session"}])
    found = faults.take("case", "http", where=lambda fault: fault.status == 507)
    assert found is not None
    assert faults.take("case", "http", where=lambda fault: fault.status == 507) is None
    assert faults.standing("case", "expire_session", where=lambda fault: fault.rotate) is None
    assert [fault["action"] for fault in faults.pending()] == ["http", "expire_session"]


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_mock_keeps_its_configured_values_in_one_room(name: str) -> None:
    room = importlib.import_module(f"mocks.{name}.settings")
    assert callable(room.Settings)
    assert callable(room.fresh)


@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("hr_arbitration.at_once=0.5", "at_once"),
        ('court_mediation.callback_key="a2-secret"', "callback_key"),
        ('union.secret="a2-secret"', "secret"),
        ("webhook.clock_tolerance_s=0.5", "clock_tolerance_s"),
    ],
)
def test_a_setting_of_a_wrong_form_is_named_but_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str, key: str
) -> None:
    name, _, value = setting.partition("=")
    assert main([name.partition(".")[0], "--data", str(tmp_path), "--set", setting]) == 1
    told = capsys.readouterr().err
    assert key in told
    assert value.strip('"') not in told


def test_check_characters() -> None:
    assert resident_id_check("11010519491231002") == "X"  # the example of GB 11643
    assert is_resident_id("11010519491231002X")
    assert not is_resident_id("11010519491231002x")
    assert not is_resident_id("110105194912310021")
    assert not is_resident_id("110105194913310020")
    assert credit_code_check("91350100M000100Y4") == "3"  # the example of GB 32100
    assert is_credit_code("91350100M000100Y43")
    assert not is_credit_code("91350100M000100Y44")
    assert not is_credit_code("91350100I000100Y43")
    assert not is_credit_code("91350100M000100Y4")


def test_references_have_twenty_digits() -> None:
    number = reference("370102", datetime(2026, 9, 30, tzinfo=UTC), 123)
    assert number == "37010220260930000123"
    with pytest.raises(ValueError, match="6 digits"):
        reference("37", datetime(2026, 9, 30, tzinfo=UTC), 1)
