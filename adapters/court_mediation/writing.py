"""One translation under way: the message, its context, the form that is written, and the files that travel along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from adapters.court_mediation import codes, wire
from adapters.court_mediation.settings import CourtMediationSettings
from adapters.court_mediation.sheet import Sheet
from adapters.tables import Losses, pointer_to
from contracts.adapter import Context, Json
from contracts.agreement import Agreement
from contracts.attachment import AttachmentReference
from contracts.case import Case, Organization
from contracts.confirmation import Authority, ConfirmationRequest
from contracts.document import Document
from contracts.errors import PermanentError
from contracts.lists import AttachmentKind
from contracts.message import Message
from contracts.referral import Referral

ATTACHMENT = "attachment"
"""Key of the entry that stands in ``docList`` for an attachment until ``send`` knows the platform's id of it."""

DOCUMENTS = "docList"
_MEDIA_TYPES = frozenset({"application/pdf", "application/ofd", "image/jpeg", "image/png", "text/plain"})
_Kind = TypeVar("_Kind", bound=Document)


class Writing:
    """What the rules of every service share."""

    def __init__(self, message: Message, context: Context, settings: CourtMediationSettings) -> None:
        self.message = message
        self.context = context
        self.settings = settings
        self.losses = Losses()
        self.sheet = Sheet(self.losses)
        self._attached: list[Json] = []
        self.sheet.text("tjbh", context.delivery, "", 40, required=True)

    @property
    def files(self) -> tuple[str, ...]:
        """The attachments that travel along, each once."""
        return tuple(dict.fromkeys(entry[ATTACHMENT] for entry in self._attached))

    # -------------------------------------------------------------------------------------------------- what is known

    def document(self, kind: type[_Kind]) -> _Kind:
        """The message's document.

        Raises:
            TypeError: a document of another kind than the message's type says, which is a fault of ours.
        """
        if not isinstance(self.message.document, kind):
            raise TypeError(f"{self.message.type} carries no {kind.__name__}")
        return self.message.document

    def case(self) -> Case:
        """The case that the message belongs to."""
        if self.context.case is None:
            raise PermanentError("context_missing", "this service names its case")
        return self.context.case

    def agreement(self) -> Agreement:
        """The agreement that the message is about."""
        if self.context.agreement is None:
            raise PermanentError("context_missing", "this service names its agreement")
        return self.context.agreement

    def confirmation(self) -> ConfirmationRequest:
        """The application that the message follows up."""
        if self.context.confirmation is None:
            raise PermanentError("context_missing", "this service names its application")
        return self.context.confirmation

    def referral(self) -> Referral:
        """The task (委派委托) that the message answers."""
        if self.context.referral is None:
            raise PermanentError("context_missing", "this service names its task")
        return self.context.referral

    # -------------------------------------------------------------------------------------------------------- the head

    def head_of_organization(self, organization: Organization, at: str = "") -> None:
        """``fydm``, ``jgdm``, ``jgmc`` of the services that name no court of their own: that of the region.

        ``at``: pointer of the organisation in what the message delivers; ``""`` where it is context alone."""
        place = f"{at}/region_code" if at else ""
        self._court(self._court_of_region(organization.region_code), "")
        if place:
            self.losses.mapped(place, "fydm", "went as the court of the region")
        self._organization(organization.code, organization.name, at)

    def head_of_authority(self, authority: Authority, organization: Organization, at: str = "", by: str = "") -> None:
        """The same for an application to the court that ``authority`` names (at pointer ``by``).

        Raises:
            PermanentError: ``court_not_allowed``: the account may not use that court.
        """
        if authority.code not in self.settings.court_codes.values():
            raise PermanentError("court_not_allowed", f"{by or 'authority'}/code: no court that this account may use")
        self._court(authority.code, f"{by}/code" if by else "")
        self._organization(organization.code, organization.name, at)

    def head_of_task(self, referral: Referral) -> None:
        """The same for a task: its own court, and the organisation that it was given to."""
        if referral.authority is None:
            raise PermanentError("task_without_court", "the task does not name its court")
        self._court(referral.authority.code, "")
        self._organization(referral.organization_code, self._name_of(referral), "")

    def organization(self) -> Organization:
        """The organisation of the case, else as the context knows it."""
        found = self.context.organization if self.context.case is None else self.context.case.organization
        if found is None:
            raise PermanentError("context_missing", "region and name of the organisation are not known")
        return found

    def task(self, case: Case, at: str = "") -> None:
        """``rwbh``, where the case comes from a task of this very platform."""
        referral = self.context.referral
        if case.referral is None or referral is None or referral.endpoint != self.context.endpoint:
            return
        self.sheet.text("rwbh", referral.task_no, f"{at}/referral" if at else "", None)

    def _court(self, code: str, pointer: str) -> None:
        self.sheet.text("fydm", code, pointer, 10, required=True)

    def _organization(self, code: str, name: str, at: str) -> None:
        self.sheet.text("jgdm", code, f"{at}/code" if at else "", 32, required=True)
        self.sheet.text("jgmc", name, f"{at}/name" if at else "", 100, required=True)

    def _court_of_region(self, region: str) -> str:
        """Town codes go by their county, a county without a court of its own by its city."""
        courts: Mapping[str, str] = self.settings.court_codes
        for known in (region, region[:6], f"{region[:4]}00"):
            if known in courts:
                return courts[known]
        raise PermanentError("court_unknown", "court_codes has no court for the organisation's region")

    def _name_of(self, referral: Referral) -> str:
        known, draft = self.context.organization, referral.case.organization
        if known is not None and known.code == referral.organization_code:
            return known.name
        if draft is not None and draft.name is not None:
            return draft.name
        # The offer brings the code alone (rwxd: jgdm), and an answer may come before any case of ours.
        self.losses.defaulted("", "jgmc", "the organisation's name is not known: its code went")
        return referral.organization_code

    # ------------------------------------------------------------------------------------------------------- the files

    def attach(self, attachment: str, kind: AttachmentKind, name: str, at: str, *, of_reference: bool = True) -> None:
        """One file of ``docList``, under a name for people.

        ``at``: pointer of the reference, or of the bare id (``of_reference=False``).

        Raises:
            PermanentError: ``file_type`` or ``file_too_large``, where the upload already tells.
        """
        info = self.context.attachments.get(attachment)
        if info is not None and info.media_type not in _MEDIA_TYPES:
            raise PermanentError("file_type", f"{at}: the platform takes PDF, OFD, JPEG, PNG and TXT")
        if info is not None and info.size > self.settings.file_limit:
            raise PermanentError("file_too_large", f"{at}: too large for the platform's upload")
        if of_reference:
            self.losses.carried(f"{at}/id")
            self.losses.carried(f"{at}/name")
            code = codes.FILE_CLASS.code(kind, self.losses, f"{at}/kind", self._next_file())
        else:
            self.losses.carried(at)
            code = codes.FILE_CLASS.rows[kind]
        self._attached.append({ATTACHMENT: attachment, "fjlx": code, "wjmc": name})

    def attach_all(self, attachments: tuple[AttachmentReference, ...], at: str) -> None:
        """The files of a document's list, in its order."""
        for number, attachment in enumerate(attachments):
            self.attach(attachment.id, attachment.kind, attachment.name, at + pointer_to(number))

    def attach_agreement(self, agreement: Agreement, at: str) -> None:
        """The agreement's own text (调解协议书), class 05."""
        info = self.context.attachments.get(agreement.document)
        name = info.name if info is not None else "调解协议书.pdf"
        pointer = f"{at}/document"
        self.attach(agreement.document, AttachmentKind.MEDIATION_AGREEMENT, name, pointer, of_reference=False)

    def _next_file(self) -> str:
        return f"{DOCUMENTS}[{len(self._attached)}].fjlx"

    def has_files(self) -> bool:
        """Whether ``docList`` has an entry so far, long texts included."""
        return bool(self._attached or self.sheet.texts)

    # --------------------------------------------------------------------------------------------------------- the end

    def finish(self) -> Json:
        """The payload, after the size check; completes the loss report.

        Raises:
            PermanentError: ``too_large`` for one form.
        """
        self.losses.untouched(self.message.document)
        documents = [*self._attached, *self.sheet.texts]
        if documents:
            self.sheet.put(DOCUMENTS, documents)
        payload = self.sheet.done()
        if wire.largest_form(payload) > self.settings.form_limit:
            raise PermanentError("too_large", "the document is larger than one form of the platform")
        return payload
