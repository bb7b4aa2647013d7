"""Which document class each message type carries, and how kept bytes become a document again."""

from __future__ import annotations

from datetime import UTC, datetime

from contracts.agreement import Agreement, Performance
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress, FollowUp
from contracts.confirmation import ConfirmationRequest, ConfirmationSupplement, ConfirmationWithdrawal
from contracts.document import Document
from contracts.mediator import Mediator
from contracts.message import Message
from contracts.messages import MessageType
from contracts.referral import Referral, ReferralAnswer, ReferralResult
from contracts.report import StatusReport
from contracts.statistics import StatisticalReport
from contracts.transfer import Transfer
from gateway.store.engine import Row
from gateway.store.places import of_document
from gateway.store.store import Store

DOCUMENTS: dict[MessageType, type[Document]] = {
    MessageType.CASE_SUBMITTED: Case,
    MessageType.CASE_REVISED: Case,
    MessageType.CASE_PROGRESSED: CaseProgress,
    MessageType.CASE_ALERTED: CollectiveAlert,
    MessageType.CASE_FOLLOWED_UP: FollowUp,
    MessageType.AGREEMENT_CONCLUDED: Agreement,
    MessageType.AGREEMENT_PERFORMED: Performance,
    MessageType.CONFIRMATION_REQUESTED: ConfirmationRequest,
    MessageType.CONFIRMATION_SUPPLEMENTED: ConfirmationSupplement,
    MessageType.CONFIRMATION_WITHDRAWAL_REQUESTED: ConfirmationWithdrawal,
    MessageType.TRANSFER_REQUESTED: Transfer,
    MessageType.REFERRAL_ANSWERED: ReferralAnswer,
    MessageType.REFERRAL_RETURNED: ReferralResult,
    MessageType.MEDIATOR_LISTED: Mediator,
    MessageType.STATISTICS_REPORTED: StatisticalReport,
    MessageType.REFERRAL_OFFERED: Referral,
    MessageType.STATUS_REPORTED: StatusReport,
}
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
        created_at=datetime.fromtimestamp(row["created_at"] / 1000, UTC),
        document=reopen(store, row),
    )
