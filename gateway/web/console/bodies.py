"""Bodies as people may see them: the canonical document beside the wire made of it, and every exchange of an attempt."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from contracts.adapter import Wire
from contracts.titled import Titled
from gateway.flow.delivering import wires
from gateway.flow.delivering.exchange import unpack_steps
from gateway.security.disclosure import Redactor, Shown
from gateway.security.field_classes import FieldClass, Leaf
from gateway.store.engine import Row
from gateway.store.places import of_steps, of_wire
from gateway.store.store import Store
from gateway.texts import console_text
from gateway.web.console import words

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_PARTY: Final = re.compile(r"/(party|applicants/\d+)$")
"""Where a document names a party by its place, from 0 on; people count from 1, as the headings do."""


@dataclass(frozen=True, slots=True)
class CanonicalRow:
    """One value of the canonical document: heading, title, what may be seen, and what became of it on the wire."""

    pointer: str
    heading: str
    title: str
    text: str
    hidden: bool
    code: str
    """The value in the document where another word stands for it."""
    kind: FieldClass
    losses: tuple[tuple[str, str, str], ...]


def shown_text(leaf: Leaf, chinese: bool) -> str:
    """A public value as people read it: the title of a code, 是 or 否, a time in Beijing, an amount by thousands, a party by
    its place from 1 on. A masked one else."""
    if not leaf.kind.open:
        return leaf.masked
    language, text = "zh" if chinese else "en", leaf.text
    titled = leaf.field.titles.get(text) if leaf.field is not None else None
    if titled is not None:
        return titled[language]
    if leaf.listed is not None:
        return listed_text(leaf.listed, text, chinese)
    if text in ("true", "false"):
        return console_text("stats.yes" if text == "true" else "stats.no", language)
    if _TIME.fullmatch(text):
        return words.full_time(round(datetime.fromisoformat(text).timestamp() * 1000)).removesuffix(":00")
    if leaf.pointer.endswith("/amount"):
        return words.yuan(text)
    if _PARTY.search(leaf.pointer) and text.isdigit():
        return str(int(text) + 1)
    return text


def listed_text(listed: type[Titled], value: str, chinese: bool) -> str:
    """``窗口`` for ``window``; what the list does not have as it is."""
    try:
        found = listed(value)
    except ValueError:
        return value
    return found.zh if chinese else found.en


def canonical_rows(known: list[Leaf], wire: Wire | None, chinese: bool) -> list[CanonicalRow]:
    """The document with its loss report beside each value."""
    losses: dict[str, list[tuple[str, str, str]]] = {}
    for loss in wire.losses if wire is not None else ():
        losses.setdefault(loss.pointer, []).append((loss.kind.value, loss.place, loss.note))
    rows = []
    for leaf in known:
        names = leaf.zh if chinese else leaf.en
        rows.append(
            CanonicalRow(
                leaf.pointer,
                " › ".join(names[:-1]),
                names[-1],
                shown_text(leaf, chinese),
                not leaf.kind.open,
                leaf.text if leaf.kind.open and shown_text(leaf, chinese) != leaf.text else "",
                leaf.kind,
                tuple(losses.pop(leaf.pointer, ())),
            )
        )
    return rows


def other_losses(known: list[Leaf], wire: Wire | None) -> list[tuple[str, str, str, str]]:
    """Losses of whole objects and of other documents: (pointer, kind, place, note)."""
    here = {leaf.pointer for leaf in known}
    return [
        (loss.pointer, loss.kind.value, loss.place, loss.note)
        for loss in (wire.losses if wire is not None else ())
        if loss.pointer not in here
    ]


def headed(rows: list[CanonicalRow]) -> list[tuple[str, list[CanonicalRow]]]:
    """Rows under their headings."""
    return [(heading, list(group)) for heading, group in groupby(rows, key=lambda row: row.heading)]


def wire_of(store: Store, delivery: Row) -> Wire | None:
    """The frozen wire, ``None`` while it is not translated."""
    if delivery["wire_sealed"] is None:
        return None
    return wires.unpack(store.unseal(delivery["wire_sealed"], of_wire(delivery["id"])))


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A request or a reply: its readable values, or (``None``) only its size and digest."""

    size: int
    digest: str
    rows: list[Shown] | None


@dataclass(frozen=True, slots=True)
class Step:
    """One request of an attempt and what came of it."""

    name: str
    method: str
    address: str
    filing: bool
    at: int
    took: int
    status: int | None
    error: str | None
    request: Exchanged
    reply: Exchanged


def steps_of(store: Store, attempt: Row, redactor: Redactor) -> list[Step]:
    """The exchange of an attempt, made fit to be seen."""
    if attempt["steps_sealed"] is None:
        return []
    place = of_steps(attempt["delivery"], attempt["number"])
    return [_step(kept, redactor) for kept in unpack_steps(store.unseal(attempt["steps_sealed"], place))]


def _step(kept: dict[str, Any], redactor: Redactor) -> Step:
    return Step(
        name=str(kept["step"]),
        method=str(kept["method"]),
        address=str(kept["address"]),
        filing=bool(kept["filing"]),
        at=int(kept["at"]),
        took=int(kept["ms"]),
        status=kept["status"],
        error=kept["error"],
        request=_exchanged(base64.b64decode(kept["request"]), redactor),
        reply=_exchanged(base64.b64decode(kept["reply"]), redactor),
    )


def _exchanged(raw: bytes, redactor: Redactor) -> Exchanged:
    return Exchanged(len(raw), hashlib.sha256(raw).hexdigest()[:16] if raw else "", redactor.body(raw))
