"""The verbs: file, look up, probe, fetch decisions, and keep the door for the platform's pushes."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import urljoin, urlsplit

from adapters.court_mediation import callbacks, codes, replies, standing, wire
from adapters.court_mediation.door import Door
from adapters.court_mediation.parties import PERSONAL_FIELDS
from adapters.court_mediation.session import Sessions
from adapters.court_mediation.settings import CourtMediationSettings
from adapters.court_mediation.translate import CAPABILITIES, MAPPING, OPENING, translate
from adapters.court_mediation.uploads import Uploaded, Uploads
from adapters.http import judge_status
from adapters.tables import tables_of
from contracts.adapter import (
    Adapter,
    AdapterInfo,
    Authenticated,
    Context,
    DeliveryClass,
    Exchange,
    InboundCall,
    Json,
    Receipt,
    Reply,
    Request,
    Tools,
    Wire,
)
from contracts.code_table import CodeTable
from contracts.errors import EndpointError, PermanentError, RetryableError
from contracts.holdings import Holding
from contracts.message import Message
from contracts.update import DocumentLink, Inbound

SERVICES, PING, QUERY, LINK = "/fayuan/a/", "ping", "query/byTjbh", "ws/link"


class CourtMediation(Adapter[CourtMediationSettings]):
    """人民法院调解平台 (“总对总”), protocol page ``court_mediation`` 1.0.0. Queryable by ``tjbh``, the delivery's id."""

    info: ClassVar[AdapterInfo] = AdapterInfo(
        name="court_mediation",
        title_zh="人民法院调解平台",
        title_en="Mediation platform of the people's courts",
        version="1.0.0",
        mapping=MAPPING,
        delivery_class=DeliveryClass.QUERYABLE,
        capabilities=CAPABILITIES,
        calls_back=True,
        personal_fields=PERSONAL_FIELDS,
        lookup_lag=timedelta(seconds=10),
        connect_s=5.0,
        # A login, an over-long text's upload and the filing may stand in one attempt without attachments.
        deadline_s=120.0,
        deadline_files_s=300.0,
        rate_per_s=5.0,
        at_once=4,
        reply_limit=wire.REPLY_LIMIT,
    )
    settings_type: ClassVar[type[CourtMediationSettings]] = CourtMediationSettings

    def __init__(self, endpoint: str, settings: CourtMediationSettings, tools: Tools) -> None:
        super().__init__(endpoint, settings, tools)
        self._sessions = Sessions(settings, tools)
        self._uploads = Uploads(settings, tools, self._sessions)
        self._door = Door(settings, tools)

    # ------------------------------------------------------------------------------------------------------- outward

    def translate(self, message: Message, context: Context) -> Wire:
        """See ``translate.translate``."""
        return translate(message, context, self.settings)

    def code_tables(self) -> tuple[CodeTable, ...]:
        return tables_of(vars(codes))

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        """Log in where needed, upload what travels along, then file the form under the delivery's id.

        Raises:
            RetryableError, EndpointError, PermanentError: classes of page §3; 1002 about uploads of an earlier attempt
                is retryable: they are forgotten, and the next attempt uploads them again.
        """
        payload, uploads = await self._with_files(wire.payload, exchange)
        try:
            content = await self._ask("file", wire.operation, payload, exchange, filing=True)
        except PermanentError as refusal:
            if refusal.code != replies.FILE_UNKNOWN:
                raise
            await self._uploads.forget(uploads)
            if not uploads.remembered:
                raise
            raise RetryableError(refusal.code, "the platform no longer knows a file of ours") from None
        return replies.receipt(content, wire.id, opens=wire.operation in OPENING)

    async def lookup(self, wire: Wire, exchange: Exchange) -> Receipt | None:
        """Ask by ``tjbh`` whether the platform has what was filed."""
        content = await self._query(wire, exchange)
        return replies.found(content, wire.id, opens=wire.operation in OPENING)

    async def held(self, wire: Wire, exchange: Exchange) -> Holding | None:
        """The same query with the state ``zt`` of what was filed (page §6), the first record where there are more."""
        records, total = replies.asked(await self._query(wire, exchange), wire.id)
        return standing.holding(wire, records, total, self.tools.now()) if records else None

    async def _query(self, wire: Wire, exchange: Exchange) -> Json:
        try:
            return await self._ask("lookup", QUERY, {"tjbh": wire.id}, exchange)
        except PermanentError as refusal:
            # The question carries no document: its sender cannot heal it.
            raise EndpointError(refusal.code, "the platform refuses the query") from None

    async def probe(self, exchange: Exchange) -> None:
        """``ping``, which needs no session: proves that the platform is there.

        It cannot prove the password; a login for that alone would count against the account where it fails."""
        request = Request("GET", self._address(PING))
        reply = await exchange.call("probe", request, within=self.settings.exchange_s)
        judge_status(reply, self.tools.now(), maybe_accepted=False)
        if reply.body.strip().strip(b'"').lower() != b"pong":
            raise replies.unreadable("no_pong", filing=False)

    async def download(self, document: DocumentLink, exchange: Exchange) -> bytes:
        """Fetch a decision document (裁定书) by its link, or by a new one where that has ended, and check it.

        Raises:
            RetryableError: a link to another host, or bytes of another size or digest than told.
        """
        data = None
        if document.link is not None and not self._has_ended(document.expires_at):
            data = await self._fetch(document.link, exchange)
        if data is None:
            data = await self._fetch(await self._new_link(document.ref, exchange), exchange)
        if data is None:
            raise RetryableError("link_ended", "the platform's new link has ended already")
        digest = hashlib.sha256(data).hexdigest()
        if len(data) != (len(data) if document.size is None else document.size):
            raise RetryableError("wrong_size", "the document has another size than told")
        if digest != (document.sha256 or digest).lower():
            raise RetryableError("wrong_digest", "the document has another digest than told")
        return data

    # --------------------------------------------------------------------------------------------------------- inward

    async def authenticate(self, call: InboundCall) -> Authenticated:
        """See ``Door.authenticate``."""
        return await self._door.authenticate(call)

    async def acknowledge(self, call: InboundCall, *, duplicate: bool) -> Reply:
        """``success`` with the push's number, the same for a repeat."""
        return await self._door.acknowledge(call)

    def parse_callback(self, call: InboundCall) -> tuple[Inbound, ...]:
        """See ``callbacks.parse``."""
        return callbacks.parse(call, self.endpoint)

    # -------------------------------------------------------------------------------------------------------- asking

    async def _with_files(self, payload: Json, exchange: Exchange) -> tuple[Json, Uploaded]:
        uploads = await self._uploads.ids(payload.get(wire.DOCUMENTS, []), exchange)
        return wire.with_file_ids(payload, uploads.ids.__getitem__), uploads

    async def _ask(self, step: str, service: str, payload: Json, exchange: Exchange, *, filing: bool = False) -> Json:
        body = wire.mediation_form(payload)

        def request(cookie: str) -> Request:
            return Request("POST", self._address(service), (("Content-Type", wire.FORM_TYPE), ("Cookie", cookie)), body)

        settings = self.settings
        reply = await self._sessions.call(step, request, exchange, filing=filing, within=settings.exchange_s)
        return replies.judge(
            reply,
            now=self.tools.now(),
            rate_wait=timedelta(seconds=settings.rate_wait_s),
            filing=filing,
        )

    def _address(self, service: str) -> str:
        return f"{self.settings.base_url}{SERVICES}{service}"

    # ------------------------------------------------------------------------------------------------------ documents

    async def _fetch(self, link: str, exchange: Exchange) -> bytes | None:
        """The bytes behind a link, without our cookie; ``None`` where the link has ended."""
        request = Request("GET", self._own_link(link))
        limit = self.settings.file_limit
        reply = await exchange.call("download", request, within=self.settings.upload_s, limit=limit)
        if reply.status == 403:
            return None
        judge_status(reply, self.tools.now(), maybe_accepted=False)
        return reply.body

    async def _new_link(self, ref: str, exchange: Exchange) -> str:
        content = await self._ask("link", LINK, {"c_wsbh": ref}, exchange)
        link = wire.text_of(content, "wjlj")
        if not link or wire.text_of(content, "c_wsbh") != ref:
            raise replies.unreadable("no_link", filing=False)
        return link

    def _own_link(self, link: str) -> str:
        """The whole address of a link.

        Raises:
            RetryableError: not on the platform's own address: whoever wrote it, we do not go there.
        """
        try:
            whole = urljoin(f"{self.settings.base_url}/", link)
            own = _origin(whole) == _origin(self.settings.base_url)
        except ValueError:
            own = False
        if not own:
            raise RetryableError("foreign_link", "the document's link leads to another host")
        return whole

    def _has_ended(self, end: datetime | None) -> bool:
        return end is not None and end.astimezone(UTC) <= self.tools.now()


def _origin(address: str) -> tuple[str, str | None, int | None, str | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme), parts.username
