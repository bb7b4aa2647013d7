"""Events as others see them: every moment in Beijing time."""

from __future__ import annotations

import json

import pytest

from gateway.flow.moving.envelope import compact


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("2026-10-10T04:00:00+00:00", "2026-10-10T12:00:00+08:00"),
        ("2026-10-10T04:00:00Z", "2026-10-10T12:00:00+08:00"),
        ("2026-10-09T20:30:00.250000-08:00", "2026-10-10T12:30:00.250000+08:00"),
        ("2026-10-10T12:00:00+08:00", "2026-10-10T12:00:00+08:00"),
        ("2026-10-10", "2026-10-10"),
        ("soon", "soon"),
    ],
)
def test_moments_are_told_in_beijing_time(written: str, told: str) -> None:
    facts = {"at": written, "due_at": written, "effective_at": written, "task_no": written, "gone": None}
    assert json.loads(compact(facts)) == {"at": told, "due_at": told, "effective_at": told, "task_no": written}
