"""The platform's heartbeat and folders as a probe sees them (page §5, §6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from adapters.beijing import SECONDS
from adapters.enterprise_confederation.layout import HEARTBEAT
from adapters.enterprise_confederation.medium import Medium, Unsound
from adapters.http import LONGEST_WAIT, NotJson, read_json_object
from contracts.errors import EndpointError, RetryableError

_LIMIT = 16 * 1024
_CLOCK = timedelta(seconds=120)
_STOPPED_AFTER = 10
"""Periods without a beat after which the reader does not run."""
_LONGEST_PERIOD = 86_400


@dataclass(frozen=True, slots=True)
class Beat:
    """What ``heartbeat.json`` says."""

    at: datetime | None
    state: str
    until: datetime | None
    period: timedelta


async def beat_of(medium: Medium, period: timedelta) -> Beat | None:
    """The heartbeat; ``None`` where there is none that can be read."""
    try:
        data = await medium.read(HEARTBEAT, _LIMIT)
        found = {} if data is None else read_json_object(data, limit=_LIMIT, depth=3)
    except (Unsound, NotJson):
        return None
    if not found:
        return None
    told = found.get("period_s")
    if isinstance(told, int | Decimal) and not isinstance(told, bool) and 0 < told <= _LONGEST_PERIOD:
        period = timedelta(seconds=float(told))
    return Beat(_moment(found.get("at")), str(found.get("state")), _moment(found.get("until")), period)


def _moment(text: object) -> datetime | None:
    try:
        return SECONDS.read(text) if isinstance(text, str) else None
    except ValueError:
        return None


async def maintenance(medium: Medium, now: datetime, period: timedelta) -> RetryableError | None:
    """The error of a reader in ``MAINT``; ``None`` where it runs, or the end that it told is past."""
    beat = await beat_of(medium, period)
    if beat is None or beat.state != "MAINT":
        return None
    left = beat.period if beat.until is None else beat.until - now
    if left <= timedelta(0):
        return None
    return RetryableError("MAINTENANCE", "the platform is being maintained", retry_after=min(left, LONGEST_WAIT))


async def look(medium: Medium, now: datetime, period: timedelta) -> None:
    """Folders and rights are there, the reader runs, and its clock is ours.

    Raises:
        EndpointError: ``folder_missing``, ``share_right_missing``, ``reader_missing``, ``reader_stopped`` (no beat for ten
            periods), ``clock``.
        RetryableError: the share is gone; ``MAINTENANCE``, with what is left of it.
    """
    await medium.stands()
    await medium.permitted()
    beat = await beat_of(medium, period)
    if beat is None or beat.at is None:
        raise EndpointError("reader_missing", "the platform's reader has no heartbeat here")
    if (waits := await maintenance(medium, now, period)) is not None:
        raise waits
    age = now - beat.at
    if age > _STOPPED_AFTER * beat.period:
        raise EndpointError("reader_stopped", "the platform's reader has not run for ten periods")
    if abs(age) > _CLOCK + beat.period:
        raise EndpointError("clock", "the platform's clock and ours differ, or its reader is late")
