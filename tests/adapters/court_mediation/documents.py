"""Documents and contexts for these tests: the samples, and what the samples do not have."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from contracts.adapter import AttachmentInfo, Context, ExternalReference
from contracts.agreement import Agreement, Performance
from contracts.case import Case
from contracts.confirmation import ConfirmationRequest, ConfirmationSupplement, ConfirmationWithdrawal
from contracts.document import Document
from contracts.mediator import Mediator
from contracts.message import Message
from contracts.messages import MessageType
from contracts.referral import Referral, ReferralAnswer, ReferralResult
from contracts.transfer import Transfer

HERE = Path(__file__).parent
SAMPLES = HERE.parents[1] / "data" / "samples"
GOLDEN = HERE / "golden"
_Kind = TypeVar("_Kind", bound=Document)

ENDPOINT = "court"
DELIVERY = "dlv_01JB2Z9K7Q4N"
CASE_ID = "case_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
AGREEMENT_ID = "agr_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
CONFIRMATION_ID = "cnf_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
TRANSFER_ID = "trf_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
REFERRAL_ID = "ref_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
PAPER = "att_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
APPLICATION = "att_01JB2Z9K7Q4NBBBBBBBBBBBBBB"
PROOF = "att_01JB2Z9K7Q4NCCCCCCCCCCCCCC"
IDENTITY = "att_01JB2Z9K7Q4NDDDDDDDDDDDDDD"
UUID = "6F1C0C5A0B7E4D7C9D0E11AA22BB33CC"
COURT = {"kind": "court", "code": "鲁0102", "name": "济南市历下区人民法院"}


def made(kind: type[_Kind], /, **fields: Any) -> _Kind:
    """A document from the JSON of its fields."""
    return kind.model_validate_json(json.dumps({"schema_version": "1.0", **fields}))


def sample(kind: type[_Kind], name: str, /, **changes: Any) -> _Kind:
    """A document from its sample file, some fields changed."""
    fields = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    if "document" in fields:
        fields["document"] = PAPER
    return made(kind, **(fields | changes))


def wages(**changes: Any) -> Case:
    """The sample case of one cook."""
    return sample(Case, "POST cases - wages", **changes)


def agreement(**changes: Any) -> Agreement:
    """The sample agreement of that case."""
    return sample(Agreement, "POST cases {id} agreements - wages", **changes)


def request(**changes: Any) -> ConfirmationRequest:
    """The sample application to the court."""
    return sample(ConfirmationRequest, "POST agreements {id} confirmations - judicial confirmation", **changes)


def transfer(**changes: Any) -> Transfer:
    """The sample transfer, to the court."""
    name = "POST cases {id} transfers - to arbitration"
    return sample(Transfer, name, **({"to": "court", "authority": COURT} | changes))


def attachment(number: str, kind: str) -> dict[str, str]:
    """A reference to an uploaded file."""
    return {"id": number, "kind": kind, "name": f"{kind}.pdf"}


WAGES = wages()
WAGES_OF_TASK = wages(referral=REFERRAL_ID)
COLLECTIVE = sample(Case, "POST cases - collective, dispatch and using unit")
AGREEMENT = agreement()
REQUEST = request()
PAPERS = [
    attachment(APPLICATION, "confirmation_application"),
    attachment(PROOF, "mediation_presided_proof"),
    attachment(IDENTITY, "identity_proof"),
]
REQUEST_WITH_PAPERS = request(attachments=PAPERS)
PERFORMANCE = sample(Performance, "POST agreements {id} performances - performed")
TRANSFER = transfer()
SUPPLEMENT = made(
    ConfirmationSupplement,
    at="2026-10-12T09:00:00+08:00",
    note="补充身份证明",
    attachments=[attachment(IDENTITY, "identity_proof")],
)
WITHDRAWAL = made(ConfirmationWithdrawal, at="2026-10-13T09:00:30+08:00", reason="双方自行履行完毕")
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
ANSWER = made(ReferralAnswer, answer="accept", at="2026-09-28T10:02:03+08:00")
DECLINED = made(ReferralAnswer, answer="decline", at="2026-09-28T10:02:00+08:00", reason="不属于本组织管辖范围")
RESULT = made(
    ReferralResult,
    outcome="agreed",
    at="2026-10-12T17:00:00+08:00",
    reason_code="agreement_reached",
    agreement=AGREEMENT_ID,
    report="双方就工资达成协议。",
)
FAILED = made(ReferralResult, outcome="failed", at="2026-10-12T17:00:00+08:00", report="双方分歧较大。")
REFERRAL = made(
    Referral,
    kind="court_delegated",
    endpoint=ENDPOINT,
    task_no="WP20260928000123",
    authority=COURT,
    organization_code="SD-JN-LX-001",
    due_at="2026-10-05T17:00:00+08:00",
    case={"facts": "拖欠工资"},
)
ATTACHMENTS = {
    number: AttachmentInfo(number, kind, f"{name}.pdf", "application/pdf", 1000, digit * 64)
    for number, kind, name, digit in (
        (PAPER, "mediation_agreement", "调解协议书", "a"),
        (APPLICATION, "confirmation_application", "司法确认申请书", "b"),
        (PROOF, "mediation_presided_proof", "主持调解证明", "c"),
        (IDENTITY, "identity_proof", "身份证", "d"),
    )
}
APPLICATION_NO = ExternalReference("platform_no", UUID, CONFIRMATION_ID)


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
    """A context in which everything is there."""
    values: dict[str, Any] = {
        "delivery": DELIVERY,
        "endpoint": ENDPOINT,
        "organization": WAGES.organization,
        "case_id": CASE_ID,
        "case": WAGES,
        "agreement_id": AGREEMENT_ID,
        "agreement": AGREEMENT,
        "confirmation_id": CONFIRMATION_ID,
        "confirmation": REQUEST,
        "references": (APPLICATION_NO,),
        "attachments": ATTACHMENTS,
    }
    return Context(**(values | changes))
