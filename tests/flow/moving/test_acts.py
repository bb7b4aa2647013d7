"""Why an act is not done: every reason that is raised has its row, every row its texts, and none is idle."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gateway
from gateway.flow.moving.acts import REFUSALS, ActRefused
from gateway.flow.moving.order import Refused
from gateway.texts import console_texts, problem_texts

ROOM = Path(gateway.__file__).parent
_RAISED = re.compile(r"""(?:ActRefused|super\(\)\.__init__)\((f?)"([a-z_]+\.[a-z_]+)""")


def raised() -> set[str]:
    """Every reason that the gateway gives; one that is put together stands for all that begin so."""
    found: set[str] = set()
    for file in ROOM.rglob("*.py"):
        for form, why in _RAISED.findall(file.read_text("utf-8")):
            found |= {row for row in REFUSALS if row.startswith(why)} if form else {why}
    return found


def test_every_reason_has_its_row_and_none_is_idle() -> None:
    assert raised() == set(REFUSALS)


@pytest.mark.parametrize("why", sorted(REFUSALS))
def test_a_refusal_is_told_at_every_door(why: str) -> None:
    refusal = ActRefused(why)
    assert str(refusal) == why
    assert isinstance(refusal, Refused)
    assert 400 <= refusal.status < 500
    assert refusal.text in console_texts()
    problem = REFUSALS[why].problem
    assert refusal.code == (problem or why)
    if not why.startswith(("account.", "client.", "correction.", "job.not_understood")):
        assert problem_texts(problem) is not None, "the API does it"
