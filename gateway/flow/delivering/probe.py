"""A probe by hand: one call without business effect that proves a platform's address, key and clock (探测)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from contracts.errors import AdapterError
from gateway.flow.delivering.line import Line

_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Probed:
    """``code`` is why not, ``None`` where all is well; ``took_ms`` the time it took, ``exchanges`` the requests made."""

    code: str | None
    took_ms: int
    exchanges: int


async def probe(line: Line, now_ms: Callable[[], int]) -> Probed:
    """Probe a platform within ten seconds; whatever happens is an answer."""
    started = time.monotonic()
    exchange = line.exchange(now_ms, _WITHIN_S)
    code: str | None = None
    try:
        async with asyncio.timeout(_WITHIN_S):
            await line.endpoint.adapter.probe(exchange)
    except AdapterError as error:
        code = error.code
    except TimeoutError:
        code = "timeout"
    except Exception as error:  # an adapter's fault is told, not raised: the operator asked how the platform stands
        code = f"adapter_failed:{type(error).__name__}"
    return Probed(code, round(1000 * (time.monotonic() - started)), len(exchange.steps))
