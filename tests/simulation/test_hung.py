"""A platform that hangs slows no other, and gets its backlog at the agreed rate."""

from __future__ import annotations

import pytest

from tests.simulation import hung


@pytest.mark.timeout(240)
def test_the_others_do_not_notice_and_the_backlog_is_brought_at_the_agreed_rate() -> None:
    shown = hung.prove(30.0)
    assert shown.holds, (shown.missed, shown.faults, shown.figures)
    assert int(shown.figures["backlog"]) >= 20
