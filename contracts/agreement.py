"""The agreement (调解协议), the moment of its effect, and its performance (履行)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from contracts.attachment import AttachmentReference
from contracts.case import Case, party_findings
from contracts.document import Document, Part, gathered, named, rule
from contracts.findings import Code, Finding, Signer
from contracts.lists import EffectRule, PartyRole, SettledClaims, SignatureMethod, SignerRole, TermKind
from contracts.status import FulfilmentStatus
from contracts.values import (
    LIST_LIMIT,
    AgreementNo,
    AttachmentId,
    Count,
    Day,
    LongText,
    Money,
    Name,
    Only,
    PartyIndex,
    PastTime,
    ShortText,
)


class Payee(Part):
    """Who is paid, and where (收款人)."""

    party: Annotated[PartyIndex, named("当事人序号", "Party")]
    account_name: Annotated[Name, named("户名", "Account name")]
    bank: Annotated[Name, named("开户银行", "Bank")]
    account_no: Annotated[ShortText, named("账号", "Account number")]


class Installment(Part):
    """One payment of several (分期给付); ``amount`` in yuan."""

    amount: Annotated[Money, named("金额（元）", "Amount (yuan)")]
    due_date: Annotated[Day, named("履行日期", "Due date")]


class Term(Part):
    """One term of an agreement (协议事项); ``amount`` in yuan."""

    no: Annotated[Count, named("序号", "Number")]
    kind: Annotated[TermKind, named("事项类别", "Kind")]
    text: Annotated[LongText, named("内容", "Text")]
    amount: Annotated[Money | None, named("金额（元）", "Amount (yuan)")] = None
    payee: Annotated[Payee | None, named("收款人", "Payee")] = None
    due_date: Annotated[Day | None, named("履行日期", "Due date")] = None
    installments: Annotated[tuple[Installment, ...], named("分期给付", "Instalments", max_length=LIST_LIMIT)] = ()


class Signature(Part):
    """One signature or seal (签名、盖章、捺印)."""

    signer: Annotated[SignerRole, named("签署人", "Signer")]
    party: Annotated[PartyIndex | None, named("当事人序号", "Party")] = None
    name: Annotated[Name, named("姓名或者名称", "Name")]
    method: Annotated[SignatureMethod, named("签署方式", "Method")]
    signed_at: Annotated[PastTime, named("签署时间", "Signed at")]


class OrganizationSeal(Part):
    """The seal of the mediation organisation (调解组织印章)."""

    seal_id: Annotated[ShortText | None, named("印章编号", "Seal id")] = None
    sealed_at: Annotated[PastTime, named("盖章时间", "Sealed at")]


class Agreement(Document):
    """A mediation agreement (调解协议书); 调解仲裁法 art. 14, 特邀调解规定 art. 24, 在线调解规则 art. 19."""

    agreement_no: Annotated[AgreementNo, named("协议编号", "Agreement number")]
    facts: Annotated[LongText, named("主要事实", "Facts")]
    effect_rule: Annotated[EffectRule, named("生效规则", "Rule of effect")]
    settled_claims: Annotated[SettledClaims, named("解决范围", "Claims settled")]
    terms: Annotated[tuple[Term, ...], named("协议事项", "Terms", max_length=LIST_LIMIT)]
    signatures: Annotated[tuple[Signature, ...], named("签名盖章", "Signatures", max_length=LIST_LIMIT)]
    organization_seal: Annotated[OrganizationSeal | None, named("调解组织印章", "Seal of the organisation")] = None
    copies: Annotated[Count, named("份数", "Copies")]
    document: Annotated[AttachmentId, named("协议文本（附件标识）", "Text of the agreement (attachment id)")]
    performance_notice_sent_at: Annotated[PastTime | None, named("履行告知时间", "Performance notice sent at")] = None


class Performance(Document):
    """How a term was performed (履行情况); ``amount`` in yuan."""

    term_no: Annotated[Count, named("协议事项序号", "Number of the term")]
    status: Annotated[
        FulfilmentStatus,
        Only(FulfilmentStatus.PERFORMED, FulfilmentStatus.PARTLY_PERFORMED, FulfilmentStatus.BREACHED),
        named("履行状态", "Status"),
    ]
    at: Annotated[PastTime, named("履行时间", "At")]
    amount: Annotated[Money | None, named("履行金额（元）", "Amount (yuan)")] = None
    evidence: Annotated[tuple[AttachmentReference, ...], named("证据", "Evidence", max_length=LIST_LIMIT)] = ()


# -------------------------------------------------------------------------------------------------------------- effect


def effective_at(agreement: Agreement) -> datetime:
    """When the agreement takes effect, by its own rule.

    ``labor_law``: the latest of the signatures of parties and mediators and of the organisation's seal (调解仲裁法
    art. 14). ``court_delegated_paper`` and ``court_online``: the latest of the parties' signatures (特邀调解规定 art.
    24, 在线调解规则 art. 19).

    Raises:
        ValueError: a signature or the seal on which the effect hangs is missing; :func:`examine_agreement` tells which.
    """
    moments = [
        signature.signed_at
        for signature in agreement.signatures
        if signature.signer is SignerRole.PARTY or agreement.effect_rule is EffectRule.LABOR_LAW
    ]
    if agreement.effect_rule is EffectRule.LABOR_LAW:
        if agreement.organization_seal is None:
            raise ValueError("without the organisation's seal an agreement has no effect under labor_law")
        moments.append(agreement.organization_seal.sealed_at)
    if not any(signature.signer is SignerRole.PARTY for signature in agreement.signatures):
        raise ValueError("an agreement without a party's signature has no effect")
    return max(moments)


# -------------------------------------------------------------------------------------------------------------- checks


@rule(Agreement)
def _terms_are_told_apart(agreement: Agreement, at: str, _: datetime) -> Iterator[Finding]:
    """A term's performance and its day hang on its number: two of one number would share them."""
    seen: set[int] = set()
    for index, term in enumerate(agreement.terms):
        yield from gathered(_number_is_new(term, seen, f"{at}/terms/{index}/no"))


def _number_is_new(term: Term, seen: set[int], at: str) -> Iterator[Finding]:
    if term.no in seen:
        yield Finding.of(at, Code.NUMBER_REPEATED)
    seen.add(term.no)


def examine_agreement(agreement: Agreement, case: Case) -> tuple[Finding, ...]:
    """What is wrong with an agreement in this case, and what courts would find vague.

    ``party_index``; ``missing`` where a party's signature names no party and nobody of that name is one;
    ``signature_missing`` for each respondent, each applicant (of a collective case: each representative), the
    mediator and the organisation's seal; ``time_order`` for a signature or seal from before the case was received;
    ``vague_term`` (warning).
    """
    return gathered(
        _signatures_are_of_parties(agreement, case),
        _payees_are_parties(agreement, case),
        _sides_signed(agreement, case),
        _mediator_signed(agreement),
        _organization_sealed(agreement),
        _signed_after_receipt(agreement, case),
        _sealed_after_receipt(agreement, case),
        _vague_terms(agreement),
    )


def examine_performance(performance: Performance, agreement: Agreement) -> tuple[Finding, ...]:
    """What is wrong with a performance of this agreement: a term that it does not have (``not_in_list``), a time
    before its effect (``time_order``)."""
    return gathered(_term_exists(performance, agreement), _performed_after_effect(performance, agreement))


def _signatures_are_of_parties(agreement: Agreement, case: Case) -> Iterator[Finding]:
    known = _names_that_sign(case)
    for index, signature in enumerate(agreement.signatures):
        at = f"/signatures/{index}/party"
        if signature.party is not None:
            yield from party_findings(signature.party, case, at)
        elif signature.signer is SignerRole.PARTY and signature.name not in known:
            yield Finding.of(at, Code.MISSING)


def _payees_are_parties(agreement: Agreement, case: Case) -> Iterator[Finding]:
    for index, term in enumerate(agreement.terms):
        yield from gathered(_payee_is_party(term, case, f"/terms/{index}/payee/party"))


def _payee_is_party(term: Term, case: Case, at: str) -> Iterator[Finding]:
    if term.payee is not None:
        yield from party_findings(term.payee.party, case, at)


def _sides_signed(agreement: Agreement, case: Case) -> Iterator[Finding]:
    signed = _parties_that_signed(agreement, case)
    representatives = case.collective.representatives if case.collective is not None else ()
    for index, party in enumerate(case.parties):
        must_sign = party.role is PartyRole.RESPONDENT or (party.role is PartyRole.APPLICANT and not representatives)
        if must_sign and index not in signed:
            yield _unsigned(Signer.PARTY, f" /parties/{index}")
    hands = [_hand(signature, case) for signature in agreement.signatures if signature.signer is SignerRole.PARTY]
    for index, name in enumerate(representatives):
        if name in hands:
            hands.remove(name)
        else:
            yield _unsigned(Signer.REPRESENTATIVE, f" /collective/representatives/{index}")


def _mediator_signed(agreement: Agreement) -> Iterator[Finding]:
    if all(signature.signer is not SignerRole.MEDIATOR for signature in agreement.signatures):
        yield _unsigned(Signer.MEDIATOR)


def _organization_sealed(agreement: Agreement) -> Iterator[Finding]:
    if agreement.organization_seal is None:
        yield Finding.of("", Code.SIGNATURE_MISSING, signer=Signer.ORGANIZATION_SEAL, place="")


def _unsigned(signer: Signer, place: str = "") -> Finding:
    return Finding.of("/signatures", Code.SIGNATURE_MISSING, signer=signer, place=place)


def _signed_after_receipt(agreement: Agreement, case: Case) -> Iterator[Finding]:
    for index, signature in enumerate(agreement.signatures):
        if signature.signed_at < case.received_at:
            yield Finding.of(f"/signatures/{index}/signed_at", Code.TIME_ORDER, earlier="received_at")


def _sealed_after_receipt(agreement: Agreement, case: Case) -> Iterator[Finding]:
    seal = agreement.organization_seal
    if seal is not None and seal.sealed_at < case.received_at:
        yield Finding.of("/organization_seal/sealed_at", Code.TIME_ORDER, earlier="received_at")


def _vague_terms(agreement: Agreement) -> Iterator[Finding]:
    for index, term in enumerate(agreement.terms):
        yield from gathered(_vague(term, f"/terms/{index}"))


def _vague(term: Term, at: str) -> Iterator[Finding]:
    if term.kind is not TermKind.PAYMENT:
        return
    lacking = {
        "amount": term.amount is None and not term.installments,
        "payee": term.payee is None,
        "due_date": term.due_date is None and not term.installments,
    }
    if any(lacking.values()):
        yield Finding.of(at, Code.VAGUE_TERM, lacking=tuple(name for name, lacks in lacking.items() if lacks))


def _term_exists(performance: Performance, agreement: Agreement) -> Iterator[Finding]:
    numbers = sorted({term.no for term in agreement.terms})
    if performance.term_no not in numbers:
        yield Finding.of("/term_no", Code.NOT_IN_LIST, allowed=tuple(map(str, numbers)))


def _performed_after_effect(performance: Performance, agreement: Agreement) -> Iterator[Finding]:
    if performance.at < effective_at(agreement):
        yield Finding.of("/at", Code.TIME_ORDER, earlier="effective_at")


# ------------------------------------------------------------------------------------------------------ who signed whom


def _names_that_sign(case: Case) -> frozenset[str]:
    representatives = case.collective.representatives if case.collective is not None else ()
    return frozenset(party.name for party in case.parties) | frozenset(representatives)


def _parties_that_signed(agreement: Agreement, case: Case) -> frozenset[int]:
    """Indexes of the parties that a signature names, or that alone have the signature's name."""
    signed: set[int] = set()
    for signature in agreement.signatures:
        if signature.signer is not SignerRole.PARTY:
            continue
        if signature.party is not None:
            signed.add(signature.party)
        else:
            of_that_name = [index for index, party in enumerate(case.parties) if party.name == signature.name]
            if len(of_that_name) == 1:
                signed.update(of_that_name)
    return frozenset(signed)


def _hand(signature: Signature, case: Case) -> str:
    """Whose hand a party's signature is: that of the party whom it names by index, else of the name it gives."""
    if signature.party is not None and signature.party < len(case.parties):
        return case.parties[signature.party].name
    return signature.name
