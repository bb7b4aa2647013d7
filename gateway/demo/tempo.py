"""How quick the demonstration goes: limits and periods of each platform as both sides agree on them here, and its clerk's mind.

A platform that is not named plays at its own page's pace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from contracts.messages import COMMERCE, CONFEDERATION, COURT, HR, NATIONAL, ONE_STOP, UNION
from gateway.demo.cast import HOMES


@dataclass(frozen=True, slots=True)
class Tempo:
    """One platform's: ``mock`` are keys of the mock's configuration, ``endpoint`` of the gateway's settings for it, ``mix`` the
    weights of the clerk's decisions (empty: the mock's own)."""

    mock: Mapping[str, Any] = field(default_factory=dict)
    endpoint: Mapping[str, Any] = field(default_factory=dict)
    mix: Mapping[str, float] = field(default_factory=dict)


_MIX: Final = {"accept": 5, "not_accept": 1, "correct": 4, "confirm": 7, "reject": 2, "deem_withdraw": 0.5}
"""A clerk who shows everything that may become of a confirmation."""

_SOON_S: Final = (0.3, 0.5, *(0.6 for _ in range(120)))
"""Repeats of a callback: all sooner than the clerk's next decision, so that a gateway that was away hears things in order."""

ON_REQUEST: Final = frozenset({COMMERCE, CONFEDERATION, NATIONAL})
"""Platforms that play where they are asked for: each takes some 20 MB, and the demonstration is for small machines."""

TEMPOS: Final[Mapping[str, Tempo]] = {
    HR: Tempo(
        mock={"rate_per_s": 400, "at_once": 32, "callback_waits_s": list(_SOON_S)},
        endpoint={"rate_per_s": 200.0, "at_once": 12},
        mix=_MIX,
    ),
    ONE_STOP: Tempo(
        mock={"rate_per_s": 400, "pull_interval_s": 0.05, "organization_codes": [home.code for home in HOMES]},
        endpoint={"rate_per_s": 200.0, "at_once": 12, "poll_every_s": [0.15, 0.3]},
    ),
    COURT: Tempo(
        mock={
            "rate_per_s": 400,
            "callback_waits_s": list(_SOON_S),
            "index_lag_s": 0.2,
            "court_codes": {home.region_code: home.court_code for home in HOMES},
        },
        endpoint={"rate_per_s": 200.0, "at_once": 12, "lookup_lag_s": 0.5},
        mix=_MIX,
    ),
    UNION: Tempo(
        mock={"rate_per_s": 400, "result_delay_s": 0.3, "callback_waits_s": list(_SOON_S)},
        endpoint={"rate_per_s": 200.0},
    ),
    NATIONAL: Tempo(
        mock={
            "quota_per_minute": 24_000,
            "uploads_per_minute": 6_000,
            "at_once": 32,
            "poll_min_s": 0.05,
            "organizations": [home.code for home in HOMES],
        },
        endpoint={"rate_per_s": 200.0, "at_once": 12, "poll_every_s": [0.15, 0.3]},
    ),
    COMMERCE: Tempo(
        mock={
            "rows_per_minute": 60_000,
            "period_s": 0.3,
            "postpone_s": 0,
            "organizations": [home.code for home in HOMES],
        },
        endpoint={"rate_per_s": 200.0, "poll_every_s": [0.15, 0.3], "postpone_s": 0.3},
        mix={"accept": 7, "note": 1, "nothing": 2},
    ),
    CONFEDERATION: Tempo(
        mock={"batches_per_minute": 60_000, "period_s": 0.3, "organizations": [home.code for home in HOMES]},
        endpoint={"rate_per_s": 200.0, "poll_every_s": [0.15, 0.3]},
        mix={"accept": 7, "nothing": 3},
    ),
}

CLERK_DELAY_MS: Final = 800
"""Least time between two decisions about one matter; longer than the longest repeat of a callback."""

CLERK_JITTER_MS: Final = 600

RETRY: Final[Mapping[str, Any]] = {
    "standard": [0.2, 0.5, 1.0, *(2.0 for _ in range(40))],
    "statutory": [0.2, 0.5, 1.0, 2.0],
    "notify": [0.2, 0.5, 1.0, *(2.0 for _ in range(40))],
    "orphan": [0.2, 0.3, 0.5, 1.0],
    "document": [0.2, 0.5, 1.0, *(2.0 for _ in range(20))],
    "breaker": 0.5,
}
"""The gateway's waits: short, since nothing here is away for hours."""
