"""The memory of idempotency keys (page §3): what was answered under each, for 30 days by client, method and path."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mocks.national_mediation.problems import Problem
from mocks.national_mediation.reading import Json
from mocks.national_mediation.receipts import Receipt

#: Method, path and key; there is one client.
Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Remembered:
    """A first answer: its status, its body without the receipt, and what the receipt says."""

    status: int
    reply: Json
    receipt: Receipt
    business_key: str
    ref: str
    at: datetime


class Memory:
    """What was answered, and what is still being answered."""

    def __init__(self, days: float) -> None:
        self._life = timedelta(days=days)
        self._answers: dict[Place, Remembered] = {}
        self._running: dict[Place, str] = {}

    def recall(self, place: Place, digest: str, now: datetime, retry_s: int) -> Remembered | None:
        """The answer to give again. Raises :class:`Problem` ``IDEMPOTENCY_MISMATCH`` or ``IDEMPOTENCY_IN_PROGRESS``."""
        running = self._running.get(place)
        known = self._answers.get(place)
        if known is not None and running is None and now - known.at > self._life:
            del self._answers[place]
            known = None
        before = running if running is not None else known.receipt.digest if known is not None else digest
        if before != digest:
            raise Problem("IDEMPOTENCY_MISMATCH")
        if running is not None:
            raise Problem("IDEMPOTENCY_IN_PROGRESS", retry_after=str(retry_s))
        return known

    def begin(self, place: Place, digest: str) -> None:
        """A first call under this key is being answered until :meth:`end`."""
        self._running[place] = digest

    def end(self, place: Place) -> None:
        """The answer is on its way, or the call was refused."""
        self._running.pop(place, None)

    def keep(self, place: Place, answer: Remembered) -> None:
        """Remember an answer 200 or 201."""
        self._answers[place] = answer
