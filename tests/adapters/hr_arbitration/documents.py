"""Documents and contexts for these tests: the samples, and what the samples do not have."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from contracts.adapter import AttachmentInfo, Context
from contracts.agreement import Agreement, Performance
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress
from contracts.confirmation import ConfirmationRequest, ConfirmationSupplement, ConfirmationWithdrawal
from contracts.document import Document
from contracts.mediator import Mediator
from contracts.message import Message
from contracts.messages import MessageType
from contracts.referral import Referral, ReferralAnswer, ReferralResult
from contracts.report import StatusReport
from contracts.transfer import Transfer

HERE = Path(__file__).parent
SAMPLES = HERE.parents[1] / "data" / "samples"
GOLDEN = HERE / "golden"
_Kind = TypeVar("_Kind", bound=Document)

DELIVERY = "dlv_01JB2Z9K7Q4N"
CONFIRMATION_ID = "cnf_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
AGREEMENT_ID = "agr_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
CASE_ID = "case_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
TRANSFER_ID = "trf_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
REFERRAL_ID = "ref_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
PAPER = "att_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
APPLICATION = "att_01JB2Z9K7Q4NBBBBBBBBBBBBBB"
IDENTITY = "att_01JB2Z9K7Q4NCCCCCCCCCCCCCC"


def made(kind: type[_Kind], /, **fields: Any) -> _Kind:
    """A document from the JSON of its fields."""
    return kind.model_validate_json(json.dumps({"schema_version": "1.0", **fields}))


def sample(kind: type[_Kind], name: str, /, **changes: Any) -> _Kind:
    """A document from its sample file, some fields changed."""
    fields = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    if "document" in fields:
        fields["document"] = PAPER
    return made(kind, **(fields | changes))


def attachment(number: str, kind: str) -> dict[str, str]:
    """A reference to an uploaded file."""
    return {"id": number, "kind": kind, "name": f"{kind}.pdf"}


WAGES = sample(Case, "POST cases - wages")
COLLECTIVE = sample(Case, "POST cases - collective, dispatch and using unit")
AGREEMENT = sample(Agreement, "POST cases {id} agreements - wages")
REQUEST = sample(ConfirmationRequest, "POST agreements {id} confirmations - arbitration review")
PROGRESS = sample(CaseProgress, "POST cases {id} progress - failed")
PERFORMANCE = sample(Performance, "POST agreements {id} performances - performed")
TRANSFER = sample(Transfer, "POST cases {id} transfers - to arbitration")
ALERT = sample(CollectiveAlert, "POST cases {id} alerts - collective")
CASE_WITH_PAPERS = sample(
    Case,
    "POST cases - wages",
    attachments=[attachment(APPLICATION, "confirmation_application"), attachment(IDENTITY, "identity_proof")],
)
SUPPLEMENT = made(
    ConfirmationSupplement,
    at="2026-10-08T09:00:00+08:00",
    note="补充身份证明",
    attachments=[attachment(IDENTITY, "identity_proof")],
)
WITHDRAWAL = made(ConfirmationWithdrawal, at="2026-10-09T09:00:00.5+08:00", reason="双方自行履行完毕")
MEDIATOR = made(
    Mediator,
    certificate_no="LDTJ-3701-2023-0456",
    certificate_valid_until="2028-12-31",
    name="李明",
    organization_code="SD-JN-LX-001",
    employment="full_time",
    sex="male",
    phone="13853100003",
    id_type="resident_id",
    id_number="370102199003071238",
    specialities=["工资"],
    active=True,
)
ANSWER = made(ReferralAnswer, answer="decline", at="2026-10-02T09:00:00+08:00", reason="不属于本组织管辖范围")
RESULT = made(
    ReferralResult,
    outcome="partly_agreed",
    at="2026-10-12T17:00:00+08:00",
    reason_code="agreement_reached",
    agreement=AGREEMENT_ID,
    report="双方就工资部分达成协议。",
)
REPORT = made(
    StatusReport,
    source_endpoint="court",
    source_platform="court_mediation",
    event_id="EV-77",
    about="confirmation",
    about_id=CONFIRMATION_ID,
    status="confirmed",
    raw_status="确认有效",
    at="2026-10-20T10:00:00+08:00",
    agreement_no="历下劳人调〔2026〕123号",
    document_no="（2026）鲁0102民特5号",
    case_no="（2026）鲁0102民特5号",
    note="裁定书已送达",
    references=[{"kind": "case_no", "value": "（2026）鲁0102民特5号"}],
)
REFERRAL = made(
    Referral,
    kind="arbitration_entrusted",
    endpoint="hr",
    task_no="WT370102202600017",
    organization_code="SD-JN-LX-001",
    due_at="2026-10-05T17:00:00+08:00",
    case={"facts": "拖欠工资"},
)
ATTACHMENTS = {
    number: AttachmentInfo(number, kind, f"{kind}.pdf", "application/pdf", 1000, sha256 * 64)
    for number, kind, sha256 in (
        (PAPER, "mediation_agreement", "a"),
        (APPLICATION, "confirmation_application", "b"),
        (IDENTITY, "identity_proof", "c"),
    )
}


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
    """A context in which everything is there; the case was registered."""
    values: dict[str, Any] = {
        "delivery": DELIVERY,
        "endpoint": "hr",
        "organization": WAGES.organization,
        "case_id": CASE_ID,
        "case": WAGES,
        "agreement_id": AGREEMENT_ID,
        "agreement": AGREEMENT,
        "confirmation_id": CONFIRMATION_ID,
        "confirmation": REQUEST,
        "registered_version": 1,
        "attachments": ATTACHMENTS,
    }
    return Context(**(values | changes))
