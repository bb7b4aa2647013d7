"""Documents for the toys: the samples, and messages and contexts around them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from contracts.adapter import AttachmentInfo, Context
from contracts.agreement import Agreement
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress
from contracts.confirmation import ConfirmationRequest
from contracts.conformance import Sample
from contracts.document import Document
from contracts.message import Message
from contracts.messages import MessageType

_SAMPLES = Path(__file__).parents[1] / "data" / "samples"
_TAIL = "AAAAAAAAAAAAAAAAAAAAAA"
CASE_ID, AGREEMENT_ID, CONFIRMATION_ID = (f"{kind}_0001{_TAIL}" for kind in ("case", "agr", "cnf"))
PAPER = f"att_0001{_TAIL}"
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"

_Kind = TypeVar("_Kind", bound=Document)


def raw(name: str, **changes: Any) -> bytes:
    """A sample's bytes, some fields changed."""
    fields = json.loads((_SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return json.dumps(fields | changes, ensure_ascii=False).encode()


def case(number: str = "370102-LX001-2026-00123", **changes: Any) -> bytes:
    """A case of that number."""
    return raw("POST cases - wages", source_case_no=number, **changes)


def progress(status: str = "mediating", at: str = "2026-09-20T09:00:00+08:00", **changes: Any) -> bytes:
    """A step of a case."""
    return json.dumps({"schema_version": "1.0", "status": status, "at": at} | changes, ensure_ascii=False).encode()


def agreement(document: str = PAPER, **changes: Any) -> bytes:
    """The agreement on the wages."""
    return raw("POST cases {id} agreements - wages", document=document, **changes)


def alert(**changes: Any) -> bytes:
    """An alert about a collective dispute."""
    return raw("POST cases {id} alerts - collective", **changes)


def confirmation(**changes: Any) -> bytes:
    """A request for arbitration review."""
    return raw("POST agreements {id} confirmations - arbitration review", **changes)


def _sample(kind: type[_Kind], data: bytes) -> _Kind:
    return kind.model_validate_json(data)


_CASE = _sample(Case, case())
_LONG = _sample(Case, case("370102-LX001-2026-00124", facts="自2026年6月起未付工资，" * 40))
_AGREEMENT = _sample(Agreement, agreement())
_REQUEST = _sample(ConfirmationRequest, confirmation())
ATTACHMENTS = {PAPER: AttachmentInfo(PAPER, "mediation_agreement", "协议书.pdf", "application/pdf", len(PDF), "a" * 64)}


def _made(number: int, kind: MessageType, about: str, document: Document, *texts: str) -> Sample:
    message = Message(
        id=f"msg_{number:04d}{_TAIL}",
        type=kind,
        subject=CASE_ID,
        about=about,
        version=1,
        source="client",
        correlation=f"cor_{number:04d}{_TAIL}",
        created_at=datetime(2026, 10, 10, 4, 0, tzinfo=UTC),
        document=document,
    )
    context = Context(
        delivery=f"dlv_{number:04d}{_TAIL}",
        endpoint="conformance",
        organization=_CASE.organization,
        case_id=CASE_ID,
        case=document if isinstance(document, Case) else _CASE,
        agreement_id=AGREEMENT_ID,
        agreement=_AGREEMENT,
        confirmation_id=CONFIRMATION_ID,
        confirmation=_REQUEST,
        attachments=ATTACHMENTS,
    )
    return Sample(message, context, texts)


SAMPLES = (
    _made(1, MessageType.CASE_SUBMITTED, CASE_ID, _CASE, "/facts"),
    _made(2, MessageType.CASE_REVISED, CASE_ID, _LONG, "/facts"),
    _made(
        3,
        MessageType.CASE_PROGRESSED,
        CASE_ID,
        _sample(CaseProgress, raw("POST cases {id} progress - failed")),
        "/note",
    ),
    _made(4, MessageType.CASE_ALERTED, CASE_ID, _sample(CollectiveAlert, alert()), "/situation"),
    _made(5, MessageType.AGREEMENT_CONCLUDED, AGREEMENT_ID, _AGREEMENT, "/facts"),
    _made(6, MessageType.CONFIRMATION_REQUESTED, CONFIRMATION_ID, _REQUEST),
)
IMPOSSIBLE = (_made(7, MessageType.CASE_SUBMITTED, CASE_ID, _sample(Case, case(channel="phone"))),)
