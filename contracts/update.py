"""The one form of every answer: what a callback, a poll or a look-up said, in canonical words (``messages.md`` §3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from contracts.errors import Reason
from contracts.referral import Referral


class About(StrEnum):
    """What an update speaks of."""

    DELIVERY = "delivery"
    CASE = "case"
    CONFIRMATION = "confirmation"
    TRANSFER = "transfer"
    FULFILMENT = "fulfilment"
    REFERRAL = "referral"
    REPORT = "report"


class DeliveryWord(StrEnum):
    """What a platform says later about a delivery that it only took in (``About.DELIVERY``)."""

    TAKEN = "taken"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    POSTPONED = "postponed"
    FAILED = "failed"


class KeyKind(StrEnum):
    """By what an update names its thing. Our own ids come first, then what the platform calls it."""

    DELIVERY = "delivery"
    MESSAGE = "message"
    CONFIRMATION = "confirmation"
    TRANSFER = "transfer"
    REFERRAL = "referral"
    AGREEMENT_NO = "agreement_no"
    CASE_NO_OF_SOURCE = "source_case_no"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Key:
    """One name of the thing. ``scope``: the organisation code beside a ``source_case_no`` or ``agreement_no``; the
    reference kind (``platform_no``, ``case_no``, ``task_no`` …) beside a ``reference``."""

    kind: KeyKind
    value: str
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A number that a platform gave (案号, 流水号, 文书号): kind of ``messages.md`` §6 and value, no personal data."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class DocumentLink:
    """A document that the platform holds for us (仲裁调解书, 裁定书). ``ref`` is what ``Adapter.download`` takes;
    ``link`` and ``expires_at`` where it is an expiring address; ``size`` bytes and ``sha256`` hex where told."""

    ref: str
    kind: str
    name: str
    link: str | None = None
    expires_at: datetime | None = None
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """One platform's word about one thing.

    ``event_id`` is the platform's own and the same at every repeat (unique per endpoint). ``status`` is a canonical word
    (a ``DeliveryWord`` for deliveries) or ``unknown``; ``raw_status`` is what the platform wrote. ``at`` is the time of
    the fact. A case update with ``note`` and an empty ``status`` is a note for people (督办). ``retry_after_s`` belongs to
    ``postponed``. ``sending`` is the number under which the platform took in the very sending that the word is about, where
    each sending has one of its own (批次号): the one that the receipt gave as its reference.
    """

    event_id: str
    about: About
    keys: tuple[Key, ...]
    status: str
    raw_status: str
    at: datetime
    reason_code: str | None = None
    reasons: tuple[Reason, ...] = ()
    due_at: date | datetime | None = None
    references: tuple[Reference, ...] = ()
    documents: tuple[DocumentLink, ...] = ()
    note: str | None = None
    retry_after_s: float | None = None
    term_no: int | None = None
    sending: str | None = None


@dataclass(frozen=True, slots=True)
class ReferralOffered:
    """A platform hands over a case for mediation (委派, 委托, 分流指派, 移交)."""

    event_id: str
    referral: Referral
    at: datetime


Inbound = StatusUpdate | ReferralOffered
