"""The life of a delivery: who may move it from where to where."""

from __future__ import annotations

import pytest

from contracts.deliveries import (
    BARRING_STATES,
    DELIVERY,
    FAILED_STATES,
    MOVES,
    OPEN_STATES,
    TAKEN_STATES,
    YIELDING_STATES,
    DeliveryState,
    Hand,
    may_move,
)

EVERY = frozenset(DeliveryState)


@pytest.mark.parametrize(
    ("after", "before"),
    [
        ("delivered", {"pending", "relayed", "in_doubt", "rejected", "dead", "expired"}),
        ("rejected", {"pending", "relayed", "in_doubt"}),
        ("pending", {"pending", "relayed", "in_doubt"}),
        ("relayed", {"in_doubt"}),
        ("dead", set()),
        ("cancelled", set()),
    ],
)
def test_a_platforms_word_moves_what_is_still_its_own(after: str, before: set[str]) -> None:
    assert {state for state in EVERY if may_move(Hand.WORD, state, after)} == before


@pytest.mark.parametrize(
    ("after", "before"),
    [
        ("pending", {"rejected", "dead", "expired", "in_doubt", "delivered"}),
        ("delivered", {"in_doubt", "dead", "expired"}),
        ("cancelled", {"pending", "rejected", "dead", "expired"}),
        ("superseded", {"rejected", "dead", "expired"}),
    ],
)
def test_a_person_moves_what_is_over_or_in_doubt(after: str, before: set[str]) -> None:
    assert {state for state in EVERY if may_move(Hand.OPERATOR, state, after)} == before


def test_what_a_platform_has_or_may_have_gives_no_way_to_a_newer_version() -> None:
    assert TAKEN_STATES.isdisjoint(YIELDING_STATES)
    assert TAKEN_STATES | YIELDING_STATES | {DeliveryState.SUPERSEDED} == EVERY


def test_what_bars_its_successors_is_over_and_has_not_arrived() -> None:
    assert EVERY - set(OPEN_STATES) - {DeliveryState.DELIVERED} == BARRING_STATES
    assert set(FAILED_STATES) < BARRING_STATES


def test_what_is_superseded_is_left_alone_by_everybody() -> None:
    for hand in Hand:
        assert not any(may_move(hand, "superseded", after) for after in EVERY)
    assert DELIVERY.legal_steps("superseded") == frozenset()


def test_all_moves_together_are_the_lifecycle() -> None:
    for before in EVERY:
        by_hand = {after for moves in MOVES.values() for after, froms in moves.items() if before in froms}
        assert DELIVERY.legal_steps(before) == by_hand - {before}
