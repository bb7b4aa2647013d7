"""The file kinds the platform takes (court_mediation §1), told by content alone: PDF, OFD, JPEG, PNG, TXT."""

import io
import zipfile
from enum import StrEnum

_CONTROL = bytes(sorted(set(range(32)) - set(b"\t\n\f\r")))


class FileKind(StrEnum):
    """A file kind the platform takes."""

    PDF = "pdf"
    OFD = "ofd"
    JPEG = "jpeg"
    PNG = "png"
    TXT = "txt"


def file_kind(content: bytes) -> FileKind | None:
    """The kind of `content`, None for anything else. OFD (GB/T 33190) is a ZIP with `OFD.xml` at its root."""
    if content.startswith(b"%PDF-"):
        return FileKind.PDF
    if content.startswith(b"\xff\xd8\xff"):
        return FileKind.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return FileKind.PNG
    if content.startswith(b"PK\x03\x04"):
        return FileKind.OFD if _has_ofd_root(content) else None
    return FileKind.TXT if _is_text(content) else None


def _has_ofd_root(content: bytes) -> bool:
    try:
        # The directory alone is read, nothing is unpacked.
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "OFD.xml" in archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return False


def _is_text(content: bytes) -> bool:
    if not content or len(content.translate(None, _CONTROL)) < len(content):
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False
