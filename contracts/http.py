"""HTTP, drawn once: what an adapter wants on the wire, what came back, and the one way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as an adapter wants it on the wire. No personal data in ``url``."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer, or the answer to an inbound call. ``headers`` keep their order and repeats."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first header of that name, without regard to case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


class Exchange(Protocol):
    """The one way out, for one attempt (or one poll, look-up, probe). Records every request and reply as a step.

    ``filing=True`` marks the one request that has the business effect. A failure before it left us raises
    ``RetryableError(maybe_accepted=False)``; after a first byte may have left, a filing's failure raises
    ``RetryableError(maybe_accepted=True)``. Status codes are the adapter's to judge. Never follows redirects, never
    decompresses, never reads more than the endpoint's reply limit (``RetryableError("reply_too_large")``), never outlives
    ``within`` seconds (default: what is left of the attempt's deadline).
    """

    async def call(
        self,
        step: str,
        request: Request,
        *,
        filing: bool = False,
        within: float | None = None,
        limit: int | None = None,
    ) -> Reply: ...
