"""Papers for a confirmation that comes without them (``messages.md`` §5): made from the documents, marked as generated.

What is looked for: the application and, for the court, the proof that the organisation presided; the agreement's own
document and the identity proofs are taken from where they were uploaded.
"""

from __future__ import annotations

from typing import Final

from contracts.agreement import Agreement
from contracts.attachment import AttachmentReference
from contracts.case import Case
from contracts.confirmation import PAPERS, ConfirmationRequest
from contracts.lists import AttachmentKind
from gateway.flow.moving.attachments import Attachments
from gateway.flow.moving.order import Known
from gateway.flow.printing.press import Press
from gateway.flow.printing.wording import Filing, Sheet, application, presided_proof

_ORDER: Final = (
    AttachmentKind.CONFIRMATION_APPLICATION,
    AttachmentKind.MEDIATION_AGREEMENT,
    AttachmentKind.MEDIATION_PRESIDED_PROOF,
    AttachmentKind.IDENTITY_PROOF,
)


class Forms:
    """Completes a confirmation request with the papers of its route."""

    def __init__(self, attachments: Attachments, press: Press) -> None:
        self._attachments = attachments
        self._press = press

    async def complete(self, request: ConfirmationRequest, known: Known) -> ConfirmationRequest:
        """The request with every paper of its route that can be had: sent with it, else with the case, else made here."""
        case, agreement = known.case, known.agreement
        if case is None or agreement is None:
            raise LookupError("a confirmation without its agreement")
        lacking = [
            kind
            for kind in _ORDER
            if kind in PAPERS[request.route] and all(paper.kind is not kind for paper in request.attachments)
        ]
        found: dict[AttachmentKind, list[AttachmentReference]] = {}
        for kind in reversed(lacking):  # the application is the last to be made: it lists what goes with it
            beside = (*request.attachments, *(paper for papers in found.values() for paper in papers))
            found[kind] = await self._find(kind, request, case, agreement, beside)
        papers = [*request.attachments, *(paper for kind in lacking for paper in found[kind])]
        return request.model_copy(update={"attachments": tuple(papers)})

    async def _find(
        self,
        kind: AttachmentKind,
        request: ConfirmationRequest,
        case: Case,
        agreement: Agreement,
        beside: tuple[AttachmentReference, ...],
    ) -> list[AttachmentReference]:
        if kind is AttachmentKind.MEDIATION_AGREEMENT:
            return [AttachmentReference(id=agreement.document, kind=kind, name="调解协议书")]
        held = [paper for paper in case.attachments if paper.kind is kind]
        if held or kind is AttachmentKind.IDENTITY_PROOF:
            return held
        filing = Filing(request.route, request, beside)
        make = application if kind is AttachmentKind.CONFIRMATION_APPLICATION else presided_proof
        return [await self._made(kind, make(case, agreement, filing), case.organization.code)]

    async def _made(self, kind: AttachmentKind, sheet: Sheet, owner: str) -> AttachmentReference:
        printed = await self._press.print(sheet)
        kept = await self._attachments.keep(owner, kind.value, printed.name, printed.data, printed.media_type)
        return AttachmentReference(id=kept.id, kind=kind, name=kept.name)
