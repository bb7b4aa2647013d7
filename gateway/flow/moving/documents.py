"""Which document class each message type carries, and how kept bytes become a document again."""

from __future__ import annotations

from contracts.document import Document
from contracts.message import Message
from contracts.messages import MESSAGE_TYPES, MessageType
from contracts.moments import from_ms
from gateway.store.engine import Row
from gateway.store.places import of_document
from gateway.store.store import Store

DOCUMENTS: dict[MessageType, type[Document]] = {kind: row.document for kind, row in MESSAGE_TYPES.items()}
"""Complete: one class per message type."""

CASE_TYPES = frozenset({MessageType.CASE_SUBMITTED, MessageType.CASE_REVISED})
"""Message types that carry the whole case."""


def reopen(store: Store, row: Row) -> Document:
    """The document of a kept message row. It was accepted once: its bytes are read as they were, but where this process has
    accepted it a moment ago."""
    kind = DOCUMENTS[MessageType(row["type"])]
    known = store.lately.get(row["id"])
    if isinstance(known, kind):
        return known
    return kind.model_validate_json(store.unseal(row["document_sealed"], of_document(row["id"])))


def message_of(store: Store, row: Row) -> Message:
    """The whole message of a row."""
    return Message(
        id=row["id"],
        type=MessageType(row["type"]),
        subject=row["subject"],
        about=row["about"],
        version=row["version"],
        source=row["source"],
        correlation=row["correlation"],
        created_at=from_ms(row["created_at"]),
        document=reopen(store, row),
    )
