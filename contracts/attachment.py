"""Attachments (附件): the reference to an uploaded file, and what a file is by its bytes."""

from __future__ import annotations

from typing import Annotated, Final

from contracts.document import Part, named
from contracts.lists import AttachmentKind, MediaType
from contracts.values import AttachmentId, Name


class AttachmentReference(Part):
    """An uploaded file named in a document. Media type, size and SHA-256 are known from the upload."""

    id: Annotated[AttachmentId, named("附件标识", "Attachment id")]
    kind: Annotated[AttachmentKind, named("附件类别", "Kind of attachment")]
    name: Annotated[Name, named("文件名", "File name")]


_OFD_ENTRY: Final = b"OFD.xml"
_LOCAL_HEADER: Final = b"PK\x03\x04"
_CENTRAL_HEADER: Final = b"PK\x01\x02"
_END_RECORD: Final = b"PK\x05\x06"
_CENTRAL_FIXED: Final = 46


def sniff(data: bytes) -> MediaType | None:
    """What a file is by its bytes: PDF, OFD, JPEG or PNG; ``None`` for everything else. Its name is not asked.

    OFD (GB/T 33190) is a ZIP container with ``OFD.xml`` at its root; it is known by its first entry or by the
    directory at its end. Nothing is unpacked.
    """
    if data.startswith(b"%PDF-"):
        return MediaType.PDF
    if data.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
        return MediaType.PNG
    if data.startswith(_LOCAL_HEADER) and (_first_entry(data) == _OFD_ENTRY or _lists_ofd(data)):
        return MediaType.OFD
    return None


def _first_entry(data: bytes) -> bytes:
    length = int.from_bytes(data[26:28], "little")
    return data[30 : 30 + length]


def _lists_ofd(data: bytes) -> bool:
    """Whether the container's directory has the root entry of an OFD."""
    end = data.rfind(_END_RECORD)
    if end < 0:
        return False
    size = int.from_bytes(data[end + 12 : end + 16], "little")
    place = data.find(_CENTRAL_HEADER, max(0, end - size), end)
    while place >= 0 and place + _CENTRAL_FIXED <= end and data.startswith(_CENTRAL_HEADER, place):
        name, extra, comment = (int.from_bytes(data[place + at : place + at + 2], "little") for at in (28, 30, 32))
        if data[place + _CENTRAL_FIXED : place + _CENTRAL_FIXED + name] == _OFD_ENTRY:
            return True
        place += _CENTRAL_FIXED + name + extra + comment
    return False
