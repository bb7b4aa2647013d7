"""Which paper a matter can be printed as (文书): drafts before anything is filed, and what was filed once more, as Word too."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from contracts.case import Case, CaseProgress
from contracts.confirmation import ConfirmationRequest
from contracts.deadlines import Law
from contracts.lists import AttachmentKind, ConfirmationRoute
from contracts.messages import MessageType
from contracts.status import CASE_ENDS, CaseStatus
from gateway.flow.moving.context import Contexts
from gateway.flow.moving.documents import reopen
from gateway.flow.moving.order import Refused
from gateway.flow.printing.wording import (
    Filing,
    Sheet,
    application,
    performance_notice,
    presided_proof,
    termination_proof,
)
from gateway.store.casefile import CaseFile, Matter
from gateway.store.store import Store

PRINTABLE: Final[Mapping[str, frozenset[AttachmentKind]]] = MappingProxyType(
    {
        "case": frozenset({AttachmentKind.TERMINATION_PROOF}),
        "agreement": frozenset(
            {
                AttachmentKind.CONFIRMATION_APPLICATION,
                AttachmentKind.MEDIATION_PRESIDED_PROOF,
                AttachmentKind.PERFORMANCE_NOTICE,
            }
        ),
        "confirmation": frozenset({AttachmentKind.CONFIRMATION_APPLICATION, AttachmentKind.MEDIATION_PRESIDED_PROOF}),
    }
)
"""The papers of each kind of matter."""

_UNSETTLED: Final = frozenset(
    {CaseStatus.PARTLY_AGREED, CaseStatus.FAILED, CaseStatus.WITHDRAWN, CaseStatus.TERMINATED}
)


class Drafts:
    """Fills papers from what the store holds."""

    def __init__(self, store: Store, contexts: Contexts, law: Law) -> None:
        self._store = store
        self._contexts = contexts
        self._law = law

    async def sheet(
        self, file: CaseFile, matter: Matter, kind: AttachmentKind, route: ConfirmationRoute | None
    ) -> Sheet:
        """The paper of the matter, as its documents stand; of a confirmation as they stood when it was accepted.

        Args:
            route: for which confirmation the application of an agreement is drafted.

        Raises:
            Refused: 404 where the matter has no such paper, 409 ``paper_not_ready`` while it has not come so far.
        """
        if kind not in PRINTABLE.get(matter.kind, frozenset()):
            raise Refused(404, "not_found")
        if matter.kind == "case":
            return await self._ended(file, matter)
        if matter.kind == "confirmation":
            return await self._filed(matter, kind)
        case = await self._contexts.case_of(file)
        agreement = await self._contexts.agreement_of(file, matter)
        if case is None or agreement is None:
            raise Refused(409, "paper_not_ready")
        if kind is AttachmentKind.PERFORMANCE_NOTICE:
            return performance_notice(case, agreement, self._law)
        if kind is AttachmentKind.MEDIATION_PRESIDED_PROOF:
            return presided_proof(case, agreement, Filing(ConfirmationRoute.JUDICIAL_CONFIRMATION))
        if route is None:
            raise Refused(400, "parameter", extra={"parameter": "route"})
        return application(case, agreement, Filing(route))

    async def _filed(self, matter: Matter, kind: AttachmentKind) -> Sheet:
        message, context = await self._contexts.make(matter.message, matter.subject, "", "")
        request, case, agreement = message.document, context.case, context.agreement
        if not isinstance(request, ConfirmationRequest) or case is None or agreement is None:
            raise Refused(409, "paper_not_ready")
        make = application if kind is AttachmentKind.CONFIRMATION_APPLICATION else presided_proof
        return make(case, agreement, Filing(request.route, request, request.attachments))

    async def _ended(self, file: CaseFile, matter: Matter) -> Sheet:
        case = await self._contexts.case_of(file)
        ends = []
        for row in await self._store.rows("messages_of", file.subject):
            if row["type"] == MessageType.CASE_PROGRESSED:
                document = reopen(self._store, row)
                if isinstance(document, CaseProgress) and document.status in CASE_ENDS:
                    ends.append(document)
        if not isinstance(case, Case) or not ends or ends[-1].status not in _UNSETTLED:
            raise Refused(409, "paper_not_ready")
        if matter.status == CaseStatus.AGREED:
            raise Refused(409, "paper_not_ready")
        return termination_proof(case, ends[-1])
