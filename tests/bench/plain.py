"""A platform without a dialect: one POST of the document's JSON. What the engine costs around one is measured with it."""

from __future__ import annotations

from typing import ClassVar

import orjson

from contracts.adapter import (
    Adapter,
    AdapterInfo,
    AdapterSettings,
    Capability,
    Context,
    DeliveryClass,
    Exchange,
    Json,
    Receipt,
    Request,
    Wire,
)
from contracts.errors import RetryableError
from contracts.message import Message
from contracts.messages import MessageType

_FAST = 1_000_000.0


class PlainSettings(AdapterSettings):
    """Where it listens."""

    url: str


class Plain(Adapter[PlainSettings]):
    """Posts the document under the message's id; 2xx is a receipt."""

    info: ClassVar[AdapterInfo] = AdapterInfo(
        name="plain",
        title_zh="基准目标",
        title_en="Plain target",
        version="1",
        mapping="plain-1",
        delivery_class=DeliveryClass.IDEMPOTENT,
        capabilities=(Capability(MessageType.CASE_SUBMITTED, "case"),),
        rate_per_s=_FAST,
        at_once=256,
    )
    settings_type = PlainSettings

    def translate(self, message: Message, context: Context) -> Wire:
        """The document as it is."""
        payload: Json = message.document.model_dump(mode="json", exclude_none=True)
        return Wire(message.id, "case", payload, mapping=self.info.mapping)

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        """One POST."""
        headers = (("Content-Type", "application/json"), ("Idempotency-Key", wire.id))
        request = Request("POST", self.settings.url, headers, orjson.dumps(wire.payload))
        reply = await exchange.call("file", request, filing=True)
        if not 200 <= reply.status < 300:
            raise RetryableError(f"status_{reply.status}", maybe_accepted=False)
        return Receipt(wire.id)

    async def probe(self, exchange: Exchange) -> None:
        """It is always there."""
