"""Everything that speaks against a document, before it is judged: in itself, beside what it hangs together with, and as things
stand, all at once."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.document import Document, Unsound
from contracts.findings import Code, Finding
from contracts.intake import DocumentRefused, Look, look
from contracts.json_text import NotJson
from contracts.messages import MESSAGE_TYPES
from contracts.moments import from_ms
from gateway.flow.decisions.checks import beside, refusal_of, standing
from gateway.flow.examining.judgement import Judgement
from gateway.flow.moving.attachments import Attachments
from gateway.flow.moving.context import attachments_in
from gateway.flow.moving.documents import DOCUMENTS
from gateway.flow.moving.order import Known, Order, Refused
from gateway.store.store import Store


@dataclass(frozen=True, slots=True)
class Examined:
    """A document whose shape is sound, what is known beside it, its warnings, and what refuses it, if anything does."""

    document: Document
    known: Known
    warnings: tuple[Finding, ...]
    refusal: Refused | None

    @property
    def unopposed(self) -> Document:
        """The document, where nothing refuses it.

        Raises:
            Refused: with every finding.
        """
        if self.refusal is not None:
            raise self.refusal
        return self.document


class Examination:
    """Examines documents. ``limit``: most bytes of one."""

    def __init__(self, store: Store, judgement: Judgement, attachments: Attachments, limit: int) -> None:
        self._store = store
        self._judgement = judgement
        self._attachments = attachments
        self._limit = limit

    async def of(self, order: Order) -> Examined:
        """Everything that can be told of a document.

        Raises:
            Refused: 400 no JSON, 413 too large, 422 with every finding about what is no whole document, 403 or 404 for what
                is not the caller's.
        """
        alone = MESSAGE_TYPES[order.type].appended_to is None  # it is read before anything is looked up
        before = None if alone else await self._judgement.known(order, None)
        read = self._look(order)
        findings = list(read.findings)
        known, refusal = before or Known(), None
        if read.sound is not None:
            known, more, refusal = await self._against(order, read.sound, before)
            findings += more
        if any(finding.is_error for finding in findings):
            refusal = refusal_of(findings, known)
        if read.document is None:
            raise refusal or refusal_of(findings, known)
        if refusal is not None and not refusal.findings:
            raise refusal  # 403, or what no finding has a place for
        return Examined(read.document, known, tuple(findings), refusal)

    def _look(self, order: Order) -> Look[Document]:
        if len(order.raw) > self._limit:
            raise Refused(413, "too_large", extra={"limit": self._limit})
        now = from_ms(self._store.now_ms())
        try:
            return look(DOCUMENTS[order.type], order.raw, now=now)
        except NotJson as error:
            raise Refused(400, Code.JSON_INVALID, (error.finding,)) from None
        except DocumentRefused as error:
            raise Refused(422, error.findings[0].code, error.findings) from None

    async def _against(
        self, order: Order, document: Document, before: Known | None
    ) -> tuple[Known, list[Finding], Refused | None]:
        """What is known beside a document, what is found by it, and a refusal that is no finding."""
        findings: list[Finding] = []
        known = before
        try:
            if known is None:
                known = await self._judgement.known(order, document)
            await self._judgement.complete(order, document, known)
            findings += beside(document, known)
        except Refused as refused:
            if not refused.findings:
                return known or Known(), [], refused
            findings += refused.findings
        except Unsound:
            pass  # what would have to be known hangs on a field that is not sound
        findings += await self._unknown_attachments(order, document)
        if known is not None:
            findings += standing(order, document, known)
        return known or Known(), findings, None

    async def _unknown_attachments(self, order: Order, document: Document) -> list[Finding]:
        """Every attachment that the document names is there, and the caller's."""
        findings = []
        for pointer, identifier in attachments_in(document):
            found = await self._attachments.find(identifier)
            if found is None or not self._owns(order, found[0]):
                findings.append(Finding.of(pointer, Code.ATTACHMENT_UNKNOWN))
        return findings

    @staticmethod
    def _owns(order: Order, owner: str) -> bool:
        return owner == f"client:{order.principal.client}" or order.principal.acts_for(owner)
