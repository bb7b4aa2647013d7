"""What is claimed and what becomes of it, as plain values: whoever claims, judges and writes hands them on."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.store.unit import NewEvent, NewReference, NewTask

SUSPECT_AFTER = 2
"""Dead claims after which a delivery is claimed alone (the statements' ``suspect``): one that died beside others may be as
innocent as they."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery in our hands until its lease ends. ``lost`` counts claims before this one that died without an outcome."""

    delivery: str
    message: str
    type: str
    about: str
    endpoint: str
    subject: str
    sequence: int
    retry_class: str
    safe_at: int | None
    created_at: int
    step: int
    crashes: int
    doubt_at: int | None
    wire_sealed: bytes | None
    tries: int
    token: int
    claimed_at: int
    lost: int
    organization: str

    @property
    def alone(self) -> bool:
        """Whether it is on trial: it may be what killed its claims, so its process sends nothing beside it."""
        return self.crashes + self.lost >= SUSPECT_AFTER


@dataclass(frozen=True, slots=True)
class FrozenWire:
    """A wire to keep before its first sending."""

    claim: Claim
    operation: str
    mapping: str
    wire_sealed: bytes


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt, appended and never changed."""

    trigger: str
    outcome: str
    code: str | None
    exchanges: int
    duration_ms: int
    steps_sealed: bytes | None


@dataclass(frozen=True, slots=True)
class EndpointEffect:
    """What an outcome means for the whole endpoint: leave it alone, count a failure, or pause it. ``gone``: a webhook's
    receiver wants nothing more."""

    hush_ms: int = 0
    failed: bool | None = None
    pause_reason: str | None = None
    breaker_ms: int = 10_000
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """The rules of a webhook's health: failures in a row, the time between probes, how long it may fail (ms)."""

    failures: int
    probe_ms: int
    disabled_after_ms: int


@dataclass(slots=True)
class Settlement:
    """What became of a claim. ``wait_ms`` is the time to the next try of one that stays pending. ``health`` stands where it was
    owed to a webhook: the rules by which the outcome moves it."""

    claim: Claim
    state: str
    code: str | None = None
    reasons_sealed: bytes | None = None
    reference: str | None = None
    step: int = 0
    doubt_at: int | None = None
    wait_ms: int = 0
    word_wait_ms: int = 0
    attempt: AttemptRow | None = None
    events: list[NewEvent] = field(default_factory=list)
    references: list[NewReference] = field(default_factory=list)
    tasks: list[NewTask] = field(default_factory=list)
    closed_tasks: list[tuple[str, str, str]] = field(default_factory=list)
    effect: EndpointEffect = EndpointEffect()
    health: Health | None = None
    trace: str | None = None
    """The traceparent of the attempt."""
