"""One posted document on its way in, and what may be said to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from contracts.agreement import Agreement
from contracts.case import Case
from contracts.confirmation import ConfirmationRequest
from contracts.deadlines import Clock, Law
from contracts.document import Document
from contracts.findings import Finding
from contracts.messages import MessageType
from contracts.referral import Referral
from contracts.status import ClockState
from gateway.store.casefile import CaseFile, Matter
from gateway.store.unit import MatterMove, NewMatter, NewTask

ANY_VERSION = 0
"""``If-Match: *``: whatever version there is (RFC 9110 §13.1.1). Versions begin at 1."""


class Refused(Exception):
    """A document (or a call) that is not taken. ``code`` is a finding's or a problem's; ``findings`` are all of them;
    ``link`` leads to what stands in the way (``about``: its id, where the link is still to be made); ``extra`` goes into the
    problem answer (no input values)."""

    def __init__(
        self,
        status: int,
        code: str,
        findings: tuple[Finding, ...] = (),
        *,
        link: str | None = None,
        about: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.findings = findings
        self.link = link
        self.about = about
        self.extra = dict(extra or {})


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: the client, the organisations it may act for (``*``: all), its scopes."""

    client: str
    organizations: frozenset[str]
    scopes: frozenset[str]

    def acts_for(self, organization: str) -> bool:
        """Whether it may act for this organisation."""
        return "*" in self.organizations or organization in self.organizations


@dataclass(frozen=True, slots=True)
class Order:
    """A call that brings a document: its type, the thing it is appended to (``None``: a new case), its raw bytes.

    ``key`` is the ``Idempotency-Key``; ``if_match`` the version that a revision was made from, ``revises`` says that it
    is one.
    """

    type: MessageType
    principal: Principal
    raw: bytes
    target: str | None = None
    key: str | None = None
    revises: bool = False
    if_match: int | None = None


@dataclass(slots=True)
class Known:
    """What is known when a decision is made: the subject's file and the documents that hang together in it.

    ``agreement_file``: the file of an agreement that lies in another subject than the document (a referral's result);
    ``referral_case``: the case that the referral has already."""

    file: CaseFile | None = None
    target: Matter | None = None
    case: Case | None = None
    agreement: Agreement | None = None
    agreement_id: str | None = None
    confirmation: ConfirmationRequest | None = None
    referral: Referral | None = None
    referral_file: CaseFile | None = None
    referral_case: str | None = None
    agreement_file: CaseFile | None = None
    law: Law = field(default_factory=Law)

    @property
    def case_matter(self) -> Matter | None:
        """The case's standing, where the subject is a case."""
        return None if self.file is None else self.file.matters.get(self.file.subject)


@dataclass(slots=True)
class Decision:
    """What a document changes. ``about`` is the thing's id, ``status`` what the answer says.

    ``events`` are (type, about, facts), ``clocks`` (about, clock), ``clock_turns`` (about, rule, new state), ``closed_tasks``
    (kind, about, resolution), ``people`` (kind of number, number, role), ``references`` (endpoint, kind, value, about).
    ``safe_at`` is the message's latest safe time, ``effective_at`` when an agreement takes effect. ``supersedes``: message
    types whose undelivered deliveries about the same thing give way. ``origin``: what one case alone may come from, and this
    one does from now on. ``document``: what is kept instead of what was sent. ``repeated``: nothing changes.
    """

    about: str
    status: str
    organization: str
    version: int = 1
    business_key: str | None = None
    origin: str | None = None
    matters: list[NewMatter] = field(default_factory=list)
    moves: list[MatterMove] = field(default_factory=list)
    events: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    clocks: list[tuple[str, Clock]] = field(default_factory=list)
    clock_turns: list[tuple[str, str, str]] = field(default_factory=list)
    closed_tasks: list[tuple[str, str, str]] = field(default_factory=list)
    people: list[tuple[str, str, str]] = field(default_factory=list)
    references: list[tuple[str, str, str, str]] = field(default_factory=list)
    tasks: list[NewTask] = field(default_factory=list)
    safe_at: datetime | None = None
    supersedes: frozenset[MessageType] = frozenset()
    document: Document | None = None
    repeated: bool = False
    effective_at: datetime | None = None

    def settle_clocks(self) -> None:
        """Let the clocks that this decision both starts and ends begin as they end: nobody is told of one that does not run."""
        ends = {(about, rule): state for about, rule, state in self.clock_turns}
        used: set[tuple[str, str]] = set()
        for place, (about, clock) in enumerate(self.clocks):
            state = ends.get((about, clock.rule))
            if state is not None and clock.state is ClockState.RUNNING:
                self.clocks[place] = (about, replace(clock, state=ClockState(state)))
                used.add((about, clock.rule))
        self.clock_turns = [turn for turn in self.clock_turns if turn[:2] not in used]
