"""What an adapter's tests bring along: the platform with its adapter, its samples, its faults and its callbacks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import TracebackType
from typing import Any, ClassVar

from contracts.adapter import Adapter, AttachmentInfo, Exchange, InboundCall, Json, Tools, Wire
from contracts.conformance.leaves import strings
from contracts.conformance.samples import AnySample
from contracts.errors import AdapterError, EndpointError, PermanentError, RetryableError


class Fault(StrEnum):
    """What goes wrong with one filing."""

    REFUSED_CONNECTION = "refused_connection"
    """No connection: nothing left us."""
    RESET_BEFORE = "reset_before"
    """The request left; the connection breaks, and the platform has booked nothing."""
    RESET_AFTER = "reset_after"
    """The platform has booked it; the connection breaks before the answer."""
    STALL = "stall"
    """The request left; no answer comes, and the platform has booked nothing."""
    SILENT_AFTER = "silent_after"
    """The platform has booked it and never answers."""
    GARBAGE = "garbage"
    """HTTP 200 with bytes that are no answer of this platform: a login page, half an answer, nothing at all."""
    SERVER_ERROR = "server_error"
    """HTTP 500: a failure inside the platform, which may hide a booking."""
    BUSY = "busy"
    """HTTP 503 with ``Retry-After: 7``: refused before any processing."""
    BUSINESS_REFUSAL = "business_refusal"
    """The platform refuses the document. Let it quote a number of the document in its text, as real ones do."""
    OPERATOR_PROBLEM = "operator_problem"
    """Wrong key, right, address or clock."""


LOST: frozenset[Fault] = frozenset(
    {
        Fault.RESET_BEFORE,
        Fault.RESET_AFTER,
        Fault.STALL,
        Fault.SILENT_AFTER,
        Fault.GARBAGE,
        Fault.SERVER_ERROR,
    }
)
"""Faults after which nobody knows whether the platform has it."""

BUSY_FOR = timedelta(seconds=7)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The error that a fault must end in. ``retry_after``: what it must carry, where it must. ``error`` is ``None`` where the
    page says that it is a success all the same (a body that nobody reads)."""

    error: type[AdapterError] | None
    maybe_accepted: bool = False
    retry_after: timedelta | None = None


VERDICTS: Mapping[Fault, Verdict] = {
    Fault.REFUSED_CONNECTION: Verdict(RetryableError),
    **{fault: Verdict(RetryableError, maybe_accepted=True) for fault in LOST},
    Fault.BUSY: Verdict(RetryableError, retry_after=BUSY_FOR),
    Fault.BUSINESS_REFUSAL: Verdict(PermanentError),
    Fault.OPERATOR_PROBLEM: Verdict(EndpointError),
}
"""Who heals what. A platform whose page says otherwise overrides ``Stage.verdict``, with the section of its page."""


@dataclass(frozen=True, slots=True)
class Script:
    """One event of the platform that can be called in again and again.

    ``plain`` is the business content, ``around`` makes the authentic call around any content: the same event number, at
    every call a fresh nonce and time. ``other`` is another content under the same number. ``unknown`` is the raw status
    that ``plain`` carries where no canonical word exists for it.
    """

    name: str
    plain: bytes
    around: Callable[[bytes], InboundCall]
    other: bytes | None = None
    unknown: str | None = None

    def call(self) -> InboundCall:
        """The event, called in once more."""
        return self.around(self.plain)


class Stage(ABC):
    """One platform with its adapter, set up anew for every check. An asynchronous context manager.

    The platform may be a real server or an ``Exchange`` in memory. It needs a ledger that counts business effects. Faults
    that its dialect knows (``plays``) it performs itself; all others the kit makes on the way to it.
    """

    adapter_type: ClassVar[type[Adapter[Any]]]
    plays: ClassVar[frozenset[Fault]] = frozenset({Fault.BUSINESS_REFUSAL, Fault.OPERATOR_PROBLEM})
    lacks: ClassVar[frozenset[Fault]] = frozenset()
    """Faults that this platform cannot have, by its page: one that judges by the HTTP status alone refuses no document."""
    answers_name_the_filing: ClassVar[bool] = True
    """Whether an answer tells which filing it belongs to, so that another's answer can be seen."""
    nonces: ClassVar[bool] = True
    """Whether the platform's calls carry something used once. Otherwise a replay is a repeat, and the store drops it."""
    told_within: ClassVar[timedelta] = timedelta(0)
    """How coarsely the platform tells when a fact was, by its page. Within it, the moment of the call may tell more."""
    lookup_lag_s: ClassVar[float] = 0.0
    """How long this stage's look-up may miss what was booked."""
    endpoint: ClassVar[str] = "conformance"

    # ---- the adapter's side
    @abstractmethod
    def settings(self) -> Json:
        """Sound settings, as a configuration file has them, for the platform that is up."""

    @abstractmethod
    def samples(self) -> Sequence[AnySample]:
        """At least one message of every type that the adapter declares (events, where it is told events); the first one is
        what faults are tried on."""

    @abstractmethod
    def impossible(self) -> Sequence[AnySample]:
        """Messages that this platform has no way to take."""

    def secrets(self) -> tuple[str, ...]:
        """Values of the settings that must never be shown."""
        return ()

    def attachments(self) -> Mapping[str, tuple[AttachmentInfo, bytes]]:
        """The files that the samples name."""
        return {}

    def now(self) -> datetime:
        """The time on both sides."""
        return datetime.now(UTC)

    def written(self, wire: Wire) -> str:
        """All text of a wire in the order in which the platform reads it."""
        return "".join(strings(wire.payload))

    def verdict(self, fault: Fault) -> Verdict:
        """What a fault must end in."""
        return VERDICTS[fault]

    def make(self, tools: Tools) -> Adapter[Any]:
        """The adapter, connected to this stage's platform."""
        kind = self.adapter_type
        return kind(self.endpoint, kind.settings_type.model_validate(self.settings()), tools)

    # ---- the platform's side
    @abstractmethod
    def exchange(self) -> Exchange:
        """The way to the platform for one attempt; its deadline short, where the platform itself can be silent."""

    @abstractmethod
    async def arm(self, fault: Fault) -> None:
        """Make the platform's next answer this fault (one of ``plays``)."""

    @abstractmethod
    async def effects(self) -> Sequence[str]:
        """The platform's ledger: the id of every business effect, in order; twice where it has two."""

    # ---- what comes from the platform
    def scripts(self) -> Sequence[Script]:
        """Its callbacks: each kind of event that it knows, and one with a status that nobody knows."""
        return ()

    def forgeries(self, script: Script) -> Sequence[tuple[str, InboundCall]]:
        """Calls with a name each that only look like the platform's: unsigned, signed by another, changed, stale."""
        return ()

    async def news(self) -> int:
        """Let something happen at a platform that is polled; returns how many items of a poll that makes."""
        return 0

    async def __aenter__(self) -> Stage:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
