"""The pull side (page §6): where the two lists stand, and one raw item for each change and each case handed over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from adapters.national_mediation import wire
from adapters.national_mediation.drafts import moment_of
from contracts.adapter import Json, PolledItem
from contracts.errors import RetryableError

CHANGE, REFERRAL = "change", "referral"
"""Keys around a raw item: what it is."""
OFFERED = "OFFERED"
FIRST_LOOK = timedelta(days=7)
"""How far the first poll looks back: cursors are kept as long."""
_OVERLAP = timedelta(minutes=10)
_LONGEST_CURSOR, _LONGEST_TAG = 256, 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where one list stands: its cursor, or the moment to begin at; the tag of its last answer; its newest item's time;
    whether more waits there."""

    cursor: str | None = None
    since: str | None = None
    tag: str | None = None
    newest: str | None = None
    more: bool = False

    def began(self, moment: datetime) -> Place:
        """A place of its own for a list that was never asked for."""
        return self if self.cursor is not None or self.since is not None else Place(since=_text(moment))

    def lost(self, now: datetime) -> Place:
        """After 410: from ten minutes before the newest item that was applied (page §6)."""
        newest = moment_of({"newest": self.newest}, "newest")
        return Place(since=_text((newest or now - FIRST_LOOK) - _OVERLAP), newest=self.newest)


@dataclass(frozen=True, slots=True)
class Places:
    """Both lists, as they are kept with what was read."""

    changes: Place
    referrals: Place

    @property
    def more(self) -> bool:
        """Whether one of them has more."""
        return self.changes.more or self.referrals.more

    def due(self, place: Place) -> bool:
        """Whether a list is asked now: where one has more, that one alone. The platform wants rest between two looks at a list
        that has ended (§6)."""
        return place.more or not self.more

    @classmethod
    def read(cls, stored: str | None) -> Places:
        """From the stored text; a text that is not ours begins anew: what is known is dropped by its number."""
        try:
            found = json.loads(stored) if stored else {}
            return cls(Place(**found["changes"]), Place(**found["referrals"]))
        except (ValueError, TypeError, KeyError):
            return cls(Place(), Place())

    def write(self) -> str:
        """The text to store with the items."""
        return json.dumps(
            {name: _kept(getattr(self, name)) for name in ("changes", "referrals")}, separators=(",", ":")
        )


def _kept(place: Place) -> Json:
    return {name: value for name in Place.__slots__ if (value := getattr(place, name))}


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: its rows, and where it goes on."""

    rows: tuple[Json, ...]
    place: Place


def read_page(found: Json, place: Place, tag: str | None, now: datetime) -> Page:
    """The answer of a list. A time that is still to come is nobody's newest: a list that began there would skip what is.

    Raises:
        RetryableError: no usable ``nextCursor``; the page must then be asked for again.
    """
    cursor, listed = found.get("nextCursor"), found.get("items")
    if not isinstance(cursor, str) or not 0 < len(cursor) <= _LONGEST_CURSOR or not isinstance(listed, list):
        raise RetryableError("no_cursor", "the platform's page does not say where it goes on")
    rows = tuple(row for row in listed if isinstance(row, dict))
    newest = max((moment for row in rows if (moment := _at(row)) is not None and moment <= now), default=None)
    moved = cursor != place.cursor
    # The tag belongs to the whole address, which is another one after a move. A page that moves nothing and still promises
    # more would be asked for without end.
    after = Place(
        cursor=cursor,
        tag=tag if tag is not None and len(tag) <= _LONGEST_TAG and not moved else None,
        newest=place.newest if newest is None else _text(newest),
        more=found.get("hasMore") is True and moved,
    )
    return Page(rows, after)


def _at(row: Json) -> datetime | None:
    return moment_of(row, "at") or moment_of(row, "offeredAt")


def raw_changes(rows: Iterable[Json]) -> tuple[PolledItem, ...]:
    """The changes of a page; the same row twice in one page is one row."""
    return tuple(dict.fromkeys(_item(CHANGE, wire.id_of(row, "changeId"), row) for row in rows))


def raw_referral(row: Json, event_id: str | None) -> PolledItem:
    """A case that is handed over."""
    return _item(REFERRAL, event_id, row)


def _item(kind: str, number: str | None, row: Json) -> PolledItem:
    """One item, to be stored and read later. A row without number is kept under a name made of its content."""
    body = json.dumps({kind: row}, ensure_ascii=False, default=_number, separators=(",", ":")).encode()
    digest = hashlib.sha256(body).hexdigest()
    return PolledItem(number or f"raw-{digest[:40]}", digest, body)


def _number(value: object) -> str:
    """Numbers with a fraction, which the page does not know, go on as text."""
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError("no value of JSON")
