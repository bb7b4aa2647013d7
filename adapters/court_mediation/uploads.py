"""Files first (page §4): every attachment and every over-long text is uploaded before the form that names it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from adapters.court_mediation import replies, wire
from adapters.court_mediation.session import Sessions
from adapters.court_mediation.settings import CourtMediationSettings
from adapters.court_mediation.sheet import TEXT
from adapters.court_mediation.writing import ATTACHMENT
from contracts.adapter import Exchange, Json, Request, Tools
from contracts.errors import PermanentError

UPLOAD_PATH = "/fayuan/a/file/upload"
_PLAIN_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The platform's id of every entry of ``docList``, the places where the memory keeps them, and whether any of them
    was there already."""

    ids: tuple[str, ...]
    places: tuple[str, ...]
    remembered: bool


class Uploads:
    """Uploads, and remembers under the bytes' SHA-256 which id each got: the next attempt goes on from there."""

    def __init__(self, settings: CourtMediationSettings, tools: Tools, sessions: Sessions) -> None:
        self._settings = settings
        self._tools = tools
        self._sessions = sessions

    async def ids(self, entries: list[Json], exchange: Exchange) -> Uploaded:
        """Upload what the platform does not have yet.

        Raises:
            PermanentError: a file is too large, or the platform refuses it.
        """
        ids: list[str] = []
        places: list[str] = []
        fresh: set[str] = set()
        for entry in entries:
            digest = await self._digest(entry)
            place = f"file:{entry['fjlx']}:{digest}"
            file_id = await self._tools.memory.get(place)
            if file_id is None:
                file_id = await self._upload(entry, digest, exchange)
                await self._tools.memory.put(place, file_id, timedelta(seconds=self._settings.upload_kept_s))
                fresh.add(place)
            ids.append(file_id)
            places.append(place)
        return Uploaded(tuple(ids), tuple(places), not fresh.issuperset(places))

    async def forget(self, uploaded: Uploaded) -> None:
        """The platform does not know these uploads."""
        for place in uploaded.places:
            await self._tools.memory.forget(place)

    async def _digest(self, entry: Json) -> str:
        if TEXT in entry:
            return hashlib.sha256(entry[TEXT].encode("utf-8")).hexdigest()
        return (await self._tools.attachments.info(entry[ATTACHMENT])).sha256.lower()

    async def _upload(self, entry: Json, digest: str, exchange: Exchange) -> str:
        settings = self._settings
        if TEXT in entry:
            media_type, data = _PLAIN_TEXT, entry[TEXT].encode("utf-8")
        else:
            media_type = (await self._tools.attachments.info(entry[ATTACHMENT])).media_type
            data = await self._tools.attachments.read(entry[ATTACHMENT])
        if len(data) > settings.file_limit:
            raise PermanentError("file_too_large", "a file is too large for the platform's upload")
        boundary = self._tools.random_bytes(16).hex()
        content_type, body = await self._tools.blocking(
            wire.multipart, boundary, entry["fjlx"], entry["wjmc"], media_type, data
        )

        def request(cookie: str) -> Request:
            headers = (("Content-Type", content_type), ("Cookie", cookie))
            return Request("POST", settings.base_url + UPLOAD_PATH, headers, body)

        reply = await self._sessions.call("upload", request, exchange, within=settings.upload_s)
        content = replies.judge(
            reply,
            now=self._tools.now(),
            rate_wait=timedelta(seconds=settings.rate_wait_s),
            filing=False,
        )
        return replies.uploaded(content, len(data), digest)
