"""The table of message types against its page and against the other tables."""

from __future__ import annotations

from contracts.messages import (
    ANY,
    COMMERCE,
    CONFEDERATION,
    COURT,
    HR,
    MESSAGE_TYPES,
    NATIONAL,
    ONE_STOP,
    UNION,
    Condition,
    MessageType,
    RetryClass,
)
from contracts.schemas import DOCUMENTS
from contracts.status import Noun

STATUTORY = {
    "case.alerted",
    "agreement.concluded",
    "confirmation.requested",
    "confirmation.supplemented",
    "confirmation.withdrawal_requested",
    "transfer.requested",
    "referral.answered",
    "referral.returned",
}
KEPT = {"case.followed_up", "referral.offered"}


def adapters_of(message: str) -> set[str]:
    return {recipient.adapter for recipient in MESSAGE_TYPES[MessageType(message)].recipients}


def test_the_table_is_complete_and_each_type_is_named_once() -> None:
    assert list(MESSAGE_TYPES) == list(MessageType)
    assert len(MessageType) == 17
    for kind in MESSAGE_TYPES.values():
        assert kind.type.zh
        assert kind.type.en


def test_retry_classes() -> None:
    for kind in MESSAGE_TYPES.values():
        if kind.type in STATUTORY:
            assert kind.retry is RetryClass.STATUTORY
        elif kind.type in KEPT:
            assert kind.retry is None
        else:
            assert kind.retry is RetryClass.STANDARD


def test_a_type_without_a_class_has_no_recipient_and_each_other_has_one() -> None:
    for kind in MESSAGE_TYPES.values():
        assert bool(kind.recipients) == (kind.retry is not None), kind.type


def test_what_must_be_delivered_first() -> None:
    requested = MESSAGE_TYPES[MessageType.CONFIRMATION_REQUESTED]
    assert requested.required_at(HR) == ("agreement.concluded",)
    assert requested.required_at(COURT) == ()
    transfer = MESSAGE_TYPES[MessageType.TRANSFER_REQUESTED]
    assert transfer.required_at(HR) == transfer.required_at(ONE_STOP) == ("case.submitted",)
    assert transfer.required_at(COURT) == transfer.required_at(UNION) == ()
    alert = MESSAGE_TYPES[MessageType.CASE_ALERTED]
    assert alert.required_at(ONE_STOP) == ("case.submitted",)
    assert alert.required_at(UNION) == ()
    returned = MESSAGE_TYPES[MessageType.REFERRAL_RETURNED]
    assert returned.required_at(NATIONAL) == ("referral.answered", "agreement.concluded")
    assert MESSAGE_TYPES[MessageType.MEDIATOR_LISTED].required_at(HR) == ()


def test_requirements_form_no_circle() -> None:
    for first in MESSAGE_TYPES.values():
        seen: set[MessageType] = set()
        waiting = [needed for adapter in (HR, COURT, UNION, ANY) for needed in first.required_at(adapter)]
        while waiting:
            needed = waiting.pop()
            assert needed is not first.type, first.type
            if needed not in seen:
                seen.add(needed)
                waiting += MESSAGE_TYPES[needed].required_at(ANY)


def test_only_the_alert_overtakes_and_only_a_revision_stands_for_its_predecessor() -> None:
    assert [kind.type for kind in MESSAGE_TYPES.values() if kind.overtakes] == ["case.alerted"]
    stands_for = {kind.type: kind.stands_for for kind in MESSAGE_TYPES.values() if kind.stands_for}
    assert stands_for == {"case.revised": "case.submitted"}


def test_default_recipients() -> None:
    assert adapters_of("case.submitted") == {HR, ONE_STOP, UNION, NATIONAL, COMMERCE, CONFEDERATION, ANY}
    assert adapters_of("case.alerted") == adapters_of("mediator.listed") - {COURT} | {UNION}
    assert adapters_of("mediator.listed") == {HR, COURT, ONE_STOP}
    assert adapters_of("statistics.reported") == {NATIONAL}
    assert adapters_of("confirmation.requested") == {HR, COURT}
    assert adapters_of("transfer.requested") == {HR, COURT, UNION, ONE_STOP}
    assert adapters_of("status.reported") == {HR, ONE_STOP, NATIONAL}
    assert adapters_of("referral.offered") == set()


def test_the_court_hears_of_its_referral_from_the_agreement_on() -> None:
    for kind in MESSAGE_TYPES.values():
        for recipient in kind.recipients:
            if recipient.adapter == ANY and kind.type is MessageType.CASE_SUBMITTED:
                assert recipient.but == {COURT}
    rows = MESSAGE_TYPES[MessageType.AGREEMENT_CONCLUDED].recipients
    assert any(row.adapter == COURT and row.conditions == (Condition.REFERRAL_SENDER,) for row in rows)


def test_the_confederation_hears_of_no_correction() -> None:
    rows = MESSAGE_TYPES[MessageType.CASE_PROGRESSED].recipients
    at_the_confederation = [row for row in rows if row.adapter == CONFEDERATION]
    assert [Condition.NOT_CORRECTION in row.conditions for row in at_the_confederation] == [True]
    assert all(CONFEDERATION in row.but for row in rows if row.adapter == ANY)


def test_a_platforms_word_never_goes_back_and_is_never_unknown() -> None:
    for row in MESSAGE_TYPES[MessageType.STATUS_REPORTED].recipients:
        assert {Condition.NOT_SOURCE, Condition.KNOWN_STATUS, Condition.HOLDS_CASE} <= set(row.conditions)


def test_a_document_is_read_by_its_types_class_and_that_class_is_described() -> None:
    described = set(DOCUMENTS.values())
    for kind in MESSAGE_TYPES.values():
        posted = kind.type not in KEPT - {"case.followed_up"} | {"status.reported", "statistics.reported"}
        assert not posted or kind.document in described, kind.type


def test_what_a_document_is_posted_to_is_opened_by_another() -> None:
    opened = {kind.opens for kind in MESSAGE_TYPES.values()} | {Noun.REFERRAL}
    assert len([kind for kind in MESSAGE_TYPES.values() if kind.opens]) == 5
    for kind in MESSAGE_TYPES.values():
        assert kind.appended_to is None or kind.appended_to in opened, kind.type
    alone = {kind.type for kind in MESSAGE_TYPES.values() if kind.appended_to is None}
    assert alone == {"case.submitted", "mediator.listed", "statistics.reported", "referral.offered", "status.reported"}
