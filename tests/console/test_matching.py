"""Orphans matched by hand: a person says which delivery a call is about, the ordinary way applies it."""

from __future__ import annotations

import re

import pytest

from contracts.adapter import InboundCall
from contracts.errors import UnreadableCallback
from contracts.messages import COURT, HR
from contracts.update import Inbound
from gateway.store.lists import list_deliveries
from tests.console.counter import Counter
from tests.flow.stage import until


async def orphan(counter: Counter, status: str = "accepted") -> str:
    """A court's word about a confirmation under a number that nobody knows, once the waits are over; the callback's id."""
    stage, store = counter.site.stage, counter.site.house.store
    await stage.say(stage.word("confirmation", status, ("reference", "GZ-77", "platform_no")), COURT)

    async def before_a_person() -> bool:
        return bool(await store.rows("open_tasks_with", "orphan_callback", 9))

    await until(before_a_person, "the orphan is before a person")
    return str((await store.rows("open_tasks_with", "orphan_callback", 9))[0]["about"])


async def test_an_orphan_is_matched_and_applied(counter: Counter) -> None:
    case = await counter.site.case()
    agreement = await counter.site.agreement(case)
    await counter.site.confirmation(agreement, "judicial")
    store = counter.site.house.store

    async def filed() -> bool:
        return bool(await store.run(list_deliveries, "delivered", COURT, "", 9))

    await until(filed, "the court has it")
    call = await orphan(counter)
    page = (await counter.operator.get(f"callbacks/{call}")).text
    assert "GZ-77" in page
    assert "找不到" in page
    matter = await store.row("matter", case)
    assert matter is not None
    number = matter["business_key"].partition("|")[2]
    page = (await counter.operator.get(f"callbacks/{call}?case={number}")).text
    choices = re.findall(r'name="delivery" value="(dlv_\w+)"', page)
    filed_as = (await store.run(list_deliveries, "delivered", COURT, "", 9))[0]["id"]
    assert filed_as in choices
    elsewhere = (await store.run(list_deliveries, "delivered", HR, "", 9))[0]["id"]
    assert elsewhere not in choices
    path = f"callbacks/{call}/match"
    told = {"delivery": filed_as, "reason": "电话核对流水号 GZ-77"}
    assert (await counter.operator.post(path, told | {"reason": ""})).status_code == 422
    assert (await counter.operator.post(path, told | {"delivery": "x"})).status_code == 422
    assert (await counter.operator.post(path, told | {"delivery": elsewhere})).status_code == 409
    assert (await counter.viewer.post(path, told)).status_code == 403
    assert (await counter.operator.post(path, told)).status_code == 303

    async def applied() -> bool:
        row = await store.row("callback", call)
        return row is not None and row["state"] == "applied"

    await until(applied, "it is applied")
    moved = [row["status"] for row in await store.rows("matters_of", case) if row["kind"] == "confirmation"]
    assert moved == ["accepted"]
    assert await store.rows("open_tasks_with", "orphan_callback", 9) == []
    rows = await store.rows("newest_audit", 2**62, 3)
    assert ("user:oper01", "callback.match", call) in [(row["actor"], row["act"], row["target"]) for row in rows]
    assert (await counter.operator.post(path, told)).status_code == 409
    page = (await counter.viewer.get(f"callbacks/{call}")).text
    assert filed_as in page
    assert "GZ-77" in page  # short enough to be nobody's number


async def test_a_wrong_match_changes_nothing_and_comes_back(counter: Counter) -> None:
    case = await counter.site.case(name="collective")
    store = counter.site.house.store

    async def delivered() -> bool:
        return bool(await store.run(list_deliveries, "delivered", HR, "", 9))

    await until(delivered, "it is delivered")
    stage = counter.site.stage
    await stage.say(stage.word("confirmation", "confirmed", ("reference", "GZ-78", "platform_no")), HR)

    async def before_a_person() -> bool:
        return bool(await store.rows("open_tasks_with", "orphan_callback", 9))

    await until(before_a_person, "the orphan is before a person")
    call = (await store.rows("open_tasks_with", "orphan_callback", 9))[0]["about"]
    delivery = (await store.run(list_deliveries, "delivered", HR, "", 9))[0]["id"]
    told = {"delivery": delivery, "reason": "看错了"}
    assert (await counter.operator.post(f"callbacks/{call}/match", told)).status_code == 303

    async def again() -> bool:
        row = await store.row("callback", call)
        return row is not None and row["state"] == "orphan" and bool(await before_a_person())

    await until(again, "the case has no confirmation: it is an orphan again")
    assert [row for row in await store.rows("matters_of", case) if row["kind"] == "confirmation"] == []


async def test_a_personal_number_is_refused_and_never_shown(counter: Counter) -> None:
    stage = counter.site.stage
    await stage.say(stage.word("case", "accepted", ("reference", "37010219900307123X", "platform_no")), HR)
    rows = await counter.site.house.store.rows("newest_callbacks", "stored", "zzz", 9)
    rows = rows or await counter.site.house.store.rows("newest_callbacks", "orphan", "zzz", 9)
    for visitor in counter.visitors.values():
        page = await visitor.get(f"callbacks/{rows[0]['id']}")
        assert page.status_code == 200
        assert "37010219900307123X" not in page.text
    assert (await counter.operator.get(f"callbacks/{rows[0]['id']}?case=37010219900307123X")).status_code == 400


async def test_a_call_that_nobody_could_read_is_applied_once_the_adapter_can(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, stage, store = await counter.site.case(), counter.site.stage, counter.site.house.store
    puppet, plain = stage.puppet(HR), stage.puppet(HR).parse_callback

    def unreadable(call: InboundCall) -> tuple[Inbound, ...]:
        raise UnreadableCallback("new_form")

    monkeypatch.setattr(puppet, "parse_callback", unreadable)
    matter = await store.row("matter", case)
    assert matter is not None
    number = matter["business_key"].partition("|")[2]
    await stage.say(stage.word("case", "accepted", ("source_case_no", number, "SD-JN-LX-001")), HR)

    async def before_a_person() -> bool:
        return bool(await store.rows("open_tasks_with", "unreadable_callback", 9))

    await until(before_a_person, "it is before a person")
    call = (await store.rows("open_tasks_with", "unreadable_callback", 9))[0]["about"]
    monkeypatch.setattr(puppet, "parse_callback", plain)
    path = f"callbacks/{call}/again"
    assert (await counter.operator.post(path, {"reason": ""})).status_code == 422
    assert (await counter.viewer.post(path, {"reason": "x"})).status_code == 403
    assert (await counter.operator.post(path, {"reason": "适配器已升级"})).status_code == 303

    async def applied() -> bool:
        row = await store.row("callback", call)
        return row is not None and row["state"] == "applied"

    await until(applied, "it is applied")
    assert await store.rows("open_tasks_with", "unreadable_callback", 9) == []
    assert (await counter.operator.post(path, {"reason": "又一次"})).status_code == 409
    assert (await store.rows("newest_audit", 2**62, 1))[0]["act"] == "callback.again"
