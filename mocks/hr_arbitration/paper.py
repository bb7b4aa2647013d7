"""Files of the platform: what was uploaded (TJ9002), and the papers it issues itself (a one-page PDF)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def file_id(digest: str) -> str:
    """BZF001 of a file by its SHA-256: 32 characters, the same for the same file, not the digest itself."""
    return "F" + hashlib.sha256(f"hr_arbitration file {digest}".encode()).hexdigest()[:31]


def keep(folder: Path, name: str, content: bytes) -> None:
    """Write ``content`` to ``folder/name`` and on disk before returning; a file that is there stays."""
    target = folder / name
    if target.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{name}.part"
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(target)
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def one_page_pdf(text: str) -> bytes:
    """A PDF 1.4 of one page with ``text`` (ASCII) on it."""
    line = text.encode("ascii", "replace").replace(b"\\", b"").replace(b"(", b"[").replace(b")", b"]")
    stream = b"BT /F1 12 Tf 72 770 Td (" + line + b") Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    result = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(result))
        result += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(result))
    return result + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end
