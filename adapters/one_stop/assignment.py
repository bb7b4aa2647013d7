"""分流指派: what goes back about a case that the platform assigned, its 签收 or 退回 and its end (page §4)."""

from __future__ import annotations

from adapters.one_stop.case import assigned_here
from adapters.one_stop.codes import ANSWER, END_REASON, OUTCOME
from adapters.one_stop.pages import without_forbidden
from adapters.one_stop.scribe import Scribe
from adapters.undisputed import in_words
from contracts.adapter import Context, Json
from contracts.errors import PermanentError
from contracts.lists import ReferralDecision
from contracts.referral import Referral, ReferralAnswer, ReferralResult


def the_referral(context: Context) -> Referral:
    """The assignment that is answered.

    Raises:
        PermanentError: ``context_missing``, where there is none or another platform made it.
    """
    referral = context.referral
    if referral is None or not assigned_here(referral, context.endpoint):
        raise PermanentError("context_missing", "the assignment of this message is not known")
    return referral


def answer_values(answer: ReferralAnswer, context: Context, scribe: Scribe) -> Json:
    """签收 or 退回.

    Raises:
        PermanentError: ``required_missing`` (退回 without a reason).
    """
    if answer.answer is ReferralDecision.DECLINE and not answer.reason:
        raise PermanentError("required_missing", "原因: the platform demands it for 退回")
    return {
        "平台编号": the_referral(context).task_no,
        "答复": scribe.code(ANSWER, answer.answer, "/answer", "答复"),
        "原因": scribe.text(answer.reason, "/reason", "原因"),
    }


def binding_values(context: Context) -> Json:
    """标识绑定: our referral id stands for the case until the case has a number of its own.

    Raises:
        PermanentError: ``context_missing``.
    """
    number = context.case.source_case_no if context.case is not None else context.referral_id
    if number is None:
        raise PermanentError("context_missing", "neither case number nor referral id is known")
    return {"平台编号": the_referral(context).task_no, "案件外部编号": without_forbidden(number)}


def result_values(result: ReferralResult, context: Context, scribe: Scribe) -> Json:
    """办结反馈; the agreement is named by its number (协议编号), as the platform got it."""
    if result.agreement is not None and context.agreement is None:
        raise PermanentError("context_missing", "the agreement of this result is not known")
    named = context.agreement.agreement_no if result.agreement is not None and context.agreement is not None else None
    scribe.losses.carried("/agreement")
    words, pointer = in_words(result.report, "/report", result.undisputed_facts, scribe.losses, "办结报告")
    return {
        "平台编号": the_referral(context).task_no,
        "结果": scribe.code(OUTCOME, result.outcome, "/outcome", "结果"),
        "原因": scribe.code(END_REASON, result.reason_code, "/reason_code", "原因"),
        "协议编号": scribe.text(named, "", "协议编号"),
        "办结报告": scribe.text(words, pointer, "办结报告"),
    }
