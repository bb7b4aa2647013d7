"""Plain papers for a confirmation that comes without them (``messages.md`` §5): made from the documents, marked as generated.

What is looked for: the application and, for the court, the proof that the organisation presided; the agreement's own
document and the identity proofs are taken from where they were uploaded.
"""

from __future__ import annotations

import io
from collections.abc import Iterable

from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from contracts.agreement import Agreement
from contracts.attachment import AttachmentReference
from contracts.case import Case
from contracts.confirmation import ConfirmationRequest
from contracts.lists import AttachmentKind, ConfirmationRoute
from gateway.flow.order import Known
from gateway.flow.toolbox import Attachments

_FONT = "STSong-Light"
_MARGIN, _SIZE, _LEADING = 56, 11, 18

_NEEDED = {
    ConfirmationRoute.ARBITRATION_REVIEW: (
        AttachmentKind.CONFIRMATION_APPLICATION,
        AttachmentKind.MEDIATION_AGREEMENT,
        AttachmentKind.IDENTITY_PROOF,
    ),
    ConfirmationRoute.JUDICIAL_CONFIRMATION: (
        AttachmentKind.CONFIRMATION_APPLICATION,
        AttachmentKind.MEDIATION_AGREEMENT,
        AttachmentKind.MEDIATION_PRESIDED_PROOF,
        AttachmentKind.IDENTITY_PROOF,
    ),
}


class Forms:
    """Completes a confirmation request with the papers of its route."""

    def __init__(self, attachments: Attachments) -> None:
        self._attachments = attachments

    async def complete(self, request: ConfirmationRequest, known: Known) -> ConfirmationRequest:
        """The request with every paper of its route that can be had: sent with it, else with the case, else made here."""
        case, agreement = known.case, known.agreement
        if case is None or agreement is None:
            raise LookupError("a confirmation without its agreement")
        papers = list(request.attachments)
        for kind in _NEEDED[request.route]:
            if any(paper.kind is kind for paper in papers):
                continue
            papers += await self._find(kind, request, case, agreement)
        return request.model_copy(update={"attachments": tuple(papers)})

    async def _find(
        self, kind: AttachmentKind, request: ConfirmationRequest, case: Case, agreement: Agreement
    ) -> list[AttachmentReference]:
        if kind is AttachmentKind.MEDIATION_AGREEMENT:
            return [AttachmentReference(id=agreement.document, kind=kind, name="调解协议书")]
        held = [paper for paper in case.attachments if paper.kind is kind]
        if held or kind is AttachmentKind.IDENTITY_PROOF:
            return held
        if kind is AttachmentKind.CONFIRMATION_APPLICATION:
            title, lines = _application(request, case, agreement)
        else:
            title, lines = _presided(case, agreement)
        kept = await self._attachments.keep(
            case.organization.code, kind.value, f"{title}.pdf", render(title, lines), "application/pdf"
        )
        return [AttachmentReference(id=kept.id, kind=kind, name=kept.name)]


def _sides(case: Case) -> Iterable[str]:
    words = {"applicant": "申请人", "respondent": "被申请人", "third_party": "第三人"}
    for party in case.parties:
        number = getattr(party, "id_number", None) or getattr(party, "credit_code", "")
        yield f"{words[str(party.role)]}：{party.name}    证件号码：{number}"


def _application(request: ConfirmationRequest, case: Case, agreement: Agreement) -> tuple[str, list[str]]:
    review = request.route is ConfirmationRoute.ARBITRATION_REVIEW
    title = "仲裁审查申请书" if review else "司法确认申请书"
    return title, [
        *_sides(case),
        f"受理机构：{request.authority.name}",
        f"请求：依法审查（确认）双方于{case.organization.name}主持下达成的调解协议（{agreement.agreement_no}）。",
        f"事实：{agreement.facts}",
        *(f"第{term.no}项：{term.text}" for term in agreement.terms),
        f"申请时间：{request.applied_at.isoformat()}",
    ]


def _presided(case: Case, agreement: Agreement) -> tuple[str, list[str]]:
    seal = agreement.organization_seal
    return "调解组织主持调解的证明", [
        *_sides(case),
        f"兹证明：上述当事人之间的争议由{case.organization.name}主持调解，"
        f"调解员{'、'.join(mediator.name for mediator in case.mediators)}，达成调解协议（{agreement.agreement_no}）。",
        f"盖章时间：{seal.sealed_at.isoformat() if seal else ''}",
    ]


def render(title: str, lines: list[str]) -> bytes:
    """A plain A4 PDF, the same bytes for the same text; Chinese by a font that every reader brings."""
    if _FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1)
    width, height = A4
    canvas.setTitle(title)
    canvas.setFont(_FONT, 16)
    canvas.drawCentredString(width / 2, height - 72, title)
    y = height - 110.0
    canvas.setFont(_FONT, _SIZE)
    for line in [*lines, "（本件由对接网关依据所报数据自动生成）"]:
        for row in simpleSplit(line, _FONT, _SIZE, width - 2 * _MARGIN):
            if y < _MARGIN:
                canvas.showPage()
                canvas.setFont(_FONT, _SIZE)
                y = height - _MARGIN
            canvas.drawString(_MARGIN, y, row)
            y -= _LEADING
    canvas.save()
    return out.getvalue()
