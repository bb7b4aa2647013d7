"""Wires as stored bytes, and the masked view of them that people see."""

from __future__ import annotations

import orjson

from contracts.adapter import Loss, LossKind, Wire


def pack(wire: Wire) -> bytes:
    """The wire as JSON, to be sealed."""
    return orjson.dumps(
        {
            "id": wire.id,
            "operation": wire.operation,
            "payload": wire.payload,
            "losses": [[loss.kind.value, loss.pointer, loss.place, loss.note] for loss in wire.losses],
            "files": list(wire.files),
            "mapping": wire.mapping,
        }
    )


def unpack(packed: bytes) -> Wire:
    """What ``pack`` made."""
    kept = orjson.loads(packed)
    return Wire(
        id=kept["id"],
        operation=kept["operation"],
        payload=kept["payload"],
        losses=tuple(Loss(LossKind(kind), pointer, place, note) for kind, pointer, place, note in kept["losses"]),
        files=tuple(kept["files"]),
        mapping=kept["mapping"],
    )
