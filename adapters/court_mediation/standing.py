"""How a filing stands at the court, by the state that a query tells (``zt``, page §3 and §6), in canonical words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from adapters.court_mediation import wire as forms
from adapters.court_mediation.replies import Filed, moment
from adapters.court_mediation.translate import APPLICATION, OPENING, TRANSFER
from contracts.adapter import Wire
from contracts.holdings import Holding
from contracts.update import About, Key, KeyKind, Reference, StatusUpdate

_CONFIRMATION: Final[Mapping[str, str]] = MappingProxyType(
    {
        "0": "requested",
        "1": "correction_required",
        "2": "accepted",
        "3": "not_accepted",
        "4": "reviewing",
        "5": "confirmed",
        "6": "rejected",
        "7": "withdrawn",
        "8": "deemed_withdrawn",
        "9": "objected",
    }
)
_TRANSFER: Final[Mapping[str, str]] = MappingProxyType(
    {"0": "requested", "1": "correction_required", "22": "filed", "23": "refused"}
)
_MATTERS: Final = MappingProxyType(
    {
        APPLICATION: (About.CONFIRMATION, KeyKind.CONFIRMATION, "sqbh", _CONFIRMATION),
        TRANSFER: (About.TRANSFER, KeyKind.TRANSFER, "ysbh", _TRANSFER),
    }
)
"""The services whose record has a state of its own. What follows one up (补正, 撤回) shows that of its application."""


def holding(wire: Wire, records: Sequence[Filed], total: int, now: datetime) -> Holding:
    """What the court holds of one filing: the oldest of its records.

    Args:
        total: how many there are in all; more than one were filed twice.
        now: when it was asked. The page tells no time of the state, so this is the word's.
    """
    first = records[0]
    return Holding(
        first.uuid,
        moment(first.at),
        wire.id,
        first.uuid,
        _numbers(first, opens=wire.operation in OPENING),
        word=_word(wire, first, now),
        filed_twice=total > 1,
    )


def _numbers(record: Filed, *, opens: bool) -> tuple[Reference, ...]:
    numbers = [Reference("platform_no", record.uuid)] if opens else []
    if record.case_no:
        numbers.append(Reference("case_no", record.case_no))
    return tuple(numbers)


def _word(wire: Wire, record: Filed, now: datetime) -> StatusUpdate | None:
    found = _MATTERS.get(wire.operation)
    if found is None or not record.state:
        return None
    about, kind, key, statuses = found
    own = forms.text_of(wire.payload, key)
    return StatusUpdate(
        # The same state asked for again is the same word.
        event_id=f"zt-{record.uuid}-{record.state}",
        about=about,
        keys=(
            Key(KeyKind.DELIVERY, wire.id),
            *((Key(kind, own),) if own else ()),
            Key(KeyKind.REFERENCE, record.uuid, "platform_no"),
        ),
        status=statuses.get(record.state, "unknown"),
        raw_status=record.state,
        at=now,
        references=_numbers(record, opens=True),
    )
