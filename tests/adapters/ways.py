"""Ways to a platform, as the adapters' tests have them: one that carries HTTP alone, one that carries none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from contracts.adapter import Exchange, Reply, Request

T = TypeVar("T")


class HttpAlone:
    """What every ``Exchange`` of a platform that speaks HTTP has in common: nothing else goes this way."""

    async def perform(
        self, step: str, place: str, work: Callable[[], Awaitable[T]], *, filing: bool = False, in_turn: bool = False
    ) -> T:
        """See ``contracts.adapter.Exchange``."""
        raise AssertionError("this platform speaks HTTP alone")


class Performed:
    """An ``Exchange`` whose work is done at once."""

    async def call(
        self,
        step: str,
        request: Request,
        *,
        filing: bool = False,
        within: float | None = None,
        limit: int | None = None,
    ) -> Reply:
        """See ``contracts.adapter.Exchange``."""
        raise AssertionError("nothing of this platform goes by HTTP")

    async def perform(
        self, step: str, place: str, work: Callable[[], Awaitable[T]], *, filing: bool = False, in_turn: bool = False
    ) -> T:
        """See ``contracts.adapter.Exchange``."""
        return await work()


NO_HTTP: Exchange = Performed()
"""For who asks the adapter alone."""


class Recorded(Performed):
    """The same; remembers each piece of work: its step, whether it filed, whether in its turn, and where it was done."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, bool, bool]] = []
        self.places: set[str] = set()

    async def perform(
        self, step: str, place: str, work: Callable[[], Awaitable[T]], *, filing: bool = False, in_turn: bool = False
    ) -> T:
        self.steps.append((step, filing, in_turn))
        self.places.add(place)
        return await super().perform(step, place, work)
