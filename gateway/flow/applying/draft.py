"""The unit of one platform word while it is written: what every word leaves behind, whatever it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from contracts.update import StatusUpdate
from gateway.flow.moving.envelope import compact
from gateway.flow.moving.references import fold
from gateway.flow.moving.speaker import Speaker
from gateway.flow.moving.task_details import seal_detail
from gateway.store.casefile import CaseFile
from gateway.store.places import of_paper
from gateway.store.store import Store
from gateway.store.unit import NewEvent, NewPaper, NewReference, NewTask, Unit

LONGEST_CODE = 64
"""Characters of a platform's own code or status that a task or an event tells."""


class Draft:
    """A word and its unit, which applies it once. Nothing is asked or stored: ids are drawn, what is personal is sealed, and
    others commit the ``unit``."""

    def __init__(self, store: Store, file: CaseFile, speaker: Speaker, update: StatusUpdate) -> None:
        self._store = store
        self.file = file
        self.speaker = speaker
        self.update = update
        self.unit = Unit(
            subject=file.subject,
            organization=file.organization,
            expected=file.sequence,
            applied=[(speaker.endpoint, update.event_id)],
        )

    def event(self, kind: str, about: str, facts: dict[str, Any]) -> None:
        """One more event."""
        self.unit.events.append(NewEvent(self._store.ids.new("event"), kind, about, compact(facts)))

    def task(
        self,
        kind: str,
        about: str,
        code: str | None = None,
        detail: Mapping[str, object] | None = None,
        *,
        due_at: int | None = None,
        endpoint: str | None = None,
    ) -> None:
        """Something for a person to look at, by ``due_at`` (ms). ``endpoint``: another one's affair than the speaker's."""
        identifier = self._store.ids.new("task")
        sealed = None if detail is None else seal_detail(self._store, identifier, detail)
        owner = self.speaker.endpoint if endpoint is None else endpoint
        self.unit.tasks.append(NewTask(identifier, kind, about, owner, code, sealed, due_at))

    def unmapped(self, about: str) -> None:
        """The word is in no table of ours: it is kept as it was said, and a person looks."""
        self.task("unmapped_code", about, self.update.raw_status[:LONGEST_CODE])

    def numbers(self, about: str) -> None:
        """Keep the numbers that the word brought, as those of this thing."""
        self.unit.references += [
            NewReference(self.speaker.endpoint, found.kind, found.value, about, fold(found.value))
            for found in self.update.references
        ]

    def papers(self, about: str) -> None:
        """Have the documents fetched that the word named, for this thing."""
        for document in self.update.documents:
            identifier = self._store.ids.new("paper")
            link = {
                "ref": document.ref,
                "kind": document.kind,
                "name": document.name,
                "link": document.link,
                "expires_at": document.expires_at.isoformat() if document.expires_at else None,
                "size": document.size,
                "sha256": document.sha256,
            }
            sealed = self._store.seal(orjson.dumps(link), of_paper(identifier))
            self.unit.papers.append(NewPaper(identifier, self.speaker.endpoint, about, document.ref, sealed))
