"""The verbs: send a batch of one, ping, and keep the door for results, statuses and handed-over cases."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from adapters.http import Doorway, read_aside
from adapters.tables import tables_of
from adapters.union import callbacks, codes, door, form, replies, security, wire
from adapters.union.replies import Received
from adapters.union.settings import UnionSettings
from adapters.union.translate import CAPABILITIES, MAPPING, translate
from contracts.adapter import (
    Adapter,
    AdapterInfo,
    AdapterSettings,
    Authenticated,
    Context,
    DeliveryClass,
    Exchange,
    InboundCall,
    Receipt,
    Reply,
    Request,
    Tools,
    Wire,
)
from contracts.code_table import CodeTable
from contracts.errors import CallbackRejected
from contracts.message import Message
from contracts.update import Inbound

_BATCH, _PING = "/lda/batch.do", "/lda/ping.do"
_HEADERS = (("Content-Type", form.CONTENT_TYPE),)


class UnionPlatform(Adapter[UnionSettings]):
    """工会劳动争议调解平台, protocol page ``union`` 1.0.0.

    Neither idempotent nor queryable: a batch sent twice is two batches, so nothing in doubt is repeated by itself. The
    answer to a batch says only that it came in; what became of the item comes later, under the delivery's id.
    """

    info: ClassVar[AdapterInfo] = AdapterInfo(
        name="union",
        title_zh="工会劳动争议调解平台",
        title_en="Labour dispute mediation platform of the trade unions",
        version="1.0.0",
        mapping=MAPPING,
        delivery_class=DeliveryClass.NEITHER,
        capabilities=CAPABILITIES,
        relayed=True,
        calls_back=True,
        personal_fields=frozenset({"xb", "gz"}),
        rate_per_s=2.0,
        reply_limit=form.LIMIT,
    )
    settings_type: ClassVar[type[AdapterSettings]] = UnionSettings

    def __init__(self, endpoint: str, settings: UnionSettings, tools: Tools) -> None:
        super().__init__(endpoint, settings, tools)
        self._at_the_door = Doorway(tools.blocking)

    def translate(self, message: Message, context: Context) -> Wire:
        """See ``translate.translate``."""
        return translate(message, context)

    def code_tables(self) -> tuple[CodeTable, ...]:
        return tables_of(vars(codes))

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        """File the wire as a batch of one: one exchange. See ``replies.judge`` for what it raises."""
        return (await self._post("batch", wire, exchange)).receipt()

    async def probe(self, exchange: Exchange) -> None:
        """``ping``: proves address, secret and clock, stores nothing. Raises as ``send``, but nothing is in doubt."""
        await self._post("ping", None, exchange)

    async def authenticate(self, call: InboundCall) -> Authenticated:
        """See ``door.admit``; every refusal is HTTP 401 ``fail``."""
        settings = self.settings
        try:
            if call.method != "POST":
                raise door.Refused("http_method")
            return await door.admit(
                call.path.strip("/"),
                call.body,
                settings.app_key,
                settings.secret.get_secret_value(),
                self.tools.now(),
                self.tools.nonces,
                self._at_the_door,
            )
        except door.Refused as refusal:
            raise CallbackRejected(refusal.code, door.REFUSAL) from None

    async def acknowledge(self, call: InboundCall, *, duplicate: bool) -> Reply:
        """``success``, for a repeat as well: anything else would be called again."""
        return door.ACKNOWLEDGEMENT

    def parse_callback(self, call: InboundCall) -> tuple[Inbound, ...]:
        """See ``callbacks.parse``."""
        return callbacks.parse(call, self.endpoint, self.settings.organization_codes)

    async def _post(self, step: str, filed: Wire | None, exchange: Exchange) -> Received:
        settings, now = self.settings, self.tools.now()
        secret = settings.secret.get_secret_value()
        common = {
            "appKey": settings.app_key,
            "method": "ping" if filed is None else filed.operation,
            "timestamp": security.stamp(now),
            "nonce": self.tools.random_bytes(security.NONCE_BYTES).hex(),
            "n": "0" if filed is None else "1",
        }
        items = {} if filed is None else wire.parameters((filed.payload,))
        request = Request(
            "POST",
            settings.base_url + (_PING if filed is None else _BATCH),
            _HEADERS,
            form.encode(security.signed(common | items, secret)),
        )
        filing = filed is not None
        reply = await exchange.call(step, request, filing=filing, within=settings.exchange_s, limit=form.LIMIT)
        judge = partial(replies.judge, reply, secret, self.tools.now(), filing=filing)
        return await read_aside(self.tools.blocking, reply.body, judge)
