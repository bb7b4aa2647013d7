"""The adapter of the one-stop platform (一站式): files over SOAP, pulls changes and assigned cases, is never called."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from adapters.http import read_aside
from adapters.one_stop import codes
from adapters.one_stop.changes import parse_change, said_in
from adapters.one_stop.codes import SIGN_FOR
from adapters.one_stop.layout import HEAD
from adapters.one_stop.pulling import BEGINNING, Cursors, Page, Walk, read_page
from adapters.one_stop.replies import Answer, CursorExpired, judge
from adapters.one_stop.security import NONCE_BYTES, headers
from adapters.one_stop.settings import OneStopSettings
from adapters.one_stop.translate import BINDING, MAPPING, OPERATION, translate
from adapters.one_stop.wire import REPLY_LIMIT, Unreadable, build, soap_action
from adapters.tables import tables_of
from contracts.adapter import (
    Adapter,
    AdapterInfo,
    AdapterSettings,
    Capability,
    Context,
    DeliveryClass,
    Exchange,
    InboundCall,
    Json,
    Polled,
    Receipt,
    Request,
    Wire,
)
from contracts.code_table import CodeTable
from contracts.errors import EndpointError, PermanentError, RetryableError
from contracts.holdings import Held, Holding, Listing, Period
from contracts.message import Message
from contracts.update import Inbound

_PATH = "/services/DisputeExchange"


class OneStop(Adapter[OneStopSettings]):
    """“一站式”矛盾纠纷多元化解线上平台, protocol page ``one_stop`` 1.0.0.

    Idempotent by 外部编号, which is the delivery's id at every attempt.
    """

    info: ClassVar[AdapterInfo] = AdapterInfo(
        name="one_stop",
        title_zh="“一站式”矛盾纠纷多元化解线上平台",
        title_en="One-stop platform for dispute resolution",
        version="1.0.0",
        mapping=MAPPING,
        delivery_class=DeliveryClass.IDEMPOTENT,
        capabilities=tuple(Capability(kind, operation) for kind, operation in OPERATION.items()),
        polls=True,
        lists=Listing.WORDS,
        personal_fields=frozenset({"性别", "民族"}),
        rate_per_s=10.0,
        reply_limit=REPLY_LIMIT,
    )
    settings_type: ClassVar[type[AdapterSettings]] = OneStopSettings

    def translate(self, message: Message, context: Context) -> Wire:
        """The message as one request of this platform (page §4). Pure.

        Raises:
            PermanentError: see ``translate.translate``.
        """
        return translate(message, context)

    def code_tables(self) -> tuple[CodeTable, ...]:
        return tables_of(vars(codes))

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        """File the wire in one exchange; a 签收 binds 平台编号 and our number right before, each time (page §4)."""
        payload = dict(wire.payload)
        binding = payload.pop(BINDING, None)
        if wire.operation == "answerAssign" and payload["答复"] == SIGN_FOR:
            # A number of its own: the platform refuses other content under a known 外部编号 (E409).
            head = payload[HEAD] | {"外部编号": f"{wire.id}-bind"}
            await self._call("bindId", {HEAD: head} | binding, exchange, filing=False)
        answer = await self._call(wire.operation, payload, exchange, filing=True)
        return answer.receipt(wire.operation)

    async def poll(self, cursor: str | None, exchange: Exchange) -> Polled:
        """One page of changes of the organisation whose turn it is (page §5).

        A cursor that the platform has forgotten (E410) starts again from the beginning at the next poll.
        """
        cursors = Cursors.read(cursor, self.settings.organization_codes)
        page = await self._pull(cursors.organization, cursors.at, exchange)
        if page is None:
            return Polled((), cursors.moved(BEGINNING, stay=True).write(), more=False)
        return Polled(page.items, cursors.moved(page.cursor, stay=page.more).write(), page.more)

    async def list_held(self, period: Period, cursor: str | None, exchange: Exchange) -> Held:
        """What the platform has said of a period: its changes again, one organisation after the other (page §5).

        It cannot be asked what was reported to it: the page has no such operation.
        """
        walk = Walk.read(cursor, self.settings.organization_codes)
        page = await self._pull(walk.organization, walk.at, exchange)
        if page is None:
            return Held((), walk.moved(BEGINNING, over=False).write(), more=True)
        after = walk.moved(page.cursor, over=not page.more)
        words: tuple[Holding, ...] = await self.tools.blocking(_said, period, page)
        return Held(words, after.write(), more=not after.over)

    async def _pull(self, organization: str, cursor: str, exchange: Exchange) -> Page | None:
        """One page of changes; ``None``: the platform has forgotten the cursor (E410)."""
        items = {"游标": cursor, "每页条数": str(self.settings.page_size)}
        try:
            answer = await self._ask("pullChanges", organization, items, exchange)
            page: Page = await self.tools.blocking(read_page, answer.response, cursor, self.settings.organization_codes)
            return page
        except CursorExpired:
            if cursor == BEGINNING:
                raise RetryableError("E410", "the platform refuses even the beginning as a cursor") from None
            return None
        except Unreadable as problem:
            raise RetryableError(problem.code, "no readable page of changes") from None

    def parse_callback(self, call: InboundCall) -> tuple[Inbound, ...]:
        """One stored change in canonical words (page §5). Pure.

        Raises:
            UnreadableCallback: no sound XML, no number, an organisation that is not ours, or a required item missing.
        """
        return parse_change(call, self.endpoint, self.settings.organization_codes)

    async def probe(self, exchange: Exchange) -> None:
        """``ping``: proves address, credentials and clock, changes nothing."""
        await self._ask("ping", self.settings.organization_codes[0], {}, exchange)

    async def _ask(self, operation: str, organization: str, items: Json, exchange: Exchange) -> Answer:
        """A call that carries no document: whatever the platform refuses in it is for the operator."""
        head = {"外部编号": f"ask-{self.tools.random_bytes(NONCE_BYTES).hex()}", "机构编码": organization}
        try:
            return await self._call(operation, {HEAD: head} | items, exchange, filing=False)
        except PermanentError as refusal:
            raise EndpointError(refusal.code, f"the platform refuses {operation}") from refusal

    async def _call(self, operation: str, payload: Json, exchange: Exchange, *, filing: bool) -> Answer:
        settings, now = self.settings, self.tools.now()
        signed = headers(
            settings.paasid,
            settings.service_id,
            settings.token.get_secret_value(),
            now,
            self.tools.random_bytes(NONCE_BYTES),
        )
        request = Request(
            "POST",
            settings.base_url + _PATH,
            (("Content-Type", "text/xml; charset=UTF-8"), ("SOAPAction", soap_action(operation)), *signed),
            build(operation, payload, now),
        )
        reply = await exchange.call(operation, request, filing=filing, within=settings.exchange_s, limit=REPLY_LIMIT)
        read = partial(judge, operation, payload[HEAD]["外部编号"], reply, self.tools.now(), filing=filing)
        return await read_aside(self.tools.blocking, reply.body, read)


def _said(period: Period, page: Page) -> tuple[Holding, ...]:
    return tuple(said_in(period, page.items))
