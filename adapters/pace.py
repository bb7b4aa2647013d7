"""The rate that was agreed with a platform that is no HTTP: the engine's own pace is for requests, and sees none of these."""

from __future__ import annotations

import asyncio


class Pace:
    """Filings one after another, so far apart. For one process: others beside it do not know of them."""

    def __init__(self, per_s: float) -> None:
        self._apart_s = 1 / per_s
        self._next = 0.0

    async def turn(self) -> None:
        """Wait until the next filing may go."""
        now = asyncio.get_running_loop().time()
        turn = max(self._next, now)
        self._next = turn + self._apart_s
        await asyncio.sleep(turn - now)
