"""The pull side (变更拉取, page §5): one cursor for each organisation, and one raw item for each change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from adapters.one_stop.wire import Node, Unreadable, write
from contracts.adapter import PolledItem

BEGINNING = "0"
"""游标 of a reader that has seen nothing, or whose cursor was older than 30 days (E410)."""

_LONGEST_CURSOR = 64
_LONGEST_NUMBER = 32


@dataclass(frozen=True, slots=True)
class Cursors:
    """Where each organisation's pull stands; the first of them is asked next.

    One pull speaks for one 机构编码 and the platform wants 5 s between pulls, so organisations take turns.
    """

    queue: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, stored: str | None, organizations: Sequence[str]) -> Cursors:
        """From the stored text; organisations new in the configuration start from the beginning and come first.

        A text that is not ours starts everything from the beginning: known changes are dropped by their number.
        """
        known: list[tuple[str, str]] = []
        try:
            pairs = json.loads(stored) if stored else []
            known = [(str(organization), str(cursor)) for organization, cursor in pairs]
        except (ValueError, TypeError):
            known = []
        kept = dict(pair for pair in known if pair[0] in organizations)
        fresh = tuple((organization, BEGINNING) for organization in organizations if organization not in kept)
        return cls(fresh + tuple(kept.items()))

    def write(self) -> str:
        """The text to store with the page's changes."""
        return json.dumps(self.queue, ensure_ascii=False, separators=(",", ":"))

    @property
    def organization(self) -> str:
        """Whose turn it is."""
        return self.queue[0][0]

    @property
    def at(self) -> str:
        """Its 游标."""
        return self.queue[0][1]

    def moved(self, cursor: str, *, stay: bool) -> Cursors:
        """After a page: the new cursor; ``stay`` where the same organisation has more."""
        now = ((self.organization, cursor),)
        return Cursors(now + self.queue[1:] if stay else self.queue[1:] + now)


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a walk through all changes stands: each organisation's cursor, and whether its last page was seen."""

    places: tuple[tuple[str, str, bool], ...]

    @classmethod
    def read(cls, stored: str | None, organizations: Sequence[str]) -> Walk:
        """From the text of an earlier page. One that was at its end begins again from there; what is not ours, and an
        organisation new in the configuration, begins at the beginning."""
        known: dict[str, tuple[str, bool]] = {}
        try:
            for organization, cursor, over in json.loads(stored) if stored else []:
                known[str(organization)] = (str(cursor), over is True)
        except (ValueError, TypeError):
            known = {}
        places = tuple((one, *known.get(one, (BEGINNING, False))) for one in organizations)
        again = all(over for _, _, over in places)
        return cls(tuple((one, cursor, over and not again) for one, cursor, over in places))

    def write(self) -> str:
        """The text that leads to the next page."""
        return json.dumps(self.places, ensure_ascii=False, separators=(",", ":"))

    @property
    def organization(self) -> str:
        """Whose changes are asked for next."""
        return self._next[0]

    @property
    def at(self) -> str:
        """Its 游标."""
        return self._next[1]

    @property
    def _next(self) -> tuple[str, str, bool]:
        return next(place for place in self.places if not place[2])

    @property
    def over(self) -> bool:
        """Whether every organisation's last page was seen."""
        return all(over for _, _, over in self.places)

    def moved(self, cursor: str, *, over: bool) -> Walk:
        """After a page of the organisation that was asked for."""
        moved = (self.organization, cursor, over)
        return Walk(tuple(moved if place[0] == moved[0] else place for place in self.places))


@dataclass(frozen=True, slots=True)
class Page:
    """One page of changes as raw items, the platform's next cursor, and whether more waits behind it."""

    items: tuple[PolledItem, ...]
    cursor: str
    more: bool


def read_page(response: Node, asked: str, organizations: Collection[str]) -> Page:
    """The operation's own part of a ``pullChangesResponse``.

    Raises:
        Unreadable: no usable 新游标 or EOPSIGN; the page must then be asked for again.
    """
    cursor, end = response.value("新游标"), response.value("EOPSIGN")
    if cursor is None or len(cursor) > _LONGEST_CURSOR or end not in {"0", "1"}:
        raise Unreadable("no_cursor")
    listed = response.one("变更列表")
    changes = tuple(listed.all("变更")) if listed is not None else ()
    # The same row twice in one page is one row.
    items = tuple(dict.fromkeys(raw_item(change, organizations) for change in changes))
    # A page that moves nothing and still promises more would be asked for without end.
    return Page(items, cursor, more=end == "0" and cursor != asked)


def raw_item(change: Node, organizations: Collection[str]) -> PolledItem:
    """One change, to be stored and read later.

    A row without number, or of an organisation that is not ours, is kept raw under a name made of its content, so that
    it can never stand in the place of a true change of that number; ``parse_callback`` then refuses it.
    """
    body = write(change)
    digest = hashlib.sha256(body).hexdigest()
    number = numbered(change)
    if number is None or not ours(change, organizations):
        number = f"raw-{digest[:40]}"
    return PolledItem(number, digest, body)


def numbered(change: Node) -> str | None:
    """变更序号, the event id; ``None`` where it is missing, doubled or of no sound form (S32)."""
    try:
        number = change.value("变更序号")
    except Unreadable:
        return None
    if number is None or len(number) > _LONGEST_NUMBER or not all("!" <= character <= "~" for character in number):
        return None
    return number


def ours(change: Node, organizations: Collection[str]) -> bool:
    """Whether the change belongs to one of the configured organisations."""
    try:
        return change.value("机构编码") in organizations
    except Unreadable:
        return False
