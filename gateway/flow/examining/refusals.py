"""What each client was refused, counted in memory and written beside the other figures: its errors by cause (上报方错误率)."""

from __future__ import annotations

from collections import Counter
from typing import Final

from gateway.store.engine import Operation
from gateway.store.store import Store
from gateway.store.tally import HOUR, MINUTE

_REST_S: Final = 2.0
_MOST: Final = 2_000
"""Kinds of refusal between two writes; further ones count as one kind."""


class Refusals:
    """Counts refusals by client and code. A crash loses the last seconds of them: they are figures, not records."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counted: Counter[tuple[str, str]] = Counter()

    def note(self, client: str, code: str) -> None:
        """One more."""
        key = (client, code[:64])
        if key not in self._counted and len(self._counted) >= _MOST:
            key = ("", "more")
        self._counted[key] += 1

    async def turn(self) -> float:
        """Write what was counted; returns how long to rest."""
        if self._counted:
            counted, self._counted = self._counted, Counter()
            await self._store.run(_write, counted, self._store.now_ms())
        return _REST_S


def _write(counted: Counter[tuple[str, str]], now: int) -> Operation[None]:
    yield (
        "add_tally",
        sorted(
            (step, now - now % (step * 1000), f"refused|{client}|{code}", many)
            for (client, code), many in counted.items()
            for step in (MINUTE, HOUR)
        ),
    )
