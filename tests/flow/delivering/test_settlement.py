"""The table of outcomes: what each end of an attempt means for its delivery, its endpoint and the people who must know."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import orjson
import pytest

from contracts.adapter import AdapterSettings, DeliveryClass, Receipt
from contracts.errors import AdapterError, EndpointError, PermanentError, Reason, RetryableError
from contracts.messages import COURT, HR, UNION
from contracts.update import Reference
from gateway.flow.delivering.exchange import Limits
from gateway.flow.delivering.settlement import CUT_OFF, Attempted, Judge
from gateway.flow.retry import LONGEST_ASKED_MS
from gateway.settings import RetrySettings
from gateway.store.ids import Ids
from gateway.store.settlement import Claim, EndpointEffect, Settlement
from tests.flow.puppets import PUPPETS

NOW = 1_795_000_000_000
HOUR = 3_600_000
HOW = Attempted("schedule", 40, 2, b"sealed")
SETTINGS = RetrySettings()
INFO = {
    DeliveryClass.IDEMPOTENT: PUPPETS[HR].info,
    DeliveryClass.QUERYABLE: replace(PUPPETS[COURT].info, lookup_lag=timedelta(seconds=90)),
    DeliveryClass.NEITHER: PUPPETS[UNION].info,
}
CLASSES = list(DeliveryClass)


class Cellar:
    """Keeps what was sealed."""

    def __init__(self) -> None:
        self.sealed: list[tuple[bytes, str]] = []

    def seal(self, plain: bytes, place: str) -> bytes:
        self.sealed.append((plain, place))
        return b"sealed"


@pytest.fixture
def cellar() -> Cellar:
    return Cellar()


@pytest.fixture
def judge(cellar: Cellar) -> Judge:
    return Judge(Ids(lambda: NOW, Random(1).randbytes), cellar.seal, SETTINGS, Random(3))


def claim(**more: Any) -> Claim:
    values: dict[str, Any] = {
        "delivery": "dlv_1",
        "message": "msg_1",
        "type": "case.submitted",
        "about": "case_1",
        "endpoint": "hr",
        "subject": "case_1",
        "sequence": 1,
        "retry_class": "standard",
        "safe_at": None,
        "created_at": NOW,
        "step": 0,
        "crashes": 0,
        "doubt_at": None,
        "wire_sealed": None,
        "tries": 1,
        "token": 9,
        "claimed_at": NOW,
        "lost": 0,
        "organization": "SD-JN-LX-001",
    }
    return Claim(**values | more)


def limits(kind: DeliveryClass) -> Limits:
    return Limits.of(INFO[kind], AdapterSettings())


def failed(
    judge: Judge,
    error: AdapterError,
    kind: DeliveryClass = DeliveryClass.IDEMPOTENT,
    how: Attempted | None = HOW,
    **more: Any,
) -> Settlement:
    return judge.failed(claim(**more), INFO[kind], limits(kind), error, how, NOW)


def kinds(settled: Settlement) -> list[str]:
    return [task.kind for task in settled.tasks]


# ----------------------------------------------------------------------------------------------------------- receipts


def test_a_receipt_is_delivered_with_its_numbers(judge: Judge) -> None:
    receipt = Receipt("37", (Reference("platform_no", "37"), Reference("case_no", "鲁0102（2026）1号")))
    settled = judge.delivered(claim(), limits(CLASSES[0]), receipt, HOW)
    assert (settled.state, settled.reference, settled.code) == ("delivered", "37", None)
    assert [(one.kind, one.value, one.about) for one in settled.references] == [
        ("platform_no", "37", "case_1"),
        ("case_no", "鲁0102（2026）1号", "case_1"),
    ]
    assert settled.references[1].folded == "鲁0102(2026)1号"
    assert [event.type for event in settled.events] == ["delivery.delivered"]
    assert orjson.loads(settled.events[0].data) == {
        "delivery": "dlv_1",
        "message": "msg_1",
        "endpoint": "hr",
        "status": "delivered",
        "attempts": 1,
    }
    assert settled.effect.failed is False
    assert settled.tasks == []
    assert {kind for kind, about, _ in settled.closed_tasks if about == "dlv_1"} >= {
        "in_doubt",
        "statutory_late",
        "blocked",
    }
    assert settled.attempt is not None
    assert (settled.attempt.outcome, settled.attempt.exchanges) == ("delivered", 2)


def test_bytes_that_came_in_are_relayed_until_the_word(judge: Judge) -> None:
    settled = judge.delivered(claim(), limits(CLASSES[2]), Receipt("B1", relayed=True), HOW)
    assert (settled.state, settled.word_wait_ms) == ("relayed", 26 * HOUR)
    assert settled.closed_tasks == []
    assert [event.type for event in settled.events] == ["delivery.relayed"]


def test_filed_twice_is_delivered_and_before_a_person(judge: Judge) -> None:
    settled = judge.delivered(claim(), limits(CLASSES[1]), Receipt("37", filed_twice=True), HOW)
    assert (settled.state, kinds(settled)) == ("delivered", ["filed_twice"])


# --------------------------------------------------------------------------------------------------- time, not accepted


@pytest.mark.parametrize("kind", CLASSES)
def test_what_never_left_is_tried_again_whatever_the_class(judge: Judge, kind: DeliveryClass) -> None:
    settled = failed(judge, RetryableError("unreachable"), kind)
    assert (settled.state, settled.step, settled.doubt_at, settled.code) == ("pending", 1, None, "unreachable")
    assert 0 < settled.wait_ms <= 5000
    assert settled.effect == EndpointEffect(failed=True, breaker_ms=10_000)
    assert settled.events == []
    assert settled.tasks == []


@pytest.mark.parametrize(
    ("asked_s", "quiet_ms"),
    [(30, 30_000), (0, 0), (-5, 0), (86_400, 86_400_000), (10 * 365 * 86_400, LONGEST_ASKED_MS)],
)
def test_retry_after_quiets_the_whole_endpoint_within_bounds(judge: Judge, asked_s: int, quiet_ms: int) -> None:
    settled = failed(judge, RetryableError("http_503", retry_after=timedelta(seconds=asked_s)))
    assert settled.effect.hush_ms == quiet_ms
    assert settled.wait_ms >= quiet_ms


def test_an_earlier_doubt_stays_until_it_is_answered(judge: Judge) -> None:
    settled = failed(judge, RetryableError("unreachable"), DeliveryClass.QUERYABLE, doubt_at=NOW - 500)
    assert settled.doubt_at == NOW - 500


def test_the_end_of_the_schedule_is_dead_and_before_a_person(judge: Judge) -> None:
    settled = failed(judge, RetryableError("unreachable"), step=len(SETTINGS.standard))
    assert (settled.state, kinds(settled)) == ("dead", ["dead"])
    assert [event.type for event in settled.events] == ["delivery.dead"]
    assert orjson.loads(settled.events[0].data)["code"] == "unreachable"


def test_a_late_statutory_one_is_before_a_person_and_goes_on(judge: Judge) -> None:
    settled = failed(
        judge,
        RetryableError("unreachable"),
        retry_class="statutory",
        created_at=NOW - 2 * HOUR,
        safe_at=NOW + 99 * HOUR,
    )
    assert (settled.state, kinds(settled)) == ("pending", ["statutory_late"])


def test_a_statutory_one_ends_at_its_latest_safe_time_and_never_silently(judge: Judge) -> None:
    settled = failed(judge, RetryableError("unreachable"), retry_class="statutory", created_at=NOW - HOUR, safe_at=NOW)
    assert (settled.state, kinds(settled)) == ("expired", ["statutory_late"])
    assert [event.type for event in settled.events] == ["delivery.expired"]


def test_a_fault_of_our_own_before_any_request_is_not_the_endpoints(judge: Judge) -> None:
    settled = failed(judge, RetryableError("translation_failed:KeyError"), how=None)
    assert (settled.state, settled.effect.failed, settled.attempt) == ("pending", None, None)


# -------------------------------------------------------------------------------------------------- the lost answer


def test_maybe_accepted_by_an_idempotent_one_goes_again_under_the_same_id(judge: Judge) -> None:
    settled = failed(judge, RetryableError("timeout", maybe_accepted=True), DeliveryClass.IDEMPOTENT)
    assert (settled.state, settled.step, settled.doubt_at) == ("pending", 1, NOW)
    assert settled.wait_ms <= 5000


def test_maybe_accepted_by_a_queryable_one_is_asked_not_before_its_lag(judge: Judge) -> None:
    settled = failed(judge, RetryableError("timeout", maybe_accepted=True), DeliveryClass.QUERYABLE)
    assert (settled.state, settled.doubt_at) == ("pending", NOW)
    assert settled.wait_ms >= 90_000


def test_maybe_accepted_by_neither_is_in_doubt_and_before_a_person(judge: Judge) -> None:
    settled = failed(judge, RetryableError("timeout", maybe_accepted=True), DeliveryClass.NEITHER)
    assert (settled.state, settled.doubt_at, kinds(settled)) == ("in_doubt", NOW, ["in_doubt"])
    assert settled.effect.failed is True
    assert [event.type for event in settled.events] == ["delivery.in_doubt"]


@pytest.mark.parametrize("kind", CLASSES[:2])
def test_doubt_is_kept_where_the_tries_end(judge: Judge, kind: DeliveryClass) -> None:
    settled = failed(judge, RetryableError("timeout", maybe_accepted=True), kind, step=len(SETTINGS.standard))
    assert (settled.state, settled.doubt_at) == ("dead", NOW)


def test_a_wait_for_the_lag_burns_nothing(judge: Judge) -> None:
    settled = judge.not_yet(claim(step=3, lost=1), 4000, NOW - 100)
    assert (settled.state, settled.step, settled.wait_ms, settled.doubt_at, settled.attempt) == (
        "pending",
        3,
        4000,
        NOW - 100,
        None,
    )
    assert settled.effect == EndpointEffect()


# ------------------------------------------------------------------------------------------------- operator and sender


@pytest.mark.parametrize("kind", CLASSES)
def test_an_operators_problem_pauses_and_burns_no_step(judge: Judge, kind: DeliveryClass) -> None:
    settled = failed(judge, EndpointError("3004", "signature"), kind, step=4, doubt_at=NOW - 9)
    assert (settled.state, settled.step, settled.wait_ms, settled.doubt_at) == ("pending", 4, 0, NOW - 9)
    assert settled.effect == EndpointEffect(pause_reason="3004")
    assert settled.events == []


@pytest.mark.parametrize("kind", CLASSES)
def test_a_refusal_is_final_with_its_reasons_sealed(judge: Judge, cellar: Cellar, kind: DeliveryClass) -> None:
    error = PermanentError("4002", reasons=(Reason("4002", "号码不正确", "BZP000[0].AAC147"), Reason("4001")))
    settled = failed(judge, error, kind)
    assert (settled.state, settled.code, kinds(settled)) == ("rejected", "4002", ["rejected"])
    assert settled.effect.failed is False
    ((plain, place),) = cellar.sealed
    assert place == "deliveries.reasons:dlv_1"
    assert orjson.loads(plain)[0] == {"code": "4002", "place": "BZP000[0].AAC147", "text": "号码不正确"}
    assert settled.reasons_sealed == b"sealed"
    assert "号码" not in settled.events[0].data


def test_a_refusal_by_the_translation_costs_no_attempt(judge: Judge) -> None:
    settled = failed(judge, PermanentError("code_without_row"), how=None)
    assert (settled.state, settled.attempt, settled.effect) == ("rejected", None, EndpointEffect())


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("doubt", [True, False])
def test_a_stop_is_nobodys_failure(judge: Judge, kind: DeliveryClass, doubt: bool) -> None:
    """The next process goes on at once, a question not before the platform's lag; no step is burnt, no breaker is moved."""
    held = claim(step=3, crashes=2, lost=1)
    settled = judge.cut_off(held, INFO[kind], Limits.of(INFO[kind], AdapterSettings()), HOW, NOW, doubt=doubt)
    assert (settled.code, settled.step, settled.effect) == (CUT_OFF, 3, EndpointEffect())
    assert settled.attempt is not None  # what ended with an attempt is no dead claim
    if doubt and kind is DeliveryClass.NEITHER:
        assert (settled.state, kinds(settled)) == ("in_doubt", ["in_doubt"])
        return
    asks = doubt and kind is DeliveryClass.QUERYABLE
    assert (settled.state, settled.wait_ms, kinds(settled)) == ("pending", 90_000 if asks else 0, [])
    assert settled.doubt_at == (NOW if doubt else None)


def test_what_kills_its_sender_is_kept_away_from_it(judge: Judge) -> None:
    settled = judge.quarantined(claim(lost=5), NOW - 5)
    assert (settled.state, settled.code, settled.doubt_at, kinds(settled)) == ("dead", "crash_loop", NOW - 5, ["dead"])


def test_codes_alone_reach_the_event(judge: Judge) -> None:
    for error in (RetryableError("x" * 500, "王建国"), PermanentError("y" * 500, "王建国")):
        settled = failed(judge, error, step=99)
        assert "王建国" not in settled.events[0].data
        assert len(orjson.loads(settled.events[0].data)["code"]) == 64
