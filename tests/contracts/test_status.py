"""The words of every lifecycle and how they follow each other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import status
from contracts.deliveries import DELIVERY, DeliveryState
from contracts.lifecycle import Lifecycle, Outcome
from contracts.status import (
    CASE,
    CASE_ENDS,
    CONFIRMATION,
    FILED_MOVES_CASE,
    FULFILMENT,
    LIFECYCLES,
    REFERRAL,
    TRANSFER,
    CallbackState,
    CaseStatus,
    ClockState,
    ConfirmationStatus,
    FulfilmentStatus,
    Noun,
    ReferenceKind,
    ReferralStatus,
    TaskKind,
    TransferStatus,
    frees_agreement,
    is_end,
    is_final,
    legal_steps,
    move,
    refuse_upstream,
)
from contracts.titled import Titled

unhurried = settings(deadline=None)
"""The machine may be busy: how long one example takes is not what is tested."""

THEIRS: tuple[Lifecycle[StrEnum], ...] = (CASE, CONFIRMATION, TRANSFER, REFERRAL, FULFILMENT)
START = datetime(2026, 9, 16, 1, 30, tzinfo=UTC)


def words_of(lifecycle: Lifecycle[StrEnum]) -> list[StrEnum]:
    return list(type(lifecycle.start))


# ---------------------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (
            CaseStatus,
            "received correction_required accepted declined mediating agreed partly_agreed failed withdrawn terminated "
            "transferred closed unknown",
        ),
        (
            ConfirmationStatus,
            "requested correction_required accepted not_accepted reviewing confirmed rejected withdrawn "
            "deemed_withdrawn objected unknown",
        ),
        (TransferStatus, "requested correction_required filed refused unknown"),
        (ReferralStatus, "offered accepted declined recalled expired returned unknown"),
        (FulfilmentStatus, "performing partly_performed performed breached unknown"),
        (DeliveryState, "pending relayed delivered rejected dead in_doubt cancelled superseded expired"),
        (CallbackState, "stored applied duplicate orphan unreadable"),
        (ClockState, "running suspended met expired cancelled"),
        (
            TaskKind,
            "in_doubt rejected dead blocked word_overdue statutory_late contradiction possible_duplicate filed_twice "
            "unmapped_code orphan_callback unreadable_callback correction_due supervision report_returned referral_due "
            "alert_unanswered certificate_expiring",
        ),
        (
            ReferenceKind,
            "platform_no case_no document_no task_no letter_no referral_id agreement_id batch_no file_no",
        ),
    ],
)
def test_the_closed_lists_are_those_of_the_page(words: type[Titled], values: str) -> None:
    assert [word.value for word in words] == values.split()


@pytest.mark.parametrize(
    "words",
    [
        Noun,
        CaseStatus,
        ConfirmationStatus,
        TransferStatus,
        ReferralStatus,
        FulfilmentStatus,
        DeliveryState,
        CallbackState,
        ClockState,
        TaskKind,
        ReferenceKind,
    ],
)
def test_every_word_has_a_chinese_and_an_english_title(words: type[Titled]) -> None:
    for word in words:
        assert any("一" <= character <= "鿿" for character in word.zh), word
        assert word.en.isascii()
        assert word.en[0].isupper()
    assert len({word.zh for word in words}) == len(words)


def test_a_word_is_its_value_and_a_foreign_one_is_refused() -> None:
    assert CaseStatus("agreed") is CaseStatus.AGREED
    assert f"case.{CaseStatus.AGREED}" == "case.agreed"
    with pytest.raises(ValueError, match="settled"):
        CaseStatus("settled")


# ---------------------------------------------------------------------------------------------------------------- steps

ENDS = {"agreed", "partly_agreed", "failed", "withdrawn", "terminated"}
AFTER_REVIEW = {"confirmed", "objected", "rejected", "withdrawn", "deemed_withdrawn"}

STEPS: list[tuple[str, str, set[str]]] = [
    ("case", "received", {"correction_required", "accepted", "declined", "mediating"} | ENDS),
    ("case", "correction_required", {"received", "accepted", "declined", "mediating"} | ENDS),
    ("case", "accepted", {"mediating"} | ENDS),
    ("case", "mediating", ENDS),
    ("case", "agreed", {"transferred", "closed"}),
    ("case", "partly_agreed", {"agreed", "failed", "withdrawn", "terminated", "transferred", "closed"}),
    ("case", "failed", {"transferred", "closed"}),
    ("case", "withdrawn", {"transferred", "closed"}),
    ("case", "terminated", {"transferred", "closed"}),
    ("case", "transferred", {"closed"}),
    ("case", "declined", set()),
    ("case", "closed", set()),
    (
        "confirmation",
        "requested",
        {"correction_required", "accepted", "not_accepted", "reviewing"} | AFTER_REVIEW,
    ),
    (
        "confirmation",
        "correction_required",
        {"requested", "accepted", "not_accepted", "reviewing"} | AFTER_REVIEW,
    ),
    ("confirmation", "accepted", {"reviewing"} | AFTER_REVIEW),
    ("confirmation", "reviewing", AFTER_REVIEW),
    ("confirmation", "confirmed", {"objected"}),
    ("confirmation", "rejected", set()),
    ("transfer", "requested", {"correction_required", "filed", "refused"}),
    ("transfer", "correction_required", {"filed", "refused"}),
    ("transfer", "filed", set()),
    ("referral", "offered", {"accepted", "declined", "recalled", "expired"}),
    ("referral", "accepted", {"returned", "recalled"}),
    ("referral", "declined", set()),
    ("fulfilment", "performing", {"partly_performed", "performed", "breached"}),
    ("fulfilment", "partly_performed", {"performed", "breached"}),
    ("fulfilment", "breached", {"partly_performed", "performed"}),
    ("fulfilment", "performed", set()),
    ("delivery", "relayed", {"delivered", "rejected", "pending"}),
    ("delivery", "dead", {"pending", "delivered", "cancelled", "superseded"}),
    ("delivery", "delivered", {"pending"}),
    ("delivery", "cancelled", {"superseded"}),
    ("callback", "orphan", {"applied", "duplicate"}),
    ("clock", "running", {"suspended", "met", "expired", "cancelled"}),
]


@pytest.mark.parametrize(("noun", "current", "following"), STEPS)
def test_the_steps_are_those_of_the_page(noun: str, current: str, following: set[str]) -> None:
    assert legal_steps(noun, current) == following


def test_finals_are_those_of_the_page() -> None:
    finals = {
        noun.value: {word.value for word in words_of(lifecycle) if is_final(noun, word)}
        for noun, lifecycle in LIFECYCLES.items()
    }
    assert finals["case"] == {"declined", "closed"}
    assert finals["confirmation"] == AFTER_REVIEW | {"not_accepted"}
    assert finals["transfer"] == {"filed", "refused"}
    assert finals["referral"] == {"declined", "recalled", "expired", "returned"}
    assert finals["fulfilment"] == {"performed"}
    assert finals["delivery"] == {"superseded"}


def test_only_an_objection_follows_a_final_word() -> None:
    for lifecycle in (*THEIRS, DELIVERY):
        for word in lifecycle.final:
            following = lifecycle.legal_steps(word)
            assert following == ({"objected"} if word is ConfirmationStatus.CONFIRMED else set()), word


def test_every_noun_with_steps_starts_where_a_thing_begins_and_reaches_each_word() -> None:
    for noun, lifecycle in LIFECYCLES.items():
        seen = {lifecycle.start}
        waiting = [lifecycle.start]
        while waiting:
            for following in lifecycle.legal_steps(waiting.pop()) - seen:
                seen.add(following)
                waiting.append(following)
        assert seen == set(words_of(lifecycle)) - {"unknown"}, noun


def test_a_noun_without_steps_and_a_foreign_word_are_refused() -> None:
    with pytest.raises(KeyError):
        legal_steps("task", "opened")
    with pytest.raises(ValueError, match="settled"):
        move("case", "received", "settled")


@pytest.mark.parametrize(
    ("noun", "current", "word", "outcome", "after"),
    [
        ("case", "received", "accepted", "moved", "accepted"),
        ("case", "accepted", "failed", "moved", "failed"),
        ("case", "accepted", "accepted", "repeated", "accepted"),
        ("case", "mediating", "accepted", "backward", "mediating"),
        ("case", "accepted", "declined", "backward", "accepted"),
        ("case", "agreed", "failed", "backward", "agreed"),
        ("case", "partly_agreed", "failed", "moved", "failed"),
        ("case", "mediating", "closed", "early", "mediating"),
        ("case", "received", "transferred", "early", "received"),
        ("case", "closed", "declined", "contradiction", "closed"),
        ("case", "declined", "closed", "contradiction", "declined"),
        ("case", "closed", "failed", "backward", "closed"),
        ("case", "declined", "agreed", "backward", "declined"),
        ("case", "mediating", "unknown", "unknown", "mediating"),
        ("confirmation", "requested", "confirmed", "moved", "confirmed"),
        ("confirmation", "confirmed", "accepted", "backward", "confirmed"),
        ("confirmation", "confirmed", "rejected", "contradiction", "confirmed"),
        ("confirmation", "confirmed", "objected", "moved", "objected"),
        ("confirmation", "objected", "confirmed", "backward", "objected"),
        ("confirmation", "rejected", "objected", "contradiction", "rejected"),
        ("confirmation", "accepted", "not_accepted", "backward", "accepted"),
        ("confirmation", "accepted", "correction_required", "backward", "accepted"),
        ("transfer", "filed", "refused", "contradiction", "filed"),
        ("transfer", "correction_required", "requested", "backward", "correction_required"),
        ("referral", "offered", "returned", "early", "offered"),
        ("referral", "returned", "recalled", "contradiction", "returned"),
        ("referral", "expired", "accepted", "backward", "expired"),
        ("fulfilment", "breached", "performed", "moved", "performed"),
        ("fulfilment", "performed", "breached", "backward", "performed"),
        ("delivery", "superseded", "delivered", "backward", "superseded"),
    ],
)
def test_one_word(noun: str, current: str, word: str, outcome: str, after: str) -> None:
    step = move(noun, current, word)
    assert (step.outcome, step.status) == (outcome, after)


def test_an_unknown_view_takes_the_first_known_word() -> None:
    assert move("case", "unknown", "closed").status == "closed"
    assert not is_final("case", "unknown")


def test_a_late_word_of_a_loop_moves_nothing() -> None:
    hour = timedelta(hours=1)
    asked = CONFIRMATION.move("requested", "correction_required", since=START, at=START + hour)
    again = CONFIRMATION.move(asked.status, "requested", since=asked.since, at=START + 2 * hour)
    late = CONFIRMATION.move(again.status, "correction_required", since=again.since, at=START + hour)
    assert (late.outcome, late.status, late.since) == (Outcome.BACKWARD, "requested", START + 2 * hour)
    newer = CONFIRMATION.move(late.status, "correction_required", since=late.since, at=START + 3 * hour)
    assert newer.outcome is Outcome.MOVED


def test_a_late_demand_does_not_undo_the_version_that_answered_it() -> None:
    """No word leads a transfer back, its sender's new version does: what is older than that moves nothing."""
    hour = timedelta(hours=1)
    late = TRANSFER.move("requested", "correction_required", since=START + 2 * hour, at=START + hour)
    assert (late.outcome, late.status, late.since) == (Outcome.BACKWARD, "requested", START + 2 * hour)
    again = TRANSFER.move("requested", "correction_required", since=START + 2 * hour, at=START + 3 * hour)
    assert (again.outcome, again.status) == (Outcome.MOVED, "correction_required")
    assert TRANSFER.move("requested", "filed", since=START + 2 * hour, at=START + hour).outcome is Outcome.MOVED
    assert TRANSFER.move("requested", "correction_required", at=START).outcome is Outcome.MOVED


LOOPS: list[tuple[Lifecycle[StrEnum], tuple[str, str]]] = [
    (CASE, ("received", "correction_required")),
    (CONFIRMATION, ("requested", "correction_required")),
    (FULFILMENT, ("partly_performed", "breached")),
]


Dated = tuple[str, datetime]


def told(
    lifecycle: Lifecycle[StrEnum], status: StrEnum, words: list[Dated], since: datetime
) -> tuple[StrEnum, datetime | None, set[Outcome]]:
    """The status after words in their order of arrival, as it is kept: early ones are tried again whenever it has moved."""
    early: list[Dated] = []
    kept: datetime | None = since
    outcomes: set[Outcome] = set()
    for word, at in words:
        step = lifecycle.move(status, word, since=kept, at=at)
        status, kept = step.status, step.since
        outcomes.add(step.outcome)
        if step.outcome is Outcome.EARLY:
            early.append((word, at))
        elif step.outcome is Outcome.MOVED:
            for _, further in lifecycle.onward(status, kept, early):
                status, kept = further.status, further.since
    return status, kept, outcomes


@unhurried
@given(st.sampled_from(LOOPS), st.integers(1, 6), st.data())
def test_in_a_loop_the_newest_word_stays_in_whatever_order_they_come(
    loop: tuple[Lifecycle[StrEnum], tuple[str, str]], rounds: int, data: st.DataObject
) -> None:
    lifecycle, words = loop
    dated = [(words[n % 2], START + timedelta(hours=n)) for n in range(rounds + 1)]
    status, since, _ = told(lifecycle, lifecycle.start, data.draw(st.permutations(dated)), START)
    assert (status, since) == dated[-1]


def test_a_word_without_a_time_goes_by_order_of_arrival() -> None:
    assert CASE.move("received", "correction_required", since=START).outcome is Outcome.MOVED


def test_early_words_wait_for_the_stage_between() -> None:
    closed, transferred = ("closed", START + timedelta(hours=3)), ("transferred", START + timedelta(hours=2))
    assert [CASE.move("mediating", word).outcome for word, _ in (closed, transferred)] == 2 * [Outcome.EARLY]
    steps = list(CASE.onward("failed", START, [transferred, closed]))
    assert [word for word, _ in steps] == [transferred, closed], "one leads on to the next"
    assert [(step.status.value, step.since) for _, step in steps] == [transferred, closed]
    assert [word for word, _ in CASE.onward("failed", START, [closed, transferred])] == [closed], "no way leads back"
    assert list(CASE.onward("mediating", START, [closed])) == []


@st.composite
def histories(draw: st.DrawFn) -> tuple[Lifecycle[StrEnum], list[tuple[str, datetime]]]:
    """A legal history: each word an allowed step from the one before, an hour later."""
    lifecycle = draw(st.sampled_from(THEIRS))
    words: list[StrEnum] = [lifecycle.start]
    for _ in range(draw(st.integers(0, 7))):
        following = sorted(lifecycle.legal_steps(words[-1]))
        if not following:
            break
        words.append(draw(st.sampled_from(following)))
    return lifecycle, [(word.value, START + timedelta(hours=hour)) for hour, word in enumerate(words)]


@unhurried
@given(histories(), st.data())
def test_every_order_of_a_legal_history_ends_alike(
    history: tuple[Lifecycle[StrEnum], list[tuple[str, datetime]]], data: st.DataObject
) -> None:
    lifecycle, dated = history
    shuffled = data.draw(st.permutations(dated))
    repeated = [*shuffled, *data.draw(st.lists(st.sampled_from(dated), max_size=5))]
    status, _, outcomes = told(lifecycle, lifecycle.start, repeated, START)
    assert status == dated[-1][0]
    assert Outcome.CONTRADICTION not in outcomes


@unhurried
@given(st.sampled_from(THEIRS), st.data())
def test_nothing_moves_but_by_a_legal_step_and_no_final_word_silently_changes(
    lifecycle: Lifecycle[StrEnum], data: st.DataObject
) -> None:
    current = lifecycle.start
    final: StrEnum | None = None
    for word in data.draw(st.lists(st.sampled_from(words_of(lifecycle)), max_size=12)):
        step = lifecycle.move(current, word)
        if step.outcome is Outcome.MOVED:
            assert step.status == word
            assert word in lifecycle.legal_steps(current)
        else:
            assert step.status == current
        current = step.status
        if final is not None:
            allowed = {final, "objected"} if final == "confirmed" else {final}
            assert current in allowed
            if lifecycle.is_final(word) and word not in (current, "confirmed"):
                assert step.outcome in (Outcome.CONTRADICTION, Outcome.MOVED)
        elif lifecycle.is_final(current):
            final = current


@unhurried
@given(histories())
def test_a_replayed_history_changes_nothing(history: tuple[Lifecycle[StrEnum], list[tuple[str, datetime]]]) -> None:
    lifecycle, dated = history
    status, since, _ = told(lifecycle, lifecycle.start, dated, START)
    assert since is not None
    again, still, outcomes = told(lifecycle, status, dated, since)
    assert (again, still) == (status, since)
    assert Outcome.MOVED not in outcomes


# ------------------------------------------------------------------------------------------------------------- the rest


def test_ends() -> None:
    assert {word.value for word in CaseStatus if is_end(word)} == ENDS
    assert ENDS == CASE_ENDS


def test_a_filed_transfer_moves_ended_cases_alone() -> None:
    assert {"arbitration", "court"} == FILED_MOVES_CASE
    for word in CaseStatus:
        moved = move("case", word, "transferred").outcome is Outcome.MOVED
        assert moved == (is_end(word) or word is CaseStatus.UNKNOWN)


def test_what_frees_an_agreement() -> None:
    freeing = {word.value for word in ConfirmationStatus if frees_agreement(word)}
    assert freeing == {"not_accepted", "rejected", "withdrawn", "deemed_withdrawn"}


@pytest.mark.parametrize(
    ("current", "word", "code"),
    [
        ("received", "accepted", None),
        ("accepted", "failed", None),
        ("mediating", "mediating", None),
        ("closed", "closed", None),
        ("partly_agreed", "agreed", None),
        ("mediating", "closed", "illegal_transition"),
        ("accepted", "declined", "illegal_transition"),
        ("agreed", "failed", "illegal_transition"),
        ("received", "unknown", "illegal_transition"),
        ("unknown", "accepted", None),
        ("closed", "mediating", "case_closed"),
        ("declined", "accepted", "case_closed"),
    ],
)
def test_upstream_is_refused_what_is_no_step(current: str, word: str, code: str | None) -> None:
    refusal = refuse_upstream(current, word)
    assert (refusal.code if refusal else None) == code
    if refusal:
        assert refusal.legal == legal_steps("case", current)


def test_the_noun_functions_and_the_lifecycles_agree() -> None:
    for noun, lifecycle in LIFECYCLES.items():
        for word in words_of(lifecycle):
            assert legal_steps(noun, word) == lifecycle.legal_steps(word)
            assert status.is_final(noun, word) == lifecycle.is_final(word)
