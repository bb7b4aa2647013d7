"""The verdict over the four ledgers: what was lost, what had an effect twice, what came out of order. Pure.

They are compared by message id (the delivery's, or the message's where the platform's page says so), by business key, and
by the order of first arrival within a lane (endpoint, case). What is not explained is lost or duplicated; nothing is
passed over.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.messages import MessageType
from contracts.status import ConfirmationStatus, TransferStatus
from gateway.demo.ledgers import ClientLedger, Delivery, Entry, GatewayLedger, PlatformLedger

_THEIRS: Final = frozenset({MessageType.STATUS_REPORTED.value, MessageType.REFERRAL_OFFERED.value})
"""Messages that a platform's word made: nobody upstream has acknowledged them."""

_ONCE: Final = frozenset(
    {
        MessageType.CASE_SUBMITTED.value,
        MessageType.AGREEMENT_CONCLUDED.value,
        MessageType.CONFIRMATION_REQUESTED.value,
        MessageType.CONFIRMATION_WITHDRAWAL_REQUESTED.value,
        MessageType.TRANSFER_REQUESTED.value,
    }
)
"""Messages of which there is one for each version of the thing they are about."""

_CLAIM_MS: Final = 250
"""From the claim of a delivery to the start of its attempt."""

_WORDS: Final = {
    "confirmation": frozenset(ConfirmationStatus),
    "transfer": frozenset(TransferStatus),
}


class Kind(StrEnum):
    """What is wrong."""

    LOST = "lost"
    DUPLICATED = "duplicated"
    REORDERED = "reordered"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, with which id, and what. Never a value out of a document."""

    kind: Kind
    place: str
    id: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind} {self.place} {self.id}: {self.what}"


def compare(client: ClientLedger, gateway: GatewayLedger, platforms: Sequence[PlatformLedger]) -> list[Fault]:
    """Every fault that the ledgers show against each other."""
    found = [Fault(Kind.LOST, "client", "", reason) for reason in client.broken]
    found += _client_against_gateway(client, gateway)
    found += _feeds(client, gateway)
    found += _inside(gateway)
    by_name = {platform.name: platform for platform in platforms}
    for endpoint in sorted({delivery.endpoint for delivery in gateway.deliveries} | set(by_name)):
        platform = by_name.get(endpoint, PlatformLedger(endpoint))
        owed = [delivery for delivery in gateway.deliveries if delivery.endpoint == endpoint]
        found += _deliveries(owed, platform, gateway)
        found += _effects(owed, platform, gateway.filings.get(endpoint, frozenset()))
        found += _records(owed, platform, gateway)
        found += _order(owed, platform, {delivery.id: delivery for delivery in gateway.deliveries})
        found += _answers(platform, gateway)
    return found


# ---- the client against the gateway


def _client_against_gateway(client: ClientLedger, gateway: GatewayLedger) -> Iterator[Fault]:
    """What was acknowledged is there, once; what was promised to be delivered is owed."""
    told = Counter((ack.type, ack.about) for ack in client.acknowledged)
    kept = Counter((message.type, message.about) for message in gateway.messages if message.type not in _THEIRS)
    for (kind, about), many in sorted((told - kept).items()):
        yield Fault(Kind.LOST, "gateway", about, f"{many} acknowledged {kind} not in the store")
    for (kind, about), many in sorted((kept - told).items()):
        yield Fault(Kind.DUPLICATED, "gateway", about, f"{many} {kind} in the store more than was acknowledged")
    owed = {delivery.id: delivery.endpoint for delivery in gateway.deliveries}
    for ack in client.acknowledged:
        for delivery, endpoint in ack.deliveries:
            if owed.get(delivery) != endpoint:
                yield Fault(Kind.LOST, endpoint, delivery, "a delivery that was acknowledged is not in the store")


def _feeds(client: ClientLedger, gateway: GatewayLedger) -> Iterator[Fault]:
    """Each organisation has read all of its events once, in the order of their cursors, and each case's in its own order."""
    for organization, seen in sorted(client.feeds.items()):
        place = f"feed of {organization}"
        ids, cursor, last = Counter[str](), "", dict[str, str]()
        for at, identifier, case, sequence in seen:
            if at <= cursor or (case and sequence <= last.get(case, "")):
                yield Fault(Kind.REORDERED, place, identifier, "the feed went back")
            cursor, last[case] = at, sequence
            ids[identifier] += 1
        published = gateway.events.get(organization, [])
        for identifier in published:
            if identifier not in ids:
                yield Fault(Kind.LOST, place, identifier, "an event never came by the feed")
        known = set(published)
        for identifier, many in ids.items():
            if many > 1 or identifier not in known:
                yield Fault(
                    Kind.DUPLICATED, place, identifier, f"{many} times in the feed, or none of the store's events"
                )


def _inside(gateway: GatewayLedger) -> Iterator[Fault]:
    """One message for each version of a thing, one delivery for each message and endpoint, and a word for the others."""
    versions = Counter((m.type, m.about, m.version) for m in gateway.messages if m.type in _ONCE)
    for (kind, about, version), many in sorted(versions.items()):
        if many > 1:
            yield Fault(Kind.DUPLICATED, "gateway", about, f"{many} messages {kind} of version {version}")
    for (message, endpoint), many in sorted(Counter((d.message, d.endpoint) for d in gateway.deliveries).items()):
        if many > 1:
            yield Fault(Kind.DUPLICATED, endpoint, message, f"{many} deliveries of one message")
    reported = {message.about for message in gateway.messages if message.type == MessageType.STATUS_REPORTED}
    for matter in gateway.matters.values():
        if matter.kind in _WORDS and matter.status != "requested" and matter.id not in reported:
            yield Fault(Kind.LOST, "gateway", matter.id, f"{matter.status}, and no message for the other platforms")


# ---- the gateway against one platform


def _ids(delivery: Delivery) -> tuple[str, str]:
    """What a platform may know a delivery by."""
    return delivery.id, delivery.message


def _deliveries(owed: Sequence[Delivery], platform: PlatformLedger, gateway: GatewayLedger) -> Iterator[Fault]:
    """What is called delivered is there; what is not has a reason that stands before a person."""
    filings = gateway.filings.get(platform.name, frozenset())
    created = {entry.message_id for entry in platform.journal if entry.effect == "created" and entry.kind in filings}
    later = defaultdict[tuple[str, str], int](int)
    for delivery in owed:
        if delivery.state == "delivered":
            key = (delivery.subject, delivery.about)
            later[key] = max(later[key], delivery.sequence)
    for delivery in owed:
        there = any(identifier in created for identifier in _ids(delivery))
        match delivery.state:
            case "delivered":
                if not there:
                    yield Fault(Kind.LOST, platform.name, delivery.id, "called delivered, but the platform has nothing")
            case "rejected":
                if there:
                    yield Fault(Kind.LOST, platform.name, delivery.id, "called rejected, but the platform took it")
                elif delivery.id not in gateway.rejected:
                    yield Fault(Kind.LOST, platform.name, delivery.id, "rejected, and nobody was told")
            case "superseded":
                if later[delivery.subject, delivery.about] <= delivery.sequence:
                    yield Fault(Kind.LOST, platform.name, delivery.id, "superseded by nothing that was delivered")
            case state:
                yield Fault(Kind.LOST, platform.name, delivery.id, f"{delivery.type} is {state}: {delivery.code}")


def _effects(owed: Sequence[Delivery], platform: PlatformLedger, filings: frozenset[str]) -> Iterator[Fault]:
    """Every effect at the platform has one delivery behind it, and every delivery one effect at the most."""
    known = {identifier: delivery for delivery in owed for identifier in _ids(delivery)}
    effects = [entry for entry in platform.journal if entry.effect == "created"]
    prepared = Counter((e.kind, e.message_id) for e in effects if e.kind not in filings and e.message_id)
    filed = Counter(entry.message_id for entry in effects if entry.kind in filings)
    for (kind, identifier), many in sorted(prepared.items()):
        if many > 1:
            yield Fault(Kind.DUPLICATED, platform.name, identifier, f"{many} effects {kind} under one number")
    for identifier, many in sorted(filed.items()):
        if identifier not in known:
            yield Fault(Kind.DUPLICATED, platform.name, identifier, "an effect that no delivery explains")
        elif many > 1:
            yield Fault(Kind.DUPLICATED, platform.name, identifier, f"{many} effects of one delivery")
    cases = Counter(
        entry.business_key
        for entry in effects
        if entry.kind in filings
        and entry.message_id in known
        and known[entry.message_id].type == MessageType.CASE_SUBMITTED
    )
    for key, many in sorted(cases.items()):
        if many > 1:
            yield Fault(Kind.DUPLICATED, platform.name, key, f"{many} registrations under one business key")


def _records(owed: Sequence[Delivery], platform: PlatformLedger, gateway: GatewayLedger) -> Iterator[Fault]:
    """The platform's own ledger agrees with its journal and, where it speaks our words, with our status."""
    filings = gateway.filings.get(platform.name, frozenset())
    ours = {identifier for delivery in owed for identifier in _ids(delivery)}
    named = Counter(str(record["message_id"]) for record in platform.records if record.get("message_id"))
    for identifier, many in sorted(named.items()):
        if many > 1 and identifier in ours:
            yield Fault(Kind.DUPLICATED, platform.name, identifier, f"{many} records of one delivery")
    if named:
        for entry in platform.journal:
            lacks = entry.effect == "created" and entry.kind in filings and entry.message_id not in named
            if lacks and entry.message_id in ours:
                yield Fault(
                    Kind.LOST, platform.name, entry.message_id, "in the journal, but not in the platform's ledger"
                )
    kinds = (MessageType.CONFIRMATION_REQUESTED.value, MessageType.TRANSFER_REQUESTED.value)
    # The record of the request itself carries the platform's standing of the matter.
    requests = {identifier for delivery in owed if delivery.type in kinds for identifier in _ids(delivery)}
    for record in platform.records:
        matter = gateway.matters.get(str(record.get("business_key", "")))
        said = record.get("state")
        if matter is None or matter.kind not in _WORDS or said not in _WORDS[matter.kind]:
            continue
        if record.get("message_id") in requests and said != matter.status:
            yield Fault(Kind.LOST, platform.name, matter.id, f"the platform says {said}, the gateway {matter.status}")


def _order(owed: Sequence[Delivery], platform: PlatformLedger, every: Mapping[str, Delivery]) -> Iterator[Fault]:
    """In a lane the first arrivals follow the messages' sequence.

    What overtakes is left out. One that had to wait for what it requires, though the lane was free (a platform's word, another
    lane), is passed by those that need not: it explains itself where they were sent before its wait was over.
    """
    known = {identifier: delivery for delivery in owed for identifier in _ids(delivery)}
    arrived: dict[str, tuple[Delivery, int | None]] = {}
    for entry in platform.journal:
        delivery = known.get(entry.message_id)
        if delivery is not None and _arrives(entry, delivery) and not delivery.overtakes:
            arrived.setdefault(delivery.id, (delivery, entry.at))
    before = defaultdict[str, list[tuple[Delivery, int | None]]](list)
    for delivery, at in arrived.values():
        required = every.get(delivery.requires or "")
        for other, came_at in before[delivery.subject]:
            if other.sequence > delivery.sequence and not _was_waiting(required, other, came_at):
                yield Fault(
                    Kind.REORDERED, platform.name, delivery.id, f"{delivery.type} came after a later one of its case"
                )
                break
        before[delivery.subject].append((delivery, at))


def _was_waiting(required: Delivery | None, other: Delivery, came_at: int | None) -> bool:
    """Whether what was required was not there yet when the other was sent. Of one whose every claim died the store knows no
    attempt; it was sent before it came to the platform."""
    sent_at = came_at if other.tried_at is None else other.tried_at
    if required is None or required.finished_at is None or sent_at is None:
        return False
    return sent_at <= required.finished_at + _CLAIM_MS


def _arrives(entry: Entry, delivery: Delivery) -> bool:
    return entry.effect in ("created", "repeated") and delivery.operation in (None, entry.kind)


def _answers(platform: PlatformLedger, gateway: GatewayLedger) -> Iterator[Fault]:
    """Every word of the platform was taken and applied: callbacks that it queued, changes that it announced. One about
    nothing of ours stands before a person."""
    said = [
        entry
        for entry in platform.journal
        if (entry.kind == "push_queued" and entry.effect == "created")
        or (entry.kind == "change" and entry.effect == "announced")
    ]
    taken = {entry.message_id for entry in platform.journal if entry.kind == "push" and entry.effect == "acknowledged"}
    stored = {event: state for (endpoint, event), state in gateway.callbacks.items() if endpoint == platform.name}
    parts = defaultdict[str, list[str]](list)
    for number in stored:
        for part in number.split(":"):
            parts[part].append(number)
    ours = _what_is_ours(platform, gateway)
    for entry in said:
        event = _batched(entry, parts) if entry.message_id not in stored else entry.message_id
        if entry.kind == "push_queued" and entry.message_id not in taken:
            yield Fault(Kind.LOST, platform.name, entry.message_id, "a callback that was never acknowledged")
        elif event is None:
            yield Fault(Kind.LOST, platform.name, entry.message_id, "a word of the platform is not in the store")
        elif stored[event] not in ("applied", "duplicate"):
            explained = (platform.name, event) in gateway.kept and entry.business_key not in ours
            if not explained:
                yield Fault(Kind.LOST, platform.name, event, f"a word of the platform is {stored[event]}")


def _batched(entry: Entry, parts: Mapping[str, Sequence[str]]) -> str | None:
    """The event number under which the adapter keeps a word of a platform that numbers batches: made of the batch and what it
    is about. ``parts``: event numbers by what they are made of."""
    about = parts.get(entry.business_key, ()) if entry.business_key else ()
    return next((event for event in parts.get(entry.ref, ()) if event in about), None)


def _what_is_ours(platform: PlatformLedger, gateway: GatewayLedger) -> frozenset[str]:
    """The numbers by which the platform may speak of something of ours."""
    filings = gateway.filings.get(platform.name, frozenset())
    named = {entry.business_key for entry in platform.journal if entry.kind in filings and entry.effect == "created"}
    owed = {identifier for delivery in gateway.deliveries for identifier in _ids(delivery)}
    return frozenset(named | owed | set(gateway.matters))
