"""The port: what every platform adapter owes the gateway, and what the gateway hands it.

An adapter is an interpreter. It knows one platform's language and nothing of the store, the web or other platforms. The
engine knows deliveries and nothing of any platform's language. What passes between them is drawn here, whole::

    engine                                   adapter                              platform
      Message + Context ── translate ─────▶  Wire (frozen, stored)                            pure
      event             ── announce ──────▶  Wire (to a webhook)                              pure
      Wire + Exchange   ── send ──────────▶  Exchange.call(step, Request) ──────▶ Reply
                        ◀── Receipt | AdapterError
      Wire + Exchange   ── lookup ────────▶  (queryable platforms)          ────▶
                        ◀── Receipt | None
      Period + Exchange ── list_held ─────▶  Held(items, cursor)            ────▶
      InboundCall       ── authenticate ──▶  over the raw bytes             ◀──── callback
                        ◀── Authenticated | CallbackRejected
      (stores the call) ── acknowledge ───▶  the answer in its dialect      ────▶
      InboundCall       ── parse_callback ▶  StatusUpdate…, ReferralOffered                   pure
      cursor + Exchange ── poll ──────────▶  Polled(items, next cursor)     ────▶
      DocumentLink      ── download ──────▶  the decision's bytes           ────▶
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from contracts.agreement import Agreement
from contracts.case import Case, Organization
from contracts.code_table import CodeTable
from contracts.confirmation import ConfirmationRequest
from contracts.holdings import Answering, Listing
from contracts.http import Exchange, Reply, Request
from contracts.message import Message
from contracts.messages import MessageType
from contracts.referral import Referral
from contracts.update import DocumentLink, Inbound
from contracts.wire import Json, Loss, LossKind, PolledItem, Receipt, Wire

__all__ = [  # the port is imported from here, wherever its parts are written
    "CONTRACT",
    "Adapter",
    "AdapterInfo",
    "AdapterSettings",
    "AttachmentInfo",
    "AttachmentReader",
    "Authenticated",
    "Blocking",
    "Capability",
    "Context",
    "DeliveryClass",
    "Exchange",
    "ExternalReference",
    "InboundCall",
    "Json",
    "Loss",
    "LossKind",
    "Memory",
    "NonceStore",
    "Origin",
    "Polled",
    "PolledItem",
    "Receipt",
    "Reply",
    "Request",
    "Tools",
    "Wire",
]

CONTRACT = "1"
"""Major version of this port. The registry refuses an adapter that was written for another."""


class DeliveryClass(StrEnum):
    """What a platform offers against the answer that was lost on the way."""

    IDEMPOTENT = "idempotent"
    """The same id again has one effect: send again."""
    QUERYABLE = "queryable"
    """A repeat files twice, but it can be asked: look up before every repeat."""
    NEITHER = "neither"
    """Neither: a person decides."""


# ---------------------------------------------------------------------------------------------------- what an adapter is


@dataclass(frozen=True, slots=True)
class Capability:
    """A message type that the platform takes, and its name for that service (服务编号)."""

    type: MessageType
    operation: str


@dataclass(frozen=True, slots=True)
class AdapterInfo:
    """An adapter's declaration, read by the registry, the router, the engine and the capability table.

    ``version`` is the protocol page's, ``mapping`` counts the translation's own versions; both are stored with every wire.
    ``relayed``: the platform's receipt only means that bytes came in, its word follows within ``word_within``.
    ``lookup_lag``: a look-up's "not found" counts only when asked this long after the lost exchange.
    ``deadline_s`` is the total of one attempt, preparing steps included (``deadline_files_s`` where files travel).
    ``rate_per_s`` and ``at_once`` are the platform's agreed limits, ``reply_limit`` the most bytes of one reply.
    ``personal_fields``: names of the wire's fields whose codes tell of a person (性别, 民族, 职业): people see none of them.
    ``lists``: what the platform can list of a period (``holdings``).
    ``events``: it is told events (``announce``), no messages. ``status_alone``: the HTTP status is the whole answer, so a body
    over ``reply_limit`` is cut there and one that breaks off counts as far as it came.
    """

    name: str
    title_zh: str
    title_en: str
    version: str
    mapping: str
    delivery_class: DeliveryClass
    capabilities: tuple[Capability, ...]
    relayed: bool = False
    calls_back: bool = False
    polls: bool = False
    events: bool = False
    status_alone: bool = False
    lists: Listing = Listing.NOTHING
    personal_fields: frozenset[str] = frozenset()
    word_within: timedelta = timedelta(hours=26)
    lookup_lag: timedelta = timedelta(0)
    connect_s: float = 5.0
    deadline_s: float = 60.0
    deadline_files_s: float = 300.0
    rate_per_s: float = 20.0
    at_once: int = 8
    reply_limit: int = 2 * 1024 * 1024
    poll_every_s: tuple[float, float] = (5.0, 900.0)
    contract: str = CONTRACT

    def takes(self, kind: MessageType) -> bool:
        """Whether the platform has a service for this message type."""
        return any(capability.type == kind for capability in self.capabilities)


class AdapterSettings(BaseModel):
    """Base of every adapter's settings: what the platform's page lists as configured values. Frozen, unknown keys refused.

    The limits override the page's values of ``AdapterInfo`` (a site or a demo may agree others)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    rate_per_s: float | None = None
    at_once: int | None = None
    deadline_s: float | None = None
    deadline_files_s: float | None = None
    connect_s: float | None = None
    poll_every_s: tuple[float, float] | None = None
    lookup_lag_s: float | None = None
    word_within_s: float | None = None


# -------------------------------------------------------------------------------------------------- what translation needs


@dataclass(frozen=True, slots=True)
class ExternalReference:
    """A number that the endpoint gave to one of our things: ``about`` is our id (``case_…``, ``agr_…``, ``cnf_…`` …)."""

    kind: str
    value: str
    about: str


@dataclass(frozen=True, slots=True)
class AttachmentInfo:
    """What the upload told about an attachment (附件)."""

    id: str
    kind: str
    name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Context:
    """What translation may need beside the message; made when the delivery is first due, then frozen with the wire.

    ``delivery`` is the delivery's id. Documents stand as they were when the message was accepted. ``registered_version``
    is the newest version of the case that this endpoint has been delivered (``None``: it never took the case, so a
    revision goes as first registration). ``references`` are this endpoint's own numbers for this subject.
    ``attachments`` describe every attachment that any of the documents names.
    """

    delivery: str
    endpoint: str
    organization: Organization | None = None
    case_id: str | None = None
    case: Case | None = None
    agreement_id: str | None = None
    agreement: Agreement | None = None
    confirmation_id: str | None = None
    confirmation: ConfirmationRequest | None = None
    referral_id: str | None = None
    referral: Referral | None = None
    registered_version: int | None = None
    references: tuple[ExternalReference, ...] = ()
    attachments: Mapping[str, AttachmentInfo] = field(default_factory=dict)

    def reference(self, kind: str, about: str) -> str | None:
        """This endpoint's number of ``kind`` for our thing ``about``, the newest where it gave several."""
        for found in reversed(self.references):
            if found.kind == kind and found.about == about:
                return found.value
        return None


# ------------------------------------------------------------------------------------------------- what an adapter is handed


class AttachmentReader(Protocol):
    """Reads attachments by id."""

    async def info(self, attachment: str) -> AttachmentInfo: ...

    async def read(self, attachment: str) -> bytes: ...


class NonceStore(Protocol):
    """Remembers nonces of inbound calls, durably."""

    async def first_seen(self, nonce: str, keep: timedelta) -> bool:
        """Note the nonce; ``True`` if it was not there within its ``keep``. To be asked only after the signature held."""
        ...


class Memory(Protocol):
    """A small durable memory of one endpoint: session cookie, token, ids of uploads done. Sealed at rest."""

    async def get(self, key: str) -> str | None: ...

    async def put(self, key: str, value: str, keep: timedelta | None = None) -> None: ...

    async def forget(self, key: str) -> None: ...


class Blocking(Protocol):
    """Runs a slow pure computation (an SM2 signature) off the event loop."""

    async def __call__(self, function: Callable[..., Any], /, *arguments: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What an adapter is handed at its making, beside its settings. It opens nothing else by itself.

    ``now`` gives aware UTC time, ``random_bytes`` cryptographic randomness (a simulation passes its own)."""

    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    attachments: AttachmentReader
    nonces: NonceStore
    memory: Memory
    blocking: Blocking


# ------------------------------------------------------------------------------------------------------------- answers


class Origin(StrEnum):
    """How a platform's raw word reached us."""

    CALLBACK = "callback"
    POLL = "poll"


@dataclass(frozen=True, slots=True)
class InboundCall:
    """A raw inbound call, or one raw item that a poll brought. ``path`` is what follows ``/callbacks/<endpoint>``,
    ``headers`` keep order and repeats, ``query`` the raw query string."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    received_at: datetime
    query: str = ""
    origin: Origin = Origin.CALLBACK

    def header_values(self, name: str) -> tuple[str, ...]:
        """Every value of a header, in order (a doubled signature header is an attack)."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A call that is what it claims to be. ``event_id`` is the platform's own number, the same at every repeat; ``digest``
    fingerprints the business content, so that the same number with other content is seen."""

    event_id: str
    digest: str


@dataclass(frozen=True, slots=True)
class Polled:
    """One page: its items and the cursor to store with them in one transaction. ``more``: ask again at once."""

    items: tuple[PolledItem, ...]
    cursor: str
    more: bool


SettingsT = TypeVar("SettingsT", bound=AdapterSettings)


class Adapter(Answering, ABC, Generic[SettingsT]):
    """One platform's interpreter. Subclasses are found by entry point (group ``mediation_gateway.adapters``). What it can be
    asked about what the platform holds (``lookup``, ``held``, ``list_held``) stands in ``holdings.Answering``.

    ``translate`` and ``parse_callback`` are pure. Everything that goes out goes through the ``Exchange`` it is handed.
    """

    info: ClassVar[AdapterInfo]
    settings_type: ClassVar[type[AdapterSettings]]

    def __init__(self, endpoint: str, settings: SettingsT, tools: Tools) -> None:
        self.endpoint = endpoint
        self.settings = settings
        self.tools = tools

    @abstractmethod
    def translate(self, message: Message, context: Context) -> Wire:
        """The message in the platform's dialect. Pure.

        Raises:
            PermanentError: the platform has no way to take this document (a code without row, a text over every limit).
        """

    def code_tables(self) -> tuple[CodeTable, ...]:
        """The platform's code tables (码表) as this adapter holds them, for people to read."""
        return ()

    def announce(self, event: Json) -> Wire:
        """A published event (a CloudEvents object) for a receiver of events. Pure.

        Raises:
            PermanentError: it cannot go out as it is.
        """
        raise NotImplementedError(f"{self.info.name} takes messages")

    @abstractmethod
    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        """File the wire: preparing steps as needed, then exactly one call with ``filing=True``.

        Raises:
            RetryableError, EndpointError, PermanentError: sorted by who heals it.
        """

    async def authenticate(self, call: InboundCall) -> Authenticated:
        """Prove the call over its raw bytes, before any parsing.

        Raises:
            CallbackRejected: with the refusal in the platform's dialect.
        """
        raise NotImplementedError(f"{self.info.name} does not call back")

    def parse_callback(self, call: InboundCall) -> tuple[Inbound, ...]:
        """A stored call in canonical words. Pure; also reads what a poll brought (``call.origin``).

        Raises:
            UnreadableCallback: nothing of it can be understood. A code that is merely unknown is no error: the update's
                status is then ``unknown`` with its raw value.
        """
        raise NotImplementedError(f"{self.info.name} does not answer")

    async def acknowledge(self, call: InboundCall, *, duplicate: bool) -> Reply:
        """The answer to a stored call, in the platform's dialect."""
        raise NotImplementedError(f"{self.info.name} does not call back")

    async def poll(self, cursor: str | None, exchange: Exchange) -> Polled:
        """One page of changes after ``cursor`` (``None``: from the beginning)."""
        raise NotImplementedError(f"{self.info.name} is not polled")

    async def mark_read(self, items: tuple[PolledItem, ...], exchange: Exchange) -> None:
        """After a page is stored: tell the platform, where it wants to be told."""

    async def download(self, document: DocumentLink, exchange: Exchange) -> bytes:
        """The bytes of a document that an update named."""
        raise NotImplementedError(f"{self.info.name} hands out no documents")

    @abstractmethod
    async def probe(self, exchange: Exchange) -> None:
        """A call without business effect that proves address, key and clock.

        Raises:
            RetryableError, EndpointError: as for ``send``.
        """
