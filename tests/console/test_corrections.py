"""Other codes for what a platform refused, where the gateway chose them: one asks, another sends, under new ids."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from contracts.adapter import Context, Loss, LossKind, Wire
from contracts.errors import PermanentError
from contracts.message import Message
from contracts.messages import HR
from gateway.flow.moving.acts import ActRefused
from gateway.flow.operating.correction import patched, places
from gateway.store.lists import list_deliveries
from tests.console.counter import Counter
from tests.flow.stage import until

LOSSES = (
    Loss(LossKind.CODED, "/cause/path", "lb", "lb: no row, went as other"),
    Loss(LossKind.DEFAULTED, "", "ryxx/1/rylb", "one value for all persons"),
    Loss(LossKind.DEFAULTED, "", "xm", "two places have this name"),
    Loss(LossKind.CODED, "/facts", "ms", "too long for a code"),
    Loss(LossKind.MAPPED, "/channel", "ly", "not the gateway's choice"),
    Loss(LossKind.DROPPED, "/note"),
)
PAYLOAD: dict[str, Any] = {
    "lb": "99",
    "ly": "3",
    "ms": "拖欠" * 30,
    "ryxx": [{"rylb": "1", "xm": "甲"}, {"rylb": "1", "xm": "乙"}],
}
WIRE = Wire("dlv_1", "op", PAYLOAD, LOSSES)


def test_only_codes_that_the_gateway_chose_and_that_one_name_tells_are_open() -> None:
    assert [(one.pointer, one.code, one.kind) for one in places(WIRE)] == [
        ("/lb", "99", "coded"),
        ("/ryxx/1/rylb", "1", "defaulted"),
    ]


def test_a_patched_wire_differs_there_alone() -> None:
    made = patched(WIRE, {"/lb": "07", "/ryxx/1/rylb": "2"})
    assert made.payload == PAYLOAD | {"lb": "07", "ryxx": [PAYLOAD["ryxx"][0], {"rylb": "2", "xm": "乙"}]}
    assert WIRE.payload["lb"] == "99"
    with pytest.raises(ActRefused, match="place"):
        patched(WIRE, {"/ly": "4"})


@pytest.fixture
def coded(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform to whose table the case's cause is no row."""
    puppet = counter.site.stage.puppet(HR)
    plain = puppet.translate

    def translate(message: Message, context: Context) -> Wire:
        wire = plain(message, context)
        if message.type != "case.submitted":
            return wire
        return replace(wire, payload=wire.payload | {"lb": "99"}, losses=(LOSSES[0],))

    monkeypatch.setattr(puppet, "translate", translate)
    puppet.acts["case.submitted"].append(PermanentError("E1001"))


async def refused(counter: Counter) -> str:
    """A refused delivery."""
    await counter.site.case()
    store = counter.site.house.store

    async def there() -> bool:
        return bool(await store.run(list_deliveries, "rejected", HR, "", 9))

    await until(there, "it is refused")
    return str((await store.run(list_deliveries, "rejected", HR, "", 9))[0]["id"])


async def asked(counter: Counter, delivery: str, code: str = "07") -> str:
    """A correction that waits; its id."""
    told = {"reason": "按平台新码表", "code:/lb": code}
    answer = await counter.operator.post(f"deliveries/{delivery}/correct", told)
    assert answer.status_code == 303, answer.text
    rows = await counter.site.house.store.rows("asked_corrections")
    return str(rows[0]["id"])


@pytest.mark.usefixtures("coded")
async def test_one_asks_another_sends_and_the_new_one_stands_for_the_old(counter: Counter) -> None:
    delivery, store = await refused(counter), counter.site.house.store
    page = (await counter.operator.get(f"deliveries/{delivery}")).text
    assert 'name="code:/lb"' in page
    identifier = await asked(counter, delivery)
    assert (
        await counter.operator.post(f"deliveries/{delivery}/correct", {"reason": "再", "code:/lb": "08"})
    ).status_code == 409
    assert (await counter.operator.post(f"corrections/{identifier}/do")).status_code == 403
    assert "按平台新码表" in (await counter.visitors["administrator"].get("jobs")).text
    done = await counter.visitors["administrator"].post(f"corrections/{identifier}/do")
    assert done.status_code == 303, done.text
    made = re.search(r"dlv_\w+", done.headers["location"])
    assert made is not None

    async def delivered() -> bool:
        row = await store.row("delivery", made.group())
        return row is not None and row["state"] == "delivered"

    await until(delivered, "it is delivered")
    sent = counter.site.stage.puppet(HR).sent[-1]
    assert (sent.id, sent.payload["lb"]) == (made.group(), "07")
    old = await store.row("delivery", delivery)
    assert old is not None
    assert old["state"] == "superseded"
    acts = [(row["actor"], row["act"]) for row in await store.rows("newest_audit", 2**62, 9)]
    assert ("user:admi01", "delivery.correct") in acts
    assert ("user:oper01", "delivery.correct_ask") in acts
    assert (await counter.visitors["administrator"].post(f"corrections/{identifier}/do")).status_code == 409
    journey = (await counter.viewer.get(f"cases/{old['subject']}")).text
    assert journey.count("报送：案件报送") == 2  # in the picture and in the table below it, once each


@pytest.mark.usefixtures("coded")
async def test_nobody_agrees_to_what_he_asked_for_and_a_refusal_has_a_reason(counter: Counter) -> None:
    delivery, admin = await refused(counter), counter.visitors["administrator"]
    told = {"reason": "管理员自己申请", "code:/lb": "07"}
    assert (await admin.post(f"deliveries/{delivery}/correct", told)).status_code == 303
    identifier = (await counter.site.house.store.rows("asked_corrections"))[0]["id"]
    assert (await admin.post(f"corrections/{identifier}/do")).status_code == 409
    assert (await admin.post(f"corrections/{identifier}/refuse", {"reason": ""})).status_code == 422
    assert (await admin.post(f"corrections/{identifier}/refuse", {"reason": "平台说不必"})).status_code == 303
    assert (await admin.post(f"corrections/{identifier}/do")).status_code == 409
    row = await counter.site.house.store.row("delivery", delivery)
    assert row is not None
    assert row["state"] == "rejected"


@pytest.mark.usefixtures("coded")
async def test_what_is_no_correction_is_refused(counter: Counter) -> None:
    delivery = await refused(counter)
    path = f"deliveries/{delivery}/correct"
    for fields, status in (
        ({"reason": "", "code:/lb": "07"}, 422),
        ({"reason": "无变化", "code:/lb": "99"}, 422),
        ({"reason": "无变化"}, 422),
        ({"reason": "不是代码", "code:/lb": "王 建国"}, 422),
        ({"reason": "别的字段", "code:/source_case_no": "1"}, 422),
    ):
        assert (await counter.operator.post(path, fields)).status_code == status, fields
    assert (await counter.viewer.post(path, {"reason": "x", "code:/lb": "07"})).status_code == 403
    assert (await counter.operator.post("deliveries/dlv_0/correct", {"reason": "x"})).status_code == 404
