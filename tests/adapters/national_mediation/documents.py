"""The canonical documents that these tests translate: the contract's samples, and synthetic ones where it has none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from contracts.adapter import AttachmentInfo, Context, ExternalReference
from contracts.case import Case
from contracts.confirmation import ConfirmationRequest
from contracts.document import Document
from contracts.message import Message
from contracts.messages import MessageType
from contracts.referral import Referral, ReferralAnswer, ReferralResult
from contracts.report import StatusReport
from contracts.statistics import StatisticalReport
from tests.adapters.samples import (
    AGREEMENT_ID,
    CASE_ID,
    PAPER,
    agreement,
    fields_of,
    made,
    performance,
    progress,
)

__all__ = [
    "AGREEMENT_ID",
    "AT",
    "CASE_ID",
    "ENDPOINT",
    "MESSAGE",
    "PAPER",
    "REFERRAL_ID",
    "REPORT_ID",
    "SENT",
    "TASK_NO",
    "THEIR_AGREEMENT",
    "THEIR_CASE",
    "THEIR_REFERRAL",
    "agreement",
    "answer",
    "collective",
    "context",
    "fields_of",
    "file",
    "file_of",
    "handed_over",
    "judicial",
    "made",
    "message",
    "new",
    "performance",
    "progress",
    "reference",
    "referral",
    "report",
    "result",
    "statistics",
    "wages",
]

ENDPOINT = "national"
MESSAGE = "msg_01K6EXAMPLE0000000000000A"
REFERRAL_ID = "ref_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
REPORT_ID = "rpt_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
THEIR_CASE, THEIR_AGREEMENT, THEIR_REFERRAL = "C2026091700000042", "A2026092500000007", "R2026091500000003"
TASK_NO = "国转〔2026〕370102第3号"
AT = datetime(2026, 9, 30, 1, 2, 3, tzinfo=UTC)


def wages(**changes: Any) -> Case:
    """Wages, one applicant with an agent, one respondent."""
    return made(Case, **(fields_of("POST cases - wages") | changes))


def collective(**changes: Any) -> Case:
    """Twenty-three workers against a dispatching and a using unit."""
    return made(Case, **(fields_of("POST cases - collective, dispatch and using unit") | changes))


def judicial() -> ConfirmationRequest:
    """The application for judicial confirmation."""
    return made(ConfirmationRequest, **fields_of("POST agreements {id} confirmations - judicial confirmation"))


def report(about: str = "confirmation", status: str = "confirmed", **changes: Any) -> StatusReport:
    """A word of the court."""
    fields = {
        "source_endpoint": "court",
        "source_platform": "court_mediation",
        "event_id": "E1",
        "about": about,
        "about_id": "cnf_01JB2Z9K7Q4NAAAAAAAAAAAAAA",
        "status": status,
        "raw_status": "5",
        "at": "2026-10-20T10:00:00+08:00",
    }
    return made(StatusReport, **(fields | changes))


def referral(**changes: Any) -> Referral:
    """A case that this platform handed over."""
    fields = {
        "kind": "national_platform",
        "endpoint": ENDPOINT,
        "task_no": TASK_NO,
        "organization_code": "SD-JN-LX-001",
        "due_at": "2026-09-18T01:30:00Z",
        "case": {"facts": "拖欠工资三个月。"},
        "external_refs": [{"kind": "referral_id", "value": THEIR_REFERRAL}],
    }
    return made(Referral, **(fields | changes))


def answer(**changes: Any) -> ReferralAnswer:
    """The organisation takes the case."""
    return made(ReferralAnswer, **({"answer": "accept", "at": "2026-09-16T10:00:00+08:00"} | changes))


def result(**changes: Any) -> ReferralResult:
    """It ended with an agreement."""
    fields = {
        "outcome": "agreed",
        "at": "2026-09-26T10:00:00+08:00",
        "agreement": AGREEMENT_ID,
        "report": "已达成协议。",
    }
    return made(ReferralResult, **(fields | changes))


def statistics(**changes: Any) -> StatisticalReport:
    """The figures of the third quarter: seven cases, wages five of them."""
    counts = dict.fromkeys(("D1", "D2", "D4", "D9", "O1", "O2", "O4", "O9", "R2", "R4", "C1", "C2"), 0)
    counts |= {"A01": 7, "D3": 5, "D5": 2, "O3": 7, "R1": 3, "R3": 1, "R0": 4, "C3": 7}
    items = [{"code": code, "value": value} for code, value in counts.items()]
    fields = {
        "organization_code": "SD-JN-LX-001",
        "period": {"from": "2026-07-01", "to": "2026-09-30"},
        "version": 2,
        "definition_version": "MA1-2026.1",
        "items": [*items, {"code": "M1", "value": "18600.50"}, {"code": "N01", "value": 9}],
    }
    return made(StatisticalReport, **(fields | changes))


def file(media_type: str = "application/pdf", size: int = 10) -> AttachmentInfo:
    """What the upload told of the paper."""
    return AttachmentInfo(PAPER, "mediation_agreement", "王建国协议.pdf", media_type, size, "0" * 64)


def file_of(data: bytes) -> AttachmentInfo:
    """What the upload told of these bytes."""
    digest = hashlib.sha256(data).hexdigest()
    return AttachmentInfo(PAPER, "mediation_agreement", "王建国协议.pdf", "application/pdf", len(data), digest)


def reference(kind: str, value: str, about: str) -> ExternalReference:
    """A number that the platform gave."""
    return ExternalReference(kind, value, about)


def message(kind: MessageType, document: Document, about: str = CASE_ID) -> Message:
    """A message of today."""
    return Message(MESSAGE, kind, CASE_ID, about, 1, "up", "cor_1", AT, document)


def context(**changes: Any) -> Context:
    """All that an endpoint knows which was delivered everything."""
    known = Context(
        delivery="dlv_01JB2Z9K7Q4N",
        endpoint=ENDPOINT,
        case_id=CASE_ID,
        case=wages(),
        agreement_id=AGREEMENT_ID,
        agreement=agreement(),
        registered_version=1,
        references=(
            ExternalReference("platform_no", THEIR_CASE, CASE_ID),
            ExternalReference("agreement_id", THEIR_AGREEMENT, AGREEMENT_ID),
        ),
        attachments={PAPER: file()},
    )
    return replace(known, **changes)


def new(**changes: Any) -> Context:
    """An endpoint that was delivered nothing yet."""
    return context(**({"registered_version": None, "references": ()} | changes))


def handed_over(**changes: Any) -> Context:
    """Of a case that this platform handed over."""
    return context(**({"referral": referral(), "referral_id": REFERRAL_ID} | changes))


SENT: Mapping[MessageType, tuple[Document, Context, str]] = {
    MessageType.CASE_SUBMITTED: (wages(), new(), CASE_ID),
    MessageType.CASE_REVISED: (wages(), context(), CASE_ID),
    MessageType.CASE_PROGRESSED: (progress(), context(), CASE_ID),
    MessageType.AGREEMENT_CONCLUDED: (agreement(), context(), AGREEMENT_ID),
    MessageType.AGREEMENT_PERFORMED: (performance(), context(), AGREEMENT_ID),
    MessageType.REFERRAL_ANSWERED: (answer(), handed_over(case=None), REFERRAL_ID),
    MessageType.REFERRAL_RETURNED: (result(), handed_over(), REFERRAL_ID),
    MessageType.STATISTICS_REPORTED: (statistics(), context(case=None), REPORT_ID),
    MessageType.STATUS_REPORTED: (report(), context(confirmation=judicial()), CASE_ID),
}
"""One message of every type that the platform takes."""
