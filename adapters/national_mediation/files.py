"""Files (page §3, ``file.upload``): named in the payload by their attachment, uploaded before the filing that names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.national_mediation import codes
from adapters.national_mediation.entry import Entry
from adapters.tables import pointer_to
from contracts.adapter import Context, Json
from contracts.attachment import AttachmentReference
from contracts.errors import PermanentError
from contracts.lists import AttachmentKind

FILES, FILE = "fileIds", "fileId"
ATTACHMENT = "attachment"
"""Key of the entry that stands in the payload until ``send`` knows the platform's id of its upload."""
MOST_FILES = 20
_ENDINGS = {"application/pdf": "pdf", "application/ofd": "ofd", "image/jpeg": "jpg", "image/png": "png"}


def file_rows(
    entry: Entry, attachments: Sequence[AttachmentReference], context: Context
) -> tuple[list[Json], tuple[str, ...]]:
    """The attachments of a document as ``fileIds``, and their ids. Beyond 20 none has a place.

    Raises:
        PermanentError: ``context_missing``, ``file_type``.
    """
    rows = []
    for number, attachment in enumerate(attachments):
        at = pointer_to("attachments", number)
        if number >= MOST_FILES:
            entry.losses.dropped(at, f"{MOST_FILES} files have a place")
            continue
        kind = codes.FILE_KIND.code(attachment.kind, entry.losses, f"{at}/kind", entry.at(FILES))
        entry.losses.carried(f"{at}/id")
        entry.losses.masked(f"{at}/name", entry.at(FILES), "a name stands in the address there: its kind's title went")
        rows.append(file_row(attachment.id, kind, context))
    return rows, tuple(row[ATTACHMENT] for row in rows)


def document_row(entry: Entry, attachment: str, context: Context) -> Json:
    """The text of an agreement (协议文本) as ``fileId``.

    Raises:
        PermanentError: as for ``file_rows``.
    """
    entry.losses.carried("/document")
    return file_row(attachment, codes.FILE_KIND.rows[AttachmentKind.MEDIATION_AGREEMENT], context)


def file_row(attachment: str, kind: str, context: Context) -> Json:
    """One file as the payload names it: attachment, class and the name under which it is uploaded."""
    info = context.attachments.get(attachment)
    if info is None:
        raise PermanentError("context_missing", "an attachment of this message is not known")
    ending = _ENDINGS.get(info.media_type)
    if ending is None:
        raise PermanentError("file_type", "the platform takes PDF, OFD, JPEG and PNG alone")
    return {ATTACHMENT: attachment, "kind": kind, "name": f"{codes.FILE_NAMES[kind]}.{ending}"}


def files_of(body: Json) -> list[Json]:
    """Every file that a payload's body names, in order."""
    found = list(body.get(FILES, []))
    if FILE in body:
        found.append(body[FILE])
    return found


def with_ids(body: Json, ids: Sequence[str]) -> Json:
    """The body with the platform's ids where it names files, in the order of ``files_of``. The same bytes have the same id
    there: an attachment that stands twice is named once."""
    made: dict[str, Any] = dict(body)
    listed = len(body.get(FILES, []))
    if listed:
        made[FILES] = list(dict.fromkeys(ids[:listed]))
    if FILE in body:
        made[FILE] = ids[listed]
    return made
