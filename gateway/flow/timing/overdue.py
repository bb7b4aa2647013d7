"""What was due and is not done (逾期): periods of an organisation or a body that ran out while their matter waits still.

A period that is over stays over; whether its matter waits still is what the matter's status says: the words that would have met
the period tell when it no longer does. Periods that bind the parties alone are lost, not overdue.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from contracts.status import LIFECYCLES, Noun
from contracts.statutes import packaged_rulebook
from gateway.store.engine import Row

LOOKED_BACK: Final = timedelta(days=400)
"""How long ago a period may have ended to be looked for."""

_PARTIES_OWN: Final = frozenset({"D04", "D07", "D09", "D13", "D26", "D26-performance"})
"""Time to apply, to object, to perform: of those whose time it was."""
_NEVER_TOLD: Final = frozenset({"D11", "D17"})
"""Nobody tells that they were kept (支付令, 裁决)."""


def since(day: date) -> str:
    """The first last day that is looked at, ISO 8601."""
    return (day - LOOKED_BACK).isoformat()


def still(rows: Sequence[Row]) -> list[Row]:
    """Of clocks that are over, each with its matter's ``kind`` and ``status``, those whose matter waits still; newest first."""
    return [row for row in rows if waits(row["rule"], row["kind"], row["status"])]


@lru_cache(maxsize=1024)
def waits(rule: str, kind: str, status: str) -> bool:
    """Whether a matter of this kind and status waits still for what the rule's period was given for."""
    if rule in _PARTIES_OWN or rule in _NEVER_TOLD:
        return False
    answered = {
        event for found in packaged_rulebook().rules if found.id == rule for turn in found.turn for event in turn.on
    }
    try:
        final = LIFECYCLES[Noun(kind)].is_final(status)
    except (KeyError, ValueError):  # it has no steps
        final = False
    return not final and f"{kind}.{status}" not in answered
