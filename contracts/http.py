"""What an adapter wants on the wire, what came back, and the one way out: HTTP drawn once, and work that is none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")


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
    """The one way out, for one attempt (or one poll, look-up, probe). Records every request and reply, every piece of work, as
    a step.

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

    async def perform(
        self, step: str, place: str, work: Callable[[], Awaitable[T]], *, filing: bool = False, in_turn: bool = False
    ) -> T:
        """What ``work`` gives: a transaction in an exchange database (前置机), files in an exchange directory (交换目录).

        ``place`` tells people where it is done; it holds no secret. From the begin of a ``filing`` on the platform may have it,
        unless it fails with an error that says otherwise. ``in_turn``: it waits for its turn at the endpoint's rate, as every
        request does; the first work of a filing asks for it. Never outlives the attempt's deadline:
        ``RetryableError("timeout")``.
        """
        ...
