"""What a platform's word does, by what it is about: one ``StatusUpdate`` and the file of its subject become one unit."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from contracts.deadlines import Law
from contracts.update import StatusUpdate
from gateway.flow.applying.delivery_words import DeliveryWords
from gateway.flow.applying.draft import LONGEST_CODE, Draft
from gateway.flow.applying.matter_words import Background, MatterWords
from gateway.flow.moving.speaker import Speaker
from gateway.flow.route import Router
from gateway.store.casefile import CaseFile, DeliveryRow, Matter
from gateway.store.store import Store
from gateway.store.unit import Unit


class Words:
    """Decides what a word changes. Nothing is asked or written: others commit the unit."""

    def __init__(
        self,
        store: Store,
        router: Router,
        word_within_ms: Mapping[str, int],
        law: Law | None = None,
        unasked: Collection[str] = (),
    ) -> None:
        """``word_within_ms`` and ``unasked``: see ``DeliveryWords``."""
        self._store = store
        self._deliveries = DeliveryWords(store, word_within_ms, unasked)
        self._matters = MatterWords(store, router, law)

    def about_delivery(
        self, file: CaseFile, delivery: DeliveryRow, speaker: Speaker, update: StatusUpdate
    ) -> tuple[Unit, str | None]:
        """Also returns the reason to pause the endpoint, if any."""
        draft = Draft(self._store, file, speaker, update)
        pause = self._deliveries.settle(draft, delivery)
        return draft.unit, pause

    def about_matter(
        self, file: CaseFile, matter: Matter, speaker: Speaker, update: StatusUpdate, background: Background
    ) -> Unit:
        """See ``MatterWords.hear``."""
        draft = Draft(self._store, file, speaker, update)
        self._matters.hear(draft, matter, background)
        return draft.unit

    def about_report(self, file: CaseFile, report: str, speaker: Speaker, update: StatusUpdate) -> Unit:
        """A report of ours was returned (退回): a person looks."""
        draft = Draft(self._store, file, speaker, update)
        draft.task("report_returned", report, update.raw_status[:LONGEST_CODE])
        return draft.unit
