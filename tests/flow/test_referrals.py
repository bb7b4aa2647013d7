"""Cases that platforms hand over: offered, answered, returned, each once and in its order (``messages.md`` §1, §4)."""

from __future__ import annotations

from typing import Any

from contracts.messages import HR, MessageType
from tests.flow.stage import Stage, at, ms


def referral(task: str = "RW1") -> dict[str, Any]:
    return {
        "schema_version": "1.0",
        "kind": "arbitration_entrusted",
        "endpoint": HR,
        "task_no": task,
        "letter_no": "示例劳人仲委调〔2026〕第1号",
        "organization_code": "SD-JN-LX-001",
        "due_at": "2026-10-13T17:00:00+08:00",
        "mediation_due_at": "2026-10-28T17:00:00+08:00",
        "case": {"facts": "拖欠工资三个月。", "parties": [{"role": "applicant", "kind": "person", "name": "赵一"}]},
    }


RESULT = {
    "schema_version": "1.0",
    "outcome": "agreed",
    "at": at(20),
    "reason_code": "agreement_reached",
    "report": "达成协议。",
}


async def offered(stage: Stage, task: str = "RW1") -> str:
    await stage.tell({"event": f"offer-{task}", "at": at(1), "referral": referral(task)})
    row = await stage.house.store.row("find_matter", "referral", f"{HR}|{task}")
    assert row is not None
    return str(row["id"])


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
