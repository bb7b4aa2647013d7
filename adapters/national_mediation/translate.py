"""A message as one call of the platform: readable payload and complete loss report. Pure (page §3, §5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from adapters.http import json_bytes
from adapters.national_mediation.case import handed_over_here, referral_id, write_case
from adapters.national_mediation.chain import (
    next_version,
    quarter,
    write_agreement,
    write_answer,
    write_performance,
    write_progress,
    write_report,
    write_result,
    write_statistics,
)
from adapters.national_mediation.entry import Entry
from adapters.national_mediation.files import files_of, with_ids
from adapters.national_mediation.wire import BODY, FIND, LONGEST_ID, PATH, REQUEST_LIMIT
from adapters.tables import Losses
from contracts.adapter import Capability, Context, Json, Wire
from contracts.agreement import Agreement, Performance
from contracts.case import Case, CaseProgress
from contracts.document import Document
from contracts.errors import PermanentError
from contracts.message import Message
from contracts.messages import MessageType
from contracts.referral import ReferralAnswer, ReferralResult
from contracts.report import StatusReport
from contracts.statistics import StatisticalReport
from contracts.status import ReferenceKind

MAPPING = "1"
"""Counts the versions of this translation; stored with every wire."""

SUBMIT, REVISE = "case.submit", "case.revise"

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, slots=True)
class _Call:
    """Where a call goes: the names in its path, and by what its case is found where its number there is not known."""

    operation: str
    path: Json
    find: Json | None = None
    files: tuple[str, ...] = ()


def translate(message: Message, context: Context) -> Wire:
    """Make the call's body and path, each field within its limit, and say what became of every field.

    Raises:
        PermanentError: ``type_not_taken``, ``not_taken``, ``context_missing``, ``code_without_row``,
            ``required_missing``, ``too_long``, ``file_type``, ``agreement_without_effect``, ``period_not_taken``,
            ``too_large``.
    """
    write = _SERVICES.get(message.type)
    if write is None:
        raise PermanentError("type_not_taken", "the platform has no service for this message")
    entry = Entry(Losses())
    entry.losses.carried("/schema_version")
    call = write[1](entry, message, context)
    body = entry.fields
    if len(json_bytes(with_ids(body, [LONGEST_ID] * len(files_of(body))))) > REQUEST_LIMIT:
        raise PermanentError("too_large", "the platform takes at most 1 MiB")
    entry.losses.untouched(message.document)
    payload: Json = {PATH: call.path, BODY: body}
    if call.find is not None:
        payload[FIND] = call.find
    return Wire(message.id, call.operation, payload, entry.losses.report(), call.files, MAPPING)


def _case(entry: Entry, message: Message, context: Context) -> _Call:
    case = _as(Case, message)
    files = write_case(entry, case, context)
    new = context.registered_version is None
    if new and message.type is MessageType.CASE_SUBMITTED:
        return _Call(SUBMIT, {}, files=files)
    # A revision names the platform's own version, which only the platform knows: it is asked for right before. One that goes
    # as first filing is found in the same way, should it meet an earlier version whose answer was lost.
    return _Call(SUBMIT if new else REVISE, _case_path(context), _found_by(case), files)


def _progress(entry: Entry, message: Message, context: Context) -> _Call:
    write_progress(entry, _as(CaseProgress, message))
    return _below("case.progress", context)


def _report(entry: Entry, message: Message, context: Context) -> _Call:
    write_report(entry, _as(StatusReport, message), context)
    return _below("case.progress", context)


def _agreement(entry: Entry, message: Message, context: Context) -> _Call:
    files = write_agreement(entry, _as(Agreement, message), context)
    return _below("agreement.submit", context, files)


def _performance(entry: Entry, message: Message, context: Context) -> _Call:
    write_performance(entry, _as(Performance, message), context)
    return _below("performance.submit", context)


def _answered(entry: Entry, message: Message, context: Context) -> _Call:
    write_answer(entry, _as(ReferralAnswer, message))
    return _Call("referral.answer", _referral_path(context))


def _returned(entry: Entry, message: Message, context: Context) -> _Call:
    write_result(entry, _as(ReferralResult, message), context)
    return _Call("referral.result", _referral_path(context))


def _statistics(entry: Entry, message: Message, context: Context) -> _Call:
    report = _as(StatisticalReport, message)
    write_statistics(entry, report, next_version(context, message.about), message.created_at)
    entry.losses.carried("/period")
    return _Call("statistics.submit", {"orgCode": report.organization_code, "period": quarter(report)})


def _below(operation: str, context: Context, files: tuple[str, ...] = ()) -> _Call:
    """A call below the case: by the number that the platform gave it, else the case is looked up."""
    path = _case_path(context)
    return _Call(operation, path, None if path else _found_by(_the_case(context)), files)


def _case_path(context: Context) -> Json:
    about = context.case_id
    known = context.reference(ReferenceKind.PLATFORM_NO, about) if about is not None else None
    return {} if known is None else {"caseId": known}


def _referral_path(context: Context) -> Json:
    if not handed_over_here(context.referral, context.endpoint):
        raise PermanentError("context_missing", "the referral of this message is not known here")
    return {"referralId": referral_id(context.referral)}


def _found_by(case: Case) -> Json:
    return {"orgCode": case.organization.code, "externalNo": case.source_case_no}


def _the_case(context: Context) -> Case:
    if context.case is None:
        raise PermanentError("context_missing", "the case of this message is not known")
    return context.case


def _as(kind: type[D], message: Message) -> D:
    if not isinstance(message.document, kind):
        raise TypeError(f"{message.type} carries no {kind.__name__}")
    return message.document


_SERVICES: Mapping[MessageType, tuple[str, Callable[[Entry, Message, Context], _Call]]] = MappingProxyType(
    {
        MessageType.CASE_SUBMITTED: (SUBMIT, _case),
        MessageType.CASE_REVISED: (REVISE, _case),
        MessageType.CASE_PROGRESSED: ("case.progress", _progress),
        MessageType.AGREEMENT_CONCLUDED: ("agreement.submit", _agreement),
        MessageType.AGREEMENT_PERFORMED: ("performance.submit", _performance),
        MessageType.REFERRAL_ANSWERED: ("referral.answer", _answered),
        MessageType.REFERRAL_RETURNED: ("referral.result", _returned),
        MessageType.STATISTICS_REPORTED: ("statistics.submit", _statistics),
        MessageType.STATUS_REPORTED: ("case.progress", _report),
    }
)

CAPABILITIES = tuple(Capability(kind, operation) for kind, (operation, _) in _SERVICES.items())
"""The message types that the platform takes, with the names of its services."""
