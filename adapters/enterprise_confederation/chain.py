"""What follows a case: progress, agreement, performance (page §3, §4, OP PROG, AGRE, PERF). Each writes its row and its
detail."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from adapters.enterprise_confederation import codes
from adapters.enterprise_confederation.entry import Cells, Entry
from adapters.tables import pointer_to
from adapters.undisputed import in_words
from contracts.adapter import Context
from contracts.agreement import Agreement, Performance, effective_at
from contracts.case import CaseProgress, Session
from contracts.errors import PermanentError
from contracts.status import CASE_ENDS, CaseStatus

_NOTE, _FACTS, _TERM = 500, 3000, 1000
_NEEDS_REASON = frozenset({CaseStatus.FAILED, CaseStatus.WITHDRAWN, CaseStatus.TERMINATED})
_AGREED = "已达成协议"


def write_progress(row: Cells, detail: Entry, progress: CaseProgress) -> None:
    """A step of a case.

    Raises:
        PermanentError: ``code_without_row`` (correction_required), ``required_missing``, an end without its reason.
    """
    row.coded("状态", codes.STATUS, progress.status, "/status")
    if progress.reason_code is not None and progress.status in CASE_ENDS:
        row.coded("办结原因", codes.END_REASON, progress.reason_code, "/reason_code")
    elif progress.status in _NEEDS_REASON:
        raise PermanentError("required_missing", "reason_code: the platform demands it with this end")
    row.moment("发生时间", progress.at, "/at")
    detail.coded("状态", codes.STATUS, progress.status, "/status")
    detail.put("时间", row.fields["发生时间"])
    note, pointer = in_words(progress.note, "/note", progress.undisputed_facts, detail.losses, detail.at("说明"))
    detail.prose("说明", note, pointer, _NOTE)
    if progress.session is not None:
        detail.object("场次", _session(detail, progress.session))


def _session(detail: Entry, session: Session) -> Entry:
    row = detail.below("场次")
    row.moment("开始", session.from_, "/session/from")
    row.moment("结束", session.to, "/session/to")
    row.prose("地点", session.place, "/session/place", required=True)
    row.coded("方式", codes.METHOD, session.method, "/session/method")
    return row


def write_agreement(row: Cells, detail: Entry, agreement: Agreement) -> None:
    """调解协议. Payees are never sent; account numbers inside a text are not sought.

    Raises:
        PermanentError: ``agreement_without_effect``, ``required_missing`` (an agreement without terms).
    """
    effect = _effect(agreement)
    row.money("涉案金额", sum((term.amount for term in agreement.terms if term.amount is not None), Decimal(0)), "")
    row.put("状态", _AGREED)
    row.moment("发生时间", effect, "")
    detail.prose("协议编号", agreement.agreement_no, "/agreement_no", required=True)
    detail.prose("事实", agreement.facts, "/facts", _FACTS, required=True)
    detail.coded("生效规则", codes.EFFECT_RULE, agreement.effect_rule, "/effect_rule")
    detail.moment("生效时间", effect, "")
    detail.coded("范围", codes.SETTLED, agreement.settled_claims, "/settled_claims")
    detail.count("份数", agreement.copies, "/copies")
    terms = []
    for number, term in enumerate(agreement.terms):
        inner, at = detail.below("条款", number), pointer_to("terms", number)
        inner.count("序号", term.no, f"{at}/no")
        inner.prose("内容", term.text, f"{at}/text", _TERM, required=True)
        inner.money("金额", term.amount, f"{at}/amount")
        inner.day("期限", term.due_date, f"{at}/due_date")
        terms.append(inner)
    if not terms:
        raise PermanentError("required_missing", "terms: the platform demands one at least")
    detail.rows("条款", terms)


def _effect(agreement: Agreement) -> datetime:
    try:
        return effective_at(agreement)
    except ValueError:
        raise PermanentError("agreement_without_effect", "a signature or the seal is missing") from None


def write_performance(row: Cells, detail: Entry, performance: Performance, context: Context) -> None:
    """履行情况 of one term.

    Raises:
        PermanentError: ``context_missing``.
    """
    if context.agreement is None:
        raise PermanentError("context_missing", "the agreement of this message is not known")
    row.money("涉案金额", performance.amount, "/amount")
    row.coded("状态", codes.PERFORMANCE, performance.status, "/status")
    row.moment("发生时间", performance.at, "/at")
    detail.prose("协议编号", context.agreement.agreement_no, "", required=True)
    detail.count("条款序号", performance.term_no, "/term_no")
    detail.coded("履行状态", codes.PERFORMANCE, performance.status, "/status")
    detail.put("时间", row.fields["发生时间"])
    detail.money("金额", performance.amount, "/amount")
