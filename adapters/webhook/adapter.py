"""The verbs: announce an event, post it, judge the status of the answer (``platforms/webhook.md`` §6)."""

from __future__ import annotations

from typing import ClassVar

from adapters.http import retry_after
from adapters.webhook import codes, translate, wire
from adapters.webhook.settings import WebhookSettings
from contracts.adapter import (
    Adapter,
    AdapterInfo,
    Context,
    DeliveryClass,
    Exchange,
    Json,
    Receipt,
    Reply,
    Request,
    Wire,
)
from contracts.errors import EndpointGone, PermanentError, RetryableError
from contracts.message import Message

VERIFICATION = "endpoint.verification"


class Webhook(Adapter[WebhookSettings]):
    """One upstream system's address (上游系统事件通知). It takes events, no messages."""

    info: ClassVar[AdapterInfo] = AdapterInfo(
        name="webhook",
        title_zh="上游系统事件通知（Webhook）",
        title_en="Webhook of an upstream system",
        version="1.0",
        mapping=translate.MAPPING,
        delivery_class=DeliveryClass.IDEMPOTENT,
        capabilities=(),
        events=True,
        status_alone=True,
        connect_s=5.0,
        deadline_s=15.0,
        deadline_files_s=15.0,
        rate_per_s=20.0,
        at_once=4,
        reply_limit=wire.REPLY_LIMIT,
    )
    settings_type: ClassVar[type[WebhookSettings]] = WebhookSettings

    def translate(self, message: Message, context: Context) -> Wire:
        """Documents never go to a webhook: its receiver reads them with its own credentials."""
        raise PermanentError("type_not_taken", "a webhook is told events, never sent documents")

    def announce(self, event: Json) -> Wire:
        """See ``translate.announce``."""
        return translate.announce(event)

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        """Post the event, signed anew for this attempt.

        Raises:
            EndpointGone: 410.
            RetryableError: every other answer but 2xx; to the handshake, also an answer without its challenge.
        """
        reply = await self._post(wire, exchange, filing=True)
        self._judge(reply)
        if wire.operation == VERIFICATION:
            self._judge_handshake(reply, wire.payload["data"]["challenge"])
        return Receipt(None)

    async def probe(self, exchange: Exchange) -> None:
        """Post ``endpoint.test``."""
        event = translate.test_event(
            self.endpoint,
            self.settings.source,
            self.settings.schemas,
            self.tools.now(),
            self.tools.random_bytes(10),
        )
        self._judge(await self._post(translate.announce(event), exchange, filing=False))

    async def _post(self, made: Wire, exchange: Exchange, *, filing: bool) -> Reply:
        body = wire.body_of(made.payload)
        now = self.tools.now()
        headers = wire.headers_of(self.settings.keys_at(now), made.id, int(now.timestamp()), body)
        return await exchange.call("post", Request("POST", self.settings.url, headers, body), filing=filing)

    def _judge(self, reply: Reply) -> None:
        status = reply.status
        if status in codes.TAKEN:
            return
        code = f"http_{status}"
        if status == codes.GONE:
            raise EndpointGone(code, "the receiver says that it is gone for good")
        wait = None
        if status in codes.WAITS:
            wait = retry_after(reply, self.tools.now())
        elif status in codes.BEHIND_A_PROXY:
            wait = retry_after(reply, self.tools.now()) or codes.PROXY_WAIT
        doubt = status >= 500 and status not in codes.WAITS
        raise RetryableError(code, "the receiver did not take the event", retry_after=wait, maybe_accepted=doubt)

    @staticmethod
    def _judge_handshake(reply: Reply, challenge: str) -> None:
        if reply.status != 200 or not wire.repeats(reply, challenge):
            raise RetryableError("challenge", "the answer does not repeat the challenge")
