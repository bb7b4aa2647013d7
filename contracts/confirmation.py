"""Confirmation of an agreement (协议确认): the request by either route, its supplement and its withdrawal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Final

from contracts.agreement import Agreement, effective_at
from contracts.attachment import AttachmentReference
from contracts.case import Case, party_findings
from contracts.causes import is_labour_relation
from contracts.document import Document, Part, gathered, named
from contracts.findings import Code, Finding
from contracts.lists import AttachmentKind, AuthorityKind, ClaimKind, ConfirmationRoute, PartyRole
from contracts.values import LIST_LIMIT, Name, PartyIndex, PastTime, Phone, RegionCode, ShortText


class Authority(Part):
    """The body that a matter is brought before (受理机关)."""

    kind: Annotated[AuthorityKind, named("机关类型", "Kind of authority")]
    code: Annotated[ShortText, named("机关代码", "Code")]
    name: Annotated[Name, named("机关名称", "Name")]


class ServiceAddress(Part):
    """Where the authority serves papers on a party (送达地址)."""

    party: Annotated[PartyIndex, named("当事人序号", "Party")]
    region_code: Annotated[RegionCode, named("行政区划代码", "Region code")]
    detail: Annotated[ShortText, named("详细地址", "Detail")]
    phone: Annotated[Phone, named("电话", "Phone")]
    electronic_consent: Annotated[bool, named("同意电子送达", "Consent to electronic service")]


class ConfirmationRequest(Document):
    """The joint application of both sides (确认申请): 仲裁审查确认 (办案规则 art. 74) or 司法确认 (民事诉讼法 art.
    205).

    ``applied_at`` is the day that counts for the statutory period: the parties' application, not the posting.
    """

    route: Annotated[ConfirmationRoute, named("确认方式", "Route")]
    authority: Annotated[Authority, named("受理机关", "Authority")]
    applicants: Annotated[tuple[PartyIndex, ...], named("共同申请人", "Joint applicants", max_length=LIST_LIMIT)]
    applied_at: Annotated[PastTime, named("申请时间", "Applied at")]
    service_addresses: Annotated[
        tuple[ServiceAddress, ...], named("送达地址", "Service addresses", max_length=LIST_LIMIT)
    ]
    attachments: Annotated[tuple[AttachmentReference, ...], named("附件", "Attachments", max_length=LIST_LIMIT)] = ()
    late_reason: Annotated[ShortText | None, named("逾期理由", "Reason for lateness")] = None


class ConfirmationSupplement(Document):
    """Papers supplied on the authority's demand (补正材料)."""

    at: Annotated[PastTime, named("补正时间", "At")]
    note: Annotated[ShortText | None, named("说明", "Note")] = None
    attachments: Annotated[tuple[AttachmentReference, ...], named("附件", "Attachments", max_length=LIST_LIMIT)] = ()


class ConfirmationWithdrawal(Document):
    """The parties withdraw their application (撤回申请)."""

    at: Annotated[PastTime, named("撤回时间", "At")]
    reason: Annotated[ShortText, named("撤回理由", "Reason")]


PAPERS: Final[Mapping[ConfirmationRoute, Mapping[AttachmentKind, int]]] = MappingProxyType(
    {
        ConfirmationRoute.ARBITRATION_REVIEW: MappingProxyType(
            {
                AttachmentKind.CONFIRMATION_APPLICATION: 1,
                AttachmentKind.MEDIATION_AGREEMENT: 1,
                AttachmentKind.IDENTITY_PROOF: 2,
            }
        ),
        ConfirmationRoute.JUDICIAL_CONFIRMATION: MappingProxyType(
            {
                AttachmentKind.CONFIRMATION_APPLICATION: 1,
                AttachmentKind.MEDIATION_AGREEMENT: 1,
                AttachmentKind.MEDIATION_PRESIDED_PROOF: 1,
                AttachmentKind.IDENTITY_PROOF: 1,
            }
        ),
    }
)
"""The papers of each route and how many of each (``messages.md`` §5): arbitration asks the identity proof of each
side."""

SUPPLIED: Final = frozenset(
    {
        AttachmentKind.MEDIATION_AGREEMENT,
        AttachmentKind.CONFIRMATION_APPLICATION,
        AttachmentKind.MEDIATION_PRESIDED_PROOF,
    }
)
"""Papers that are never missing: the agreement brings its own text, the gateway makes the other two."""


# -------------------------------------------------------------------------------------------------------------- checks


def examine_confirmation(request: ConfirmationRequest, case: Case, agreement: Agreement) -> tuple[Finding, ...]:
    """What is wrong with a request to confirm this agreement of this case, its deadline apart.

    ``party_index``, ``one_side_only``, ``agreement_not_effective`` (applied for before the effect),
    ``labour_relation`` (for arbitration review), ``paper_missing`` (warning). The deadline is
    ``contracts/deadlines.py``'s; that no other confirmation is active the gateway knows.
    """
    return gathered(
        _applicants_are_parties(request, case),
        _addresses_are_of_parties(request, case),
        _both_sides_apply(request, case),
        _agreement_in_effect(request, agreement),
        _no_labour_relation(request, case),
        _papers_there(request, case),
    )


def _applicants_are_parties(request: ConfirmationRequest, case: Case) -> Iterator[Finding]:
    for index, party in enumerate(request.applicants):
        yield from party_findings(party, case, f"/applicants/{index}")


def _addresses_are_of_parties(request: ConfirmationRequest, case: Case) -> Iterator[Finding]:
    for index, address in enumerate(request.service_addresses):
        yield from gathered(_address_is_of_party(address, case, f"/service_addresses/{index}/party"))


def _address_is_of_party(address: ServiceAddress, case: Case, at: str) -> Iterator[Finding]:
    yield from party_findings(address.party, case, at)


def _both_sides_apply(request: ConfirmationRequest, case: Case) -> Iterator[Finding]:
    roles = {case.parties[party].role for party in request.applicants if party < len(case.parties)}
    if not {PartyRole.APPLICANT, PartyRole.RESPONDENT} <= roles:
        yield Finding.of("/applicants", Code.ONE_SIDE_ONLY)


def _agreement_in_effect(request: ConfirmationRequest, agreement: Agreement) -> Iterator[Finding]:
    effect = effective_at(agreement)
    if request.applied_at < effect:
        yield Finding.of("/applied_at", Code.AGREEMENT_NOT_EFFECTIVE, effective=effect.isoformat())


def _no_labour_relation(request: ConfirmationRequest, case: Case) -> Iterator[Finding]:
    if request.route is ConfirmationRoute.ARBITRATION_REVIEW and is_about_labour_relation(case):
        yield Finding.of("/route", Code.LABOUR_RELATION)


def is_about_labour_relation(case: Case) -> bool:
    """Whether a case is about the existence of a labour relation (确认劳动关系): by its cause, or by all of its
    claims."""
    return is_labour_relation(case.cause.path) or all(claim.kind is ClaimKind.LABOR_RELATION for claim in case.claims)


def papers_missing(request: ConfirmationRequest, case: Case) -> tuple[AttachmentKind, ...]:
    """The papers of the request's route that are neither attached to it nor to the case, nor made by the gateway."""
    held = [attachment.kind for attachment in (*request.attachments, *case.attachments)]
    return tuple(
        paper for paper, needed in PAPERS[request.route].items() if paper not in SUPPLIED and held.count(paper) < needed
    )


def _papers_there(request: ConfirmationRequest, case: Case) -> Iterator[Finding]:
    for paper in papers_missing(request, case):
        yield Finding.of("/attachments", Code.PAPER_MISSING, paper=paper)
