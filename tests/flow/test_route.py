"""The table of routes: who receives which message, and what must be there first (``messages.md`` §1, §2)."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.alert import CollectiveAlert
from contracts.case import FollowUp
from contracts.document import Document
from contracts.messages import COMMERCE, CONFEDERATION, COURT, HR, NATIONAL, ONE_STOP, UNION, MessageType
from contracts.report import StatusReport
from gateway.flow.route import Question, Router
from gateway.registry import Endpoint
from gateway.settings import RouteSettings
from tests.flow import papers
from tests.flow.papers import AGREEMENT, CASE, CONFIRMATION, delivery
from tests.flow.puppets import PUPPETS, Puppet

T = MessageType
ORGANIZATION = "SD-JN-LX-001"
HELD = (HR, ONE_STOP)


def endpoints(lists: dict[str, tuple[str, ...]] | None = None) -> dict[str, Endpoint]:
    """One endpoint per platform, under its name; ``lists`` are their organisations."""
    return {name: endpoint(name, kind, (lists or {}).get(name)) for name, kind in PUPPETS.items()}


def endpoint(name: str, kind: type[Puppet], listed: tuple[str, ...] | None = None) -> Endpoint:
    """One endpoint of an adapter."""
    adapter = kind(name, kind.settings_type(), None)  # type: ignore[arg-type] # nobody asks the tools here
    return Endpoint(name, adapter, 8, None if listed is None else frozenset(listed))


def asked(kind: MessageType, document: Document, **more: Any) -> Question:
    values: dict[str, Any] = {
        "about": CASE,
        "case": papers.case(),
        "file": papers.file(holders=HELD),
        "source": "upstream",
    }
    return Question(kind, document=document, **values | more)


def to(question: Question, lists: dict[str, tuple[str, ...]] | None = None, *routes: RouteSettings) -> list[str]:
    return [hop.endpoint for hop in Router(endpoints(lists), routes).hops(question)]


def report(status: str = "confirmed", about: str = "confirmation") -> StatusReport:
    return StatusReport.model_validate(
        {
            "schema_version": "1.0",
            "source_endpoint": HR,
            "source_platform": HR,
            "event_id": "e1",
            "about": about,
            "about_id": CONFIRMATION,
            "status": status,
            "raw_status": "1",
            "at": "2026-11-20T10:00:00+08:00",
        },
        strict=False,
    )


# ------------------------------------------------------------------------------------------ C: who holds a new case

ROOM = {"/organization/type": "union_negotiation_room"}
NEW_CASES: list[tuple[str, dict[str, Any], dict[str, tuple[str, ...]], str | None, list[str]]] = [
    ("plain", {}, {}, None, [HR, ONE_STOP]),
    ("online, not listed anywhere", {"/channel": "web"}, {}, None, [HR, ONE_STOP]),
    ("online, listed", {"/channel": "web"}, {NATIONAL: (ORGANIZATION,)}, None, [HR, NATIONAL, ONE_STOP]),
    ("app, listed", {"/channel": "app"}, {NATIONAL: (ORGANIZATION,)}, None, [HR, NATIONAL, ONE_STOP]),
    ("mini program, listed", {"/channel": "mini_program"}, {NATIONAL: (ORGANIZATION,)}, None, [HR, NATIONAL, ONE_STOP]),
    ("official account", {"/channel": "official_account"}, {NATIONAL: (ORGANIZATION,)}, None, [HR, NATIONAL, ONE_STOP]),
    ("online, others listed", {"/channel": "web"}, {NATIONAL: ("SD-X",)}, None, [HR, ONE_STOP]),
    ("window, listed", {"/channel": "window"}, {NATIONAL: (ORGANIZATION,)}, None, [HR, ONE_STOP]),
    ("phone, listed", {"/channel": "phone"}, {NATIONAL: (ORGANIZATION,)}, None, [HR, ONE_STOP]),
    ("union room", ROOM, {}, None, [HR, ONE_STOP, UNION]),
    (
        "union room listed",
        {"/organization/type": "union_negotiation_room"},
        {UNION: (ORGANIZATION,)},
        None,
        [HR, ONE_STOP, UNION],
    ),
    (
        "union room not listed",
        {"/organization/type": "union_negotiation_room"},
        {UNION: ("SD-X",)},
        None,
        [HR, ONE_STOP],
    ),
    ("chamber", {"/organization/type": "chamber_of_commerce"}, {}, None, [COMMERCE, HR, ONE_STOP]),
    ("chamber not listed", {"/organization/type": "chamber_of_commerce"}, {COMMERCE: ("SD-X",)}, None, [HR, ONE_STOP]),
    ("confederation", {"/organization/type": "enterprise_confederation"}, {}, None, [CONFEDERATION, HR, ONE_STOP]),
    (
        "confederation not listed",
        {"/organization/type": "enterprise_confederation"},
        {CONFEDERATION: ("SD-X",)},
        None,
        [HR, ONE_STOP],
    ),
    ("referral of the union", {}, {}, UNION, [HR, ONE_STOP, UNION]),
    ("referral of the commerce federation", {}, {COMMERCE: ("SD-X",)}, COMMERCE, [COMMERCE, HR, ONE_STOP]),
    ("referral of the court", {}, {}, COURT, [HR, ONE_STOP]),
    ("referral of one that has it anyway", {}, {}, HR, [HR, ONE_STOP]),
]


@pytest.mark.parametrize(
    ("changes", "lists", "sender", "expected"), [row[1:] for row in NEW_CASES], ids=[row[0] for row in NEW_CASES]
)
def test_a_new_case(
    changes: dict[str, Any], lists: dict[str, tuple[str, ...]], sender: str | None, expected: list[str]
) -> None:
    case = papers.case(changes)
    question = asked(T.CASE_SUBMITTED, case, case=case, file=None, referral_sender=sender)
    assert to(question, lists) == expected


@pytest.mark.parametrize("lists", [{}, {UNION: ("SD-X",)}])
def test_a_collective_case_goes_to_the_union_whatever_its_list(lists: dict[str, tuple[str, ...]]) -> None:
    case = papers.case(name="collective")
    assert to(asked(T.CASE_SUBMITTED, case, case=case, file=None), lists) == [HR, ONE_STOP, UNION]


# --------------------------------------------------------------------------------------------- later ones follow it


@pytest.mark.parametrize("kind", [T.CASE_REVISED, T.CASE_PROGRESSED, T.AGREEMENT_CONCLUDED])
@pytest.mark.parametrize("holders", [(), (HR,), (COMMERCE, CONFEDERATION, HR, NATIONAL, ONE_STOP, UNION)])
def test_a_later_message_goes_where_the_case_lives(kind: MessageType, holders: tuple[str, ...]) -> None:
    documents = {
        T.CASE_REVISED: papers.case(),
        T.CASE_PROGRESSED: papers.progress(),
        T.AGREEMENT_CONCLUDED: papers.agreement(),
    }
    lists: dict[str, tuple[str, ...]] = dict.fromkeys(PUPPETS, ("SD-X",))
    assert to(asked(kind, documents[kind], file=papers.file(holders=holders)), lists) == sorted(holders)


def test_the_confederation_has_no_word_for_a_correction() -> None:
    held = papers.file(holders=(CONFEDERATION, HR))
    assert to(asked(T.CASE_PROGRESSED, papers.progress("correction_required"), file=held)) == [HR]
    assert to(asked(T.CASE_PROGRESSED, papers.progress("mediating"), file=held)) == [CONFEDERATION, HR]


def test_an_alert_goes_to_three_whoever_holds_the_case() -> None:
    alert = papers.document(CollectiveAlert, "alert")
    for holders in ((), HELD, (COMMERCE,)):
        assert to(asked(T.CASE_ALERTED, alert, file=papers.file(holders=holders))) == [HR, ONE_STOP, UNION]


def test_a_follow_up_goes_to_nobody() -> None:
    visit = FollowUp.model_validate_json(
        '{"schema_version":"1.0","party":0,"reason":"回访","at":"2026-11-01T09:00:00+08:00","situation":"满意","visitor":"甲"}'
    )
    assert to(asked(T.CASE_FOLLOWED_UP, visit)) == []


def test_the_court_hears_of_its_own_cases_from_the_agreement_on() -> None:
    agreed = asked(T.AGREEMENT_CONCLUDED, papers.agreement(), about=AGREEMENT)
    assert to(agreed) == [HR, ONE_STOP]
    assert to(asked(T.AGREEMENT_CONCLUDED, papers.agreement(), about=AGREEMENT, referral_sender=COURT)) == [
        COURT,
        HR,
        ONE_STOP,
    ]
    assert to(asked(T.CASE_PROGRESSED, papers.progress(), referral_sender=COURT)) == [HR, ONE_STOP]


def test_a_performance_goes_where_its_agreement_went() -> None:
    file = papers.file(
        delivery("dlv_1", HR, T.AGREEMENT_CONCLUDED, about=AGREEMENT),
        delivery("dlv_2", COURT, T.AGREEMENT_CONCLUDED, about=AGREEMENT),
        delivery("dlv_3", UNION, T.AGREEMENT_CONCLUDED, about="agr_other"),
        delivery("dlv_4", ONE_STOP, T.AGREEMENT_CONCLUDED, about=AGREEMENT, state="superseded"),
        holders=HELD,
    )
    question = asked(T.AGREEMENT_PERFORMED, papers.agreement(), about=AGREEMENT, file=file, agreement_id=AGREEMENT)
    assert to(question) == [COURT, HR]


@pytest.mark.parametrize(("route", "expected"), [("arbitration", [HR]), ("judicial", [COURT])])
def test_a_request_goes_by_its_route(route: str, expected: list[str]) -> None:
    assert to(asked(T.CONFIRMATION_REQUESTED, papers.confirmation(route), about=CONFIRMATION)) == expected


@pytest.mark.parametrize("kind", [T.CONFIRMATION_SUPPLEMENTED, T.CONFIRMATION_WITHDRAWAL_REQUESTED])
@pytest.mark.parametrize("endpoint", [HR, COURT])
def test_a_supplement_goes_where_its_request_went(kind: MessageType, endpoint: str) -> None:
    file = papers.file(
        delivery("dlv_1", endpoint, T.CONFIRMATION_REQUESTED, about=CONFIRMATION),
        delivery("dlv_2", HR if endpoint == COURT else COURT, T.CONFIRMATION_REQUESTED, about="cnf_other"),
        holders=HELD,
    )
    assert to(asked(kind, papers.confirmation(), about=CONFIRMATION, file=file)) == [endpoint]


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("arbitration", [HR, ONE_STOP]),
        ("court", [COURT, ONE_STOP]),
        ("legal_aid", [ONE_STOP, UNION]),
        ("payment_order", [ONE_STOP]),
        ("labor_inspection", [ONE_STOP]),
    ],
)
def test_a_transfer_goes_by_its_destination(destination: str, expected: list[str]) -> None:
    for holders in ((), HELD):
        question = asked(T.TRANSFER_REQUESTED, papers.transfer(destination), file=papers.file(holders=holders))
        assert to(question) == expected


@pytest.mark.parametrize("kind", [T.REFERRAL_ANSWERED, T.REFERRAL_RETURNED])
@pytest.mark.parametrize("sender", sorted(PUPPETS))
def test_a_referral_is_answered_to_its_sender(kind: MessageType, sender: str) -> None:
    question = asked(kind, papers.case(), about="ref_1", case=None, file=papers.file(), referral_sender=sender)
    assert to(question) == [sender]


def test_rosters_statistics_and_offers() -> None:
    nothing: dict[str, Any] = {"case": None, "file": None}
    assert to(asked(T.MEDIATOR_LISTED, papers.case(), **nothing)) == [COURT, HR, ONE_STOP]
    assert to(asked(T.STATISTICS_REPORTED, papers.case(), **nothing)) == [NATIONAL]
    assert to(asked(T.REFERRAL_OFFERED, papers.case(), referral_sender=HR)) == []


@pytest.mark.parametrize(
    ("source", "about", "expected"),
    [
        (HR, "case", [ONE_STOP]),
        (HR, "confirmation", [NATIONAL, ONE_STOP]),
        (HR, "transfer", [NATIONAL, ONE_STOP]),
        (HR, "fulfilment", [ONE_STOP]),
        (ONE_STOP, "case", [HR]),
        (COURT, "confirmation", [HR, NATIONAL, ONE_STOP]),
        (COURT, "case", [HR, ONE_STOP]),
        (NATIONAL, "transfer", [HR, ONE_STOP]),
    ],
)
def test_a_platforms_word_is_told_to_the_others_that_hold_the_case(
    source: str, about: str, expected: list[str]
) -> None:
    file = papers.file(holders=(HR, ONE_STOP, NATIONAL, UNION, COMMERCE))
    assert to(asked(T.STATUS_REPORTED, report("filed", about), source=source, file=file)) == expected


def test_an_unknown_word_is_told_to_nobody_and_no_word_to_who_does_not_hold_the_case() -> None:
    file = papers.file(holders=(HR, ONE_STOP, NATIONAL))
    for status in ("correction_required", "refused"):  # the national platform has no status for these
        question = asked(T.STATUS_REPORTED, report(status, "transfer"), source=COURT, file=file)
        assert to(question) == [HR, ONE_STOP]
    assert to(asked(T.STATUS_REPORTED, report("unknown"), source=COURT, file=file)) == []
    assert to(asked(T.STATUS_REPORTED, report(), source=COURT, file=papers.file(holders=()))) == []


# ---------------------------------------------------------------------------------------------------- configuration


def test_the_configuration_adds_and_takes_away() -> None:
    case = papers.case()
    question = asked(T.CASE_SUBMITTED, case, case=case, file=None)
    added = RouteSettings(type="case.submitted", endpoint=UNION)
    away = RouteSettings(type="case.submitted", endpoint=HR, never=True)
    other = RouteSettings(type="case.revised", endpoint=ONE_STOP, never=True)
    assert to(question, None, added, away, other) == [ONE_STOP, UNION]


def test_no_configuration_sends_a_word_back_to_who_said_it() -> None:
    added = [RouteSettings(type="status.reported", endpoint=name) for name in (HR, UNION)]
    question = asked(T.STATUS_REPORTED, report(), source=UNION, file=papers.file(holders=(HR, ONE_STOP, UNION)))
    assert to(question, None, *added) == [HR, ONE_STOP]


def test_two_connections_to_one_platform_both_hear() -> None:
    kinds = endpoints()
    second = Endpoint("hr_second", kinds[HR].adapter, 8, None)
    case = papers.case()
    router = Router({**kinds, "hr_second": second})
    hops = router.hops(asked(T.CASE_SUBMITTED, case, case=case, file=None))
    assert [hop.endpoint for hop in hops] == [HR, "hr_second", ONE_STOP]


def test_a_platform_without_the_service_is_left_out() -> None:
    kinds = endpoints()
    poor: type[Puppet] = type("Poor", (PUPPETS[HR],), {"info": _without(PUPPETS[HR].info, T.CASE_ALERTED)})
    kinds[HR] = endpoint(HR, poor)
    alert = papers.document(CollectiveAlert, "alert")
    assert [hop.endpoint for hop in Router(kinds).hops(asked(T.CASE_ALERTED, alert))] == [ONE_STOP, UNION]


def _without(info: Any, kind: MessageType) -> Any:
    from dataclasses import replace

    return replace(info, capabilities=tuple(one for one in info.capabilities if one.type != kind))


# --------------------------------------------------------------------------------------------------------- requires


def needs(question: Question) -> dict[str, str | None]:
    return {hop.endpoint: hop.requires for hop in Router(endpoints()).hops(question)}


def test_a_first_message_needs_nothing() -> None:
    case = papers.case()
    assert needs(asked(T.CASE_SUBMITTED, case, case=case, file=None)) == {HR: None, ONE_STOP: None}


@pytest.mark.parametrize("kind", [T.CASE_PROGRESSED, T.AGREEMENT_CONCLUDED, T.CASE_REVISED])
def test_later_messages_need_the_case_at_the_same_endpoint(kind: MessageType) -> None:
    documents: dict[MessageType, Document] = {
        T.CASE_PROGRESSED: papers.progress(),
        T.AGREEMENT_CONCLUDED: papers.agreement(),
        T.CASE_REVISED: papers.case(),
    }
    file = papers.file(
        delivery("dlv_hr", HR, T.CASE_SUBMITTED),
        delivery("dlv_one", ONE_STOP, T.CASE_SUBMITTED, state="pending"),
        holders=(HR, ONE_STOP, UNION),
    )
    assert needs(asked(kind, documents[kind], file=file)) == {HR: "dlv_hr", ONE_STOP: "dlv_one", UNION: None}


def test_a_revision_stands_for_the_registration_that_it_superseded() -> None:
    file = papers.file(
        delivery("dlv_1", HR, T.CASE_SUBMITTED, state="superseded"),
        delivery("dlv_2", HR, T.CASE_REVISED, state="pending", sequence=2),
        holders=(HR,),
    )
    assert needs(asked(T.CASE_PROGRESSED, papers.progress(), file=file)) == {HR: "dlv_2"}


def test_a_met_requirement_is_not_taken_back_by_a_later_revision() -> None:
    file = papers.file(
        delivery("dlv_1", HR, T.CASE_SUBMITTED),
        delivery("dlv_2", HR, T.CASE_REVISED, state="rejected", sequence=2),
        holders=(HR,),
    )
    assert needs(asked(T.CASE_PROGRESSED, papers.progress(), file=file)) == {HR: "dlv_1"}


def test_an_alert_needs_the_case_but_at_the_union() -> None:
    file = papers.file(
        delivery("dlv_hr", HR, T.CASE_SUBMITTED),
        delivery("dlv_union", UNION, T.CASE_SUBMITTED, state="relayed"),
        holders=(HR, UNION),
    )
    alert = papers.document(CollectiveAlert, "alert")
    assert needs(asked(T.CASE_ALERTED, alert, file=file)) == {HR: "dlv_hr", ONE_STOP: None, UNION: None}


def test_a_request_needs_its_agreement_at_the_arbitration_and_nothing_at_the_court() -> None:
    file = papers.file(
        delivery("dlv_case", HR, T.CASE_SUBMITTED),
        delivery("dlv_other", HR, T.AGREEMENT_CONCLUDED, about="agr_other", sequence=2),
        delivery("dlv_agreement", HR, T.AGREEMENT_CONCLUDED, about=AGREEMENT, state="pending", sequence=3),
        delivery("dlv_court", COURT, T.AGREEMENT_CONCLUDED, about=AGREEMENT, sequence=3),
        holders=HELD,
    )
    for route, expected in (("arbitration", {HR: "dlv_agreement"}), ("judicial", {COURT: None})):
        question = asked(
            T.CONFIRMATION_REQUESTED, papers.confirmation(route), about=CONFIRMATION, file=file, agreement_id=AGREEMENT
        )
        assert needs(question) == expected


def test_a_performance_needs_its_own_agreement() -> None:
    file = papers.file(
        delivery("dlv_1", HR, T.AGREEMENT_CONCLUDED, about=AGREEMENT),
        delivery("dlv_2", HR, T.AGREEMENT_CONCLUDED, about="agr_other", sequence=4, state="pending"),
        holders=(HR,),
    )
    question = asked(T.AGREEMENT_PERFORMED, papers.agreement(), about=AGREEMENT, file=file, agreement_id=AGREEMENT)
    assert needs(question) == {HR: "dlv_1"}


def test_a_supplement_needs_its_own_request() -> None:
    file = papers.file(
        delivery("dlv_1", HR, T.CONFIRMATION_REQUESTED, about=CONFIRMATION, state="pending"),
        delivery("dlv_2", HR, T.CONFIRMATION_REQUESTED, about="cnf_other", sequence=4),
        holders=(HR,),
    )
    assert needs(asked(T.CONFIRMATION_SUPPLEMENTED, papers.confirmation(), about=CONFIRMATION, file=file)) == {
        HR: "dlv_1"
    }


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("arbitration", {HR: "dlv_hr", ONE_STOP: "dlv_one"}),
        ("court", {COURT: None, ONE_STOP: "dlv_one"}),
        ("legal_aid", {ONE_STOP: "dlv_one", UNION: None}),
    ],
)
def test_a_transfer_needs_the_case_at_the_arbitration_and_the_one_stop(
    destination: str, expected: dict[str, str | None]
) -> None:
    file = papers.file(
        delivery("dlv_hr", HR, T.CASE_SUBMITTED),
        delivery("dlv_one", ONE_STOP, T.CASE_SUBMITTED),
        delivery("dlv_court", COURT, T.CASE_SUBMITTED),
        delivery("dlv_union", UNION, T.CASE_SUBMITTED),
        holders=(HR, ONE_STOP, COURT, UNION),
    )
    assert needs(asked(T.TRANSFER_REQUESTED, papers.transfer(destination), file=file)) == expected


def test_a_case_of_a_referral_waits_for_the_answer_at_its_sender_alone() -> None:
    answered = papers.file(
        delivery("dlv_answer", HR, T.REFERRAL_ANSWERED, about="ref_1", subject="ref_1", state="pending")
    )
    case = papers.case()
    question = asked(T.CASE_SUBMITTED, case, case=case, file=None, referral_sender=HR, referral_file=answered)
    assert needs(question) == {HR: "dlv_answer", ONE_STOP: None}


def test_a_report_of_a_status_needs_the_case() -> None:
    file = papers.file(delivery("dlv_one", ONE_STOP, T.CASE_SUBMITTED, state="rejected"), holders=HELD)
    assert needs(asked(T.STATUS_REPORTED, report(), source=HR, file=file)) == {ONE_STOP: "dlv_one"}


def test_a_cancelled_requirement_is_still_named() -> None:
    """Its successor stays blocked with a name to look at, until somebody sends one of the two again."""
    file = papers.file(delivery("dlv_1", HR, T.CASE_SUBMITTED, state="cancelled"), holders=(HR,))
    assert needs(asked(T.CASE_PROGRESSED, papers.progress(), file=file)) == {HR: "dlv_1"}
