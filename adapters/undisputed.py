"""Undisputed facts (无争议事实) in words: no platform has a field of its own for them, each has a text that takes them."""

from __future__ import annotations

from adapters.beijing import local
from adapters.tables import Losses
from contracts.case import UndisputedFacts

_AT = "/undisputed_facts"


def in_words(
    text: str | None, pointer: str, facts: UndisputedFacts | None, losses: Losses, place: str
) -> tuple[str | None, str]:
    """The text, and on a line of its own behind it what both sides confirmed and when; and the pointer under which a loss of
    the whole is reported. A fraction of a second stays behind (loss report)."""
    if facts is None:
        return text, pointer
    losses.carried(pointer)
    losses.carried(f"{_AT}/text")
    at = local(facts.confirmed_at)
    if at.microsecond:
        losses.cut(f"{_AT}/confirmed_at", place, "the fraction of a second")
    else:
        losses.carried(f"{_AT}/confirmed_at")
    said = f"无争议事实（双方于{at:%Y-%m-%d %H:%M:%S}确认）：{facts.text}"
    return (f"{text}\n{said}" if text else said), f"{_AT}/text"
