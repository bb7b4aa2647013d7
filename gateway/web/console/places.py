"""Where an act belongs: an address that only a form is sent to shows nothing itself; its page lies above it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_ELSEWHERE: Final = {
    "/views": "messages",
    "/jobs/preview": "jobs",
    "/corrections/{id:str}/{act:str}": "jobs",
    "/reconciliations": "waiting",
}
"""Acts that lie below no page of their own."""


class Places:
    """The routes of a console. ``shown``: those at which there is something to read."""

    def __init__(self, shown: Iterable[str]) -> None:
        self._shown = frozenset(shown)

    def acts(self, route: str) -> bool:
        """Whether there is nothing to read at a route's addresses."""
        return route not in self._shown

    def home(self, route: str, path: str) -> str:
        """The place of the page that an address of this route belongs to, itself where it can be read; both without the
        console's root."""
        parts, kept = route.split("/"), path.split("/")
        if route in _ELSEWHERE:
            return _ELSEWHERE[route]
        while len(parts) > 1 and "/".join(parts) not in self._shown:
            parts.pop()
        return "/".join(kept[1 : len(parts)])
