"""Read, decide, commit: over again while somebody else was quicker, and never for ever."""

from __future__ import annotations

import pytest

from gateway.flow.moving import rounds
from gateway.flow.moving.rounds import Round, decided
from gateway.store.unit import Committed, InFlight, MatterConflict, Moved, Outcome, Unit


class Crowd:
    """A store that answers with these outcomes, one a round."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.looks = 0

    async def decide(self) -> Round[str]:
        self.looks += 1
        return Round(f"look {self.looks}", Unit("case_1", "SD-JN-LX-001", self.looks))

    async def commit(self, unit: Unit) -> Outcome:
        assert unit.expected == self.looks, "what was decided on older facts is not committed"
        return self.outcomes.pop(0)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "FLIGHT_S", 0)


async def test_it_is_read_again_until_nobody_was_quicker() -> None:
    crowd = Crowd(Moved(), InFlight(), Committed(4))
    ended = await decided(crowd.decide, crowd.commit)
    assert (ended.said, ended.outcome, crowd.looks) == ("look 3", Committed(4), 3)
    assert ended.unit is not None
    assert ended.unit.expected == 3


async def test_what_another_look_would_not_change_ends_it() -> None:
    crowd = Crowd(MatterConflict("case", "case_2"), Committed(4))
    ended = await decided(crowd.decide, crowd.commit)
    assert (ended.outcome, crowd.looks) == (MatterConflict("case", "case_2"), 1)


async def test_a_crowd_does_not_hold_it_for_ever() -> None:
    crowd = Crowd(Moved(), Moved(), InFlight(), Committed(4))
    ended = await decided(crowd.decide, crowd.commit, rounds=3)
    assert (ended.said, ended.outcome, crowd.looks) == ("look 3", InFlight(), 3)


async def test_who_may_not_wait_is_told_at_once() -> None:
    crowd = Crowd(InFlight(), Committed(4))
    ended = await decided(crowd.decide, crowd.commit, again=lambda outcome: isinstance(outcome, Moved))
    assert (ended.outcome, crowd.looks) == (InFlight(), 1)


async def test_where_nothing_is_to_be_written_nothing_is() -> None:
    async def decide() -> Round[str]:
        return Round("as it was")

    ended = await decided(decide, Crowd().commit)
    assert (ended.said, ended.unit, ended.outcome) == ("as it was", None, None)
