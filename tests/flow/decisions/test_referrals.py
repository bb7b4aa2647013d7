"""Cases that platforms hand over: offered, answered, returned, each once and in its order (``messages.md`` §1, §4)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contracts.messages import COURT, HR, ONE_STOP, UNION, MessageType
from gateway.flow.intake import Accepted
from gateway.flow.moving.order import Refused
from tests.flow import papers
from tests.flow.handed_over import ACCEPT, offered, referral
from tests.flow.stage import Stage, at, ms

RESULT = {
    "schema_version": "1.0",
    "outcome": "agreed",
    "at": at(20),
    "reason_code": "agreement_reached",
    "report": "达成协议。",
}


async def taken(stage: Stage, task: str = "RW1", endpoint: str = HR, **more: Any) -> str:
    """A referral that its organisation accepted."""
    identifier = await offered(stage, task, endpoint, **more)
    await stage.post(MessageType.REFERRAL_ANSWERED, ACCEPT, identifier)
    return identifier


def body(number: str, **changes: Any) -> dict[str, Any]:
    """A case under this number."""
    return papers.body("wages", {"/source_case_no": number} | {f"/{name}": value for name, value in changes.items()})


async def revise(stage: Stage, case: str, changed: dict[str, Any]) -> Accepted:
    """A new version, whatever version there is."""
    return await stage.post(MessageType.CASE_REVISED, changed, case, revises=True, if_match=0)


async def refused(posting: Any) -> tuple[int, str, str]:
    """Status and code of a refusal, and the id that its link ends with."""
    with pytest.raises(Refused) as caught:
        await posting
    return caught.value.status, str(caught.value.code), (caught.value.link or "").rpartition("/")[2]


async def test_an_offer_is_kept_with_its_numbers_and_a_task(stage: Stage) -> None:
    identifier = await offered(stage)
    assert await stage.status(identifier) == "offered"
    (task,) = await stage.tasks("referral_due")
    assert (task["about"], task["organization"]) == (identifier, "SD-JN-LX-001")
    assert task["due_at"] == ms("2026-10-13T17:00:00+08:00")
    file = await stage.file(identifier)
    assert {(one.kind, one.value) for one in file.references} == {
        ("task_no", "RW1"),
        ("letter_no", "示例劳人仲委调〔2026〕第1号"),
    }
    (event,) = await stage.said(identifier)
    assert (event["type"], event["task_no"]) == ("referral.offered", "RW1")
    assert "赵一" not in str(event)


async def test_the_same_task_offered_again_changes_nothing(stage: Stage) -> None:
    identifier = await offered(stage)
    await stage.tell({"event": "offer-again", "at": at(3), "referral": referral()})
    assert len(await stage.said(identifier)) == 1
    assert len(await stage.tasks("referral_due")) == 1
    assert await stage.callbacks("orphan") == []


async def test_the_chain_of_a_referral(stage: Stage) -> None:
    """Accepted; the case waits for the answer at the sender; the result waits for the agreement that it names."""
    identifier = await offered(stage)
    answer = {"schema_version": "1.0", "answer": "accept", "at": at(5)}
    await stage.post(MessageType.REFERRAL_ANSWERED, answer, identifier)
    assert await stage.tasks("referral_due") == []
    case = await stage.case({"/referral": identifier, "/channel": "referral"})
    agreement = await stage.agreement(case)
    result = RESULT | {"agreement": agreement}
    await stage.post(MessageType.REFERRAL_RETURNED, result, identifier)
    assert await stage.status(identifier) == "returned"
    rows = {row.type: row for row in (await stage.file(identifier)).deliveries}
    concluded = (await stage.file(case)).last_delivery(HR, frozenset({MessageType.AGREEMENT_CONCLUDED}))
    submitted = (await stage.file(case)).last_delivery(HR, frozenset({MessageType.CASE_SUBMITTED}))
    assert concluded is not None
    assert submitted is not None
    assert submitted.requires == rows[MessageType.REFERRAL_ANSWERED].id
    assert rows[MessageType.REFERRAL_RETURNED].requires in (concluded.id, rows[MessageType.REFERRAL_ANSWERED].id)
    await stage.delivered(identifier)
    order = [wire.operation for wire in stage.puppet().sent]
    assert order.index("referral.answered") < order.index("case.submitted") < order.index("agreement.concluded")
    assert order.index("agreement.concluded") < order.index("referral.returned")


async def test_a_result_waits_for_an_agreement_that_is_not_there_yet(stage: Stage) -> None:
    """The agreement lies in the case's file, the result in the referral's (``messages.md`` §1, §2)."""
    identifier = await offered(stage)
    await stage.post(
        MessageType.REFERRAL_ANSWERED, {"schema_version": "1.0", "answer": "accept", "at": at(5)}, identifier
    )
    await stage.delivered(identifier)
    await stage.house.store.write("pause_endpoint", (HR, "op", "to see the order"))
    case = await stage.case({"/referral": identifier, "/channel": "referral"})
    agreement = await stage.agreement(case)
    result = RESULT | {"agreement": agreement}
    await stage.post(MessageType.REFERRAL_RETURNED, result, identifier)
    concluded = (await stage.file(case)).last_delivery(HR, frozenset({MessageType.AGREEMENT_CONCLUDED}))
    returned = (await stage.file(identifier)).last_delivery(HR, frozenset({MessageType.REFERRAL_RETURNED}))
    assert concluded is not None
    assert returned is not None
    assert returned.requires == concluded.id
    await stage.house.store.write("resume_endpoint", (HR,))
    stage.house.bells.committed()
    await stage.delivered(identifier)
    order = [wire.operation for wire in stage.puppet().sent]
    assert order.index("agreement.concluded") < order.index("referral.returned")


async def test_a_word_about_a_referral_is_told_to_nobody(stage: Stage) -> None:
    referral = await offered(stage)
    await stage.tell(stage.word("referral", "recalled", ("referral", referral, "")))
    assert await stage.status(referral) == "recalled"
    assert (await stage.file(referral)).deliveries == []


async def test_one_referral_one_case(stage: Stage) -> None:
    referral = await taken(stage)
    case = (await stage.post(MessageType.CASE_SUBMITTED, body("A-1", referral=referral))).about
    again = stage.post(MessageType.CASE_SUBMITTED, body("A-1", referral=referral))
    assert await refused(again) == (409, "already_posted", case)
    second = stage.post(MessageType.CASE_SUBMITTED, body("A-2", referral=referral))
    assert await refused(second) == (409, "referral_has_case", case)
    other = (await stage.post(MessageType.CASE_SUBMITTED, body("A-3"))).about
    assert await refused(revise(stage, other, body("A-3", referral=referral))) == (409, "referral_has_case", case)
    # The same when the referral is over: whoever asks what became of the case is told.
    await stage.post(MessageType.REFERRAL_RETURNED, RESULT | {"outcome": "failed"}, referral)
    again = stage.post(MessageType.CASE_SUBMITTED, body("A-1", referral=referral))
    assert await refused(again) == (409, "already_posted", case)
    late = stage.post(MessageType.CASE_SUBMITTED, body("A-2", referral=referral))
    assert await refused(late) == (422, "referral_not_accepted", "")


async def test_cases_of_one_referral_at_once(stage: Stage) -> None:
    """One wins, whether it is posted with the referral or given it by a new version; the others are led to it."""
    referral = await taken(stage)
    other = (await stage.post(MessageType.CASE_SUBMITTED, body("B-0"))).about
    posted = [stage.post(MessageType.CASE_SUBMITTED, body(f"B-{n}", referral=referral)) for n in range(1, 6)]
    revised = revise(stage, other, body("B-0", referral=referral))
    ended = await asyncio.gather(*posted, revised, return_exceptions=True)
    won = [one for one in ended if isinstance(one, Accepted)]
    lost = [one for one in ended if isinstance(one, Refused)]
    assert (len(won), len(lost)) == (1, 5), ended
    assert {(one.status, str(one.code), (one.link or "").rpartition("/")[2]) for one in lost} == {
        (409, "referral_has_case", won[0].about)
    }


async def test_what_a_case_comes_from_stays(stage: Stage) -> None:
    referral, other = await taken(stage), await taken(stage, "RW2")
    case = (await stage.post(MessageType.CASE_SUBMITTED, body("C-1", referral=referral))).about
    for changed in (body("C-1"), body("C-1", referral=other), body("C-1", referral="ref_01M7Q5CQG057N683VPG2HEWAGG")):
        assert await refused(revise(stage, case, changed)) == (422, "business_key_changed", "")
    assert (await revise(stage, case, body("C-1", referral=referral, facts="更正。"))).version == 2
    agreement = await stage.agreement(case)
    await stage.post(MessageType.REFERRAL_RETURNED, RESULT | {"agreement": agreement}, referral)
    assert await stage.status(referral) == "returned"


async def test_a_new_version_names_a_referral_of_its_own_organisation_alone(stage: Stage) -> None:
    """Else the agreement would go to a court that has nothing to do with it."""
    court = {"endpoint": COURT, "kind": "court_delegated"}
    foreign = await taken(stage, "WP1", **court, organization_code="SD-LY-LS-007")
    unanswered = await offered(stage, "WP2", **court)
    case = (await stage.post(MessageType.CASE_SUBMITTED, body("D-1"))).about
    for named in (foreign, unanswered, "ref_01M7Q5CQG057N683VPG2HEWAGG"):
        changed = body("D-1", referral=named)
        assert await refused(revise(stage, case, changed)) == (422, "referral_not_accepted", "")
    await stage.agreement(case)
    assert {row.endpoint for row in (await stage.file(case)).deliveries} == {HR, ONE_STOP}


async def test_a_case_that_a_new_version_links_with_its_referral_goes_to_who_sent_it(stage: Stage) -> None:
    union = await taken(stage, "YJ1", UNION, kind="union_handed_over")
    case = (await stage.post(MessageType.CASE_SUBMITTED, body("E-1"))).about
    await stage.delivered(case)
    await revise(stage, case, body("E-1", referral=union))
    file = await stage.file(case)
    assert UNION in file.holders
    assert ("task_no", "YJ1") in {(one.kind, one.value) for one in file.references}
    (delivery,) = [row for row in file.deliveries if row.endpoint == UNION]
    answered = (await stage.file(union)).last_delivery(UNION, frozenset({MessageType.REFERRAL_ANSWERED}))
    assert answered is not None
    assert (delivery.type, delivery.requires) == (MessageType.CASE_REVISED, answered.id)
    await stage.progress(case, "mediating")
    assert [row.type for row in (await stage.file(case)).deliveries if row.endpoint == UNION][-1] == "case.progressed"
    court = await taken(stage, "WP3", COURT, kind="court_delegated")
    second = (await stage.post(MessageType.CASE_SUBMITTED, body("E-2"))).about
    await revise(stage, second, body("E-2", referral=court))
    assert COURT not in (await stage.file(second)).holders, "a court hears of its case from the agreement on"
    await stage.agreement(second)
    assert COURT in {row.endpoint for row in (await stage.file(second)).deliveries}


async def test_answer_and_result_are_answered_alike_when_they_come_again(stage: Stage) -> None:
    identifier = await offered(stage)
    first = await stage.post(MessageType.REFERRAL_ANSWERED, ACCEPT, identifier)
    again = await stage.post(MessageType.REFERRAL_ANSWERED, ACCEPT, identifier)
    assert (again.replayed, again.answer) == (True, first.answer)
    later = await stage.post(MessageType.REFERRAL_ANSWERED, ACCEPT | {"at": at(6)}, identifier)
    assert (later.replayed, b'"deliveries":[]' in later.answer) == (False, True), "the same word again has no effect"
    decline = ACCEPT | {"answer": "decline", "reason": "人手不足"}
    assert await refused(stage.post(MessageType.REFERRAL_ANSWERED, decline, identifier)) == (
        409,
        "already_posted",
        identifier,
    )
    result = RESULT | {"outcome": "failed"}
    first = await stage.post(MessageType.REFERRAL_RETURNED, result, identifier)
    again = await stage.post(MessageType.REFERRAL_RETURNED, result, identifier)
    assert (again.replayed, again.answer) == (True, first.answer)
    other = stage.post(MessageType.REFERRAL_RETURNED, result | {"report": "另一说法。"}, identifier)
    assert await refused(other) == (409, "already_posted", identifier)
    recalled = await offered(stage, "RW9")
    await stage.tell(stage.word("referral", "recalled", ("referral", recalled, "")))
    assert await refused(stage.post(MessageType.REFERRAL_ANSWERED, ACCEPT, recalled)) == (409, "referral_closed", "")
