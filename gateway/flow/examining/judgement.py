"""What is known when a document comes in, and which decision it leads to."""

from __future__ import annotations

from datetime import datetime

from contracts.agreement import Agreement, Performance
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress, FollowUp
from contracts.confirmation import ConfirmationRequest, ConfirmationSupplement, ConfirmationWithdrawal
from contracts.deadlines import Law, latest_safe_time
from contracts.document import Document
from contracts.findings import Code, Finding
from contracts.lists import TransferTo
from contracts.mediator import Mediator
from contracts.messages import MESSAGE_TYPES, MessageType
from contracts.moments import from_ms
from contracts.referral import Referral, ReferralAnswer, ReferralResult
from contracts.status import Noun
from contracts.transfer import Transfer
from gateway.flow.decisions import agreements, cases, confirmations, referrals, transfers
from gateway.flow.decisions.cases import comes_of
from gateway.flow.decisions.keys import origin_key
from gateway.flow.examining.duplicates import Duplicates
from gateway.flow.examining.forms import Forms
from gateway.flow.moving.context import Contexts
from gateway.flow.moving.documents import reopen
from gateway.flow.moving.order import Decision, Known, Order, Refused
from gateway.store.casefile import Matter
from gateway.store.store import Store


class Judgement:
    """Reads what a decision needs, checks whose it is, and calls the decision."""

    def __init__(self, store: Store, contexts: Contexts, forms: Forms, law: Law | None = None) -> None:
        self._store = store
        self._contexts = contexts
        self._forms = forms
        self._law = law if law is not None else Law()
        self._duplicates = Duplicates(store, contexts)

    async def known(self, order: Order, document: Document | None) -> Known:
        """The file of the target and the documents that hang together in it.

        Raises:
            Refused: 404 for a thing that is not there, not of the kind that is asked for, or not the caller's (the same
                answer), 403 for a foreign organisation in the document itself.
        """
        known = Known(law=self._law)
        if isinstance(document, Case) and order.target is None:
            self._mine(order, document.organization.code, "/organization/code")
            await self._add_origin(known, document.referral)
            return known
        if isinstance(document, Mediator):
            await self._known_mediator(order, document, known)
            return known
        file = await self._store.load_of_matter(order.target or "")
        if file is None or not order.principal.acts_for(file.organization):
            raise Refused(404, "not_found")
        known.file, known.target = file, file.matters.get(order.target or "")
        if known.target is None or known.target.kind != _target_kind(order):
            raise Refused(404, "not_found")
        known.case = await self._contexts.case_of(file)
        if known.case is not None:
            await self._add_referral(known, known.case.referral)
        await self._add_chain(known, known.target)
        return known

    @staticmethod
    def _mine(order: Order, organization: str, pointer: str) -> None:
        if not order.principal.acts_for(organization):
            told = Finding.of(pointer, Code.ORGANIZATION_FOREIGN).as_error()
            # No finding of the document: what it says may be right, and is not this caller's to say.
            raise Refused(403, Code.ORGANIZATION_FOREIGN, extra={"errors": [told], "warnings": []})

    async def _known_mediator(self, order: Order, mediator: Mediator, known: Known) -> None:
        self._mine(order, mediator.organization_code, "/organization_code")
        if order.target is not None and order.target != mediator.certificate_no:
            raise Refused(422, "certificate_no_differs", extra={"field": "/certificate_no"})
        rows = await self._store.rows("organization_known", mediator.organization_code)
        if not rows:
            raise _refuse(Code.ORGANIZATION_UNKNOWN, "/organization_code")
        row = await self._store.row("find_matter", "mediator", mediator.certificate_no)
        if row is not None:
            known.file = await self._store.load(row["subject"])
            known.target = None if known.file is None else known.file.matters.get(row["id"])
            if known.target is not None:
                # a certificate changes hands by whoever acts for both
                self._mine(order, known.target.organization, "/certificate_no")

    async def _add_referral(self, known: Known, referral_id: str | None) -> None:
        if referral_id is None:
            return
        known.referral_file = await self._store.load(referral_id)
        matter = None if known.referral_file is None else known.referral_file.matters.get(referral_id)
        if matter is not None:
            document = await self._document(matter)
            known.referral = document if isinstance(document, Referral) else None

    async def _add_origin(self, known: Known, referral_id: str | None) -> None:
        """The referral that a case is said to come from for the first time, and the case that it has already."""
        if referral_id is not None:
            holder = await self._store.row("read_key", "", origin_key(referral_id))
            known.referral_case = None if holder is None else holder["about"]
            await self._add_referral(known, referral_id)

    async def complete(self, order: Order, document: Document, known: Known) -> None:
        """What else the document names, beside what it is appended to: the referral that a case is now said to come from, the
        agreement of a referral's result.

        Raises:
            Refused: the agreement is none of the case that came of the referral.
            Unsound: the field that names it is not sound.
        """
        if isinstance(document, Case) and order.revises:
            await self._add_origin(known, comes_of(document, known))
        if isinstance(document, ReferralResult):
            await self._add_result(known, document)

    async def _add_chain(self, known: Known, target: Matter) -> None:
        document = await self._document(target)
        if isinstance(document, Referral):
            known.referral = document
        if isinstance(document, ConfirmationRequest):
            known.confirmation = document
        if isinstance(document, Agreement):
            known.agreement, known.agreement_id = document, target.id
        elif target.parent is not None and known.file is not None and target.parent in known.file.matters:
            parent = known.file.matters[target.parent]
            held = await self._document(parent)
            if isinstance(held, Agreement):
                known.agreement, known.agreement_id = held, parent.id

    async def _document(self, matter: Matter) -> Document | None:
        row = await self._store.row("message", matter.message)
        return None if row is None else reopen(self._store, row)

    async def decide(self, order: Order, document: Document, known: Known, about: str, message_id: str) -> Decision:
        """The decision of the document's kind."""
        now = from_ms(self._store.now_ms())
        match document:
            case Case() if order.type is MessageType.CASE_SUBMITTED:
                decision = cases.submitted(document, known, about, message_id)
                decision.tasks += await self._duplicates.tasks(document, about)
                return decision
            case Case():
                decision = cases.revised(document, known, message_id, order.if_match)
                decision.tasks += await self._duplicates.tasks(document, about)
                return decision
            case CaseProgress():
                return cases.progressed(document, known)
            case CollectiveAlert():
                return cases.alerted(document, known)
            case FollowUp():
                return cases.followed_up(document, known)
            case Agreement():
                return agreements.concluded(document, known, about, message_id, now, order.if_match)
            case Performance():
                return agreements.performed(document, known, message_id)
            case ConfirmationRequest():
                decision = confirmations.requested(document, known, about, message_id, order.if_match)
                decision.document = await self._forms.complete(document, known)
                return decision
            case ConfirmationSupplement():
                decision = confirmations.supplemented(document, known)
                decision.safe_at = await self._correction_due(known)
                return decision
            case ConfirmationWithdrawal():
                return confirmations.withdrawal_requested(document, known)
            case Transfer():
                decision = transfers.requested(document, known, about, message_id, now, order.if_match)
                decision.safe_at = await self._limitation(known, document)
                return decision
            case Mediator():
                return transfers.listed(document, known, about, message_id, order.if_match)
            case ReferralAnswer():
                return referrals.answered(document, known)
            case ReferralResult():
                return referrals.returned(document, known)
        raise TypeError(f"nobody decides about {type(document).__name__}")

    async def _correction_due(self, known: Known) -> datetime | None:
        """The latest safe time of a supplement: the date that the platform set, less the margin."""
        if known.file is None or known.target is None:
            return None
        dues = [
            row["due_at"]
            for row in await self._store.rows("tasks_of", known.file.subject)
            if row["kind"] == "correction_due" and row["about"] == known.target.id and row["due_at"] is not None
        ]
        return latest_safe_time(from_ms(dues[-1]), self._law.safe_margin) if dues else None

    async def _limitation(self, known: Known, transfer: Transfer) -> datetime | None:
        """The latest safe time of a transfer to arbitration: the end of the limitation (D13), where it is known."""
        if known.file is None or transfer.to is not TransferTo.ARBITRATION:
            return None
        for row in await self._store.rows("clocks_of", known.file.subject):
            if row["rule"] == "D13" and row["about"] == known.file.subject and row["state"] == "running":
                return from_ms(row["safe_at"])
        return None

    async def _add_result(self, known: Known, result: ReferralResult) -> None:
        """The agreement that a result names lies in the case that came of the referral."""
        if result.agreement is None or known.target is None:
            return
        file = await self._store.load_of_matter(result.agreement)
        case = None if file is None else await self._contexts.case_of(file)
        matter = None if file is None else file.matters.get(result.agreement)
        if matter is None or matter.kind != "agreement" or case is None or case.referral != known.target.id:
            raise _refuse(Code.REFERRAL_NOT_ACCEPTED, "/agreement")
        known.agreement_file, known.agreement_id = file, result.agreement
        document = await self._document(matter)
        known.agreement = document if isinstance(document, Agreement) else None


def _refuse(code: Code, pointer: str) -> Refused:
    return Refused(422, code, (Finding.of(pointer, code),))


def _target_kind(order: Order) -> str:
    """Of what kind the thing must be that a document is appended to, or whose new version it is."""
    row = MESSAGE_TYPES[order.type]
    kind = row.opens if order.revises else row.appended_to
    return (kind or Noun.CASE).value
