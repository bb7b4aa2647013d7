"""A message as one batch of one row: readable payload and complete loss report. Pure (page §2 to §4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from adapters.enterprise_confederation import chain, wire
from adapters.enterprise_confederation.case import write_case, write_case_row
from adapters.enterprise_confederation.entry import Cells, Entry
from adapters.tables import Losses, pointer_to
from contracts.adapter import Capability, Context, Json, Wire
from contracts.agreement import Agreement, Performance
from contracts.attachment import AttachmentReference
from contracts.case import Case, CaseProgress
from contracts.document import Document
from contracts.errors import PermanentError
from contracts.message import Message
from contracts.messages import MessageType

MAPPING = "1"
"""Counts the versions of this translation; stored with every wire."""

ADD, EDIT = "新增", "修改"
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_CASE_KEY, _CODE = 100, 32
MOST_ATTACHMENTS = 99
"""Two digits count them."""
_ENDINGS: Mapping[str, str] = MappingProxyType(
    {"application/pdf": "pdf", "application/ofd": "ofd", "image/jpeg": "jpg", "image/png": "png"}
)

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The two places of a message: its row of the list and its detail."""

    row: Cells
    detail: Entry
    losses: Losses
    limit: int


@dataclass(frozen=True, slots=True)
class Said:
    """What a service makes of a message beside row and detail."""

    case: Case
    files: tuple[Json, ...] = ()
    operation: str = ADD


_Write = Callable[[Sheet, Message, Context], Said]


def translate(message: Message, context: Context, sender: str, organizations: Collection[str], file_limit: int) -> Wire:
    """Make list and detail, each field within its limit, and say what became of every field.

    Raises:
        PermanentError: ``type_not_taken``, ``not_taken``, ``context_missing``, ``code_without_row``, ``required_missing``,
            ``too_long``, ``too_large``, ``forbidden_character``, ``file_type``, ``file_too_large``, ``one_side_only``,
            ``agreement_without_effect``.
    """
    service = _SERVICES.get(message.type)
    if service is None:
        raise PermanentError("type_not_taken", "the platform has no service for this message")
    if not _ID.fullmatch(message.id):
        raise PermanentError("forbidden_character", "the message's id is none that the platform takes")
    operation, op, write = service
    losses = Losses()
    losses.carried("/schema_version")
    sheet = Sheet(Cells(losses, "list."), Entry(losses), losses, file_limit)
    about = _case_of(message, context)
    code, key = about.organization.code, f"{about.organization.code}{wire.MARK}{about.source_case_no}"
    if organizations and code not in organizations:
        raise PermanentError("not_taken", "organization.code: not bound to our account of the platform")
    if wire.MARK in code:
        raise PermanentError("forbidden_character", "organization.code: | parts it from the case number there")
    stem = wire.stem_of(sender, op, message.created_at, message.id)
    row, detail = sheet.row, sheet.detail
    row.put("行号", "1")
    row.put("操作", ADD)
    row.put("业务主键", message.id)
    row.text("案件主键", key, "", _CASE_KEY, required=True)
    row.text("调解组织编码", code, "", _CODE, required=True)
    detail.put("业务主键", message.id)
    detail.put("案件主键", row.fields["案件主键"])
    if isinstance(message.document, Case):
        losses.carried("/organization/code")
        losses.carried("/source_case_no")
    said = write(sheet, message, context)
    row.put("操作", said.operation)
    row.put("明细文件", wire.detail_name(stem))
    row.put("附件数", str(len(said.files)))
    losses.untouched(message.document)
    payload: Json = {
        wire.STEM: stem,
        wire.OP: op,
        wire.CREATED_AT: wire.written(message.created_at),
        wire.LIST: {name: row.fields[name] for name in wire.COLUMNS if name in row.fields},
        wire.DETAIL: detail.fields,
        wire.FILES: list(said.files),
    }
    named = tuple(dict.fromkeys(one[wire.ATTACHMENT] for one in said.files))
    return Wire(message.id, operation, payload, losses.report(), named, MAPPING)


def _case_of(message: Message, context: Context) -> Case:
    """The case that the row names."""
    if isinstance(message.document, Case):
        return message.document
    if context.case is None:
        raise PermanentError("context_missing", "the case of this message is not known")
    return context.case


def _case(sheet: Sheet, message: Message, context: Context) -> Said:
    case = _as(Case, message)
    write_case_row(sheet.row, case)
    write_case(sheet.detail, case)
    files = _attached(sheet, "attachments", case.attachments, context)
    return Said(case, files, ADD if context.registered_version is None else EDIT)


def _progress(sheet: Sheet, message: Message, context: Context) -> Said:
    chain.write_progress(sheet.row, sheet.detail, _as(CaseProgress, message))
    return Said(_case_of(message, context))


def _agreement(sheet: Sheet, message: Message, context: Context) -> Said:
    agreement = _as(Agreement, message)
    chain.write_agreement(sheet.row, sheet.detail, agreement)
    sheet.losses.carried("/document")
    return Said(_case_of(message, context), _sized([_file(agreement.document, context, sheet.limit)], context))


def _performance(sheet: Sheet, message: Message, context: Context) -> Said:
    performance = _as(Performance, message)
    chain.write_performance(sheet.row, sheet.detail, performance, context)
    files = _attached(sheet, "evidence", performance.evidence, context)
    return Said(_case_of(message, context), files)


def _attached(
    sheet: Sheet, field: str, attachments: Sequence[AttachmentReference], context: Context
) -> tuple[Json, ...]:
    """The attachments of a document. Kind and name have no place; beyond 99 none has one."""
    files = []
    for number, attachment in enumerate(attachments):
        at = pointer_to(field, number)
        if number >= MOST_ATTACHMENTS:
            sheet.losses.dropped(at, f"{MOST_ATTACHMENTS} files have a place")
            continue
        sheet.losses.carried(f"{at}/id")
        files.append(_file(attachment.id, context, sheet.limit))
    return _sized(files, context)


def _file(attachment: str, context: Context, limit: int) -> Json:
    info = context.attachments.get(attachment)
    if info is None:
        raise PermanentError("context_missing", "an attachment of this message is not known")
    ending = _ENDINGS.get(info.media_type)
    if ending is None:
        raise PermanentError("file_type", "the platform takes PDF, OFD, JPEG and PNG alone")
    if info.size > limit:
        raise PermanentError("file_too_large", "a file is too large for the platform")
    return {wire.ATTACHMENT: attachment, wire.EXTENSION: ending}


def _sized(files: Sequence[Json], context: Context) -> tuple[Json, ...]:
    if sum(context.attachments[one[wire.ATTACHMENT]].size for one in files) > wire.BATCH_LIMIT - wire.LIST_LIMIT:
        raise PermanentError("too_large", "the files are together larger than the platform takes")
    return tuple(files)


def _as(kind: type[D], message: Message) -> D:
    if not isinstance(message.document, kind):
        raise TypeError(f"{message.type} carries no {kind.__name__}")
    return message.document


_SERVICES: Mapping[MessageType, tuple[str, str, _Write]] = MappingProxyType(
    {
        MessageType.CASE_SUBMITTED: ("case", "CASE", _case),
        MessageType.CASE_REVISED: ("case", "CASE", _case),
        MessageType.CASE_PROGRESSED: ("progress", "PROG", _progress),
        MessageType.AGREEMENT_CONCLUDED: ("agreement", "AGRE", _agreement),
        MessageType.AGREEMENT_PERFORMED: ("performance", "PERF", _performance),
    }
)

CAPABILITIES = tuple(Capability(kind, operation) for kind, (operation, _, _) in _SERVICES.items())
"""The message types that the platform takes, with the names of its services."""
