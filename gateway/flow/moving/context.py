"""What a translation may need beside its message: the documents as they stood when it was accepted, and what the endpoint
already holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from contracts.adapter import AttachmentInfo, Context, ExternalReference
from contracts.agreement import Agreement
from contracts.case import Case, Organization
from contracts.confirmation import ConfirmationRequest
from contracts.document import Document
from contracts.message import Message
from contracts.messages import MessageType
from contracts.referral import Referral, ReferralResult
from gateway.flow.moving.attachments import Attachments
from gateway.flow.moving.documents import CASE_TYPES, message_of, reopen
from gateway.store.casefile import CaseFile, Matter, load_all
from gateway.store.engine import Group, Operation, Row
from gateway.store.settlement import Claim
from gateway.store.store import Store

D = TypeVar("D", bound=Document)


class Contexts:
    """Makes contexts from the store."""

    def __init__(self, store: Store, attachments: Attachments) -> None:
        self._store = store
        self._attachments = attachments
        self._looks: Group[_Asked, _Surroundings] = Group(store.runner, _surroundings, size=64, reading=True)

    async def of_claim(self, claim: Claim) -> tuple[Message, Context]:
        """Message and context of a claimed delivery."""
        return await self.make(claim.message, claim.subject, claim.delivery, claim.endpoint)

    async def make(self, message_id: str, subject: str, delivery: str, endpoint: str) -> tuple[Message, Context]:
        """Message and context for any delivery (also a dry one) of that subject."""
        row, file, rows = await self._looks.put((message_id, subject))
        if row is None or file is None:
            raise LookupError(f"message {message_id} or what it is about is not kept")
        message = message_of(self._store, row)
        earlier = [found for found in rows if found["sequence"] <= row["sequence"]]
        return message, await self.compose(message, file, earlier, delivery, endpoint)

    async def case_of(self, file: CaseFile) -> Case | None:
        """The newest version of the file's case."""
        matter = file.matters.get(file.subject)
        row = None if matter is None else await self._store.row("message", matter.message)
        document = None if row is None else reopen(self._store, row)
        return document if isinstance(document, Case) else None

    async def agreement_of(self, file: CaseFile, matter: Matter) -> Agreement | None:
        """The newest version of the agreement that a confirmation or a term hangs on, or that is the matter itself."""
        identifier = matter.id if matter.kind == "agreement" else matter.parent
        held = file.matters.get(identifier or "")
        row = None if held is None or held.kind != "agreement" else await self._store.row("message", held.message)
        document = None if row is None else reopen(self._store, row)
        return document if isinstance(document, Agreement) else None

    async def compose(self, message: Message, file: CaseFile, rows: list[Row], delivery: str, endpoint: str) -> Context:
        """The context from the subject's file and its messages up to this one."""
        case_id: str | None
        case: Case | None
        if isinstance(message.document, Case):
            case_id, case = message.about, message.document
        else:
            case_id, case = self._newest(rows, Case, CASE_TYPES, None)
        confirmation_id = message.about if message.about.startswith("cnf_") else None
        agreement_id = self._agreement_of(message, file, confirmation_id)
        _, confirmation = self._newest(
            rows, ConfirmationRequest, frozenset({MessageType.CONFIRMATION_REQUESTED}), confirmation_id
        )
        if isinstance(message.document, ReferralResult) and agreement_id is not None:
            # The result belongs to the referral, what was agreed lies in the case that came of it.
            rows, file = await self._of_agreement(agreement_id, rows, file)
            case_id, case = self._newest(rows, Case, CASE_TYPES, None)
        _, agreement = self._newest(rows, Agreement, frozenset({MessageType.AGREEMENT_CONCLUDED}), agreement_id)
        if isinstance(message.document, ConfirmationRequest):
            confirmation = message.document
        if isinstance(message.document, Agreement):
            agreement = message.document
        referral_id = case.referral if case is not None else None
        if message.about.startswith("ref_"):
            referral_id = message.about
        referral = await self.referral(referral_id)
        return Context(
            delivery=delivery,
            endpoint=endpoint,
            organization=case.organization
            if case is not None
            else await self.organization(file.organization, referral),
            case_id=case_id,
            case=case,
            agreement_id=agreement_id if agreement is not None else None,
            agreement=agreement,
            confirmation_id=confirmation_id,
            confirmation=confirmation if confirmation_id is not None else None,
            referral_id=referral_id,
            referral=referral,
            registered_version=_registered(file, rows, endpoint),
            references=tuple(
                ExternalReference(found.kind, found.value, found.about)
                for found in file.references
                if found.endpoint == endpoint
            ),
            attachments=await self._described(message.document, case, agreement, confirmation),
        )

    def _newest(
        self, rows: list[Row], kind: type[D], types: frozenset[MessageType], about: str | None
    ) -> tuple[str | None, D | None]:
        for row in reversed(rows):
            if row["type"] in types and (about is None or row["about"] == about):
                document = reopen(self._store, row)
                if isinstance(document, kind):
                    return row["about"], document
        return None, None

    @staticmethod
    def _agreement_of(message: Message, file: CaseFile, confirmation_id: str | None) -> str | None:
        if message.about.startswith("agr_"):
            return message.about
        if confirmation_id is not None and confirmation_id in file.matters:
            return file.matters[confirmation_id].parent
        named = getattr(message.document, "agreement", None)
        if isinstance(named, str):
            return named
        concluded = file.of_kind("agreement")
        return concluded[-1].id if concluded else None

    async def _of_agreement(self, agreement_id: str, rows: list[Row], file: CaseFile) -> tuple[list[Row], CaseFile]:
        held = await self._store.load_of_matter(agreement_id)
        return (rows, file) if held is None else (list(await self._store.rows("messages_of", held.subject)), held)

    async def organization(self, code: str, referral: Referral | None) -> Organization | None:
        """The organisation as in its last case, for what belongs to no case (roster, referrals); before its first case as the
        platform wrote it that hands one over, where that is whole."""
        row = await self._store.row("last_case_of", code)
        message = None if row is None else await self._store.row("message", row["message"])
        document = None if message is None else reopen(self._store, message)
        if isinstance(document, Case):
            return document.organization
        draft = None if referral is None or referral.organization_code != code else referral.case.organization
        if draft is None or draft.name is None or draft.type is None or draft.region_code is None:
            return None
        try:
            return Organization(code=code, name=draft.name, type=draft.type, region_code=draft.region_code)
        except ValueError:  # the platform's region is in no table
            return None

    async def referral(self, referral_id: str | None) -> Referral | None:
        """What a platform handed over under this id."""
        if referral_id is None:
            return None
        for row in await self._store.rows("messages_of", referral_id):
            if row["type"] == MessageType.REFERRAL_OFFERED:
                document = reopen(self._store, row)
                return document if isinstance(document, Referral) else None
        return None

    async def _described(self, *documents: Document | None) -> dict[str, AttachmentInfo]:
        described: dict[str, AttachmentInfo] = {}
        for identifier in sorted(
            {named for document in documents if document for _, named in attachments_in(document)}
        ):
            try:
                described[identifier] = await self._attachments.info(identifier)
            except LookupError:
                continue  # a reference of a version that was corrected before its file came
        return described


_Asked = tuple[str, str]
_Surroundings = tuple[Row | None, CaseFile | None, list[Row]]


def _surroundings(asked: list[_Asked]) -> Operation[list[_Surroundings]]:
    """Each message's row, the file it lies in (its subject), and every message of that file: in one look for all that are asked
    at once."""
    subjects = sorted({subject for _, subject in asked})
    files = yield from load_all(subjects)
    beside: dict[str, list[Row]] = {subject: [] for subject in subjects}
    for row in (yield "messages_of", [(subject,) for subject in subjects]):
        beside[row["subject"]].append(row)
    made: list[_Surroundings] = []
    for message, subject in asked:
        rows = beside[subject]
        made.append((next((row for row in rows if row["id"] == message), None), files.get(subject), rows))
    return made


_SINGLE = "document"
"""The field of those documents that name one attachment."""


def attachments_in(document: Document) -> Iterable[tuple[str, str]]:
    """JSON pointer and id of every attachment that a document names. Of one that is not sound, those that can be read."""
    values = vars(document)
    for field in ("attachments", "evidence"):
        for place, reference in enumerate(values.get(field) or ()):
            if isinstance(identifier := vars(reference).get("id"), str):
                yield f"/{field}/{place}/id", identifier
    if isinstance(single := values.get(_SINGLE), str):
        yield f"/{_SINGLE}", single


def _registered(file: CaseFile, rows: list[Row], endpoint: str) -> int | None:
    versions = {row["id"]: row["version"] for row in rows if row["type"] in CASE_TYPES}
    held = [
        versions[delivery.message]
        for delivery in file.deliveries
        if delivery.endpoint == endpoint and delivery.state == "delivered" and delivery.message in versions
    ]
    return max(held, default=None)
