"""A case and its agreement in the platform's words (page §4, ``offline/addOffline``): the keys that filing and application
for confirmation share."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from adapters.beijing import COMPACT_MINUTES, local
from adapters.court_mediation import codes
from adapters.court_mediation.parties import write_parties
from adapters.court_mediation.sheet import Sheet
from adapters.tables import pointer_to
from contracts.agreement import Agreement, Signature, Term, effective_at
from contracts.case import Case, Cause, Claim
from contracts.errors import PermanentError
from contracts.party import Party

_CERTIFICATE = 40
_CONSTANTS = {"type": "1", "draftFlag": "0", "caseCatalog": "9901", "state": "3"}
"""``caseCatalog`` 9901 = 诉前调, ``state`` 3 = concluded; both by the page."""


def write_case(sheet: Sheet, case: Case, at: str, *, number_key: str, parties: Sequence[tuple[int, Party]]) -> None:
    """The case, with those of its parties that count here. ``at``: its pointer in what the message delivers."""
    for key, value in _CONSTANTS.items():
        sheet.put(key, value)
    sheet.text(number_key, case.source_case_no, f"{at}/source_case_no", 60, required=True)
    sheet.put("year", f"{local(case.received_at).year:04d}")
    write_cause(sheet, case.cause, f"{at}/cause")
    sheet.money("money", case.amount, f"{at}/amount")
    amounts = [claim.amount for claim in case.claims if claim.amount is not None]
    sheet.money("claimMoney", sum(amounts, Decimal(0)) if amounts else None, "")
    sheet.moment("startTimeStr", case.received_at, f"{at}/received_at", required=True)
    sheet.long("dispute", case.facts, f"{at}/facts", required=True)
    sheet.rows("claims", [_claim(sheet, number, claim, at) for number, claim in enumerate(case.claims)])
    _write_mediators(sheet, case, at)
    write_parties(sheet, parties, f"{at}/parties")
    if case.collective is not None:
        sheet.number("sjrs", case.collective.worker_count, f"{at}/collective/worker_count")
        if case.collective.representatives:
            sheet.losses.carried(f"{at}/collective/representatives")
            sheet.put("dbr", list(case.collective.representatives))


def write_cause(sheet: Sheet, cause: Cause, at: str) -> None:
    """``causeCode`` and ``disputeType`` (案由)."""
    sheet.put("causeCode", codes.cause_code(cause.table, cause.path, sheet.losses, at, sheet.at("causeCode")))
    sheet.text("disputeType", cause.path[-1], "", 100, required=True)


def write_agreement(sheet: Sheet, agreement: Agreement, at: str) -> None:
    """The agreement (调解协议), with the moment from which it is effective, its text and its terms one by one."""
    sheet.text("xybh", agreement.agreement_no, f"{at}/agreement_no", 60, required=True)
    sheet.coded("successState", codes.SETTLED_CLAIMS, agreement.settled_claims, f"{at}/settled_claims")
    _write_text(sheet, agreement, at)
    terms = [_term(sheet, number, term, at) for number, term in enumerate(agreement.terms)]
    sheet.rows("xyx", terms, f"{at}/terms", required=True)
    sheet.coded("sxgz", codes.EFFECT_RULE, agreement.effect_rule, f"{at}/effect_rule")
    # Signatures and seal, of which it is the latest, report themselves what they lose.
    effect = _effective_at(agreement)
    sheet.put("sxsj", effect)
    sheet.put("endTimeStr", effect)
    signatures = [_signature(sheet, number, one, at) for number, one in enumerate(agreement.signatures)]
    sheet.rows("qm", signatures, f"{at}/signatures", required=True)
    seal = agreement.organization_seal
    sealed_at = None if seal is None else seal.sealed_at
    sheet.moment("gzsj", sealed_at, f"{at}/organization_seal/sealed_at", required=True)
    sheet.number("fs", agreement.copies, f"{at}/copies")
    sheet.moment("gzssj", agreement.performance_notice_sent_at, f"{at}/performance_notice_sent_at")


def _claim(sheet: Sheet, number: int, claim: Claim, at: str) -> Sheet:
    row, here = sheet.below("claims", number), at + pointer_to("claims", number)
    row.text("lx", claim.kind, f"{here}/kind", None)
    row.long("nr", claim.text, f"{here}/text")
    row.money("je", claim.amount, f"{here}/amount")
    return row


def _write_mediators(sheet: Sheet, case: Case, at: str) -> None:
    """The mediators (调解员) by certificate: one leads, the names have no place."""
    for place, mediator in enumerate(case.mediators):
        pointer = at + pointer_to("mediators", place, "certificate_no")
        sheet.losses.carried(pointer)
        if len(mediator.certificate_no) > _CERTIFICATE:
            raise PermanentError("too_long", f"{pointer}: longer than {_CERTIFICATE} characters")
    numbers = [mediator.certificate_no for mediator in case.mediators]
    if not numbers:
        raise PermanentError("required_missing", f"{at}/mediators: the platform demands mediatorId")
    sheet.put("mediatorId", numbers[0])
    if numbers[1:]:
        sheet.put("otherMediators", numbers[1:])


def _write_text(sheet: Sheet, agreement: Agreement, at: str) -> None:
    """``agreement``: the facts, then every term as ``no. text`` on a line of its own. The terms stand in ``xyx`` again."""
    lines = [agreement.facts, *(f"{term.no}. {term.text}" for term in agreement.terms)]
    sheet.long("agreement", "\n".join(lines), f"{at}/facts", required=True)


def _effective_at(agreement: Agreement) -> str:
    try:
        return COMPACT_MINUTES.write(effective_at(agreement))
    except ValueError:
        raise PermanentError("agreement_without_effect", "a signature or the seal is missing") from None


def _term(sheet: Sheet, number: int, term: Term, at: str) -> Sheet:
    row, here = sheet.below("xyx", number), at + pointer_to("terms", number)
    row.number("xh", term.no, f"{here}/no")
    row.text("lx", term.kind, f"{here}/kind", None)
    row.long("nr", term.text, f"{here}/text")
    row.money("je", term.amount, f"{here}/amount")
    row.day("lxqx", term.due_date, f"{here}/due_date")
    if (payee := term.payee) is not None:
        row.text("skr", payee.account_name, f"{here}/payee/account_name", None)
        row.text("khh", payee.bank, f"{here}/payee/bank", None)
        row.text("zh", payee.account_no, f"{here}/payee/account_no", None)
    parts = []
    for count, installment in enumerate(term.installments):
        part, there = row.below("fq", count), here + pointer_to("installments", count)
        part.money("je", installment.amount, f"{there}/amount")
        part.day("rq", installment.due_date, f"{there}/due_date")
        parts.append(part)
    row.rows("fq", parts)
    return row


def _signature(sheet: Sheet, number: int, signature: Signature, at: str) -> Sheet:
    row, here = sheet.below("qm", number), at + pointer_to("signatures", number)
    row.text("xm", signature.name, f"{here}/name", None)
    row.coded("lx", codes.SIGNER, signature.signer, f"{here}/signer")
    row.coded("fs", codes.SIGNATURE_METHOD, signature.method, f"{here}/method")
    row.moment("sj", signature.signed_at, f"{here}/signed_at")
    return row
