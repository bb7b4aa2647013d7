"""An agreement and its performance in the platform's words (page §4): TJ1004 协议报送 and TJ1005 履行报送."""

from __future__ import annotations

from adapters.beijing import D14
from adapters.hr_arbitration import codes
from adapters.hr_arbitration.rows import Row
from adapters.hr_arbitration.writing import Writing
from adapters.tables import pointer_to
from contracts.agreement import Agreement, Performance, Signature, Term, effective_at
from contracts.errors import PermanentError


def write_agreement(writing: Writing) -> None:
    """The mediation agreement (调解协议), with the moment from which it is effective."""
    writing.of_case()
    agreement, row = writing.document(Agreement), writing.row
    row.exact("BZD001", agreement.agreement_no, "/agreement_no", 60)
    row.text("BZD002", agreement.facts, "/facts", 2000)
    row.coded("BZD003", codes.EFFECT_RULE, agreement.effect_rule, "/effect_rule")
    row.put("BZD004", _effective_at(agreement))
    row.coded("BZD005", codes.SETTLED_CLAIMS, agreement.settled_claims, "/settled_claims")
    row.integer("BZD006", agreement.copies, "/copies", 2)
    writing.file(row, "BZD007", agreement.document, "/document")
    row.moment("BZD008", agreement.performance_notice_sent_at, "/performance_notice_sent_at")
    row.rows("BZD100", [_term(row, number, term) for number, term in enumerate(agreement.terms)])
    row.rows("BZD200", [_signature(row, number, one) for number, one in enumerate(agreement.signatures)])
    if (seal := agreement.organization_seal) is not None:
        # The page gives no length for the seal's id and the signer's name: ours is the only one.
        row.exact("BZD210", seal.seal_id, "/organization_seal/seal_id", 500)
        row.moment("BZD211", seal.sealed_at, "/organization_seal/sealed_at")


def write_performance(writing: Writing) -> None:
    """How one term was performed (履行情况)."""
    writing.of_case()
    performance, row = writing.document(Performance), writing.row
    writing.exact_key("BZD001", writing.agreement().agreement_no, 60)
    row.integer("BZD101", performance.term_no, "/term_no")
    row.coded("BZD301", codes.PERFORMANCE_STATUS, performance.status, "/status")
    row.moment("AAE036", performance.at, "/at")
    row.money("BZD302", performance.amount, "/amount")
    row.rows("BZF000", writing.file_rows(performance.evidence, "evidence"))


def _effective_at(agreement: Agreement) -> str:
    """``BZD004``: computed from signatures and seal, which report what they lose themselves."""
    try:
        return D14.write(effective_at(agreement))
    except ValueError:
        raise PermanentError("agreement_without_effect", "a signature or the seal is missing") from None


def _term(row: Row, number: int, term: Term) -> Row:
    below, at = row.below("BZD100", number), ("terms", number)
    below.integer("BZD101", term.no, pointer_to(*at, "no"))
    below.coded("BZD102", codes.TERM_KIND, term.kind, pointer_to(*at, "kind"))
    below.text("BZD103", term.text, pointer_to(*at, "text"), 1000)
    below.money("BZD104", term.amount, pointer_to(*at, "amount"))
    below.day("BZD105", term.due_date, pointer_to(*at, "due_date"))
    if (payee := term.payee) is not None:
        below.integer("BZD106", payee.party, pointer_to(*at, "payee", "party"))
        below.text("BZD107", payee.account_name, pointer_to(*at, "payee", "account_name"), 100)
        below.text("AAE008", payee.bank, pointer_to(*at, "payee", "bank"), 100)
        below.exact("BZD108", payee.account_no, pointer_to(*at, "payee", "account_no"), 40)
    rows = []
    for count, installment in enumerate(term.installments):
        part = below.below("BZD110", count)
        part.money("BZD111", installment.amount, pointer_to(*at, "installments", count, "amount"))
        part.day("BZD112", installment.due_date, pointer_to(*at, "installments", count, "due_date"))
        rows.append(part)
    below.rows("BZD110", rows)
    return below


def _signature(row: Row, number: int, signature: Signature) -> Row:
    below, at = row.below("BZD200", number), ("signatures", number)
    below.coded("BZD201", codes.SIGNER, signature.signer, pointer_to(*at, "signer"))
    below.integer("BZD202", signature.party, pointer_to(*at, "party"))
    below.exact("BZD203", signature.name, pointer_to(*at, "name"), 100)
    below.coded("BZD204", codes.SIGNATURE_METHOD, signature.method, pointer_to(*at, "method"))
    below.moment("BZD205", signature.signed_at, pointer_to(*at, "signed_at"))
    return below
