"""A message as one request of the platform: readable payload and complete loss report. Pure (page §4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeVar

from adapters.one_stop.assignment import answer_values, binding_values, result_values, the_referral
from adapters.one_stop.case import case_values
from adapters.one_stop.chain import (
    agreement_values,
    alert_values,
    performance_values,
    progress_values,
    report_values,
    the_case,
    transfer_values,
)
from adapters.one_stop.codes import SIGN_FOR
from adapters.one_stop.layout import HEAD, fit
from adapters.one_stop.roster import mediator_values
from adapters.one_stop.scribe import Scribe
from adapters.one_stop.wire import REQUEST_LIMIT, build
from contracts.adapter import Context, Json, Wire
from contracts.agreement import Agreement, Performance
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress
from contracts.document import Document
from contracts.errors import PermanentError
from contracts.mediator import Mediator
from contracts.message import Message
from contracts.messages import MessageType
from contracts.referral import ReferralAnswer, ReferralResult
from contracts.report import StatusReport
from contracts.transfer import Transfer

MAPPING = "1"
"""Counts the versions of this translation; stored with every wire."""

BINDING = "bindId"
"""Key beside the items of a 签收: the items of the ``bindId`` that ``send`` puts right before it."""

OPERATION: Mapping[MessageType, str] = {
    MessageType.CASE_SUBMITTED: "reportCase",
    MessageType.CASE_REVISED: "reportCase",
    MessageType.CASE_PROGRESSED: "reportProgress",
    MessageType.CASE_ALERTED: "reportAlert",
    MessageType.AGREEMENT_CONCLUDED: "reportAgreement",
    MessageType.AGREEMENT_PERFORMED: "reportProgress",
    MessageType.TRANSFER_REQUESTED: "reportTransfer",
    MessageType.REFERRAL_ANSWERED: "answerAssign",
    MessageType.REFERRAL_RETURNED: "finishAssign",
    MessageType.MEDIATOR_LISTED: "saveMediator",
    MessageType.STATUS_REPORTED: "reportProgress",
}
"""The platform's name of the service for each message type that it takes."""

_EXTERNAL_ID = re.compile(r"[0-9A-Za-z_-]{1,59}")
"""外部编号: 64 characters at most, and the binding before a 签收 adds five of its own."""

_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)

D = TypeVar("D", bound=Document)


def translate(message: Message, context: Context) -> Wire:
    """Make the request's items, each within its limit, and say what became of every field.

    Raises:
        PermanentError: ``type_not_taken``, ``not_taken``, ``context_missing``, ``code_without_row``,
            ``required_missing``, ``too_long``, ``too_large``, ``forbidden_character``.
    """
    operation = OPERATION.get(message.type)
    if operation is None:
        raise PermanentError("type_not_taken", "the platform has no service for this type of message")
    if not _EXTERNAL_ID.fullmatch(context.delivery):
        raise PermanentError("too_long", "外部编号: not of the form that the platform takes")
    scribe = Scribe()
    scribe.losses.carried("/schema_version")
    organization, values = _values(message, context, scribe)
    head = {"外部编号": context.delivery, "机构编码": scribe.text(organization, "", "机构编码")}
    payload: Json = {HEAD: head} | fit(operation, values)
    if len(build(operation, payload, _ANY_TIME)) > REQUEST_LIMIT:
        raise PermanentError("too_large", "the platform takes at most 1 MiB")
    if operation == "answerAssign" and payload["答复"] == SIGN_FOR:
        payload[BINDING] = fit(BINDING, binding_values(context))
    scribe.losses.untouched(message.document)
    return Wire(context.delivery, operation, payload, scribe.losses.report(), mapping=MAPPING)


def _values(message: Message, context: Context, scribe: Scribe) -> tuple[str, Json]:
    """机构编码 of the head, and the values of the items."""
    document = message.document
    match message.type:
        case MessageType.CASE_SUBMITTED | MessageType.CASE_REVISED:
            submitted = _as(Case, document)
            return submitted.organization.code, case_values(submitted, context, scribe)
        case MessageType.MEDIATOR_LISTED:
            mediator = _as(Mediator, document)
            return mediator.organization_code, mediator_values(mediator, context, scribe)
        case MessageType.REFERRAL_ANSWERED:
            answer = answer_values(_as(ReferralAnswer, document), context, scribe)
            return the_referral(context).organization_code, answer
        case MessageType.REFERRAL_RETURNED:
            result = result_values(_as(ReferralResult, document), context, scribe)
            return the_referral(context).organization_code, result
        case MessageType.CASE_PROGRESSED:
            values = progress_values(_as(CaseProgress, document), context, scribe)
        case MessageType.CASE_ALERTED:
            values = alert_values(_as(CollectiveAlert, document), context, scribe)
        case MessageType.AGREEMENT_CONCLUDED:
            values = agreement_values(_as(Agreement, document), context, scribe)
        case MessageType.AGREEMENT_PERFORMED:
            values = performance_values(_as(Performance, document), context, scribe)
        case MessageType.TRANSFER_REQUESTED:
            values = transfer_values(_as(Transfer, document), message.about, context, scribe)
        case _:
            values = report_values(_as(StatusReport, document), context, scribe)
    return the_case(context).organization.code, values


def _as(kind: type[D], document: Document) -> D:
    if not isinstance(document, kind):
        raise TypeError(f"a message of this type carries a {kind.__name__}")
    return document
