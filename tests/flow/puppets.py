"""Platforms without a network: adapters under the platforms' names that note what they are handed and do as they are told."""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

import orjson

from contracts.adapter import (
    Adapter,
    AdapterInfo,
    AdapterSettings,
    Authenticated,
    Capability,
    Context,
    DeliveryClass,
    Exchange,
    InboundCall,
    Polled,
    PolledItem,
    Receipt,
    Reply,
    Tools,
    Wire,
)
from contracts.errors import CallbackRejected, Reason, UnreadableCallback
from contracts.message import Message
from contracts.messages import COMMERCE, CONFEDERATION, COURT, HR, NATIONAL, ONE_STOP, UNION, MessageType
from contracts.referral import Referral
from contracts.update import About, DocumentLink, Inbound, Key, KeyKind, Reference, ReferralOffered, StatusUpdate

PLATFORMS = (HR, COURT, ONE_STOP, UNION, NATIONAL, COMMERCE, CONFEDERATION)
SECRET = "puppet-secret"
WORDS = {"content-type": "application/json", "x-puppet": SECRET}
"""Headers of a call that authenticates."""

Act = Callable[[Wire], Receipt]


class Puppet(Adapter[AdapterSettings]):
    """One platform. ``acts[operation]`` are played in turn instead of a plain receipt: an error is raised, a callable is
    called. What was sent stands in ``sent``, the contexts of translations in ``contexts``."""

    settings_type: ClassVar[type[AdapterSettings]] = AdapterSettings

    def __init__(self, endpoint: str, settings: AdapterSettings, tools: Tools) -> None:
        super().__init__(endpoint, settings, tools)
        self.sent: list[Wire] = []
        self.contexts: list[Context] = []
        self.acts: dict[str, deque[Exception | Act]] = defaultdict(deque)
        self.pages: deque[tuple[list[bytes], bool]] = deque()
        self.papers: dict[str, bytes | Exception] = {}

    def translate(self, message: Message, context: Context) -> Wire:
        self.contexts.append(context)
        return Wire(
            context.delivery,
            message.type.value,
            orjson.loads(message.document.to_json()),
            files=tuple(context.attachments),
            mapping=self.info.mapping,
        )

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        waiting = self.acts[wire.operation]
        act = waiting.popleft() if waiting else None
        if isinstance(act, Exception):
            raise act
        self.sent.append(wire)
        if act is not None:
            return act(wire)
        number = f"{self.info.name}-{len(self.sent)}"
        return Receipt(number, (Reference("platform_no", number),), relayed=self.info.relayed)

    async def lookup(self, wire: Wire, exchange: Exchange) -> Receipt | None:
        found = next((place for place, one in enumerate(self.sent, 1) if one.id == wire.id), None)
        return None if found is None else Receipt(f"{self.info.name}-{found}")

    async def authenticate(self, call: InboundCall) -> Authenticated:
        if call.header_values("x-puppet") != (SECRET,):
            raise CallbackRejected("wrong_key", Reply(401, body=b"no"))
        return Authenticated(orjson.loads(call.body)["event"], hashlib.sha256(call.body).hexdigest())

    async def acknowledge(self, call: InboundCall, *, duplicate: bool) -> Reply:
        return Reply(200, (("Content-Type", "text/plain"),), b"known" if duplicate else b"ok")

    def parse_callback(self, call: InboundCall) -> tuple[Inbound, ...]:
        return tuple(read_word(word) for word in words_of(orjson.loads(call.body)))

    async def poll(self, cursor: str | None, exchange: Exchange) -> Polled:
        place = int(cursor or "0")
        if not self.pages:
            return Polled((), str(place), more=False)
        bodies, more = self.pages.popleft()
        items = tuple(
            PolledItem(orjson.loads(body)["event"], hashlib.sha256(body).hexdigest(), body) for body in bodies
        )
        return Polled(items, str(place + len(items)), more=more)

    async def download(self, document: DocumentLink, exchange: Exchange) -> bytes:
        found = self.papers.get(document.ref, b"")
        if isinstance(found, Exception):
            raise found
        return found

    async def probe(self, exchange: Exchange) -> None:
        return None


def words_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The words of a call: the body itself, or its ``words``."""
    if body.get("unreadable"):
        raise UnreadableCallback("torn")
    words: list[dict[str, Any]] = body.get("words", [body])
    return words


def read_word(word: dict[str, Any]) -> Inbound:
    """A word as the puppets say it: the fields of ``StatusUpdate``, or ``referral``."""
    at = datetime.fromisoformat(word["at"])
    if "referral" in word:
        return ReferralOffered(word["event"], Referral.model_validate_json(orjson.dumps(word["referral"])), at)
    due = word.get("due_at")
    return StatusUpdate(
        event_id=word["event"],
        about=About(word["about"]),
        keys=tuple(Key(KeyKind(kind), value, scope) for kind, value, scope in word["keys"]),
        status=word["status"],
        raw_status=word.get("raw_status", word["status"]),
        at=at,
        reason_code=word.get("reason_code"),
        reasons=tuple(Reason(*reason) for reason in word.get("reasons", ())),
        due_at=datetime.fromisoformat(due) if due else None,
        references=tuple(Reference(kind, value) for kind, value in word.get("references", ())),
        documents=tuple(DocumentLink(**document) for document in word.get("documents", ())),
        note=word.get("note"),
        retry_after_s=word.get("retry_after_s"),
        term_no=word.get("term_no"),
    )


def _kind(name: str, delivery_class: DeliveryClass, *, relayed: bool = False, polls: bool = False) -> type[Puppet]:
    info = AdapterInfo(
        name=name,
        title_zh="木偶平台",
        title_en="Puppet platform",
        version="1.0",
        mapping="1",
        delivery_class=delivery_class,
        capabilities=tuple(Capability(kind, kind.value) for kind in MessageType),
        relayed=relayed,
        calls_back=not polls,
        polls=polls,
        lookup_lag=timedelta(0),
        rate_per_s=10_000.0,
        at_once=64,
        poll_every_s=(0.02, 0.05),
    )
    return type(f"Puppet_{name}", (Puppet,), {"info": info})


PUPPETS: dict[str, type[Puppet]] = {
    HR: _kind(HR, DeliveryClass.IDEMPOTENT),
    COURT: _kind(COURT, DeliveryClass.QUERYABLE),
    ONE_STOP: _kind(ONE_STOP, DeliveryClass.IDEMPOTENT, polls=True),
    UNION: _kind(UNION, DeliveryClass.NEITHER, relayed=True),
    NATIONAL: _kind(NATIONAL, DeliveryClass.IDEMPOTENT),
    COMMERCE: _kind(COMMERCE, DeliveryClass.IDEMPOTENT, relayed=True),
    CONFEDERATION: _kind(CONFEDERATION, DeliveryClass.IDEMPOTENT, relayed=True),
}
"""One puppet for each platform, in its real delivery class."""
