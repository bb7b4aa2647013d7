"""Taking (page §5): markers in ``down/`` by name; what was stored is renamed; what is late is waited for."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.enterprise_confederation import layout, packing, replies
from adapters.enterprise_confederation.layout import BAD as REFUSED
from adapters.enterprise_confederation.layout import DONE, DOWN, UP
from adapters.enterprise_confederation.medium import Medium, Unsound
from adapters.enterprise_confederation.replies import REPLY, Broken, Heard, Kind, Late
from adapters.enterprise_confederation.wire import DETAIL_LIMIT, detail_name, key_of
from adapters.http import NotJson, json_bytes, read_json_object
from contracts.adapter import Json, PolledItem

PAGE = 500
"""Items after which a page is full; a batch is never parted."""
MOST_BATCHES = 60
_MOST_LATE = 200
_MARKER = 128
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,120}\.ok")
"""What may be a marker of the platform's: anything else in its folder is none of ours."""
_LONGEST_LOOK_S = 15.0
"""After which a page is full, whatever stands behind it: what was read is stored, and a slow medium starves nobody."""
_OURS_LIMIT = 64 * 1024 * 1024
OK, TAKEN, BAD = ".ok", ".taken", ".bad"
BATCH, PRINT, COLUMNS, MESSAGE, BROKEN, LATE, KIND = "batch", "print", "columns", "message", "broken", "late", "kind"
"""Keys of a stored item."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A batch that is stored: the ending its marker gets, and the fingerprint of the marker that was read."""

    base: str
    ending: str
    print: str


@dataclass(frozen=True, slots=True)
class Place:
    """The cursor: what to rename at the next look, and whose lateness was told already."""

    marks: tuple[Mark, ...] = ()
    late: tuple[str, ...] = ()

    def text(self) -> str:
        """As it is stored."""
        marks = [[mark.base, mark.ending, mark.print] for mark in self.marks]
        return json.dumps({"marks": marks, "late": list(self.late)}, separators=(",", ":"))

    @classmethod
    def of(cls, cursor: str | None) -> Place:
        """From the stored cursor; a text that is not ours says nothing."""
        try:
            found = json.loads(cursor) if cursor else {}
            marks = tuple(Mark(str(base), str(ending), str(seen)) for base, ending, seen in found.get("marks", ()))
            late = tuple(str(base) for base in found.get("late", ()))
        except (ValueError, TypeError, AttributeError):
            return cls()
        return cls(marks[: MOST_BATCHES * 2], late[:_MOST_LATE])


@dataclass(slots=True)
class Page:
    """What one look brought."""

    items: list[PolledItem] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    more: bool = False


@dataclass(slots=True)
class Waiting:
    """Since when each batch is seen without all its files, in this process."""

    since: dict[str, datetime] = field(default_factory=dict)


async def turn(medium: Medium, place: Place, now: datetime, waiting: Waiting, late: timedelta) -> Page:
    """Rename what was stored before, and read the next batches by name.

    Raises:
        RetryableError, EndpointError: page §5.
    """
    until = time.monotonic() + _LONGEST_LOOK_S
    await medium.stands()
    stayed = {base + OK for base in await rename(medium, place.marks)}
    found = await medium.names(DOWN, lambda name: _NAME.fullmatch(name) is not None, plain=True)
    names = [name for name in found if name not in stayed]
    page = Page()
    still: dict[str, datetime] = {}
    for number, name in enumerate(names):
        full = len(page.items) >= PAGE or len(page.marks) >= MOST_BATCHES
        if full or (page.marks and time.monotonic() > until):
            page.more = True
            still |= {base: waiting.since[base] for base in _bases(names[number:]) if base in waiting.since}
            break
        base = name.removesuffix(OK)
        try:
            await _take(medium, base, page)
        except Late:
            still[base] = waiting.since.get(base, now)
            if len(page.late) < _MOST_LATE and (base in place.late or now - still[base] >= late):
                page.late.append(base)
                if base not in place.late:
                    page.items.append(_told(base, LATE, "files_late", ""))
    waiting.since = still
    return page


def _bases(names: Sequence[str]) -> list[str]:
    return [name.removesuffix(OK) for name in names]


async def _take(medium: Medium, base: str, page: Page) -> None:
    marker = await _marker(medium, base + OK)
    seen = _print(marker)
    try:
        heard = await replies.hear(medium, base, marker)
    except Broken as broken:
        page.items.append(_told(base, BROKEN, broken.code, seen))
        page.marks.append(Mark(base, BAD, seen))
        return
    page.items += await _items(medium, base, heard, seen)
    page.marks.append(Mark(base, TAKEN, seen))


async def _items(medium: Medium, base: str, heard: Heard, seen: str) -> list[PolledItem]:
    items = []
    for number, columns in enumerate(heard.rows, 1):
        told: Json = {BATCH: base, KIND: heard.kind.value, COLUMNS: dict(columns)}
        beside: Json = {PRINT: seen}
        if heard.kind is Kind.REPLY:
            event = f"{base}:{columns['行号']}"
            beside[MESSAGE] = await _message(medium, base, columns)
        else:
            event = columns.get("事件号", "").strip()[:64] or f"{base}:{number}"
        items.append(PolledItem(event, _digest(told), json_bytes(told | beside)))
    return items


def _told(base: str, key: str, code: str, seen: str) -> PolledItem:
    """What a person must look at: a batch that nobody can read, or that does not come."""
    told: Json = {BATCH: base, key: code}
    return PolledItem(f"{base}:{key}", _digest(told | {PRINT: seen}), json_bytes(told | {PRINT: seen}))


def _digest(told: Json) -> str:
    return hashlib.sha256(json_bytes(told)).hexdigest()


async def _message(medium: Medium, base: str, columns: Mapping[str, str]) -> str | None:
    """Our message that a row speaks of: the one that it names, if its batch is that one's; of row 0 the one of the batch."""
    found = REPLY.fullmatch(base)
    if found is None:
        return None
    stem, key = found[1], found[2]
    named = columns["业务主键"]
    if named:
        return named if key_of(named) == key else None
    if columns["行号"] != "0":
        return None
    for place in (UP, *await layout.days(medium, REFUSED), *await layout.days(medium, DONE)):
        try:
            told = await medium.read(f"{place}/{detail_name(stem)}", DETAIL_LIMIT)
            if told is None and (packed := await medium.read(f"{place}/{stem}.zip", _OURS_LIMIT)) is not None:
                told = (await medium.compute(packing.unpack, packed, stem)).get(detail_name(stem))
            message = "" if told is None else read_json_object(told, limit=DETAIL_LIMIT).get("业务主键")
        except (Unsound, NotJson, packing.BadZip):
            continue
        if isinstance(message, str) and message and key_of(message) == key:
            return message
    return None


# ------------------------------------------------------------------------------------------------------------- markers


async def rename(medium: Medium, marks: Sequence[Mark]) -> list[str]:
    """The markers of what is stored. One that was replaced since is left to the next look; something that stands in the way
    and is no file stops nobody behind it. The batches whose marker stayed for that: they make room for the others once."""
    stayed = []
    for mark in marks:
        if mark.ending not in (TAKEN, BAD) or "/" in mark.base or "\0" in mark.base:
            continue
        source, ending = f"{DOWN}/{mark.base}{OK}", mark.ending
        if not await medium.present([source]):
            continue
        marker = await _marker(medium, mark.base + OK)
        if _print(marker) != mark.print:
            continue
        if ending == TAKEN and await medium.present([f"{DOWN}/{mark.base}{TAKEN}"]):
            ending = TAKEN if await _marker(medium, mark.base + TAKEN) == marker else BAD
        if not await medium.replace(source, f"{DOWN}/{mark.base}{ending}"):
            stayed.append(mark.base)
    return stayed


def marks_of(items: Sequence[PolledItem]) -> list[Mark]:
    """The markers of stored items."""
    found: dict[str, Mark] = {}
    for item in items:
        told = json.loads(item.body)
        if LATE not in told:
            base = told[BATCH]
            found[base] = Mark(base, BAD if BROKEN in told else TAKEN, told[PRINT])
    return list(found.values())


async def _marker(medium: Medium, name: str) -> bytes | None:
    """A marker's bytes; ``None`` for what is none."""
    try:
        return await medium.read(f"{DOWN}/{name}", _MARKER)
    except Unsound:
        return None


def _print(marker: bytes | None) -> str:
    return "" if marker is None else hashlib.sha256(marker).hexdigest()[:16]
