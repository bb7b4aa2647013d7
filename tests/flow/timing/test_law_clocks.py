"""Clocks at work: they start and end by documents and platforms' answers, ring, and are healed when a calendar comes."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from contracts.messages import COURT, HR, ONE_STOP, UNION, MessageType
from gateway.flow.clock import Alarms
from gateway.flow.timing.clock_acts import Act, ClockActs
from gateway.settings import SettingsRefused
from gateway.store.casefile import CaseFile
from gateway.store.store import Store
from tests.flow import papers
from tests.flow.puppets import PUPPETS
from tests.flow.stage import OPERATOR, PDF, Stage
from tests.house import Gateways

NOTICE_2027 = """
year = 2027
notice = "国务院办公厅关于2027年部分节假日安排的通知（示例）"

[[holiday]]
zh = "元旦"
en = "New Year's Day"
first = 2027-01-01
last = 2027-01-04
make_up = [2027-01-09]
"""


def law_with(directory: Path, **more: str) -> Path:
    """The packaged law with further files, or files in place of packaged ones."""
    directory.mkdir()
    for file in files("contracts").joinpath("law").iterdir():
        (directory / file.name).write_text(file.read_text("utf-8"), "utf-8")
    for name, text in more.items():
        (directory / f"{name.replace('_', '-')}.toml").write_text(text, "utf-8")
    return directory


async def clocks(stage: Stage, subject: str) -> dict[tuple[str, str], Any]:
    rows = await stage.house.store.rows("clocks_of", subject)
    return {(row["about"], row["rule"]): row for row in rows}


async def states(stage: Stage, subject: str, about: str) -> dict[str, str]:
    return {rule: row["state"] for (thing, rule), row in (await clocks(stage, subject)).items() if thing == about}


def named(confirmation: str) -> tuple[str, str, str]:
    return ("confirmation", confirmation, "")


# ---------------------------------------------------------------------------------------------------------- start and end


async def test_the_clocks_of_a_case_from_receipt_to_agreement(still: Stage) -> None:
    case = await still.case({"/accepted_at": papers.DROP})
    assert await states(still, case, case) == {"D01": "running", "D03": "running", "D13": "running"}
    await still.progress(case, "accepted", "2026-09-17T10:00:00+08:00")
    assert (await states(still, case, case))["D01"] == "met"
    assert (await clocks(still, case))[case, "D13"]["due_on"] == "2027-09-16"
    agreement = await still.agreement(case)
    assert await states(still, case, case) == {"D01": "met", "D03": "met", "D13": "running"}
    assert (await clocks(still, case))[case, "D13"]["due_on"] == "2027-09-27", "consent to perform interrupts it"
    assert await states(still, case, agreement) == {"D04": "running", "D07": "running"}
    assert await states(still, case, f"{agreement}/1") == {"D26-performance": "running"}
    assert (await clocks(still, case))[f"{agreement}/1", "D26-performance"]["due_on"] == "2026-10-31"


async def test_instalments_have_a_day_each_and_enforcement_runs_from_the_last(stage: Stage) -> None:
    parts = [
        {"amount": "5000.00", "due_date": "2026-10-31"},
        {"amount": "5000.00", "due_date": "2026-11-30"},
        {"amount": "5000.00", "due_date": "2026-12-31"},
    ]
    case = await stage.case()
    agreement = await stage.agreement(case, {"/terms/0/installments": parts, "/terms/0/due_date": papers.DROP})
    found = await clocks(stage, case)
    days = [found[f"{agreement}/1/{place}", "D26-performance"]["due_on"] for place in (1, 2, 3)]
    assert days == ["2026-10-31", "2026-11-30", "2026-12-31"]
    confirmation = await stage.confirmation(agreement)
    await stage.tell(stage.word("confirmation", "accepted", named(confirmation)))
    await stage.tell(stage.word("confirmation", "confirmed", named(confirmation)))
    assert (await clocks(stage, case))[confirmation, "D26"]["due_on"] == "2029-01-02"
    body = papers.body("performed", {"/at": "2026-10-10T10:00:00+08:00"})
    await stage.post(MessageType.AGREEMENT_PERFORMED, body, agreement)
    assert await states(stage, case, f"{agreement}/1/3") == {"D26-performance": "met"}
    assert (await states(stage, case, confirmation))["D26"] == "met", "nothing is left to enforce"


async def test_a_platforms_word_of_performance_does_the_same(stage: Stage) -> None:
    case, agreement, confirmation = await stage.chain()
    await stage.delivered(case)
    await stage.tell(stage.word("confirmation", "confirmed", named(confirmation)))
    file = await stage.file(case)
    number = next(row for row in file.deliveries if row.endpoint == HR and row.type == "agreement.concluded").id
    await stage.tell(stage.word("fulfilment", "performed", ("delivery", number, ""), term_no=1))
    assert (await states(stage, case, confirmation))["D26"] == "met"
    assert await states(stage, case, f"{agreement}/1") == {"D26-performance": "met"}


async def test_arbitration_and_court_have_their_terms(stage: Stage) -> None:
    case, agreement, confirmation = await stage.chain()
    assert await states(stage, case, agreement) == {"D04": "met", "D07": "running"}
    await stage.tell(stage.word("confirmation", "accepted", named(confirmation)))
    assert await states(stage, case, confirmation) == {"D06": "running"}
    await stage.tell(stage.word("confirmation", "rejected", named(confirmation)))
    assert await states(stage, case, confirmation) == {"D06": "met"}
    assert await states(stage, case, agreement) == {"D04": "running", "D07": "running"}, "free again within its period"
    judicial = await stage.confirmation(agreement, "judicial")
    await stage.tell(stage.word("confirmation", "accepted", named(judicial)), endpoint=COURT)
    assert await states(stage, case, judicial) == {"D08": "running"}
    await stage.tell(stage.word("confirmation", "confirmed", named(judicial)), endpoint=COURT)
    assert await states(stage, case, judicial) == {"D08": "met", "D09": "running", "D26": "running"}
    assert await states(stage, case, agreement) == {"D04": "cancelled", "D07": "met"}, "the other door is shut"


async def test_a_revised_receipt_moves_the_clocks(still: Stage) -> None:
    case = await still.case()
    body = papers.body(
        "wages", {"/received_at": "2026-09-14T09:00:00+08:00", "/source_case_no": "370102-LX001-2026-00001"}
    )
    await still.post(MessageType.CASE_REVISED, body, case, revises=True, if_match=1)
    found = await clocks(still, case)
    assert found[case, "D03"]["due_on"] == "2026-09-29"
    assert found[case, "D01"]["state"] == "met"


# -------------------------------------------------------------------------------------------------------- what they move


async def test_a_transfer_to_arbitration_must_be_there_before_the_limitation_ends(still: Stage) -> None:
    case = await still.case()
    await still.progress(case, "failed")
    await still.transfer(case)
    await still.transfer(case, "labor_inspection")
    rows = {(row.type, row.endpoint): row for row in (await still.file(case)).deliveries}
    limitation = (await clocks(still, case))[case, "D13"]
    assert rows["transfer.requested", HR].safe_at == limitation["safe_at"]
    assert rows["transfer.requested", HR].retry_class == "statutory"


async def test_what_is_made_too_late_goes_at_once_and_a_person_is_told(still: Stage, gateway: Gateways) -> None:
    case = await still.case()
    agreement = await still.agreement(case)
    gateway.clock.skip(86_400)
    body = papers.body("arbitration", {"/applied_at": "2026-10-10T10:00:00+08:00"})
    await still.post(MessageType.CONFIRMATION_REQUESTED, body, agreement)
    row = next(row for row in (await still.file(case)).deliveries if row.type == "confirmation.requested")
    assert [(task["about"], task["code"]) for task in await still.tasks("statutory_late")] == [(row.id, "made_late")]


async def test_alarms_ring_once_each_and_the_parties_own_clocks_make_no_task(still: Stage, gateway: Gateways) -> None:
    case = await still.case({"/accepted_at": papers.DROP, "/received_at": "2026-10-10T09:00:00+08:00"})
    alarms = Alarms(still.house.store)
    gateway.clock.skip(4 * 86_400)
    await alarms.turn()
    assert await alarms.turn() == 0
    rung = [event for event in await still.history(case) if event["type"] == "clock.approaching"]
    assert {event["clock"]["rule"]: event["percent"] for event in rung} == {"D01": 90}
    assert [task["code"] for task in await still.tasks("statutory_late")] == ["D01"]
    gateway.clock.skip(20 * 86_400)
    while await alarms.turn():
        pass
    assert (await states(still, case, case))["D03"] == "expired"
    other = await still.case()
    agreement = await still.agreement(other)
    gateway.clock.skip(365 * 86_400)
    while await alarms.turn():
        pass
    assert await states(still, other, f"{agreement}/1") == {"D26-performance": "expired"}
    assert "D26-performance" not in [task["code"] for task in await still.tasks("statutory_late")]


def _met_while_loading(store: Store, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let D01 of the case be met by somebody else just before its file is read."""
    load = store.load

    async def met_just_before(subject: str) -> CaseFile | None:
        await store.write("move_clock", (case, "D01", "met"))
        return await load(subject)

    monkeypatch.setattr(store, "load", met_just_before)


async def test_a_clock_that_is_met_while_others_ring_does_not_ring(
    still: Stage, gateway: Gateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await still.case({"/accepted_at": papers.DROP, "/received_at": "2026-10-10T09:00:00+08:00"})
    gateway.clock.skip(4 * 86_400)
    store = still.house.store
    _met_while_loading(store, case, monkeypatch)
    assert await Alarms(store).turn() == 0
    assert [event["type"] for event in await still.history(case) if event["type"].startswith("clock.a")] == []
    assert await still.tasks("statutory_late") == []


# ---------------------------------------------------------------------------------------------------------------- healing


async def test_a_provisional_clock_is_healed_when_the_calendar_comes(gateway: Gateways, tmp_path: Path) -> None:
    """The vector of 2026-12-02: thirty days end on New Year's Day of a year whose notice is not out."""
    endpoints = {name: {"adapter": name} for name in PUPPETS}
    gateway.clock = type(gateway.clock)(datetime(2026, 12, 3, 4, 0, tzinfo=UTC))
    first = Stage(await gateway(endpoints, adapters=PUPPETS, start=False))
    case = await first.case()
    signed: dict[str, Any] = {f"/signatures/{place}/signed_at": "2026-12-02T10:00:00+08:00" for place in range(3)}
    signed |= {"/organization_seal/sealed_at": "2026-12-02T11:00:00+08:00", "/performance_notice_sent_at": papers.DROP}
    agreement = await first.agreement(case, signed | {"/terms/0/due_date": "2026-12-31"})
    request = papers.body("judicial", {"/applied_at": "2026-12-03T10:00:00+08:00"})
    await first.post(MessageType.CONFIRMATION_REQUESTED, request, agreement)
    before = (await clocks(first, case))[agreement, "D07"]
    assert (before["due_on"], bool(before["provisional"])) == ("2027-01-04", True)
    (waiting,) = [row for row in (await first.file(case)).deliveries if row.endpoint == COURT]
    assert waiting.safe_at == before["safe_at"]
    await gateway.abandon(first.house)

    law = law_with(tmp_path / "law", calendar_2027=NOTICE_2027)
    second = Stage(await gateway(endpoints, adapters=PUPPETS, law=law, start=False))
    healer = second.house.worker.loop("calendar").turn
    await healer()
    after = (await clocks(second, case))[agreement, "D07"]
    assert (after["due_on"], bool(after["provisional"])) == ("2027-01-05", False)
    assert after["safe_at"] == before["safe_at"] + 86_400_000
    (waiting,) = [row for row in (await second.file(case)).deliveries if row.endpoint == COURT]
    assert waiting.safe_at == after["safe_at"], "what still waits has the new latest safe time"
    healed = [event for event in await second.history(case, agreement) if event["type"] == "clock.started"]
    assert healed[-1]["clock"] == {
        "rule": "D07",
        "start": "2026-12-02",
        "due": "2027-01-05",
        "latest_safe_time": "2027-01-05T20:00:00+08:00",
        "state": "met",
        "provisional": False,
    }
    await healer()
    again = [event for event in await second.history(case, agreement) if event["type"] == "clock.started"]
    assert again == healed, "what is certain is not computed again"


async def test_a_clock_that_expired_by_a_wrong_day_runs_again(gateway: Gateways, tmp_path: Path) -> None:
    endpoints = {name: {"adapter": name} for name in PUPPETS}
    gateway.clock = type(gateway.clock)(datetime(2026, 12, 3, 4, 0, tzinfo=UTC))
    first = Stage(await gateway(endpoints, adapters=PUPPETS, start=False))
    case = await first.case({"/received_at": "2026-12-02T09:00:00+08:00", "/accepted_at": papers.DROP})
    agreement = await first.agreement(
        case,
        {f"/signatures/{place}/signed_at": "2026-12-02T10:00:00+08:00" for place in range(3)}
        | {"/organization_seal/sealed_at": "2026-12-02T11:00:00+08:00", "/performance_notice_sent_at": papers.DROP},
    )
    gateway.clock.skip(33 * 86_400 - 3600)
    alarms = Alarms(first.house.store)
    while await alarms.turn():
        pass
    assert (await states(first, case, agreement))["D07"] == "expired"
    await gateway.abandon(first.house)
    law = law_with(tmp_path / "law", calendar_2027=NOTICE_2027.replace("2027-01-04", "2027-01-05"))
    second = Stage(await gateway(endpoints, adapters=PUPPETS, law=law, start=False))
    await second.house.worker.loop("calendar").turn()
    found = (await clocks(second, case))[agreement, "D07"]
    assert (found["state"], found["due_on"]) == ("running", "2027-01-06")


async def test_a_clock_that_is_met_while_it_is_healed_stays_met(
    gateway: Gateways, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoints = {name: {"adapter": name} for name in PUPPETS}
    gateway.clock = type(gateway.clock)(datetime(2026, 12, 30, 4, 0, tzinfo=UTC))
    first = Stage(await gateway(endpoints, adapters=PUPPETS, start=False))
    case = await first.case({"/received_at": "2026-12-29T09:00:00+08:00", "/accepted_at": papers.DROP})
    assert bool((await clocks(first, case))[case, "D01"]["provisional"])
    await gateway.abandon(first.house)
    law = law_with(tmp_path / "law", calendar_2027=NOTICE_2027)
    second = Stage(await gateway(endpoints, adapters=PUPPETS, law=law, start=False))
    _met_while_loading(second.house.store, case, monkeypatch)
    await second.house.worker.loop("calendar").turn()
    found = (await clocks(second, case))[case, "D01"]
    assert (found["state"], bool(found["provisional"])) == ("met", False)


async def test_the_operators_law_and_margin_are_those_that_count(gateway: Gateways, tmp_path: Path) -> None:
    text = files("contracts").joinpath("law", "arbitration_review.toml").read_text("utf-8")
    law = law_with(tmp_path / "law")
    (law / "arbitration_review.toml").write_text(text.replace("length = 15", "length = 20"), "utf-8")
    endpoints = {name: {"adapter": name} for name in (HR, COURT, ONE_STOP, UNION)}
    stage = Stage(await gateway(endpoints, adapters=PUPPETS, law=law, late_margin_hours=6, start=False))
    case = await stage.case()
    agreement = await stage.agreement(case)
    found = (await clocks(stage, case))[agreement, "D04"]
    assert found["due_on"] == "2026-10-15"
    safe = datetime.fromtimestamp(found["safe_at"] / 1000, UTC)
    assert safe == datetime(2026, 10, 15, 10, 0, tzinfo=UTC), "18:00 in Beijing"


# -------------------------------------------------------------------------------------------------------------- correction


async def test_a_correction_stops_the_courts_days_and_its_papers_let_them_run_anew(gateway: Gateways) -> None:
    """司法确认规定 art. 4 with 民诉法解释 art. 126: three days from the day after the corrected papers."""
    endpoints = {name: {"adapter": name} for name in PUPPETS}
    stage = Stage(await gateway(endpoints, adapters=PUPPETS, law_also=("D08b",)))
    case, _, confirmation = await stage.chain("judicial")
    await stage.delivered(case)
    found = (await clocks(stage, case))[confirmation, "D08b"]
    assert (found["state"], found["due_on"]) == ("running", "2026-10-12")
    asked = stage.word("confirmation", "correction_required", named(confirmation), at="2026-10-10T10:00:00+08:00")
    await stage.tell(asked, endpoint=COURT)
    assert await states(stage, case, confirmation) == {"D08b": "suspended"}
    paper = await stage.house.attachments.keep("SD-JN-LX-001", "identity_proof", "身份证.pdf", PDF)
    proof = {"id": paper.id, "kind": "identity_proof", "name": "身份证.pdf"}
    body = {"schema_version": "1.0", "at": "2026-10-10T11:30:00+08:00", "attachments": [proof]}
    await stage.post(MessageType.CONFIRMATION_SUPPLEMENTED, body, confirmation)
    found = (await clocks(stage, case))[confirmation, "D08b"]
    assert (found["state"], found["started_on"], found["due_on"]) == ("running", "2026-10-10", "2026-10-13")
    assert found["pauses"] == "[]"
    accepted = stage.word("confirmation", "accepted", named(confirmation), at="2026-10-10T11:40:00+08:00")
    await stage.tell(accepted, endpoint=COURT)
    assert await states(stage, case, confirmation) == {"D08": "running", "D08b": "met"}
    told = [event for event in await stage.types(case, confirmation) if event.startswith("clock.")]
    assert told == ["clock.started", "clock.suspended", "clock.started", "clock.started"]


@pytest.mark.parametrize("rule", ["D04", "D99"])
async def test_only_readings_beside_the_statutory_ones_are_asked_for(gateway: Gateways, rule: str) -> None:
    with pytest.raises(SettingsRefused, match="law_also"):
        await gateway({}, law_also=(rule,), start=False)


async def test_a_clock_that_stands_still_does_not_ring(gateway: Gateways, still: Stage) -> None:
    case = await still.case({"/received_at": "2026-10-08T09:00:00+08:00", "/accepted_at": papers.DROP})
    row = (await clocks(still, case))[case, "D13"]
    acts = ClockActs(still.house.store, still.house.law)
    await acts.suspend(OPERATOR, row["id"], Act("不可抗力"))
    gateway.clock.skip(500 * 86_400)
    alarms = Alarms(still.house.store)
    while await alarms.turn():
        pass
    assert (await states(still, case, case))["D13"] == "suspended", "its day is past, and it has not expired"
    again = await acts.resume(OPERATOR, row["id"], Act("不可抗力已消除"))
    assert (again["state"], again["due_on"]) == ("running", "2029-02-19"), "364 days were left"
    assert again["alarm_at"] is not None
    assert again["alarm_at"] > still.house.store.now_ms()


async def test_a_ruling_that_its_objection_overtook_has_its_clocks_all_the_same(stage: Stage) -> None:
    """民诉法解释 art. 372: the objection meets the term to object, also where it was heard before the ruling."""
    case, _, confirmation = await stage.chain("judicial")
    await stage.delivered(case)
    for status, hour in (("objected", 10), ("confirmed", 9)):
        at = f"2026-10-10T{hour:02}:00:00+08:00"
        await stage.tell(stage.word("confirmation", status, named(confirmation), at=at), endpoint=COURT)
    assert await states(stage, case, confirmation) == {"D09": "met", "D26": "running"}
