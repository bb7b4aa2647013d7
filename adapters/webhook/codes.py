"""The platform's codes: what the HTTP status of a receiver means, its whole answer (``platforms/webhook.md`` §6). The words of
an event are canonical, so there are no tables to translate."""

from __future__ import annotations

from datetime import timedelta

TAKEN = range(200, 300)
"""Delivered, whatever the body says."""
GONE = 410
"""For good: the subscription is disabled."""
WAITS = frozenset({429, 503})
"""The endpoint waits as long as ``Retry-After`` says."""
BEHIND_A_PROXY = frozenset({502, 504})
"""The receiver itself did not answer: the endpoint waits."""
PROXY_WAIT = timedelta(seconds=5)
"""For so long where nothing says how long: the schedule's first wait."""
