"""``Blocking`` that tells what was computed off the event loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any


class Aside:
    """Computes on the spot and keeps the names of what it computed."""

    def __init__(self) -> None:
        self.did: list[str] = []

    async def __call__(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        whole = function.func if isinstance(function, partial) else function
        self.did.append(whole.__name__)
        return function(*arguments)
