"""What crosses to a platform and back, as it is kept: the wire with its loss report, the receipt, one raw item of a poll."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from contracts.update import Reference

Json = dict[str, Any]


class LossKind(StrEnum):
    """What became of a canonical value on its way into a dialect."""

    MAPPED = "mapped"
    """Another code, same meaning, not one to one."""
    DEFAULTED = "defaulted"
    """The platform demands a value that the document does not have."""
    CODED = "coded"
    """No row in the platform's table: went as "other"."""
    DROPPED = "dropped"
    """The platform has no place for it."""
    CUT = "cut"
    """Longer than the place; the rest is named here."""
    MASKED = "masked"
    """Sent masked, as the privacy rule of this recipient demands."""


@dataclass(frozen=True, slots=True)
class Loss:
    """One entry of the loss report: JSON pointer into the canonical document, place on the wire, and a word on what happened.
    A service that carries more than the message's document names the others before it (``/case/…``, ``/agreement/…``). A
    value that no field holds is missed by the whole document (``""``). ``note`` never quotes the value."""

    kind: LossKind
    pointer: str
    place: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Wire:
    """What ``translate`` made: frozen at the first translation, stored, sent unchanged at every attempt.

    ``payload`` is the readable business payload as a JSON object (strings, numbers, lists, objects). Ids of uploaded files,
    signatures, tokens and nonces are not in it: ``send`` adds them on each attempt; a file stands in the payload as
    ``{"attachment": "att_…"}`` or under a key of the adapter's own, and in ``files``.
    ``id`` is what the platform sees at every attempt (delivery id, or message id where its page says so).
    """

    id: str
    operation: str
    payload: Json
    losses: tuple[Loss, ...] = ()
    files: tuple[str, ...] = ()
    mapping: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform's word that it has the message; with ``relayed``, only its bytes.

    ``reference`` is its number for the thing (平台编号), ``references`` all numbers it gave with their kinds.
    ``duplicate``: it knew the id already. ``filed_twice``: it holds more than one filing under our id (a person must know).
    """

    reference: str | None
    references: tuple[Reference, ...] = ()
    duplicate: bool = False
    relayed: bool = False
    filed_twice: bool = False
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PolledItem:
    """One raw item of a poll. ``body`` is what ``parse_callback`` will read later, alone."""

    event_id: str
    digest: str
    body: bytes
