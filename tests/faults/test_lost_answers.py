"""Where three in ten answers are lost, nothing that the gateway says is false, and nothing is forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import lost_answers
from tests.faults.lost_answers import CLASSES
from tests.prove.shown import Shown


@pytest.mark.timeout(180)
async def test_no_outcome_is_false_and_none_is_forgotten(tmp_path: Path) -> None:
    shown = Shown("lost answers", 7)
    await lost_answers.one(tmp_path, 12, 7, shown)
    assert shown.holds, (shown.faults, shown.missed)
    for kind in CLASSES.values():
        assert shown.figures[f"{kind}: deliveries"] == 12
        assert int(shown.figures[f"{kind}: answers lost"]) > 0
    assert shown.figures["neither: before a person"] == shown.figures["neither: answers lost"]
    assert shown.figures["idempotent: delivered"] == shown.figures["queryable: delivered"] == 12
