"""What follows a case: progress, agreement, performance, referrals' answers, other platforms' words, statistics (page §5)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from adapters.national_mediation import codes
from adapters.national_mediation.case import FACTS, ORGANIZATION
from adapters.national_mediation.entry import Entry
from adapters.national_mediation.files import FILE, document_row
from adapters.tables import pointer_to
from adapters.undisputed import in_words
from contracts.adapter import Context
from contracts.agreement import Agreement, Performance, effective_at
from contracts.case import CaseProgress
from contracts.errors import PermanentError
from contracts.lists import ConfirmationRoute, EndReason, ReferralDecision, ReferralOutcome
from contracts.referral import ReferralAnswer, ReferralResult
from contracts.report import ReportAbout, StatusReport
from contracts.statistics import StatisticalReport
from contracts.status import CASE_ENDS, CaseStatus, ReferenceKind, TransferStatus

_NOTE, _PLACE, _REASON, _REPORT, _AGREEMENT_NO = 500, 100, 200, 2000, 64
_WORD = 100
"""Of the contract's own words, which go as they are."""
_AGREED = (ReferralOutcome.AGREED, ReferralOutcome.PARTLY_AGREED)
_FEN = 100
_MONEY_ITEM = "M1"
ITEMS = (
    *("A01", "D1", "D2", "D3", "D4", "D5", "D9", "O1", "O2", "O3", "O4", "O9"),
    *("R1", "R2", "R3", "R4", "R0", "M1", "C1", "C2", "C3"),
)
"""Every item of the quarterly figures; each is demanded (page §5)."""

_COURT, _ARBITRATION = "court_mediation", "hr_arbitration"


def write_progress(entry: Entry, progress: CaseProgress) -> None:
    """化解进展 of the organisation itself.

    Raises:
        PermanentError: ``code_without_row``.
    """
    if progress.status in codes.RESULT.rows:
        entry.put("status", codes.ENDED)
        entry.coded("result", codes.RESULT, progress.status, "/status")
    else:
        entry.coded("status", codes.STATUS, progress.status, "/status")
        if progress.status is CaseStatus.TRANSFERRED:
            entry.losses.mapped("/status", entry.at("status"), "whereto is not told: to an unknown place")
    entry.moment("at", progress.at, "/at")
    if progress.status in CASE_ENDS:
        entry.coded("endReason", codes.END_REASON, progress.reason_code, "/reason_code")
    words, pointer = in_words(progress.note, "/note", progress.undisputed_facts, entry.losses, entry.at("note"))
    entry.prose("note", words, pointer, _NOTE)
    if progress.session is not None:
        session = entry.below("session")
        session.moment("from", progress.session.from_, "/session/from")
        session.moment("to", progress.session.to, "/session/to")
        session.prose("place", progress.session.place, "/session/place", _PLACE)
        session.text("method", progress.session.method, "/session/method", _WORD)
        entry.object("session", session)


def write_report(entry: Entry, report: StatusReport, context: Context) -> None:
    """Another platform's word about a confirmation or transfer as progress (T6, 8 and 11 to 14).

    Raises:
        PermanentError: ``not_taken`` (about anything else, or a transfer that is not filed), ``code_without_row``.
    """
    entry.losses.carried("/about")
    if report.about is ReportAbout.CONFIRMATION:
        entry.coded("status", codes.CONFIRMATION, report.status, "/status")
        entry.put("route", codes.ROUTE.rows[_route(report, context)])
    elif report.about is ReportAbout.TRANSFER and report.status == TransferStatus.FILED:
        entry.losses.carried("/status")
        entry.put("status", codes.TO_COURT if report.source_platform == _COURT else codes.TO_ARBITRATION)
    else:
        raise PermanentError("not_taken", "the platform has no status for this word")
    entry.moment("at", report.at, "/at")
    entry.prose("note", report.note, "/note", _NOTE)


def _route(report: StatusReport, context: Context) -> ConfirmationRoute:
    if context.confirmation is not None:
        return context.confirmation.route
    if report.source_platform == _COURT:
        return ConfirmationRoute.JUDICIAL_CONFIRMATION
    if report.source_platform == _ARBITRATION:
        return ConfirmationRoute.ARBITRATION_REVIEW
    raise PermanentError("context_missing", "the way of the confirmation is not known")


def write_agreement(entry: Entry, agreement: Agreement, context: Context) -> tuple[str, ...]:
    """调解协议; returns the attachment that travels along.

    Raises:
        PermanentError: ``agreement_without_effect``, ``too_long``, ``code_without_row``.
    """
    entry.text("agreementNo", agreement.agreement_no, "/agreement_no", _AGREEMENT_NO, required=True)
    entry.prose("facts", agreement.facts, "/facts", FACTS)
    entry.coded("settled", codes.SETTLED, agreement.settled_claims, "/settled_claims")
    rows = []
    for number, term in enumerate(agreement.terms):
        row, at = entry.below("terms", number), pointer_to("terms", number)
        row.value("no", term.no, f"{at}/no")
        row.text("kind", term.kind, f"{at}/kind", _WORD)
        entry.losses.carried(f"{at}/text")
        row.put("text", term.text)
        row.fen("amountFen", term.amount, f"{at}/amount")
        row.day("dueDate", term.due_date, f"{at}/due_date")
        rows.append(row)
    entry.rows("terms", rows)
    entry.coded("effectRule", codes.EFFECT_RULE, agreement.effect_rule, "/effect_rule")
    try:
        entry.moment("effectiveAt", effective_at(agreement), "")
    except ValueError:
        raise PermanentError("agreement_without_effect", "a signature or the seal is missing") from None
    entry.put(FILE, document_row(entry, agreement.document, context))
    return (agreement.document,)


def write_performance(entry: Entry, performance: Performance, context: Context) -> None:
    """履行情况 of one term."""
    entry.put("agreementId", agreement_id(context))
    entry.value("termNo", performance.term_no, "/term_no")
    entry.coded("status", codes.PERFORMANCE, performance.status, "/status")
    entry.moment("at", performance.at, "/at")
    entry.fen("amountFen", performance.amount, "/amount")


def write_answer(entry: Entry, answer: ReferralAnswer) -> None:
    """转办答复.

    Raises:
        PermanentError: ``required_missing`` (a refusal without reason).
    """
    declined = answer.answer is ReferralDecision.DECLINE
    entry.value("accept", not declined, "/answer")
    if declined and not answer.reason:
        raise PermanentError("required_missing", "reason: the platform demands it with a refusal")
    entry.prose("reason", answer.reason, "/reason", _REASON)
    entry.moment("answeredAt", answer.at, "/at")


def write_result(entry: Entry, result: ReferralResult, context: Context) -> None:
    """转办结果; the agreement is named by the platform's number of it. An end without agreement has a reason there (T6)."""
    entry.coded("result", codes.RESULT, result.outcome, "/outcome")
    if result.reason_code is None and result.outcome not in _AGREED:
        entry.put("endReason", codes.END_REASON.rows[EndReason.OTHER])
        entry.losses.defaulted("/reason_code", entry.at("endReason"), "demanded there: other")
    entry.coded("endReason", codes.END_REASON, result.reason_code, "/reason_code")
    if result.agreement is not None:
        entry.losses.carried("/agreement")
        entry.put("agreementId", agreement_id(context))
    words, pointer = in_words(result.report, "/report", result.undisputed_facts, entry.losses, entry.at("report"))
    entry.prose("report", words, pointer, _REPORT)


def agreement_id(context: Context) -> str:
    """``agreementId`` of our filing.

    Raises:
        PermanentError: ``context_missing``: the platform never told one.
    """
    about = context.agreement_id
    found = context.reference(ReferenceKind.AGREEMENT_ID, about) if about is not None else None
    if found is None:
        raise PermanentError("context_missing", "the platform's number of the agreement is not known")
    return found


def write_statistics(entry: Entry, report: StatisticalReport, version: int, made_at: datetime) -> None:
    """The quarter's figures (统计报表): amounts are yuan here and fen there.

    ``version``: one more than the platform told last, which counts what reached it.

    Raises:
        PermanentError: ``required_missing``.
    """
    entry.text("orgCode", report.organization_code, "/organization_code", ORGANIZATION, required=True)
    if version == report.version:
        entry.losses.carried("/version")
    else:
        entry.losses.mapped("/version", entry.at("version"), "versions count what reached the platform")
    entry.put("version", version)
    entry.moment("filledAt", made_at, "")
    places = {item.code: number for number, item in enumerate(report.items)}
    items = entry.below("items")
    for code in ITEMS:
        if code not in places:
            raise PermanentError("required_missing", f"items.{code}: the platform demands it")
        number = places[code]
        value = Decimal(report.items[number].value) * (_FEN if code == _MONEY_ITEM else 1)
        entry.losses.carried(pointer_to("items", number))
        items.put(code, int(value))
    entry.object("items", items)


def next_version(context: Context, about: str) -> int:
    """The version of a report that the platform takes next: of what it told at the last one (``…/<version>``) one more."""
    told = (context.reference(ReferenceKind.DOCUMENT_NO, about) or "").rpartition("/")[2]
    return int(told) + 1 if told.isascii() and told.isdigit() and len(told) < 10 else 1


def quarter(report: StatisticalReport) -> str:
    """``2026Q3`` of a report's period.

    Raises:
        PermanentError: ``period_not_taken``, where it is no quarter.
    """
    start, end = report.period.from_, report.period.to
    number = (start.month - 1) // 3 + 1
    last = {1: (3, 31), 2: (6, 30), 3: (9, 30), 4: (12, 31)}[number]
    if (start.month, start.day) != (3 * number - 2, 1) or (end.year, end.month, end.day) != (start.year, *last):
        raise PermanentError("period_not_taken", "the platform takes the figures of a quarter alone")
    return f"{start.year}Q{number}"
