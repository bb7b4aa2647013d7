"""What follows a case: progress, agreement, performance, transfer, alert, and other platforms' words (page §4)."""

from __future__ import annotations

from decimal import Decimal

from adapters.beijing import DAY
from adapters.one_stop.case import claim_rows
from adapters.one_stop.codes import (
    CASE_STATUS,
    EFFECT_RULE,
    END_REASON,
    FULFILMENT_STATUS,
    FULFILMENT_WORD,
    LEVEL,
    OURSELVES,
    PROGRESS,
    SESSION_METHOD,
    SETTLED,
    SOURCE,
    TRANSFER_REASON,
    TRANSFER_TO,
)
from adapters.one_stop.layout import CLAIMS
from adapters.one_stop.scribe import Scribe, ten_thousands
from adapters.tables import pointer_to
from adapters.undisputed import in_words
from contracts.adapter import Context, Json
from contracts.agreement import Agreement, Performance, effective_at
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress
from contracts.errors import PermanentError
from contracts.report import ReportAbout, StatusReport
from contracts.transfer import Transfer


def the_case(context: Context) -> Case:
    """The case in whose chain the message stands.

    Raises:
        PermanentError: ``context_missing``.
    """
    if context.case is None:
        raise PermanentError("context_missing", "the case of this message is not known")
    return context.case


def progress_values(progress: CaseProgress, context: Context, scribe: Scribe) -> Json:
    """化解进展 of the organisation itself (进展类别 1, 来源 1)."""
    session = progress.session
    words, pointer = in_words(progress.note, "/note", progress.undisputed_facts, scribe.losses, "化解情况")
    return _own(context, scribe) | {
        "进展类别": "1",
        "状态": scribe.code(CASE_STATUS, progress.status, "/status", "状态"),
        "发生时间": scribe.time(progress.at, "/at", "发生时间"),
        "原因": scribe.code(END_REASON, progress.reason_code, "/reason_code", "原因"),
        "化解情况": scribe.text(words, pointer, "化解情况"),
        "调解开始": scribe.time(session.from_, "/session/from", "调解开始") if session else None,
        "调解结束": scribe.time(session.to, "/session/to", "调解结束") if session else None,
        "调解地点": scribe.text(session.place, "/session/place", "调解地点") if session else None,
        "调解形式": scribe.code(SESSION_METHOD, session.method, "/session/method", "调解形式") if session else None,
    }


def performance_values(performance: Performance, context: Context, scribe: Scribe) -> Json:
    """履行情况 as progress (进展类别 4); term, status and amount go in words, the platform has no items for them."""
    status = performance.status
    words = _performed(context.agreement.agreement_no if context.agreement else None, performance.term_no, status)
    scribe.losses.carried("/term_no")
    if performance.amount is not None:
        scribe.losses.carried("/amount")
        words += f"，金额{performance.amount:.2f}元"
    return _own(context, scribe) | {
        "进展类别": "4",
        "状态": scribe.code(FULFILMENT_STATUS, status, "/status", "状态"),
        "发生时间": scribe.time(performance.at, "/at", "发生时间"),
        "化解情况": scribe.text(words, "", "化解情况"),
    }


def report_values(report: StatusReport, context: Context, scribe: Scribe) -> Json:
    """Another platform's word as progress.

    Raises:
        PermanentError: ``not_taken`` (about a referral), ``code_without_row`` (a status that the table does not have,
            such as unknown), ``too_long`` (an event id of more than 64 units).
    """
    if report.about not in PROGRESS:
        raise PermanentError("not_taken", "the platform takes no report about this")
    category, statuses = PROGRESS[report.about]
    scribe.losses.carried("/about")
    return {
        "案件外部编号": _case_no(context, scribe),
        "进展类别": category,
        "来源": scribe.code(SOURCE, report.source_platform, "/source_platform", "来源"),
        "来源事件号": scribe.text(report.event_id, "/event_id", "来源事件号"),
        "状态": scribe.code(statuses, report.status, "/status", "状态"),
        "原状态": scribe.text(report.raw_status, "/raw_status", "原状态"),
        "发生时间": scribe.time(report.at, "/at", "发生时间"),
        "原因": _reason(report, scribe),
        "化解情况": _words(report, scribe),
        "文书号": scribe.text(report.document_no, "/document_no", "文书号"),
    }


def agreement_values(agreement: Agreement, context: Context, scribe: Scribe) -> Json:
    """化解结果: the agreement (协议), its terms as numbered lines after the facts."""
    lines = [scribe.text(agreement.facts, "/facts", "化解情况") or ""]
    for number, term in enumerate(agreement.terms):
        scribe.losses.carried(pointer_to("terms", number, "no"))
        text = scribe.text(term.text, pointer_to("terms", number, "text"), "化解情况")
        lines.append(f"{term.no}. {text}")
    return {
        "案件外部编号": _case_no(context, scribe),
        "协议编号": scribe.text(agreement.agreement_no, "/agreement_no", "协议编号"),
        "是否成功": scribe.code(SETTLED, agreement.settled_claims, "/settled_claims", "是否成功"),
        "化解情况": "\n".join(lines),
        "生效规则": scribe.code(EFFECT_RULE, agreement.effect_rule, "/effect_rule", "生效规则"),
        "生效时间": scribe.time(effective_at(agreement), "", "生效时间"),
        "化解日期": _sealed(agreement, scribe),
        "给付总额": _total(agreement, scribe),
        "履行期限": _last_due(agreement, scribe),
        "份数": scribe.count(agreement.copies, "/copies"),
    }


def transfer_values(transfer: Transfer, about: str, context: Context, scribe: Scribe) -> Json:
    """转办. ``about`` is our transfer id, the platform's 转办编号."""
    authority = transfer.authority
    return {
        "案件外部编号": _case_no(context, scribe),
        "转办编号": about,
        "转往": scribe.code(TRANSFER_TO, transfer.to, "/to", "转往"),
        "接收机构": scribe.text(authority.name, "/authority/name", "接收机构"),
        "接收机构代码": scribe.text(authority.code, "/authority/code", "接收机构代码"),
        "原因": scribe.code(TRANSFER_REASON, transfer.reason_code, "/reason_code", "原因"),
        CLAIMS.name: _claims(transfer, context, scribe),
    }


def _claims(transfer: Transfer, context: Context, scribe: Scribe) -> list[Json]:
    """Without claims of its own a transfer takes those of the case along."""
    if transfer.claims is None:
        return claim_rows(the_case(context).claims, scribe, "")
    return claim_rows(transfer.claims, scribe, "/claims")


def alert_values(alert: CollectiveAlert, context: Context, scribe: Scribe) -> Json:
    """重大群体性纠纷."""
    return {
        "案件外部编号": _case_no(context, scribe),
        "等级": scribe.code(LEVEL, alert.level, "/level", "等级"),
        "涉及人数": scribe.count(alert.worker_count, "/worker_count"),
        "涉案金额": scribe.money(alert.amount, "/amount", "涉案金额"),
        "现场情况": scribe.text(alert.situation, "/situation", "现场情况"),
        "处置措施": scribe.text(alert.measures, "/measures", "处置措施"),
        "联系人": scribe.text(alert.contact.name, "/contact/name", "联系人"),
        "联系方式": scribe.text(alert.contact.phone, "/contact/phone", "联系方式"),
        "发生时间": scribe.time(alert.at, "/at", "发生时间"),
    }


def _case_no(context: Context, scribe: Scribe) -> str | None:
    return scribe.text(the_case(context).source_case_no, "", "案件外部编号")


def _own(context: Context, scribe: Scribe) -> Json:
    return {"案件外部编号": _case_no(context, scribe), "来源": OURSELVES}


def _performed(agreement_no: str | None, term_no: int | None, status: str) -> str:
    term = f"第{term_no}项" if term_no is not None else ""
    return f"协议{agreement_no or ''}{term}：{FULFILMENT_WORD.get(status, status)}"


def _reason(report: StatusReport, scribe: Scribe) -> str | None:
    """原因: the platform has a table for the end of a case and one for a transfer, none for the other nouns."""
    tables = {ReportAbout.CASE: END_REASON, ReportAbout.TRANSFER: TRANSFER_REASON}
    table = tables.get(report.about)
    return scribe.code(table, report.reason_code, "/reason_code", "原因") if table is not None else None


def _words(report: StatusReport, scribe: Scribe) -> str | None:
    note = scribe.text(report.note, "/note", "化解情况")
    if report.about is not ReportAbout.FULFILMENT or report.term_no is None:
        return note
    scribe.losses.carried("/term_no")
    number = scribe.text(report.agreement_no, "/agreement_no", "化解情况")
    words = _performed(number, report.term_no, report.status)
    return f"{words}。{note}" if note else words


def _total(agreement: Agreement, scribe: Scribe) -> str | None:
    """给付总额: the sum of the terms' amounts; single amounts of several have no place of their own."""
    amounts = {number: term.amount for number, term in enumerate(agreement.terms) if term.amount is not None}
    if not amounts:
        return None
    for number in amounts:
        pointer = pointer_to("terms", number, "amount")
        if len(amounts) == 1:
            scribe.losses.carried(pointer)
        else:
            scribe.losses.mapped(pointer, "给付总额", "only the sum has a place")
    return ten_thousands(sum(amounts.values(), Decimal(0)), "给付总额")


def _sealed(agreement: Agreement, scribe: Scribe) -> str:
    """化解日期: the day of the seal. The court rules know agreements without one: then the day of effect."""
    if agreement.organization_seal is not None:
        sealed = scribe.day(agreement.organization_seal.sealed_at, "/organization_seal/sealed_at", "化解日期")
        assert sealed is not None  # noqa: S101  # a day is written for every moment
        return sealed
    scribe.losses.defaulted("/organization_seal", "化解日期", "no seal: the day of effect went")
    return DAY.write(effective_at(agreement))


def _last_due(agreement: Agreement, scribe: Scribe) -> str | None:
    """履行期限: the latest of the terms' dates."""
    days = {number: term.due_date for number, term in enumerate(agreement.terms) if term.due_date is not None}
    if not days:
        return None
    latest = max(days.values())
    for number, due in days.items():
        pointer = pointer_to("terms", number, "due_date")
        if due == latest:
            scribe.losses.carried(pointer)
        else:
            scribe.losses.dropped(pointer, "only the latest date has a place")
    return DAY.write(latest)
