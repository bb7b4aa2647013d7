"""One unit of writing: everything that one decision about one subject changes, kept together in one transaction.

The journey is symmetric: an upstream's document and a platform's answer become the same kind of unit. ``flow`` decides
(purely, from a ``CaseFile`` it has read), ``commit`` writes. Values that end in ``_sealed`` are sealed already.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.store.journal import AuditEntry


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key of a client, or (client ``""``) a business key. ``answer`` is what a repeat is answered."""

    client: str
    key: str
    digest: bytes
    about: str
    answer: bytes


@dataclass(frozen=True, slots=True)
class NewMatter:
    """A thing with a status of its own (事项)."""

    id: str
    kind: str
    parent: str | None
    business_key: str
    status: str
    message: str
    version: int = 1
    facet: str | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class MatterMove:
    """A matter's new standing. ``active=False`` frees its business key; ``since`` (ms) is when the status came to hold.
    ``facet`` and ``organization`` stand where a new version gave it another one."""

    id: str
    status: str
    version: int
    message: str
    active: bool = True
    since: int | None = None
    facet: str | None = None
    organization: str | None = None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to keep; its sequence is given by the commit."""

    id: str
    type: str
    about: str
    version: int
    source: str
    correlation: str
    schema: str
    document_sealed: bytes


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """One message owed to one endpoint. ``requires`` is a delivery's id, ``safe_at`` the latest safe time in ms."""

    id: str
    message: str
    type: str
    about: str
    endpoint: str
    retry_class: str
    requires: str | None = None
    safe_at: int | None = None
    overtakes: bool = False


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact. ``data`` is compact JSON without personal data."""

    id: str
    type: str
    about: str
    data: str


@dataclass(frozen=True, slots=True)
class DeliveryMove:
    """A delivery that is not in flight changes state by other hands than its sender's. ``fresh`` starts its schedule anew.

    ``wait_ms``: to its next try where it becomes pending, to the end of its patience for the platform's word where relayed.
    A doubt ends with ``in_doubt`` alone: what died in doubt and is driven again is asked for first."""

    id: str
    endpoint: str
    before: str
    after: str
    code: str | None = None
    reasons_sealed: bytes | None = None
    reference: str | None = None
    wait_ms: int = 0
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class NewReference:
    """A platform's number for one of our things; ``folded`` is its spelling for search."""

    endpoint: str
    kind: str
    value: str
    about: str
    folded: str


@dataclass(frozen=True, slots=True)
class NewTask:
    """Something that a person must look at (待办)."""

    id: str
    kind: str
    about: str
    endpoint: str | None = None
    code: str | None = None
    detail_sealed: bytes | None = None
    due_at: int | None = None

    def row(self, subject: str, organization: str) -> tuple[object, ...]:
        """The row of ``open_task``: under which subject it hangs, and whose it is (``""``: nobody's of ours)."""
        about, code = self.about, self.code
        return (self.id, self.kind, subject, about, self.endpoint, organization, code, self.detail_sealed, self.due_at)


@dataclass(frozen=True, slots=True)
class NewClock:
    """A statutory deadline attached to a thing (法定期限). ``given``: the end that was set instead of a computed one, ISO 8601.
    ``extended_by`` is in the rule's unit; ``pauses`` a JSON list of ``[first day not counted, first counted again | null]``."""

    id: str
    about: str
    rule: str
    started_on: str
    due_on: str
    safe_at: int
    state: str
    provisional: bool
    calendar: str
    alarm_at: int | None = None
    given: str | None = None
    extended_by: int = 0
    pauses: str = "[]"


@dataclass(frozen=True, slots=True)
class NewPaper:
    """A document that a platform holds for us."""

    id: str
    endpoint: str
    about: str
    ref: str
    link_sealed: bytes


@dataclass(slots=True)
class Unit:
    """All that one decision changes.

    ``expected`` is the subject's sequence that the decision was made on; ``None`` opens the subject. ``beside``: other subjects
    that it was made on, with the sequence seen; what it requires of their deliveries is still to come while this stands.
    ``wires``: deliveries born with their wire (id, operation, mapping, sealed bytes). ``repointed``: what required the first
    delivery now requires the second, which stands for it. ``audited``: a person's act
    that this is, and its moment (ms). ``pauses``: endpoints to hold, by whom, why.
    ``trace``: the traceparent under which it is made."""

    subject: str
    organization: str
    expected: int | None = None
    subject_kind: str = "case"
    beside: list[tuple[str, int]] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    matters: list[NewMatter] = field(default_factory=list)
    matter_moves: list[MatterMove] = field(default_factory=list)
    holders: list[str] = field(default_factory=list)
    messages: list[NewMessage] = field(default_factory=list)
    deliveries: list[NewDelivery] = field(default_factory=list)
    wires: list[tuple[str, str, str, bytes]] = field(default_factory=list)
    delivery_moves: list[DeliveryMove] = field(default_factory=list)
    repointed: list[tuple[str, str]] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    references: list[NewReference] = field(default_factory=list)
    tasks: list[NewTask] = field(default_factory=list)
    closed_tasks: list[tuple[str, str, str]] = field(default_factory=list)
    told_tasks: list[tuple[str, str]] = field(default_factory=list)
    clocks: list[NewClock] = field(default_factory=list)
    clock_moves: list[tuple[str, str, str]] = field(default_factory=list)
    clock_alarms: list[tuple[str, int | None, str]] = field(default_factory=list)
    papers: list[NewPaper] = field(default_factory=list)
    people: list[tuple[str, str]] = field(default_factory=list)
    applied: list[tuple[str, str]] = field(default_factory=list)
    audited: tuple[AuditEntry, int] | None = None
    trace: str | None = None
    pauses: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Committed:
    """The unit is durable. ``sequence`` is the subject's new one."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """The same key came with the same content before: here is that answer."""

    answer: bytes
    about: str


@dataclass(frozen=True, slots=True)
class KeyConflict:
    """The same key came with other content before. ``business``: it was the business key."""

    about: str
    business: bool


@dataclass(frozen=True, slots=True)
class MatterConflict:
    """Another active matter has this business key."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The subject moved on since it was read: read and decide again."""


@dataclass(frozen=True, slots=True)
class InFlight:
    """A delivery that the unit wants to move is being sent right now: its outcome decides first."""


@dataclass(frozen=True, slots=True)
class AlreadyApplied:
    """This platform event was applied before."""


Outcome = Committed | Replayed | KeyConflict | MatterConflict | Moved | InFlight | AlreadyApplied
