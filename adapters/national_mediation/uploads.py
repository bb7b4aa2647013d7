"""Uploads (page §3, ``file.upload``): no business effect, the same bytes get the same id, so they may be repeated freely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from adapters.national_mediation import wire
from adapters.national_mediation.calls import Calls
from adapters.national_mediation.files import ATTACHMENT
from adapters.national_mediation.settings import NationalMediationSettings
from contracts.adapter import AttachmentInfo, Exchange, Json, Tools
from contracts.errors import PermanentError, RetryableError

_KEPT = timedelta(hours=20)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The platform's ids, the places where the memory keeps them, and whether any was there already."""

    ids: tuple[str, ...]
    places: tuple[str, ...]
    remembered: bool


class Uploads:
    """Uploads what the platform does not have yet, and remembers under the bytes' SHA-256 which id each got."""

    def __init__(self, settings: NationalMediationSettings, tools: Tools, calls: Calls) -> None:
        self._settings = settings
        self._tools = tools
        self._calls = calls

    async def ids(self, rows: Sequence[Json], exchange: Exchange) -> Uploaded:
        """The platform's id of every file that a body names.

        Raises:
            PermanentError: ``file_too_large``, or the platform refuses the file.
            RetryableError: as for any step.
        """
        ids, places, remembered = [], [], False
        for row in rows:
            info = await self._tools.attachments.info(row[ATTACHMENT])
            place = f"file:{row['kind']}:{info.sha256.lower()}"
            known = await self._tools.memory.get(place)
            if known is None:
                known = await self._upload(row, info, exchange)
                await self._tools.memory.put(place, known, _KEPT)
            else:
                remembered = True
            ids.append(known)
            places.append(place)
        return Uploaded(tuple(ids), tuple(places), remembered)

    async def _upload(self, row: Json, info: AttachmentInfo, exchange: Exchange) -> str:
        if info.size > self._settings.file_limit:
            raise PermanentError("file_too_large", "a file is too large for the platform's upload")
        data = await self._tools.attachments.read(row[ATTACHMENT])
        headers = (("Content-Type", info.media_type), ("X-Content-SHA256", info.sha256.lower()))
        path = wire.with_query("/files", kind=row["kind"], name=row["name"])
        request = self._calls.request("POST", path, headers, data)
        reply = await self._calls.call("upload", request, exchange, within=self._settings.upload_s)
        found = wire.id_of((await self._calls.judged(reply, filing=False)).body, "fileId")
        if found is None:
            raise RetryableError("no_file_id", "the platform's answer to an upload holds no id")
        return found

    async def forget(self, uploaded: Uploaded) -> None:
        """The platform does not know these uploads."""
        for place in uploaded.places:
            await self._tools.memory.forget(place)
