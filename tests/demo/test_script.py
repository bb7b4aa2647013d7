"""The documents of the demonstration: sound, the same in every run, of every plot, inside the law's terms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contracts.agreement import effective_at, examine_agreement, examine_performance
from contracts.confirmation import examine_confirmation
from contracts.deadlines import confirmation_deadline, deadline_passed
from contracts.document import Document
from contracts.intake import read
from contracts.lists import ConfirmationRoute, ReferralKind, TransferReason, TransferTo
from gateway.demo.cast import HOMES
from gateway.demo.handover import SENDERS
from gateway.demo.script import SENT_ON, Plot, Script

BEGAN = datetime(2026, 11, 25, 18, 30, tzinfo=UTC)
PAPER = "att_01JB2Z9K7Q4NABCDEFGHJKMNPQ"


def documents(script: Script) -> list[Document]:
    return [
        script.case,
        script.accepted,
        script.mediating,
        script.failed,
        script.withdrawn,
        script.closed,
        script.alert,
        script.agreement(PAPER),
        *(script.request(route) for route in ConfirmationRoute),
        script.supplement(()),
        script.withdrawal,
        *script.performances,
        *(script.transfer(to, TransferReason.OTHER) for to in TransferTo),
        script.visit,
        *script.roster,
    ]


@pytest.mark.parametrize("number", range(1, 61))
def test_every_document_is_sound_on_the_day(number: int) -> None:
    script = Script(7, number, BEGAN)
    for document in documents(script):
        assert read(type(document), document.to_json(), now=BEGAN).warnings == ()
    agreement = script.agreement(PAPER)
    assert examine_agreement(agreement, script.case) == ()
    for performance in script.performances:
        assert examine_performance(performance, agreement) == ()


@pytest.mark.parametrize("route", ConfirmationRoute)
def test_the_application_is_complete_and_in_time(route: ConfirmationRoute) -> None:
    for number in range(1, 21):
        script = Script(3, number, BEGAN)
        agreement, request = script.agreement(PAPER), script.request(route)
        found = examine_confirmation(request, script.case, agreement)
        assert [finding for finding in found if finding.is_error] == []
        deadline = confirmation_deadline(str(route), effective_at(agreement))
        assert not deadline_passed(request.applied_at, deadline)


def test_the_same_seed_makes_the_same_bytes() -> None:
    once = [document.to_json() for document in documents(Script(7, 12, BEGAN))]
    again = [document.to_json() for document in reversed(documents(Script(7, 12, BEGAN)))]
    assert once == again[::-1]
    assert Script(8, 12, BEGAN).case != Script(7, 12, BEGAN).case


def test_no_two_cases_share_a_number_or_an_agreement() -> None:
    scripts = [Script(7, number, BEGAN) for number in range(1, 200)]
    assert len({(s.home.code, s.case.source_case_no) for s in scripts}) == len(scripts)
    assert len({(s.home.code, s.agreement_no) for s in scripts}) == len(scripts)


@pytest.mark.parametrize("seed", range(12))
def test_ten_cases_show_every_plot_and_kind(seed: int) -> None:
    scripts = [Script(seed, number, BEGAN) for number in range(1, 11)]
    assert {script.plot for script in scripts} == set(Plot) - {Plot.BRIEF}
    assert sum(script.plot is Plot.REVIEWED for script in scripts) == 5
    assert any(script.collective for script in scripts)
    assert any(script.accepted_later for script in scripts)
    assert {script.home.code for script in scripts} == {home.code for home in HOMES}


@pytest.mark.parametrize("seed", range(3))
def test_a_brief_script_shows_everything_too_among_its_full_cases(seed: int) -> None:
    scripts = [Script(seed, number, BEGAN, brief=True) for number in range(1, 2001)]
    full = [script for script in scripts if script.plot is not Plot.BRIEF]
    assert len(full) == 2000 // 11
    assert {script.plot for script in full} == set(Plot) - {Plot.BRIEF}
    assert {script.sent_on for script in full if script.plot is Plot.SENT_ON} == set(SENT_ON)
    handed = {script.number // 9 % len(SENDERS) for script in full if script.handed_over}
    assert handed == set(range(len(SENDERS)))
    for trait in ("collective", "accepted_later", "handed_over", "corrected"):
        assert {getattr(script, trait) for script in full} == {True, False}
        assert not any(getattr(script, trait) for script in scripts if script.plot is Plot.BRIEF)


def test_a_collective_case_has_representatives_and_two_units() -> None:
    case = Script(7, 2, BEGAN).case
    assert case.collective is not None
    assert len(case.collective.representatives) == 2
    assert [str(party.role) for party in case.parties] == ["applicant", "applicant", "respondent", "respondent"]


def test_times_are_past_whatever_the_hour() -> None:
    for hour in range(24):
        began = BEGAN.replace(hour=hour) + timedelta(seconds=1)
        for document in documents(Script(1, 5, began)):
            assert read(type(document), document.to_json(), now=began).warnings == ()


def test_three_hundred_cases_go_every_way() -> None:
    """Every kind of transfer and of referral, corrections too: what the platforms take is sent in one run."""
    scripts = [Script(11, number, BEGAN) for number in range(1, 301)]
    assert {script.sent_on for script in scripts if script.plot is Plot.SENT_ON} | {TransferTo.ARBITRATION} == set(
        TransferTo
    )
    handed = [script for script in scripts if script.handed_over]
    assert {script.number // 9 % len(SENDERS) for script in handed} == set(range(len(SENDERS)))
    assert set(SENDERS) == set(ReferralKind) - {ReferralKind.NATIONAL_PLATFORM}
    courts = [script for script in handed if script.number // 9 % len(SENDERS) < 2]
    assert any(script.plot is Plot.REVIEWED for script in courts)
    assert any(script.corrected and script.collective for script in scripts)


@pytest.mark.parametrize("outcome", ["agreed", "partly_agreed", "failed", "withdrawn"])
def test_a_handed_over_case_is_answered_and_returned(outcome: str) -> None:
    script = Script(11, 4, BEGAN)
    referral = "ref_01M7Q5CQG057N683VPG2HEWAGG"
    case = script.handed(referral)
    assert (case.referral, str(case.channel)) == (referral, "referral")
    agreement = "agr_01M7Q5CQG057N683VPG2HEWAGG" if outcome in ("agreed", "partly_agreed") else None
    for document in (case, script.revised(case), script.answer, script.result(outcome, agreement)):
        assert read(type(document), document.to_json(), now=BEGAN).warnings == ()
