"""The canonical documents that these tests translate: the contract's samples, and synthetic ones where it has none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from contracts.adapter import Context
from contracts.agreement import Agreement, Performance
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress, Organization
from contracts.document import Document
from contracts.mediator import Mediator
from contracts.message import Message
from contracts.messages import MessageType
from contracts.referral import Referral, ReferralAnswer, ReferralResult
from contracts.report import StatusReport
from contracts.transfer import Transfer

from .platform import ENDPOINT, ORGANIZATION

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
DELIVERY = "dlv_01JB2Z9K7Q4N"
TASK_NO = "37010220260917000045"

D = TypeVar("D", bound=Document)


def sample(kind: type[D], name: str) -> D:
    """One of the contract's samples."""
    text = (SAMPLES / f"{name}.json").read_text(encoding="utf-8")
    return kind.model_validate_json(text.replace("att_REPLACE_WITH_UPLOADED", "att_01JB2Z9K7Q4N"))


def changed(document: D, **values: Any) -> D:
    """The document with other values, validated."""
    return type(document).model_validate_json(document.model_copy(update=values).model_dump_json(exclude_none=True))


def case() -> Case:
    """Wages, one applicant, one respondent."""
    return sample(Case, "POST cases - wages")


def collective() -> Case:
    """Collective, dispatch and using unit."""
    return sample(Case, "POST cases - collective, dispatch and using unit")


def agreement() -> Agreement:
    """On the case of wages."""
    return sample(Agreement, "POST cases {id} agreements - wages")


def progress() -> CaseProgress:
    """Failed."""
    return sample(CaseProgress, "POST cases {id} progress - failed")


def performance() -> Performance:
    """Of the first term."""
    return sample(Performance, "POST agreements {id} performances - performed")


def transfer() -> Transfer:
    """To arbitration."""
    return sample(Transfer, "POST cases {id} transfers - to arbitration")


def alert() -> CollectiveAlert:
    """On the collective case."""
    return sample(CollectiveAlert, "POST cases {id} alerts - collective")


def mediator() -> Mediator:
    """Of the organisation of the case of wages."""
    return Mediator.model_validate_json(
        """{"schema_version": "1.0", "certificate_no": "LDTJ-3701-2023-0456", "certificate_valid_until": "2029-12-31",
        "name": "李明", "organization_code": "SD-JN-LX-001", "employment": "full_time", "sex": "male",
        "phone": "13853100003", "specialities": ["劳动报酬"], "active": true}"""
    )


def referral(**values: Any) -> Referral:
    """An assignment of this endpoint."""
    found = Referral.model_validate_json(
        f"""{{"schema_version": "1.0", "kind": "one_stop_assigned", "endpoint": "{ENDPOINT}", "task_no": "{TASK_NO}",
        "letter_no": "ZP-2026-0045", "organization_code": "{ORGANIZATION}", "due_at": "2026-09-20T17:00:00+08:00",
        "case": {{"facts": "拖欠工资"}}}}"""
    )
    return changed(found, **values)


def answer(**values: Any) -> ReferralAnswer:
    """签收, or what ``values`` make of it."""
    found = ReferralAnswer.model_validate_json(
        '{"schema_version": "1.0", "answer": "accept", "at": "2026-09-18T10:00:00+08:00"}'
    )
    return changed(found, **values)


def result(**values: Any) -> ReferralResult:
    """Agreed."""
    found = ReferralResult.model_validate_json(
        """{"schema_version": "1.0", "outcome": "agreed", "at": "2026-09-25T10:00:00+08:00",
        "reason_code": "agreement_reached", "agreement": "agr_01JB2Z9K7Q4N", "report": "双方自愿达成调解协议。"}"""
    )
    return changed(found, **values)


def report(**values: Any) -> StatusReport:
    """A court confirmed."""
    found = StatusReport.model_validate_json(
        """{"schema_version": "1.0", "source_endpoint": "court_jn", "source_platform": "court_mediation",
        "event_id": "EV-2026-00017", "about": "confirmation", "about_id": "cnf_01JB2Z9K7Q4N", "status": "confirmed",
        "raw_status": "3", "at": "2026-10-20T11:00:00+08:00", "document_no": "（2026）鲁0102民特12号",
        "case_no": "（2026）鲁0102诉前调确7号", "note": "裁定确认调解协议有效"}"""
    )
    return changed(found, **values)


def message(kind: MessageType, document: Document, about: str = "case_01JB2Z9K7Q4N") -> Message:
    """The envelope."""
    return Message(
        id="msg_01JB2Z9K7Q4N",
        type=kind,
        subject="case_01JB2Z9K7Q4N",
        about=about,
        version=1,
        source="upstream",
        correlation="cor_1",
        created_at=datetime(2026, 9, 30, 9, 5, tzinfo=UTC),
        document=document,
    )


def context(of: Case | None = None, **values: Any) -> Context:
    """The context of a message about that case."""
    found = Context(
        delivery=DELIVERY,
        endpoint=ENDPOINT,
        organization=of.organization if of else None,
        case_id="case_01JB2Z9K7Q4N" if of else None,
        case=of,
    )
    return replace(found, **values)


def organization() -> Organization:
    """That of the case of wages."""
    return case().organization
