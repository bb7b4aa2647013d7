"""One n-th call of each kind: a kill at a sync, a sync and a write that the disk refuses, a kill while the schema is laid."""

from __future__ import annotations

import sys

import pytest

from tests.faults import syscalls


@pytest.mark.timeout(300)
async def test_what_was_acknowledged_is_on_the_disk_whichever_call_fails() -> None:
    if sys.platform != "linux":
        pytest.skip("calls are hit by strace, which is Linux alone")
    assert syscalls.there(), "strace is not installed (apt-get install strace)"
    shown = await syscalls.prove(4, seed=20)
    assert shown.holds, (shown.faults, shown.missed)


def test_every_call_is_aimed_at_where_all_are_wanted() -> None:
    calls, first = {"fdatasync": 30, "pwrite64": 300}, {"fdatasync": 90}
    every = syscalls.aims(calls, first, None, 0)
    assert [aim.nth for aim in every if (aim.act, aim.fresh) == ("KILL", False)] == list(range(1, 31))
    assert [aim.nth for aim in every if aim.act == "EIO"] == list(range(1, 31))
    assert max(aim.nth for aim in every if aim.act == "ENOSPC") > 290
    assert {aim.nth for aim in every if aim.fresh} <= set(range(1, 61))
    drawn = syscalls.aims(calls, first, 40, 0)
    assert len(drawn) == 40
    assert all(1 <= aim.nth <= (300 if aim.call == "pwrite64" else 60) for aim in drawn)
