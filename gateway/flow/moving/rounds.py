"""Read, decide, commit, and where somebody was quicker all of it again (乐观并发): the one loop of whatever moves a subject.

What is decided holds for the subject as it was read. The store refuses a unit whose subject has moved on since (``Moved``),
or whose delivery is being sent right now (``InFlight``); then the facts are read anew. The rounds are bounded, since under
a crowd each of them may be overtaken: what is said then is the caller's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from gateway.store.unit import InFlight, Moved, Outcome, Unit

FLIGHT_S: Final = 0.1
"""Between two looks at a delivery that is being sent: most land within a few of them."""

ROUNDS: Final = 20
"""Of a person's act: two seconds for a delivery to land."""

Said = TypeVar("Said")


@dataclass(frozen=True, slots=True)
class Round(Generic[Said]):
    """What one look at the facts decides. ``said``: what is answered once ``unit`` is durable; at once, where there is none."""

    said: Said
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class End(Generic[Said]):
    """How it ended. ``outcome``: of the last commit of ``unit``; both ``None``: nothing was to be written."""

    said: Said
    unit: Unit | None = None
    outcome: Outcome | None = None


async def decided(
    decide: Callable[[], Awaitable[Round[Said]]],
    commit: Callable[[Unit], Awaitable[Outcome]],
    *,
    again: Callable[[Outcome], bool] = lambda outcome: isinstance(outcome, Moved | InFlight),
    rounds: int = ROUNDS,
) -> End[Said]:
    """Decide and commit until it stands, or ends in a way that another look would not change. ``again``: outcomes that ask for
    another round; where the rounds are over, the last of them is returned."""
    while True:
        found, rounds = await decide(), rounds - 1
        if found.unit is None:
            return End(found.said)
        outcome = await commit(found.unit)
        if rounds < 1 or not again(outcome):
            return End(found.said, found.unit, outcome)
        if isinstance(outcome, InFlight):
            await asyncio.sleep(FLIGHT_S)


def unlikely(what: str, outcome: Outcome | None) -> TypeError:
    """An end that this unit cannot have: a fault of ours."""
    return TypeError(f"{what} cannot end as {type(outcome).__name__}")
