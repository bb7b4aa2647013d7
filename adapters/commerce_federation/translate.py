"""A message as one row of ``TJ_OUT``: readable payload and complete loss report. Pure (page §3, §4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from adapters.commerce_federation import chain, files, wire
from adapters.commerce_federation.case import CASE_NO, write_case
from adapters.commerce_federation.entry import Entry
from adapters.tables import Losses
from contracts.adapter import Capability, Context, Json, Wire
from contracts.agreement import Agreement, Performance
from contracts.case import Case, CaseProgress
from contracts.document import Document
from contracts.errors import PermanentError
from contracts.message import Message
from contracts.messages import MessageType

MAPPING = "1"
"""Counts the versions of this translation; stored with every wire."""

SUBMIT, REVISE = "case.submit", "case.revise"
ADD, EDIT = 1, 2
_OUT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What a service makes of a message: where it goes, whose it is, and its files."""

    operation: str
    biz_type: str
    case: Case
    files: tuple[Json, ...] = ()
    operate_type: int = ADD


_Write = Callable[[Entry, Message, Context, int], _Sheet]


def translate(message: Message, context: Context, organizations: Collection[str], file_limit: int) -> Wire:
    """Make ``NR`` and the columns beside it, each field within its limit, and say what became of every field.

    Raises:
        PermanentError: ``type_not_taken``, ``not_taken``, ``context_missing``, ``code_without_row``, ``required_missing``,
            ``too_long``, ``too_large``, ``forbidden_character``, ``file_type``, ``file_too_large``,
            ``agreement_without_effect``.
    """
    service = _SERVICES.get(message.type)
    if service is None:
        raise PermanentError("type_not_taken", "the platform has no service for this message")
    if not _OUT_ID.fullmatch(message.id):
        raise PermanentError("forbidden_character", "the message's id is none that the platform takes")
    entry = Entry(Losses())
    entry.losses.carried("/schema_version")
    sheet = service[1](entry, message, context, file_limit)
    code, number = sheet.case.organization.code, entry.fields["ah"]
    if organizations and code not in organizations:
        raise PermanentError("not_taken", "organization.code: not bound to our account of the platform")
    if wire.MARK in code:
        raise PermanentError("forbidden_character", "organization.code: # parts it from the case number there")
    key = f"{code}{wire.MARK}{number}"
    if len(key) > wire.CASE_KEY_LIMIT:
        raise PermanentError("too_long", f"CASE_KEY: longer than {wire.CASE_KEY_LIMIT} characters")
    if len(wire.written(entry.fields).encode()) > wire.NR_LIMIT:
        raise PermanentError("too_large", "NR: the platform takes at most 256 KiB")
    entry.losses.untouched(message.document)
    payload: Json = {
        wire.BIZ_TYPE: sheet.biz_type,
        wire.OPERATE_TYPE: sheet.operate_type,
        wire.CASE_KEY: key,
        wire.ORG_CODE: code,
        wire.NR: entry.fields,
        wire.FILES: list(sheet.files),
    }
    named = tuple(dict.fromkeys(row[files.ATTACHMENT] for row in sheet.files))
    return Wire(message.id, sheet.operation, payload, entry.losses.report(), named, MAPPING)


def _case(entry: Entry, message: Message, context: Context, limit: int) -> _Sheet:
    case = _as(Case, message)
    write_case(entry, case)
    rows = tuple(files.file_rows(entry.losses, case.attachments, context, limit))
    if context.registered_version is None:
        return _Sheet(SUBMIT, "01", case, rows)
    return _Sheet(REVISE, "01", case, rows, EDIT)


def _progress(entry: Entry, message: Message, context: Context, _: int) -> _Sheet:
    case = _beside(entry, context)
    chain.write_progress(entry, _as(CaseProgress, message))
    return _Sheet("case.progress", "02", case)


def _agreement(entry: Entry, message: Message, context: Context, limit: int) -> _Sheet:
    case, agreement = _beside(entry, context), _as(Agreement, message)
    chain.write_agreement(entry, agreement)
    row = files.document_row(entry.losses, agreement.document, context, limit)
    return _Sheet("agreement.submit", "03", case, (row,))


def _performance(entry: Entry, message: Message, context: Context, _: int) -> _Sheet:
    case = _beside(entry, context)
    chain.write_performance(entry, _as(Performance, message), context)
    return _Sheet("performance.submit", "04", case)


def _beside(entry: Entry, context: Context) -> Case:
    """The case that a later row stands beside: ``ah``."""
    if context.case is None:
        raise PermanentError("context_missing", "the case of this message is not known")
    entry.text("ah", context.case.source_case_no, "", CASE_NO, required=True)
    return context.case


def _as(kind: type[D], message: Message) -> D:
    if not isinstance(message.document, kind):
        raise TypeError(f"{message.type} carries no {kind.__name__}")
    return message.document


_SERVICES: Mapping[MessageType, tuple[str, _Write]] = MappingProxyType(
    {
        MessageType.CASE_SUBMITTED: (SUBMIT, _case),
        MessageType.CASE_REVISED: (REVISE, _case),
        MessageType.CASE_PROGRESSED: ("case.progress", _progress),
        MessageType.AGREEMENT_CONCLUDED: ("agreement.submit", _agreement),
        MessageType.AGREEMENT_PERFORMED: ("performance.submit", _performance),
    }
)

CAPABILITIES = tuple(Capability(kind, operation) for kind, (operation, _) in _SERVICES.items())
"""The message types that the platform takes, with the names of its services."""
