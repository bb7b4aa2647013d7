"""Undisputed facts in words: whole, on a line of their own, with what stays behind in the loss report."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.tables import Losses
from adapters.undisputed import in_words
from contracts.adapter import LossKind
from contracts.case import UndisputedFacts

SAID = "无争议事实（双方于2026-09-29 10:00:05确认）：工资拖欠三个月"


def facts(microsecond: int = 0) -> UndisputedFacts:
    at = datetime(2026, 9, 29, 2, 0, 5, microsecond, tzinfo=UTC)
    return UndisputedFacts(text="工资拖欠三个月", confirmed_at=at)


@pytest.mark.parametrize(("text", "said"), [("未成。", f"未成。\n{SAID}"), (None, SAID), ("", SAID)])
def test_they_stand_behind_the_text(text: str | None, said: str) -> None:
    losses = Losses()
    assert in_words(text, "/note", facts(), losses, "sm") == (said, "/undisputed_facts/text")
    losses.untouched({"note": text, "undisputed_facts": {"text": "x", "confirmed_at": "y"}})
    assert losses.report() == (), "nothing is lost"


def test_without_them_the_text_is_as_it_was() -> None:
    losses = Losses()
    assert in_words("未成。", "/note", None, losses, "sm") == ("未成。", "/note")
    assert in_words(None, "/note", None, losses, "sm") == (None, "/note")
    assert losses.report() == ()


def test_a_fraction_of_a_second_is_told_as_lost() -> None:
    losses = Losses()
    words, _ = in_words(None, "/note", facts(500_000), losses, "sm")
    assert words == SAID
    (loss,) = losses.report()
    assert (loss.kind, loss.pointer, loss.place) == (LossKind.CUT, "/undisputed_facts/confirmed_at", "sm")
