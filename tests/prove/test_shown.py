"""A machine's row: it holds only where something was tried and nothing was wrong."""

from __future__ import annotations

import pytest

from tests.prove.shown import Fault, Shown, Wrong


@pytest.mark.parametrize(
    ("shown", "holds"),
    [
        (Shown("m"), False),
        (Shown("m", tried=1), True),
        (Shown("m", tried=1, missed=["nothing fired"]), False),
        (Shown("m", tried=1, faults=[Fault(Wrong.FALSE, "called delivered")]), False),
    ],
)
def test_a_machine_that_tried_nothing_proves_nothing(shown: Shown, holds: bool) -> None:
    assert shown.holds is holds


def test_faults_are_counted_by_kind_and_say_where() -> None:
    shown = Shown("m", tried=3)
    shown.add([Fault(Wrong.LOST, "a"), Fault(Wrong.DUPLICATED, "b")], "seed 7")
    assert [shown.count(wrong) for wrong in Wrong] == [1, 1, 0, 0]
    assert str(shown.faults[0]) == "lost: seed 7: a"
    shown.figures = {"cases": 2, "neither: lost": 1, "neither: doubled": 0}
    assert shown.told() == ["cases 2", "neither: lost 1, doubled 0"]
    shown.recovered_s = [0.5, 2.0, 1.0]
    assert shown.recovery() == "1.0 / 2.0"
