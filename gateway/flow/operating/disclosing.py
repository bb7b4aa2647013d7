"""What people may see of the forms that platforms were sent and sent back: each judged by the documents behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import orjson

from contracts.document import Document
from contracts.messages import MessageType
from gateway.flow.moving.documents import DOCUMENTS
from gateway.security.disclosure import Redactor
from gateway.security.field_classes import MOST_LEAVES, Leaf, leaves
from gateway.store.engine import Row
from gateway.store.places import of_document
from gateway.store.store import Store

_FILES: Final = 12
"""Documents of a case that its wires are judged by, newest first."""


def document_leaves(model: type[Document], raw: bytes) -> list[Leaf]:
    """The values of a document's bytes, bounded."""
    found = []
    for leaf in leaves(model, orjson.loads(raw)):
        found.append(leaf)
        if len(found) >= MOST_LEAVES:
            break
    return found


def canonical_leaves(store: Store, message: Row) -> list[Leaf]:
    """The values of a message's document."""
    model = DOCUMENTS[MessageType(message["type"])]
    return document_leaves(model, store.unseal(message["document_sealed"], of_document(message["id"])))


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Makes the redactors. ``personal_fields``: of every platform that something was ever sent to (``AdapterInfo``)."""

    store: Store
    personal_fields: frozenset[str]

    def by(self, known: list[Leaf], *public: str) -> Redactor:
        """Judges by these values; by none of them what came without any document."""
        return Redactor(known, public, self.personal_fields)

    async def of(self, subject: str, *public: str, message: str | None = None) -> Redactor:
        """Judges the foreign forms of one subject by all that its documents hold. Pointers of other documents than
        ``message``'s begin with their type."""
        rows = await self.store.rows("messages_of", subject)
        chosen = {row["id"]: row for row in [*(r for r in rows if r["id"] == message), *rows[:1], *rows[-_FILES:]]}
        known = []
        for row in chosen.values():
            own = row["id"] == message
            found = canonical_leaves(self.store, row)
            known += found if own else [replace(leaf, pointer=f"{row['type']}:{leaf.pointer}") for leaf in found]
        if subject.startswith("ref_") or not rows:
            return self.by(known, *public)
        referral = next((leaf.text for leaf in known if leaf.pointer.endswith(":/referral")), None)
        if referral is not None:
            offered = await self.store.rows("messages_of", referral)
            known += [leaf for row in offered for leaf in canonical_leaves(self.store, row)]
        return self.by(known, *public)
