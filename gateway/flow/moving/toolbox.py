"""What an adapter is handed at its making: clock, chance, attachments, nonces, a small durable memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import tempfile
import unicodedata
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from contracts.adapter import AttachmentInfo, Tools
from contracts.attachment import sniff
from contracts.moments import from_ms
from gateway.store.engine import StoreUnavailable
from gateway.store.places import of_file, of_file_name, of_memory
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


class Nonces:
    """Nonces of inbound calls, per endpoint, in the store."""

    def __init__(self, store: Store, endpoint: str) -> None:
        self._store = store
        self._endpoint = endpoint

    async def first_seen(self, nonce: str, keep: timedelta) -> bool:
        """See ``contracts.adapter.NonceStore``."""
        keep_ms = round(keep.total_seconds() * 1000)
        return bool(await self._store.write("see_nonce", (self._endpoint, nonce, keep_ms)))


class EndpointMemory:
    """An adapter's small durable memory, sealed."""

    def __init__(self, store: Store, endpoint: str) -> None:
        self._store = store
        self._endpoint = endpoint

    async def get(self, key: str) -> str | None:
        """The value, unless its time is over."""
        row = await self._store.row("get_memory", self._endpoint, key)
        return None if row is None else self._store.unseal(row["value_sealed"], of_memory(self._endpoint, key)).decode()

    async def put(self, key: str, value: str, keep: timedelta | None = None) -> None:
        """Keep a value, for a while or until it is replaced."""
        keep_ms = None if keep is None else round(keep.total_seconds() * 1000)
        sealed = self._store.seal(value.encode(), of_memory(self._endpoint, key))
        await self._store.write("put_memory", (self._endpoint, key, sealed, keep_ms))

    async def forget(self, key: str) -> None:
        """Drop a value."""
        await self._store.write("drop_memory", (self._endpoint, key))


async def off_the_loop(function: Callable[..., Any], /, *arguments: Any) -> Any:
    """Run a slow computation in a thread."""
    return await asyncio.to_thread(function, *arguments)


def tools_for(
    store: Store,
    attachments: Attachments,
    endpoint: str,
    now_ms: Callable[[], int],
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Tools:
    """The tools of one endpoint."""
    return Tools(
        now=lambda: from_ms(now_ms()),
        random_bytes=random_bytes,
        attachments=attachments,
        nonces=Nonces(store, endpoint),
        memory=EndpointMemory(store, endpoint),
        blocking=off_the_loop,
    )
