"""What is asked by GET (page §3, §6): look-ups, and the two lists with their cursors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from multidict import MultiMapping

from mocks.faults import Faults
from mocks.national_mediation import moments
from mocks.national_mediation.feed import Feed, Repeats
from mocks.national_mediation.problems import Finding, Problem, refused
from mocks.national_mediation.reading import Json
from mocks.national_mediation.settings import Settings

_CURSOR_LIMIT: Final = 256
_REPEATS: Final = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """A page that was asked for: from ``position``, at most ``size`` items."""

    position: int
    size: int


def query_of(query: MultiMapping[str], known: Sequence[str], needed: Sequence[str] = ()) -> dict[str, str]:
    """The parameters, each once and not empty. Raises :class:`Problem` ``VALIDATION_FAILED``."""
    findings = [Finding("?", "FIELD_UNKNOWN")] if set(query) - set(known) else []
    for name in known:
        values = query.getall(name, [])
        if len(values) > 1 or "" in values:
            findings.append(Finding(name, "FORMAT"))
        elif not values and name in needed:
            findings.append(Finding(name, "FIELD_MISSING"))
    if findings:
        raise refused(*findings)
    return dict(query)


class Pages:
    """Reads one list: ``op`` is the name of its poll, ``show`` renders an item as it stands now."""

    def __init__(
        self, op: str, feed: Feed, settings: Settings, faults: Faults, show: Callable[[Json], Json] = lambda item: item
    ) -> None:
        self._op = op
        self.feed = feed
        self._settings = settings
        self._faults = faults
        self._show = show
        self._repeats = Repeats()

    def asked(self, query: MultiMapping[str], now: datetime) -> Asked:
        """The page of a query: ``cursor`` or, for the first poll, ``since``; ``limit``. Raises :class:`Problem`."""
        found = query_of(query, ("cursor", "since", "limit"))
        limit, cursor, since = found.get("limit", ""), found.get("cursor"), found.get("since")
        findings: list[Finding] = []
        size = int(limit) if limit.isascii() and limit.isdigit() and len(limit) < 6 else 0
        if "limit" in found and not 1 <= size <= self._settings.page_limit:
            findings.append(Finding("limit", "FORMAT"))
        if cursor is None and since is None:
            findings.append(Finding("cursor", "FIELD_MISSING"))
        if cursor is not None and since is not None:
            findings.append(Finding("since", "FIELD_UNKNOWN"))
        if cursor is not None and len(cursor) > _CURSOR_LIMIT:
            findings.append(Finding("cursor", "FIELD_TOO_LONG"))
        begins = None if since is None else moments.read(since)
        if since is not None and begins is None:
            findings.append(Finding("since", "FORMAT"))
        if findings:
            raise refused(*findings)
        if cursor is not None:
            if self.forgery("cursor"):
                raise Problem("CURSOR_EXPIRED")
            return Asked(self.feed.position(cursor, now), size or self._settings.page_limit)
        return Asked(self.feed.since(begins or now), size or self._settings.page_limit)

    def page(self, asked: Asked, now: datetime) -> Json:
        """``{items, nextCursor, hasMore}``."""
        again = self._repeats.next(asked.size)
        fresh, after, more = self.feed.page(asked.position, asked.size - len(again))
        if fresh and (fault := self._faults.take(self._op, "duplicate_callback")) is not None:
            self._repeats.add(fresh, max(fault.n, _REPEATS) - 1)
        items = [self._show(item) for item in again + fresh]
        if len(items) > 1 and "at" in items[0] and self._faults.take(self._op, "reorder_callbacks"):
            items = _backwards(items)
        return {"items": items, "nextCursor": self.feed.cursor(after, now), "hasMore": more}

    def forgery(self, how: str) -> bool:
        """Whether the oldest scripted forgery of this list is ``how``; it is counted down then."""
        fault = self._faults.standing(self._op, "forge_callback")
        if fault is None or fault.how != how:
            return False
        return self._faults.take(self._op, "forge_callback") is not None


def _backwards(items: list[Json]) -> list[Json]:
    """The items with times that fall while ``seq`` rises."""
    latest = max(moments.known(item["at"]) for item in items)
    return [{**item, "at": moments.write(latest - timedelta(seconds=place))} for place, item in enumerate(items)]
