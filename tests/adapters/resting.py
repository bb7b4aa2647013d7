"""A mock whose reader rests: what is filed stays as it was filed, what a test writes is not written over."""

from __future__ import annotations

import asyncio

from mocks.server import MockServer


class Resting:
    """Holds the turn of a running mock's reader: nothing is read and no heart beats until ``end``."""

    def __init__(self, server: MockServer) -> None:
        turn = getattr(getattr(server.platform, "reader", None), "turn", None)
        if not isinstance(turn, asyncio.Lock):
            raise TypeError("this platform has no reader")
        self._turn = turn

    async def begin(self) -> None:
        """From now on: a run that has begun is ended first."""
        await self._turn.acquire()

    def end(self) -> None:
        """Let it read again, and stop."""
        self._turn.release()
