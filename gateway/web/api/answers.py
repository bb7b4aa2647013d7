"""How the API answers: JSON that no cache keeps, times in Beijing time, an act's answer given once under its key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.responses import Response

from contracts.moments import written
from gateway.flow.house import House
from gateway.flow.moving.once import Once, answered


def iso(ms: int | None) -> str | None:
    """A time in ms as RFC 3339 in Beijing time."""
    return None if ms is None else written(ms)


def answer(content: Any, headers: dict[str, str] | None = None, status: int = 200) -> Response:
    """A JSON answer that no cache keeps (it may hold personal data)."""
    return Response(orjson.dumps(content), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


async def once_answered(
    house: House,
    once: Once | None,
    act: Callable[[], Awaitable[str]],
    tell: Callable[[str], Awaitable[dict[str, Any]]],
    status: int = 200,
    home: str | None = None,
) -> Response:
    """The answer to an act that may come under an ``Idempotency-Key``. ``act`` returns the id of what it made or moved,
    ``tell`` what is said of it; ``home``: the address that such things lie below, where one was made."""

    async def told(about: str) -> bytes:
        return orjson.dumps(await tell(about))

    body, repeated = await answered(house.store, once, act, told)
    headers = {"Cache-Control": "no-store"}
    if home is not None:
        headers["Location"] = f"{home}/{orjson.loads(body)['id']}"
    if repeated:
        headers["Idempotency-Replayed"] = "true"
    return Response(body, status, headers, "application/json")
