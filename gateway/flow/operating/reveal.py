"""One masked value in plain text (明文查看): for a named person, with a reason, and an audit row that is written first."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import orjson

from contracts.messages import MessageType
from gateway.flow.delivering import wires
from gateway.flow.moving.envelope import compact
from gateway.store.engine import Row
from gateway.store.journal import AuditEntry
from gateway.store.places import of_document, of_wire
from gateway.store.store import Store

REVEALED_S: Final = 60
"""Seconds that a value may be shown for."""


class Side(StrEnum):
    """Which form of a delivery's document."""

    CANONICAL = "canonical"
    """As it was posted."""
    WIRE = "wire"
    """As it was translated for the platform."""


async def reveal(store: Store, actor: str, delivery: Row, side: str, pointer: str, reason: str) -> str | None:
    """The plain value at a JSON pointer (RFC 6901) of a delivery's document; ``None`` where there is no single value. The act
    is audited with where one looked and why, whatever was found; never with the value."""
    facts = compact({"side": side, "pointer": pointer})
    await store.audit(AuditEntry(actor, "field.reveal", delivery["id"], reason, facts))
    return value_at(await _document(store, delivery, side), pointer)


async def _document(store: Store, delivery: Row, side: str) -> Any:  # Any: JSON
    if side == Side.WIRE:
        sealed = delivery["wire_sealed"]
        return None if sealed is None else wires.unpack(store.unseal(sealed, of_wire(delivery["id"]))).payload
    if side == Side.CANONICAL:
        message = await store.row("message", delivery["message"])
        if message is not None and message["type"] in set(MessageType):
            return orjson.loads(store.unseal(message["document_sealed"], of_document(message["id"])))
    return None


def value_at(document: Any, pointer: str) -> str | None:
    """The plain value at a pointer (RFC 6901), ``None`` where there is none."""
    found = document
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isascii() and name.isdigit() and int(name[:9]) < len(found):
            found = found[int(name)]
        else:
            return None
    if found is None or isinstance(found, dict | list):
        return None
    return found if isinstance(found, str) else orjson.dumps(found).decode()
