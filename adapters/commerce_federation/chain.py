"""What follows a case: progress, agreement, performance (page §4, BIZ_TYPE 02 to 04)."""

from __future__ import annotations

from adapters.commerce_federation import codes
from adapters.commerce_federation.entry import Entry
from adapters.tables import pointer_to
from adapters.undisputed import in_words
from contracts.adapter import Context
from contracts.agreement import Agreement, Performance, effective_at
from contracts.case import CaseProgress
from contracts.errors import PermanentError
from contracts.status import CASE_ENDS, CaseStatus

_NOTE, _PLACE, _AGREEMENT_NO, _TERM = 300, 100, 64, 500
_NO_AGREEMENT = "0"


def write_progress(entry: Entry, progress: CaseProgress) -> None:
    """化解进展 of the organisation itself.

    Raises:
        PermanentError: ``required_missing``, an end without agreement and without its reason.
    """
    entry.coded("zt", codes.STATUS, progress.status, "/status")
    entry.moment("sj", progress.at, "/at")
    ended = progress.status in CASE_ENDS
    result = codes.RESULT.rows.get(progress.status)
    if ended and progress.reason_code is not None:
        entry.coded("jsyy", codes.END_REASON, progress.reason_code, "/reason_code")
    elif result == _NO_AGREEMENT:
        raise PermanentError("required_missing", "reason_code: the platform demands it with this end")
    words, pointer = in_words(progress.note, "/note", progress.undisputed_facts, entry.losses, entry.at("bz"))
    entry.prose("bz", words, pointer, _NOTE)
    if result is not None:
        entry.put("tjjg", result)
    if progress.status is CaseStatus.TRANSFERRED:
        entry.losses.mapped("/status", entry.at("zt"), "whereto is not told: to arbitration or an unknown place")
    if progress.session is not None:
        entry.prose("tjdd", progress.session.place, "/session/place", _PLACE)


def write_agreement(entry: Entry, agreement: Agreement) -> None:
    """调解协议. Payees are never sent; account numbers inside a text are not sought (page §4).

    Raises:
        PermanentError: ``agreement_without_effect``, ``required_missing`` (an agreement without terms), ``too_long``.
    """
    paper = entry.below("xy")
    paper.text("xybh", agreement.agreement_no, "/agreement_no", _AGREEMENT_NO, required=True)
    try:
        paper.moment("sxsj", effective_at(agreement), "")
    except ValueError:
        raise PermanentError("agreement_without_effect", "a signature or the seal is missing") from None
    paper.count("fs", agreement.copies, "/copies")
    paper.coded("jjfw", codes.SETTLED, agreement.settled_claims, "/settled_claims")
    rows = []
    for number, term in enumerate(agreement.terms):
        row, at = paper.below("xynr", number), pointer_to("terms", number)
        row.count("xh", term.no, f"{at}/no")
        row.prose("nr", term.text, f"{at}/text", _TERM, required=True)
        row.money("je", term.amount, f"{at}/amount")
        row.day("lxqx", term.due_date, f"{at}/due_date")
        rows.append(row)
    if not rows:
        raise PermanentError("required_missing", "terms: the platform demands one at least")
    paper.rows("xynr", rows)
    entry.object("xy", paper)


def write_performance(entry: Entry, performance: Performance, context: Context) -> None:
    """履行情况 of one term.

    Raises:
        PermanentError: ``context_missing``.
    """
    if context.agreement is None:
        raise PermanentError("context_missing", "the agreement of this message is not known")
    row = entry.below("lx")
    row.text("xybh", context.agreement.agreement_no, "", _AGREEMENT_NO, required=True)
    row.count("xh", performance.term_no, "/term_no")
    row.coded("lxzt", codes.PERFORMANCE, performance.status, "/status")
    row.moment("sj", performance.at, "/at")
    row.money("je", performance.amount, "/amount")
    entry.object("lx", row)
