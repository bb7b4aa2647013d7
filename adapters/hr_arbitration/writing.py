"""One translation under way: the message, its context, the object that is written, and the files that travel along."""

from __future__ import annotations

from typing import TypeVar

from adapters.hr_arbitration import codes, wire
from adapters.hr_arbitration.rows import Row
from adapters.tables import Losses, pointer_to
from contracts.adapter import Context, Json
from contracts.agreement import Agreement
from contracts.attachment import AttachmentReference
from contracts.case import Case
from contracts.document import Document
from contracts.errors import PermanentError
from contracts.message import Message
from contracts.referral import Referral

ATTACHMENT = "attachment"
"""Key of the object that stands in the payload for a file until ``send`` knows the platform's id of it."""

_MEDIA_TYPES = frozenset({"application/pdf", "application/ofd", "image/jpeg", "image/png"})
_Kind = TypeVar("_Kind", bound=Document)


class Writing:
    """What the rules of every service share."""

    def __init__(self, message: Message, context: Context) -> None:
        self.message = message
        self.context = context
        self.losses = Losses()
        self.row = Row(self.losses)
        self._files: list[str] = []

    @property
    def files(self) -> tuple[str, ...]:
        """The attachments that travel along, each once."""
        return tuple(dict.fromkeys(self._files))

    def document(self, kind: type[_Kind]) -> _Kind:
        """The message's document.

        Raises:
            TypeError: a document of another kind than the message's type says, which is a fault of ours.
        """
        if not isinstance(self.message.document, kind):
            raise TypeError(f"{self.message.type} carries no {kind.__name__}")
        return self.message.document

    def of_case(self) -> Case:
        """Write ``BZA001`` and ``BZA002`` of the message's case (page §4: each service but four) and return it."""
        case = self.context.case
        if case is None:
            raise PermanentError("context_missing", "this service names its case")
        self.exact_key("BZA001", case.source_case_no, 40)
        self.exact_key("BZA002", case.organization.code, 32)
        return case

    def agreement(self) -> Agreement:
        """The agreement that the message is about."""
        if self.context.agreement is None:
            raise PermanentError("context_missing", "this service names its agreement")
        return self.context.agreement

    def referral(self) -> Referral:
        """The referral that the message answers."""
        if self.context.referral is None:
            raise PermanentError("context_missing", "this service names its task")
        return self.context.referral

    def exact_key(self, code: str, value: str, limit: int) -> None:
        """A name of the thing that does not stand in the document itself."""
        if len(value) > limit:
            raise PermanentError("too_long", f"{code} holds {limit} characters")
        self.row.put(code, value)

    def file(self, row: Row, code: str, attachment: str, pointer: str | None = None) -> None:
        """A file id, to be known when the file is uploaded.

        Raises:
            PermanentError: ``file_type`` or ``file_too_large``, where the upload already tells.
        """
        info = self.context.attachments.get(attachment)
        if info is not None:
            if info.media_type not in _MEDIA_TYPES:
                raise PermanentError("file_type", f"{pointer or code}: the platform takes PDF, OFD, JPEG and PNG")
            if info.size > wire.LARGEST_FILE or wire.sealed_file_size(info.size) > wire.FILE_LIMIT:
                raise PermanentError("file_too_large", f"{pointer or code}: too large for the platform's upload")
        if pointer is not None:
            self.losses.carried(pointer)
        self._files.append(attachment)
        row.put(code, {ATTACHMENT: attachment})

    def file_rows(self, attachments: tuple[AttachmentReference, ...], *at: str | int) -> list[Row]:
        """``BZF000`` rows of a document's attachments; the file's name has no place."""
        rows = []
        for number, attachment in enumerate(attachments):
            row = self.row.below("BZF000", number)
            self.file(row, "BZF001", attachment.id, pointer_to(*at, number, "id"))
            row.coded("BZF005", codes.FILE_CLASS, attachment.kind, pointer_to(*at, number, "kind"))
            rows.append(row)
        return rows

    def finish(self) -> Json:
        """The payload, after the size check; completes the loss report.

        Raises:
            PermanentError: ``too_large`` for one envelope.
        """
        self.losses.untouched(self.message.document)
        payload = self.row.done()
        if wire.sealed_size(wire.plaintext_size(payload)) > wire.LIMIT:
            raise PermanentError("too_large", "the document is larger than one message of the platform")
        return payload
