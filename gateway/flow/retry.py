"""When a delivery is tried again, and when its tries end. Pure: the clock and the dice are handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from random import Random

from gateway.settings import RetrySettings

LONGEST_ASKED_MS = 86_400_000
"""The longest wait that a platform may ask for: one that is longer is not believed."""


def asked_ms(wait: timedelta | None) -> int:
    """The wait that a platform asked for (``Retry-After``), as far as it is believed, in ms; 0 where it asked for none."""
    return 0 if wait is None else min(max(round(wait.total_seconds() * 1000), 0), LONGEST_ASKED_MS)


@dataclass(frozen=True, slots=True)
class Again:
    """Try again in ``wait_ms``; ``step`` is the delivery's new place in its schedule. ``late``: a statutory message that is
    undelivered for so long that a person must know."""

    wait_ms: int
    step: int
    late: bool = False


@dataclass(frozen=True, slots=True)
class Over:
    """No more tries: ``dead``, or ``expired`` at the latest safe time."""

    state: str


def full_jitter(wait_s: float, random: Random) -> int:
    """A wait drawn evenly from (0, ``wait_s``], in ms, never below a tenth of it (a herd that comes back is spread; one that
    comes back at once is none)."""
    return round(1000 * wait_s * max(0.1, random.random()))


def next_look_ms(waits: Sequence[float], tries: int, age_ms: int) -> int | None:
    """The wait (ms) before the next look at a call that was kept ``age_ms`` ago and whose thing is not known after ``tries``
    looks; ``None``: it was looked at as often as is planned, and for as long. Looks beside the plan (it was woken, or its
    process died) make its time no shorter, nor does a gateway that was away."""
    planned = (round(1000 * end) - age_ms for end in accumulate(waits) if round(1000 * end) > age_ms)
    left = [next(planned, None), round(1000 * waits[tries - 1]) if 0 < tries <= len(waits) else None]
    return min((wait for wait in left if wait is not None), default=None)


def after_failure(
    *,
    retry_class: str,
    step: int,
    created_at: int,
    safe_at: int | None,
    now: int,
    settings: RetrySettings,
    random: Random,
    at_least_ms: int = 0,
) -> Again | Over:
    """What follows a failed try (times in ms since 1970).

    A statutory message is tried until its latest safe time, oftener on the last day; one that was made after that time has
    no deadline left to keep and ends like a standard one (``design.md`` §7).
    """
    if retry_class == "statutory" and (safe_at is None or created_at < safe_at):
        return _statutory(step, created_at, safe_at, now, settings, random, at_least_ms)
    waits = {"notify": settings.notify, "handshake": settings.handshake}.get(retry_class, settings.standard)
    if step >= len(waits):
        return Over("dead")
    wait_ms = round(1000 * waits[step]) if retry_class == "handshake" else full_jitter(waits[step], random)
    return Again(max(wait_ms, at_least_ms), step + 1)


def _statutory(
    step: int,
    created_at: int,
    safe_at: int | None,
    now: int,
    settings: RetrySettings,
    random: Random,
    at_least_ms: int,
) -> Again | Over:
    late = now - created_at >= settings.statutory_task_after * 1000
    if safe_at is None:
        if now - created_at >= settings.statutory_without_clock * 1000:
            return Over("dead")
    elif now >= safe_at:
        return Over("expired")
    wait = settings.statutory[min(step, len(settings.statutory) - 1)]
    if safe_at is not None and safe_at - now <= 86_400_000:
        wait = min(wait, settings.statutory_last_day)
    wait_ms = max(full_jitter(wait, random), at_least_ms)
    if safe_at is not None:
        wait_ms = min(wait_ms, max(safe_at - now, 0))
    return Again(wait_ms, step + 1, late)
