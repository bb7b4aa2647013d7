"""Platforms' words about matters: any order, any number of times, one status, the whole history (``messages.md`` §3, §4)."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import orjson
import pytest

from contracts.adapter import Exchange, Receipt, Wire
from contracts.messages import COURT, HR, NATIONAL, ONE_STOP, MessageType
from contracts.status import CONFIRMATION, ConfirmationStatus
from tests.adapters.aside import Aside
from tests.flow import papers
from tests.flow.stage import Stage, at, ms, until


def confirmation_words(stage: Stage, confirmation: str, *said: str) -> list[dict[str, Any]]:
    """Words about a confirmation, an hour after one another."""
    return [
        stage.word("confirmation", status, ("confirmation", confirmation, ""), at=at(hour))
        for hour, status in enumerate(said)
    ]


PERMUTED = (
    ("accepted", "reviewing", "confirmed"),
    ("correction_required", "accepted", "confirmed"),
    ("accepted", "confirmed", "objected"),
    ("accepted", "reviewing", "rejected"),
)


@pytest.mark.parametrize("said", PERMUTED, ids="-".join)
async def test_whatever_the_order_of_arrival_the_end_and_the_history_are_the_same(
    stage: Stage, said: tuple[str, ...]
) -> None:
    for order in itertools.permutations(range(len(said))):
        case, _, confirmation = await stage.chain()
        words = confirmation_words(stage, confirmation, *said)
        await stage.tell(*(words[place] for place in order))
        assert await stage.status(confirmation) == said[-1], order
        told = await stage.said(case, confirmation)
        assert sorted(event["status"] for event in told) == sorted(said), order
        assert {event["at"] for event in told} == {at(hour) for hour in range(len(said))}
    assert await stage.callbacks("orphan") == []
    assert await stage.tasks("orphan_callback") == []


async def test_a_long_call_is_read_off_the_loop(stage: Stage) -> None:
    _, _, confirmation = await stage.chain()
    aside = Aside()
    stage.puppet().tools = replace(stage.puppet().tools, blocking=aside)
    short, long = confirmation_words(stage, confirmation, "accepted", "confirmed")
    await stage.tell(short)
    assert aside.did == []
    await stage.tell(long | {"note": "长" * 10_000})
    assert aside.did == ["parse_callback"]
    assert await stage.status(confirmation) == "confirmed"


async def test_a_storm_of_repeats_at_once_is_applied_once(stage: Stage) -> None:
    case, _, confirmation = await stage.chain()
    words = confirmation_words(stage, confirmation, "accepted", "confirmed")
    for word in words * 20:
        assert await stage.say(word) == 200
    await stage.heard()
    assert await stage.status(confirmation) == "confirmed"
    assert sorted(event["status"] for event in await stage.said(case, confirmation)) == ["accepted", "confirmed"]


async def test_a_case_closed_before_its_end_was_told_closes_with_it(stage: Stage) -> None:
    """``closed`` may not skip the end: it waits as an event and is tried again."""
    said = ("mediating", "failed", "closed")
    for order in itertools.permutations(range(len(said))):
        case = await stage.case()
        key = ("source_case_no", await number(stage, case), "SD-JN-LX-001")
        words = [stage.word("case", status, key, at=at(hour)) for hour, status in enumerate(said)]
        await stage.tell(*(words[place] for place in order))
        assert await stage.status(case) == "closed", order
        assert {event["status"] for event in await stage.said(case)} == set(said)


async def number(stage: Stage, case: str) -> str:
    row = await stage.house.store.row("matter", case)
    assert row is not None
    return str(row["business_key"]).partition("|")[2]


# ------------------------------------------------------------------------------------------- late, repeated, against


async def test_a_late_word_moves_nothing_backward(stage: Stage) -> None:
    case, _, confirmation = await stage.chain()
    first, second = confirmation_words(stage, confirmation, "accepted", "confirmed")
    await stage.tell(second, first)
    told = await stage.said(case, confirmation)
    assert [(event["status"], event.get("moved", True)) for event in told] == [
        ("confirmed", True),
        ("accepted", False),
    ]
    assert await stage.tasks() == []


async def test_the_same_status_again_under_another_number_moves_nothing(stage: Stage) -> None:
    case, _, confirmation = await stage.chain()
    await stage.tell(*confirmation_words(stage, confirmation, "accepted", "accepted"))
    told = await stage.said(case, confirmation)
    assert [event.get("moved", True) for event in told] == [True, False]
    reports = [row for row in (await stage.file(case)).deliveries if row.type == MessageType.STATUS_REPORTED]
    assert len({row.message for row in reports}) == 1


@pytest.mark.parametrize(
    ("kept", "said"), [("confirmed", "rejected"), ("rejected", "confirmed"), ("not_accepted", "withdrawn")]
)
async def test_a_contradiction_keeps_both_and_goes_to_a_person(stage: Stage, kept: str, said: str) -> None:
    case, _, confirmation = await stage.chain()
    await stage.tell(*confirmation_words(stage, confirmation, kept, said))
    assert await stage.status(confirmation) == kept
    (task,) = await stage.tasks("contradiction")
    assert (task["about"], task["subject"], task["endpoint"], task["organization"]) == (
        confirmation,
        case,
        HR,
        "SD-JN-LX-001",
    )
    detail = orjson.loads(stage.house.store.unseal(task["detail_sealed"], f"tasks.detail:{task['id']}"))
    assert (detail["kept"], detail["said"]) == (kept, said)
    assert [event["status"] for event in await stage.said(case, confirmation)] == [kept, said]


async def test_an_objection_adds_to_the_confirmation_and_goes_to_a_person(stage: Stage) -> None:
    _, agreement, confirmation = await stage.chain()
    await stage.tell(*confirmation_words(stage, confirmation, "confirmed", "objected"))
    assert await stage.status(confirmation) == "objected"
    assert [task["code"] for task in await stage.tasks("contradiction")] == ["objected"]
    row = await stage.house.store.row("find_matter", "confirmation", agreement)
    assert row is not None
    assert row["id"] == confirmation


@pytest.mark.parametrize("about", ["case", "confirmation", "transfer", "fulfilment"])
async def test_an_unknown_word_stays_unknown_with_its_raw_form(stage: Stage, about: str) -> None:
    case, agreement, confirmation = await stage.chain()
    transfer = await stage.transfer(case, "labor_inspection")
    matter = {"case": case, "confirmation": confirmation, "transfer": transfer, "fulfilment": f"{agreement}/1"}[about]
    before = await stage.status(matter)
    keys = {
        "case": ("source_case_no", await number(stage, case), "SD-JN-LX-001"),
        "confirmation": ("confirmation", confirmation, ""),
        "transfer": ("transfer", transfer, ""),
        "fulfilment": ("agreement_no", await agreement_no(stage, agreement), "SD-JN-LX-001"),
    }
    await stage.tell(stage.word(about, "unknown", keys[about], raw_status="9-X", term_no=1))
    assert await stage.status(matter) == before
    last = (await stage.said(case))[-1]
    assert last["type"].endswith(".unknown_status")
    assert (last["status"], last["raw_status"]) == ("unknown", "9-X")
    assert [(task["about"], task["code"]) for task in await stage.tasks("unmapped_code")] == [(matter, "9-X")]
    assert not [row for row in (await stage.file(case)).deliveries if row.type == MessageType.STATUS_REPORTED]


async def agreement_no(stage: Stage, agreement: str) -> str:
    row = await stage.house.store.row("matter", agreement)
    assert row is not None
    return str(row["business_key"]).partition("|")[2]


async def test_an_unknown_word_about_a_term_that_nobody_spoke_of_opens_nothing_unknown(stage: Stage) -> None:
    _, agreement, _ = await stage.chain()
    key = ("agreement_no", await agreement_no(stage, agreement), "SD-JN-LX-001")
    await stage.tell(stage.word("fulfilment", "unknown", key, raw_status="77", term_no=2))
    row = await stage.house.store.row("matter", f"{agreement}/2")
    assert row is None or row["status"] == "performing"
    await stage.tell(stage.word("fulfilment", "performed", key, term_no=2))
    assert await stage.status(f"{agreement}/2") == "performed"


# ----------------------------------------------------------------------------------------------- what a word brings


async def test_numbers_papers_and_reasons_are_kept(stage: Stage) -> None:
    case, _, confirmation = await stage.chain()
    stage.puppet().papers["F1"] = b"%PDF-1.4 decision"
    word = stage.word(
        "confirmation",
        "confirmed",
        ("confirmation", confirmation, ""),
        references=[["platform_no", "9007199254740993"], ["document_no", "示例劳人仲调〔2026〕第1号"]],
        documents=[{"ref": "F1", "kind": "decision", "name": "仲裁调解书"}],
    )
    await stage.tell(word)
    file = await stage.file(case)
    assert {(one.endpoint, one.kind, one.value) for one in file.references if one.about == confirmation} >= {
        (HR, "platform_no", "9007199254740993"),
        (HR, "document_no", "示例劳人仲调〔2026〕第1号"),
    }

    async def fetched() -> Any:
        rows = await stage.house.store.rows("papers_of", case)
        return [row for row in rows if row["state"] == "fetched"]

    (paper,) = await until(fetched, "the decision is fetched")
    info = await stage.house.attachments.info(paper["attachment"])
    assert (info.kind, info.name, info.media_type) == ("decision", "仲裁调解书", "application/pdf")
    assert await stage.house.attachments.read(info.id) == b"%PDF-1.4 decision"


async def test_a_correction_of_a_case_ends_with_the_organisations_own_step(stage: Stage) -> None:
    """Else the next one would meet the open task of the last, and its reasons would be lost."""
    case = await stage.case({"/accepted_at": papers.DROP})
    for hour, reason in ((9, "请补充送达地址"), (11, "请补充身份证明")):
        word = stage.word("case", "correction_required", ("delivery", await _first(stage, case), ""))
        said = {"at": f"2026-10-10T{hour:02}:00:00+08:00", "reasons": [["BZA003", reason]]}
        await stage.tell(word | said)
        (task,) = await stage.tasks("correction_due")
        detail = orjson.loads(stage.house.store.unseal(task["detail_sealed"], f"tasks.detail:{task['id']}"))
        assert detail["reasons"] == [reason]
        await stage.progress(case, "received", at=f"2026-10-10T{hour:02}:30:00+08:00")
        assert await stage.tasks("correction_due") == []


async def _first(stage: Stage, case: str) -> str:
    await stage.delivered(case, endpoint=HR)
    return (await stage.file(case)).deliveries[0].id


async def test_a_correction_makes_a_task_with_its_day_that_the_supplement_closes(stage: Stage) -> None:
    case, _, confirmation = await stage.chain()
    await stage.tell(
        stage.word(
            "confirmation",
            "correction_required",
            ("confirmation", confirmation, ""),
            reasons=[["BZC007", "请补充当事人身份证明"]],
            due_at="2026-10-15T00:00:00+08:00",
        )
    )
    (task,) = await stage.tasks("correction_due")
    assert (task["about"], task["due_at"]) == (
        confirmation,
        ms("2026-10-15T00:00:00+08:00"),
    )
    detail = orjson.loads(stage.house.store.unseal(task["detail_sealed"], f"tasks.detail:{task['id']}"))
    assert detail["reasons"] == ["请补充当事人身份证明"]
    supplement = {"schema_version": "1.0", "at": at(26), "note": "已补正", "attachments": []}
    await stage.post(MessageType.CONFIRMATION_SUPPLEMENTED, supplement, confirmation)
    assert await stage.status(confirmation) == "requested"
    assert await stage.tasks("correction_due") == []
    file = await stage.file(case)
    sent = file.last_delivery(HR, frozenset({MessageType.CONFIRMATION_SUPPLEMENTED}))
    assert sent is not None
    assert sent.safe_at == ms("2026-10-15T00:00:00+08:00") - 4 * 3_600_000


async def test_a_note_moves_nothing_and_goes_to_a_person(stage: Stage) -> None:
    case = await stage.case()
    key = ("source_case_no", await number(stage, case), "SD-JN-LX-001")
    await stage.tell(stage.word("case", "", key, note="请加快办理", due_at="2026-10-20T00:00:00+08:00"))
    assert await stage.status(case) == "accepted"
    assert [event["type"] for event in await stage.said(case)] == ["case.noted"]
    (task,) = await stage.tasks("supervision")
    detail = orjson.loads(stage.house.store.unseal(task["detail_sealed"], f"tasks.detail:{task['id']}"))
    assert detail["note"] == "请加快办理"
    assert "请加快办理" not in str(await stage.history(case))


async def test_two_notes_are_two_tasks(stage: Stage) -> None:
    case = await stage.case()
    key = ("source_case_no", await number(stage, case), "SD-JN-LX-001")
    await stage.tell(stage.word("case", "", key, note="一"), stage.word("case", "", key, note="二"))
    assert len(await stage.tasks("supervision")) == 2


# ------------------------------------------------------------------------------------------------------ told to others


async def test_a_word_that_moved_is_told_to_the_others_that_hold_the_case(stage: Stage) -> None:
    case, _, confirmation = await stage.chain()
    await stage.delivered(case)
    await stage.tell(*confirmation_words(stage, confirmation, "accepted", "confirmed", "accepted"))
    await stage.delivered(case)
    told = [wire for wire in stage.puppet(ONE_STOP).sent if wire.operation == MessageType.STATUS_REPORTED]
    assert [wire.payload["status"] for wire in told] == ["accepted", "confirmed"]
    assert {(wire.payload["about"], wire.payload["about_id"], wire.payload["source_platform"]) for wire in told} == {
        ("confirmation", confirmation, HR)
    }
    for silent in (HR, COURT, NATIONAL):
        assert not [wire for wire in stage.puppet(silent).sent if wire.operation == MessageType.STATUS_REPORTED]


# ---------------------------------------------------------------------------------------------------------- transfers


MOVING = {"arbitration": True, "court": True, "legal_aid": False, "payment_order": False, "labor_inspection": False}


@pytest.mark.parametrize(("to", "moves"), MOVING.items())
async def test_filed_moves_an_ended_case_for_arbitration_and_court_alone(stage: Stage, to: str, moves: bool) -> None:
    case = await stage.case()
    await stage.progress(case, "failed")
    transfer = await stage.transfer(case, to)
    await stage.tell(stage.word("transfer", "filed", ("transfer", transfer, ""), references=[["case_no", "示例1号"]]))
    assert await stage.status(transfer) == "filed"
    assert await stage.status(case) == ("transferred" if moves else "failed")
    assert ("case.transferred" in await stage.types(case)) == moves


async def test_what_was_agreed_in_part_is_no_longer_mediated_once_the_rest_is_filed(stage: Stage) -> None:
    """Its limit ran on for the rest, else it would come due, and a person be called, for a mediation that is over."""
    case = await stage.case()
    await stage.agreement(case, {"/settled_claims": "partial"})
    clocks = {row["rule"]: row["state"] for row in await stage.house.store.rows("clocks_of", case)}
    assert (await stage.status(case), clocks["D03"]) == ("partly_agreed", "running")
    transfer = await stage.transfer(case, "arbitration")
    await stage.tell(stage.word("transfer", "filed", ("transfer", transfer, "")))
    clocks = {row["rule"]: row["state"] for row in await stage.house.store.rows("clocks_of", case)}
    assert (await stage.status(case), clocks["D03"]) == ("transferred", "met")


async def test_filed_of_a_case_that_has_no_end_moves_the_transfer_alone(stage: Stage) -> None:
    case = await stage.case()
    transfer = await stage.transfer(case)
    await stage.tell(stage.word("transfer", "filed", ("transfer", transfer, "")))
    assert (await stage.status(transfer), await stage.status(case)) == ("filed", "accepted")


async def test_a_refused_transfer_may_be_asked_for_again(stage: Stage) -> None:
    case = await stage.case()
    first = await stage.transfer(case)
    await stage.tell(stage.word("transfer", "refused", ("transfer", first, "")))
    assert await stage.transfer(case) != first


# -------------------------------------------------------------------------------------------------------- fulfilment


async def test_words_about_a_term(stage: Stage) -> None:
    case, agreement, _ = await stage.chain()
    key = ("agreement_no", await agreement_no(stage, agreement), "SD-JN-LX-001")
    await stage.tell(
        stage.word("fulfilment", "breached", key, term_no=1, at=at(1)),
        stage.word("fulfilment", "performed", key, term_no=1, at=at(2)),
        stage.word("fulfilment", "breached", key, term_no=1, at=at(1)),
    )
    assert await stage.status(f"{agreement}/1") == "performed"
    told = await stage.said(case, f"{agreement}/1")
    assert [(event["status"], event.get("moved", True)) for event in told] == [
        ("breached", True),
        ("performed", True),
        ("breached", False),
    ]


# ---------------------------------------------------------------------------------------------------- what is no word


async def test_keys_that_name_two_things_move_neither_and_go_to_a_person(stage: Stage) -> None:
    first, _, one = await stage.chain()
    _, _, other = await stage.chain()
    await stage.tell(
        stage.word("confirmation", "accepted", ("confirmation", one, ""), references=[["platform_no", "77"]])
    )
    await stage.tell(
        stage.word("confirmation", "confirmed", ("confirmation", other, ""), ("reference", "77", "platform_no"))
    )
    assert (await stage.status(one), await stage.status(other)) == ("accepted", "requested")
    assert [task["code"] for task in await stage.tasks("contradiction")] == ["keys_disagree"]
    assert [row["state"] for row in await stage.callbacks("applied")] == ["applied", "applied"]
    assert (await stage.file(first)).matters[one].status == "accepted"


async def test_a_word_that_finds_its_delivery_on_the_way_waits_and_burns_no_try(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform that calls back before it answers: else the tries of a call that is an orphan besides would be used up."""
    puppet, on_the_way, answered = stage.puppet(), asyncio.Event(), asyncio.Event()
    send = puppet.send

    async def slow(wire: Wire, exchange: Exchange) -> Receipt:
        on_the_way.set()
        await answered.wait()
        return await send(wire, exchange)

    monkeypatch.setattr(puppet, "send", slow)
    case = await stage.case()
    await on_the_way.wait()
    (delivery,) = [row.id for row in (await stage.file(case)).deliveries if row.endpoint == HR]
    await stage.say(stage.word("delivery", "accepted", ("delivery", delivery, "")))
    await asyncio.sleep(1.0)
    (stored,) = await stage.callbacks("stored")
    assert stored["tries"] <= 1
    answered.set()
    await stage.heard()
    (applied,) = await stage.callbacks("applied")
    assert applied["tries"] == 1


async def test_what_cannot_be_read_is_kept_for_a_person(stage: Stage) -> None:
    await stage.tell({"event": "torn", "unreadable": True})
    assert [task["code"] for task in await stage.tasks("unreadable_callback")] == ["torn"]
    assert len(await stage.callbacks("unreadable")) == 1


async def test_a_word_that_no_list_holds_stops_nothing_else(stage: Stage) -> None:
    """An adapter's mistake: the call is tried again and then put before a person, the next one is applied."""
    _, _, confirmation = await stage.chain()
    wrong = stage.word("confirmation", "approved-by-all", ("confirmation", confirmation, ""))
    assert await stage.say(wrong) == 200
    await stage.tell(stage.word("confirmation", "accepted", ("confirmation", confirmation, "")))

    async def given_up() -> Any:
        return await stage.tasks("orphan_callback") or await stage.tasks("unreadable_callback")

    await until(given_up, "the wrong word is before a person")
    assert await stage.status(confirmation) == "accepted"


async def test_several_words_of_one_call_are_each_applied(stage: Stage) -> None:
    _, _, one = await stage.chain()
    case, _, other = await stage.chain()
    words = [stage.word("confirmation", "accepted", ("confirmation", name, "")) for name in (one, other)]
    await stage.tell({"event": "batch-1", "words": words})
    assert (await stage.status(one), await stage.status(other)) == ("accepted", "accepted")
    assert [event["status"] for event in await stage.said(case, other)] == ["accepted"]


async def test_a_forged_call_is_not_even_stored(stage: Stage) -> None:
    _, _, confirmation = await stage.chain()
    word = stage.word("confirmation", "confirmed", ("confirmation", confirmation, ""))
    assert await stage.say(word, headers={"x-puppet": "guess"}) == 401
    for state in ("stored", "applied", "duplicate", "orphan", "unreadable"):
        assert await stage.callbacks(state) == []


def test_the_permuted_words_are_legal_chains() -> None:
    """The tests above would prove nothing about words that no platform may say in this order."""
    for said in PERMUTED:
        status: str = ConfirmationStatus.REQUESTED
        for word in said:
            assert word in CONFIRMATION.legal_steps(status)
            status = word
    assert papers.body("arbitration")["route"] == "arbitration_review"
