"""The table of message types against its page and against the other tables."""

from __future__ import annotations

from contracts.deadlines import CONFIRMATION_RULES
from contracts.events import EVENT_TYPES
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
from contracts.status import LIFECYCLES, Noun
from contracts.statutes import packaged_rulebook

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


def test_clocks_are_rules_of_law_or_dates_that_were_set() -> None:
    rules = {rule.id for rule in packaged_rulebook().rules}
    for kind in MESSAGE_TYPES.values():
        if kind.deadline is not None:
            assert bool(kind.deadline.rules) != bool(kind.deadline.date), kind.type
            assert rules.issuperset(kind.deadline.rules), kind.type
    requested = MESSAGE_TYPES[MessageType.CONFIRMATION_REQUESTED].deadline
    assert requested is not None
    assert requested.by_route
    assert set(requested.rules) == set(CONFIRMATION_RULES.values())
    assert MESSAGE_TYPES[MessageType.CASE_ALERTED].deadline is None
    assert MESSAGE_TYPES[MessageType.CONFIRMATION_WITHDRAWAL_REQUESTED].deadline is None


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


def test_every_published_event_is_of_the_table() -> None:
    about = (Noun.CASE, Noun.CONFIRMATION, Noun.TRANSFER, Noun.REFERRAL, Noun.FULFILMENT)
    without_unknown = "fulfilment.unknown_status"
    for kind in MESSAGE_TYPES.values():
        for publication in kind.events:
            for noun in about if kind.noun is None else (kind.noun,):
                for word in LIFECYCLES[noun].legal_steps(LIFECYCLES[noun].start) if noun in LIFECYCLES else ("",):
                    event = publication.template.format(noun=noun, status=word)
                    assert event in EVENT_TYPES or event == without_unknown, event


def test_every_type_has_a_business_key_and_a_lane() -> None:
    for kind in MESSAGE_TYPES.values():
        assert kind.business_key
        assert kind.lane in {"case", "referral", "certificate", "period"}
