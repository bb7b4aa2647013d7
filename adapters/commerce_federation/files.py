"""Files (page §4, ``TJ_FILE``): named in the payload by their attachment, and cut into the rows that stand before it."""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.commerce_federation import codes
from adapters.tables import Losses, pointer_to
from contracts import gm
from contracts.adapter import AttachmentInfo, Context, Json
from contracts.attachment import AttachmentReference
from contracts.errors import PermanentError
from contracts.lists import AttachmentKind

CHUNK = 524_288
"""Bytes of one chunk; the last one is shorter."""
MOST_FILES = 20
ATTACHMENT, FILE_KIND, FILE_NAME = "attachment", "FILE_KIND", "FILE_NAME"
_NAME = 100
_TYPES = frozenset({"application/pdf", "application/ofd", "image/jpeg", "image/png"})


def file_rows(losses: Losses, attachments: Sequence[AttachmentReference], context: Context, limit: int) -> list[Json]:
    """The attachments of a document, each under the name that the document gives it. Beyond twenty none has a place.

    Raises:
        PermanentError: ``context_missing``, ``file_type``, ``file_too_large``.
    """
    rows = []
    for number, attachment in enumerate(attachments):
        at = pointer_to("attachments", number)
        if number >= MOST_FILES:
            losses.dropped(at, f"{MOST_FILES} files have a place")
            continue
        kind = codes.FILE_KIND.code(attachment.kind, losses, f"{at}/kind", f"TJ_FILE[{number}].FILE_KIND")
        losses.carried(f"{at}/id")
        if len(_composed(attachment.name)) <= _NAME:
            losses.carried(f"{at}/name")
        else:
            losses.cut(f"{at}/name", f"TJ_FILE[{number}].FILE_NAME", f"over {_NAME} characters")
        rows.append(_row(_info(attachment.id, context, limit), kind, attachment.name))
    return rows


def document_row(losses: Losses, attachment: str, context: Context, limit: int) -> Json:
    """The text of an agreement (协议文本), under the name of its upload: the document gives it none.

    Raises:
        PermanentError: as for ``file_rows``.
    """
    losses.carried("/document")
    info = _info(attachment, context, limit)
    return _row(info, codes.FILE_KIND.rows[AttachmentKind.MEDIATION_AGREEMENT], info.name)


def _info(attachment: str, context: Context, limit: int) -> AttachmentInfo:
    """What the upload told, of a file that the platform takes."""
    info = context.attachments.get(attachment)
    if info is None:
        raise PermanentError("context_missing", "an attachment of this message is not known")
    if info.media_type not in _TYPES:
        raise PermanentError("file_type", "the platform takes PDF, OFD, JPEG and PNG alone")
    if info.size > limit:
        raise PermanentError("file_too_large", "a file is too large for the platform")
    return info


def _row(info: AttachmentInfo, kind: str, name: str) -> Json:
    """One file as the payload names it."""
    return {ATTACHMENT: info.id, FILE_KIND: kind, FILE_NAME: _short(_composed(name))}


def _composed(name: str) -> str:
    """As the platform may have it: NFC, no NUL (page §1)."""
    return unicodedata.normalize("NFC", name).replace("\0", "")


def _short(name: str) -> str:
    """Within the column, its ending kept."""
    if len(name) <= _NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 8:
        return name[:_NAME]
    return f"{stem[: _NAME - len(ending) - 1]}.{ending}"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One row of ``TJ_FILE``, its place and its content."""

    file_no: int
    number: int
    count: int
    kind: str
    name: str
    size: int
    file_sm3: str
    sm3: str
    data: bytes

    def values(self, out_id: str) -> tuple[str | int, ...]:
        """The columns in their order."""
        text = base64.b64encode(self.data).decode()
        place = (out_id, self.file_no, self.number, self.count)
        return (*place, self.kind, self.name, self.size, self.file_sm3, self.sm3, text)


def chunks(file_no: int, row: Json, data: bytes) -> list[Chunk]:
    """One file as rows, numbered from 1. An empty file is one empty chunk. Takes milliseconds: not for the event loop."""
    whole = gm.sm3(data).hex()
    parts = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)] or [b""]
    about = (row[FILE_KIND], row[FILE_NAME], len(data), whole)
    return [
        Chunk(file_no, number, len(parts), *about, gm.sm3(part).hex(), part) for number, part in enumerate(parts, 1)
    ]
