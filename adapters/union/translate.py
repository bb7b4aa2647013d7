"""A message as one item of a batch: readable payload and complete loss report. Pure (page §4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from adapters.beijing import D14
from adapters.tables import Losses
from adapters.undisputed import in_words
from adapters.union import codes, form, wire
from adapters.union.case import (
    AGREEMENT_NO,
    CASE_NO,
    NAME,
    ORGANIZATION_CODE,
    TASK_NO,
    claim_rows,
    handed_over_here,
    party_rows,
    the_case,
    write_case,
)
from adapters.union.fields import Fields
from contracts.adapter import Capability, Context, Json, Wire
from contracts.agreement import Agreement, Performance, Term, effective_at
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress
from contracts.document import Document
from contracts.errors import PermanentError
from contracts.lists import PartyRole, TransferTo
from contracts.message import Message
from contracts.messages import MessageType
from contracts.referral import Referral, ReferralAnswer, ReferralResult
from contracts.transfer import Transfer

MAPPING = "1"
"""Counts the versions of this translation; raised whenever the same document would go out otherwise."""

NOTICE, CHANGE = "case.notice", "case.change"

_ITEM_NO = 40
_COMMON_ROOM = 1024
"""More bytes than the common parameters of any request take."""

D = TypeVar("D", bound=Document)


def translate(message: Message, context: Context) -> Wire:
    """Make the item, each field within its limit and free of numbers that the union may not see, and say what became of
    every field.

    Raises:
        PermanentError: ``type_not_taken``, ``not_taken``, ``context_missing``, ``code_without_row``,
            ``required_missing``, ``too_long``, ``too_large``, ``agreement_without_effect``.
    """
    found = _SERVICES.get(message.type)
    if found is None:
        raise PermanentError("type_not_taken", "the platform has no service for this type of message")
    operation, write = found
    if operation in (NOTICE, CHANGE):
        # What this endpoint holds decides: it refuses a change of what it never had.
        operation = NOTICE if context.registered_version is None else CHANGE
    fields = Fields(Losses())
    fields.number("xlh", context.delivery, "", _ITEM_NO)
    payload = write(fields, message, context)
    if len(form.encode(wire.parameters((payload,)))) + _COMMON_ROOM > form.LIMIT:
        raise PermanentError("too_large", "the platform takes at most 512 KiB")
    fields.losses.untouched(message.document)
    return Wire(context.delivery, operation, payload, fields.losses.report(), mapping=MAPPING)


def _case(fields: Fields, message: Message, context: Context) -> Json:
    case = _as(Case, message)
    fields.number("jgdm", case.organization.code, "/organization/code", ORGANIZATION_CODE)
    fields.text("jgmc", case.organization.name, "/organization/name", 100)
    return write_case(fields, case, context)


def _progress(fields: Fields, message: Message, context: Context) -> Json:
    """进展."""
    _write_case_no(fields, context)
    progress = _as(CaseProgress, message)
    fields.coded("zt", codes.CASE_STATUS, progress.status, "/status")
    fields.moment("sj", progress.at, "/at")
    fields.coded("yy", codes.END_REASON, progress.reason_code, "/reason_code")
    words, pointer = in_words(progress.note, "/note", progress.undisputed_facts, fields.losses, fields.place("sm"))
    fields.long("sm", words, pointer, 1000)
    if progress.session is not None:
        fields.moment("kssj", progress.session.from_, "/session/from")
        fields.moment("jssj", progress.session.to, "/session/to")
    return fields.done("ajbh", "zt", "sj")


def _performance(fields: Fields, message: Message, context: Context) -> Json:
    """履行 as progress."""
    _write_case_no(fields, context)
    performance = _as(Performance, message)
    fields.coded("zt", codes.FULFILMENT_STATUS, performance.status, "/status")
    fields.moment("sj", performance.at, "/at")
    fields.money("je", performance.amount, "/amount")
    fields.number("xybh", _the_agreement(context).agreement_no, "/agreement/agreement_no", AGREEMENT_NO)
    return fields.done("ajbh", "zt", "sj")


def _agreement(fields: Fields, message: Message, context: Context) -> Json:
    """协议通报."""
    _write_case_no(fields, context)
    agreement = _as(Agreement, message)
    fields.number("xybh", agreement.agreement_no, "/agreement_no", AGREEMENT_NO)
    fields.coded("jg", codes.SETTLED, agreement.settled_claims, "/settled_claims")
    fields.long("nr", agreement.facts, "/facts", 1000)
    fields.rows("tk", [_term(fields, number, term) for number, term in enumerate(agreement.terms)])
    try:
        # Computed from signatures and seal, which are reported themselves.
        fields.put("sxsj", D14.write(effective_at(agreement)))
    except ValueError:
        raise PermanentError("agreement_without_effect", "a signature or the seal is missing") from None
    return fields.done("ajbh", "xybh", "jg", "nr", "tk", "sxsj")


def _term(fields: Fields, number: int, term: Term) -> Json:
    row, at = fields.below("tk", number + 1), f"/terms/{number}"
    row.count("xh", term.no, f"{at}/no")
    row.long("nr", term.text, f"{at}/text", 600)
    row.money("je", term.amount, f"{at}/amount")
    row.day("rq", term.due_date, f"{at}/due_date")
    return row.done("xh", "nr")


def _alert(fields: Fields, message: Message, context: Context) -> Json:
    """重大集体争议."""
    _write_case_no(fields, context)
    alert = _as(CollectiveAlert, message)
    fields.coded("dj", codes.LEVEL, alert.level, "/level")
    fields.count("rs", alert.worker_count, "/worker_count")
    fields.money("je", alert.amount, "/amount")
    fields.long("qk", alert.situation, "/situation", 1000)
    fields.long("cs", alert.measures, "/measures", 1000)
    fields.text("lxr", alert.contact.name, "/contact/name", NAME)
    fields.phone("dh", alert.contact.phone, "/contact/phone")
    fields.moment("sj", alert.at, "/at")
    return fields.done("ajbh", "dj", "rs", "je", "qk", "cs", "lxr", "dh", "sj")


def _support(fields: Fields, message: Message, context: Context) -> Json:
    """法律援助 / 工会支持申请: the transfer, with applicants, facts and amount of its case."""
    transfer = _as(Transfer, message)
    if transfer.to is not TransferTo.LEGAL_AID:
        raise PermanentError("not_taken", "the platform takes transfers to legal aid alone")
    fields.losses.carried("/to")
    case = _write_case_no(fields, context)
    fields.number("sqbh", message.about, "", 40)
    fields.rows("sqr", party_rows(fields, "sqr", case, PartyRole.APPLICANT, "case", "parties"))
    fields.coded("yy", codes.SUPPORT_REASON, transfer.reason_code, "/reason_code")
    if transfer.claims is not None:
        fields.rows("qq", claim_rows(fields, transfer.claims, "claims"))
    else:
        fields.rows("qq", claim_rows(fields, case.claims, "case", "claims"))
    fields.long("jq", case.facts, "/case/facts", 1000)
    fields.money("je", case.amount, "/case/amount")
    return fields.done("ajbh", "sqbh", "sqr", "yy", "jq", "je")


def _referral_answered(fields: Fields, message: Message, context: Context) -> Json:
    """移交案件 答复."""
    _write_task(fields, context)
    answer = _as(ReferralAnswer, message)
    fields.coded("df", codes.DECISION, answer.answer, "/answer")
    fields.long("yy", answer.reason, "/reason", 300)
    declined = codes.DECISION.rows[answer.answer] == codes.DECLINE
    return fields.done("yjbh", "df", *(("yy",) if declined else ()))


def _referral_returned(fields: Fields, message: Message, context: Context) -> Json:
    """移交案件 结果."""
    _write_task(fields, context)
    result = _as(ReferralResult, message)
    fields.coded("jg", codes.OUTCOME, result.outcome, "/outcome")
    fields.coded("yyd", codes.END_REASON, result.reason_code, "/reason_code")
    words, pointer = in_words(result.report, "/report", result.undisputed_facts, fields.losses, fields.place("bg"))
    fields.long("bg", words, pointer, 1000)
    if result.agreement is not None:
        fields.losses.carried("/agreement")
        fields.number("xybh", _the_agreement(context).agreement_no, "/agreement/agreement_no", AGREEMENT_NO)
    return fields.done("yjbh", "jg", "bg")


def _write_case_no(fields: Fields, context: Context) -> Case:
    """Organisation and number of the message's case."""
    case = the_case(context)
    fields.number("jgdm", case.organization.code, "/case/organization/code", ORGANIZATION_CODE)
    fields.text("jgmc", case.organization.name, "/case/organization/name", 100)
    fields.number("ajbh", case.source_case_no, "/case/source_case_no", CASE_NO)
    return case


def _write_task(fields: Fields, context: Context) -> None:
    """Organisation and number of the task that the union handed over."""
    referral = _the_referral(context)
    fields.number("jgdm", referral.organization_code, "/referral/organization_code", ORGANIZATION_CODE)
    organization = context.organization
    if organization is not None and organization.code == referral.organization_code:
        fields.text("jgmc", organization.name, "", 100)
    fields.number("yjbh", referral.task_no, "/referral/task_no", TASK_NO)


def _the_referral(context: Context) -> Referral:
    referral = context.referral
    if referral is None or not handed_over_here(referral, context.endpoint):
        raise PermanentError("context_missing", "the referral of this message is not known here")
    return referral


def _the_agreement(context: Context) -> Agreement:
    if context.agreement is None:
        raise PermanentError("context_missing", "the agreement of this message is not known")
    return context.agreement


def _as(kind: type[D], message: Message) -> D:
    if not isinstance(message.document, kind):
        raise TypeError(f"{message.type} carries no {kind.__name__}")
    return message.document


_SERVICES: Mapping[MessageType, tuple[str, Callable[[Fields, Message, Context], Json]]] = MappingProxyType(
    {
        MessageType.CASE_SUBMITTED: (NOTICE, _case),
        MessageType.CASE_REVISED: (CHANGE, _case),
        MessageType.CASE_PROGRESSED: ("progress", _progress),
        MessageType.CASE_ALERTED: ("alert", _alert),
        MessageType.AGREEMENT_CONCLUDED: ("agreement.notice", _agreement),
        MessageType.AGREEMENT_PERFORMED: ("progress", _performance),
        MessageType.TRANSFER_REQUESTED: ("support", _support),
        MessageType.REFERRAL_ANSWERED: ("referral.answer", _referral_answered),
        MessageType.REFERRAL_RETURNED: ("referral.result", _referral_returned),
    }
)

CAPABILITIES = tuple(Capability(kind, operation) for kind, (operation, _) in _SERVICES.items())
"""The message types that the platform takes, with the names of its services."""
