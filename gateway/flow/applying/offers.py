"""Cases that platforms hand over for mediation (委派, 委托, 分流指派, 移交): kept as offered referrals."""

from __future__ import annotations

from contracts.deadlines import Fact
from contracts.messages import MessageType
from contracts.moments import to_ms
from contracts.referral import Referral
from contracts.update import ReferralOffered
from gateway.flow.clock import Clockwork
from gateway.flow.moving.envelope import compact
from gateway.flow.moving.references import fold
from gateway.flow.moving.speaker import Speaker
from gateway.store.places import of_document
from gateway.store.store import Store
from gateway.store.unit import NewEvent, NewMatter, NewMessage, NewReference, NewTask, Unit


def offer(store: Store, speaker: Speaker, word: ReferralOffered, clockwork: Clockwork) -> Unit:
    """The unit that keeps an offer: a subject and matter of its own, its numbers, an event for its owner, and a task with the
    answer's due time and its clock. The same task number offered again meets its open matter and changes nothing."""
    referral = word.referral
    identifier = store.ids.new("referral")
    message_id = store.ids.new("message", after=identifier)
    raw = referral.model_dump_json(exclude_none=True).encode()
    unit = Unit(
        subject=identifier,
        organization=referral.organization_code,
        subject_kind="referral",
        matters=[
            NewMatter(
                identifier,
                "referral",
                None,
                f"{speaker.endpoint}|{referral.task_no}",
                "offered",
                message_id,
                facet=f"{referral.kind}|{referral.task_no}",
            )
        ],
        messages=[
            NewMessage(
                message_id,
                MessageType.REFERRAL_OFFERED,
                identifier,
                1,
                speaker.endpoint,
                store.ids.new("correlation"),
                referral.schema_version,
                store.seal(raw, of_document(message_id)),
            )
        ],
        events=[_told(store, speaker, word, identifier)],
        references=_numbers(speaker, referral, identifier),
        tasks=[
            NewTask(
                store.ids.new("task"),
                "referral_due",
                identifier,
                speaker.endpoint,
                due_at=to_ms(referral.due_at),
            )
        ],
        applied=[(speaker.endpoint, word.event_id)],
    )
    told: dict[str, Fact] = {"kind": str(referral.kind), "at": word.at, "due_at": referral.due_at}
    clockwork.told(unit, "referral.offered", told, identifier)
    return unit


def _told(store: Store, speaker: Speaker, word: ReferralOffered, identifier: str) -> NewEvent:
    referral = word.referral
    facts = {
        "referral": identifier,
        "kind": referral.kind,
        "task_no": referral.task_no,
        "due_at": referral.due_at.isoformat(),
        "status": "offered",
        "at": word.at.isoformat(),
        "endpoint": speaker.endpoint,
    }
    return NewEvent(store.ids.new("event"), "referral.offered", identifier, compact(facts))


def _numbers(speaker: Speaker, referral: Referral, identifier: str) -> list[NewReference]:
    """Every number that the platform gave it, each once."""
    numbers = {("task_no", referral.task_no)}
    if referral.letter_no:
        numbers.add(("letter_no", referral.letter_no))
    numbers |= {(found.kind, found.value) for found in referral.external_refs}
    return [NewReference(speaker.endpoint, kind, value, identifier, fold(value)) for kind, value in sorted(numbers)]
