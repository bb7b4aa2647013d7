"""Canonical documents in the platform's words, one function for each service of page §4. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from adapters.hr_arbitration import codes
from adapters.hr_arbitration.agreement_rows import write_agreement, write_performance
from adapters.hr_arbitration.case_rows import claim_rows, mediator_rows, write_case
from adapters.hr_arbitration.rows import Row
from adapters.hr_arbitration.writing import ATTACHMENT, Writing
from adapters.tables import pointer_to
from adapters.undisputed import in_words
from contracts.adapter import Capability, Context, Wire
from contracts.alert import CollectiveAlert
from contracts.attachment import AttachmentReference
from contracts.case import CaseProgress
from contracts.confirmation import (
    Authority,
    ConfirmationRequest,
    ConfirmationSupplement,
    ConfirmationWithdrawal,
)
from contracts.errors import PermanentError
from contracts.lists import AttachmentKind
from contracts.mediator import Mediator
from contracts.message import Message
from contracts.messages import MessageType
from contracts.referral import ReferralAnswer, ReferralResult
from contracts.report import StatusReport
from contracts.transfer import Transfer

__all__ = ["ATTACHMENT", "CAPABILITIES", "MAPPING", "translate"]

MAPPING = "1"
"""Counts the versions of this translation; raised whenever the same document would go out otherwise."""

REGISTER, REVISE = "TJ1001", "TJ1002"


def translate(message: Message, context: Context) -> Wire:
    """The message as plaintext of its service, with file ids left open and a complete loss report.

    Raises:
        PermanentError: no service for this type, a code without row, or a value beyond every limit of its field.
    """
    found = _SERVICES.get(message.type)
    if found is None:
        raise PermanentError("type_not_taken", "the platform has no service for this type of message")
    operation, write = found
    if operation in (REGISTER, REVISE):
        # What this endpoint holds decides: it refuses a second registration, and a revision of what it never had.
        operation = REGISTER if context.registered_version is None else REVISE
    writing = Writing(message, context)
    write(writing)
    return Wire(
        id=context.delivery,
        operation=operation,
        payload=writing.finish(),
        losses=writing.losses.report(),
        files=writing.files,
        mapping=MAPPING,
    )


def _progress(writing: Writing) -> None:
    """TJ1003 调解进展."""
    writing.of_case()
    progress, row = writing.document(CaseProgress), writing.row
    row.coded("BZS001", codes.CASE_STATUS, progress.status, "/status")
    row.moment("AAE036", progress.at, "/at")
    row.coded("BZS005", codes.END_REASON, progress.reason_code, "/reason_code")
    words, pointer = in_words(progress.note, "/note", progress.undisputed_facts, writing.losses, "AAE013")
    row.text("AAE013", words, pointer, 1000)
    row.rows("BZM000", mediator_rows(row, progress.mediators or (), "mediators"))
    if (session := progress.session) is not None:
        row.moment("BZS010", session.from_, "/session/from")
        row.moment("BZS011", session.to, "/session/to")
        row.text("BZS012", session.place, "/session/place", 100)
        row.coded("BZS013", codes.SESSION_METHOD, session.method, "/session/method")


def _reported(writing: Writing) -> None:
    """TJ1006 状态同步: what another platform decided."""
    writing.of_case()
    report, row, losses = writing.document(StatusReport), writing.row, writing.losses
    row.coded("BZS002", codes.ABOUT, report.about, "/about")
    row.coded("BZS003", codes.SOURCE, report.source_platform, "/source_platform")
    if len(report.event_id) <= 64:
        row.exact("BZS004", report.event_id, "/event_id", 64)
    else:
        # The event number is half of the business key: another name of the same length will do, a cut one would not.
        row.put("BZS004", hashlib.sha256(report.event_id.encode()).hexdigest())
        losses.mapped("/event_id", "BZS004", "longer than 64 characters: its SHA-256 stands for it")
    row.coded("BZS001", codes.STATUS_OF[report.about], report.status, "/status")
    row.text("BZS006", report.raw_status, "/raw_status", 50)
    row.moment("AAE036", report.at, "/at")
    row.exact("BZC009", report.document_no, "/document_no", 60)
    row.text("AAE013", report.note, "/note", 500)


def _confirmation_requested(writing: Writing) -> None:
    """TJ2001 仲裁审查确认申请."""
    case = writing.of_case()
    request, row = writing.document(ConfirmationRequest), writing.row
    _write_confirmation_id(writing)
    writing.exact_key("BZD001", writing.agreement().agreement_no, 60)
    _write_authority(row, request.authority)
    for number in range(len(request.applicants)):
        writing.losses.carried(pointer_to("applicants", number))
    row.put("BZC011", [str(party) for party in request.applicants])
    row.moment("BZC012", request.applied_at, "/applied_at")
    rows = []
    for number, address in enumerate(request.service_addresses):
        below, at = row.below("BZC100", number), ("service_addresses", number)
        below.integer("BZP001", address.party, pointer_to(*at, "party"))
        below.exact("BZP005", address.region_code, pointer_to(*at, "region_code"), 12)
        below.text("BZP006", address.detail, pointer_to(*at, "detail"), 200)
        below.exact("AAE005", address.phone, pointer_to(*at, "phone"), 20)
        below.flag("BZP007", address.electronic_consent, pointer_to(*at, "electronic_consent"))
        rows.append(below)
    row.rows("BZC100", rows)
    row.text("BZC013", request.late_reason, "/late_reason", 500)
    own = writing.file_rows(request.attachments, "attachments")
    row.rows("BZF000", [*own, *_papers_beside(writing, request.attachments, case.attachments, len(own))])


def _papers_beside(
    writing: Writing, sent: tuple[AttachmentReference, ...], of_case: tuple[AttachmentReference, ...], number: int
) -> list[Row]:
    """The papers that a confirmation needs and that stand elsewhere (``messages.md`` §5): application and identity
    proofs of the case where the request sends none of that kind, and the agreement's own document."""
    kinds = {attachment.kind for attachment in sent}
    found: list[tuple[str, AttachmentKind]] = [
        (attachment.id, attachment.kind)
        for attachment in of_case
        if attachment.kind in (AttachmentKind.CONFIRMATION_APPLICATION, AttachmentKind.IDENTITY_PROOF)
        and attachment.kind not in kinds
    ]
    if AttachmentKind.MEDIATION_AGREEMENT not in kinds:
        found.append((writing.agreement().document, AttachmentKind.MEDIATION_AGREEMENT))
    rows: list[Row] = []
    for attachment, kind in found:
        row = writing.row.below("BZF000", number + len(rows))
        writing.file(row, "BZF001", attachment)
        row.put("BZF005", codes.FILE_CLASS.rows[kind])
        rows.append(row)
    return rows


def _confirmation_supplemented(writing: Writing) -> None:
    """TJ2002 仲裁审查确认补正. The page has no place for the time of it."""
    writing.of_case()
    supplement, row = writing.document(ConfirmationSupplement), writing.row
    _write_confirmation_id(writing)
    row.rows("BZF000", writing.file_rows(supplement.attachments, "attachments"))
    row.text("AAE013", supplement.note, "/note", 1000)


def _confirmation_withdrawn(writing: Writing) -> None:
    """TJ2003 仲裁审查确认撤回."""
    writing.of_case()
    withdrawal, row = writing.document(ConfirmationWithdrawal), writing.row
    _write_confirmation_id(writing)
    row.text("AAE013", withdrawal.reason, "/reason", 500)
    row.moment("AAE036", withdrawal.at, "/at")


def _transfer(writing: Writing) -> None:
    """TJ3001 转仲裁."""
    writing.of_case()
    transfer, row = writing.document(Transfer), writing.row
    writing.exact_key("BZG001", writing.message.about, 40)
    _write_authority(row, transfer.authority)
    row.coded("BZG002", codes.TRANSFER_REASON, transfer.reason_code, "/reason_code")
    row.rows("BZQ000", claim_rows(row, transfer.claims or (), "claims"))
    row.rows("BZF000", writing.file_rows(transfer.attachments, "attachments"))


def _alert(writing: Writing) -> None:
    """TJ3002 重大集体争议报告."""
    writing.of_case()
    alert, row = writing.document(CollectiveAlert), writing.row
    row.coded("BZH001", codes.ALERT_LEVEL, alert.level, "/level")
    row.integer("BZA015", alert.worker_count, "/worker_count", 6)
    row.money("BZA013", alert.amount, "/amount")
    row.text("BZH002", alert.situation, "/situation", 2000)
    row.text("BZH003", alert.measures, "/measures", 2000)
    row.text("AAE004", alert.contact.name, "/contact/name", 50)
    row.exact("AAE005", alert.contact.phone, "/contact/phone", 20)
    row.moment("AAE036", alert.at, "/at")


def _mediator(writing: Writing) -> None:
    """TJ4001 调解员名册."""
    mediator, row = writing.document(Mediator), writing.row
    row.exact("BZM001", mediator.certificate_no, "/certificate_no", 40)
    row.text("BZM002", mediator.name, "/name", 50)
    row.exact("BZA002", mediator.organization_code, "/organization_code", 32)
    row.coded("AAC004", codes.SEX, mediator.sex, "/sex")
    row.exact("AAE005", mediator.phone, "/phone", 20)
    row.coded("AAC058", codes.ID_TYPE, mediator.id_type, "/id_type")
    row.exact("AAC147", mediator.id_number, "/id_number", 30)
    row.flag("BZM003", mediator.active, "/active")


def _referral_answered(writing: Writing) -> None:
    """TJ5001 仲裁委托调解答复."""
    answer, row = writing.document(ReferralAnswer), writing.row
    _write_task(writing)
    row.coded("BZJ004", codes.REFERRAL_ANSWER, answer.answer, "/answer")
    row.text("AAE013", answer.reason, "/reason", 500)
    row.moment("AAE036", answer.at, "/at")


def _referral_returned(writing: Writing) -> None:
    """TJ5002 仲裁委托调解结果."""
    result, row = writing.document(ReferralResult), writing.row
    _write_task(writing)
    row.coded("BZJ005", codes.REFERRAL_OUTCOME, result.outcome, "/outcome")
    row.coded("BZS005", codes.END_REASON, result.reason_code, "/reason_code")
    if result.agreement is not None:
        writing.exact_key("BZD001", writing.agreement().agreement_no, 60)
        writing.losses.carried("/agreement")
    words, pointer = in_words(result.report, "/report", result.undisputed_facts, writing.losses, "BZJ006")
    row.text("BZJ006", words, pointer, 2000)
    row.moment("AAE036", result.at, "/at")


def _write_confirmation_id(writing: Writing) -> None:
    """``BZC002``: our id of the confirmation, which every answer about it will name."""
    writing.exact_key("BZC002", writing.context.confirmation_id or writing.message.about, 40)


def _write_authority(row: Row, authority: Authority) -> None:
    row.exact("BZC003", authority.code, "/authority/code", 12)
    row.text("BZC004", authority.name, "/authority/name", 100)


def _write_task(writing: Writing) -> None:
    referral = writing.referral()
    writing.exact_key("BZJ001", referral.task_no, 40)
    writing.exact_key("BZA002", referral.organization_code, 32)


_SERVICES: Mapping[MessageType, tuple[str, Callable[[Writing], None]]] = MappingProxyType(
    {
        MessageType.CASE_SUBMITTED: (REGISTER, write_case),
        MessageType.CASE_REVISED: (REVISE, write_case),
        MessageType.CASE_PROGRESSED: ("TJ1003", _progress),
        MessageType.CASE_ALERTED: ("TJ3002", _alert),
        MessageType.AGREEMENT_CONCLUDED: ("TJ1004", write_agreement),
        MessageType.AGREEMENT_PERFORMED: ("TJ1005", write_performance),
        MessageType.CONFIRMATION_REQUESTED: ("TJ2001", _confirmation_requested),
        MessageType.CONFIRMATION_SUPPLEMENTED: ("TJ2002", _confirmation_supplemented),
        MessageType.CONFIRMATION_WITHDRAWAL_REQUESTED: ("TJ2003", _confirmation_withdrawn),
        MessageType.TRANSFER_REQUESTED: ("TJ3001", _transfer),
        MessageType.REFERRAL_ANSWERED: ("TJ5001", _referral_answered),
        MessageType.REFERRAL_RETURNED: ("TJ5002", _referral_returned),
        MessageType.MEDIATOR_LISTED: ("TJ4001", _mediator),
        MessageType.STATUS_REPORTED: ("TJ1006", _reported),
    }
)

CAPABILITIES = tuple(Capability(kind, operation) for kind, (operation, _) in _SERVICES.items())
"""The message types that the platform takes, with their service numbers (服务编号)."""
