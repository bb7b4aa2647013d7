"""A word whose number comes late is applied when it comes, however late."""

from __future__ import annotations

import pytest

from tests.simulation.early_words import GIVEN_UP_S, tell


@pytest.mark.parametrize("away_s", [GIVEN_UP_S / 2, GIVEN_UP_S * 2], ids=["still_waiting", "given_up"])
def test_a_word_that_came_before_its_number_moves_the_case_in_the_end(away_s: float) -> None:
    seen = tell(away_s)
    assert seen.kills == 2
    assert seen.numbers_while_away == 0, "the number was there: this proves nothing"
    assert seen.words_while_away == ["orphan", "orphan"]
    assert seen.tasks_while_away == (["open", "open"] if away_s > GIVEN_UP_S else [])
    assert seen.status == "confirmed"
    assert seen.words == ["applied", "applied"]
    assert seen.tasks == ["resolved"] * len(seen.tasks_while_away)
    assert seen.violations == []
    assert seen.late_s < 3.0, "it was not looked at when its number came"
