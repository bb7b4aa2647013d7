"""Files that were uploaded or that the clerk made: their bytes on disk, named by their digest."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path
from urllib.parse import unquote_to_bytes

from mocks.national_mediation import tables
from mocks.national_mediation.problems import Finding, Problem, refused


class Shelf:
    """The bytes of files below ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, content: bytes) -> str:
        """Store the bytes, on disk when this returns; their SHA-256 in lower hex."""
        digest = hashlib.sha256(content).hexdigest()
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / digest
        if not path.exists():
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes."""
        return (self._directory / digest).read_bytes()


def check_upload(media: str, raw_query: str, digest: str | None, content: bytes) -> tuple[str, str]:
    """``kind`` and ``name`` of an upload. Raises :class:`Problem` for what the page does not take."""
    start = tables.MEDIA.get(media)
    if start is None:
        raise Problem("TYPE_REFUSED")
    findings: list[Finding] = []
    query = _query(raw_query, findings)
    for name in ("kind", "name"):
        if name not in query:
            findings.append(Finding(name, "FIELD_MISSING"))
        elif not query[name]:
            findings.append(Finding(name, "FORMAT"))
    if query.get("kind") and query["kind"] not in tables.FILE_KIND:
        findings.append(Finding("kind", "CODE_UNKNOWN"))
    if len(query.get("name", "")) > 100:
        findings.append(Finding("name", "FIELD_TOO_LONG"))
    if digest is None:
        findings.append(Finding("X-Content-SHA256", "FIELD_MISSING"))
    elif digest != hashlib.sha256(content).hexdigest():
        findings.append(Finding("X-Content-SHA256", "CHECKSUM"))
    if findings:
        raise refused(*findings)
    if not content.startswith(start) or (media == "application/ofd" and not _is_ofd(content)):
        raise Problem("TYPE_REFUSED")
    return query["kind"], query["name"]


def _query(raw: str, findings: list[Finding]) -> dict[str, str]:
    """``kind`` and ``name``, percent-decoded as UTF-8 (a ``+`` is a plus)."""
    query: dict[str, str] = {}
    for pair in filter(None, raw.split("&")):
        name, _, value = pair.partition("=")
        if name not in ("kind", "name"):
            findings.append(Finding("?", "FIELD_UNKNOWN"))
            continue
        try:
            text = unquote_to_bytes(value).decode("utf-8")
        except UnicodeDecodeError:
            text = ""
        if name in query:
            findings.append(Finding(name, "FORMAT"))
        query[name] = text
    return query


def _is_ofd(content: bytes) -> bool:
    try:
        # The directory alone is read, nothing is unpacked.
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "OFD.xml" in archive.namelist()
    # NotImplementedError is zipfile's own, for a version that it does not know.
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return False
