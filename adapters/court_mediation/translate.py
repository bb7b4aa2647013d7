"""Canonical documents in the platform's words, one function for each service of page §4. Pure.

Pointers of the loss report are those of the message's document; where a service carries more than it, those of the case
begin with ``/case`` and those of the agreement with ``/agreement``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from adapters.court_mediation import codes
from adapters.court_mediation.chain import write_agreement, write_case, write_cause
from adapters.court_mediation.parties import write_parties
from adapters.court_mediation.settings import CourtMediationSettings
from adapters.court_mediation.sheet import TEXT
from adapters.court_mediation.writing import ATTACHMENT, Writing
from adapters.tables import pointer_to
from adapters.undisputed import in_words
from contracts.adapter import Capability, Context, Wire
from contracts.agreement import Agreement, Performance
from contracts.case import Case
from contracts.confirmation import (
    Authority,
    ConfirmationRequest,
    ConfirmationSupplement,
    ConfirmationWithdrawal,
    ServiceAddress,
)
from contracts.errors import PermanentError
from contracts.lists import AttachmentKind, AuthorityKind, ConfirmationRoute, PartyRole, ReferralDecision, TransferTo
from contracts.mediator import Mediator
from contracts.message import Message
from contracts.messages import MessageType
from contracts.party import Party
from contracts.referral import ReferralAnswer, ReferralResult
from contracts.transfer import Transfer

__all__ = ["ATTACHMENT", "CAPABILITIES", "MAPPING", "OPENING", "TEXT", "translate"]

MAPPING = "1"
"""Counts the versions of this translation; raised whenever the same document would go out otherwise."""

FILING, APPLICATION, TRANSFER = "offline/addOffline", "sfqr/add", "transfer/add"
OPENING = frozenset({FILING, APPLICATION, TRANSFER, "mediator/save"})
"""Services whose ``uuid`` names a thing that later words speak of. That of a service which follows one up must not stand
beside it: a supplement has to name the application's."""


def translate(message: Message, context: Context, settings: CourtMediationSettings) -> Wire:
    """The message as the form of its service, with file ids left open and a complete loss report.

    Raises:
        PermanentError: no service for this type, a demanded value missing, a code without row, a value beyond its limit.
    """
    found = _SERVICES.get(message.type)
    if found is None:
        raise PermanentError("type_not_taken", "the platform has no service for this type of message")
    operation, write = found
    writing = Writing(message, context, settings)
    write(writing)
    payload = writing.finish()
    return Wire(
        id=context.delivery,
        operation=operation,
        payload=payload,
        losses=writing.losses.report(),
        files=writing.files,
        mapping=MAPPING,
    )


def _filed(writing: Writing) -> None:
    """offline/addOffline 调解协议备案: case and agreement in one."""
    agreement, case = writing.document(Agreement), writing.case()
    writing.head_of_organization(case.organization, "/case/organization")
    parties = tuple(enumerate(case.parties))
    write_case(writing.sheet, case, "/case", number_key="mediationCaseNo", parties=parties)
    write_agreement(writing.sheet, agreement, "")
    writing.attach_agreement(agreement, "")
    writing.task(case, "/case")
    writing.losses.untouched(case, "/case")


def _performed(writing: Writing) -> None:
    """offline/perform 履行情况."""
    performance, sheet = writing.document(Performance), writing.sheet
    writing.head_of_organization(writing.organization())
    sheet.text("xybh", writing.agreement().agreement_no, "", 60, required=True)
    sheet.number("xh", performance.term_no, "/term_no")
    sheet.coded("lxzt", codes.PERFORMANCE_STATUS, performance.status, "/status")
    sheet.moment("sj", performance.at, "/at", required=True)
    sheet.money("je", performance.amount, "/amount")
    writing.attach_all(performance.evidence, "/evidence")


def _applied(writing: Writing) -> None:
    """sfqr/add 司法确认申请: the court may see case and agreement for the first time."""
    request, case, agreement = writing.document(ConfirmationRequest), writing.case(), writing.agreement()
    sheet, losses = writing.sheet, writing.losses
    if request.route is not ConfirmationRoute.JUDICIAL_CONFIRMATION:
        raise PermanentError("not_taken", "/route: the court confirms by judicial confirmation alone")
    losses.carried("/route")
    _write_authority_kind(writing, request.authority)
    writing.head_of_authority(request.authority, case.organization, "/case/organization", "/authority")
    sheet.text("sqbh", writing.context.confirmation_id or writing.message.about, "", 40, required=True)
    write_case(sheet, case, "/case", number_key="tjzh", parties=_applicants(request, case))
    write_agreement(sheet, agreement, "/agreement")
    for number in range(len(request.applicants)):
        losses.carried(pointer_to("applicants", number))
    sheet.text("slfymc", request.authority.name, "/authority/name", None, required=True)
    sheet.moment("sqsj", request.applied_at, "/applied_at", required=True)
    _write_service_addresses(writing, request.service_addresses, case)
    sheet.text("yqyy", request.late_reason, "/late_reason", 500)
    writing.attach_all(request.attachments, "/attachments")
    _attach_papers_beside(writing, request, case, agreement)
    writing.task(case, "/case")
    losses.untouched(case, "/case")
    losses.untouched(agreement, "/agreement")


def _write_authority_kind(writing: Writing, authority: Authority) -> None:
    """Whoever takes this form is a court: there is no key for it."""
    if authority.kind is AuthorityKind.COURT:
        writing.losses.carried("/authority/kind")


def _applicants(request: ConfirmationRequest, case: Case) -> tuple[tuple[int, Party], ...]:
    """The parties that apply, in the case's order."""
    named = set(request.applicants)
    if not named <= set(range(len(case.parties))):
        raise PermanentError("party_index", "/applicants: no such party")
    found = tuple((place, party) for place, party in enumerate(case.parties) if place in named)
    if not {PartyRole.APPLICANT, PartyRole.RESPONDENT} <= {party.role for _, party in found}:
        raise PermanentError("one_side_only", "/applicants: both sides have to apply")
    return found


def _write_service_addresses(writing: Writing, addresses: tuple[ServiceAddress, ...], case: Case) -> None:
    """``sddzList`` 送达地址, each with its party's name."""
    rows = []
    for number, address in enumerate(addresses):
        row, at = writing.sheet.below("sddzList", number), pointer_to("service_addresses", number)
        if address.party >= len(case.parties):
            raise PermanentError("party_index", f"{at}/party: no such party")
        row.text("xm", case.parties[address.party].name, f"{at}/party", None, required=True)
        row.text("dqdm", address.region_code, f"{at}/region_code", None)
        row.text("dz", address.detail, f"{at}/detail", None)
        row.text("dh", address.phone, f"{at}/phone", None)
        row.flag("dzsd", address.electronic_consent, f"{at}/electronic_consent")
        rows.append(row)
    writing.sheet.rows("sddzList", rows, "/service_addresses", required=True)


_OF_CASE = (
    AttachmentKind.CONFIRMATION_APPLICATION,
    AttachmentKind.MEDIATION_PRESIDED_PROOF,
    AttachmentKind.IDENTITY_PROOF,
)


def _attach_papers_beside(writing: Writing, request: ConfirmationRequest, case: Case, agreement: Agreement) -> None:
    """The papers of an application that stand elsewhere (``messages.md`` §5): those of the case where the request sends
    none of that kind, and the agreement's own document."""
    sent = {attachment.kind for attachment in request.attachments}
    if AttachmentKind.MEDIATION_AGREEMENT in sent:
        writing.losses.carried("/agreement/document")
    else:
        writing.attach_agreement(agreement, "/agreement")
    for number, paper in enumerate(case.attachments):
        if paper.kind in _OF_CASE and paper.kind not in sent:
            writing.attach(paper.id, paper.kind, paper.name, "/case" + pointer_to("attachments", number))


def _supplemented(writing: Writing) -> None:
    """sfqr/supplement 补正. The page has no place for the time of it."""
    supplement, sheet = writing.document(ConfirmationSupplement), writing.sheet
    _write_application(writing)
    sheet.long("bz", supplement.note, "/note")
    writing.attach_all(supplement.attachments, "/attachments")


def _withdrawn(writing: Writing) -> None:
    """sfqr/withdraw 撤回."""
    withdrawal, sheet = writing.document(ConfirmationWithdrawal), writing.sheet
    _write_application(writing)
    sheet.text("yy", withdrawal.reason, "/reason", 500, required=True)
    sheet.moment("sqsj", withdrawal.at, "/at", required=True)


def _write_application(writing: Writing) -> None:
    """Court, organisation, and the application by our number and by the platform's."""
    writing.head_of_authority(writing.confirmation().authority, writing.organization())
    confirmation_id = writing.context.confirmation_id or writing.message.about
    writing.sheet.text("sqbh", confirmation_id, "", 40, required=True)
    uuid = writing.context.reference("platform_no", confirmation_id)
    writing.sheet.text("uuid", uuid, "", None, required=True)


def _answered(writing: Writing) -> None:
    """task/answer 委派委托答复. The page has no place for the time of it."""
    answer, sheet = writing.document(ReferralAnswer), writing.sheet
    _write_task(writing)
    sheet.coded("jieguo", codes.REFERRAL_ANSWER, answer.answer, "/answer")
    sheet.text("yy", answer.reason, "/reason", 500, required=answer.answer is ReferralDecision.DECLINE)


def _returned(writing: Writing) -> None:
    """task/finish 委派委托结果. The page has no place for the time of it."""
    result, sheet = writing.document(ReferralResult), writing.sheet
    _write_task(writing)
    sheet.coded("tjjg", codes.REFERRAL_OUTCOME, result.outcome, "/outcome")
    if result.reason_code is not None:
        sheet.coded("jsyy", codes.END_REASON, result.reason_code, "/reason_code")
    else:
        agreed = result.agreement is not None
        sheet.put("jsyy", codes.END_REASON.rows["agreement_reached" if agreed else "other"])
        writing.losses.defaulted("/reason_code", "jsyy", "demanded there: by the outcome")
    words, pointer = in_words(result.report, "/report", result.undisputed_facts, writing.losses, "qkbg")
    sheet.long("qkbg", words, pointer, required=True)
    if result.agreement is not None:
        sheet.text("xybh", writing.agreement().agreement_no, "/agreement", 60, required=True)


def _write_task(writing: Writing) -> None:
    referral = writing.referral()
    writing.head_of_task(referral)
    writing.sheet.text("rwbh", referral.task_no, "", None, required=True)


def _transferred(writing: Writing) -> None:
    """transfer/add 移送立案."""
    transfer, case, sheet = writing.document(Transfer), writing.case(), writing.sheet
    if transfer.to is not TransferTo.COURT:
        raise PermanentError("not_taken", "/to: the court takes what is transferred to the court alone")
    writing.losses.carried("/to")
    _write_authority_kind(writing, transfer.authority)
    writing.head_of_authority(transfer.authority, case.organization, by="/authority")
    sheet.text("ysbh", writing.message.about, "", 40, required=True)
    sheet.text("tjzh", case.source_case_no, "", 60, required=True)
    writing.task(case)
    _write_claims(writing, transfer, case)
    sheet.coded("yy", codes.TRANSFER_REASON, transfer.reason_code, "/reason_code")
    write_parties(sheet, enumerate(case.parties), "/case/parties")
    sheet.money("bdje", case.amount, "")
    write_cause(sheet, case.cause, "/case/cause")
    writing.attach_all(transfer.attachments, "/attachments")
    if not writing.has_files():
        _attach_claims(writing)
    # Of the case, what this filing repeats of it.
    repeated = {"parties", "cause"} | ({"claims"} if transfer.claims is None else set())
    writing.losses.untouched(case.model_dump(mode="json", include=repeated, exclude_none=True), "/case")


def _write_claims(writing: Writing, transfer: Transfer, case: Case) -> None:
    """``ssqq`` 诉讼请求, one claim a line; without claims of its own, those of the case."""
    claims, at = (case.claims, "/case/claims") if transfer.claims is None else (transfer.claims, "/claims")
    for number in range(len(claims)):
        writing.losses.carried(f"{at}/{number}/text")
    text = "\n".join(claim.text for claim in claims)
    writing.sheet.long("ssqq", text, f"{at}/0/text" if claims else at, required=True)


def _attach_claims(writing: Writing) -> None:
    """The platform demands a file: without one, the claims go as a text too. Nothing is invented by it."""
    # Over its limit the text would be a file already.
    text = writing.sheet.done()["ssqq"]
    writing.sheet.texts.append({TEXT: text, "fjlx": codes.OTHER_FILE, "wjmc": "ssqq.txt"})
    writing.losses.defaulted("/attachments", "docList", "a file is demanded: the claims as text")


def _listed(writing: Writing) -> None:
    """mediator/save 调解员入册."""
    mediator, sheet = writing.document(Mediator), writing.sheet
    organization = writing.organization()
    if organization.code != mediator.organization_code:
        raise PermanentError("context_missing", "region and name of the organisation are not known")
    writing.losses.carried("/organization_code")
    writing.head_of_organization(organization)
    sheet.text("zsbh", mediator.certificate_no, "/certificate_no", 40, required=True)
    sheet.text("xm", mediator.name, "/name", None, required=True)
    if mediator.sex in codes.SEX.rows:
        sheet.coded("xb", codes.SEX, mediator.sex, "/sex")
    sheet.text("dh", mediator.phone, "/phone", None)
    sheet.coded("credentialsType", codes.ID_WITHOUT_NAME, mediator.id_type, "/id_type")
    sheet.text("zjhm", mediator.id_number, "/id_number", None)


_SERVICES: Mapping[MessageType, tuple[str, Callable[[Writing], None]]] = MappingProxyType(
    {
        MessageType.AGREEMENT_CONCLUDED: (FILING, _filed),
        MessageType.AGREEMENT_PERFORMED: ("offline/perform", _performed),
        MessageType.CONFIRMATION_REQUESTED: (APPLICATION, _applied),
        MessageType.CONFIRMATION_SUPPLEMENTED: ("sfqr/supplement", _supplemented),
        MessageType.CONFIRMATION_WITHDRAWAL_REQUESTED: ("sfqr/withdraw", _withdrawn),
        MessageType.TRANSFER_REQUESTED: (TRANSFER, _transferred),
        MessageType.REFERRAL_ANSWERED: ("task/answer", _answered),
        MessageType.REFERRAL_RETURNED: ("task/finish", _returned),
        MessageType.MEDIATOR_LISTED: ("mediator/save", _listed),
    }
)

CAPABILITIES = tuple(Capability(kind, operation) for kind, (operation, _) in _SERVICES.items())
"""The message types that the platform takes, with the addresses of their services."""
