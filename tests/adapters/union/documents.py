"""The canonical documents that these tests translate: the contract's samples, and synthetic ones where it has none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from contracts.adapter import Context
from contracts.agreement import Agreement, Performance
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress
from contracts.document import Document
from contracts.message import Message
from contracts.messages import MessageType
from contracts.referral import Referral, ReferralAnswer, ReferralResult
from contracts.transfer import Transfer
from tests.adapters.samples import AGREEMENT_ID, CASE_ID, fields_of, made

from .platform import ENDPOINT

__all__ = ["AGREEMENT_ID", "CASE_ID", "fields_of", "made"]

GOLDEN = Path(__file__).parent / "golden"
DELIVERY = "dlv_01JB2Z9K7Q4N"
TRANSFER_ID = "trf_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
REFERRAL_ID = "ref_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
TASK_NO = "YJ3701022026000045"

_Kind = TypeVar("_Kind", bound=Document)


def sample(kind: type[_Kind], name: str, /, **changes: Any) -> _Kind:
    """A document from its sample, some fields changed."""
    return made(kind, **(fields_of(name) | changes))


def wages(**changes: Any) -> Case:
    """Wages, one applicant with an agent, one respondent."""
    return sample(Case, "POST cases - wages", **changes)


def with_person(**changes: Any) -> Case:
    """The case of wages, some fields of its applicant changed."""
    person, employer = fields_of("POST cases - wages")["parties"]
    return wages(parties=[person | changes, employer])


def with_employer(**changes: Any) -> Case:
    """The case of wages, some fields of its respondent changed."""
    person, employer = fields_of("POST cases - wages")["parties"]
    return wages(parties=[person, employer | changes])


COLLECTIVE = sample(Case, "POST cases - collective, dispatch and using unit")
WAGES = wages()
AGREEMENT = sample(Agreement, "POST cases {id} agreements - wages")
PROGRESS = sample(CaseProgress, "POST cases {id} progress - failed")
PERFORMANCE = sample(Performance, "POST agreements {id} performances - performed")
TRANSFER = sample(
    Transfer,
    "POST cases {id} transfers - to arbitration",
    to="legal_aid",
    authority={"kind": "legal_aid_center", "code": "370102FY", "name": "济南市历下区法律援助中心"},
)
ALERT = sample(CollectiveAlert, "POST cases {id} alerts - collective")
ACCEPTED = made(ReferralAnswer, answer="accept", at="2026-10-02T09:00:00+08:00")
DECLINED = made(ReferralAnswer, answer="decline", at="2026-10-02T09:00:00+08:00", reason="不属于本组织管辖范围")
RESULT = made(
    ReferralResult,
    outcome="partly_agreed",
    at="2026-10-12T17:00:00+08:00",
    reason_code="agreement_reached",
    agreement=AGREEMENT_ID,
    report="双方就工资部分达成协议。",
)
FAILED = made(
    ReferralResult,
    outcome="failed",
    at="2026-10-12T17:00:00+08:00",
    reason_code="large_divergence",
    report="双方分歧较大。",
)


def referral(**changes: Any) -> Referral:
    """A case that the union handed over at this endpoint."""
    values: dict[str, Any] = {
        "kind": "union_handed_over",
        "endpoint": ENDPOINT,
        "task_no": TASK_NO,
        "organization_code": "SD-JN-LX-001",
        "due_at": "2026-10-05T17:00:00+08:00",
        "case": {"facts": "拖欠工资"},
    }
    return made(Referral, **(values | changes))


def message(kind: MessageType, document: Document, about: str = CASE_ID) -> Message:
    """A message around a document."""
    return Message(
        id="msg_01JB2Z9K7Q4NAAAAAAAAAAAAAA",
        type=kind,
        subject=CASE_ID,
        about=about,
        version=1,
        source="client",
        correlation="cor_1",
        created_at=datetime(2026, 9, 30, 9, 0, tzinfo=UTC),
        document=document,
    )


def context(**changes: Any) -> Context:
    """A context in which the case and its agreement are there; the case was not yet taken."""
    values: dict[str, Any] = {
        "delivery": DELIVERY,
        "endpoint": ENDPOINT,
        "organization": WAGES.organization,
        "case_id": CASE_ID,
        "case": WAGES,
        "agreement_id": AGREEMENT_ID,
        "agreement": AGREEMENT,
    }
    return Context(**(values | changes))
