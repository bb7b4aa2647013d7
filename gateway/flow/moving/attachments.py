"""Files by content (附件): what is uploaded, issued by a platform or made by us, sealed on disk, described by rows."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import tempfile
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path

from contracts.adapter import AttachmentInfo
from contracts.attachment import sniff
from gateway.store.engine import StoreUnavailable
from gateway.store.places import of_file, of_file_name
from gateway.store.store import Store


class AttachmentRefused(Exception):
    """An upload that is not taken: ``code`` is ``attachment_too_large``, ``attachment_type`` or ``attachment_empty``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


_LONGEST_NAME = 100
_LONGEST_ENDING = 10
_OUT_OF_NAMES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that no name needs: controls, direction marks, surrogates, line ends."""


def file_name(given: str) -> str:
    """A file's name as it is kept: of a path its last part, composed (NFC), without what cannot be seen, at most 100
    characters with its ending. A name that nothing is left of becomes ``attachment``."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    name = "".join(character for character in last if unicodedata.category(character) not in _OUT_OF_NAMES).strip(" .")
    stem, dot, ending = name.rpartition(".")
    if len(name) > _LONGEST_NAME and stem and len(ending) <= _LONGEST_ENDING:
        return stem[: _LONGEST_NAME - len(ending) - 1].rstrip(" .") + dot + ending
    return name[:_LONGEST_NAME].rstrip(" .") or "attachment"


class Attachments:
    """Files by content: sealed on disk under their SHA-256, described by rows (附件)."""

    def __init__(self, store: Store, directory: Path, limit: int) -> None:
        self._store = store
        self._directory = directory
        self.limit = limit

    async def take(self, owner: str, kind: str, name: str, parts: AsyncIterator[bytes]) -> AttachmentInfo:
        """Read a stream to its end and keep it, durable when this returns.

        Raises:
            AttachmentRefused: empty, over the limit, or not PDF, OFD, JPEG or PNG by content.
            StoreUnavailable: the disk does not take it.
        """
        data = bytearray()
        async for part in parts:
            data += part
            if len(data) > self.limit:
                raise AttachmentRefused("attachment_too_large")
        return await self.keep(owner, kind, name, bytes(data))

    async def keep(
        self, owner: str, kind: str, name: str, data: bytes, media_type: str | None = None
    ) -> AttachmentInfo:
        """Keep bytes that are in hand (an upload, a decision that a platform issued, a paper that we made)."""
        name = file_name(name)
        if not data:
            raise AttachmentRefused("attachment_empty")
        media_type = media_type or sniff(data)
        if media_type is None:
            raise AttachmentRefused("attachment_type")
        digest = hashlib.sha256(data).hexdigest()
        try:
            await asyncio.to_thread(self._write, digest, data)
        except OSError as error:
            raise StoreUnavailable(f"attachments: {type(error).__name__}") from error
        identifier = self._store.ids.new("attachment")
        sealed = self._store.seal(name.encode(), of_file_name(identifier))
        await self._store.write("add_upload", (identifier, owner, kind, sealed, media_type, len(data), digest))
        return AttachmentInfo(identifier, kind, name, media_type, len(data), digest)

    def _path(self, digest: str) -> Path:
        return self._directory / digest[:2] / digest

    def _write(self, digest: str, data: bytes) -> None:
        path = self._path(digest)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own: the same bytes may be on their way in twice.
        handle, made = tempfile.mkstemp(".part", f"{digest}.", path.parent)
        partial = Path(made)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self._store.seal(data, of_file(digest)))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError:
            partial.unlink(missing_ok=True)  # a full disk needs the room
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    async def find(self, identifier: str) -> tuple[str, AttachmentInfo] | None:
        """Owner and description, or ``None``."""
        row = await self._store.row("upload", identifier)
        if row is None:
            return None
        name = self._store.unseal(row["name_sealed"], of_file_name(identifier)).decode()
        return row["owner"], AttachmentInfo(
            identifier, row["kind"], name, row["media_type"], row["size"], row["sha256"]
        )

    async def info(self, attachment: str) -> AttachmentInfo:
        """See ``contracts.adapter.AttachmentReader``. ``LookupError`` where there is none."""
        found = await self.find(attachment)
        if found is None:
            raise LookupError("attachment_unknown")
        return found[1]

    async def read(self, attachment: str) -> bytes:
        """The bytes of an attachment."""
        described = await self.info(attachment)
        sealed = await asyncio.to_thread(self._path(described.sha256).read_bytes)
        return self._store.unseal(sealed, of_file(described.sha256))
