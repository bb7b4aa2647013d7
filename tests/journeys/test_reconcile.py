"""Reconciliation with the province's platforms: an older backup, a decision without a push, changes that a pull lost."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.messages import COURT, HR, ONE_STOP, UNION, MessageType
from gateway.flow.delivering import wires
from gateway.flow.delivering.exchange import HttpExchange
from gateway.store.lists import list_deliveries
from tests.journeys.province import LIXIA, Province

MEDIATOR = {
    "schema_version": "1.0",
    "certificate_no": "LDTJ-3701-2023-0456",
    "certificate_valid_until": "2027-12-31",
    "name": "李调解",
    "organization_code": LIXIA,
    "employment": "full_time",
    "specialities": ["劳动报酬"],
    "active": True,
}
HEAL = {"reason": "平台恢复备份后核对"}


async def reconciled(province: Province, endpoint: str) -> dict[str, Any]:
    """Compare what is settled of the last days, over the API."""
    await later(province, 30)
    clock = province.gateway.clock.now()
    order = {"endpoint": endpoint, "from": "2026-10-09", "to": clock.date().isoformat()}
    reply = await province.ops.post("/v1/ops/reconciliations", json=order)
    assert reply.status_code == 202, reply.text
    return await over(province, reply.json()["id"])


async def later(province: Province, seconds: float) -> None:
    """Let time pass at the gateway and at the platforms."""
    province.gateway.clock.skip(seconds)
    await province.set_clocks()


async def over(province: Province, identifier: str) -> dict[str, Any]:
    async def there() -> dict[str, Any] | None:
        found = await province.get(f"/v1/ops/reconciliations/{identifier}", province.ops)
        return found if found["state"] in ("done", "stopped") else None

    found: dict[str, Any] = await province.until(there, "the reconciliation ends", 30.0)
    return found


async def healed(province: Province, identifier: str) -> dict[str, Any]:
    reply = await province.ops.post(f"/v1/ops/reconciliations/{identifier}/heal", json=HEAL)
    assert reply.status_code == 202, reply.text
    return await over(province, identifier)


def codes(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    return sorted((item["kind"], item["code"], item["state"]) for item in found["items"])


async def delivery(province: Province, subject: str, kind: str, endpoint: str) -> str:
    """The id of what was delivered."""
    await province.delivered(subject, kind, endpoint)
    file = await province.house.store.load(subject)
    assert file is not None
    return next(row.id for row in file.deliveries if row.type == kind and row.endpoint == endpoint)


async def test_arbitration_lost_what_came_after_its_backup(province: Province) -> None:
    case = await province.case()
    agreement = await province.agreement(case)
    await province.confirmation(agreement)
    filed = await delivery(province, case, MessageType.CONFIRMATION_REQUESTED, HR)
    clean = await reconciled(province, HR)
    assert (clean["method"], clean["sees"]) == ("asking", ["missing", "differing", "undecided"])
    assert (clean["compared"], clean["items"]) == (3, [])
    await province.tell(HR, "lose", {"message_id": filed})
    found = await reconciled(province, HR)
    assert codes(found) == [("missing", "absent", "open")]
    assert found["items"][0]["delivery"] == filed
    assert found["open"] == 1
    mended = await healed(province, found["id"])
    assert codes(mended) == [("missing", "absent", "healed")]
    await province.delivered(case, MessageType.CONFIRMATION_REQUESTED, HR)
    records = (await province.http.get(f"{province.urls[HR]}/_mock/records")).json()
    assert [record["message_id"] for record in records].count(filed) == 1
    assert (await reconciled(province, HR))["items"] == []


async def test_the_court_reviews_without_a_push_and_loses_a_filing(province: Province) -> None:
    case = await province.case()
    agreement = await province.agreement(case)
    confirmation = await province.confirmation(agreement, "judicial")
    filed = await delivery(province, case, MessageType.CONFIRMATION_REQUESTED, COURT)
    await province.decide(COURT, confirmation, "accept")
    await province.reaches(f"/v1/confirmations/{confirmation}", "accepted")
    await province.decide(COURT, confirmation, "review")
    found = await reconciled(province, COURT)
    (one,) = found["items"]
    assert (one["kind"], one["code"], one["ours"], one["theirs"]) == ("differing", "status", "accepted", "reviewing")
    assert codes(await healed(province, found["id"])) == [("differing", "status", "healed")]
    assert (await province.get(f"/v1/confirmations/{confirmation}"))["status"] == "reviewing"
    assert (await reconciled(province, COURT))["items"] == []

    await province.tell(COURT, "lose", {"message_id": filed})
    lost = await reconciled(province, COURT)
    assert codes(lost) == [("missing", "absent", "open")]
    assert codes(await healed(province, lost["id"])) == [("missing", "absent", "healed")]
    await province.delivered(case, MessageType.CONFIRMATION_REQUESTED, COURT)
    records = (await province.http.get(f"{province.urls[COURT]}/_mock/records")).json()
    assert [record["message_id"] for record in records].count(filed) == 1


async def test_a_court_that_filed_twice_is_a_persons(province: Province) -> None:
    case = await province.case()
    await province.delivered(case, MessageType.CASE_SUBMITTED, HR)  # the organisation is known from now on
    reply = await province.api.put("/v1/mediators/LDTJ-3701-2023-0456", json=MEDIATOR)
    assert reply.status_code == 202, reply.text

    async def there() -> str | None:
        rows = await province.house.store.run(list_deliveries, "delivered", COURT, "", 10)
        return str(rows[0]["id"]) if rows else None

    filed: str = await province.until(there, "the mediator is listed")
    await province.house.lines[COURT].endpoint.adapter.send(await _wire(province, filed), _exchange(province, COURT))
    province.filed_beside[COURT] += 1
    found = await reconciled(province, COURT)
    assert codes(found) == [("differing", "filed_twice", "open")]
    assert codes(await healed(province, found["id"])) == [("differing", "filed_twice", "person")]
    assert [task["about"] for task in await province.tasks("filed_twice")] == [filed]


async def test_changes_that_a_pull_lost_are_heard_again(province: Province) -> None:
    case = await province.case()
    await delivery(province, case, MessageType.CASE_SUBMITTED, ONE_STOP)
    number = (await province.get(f"/v1/cases/{case}"))["document"]["source_case_no"]
    await province.ops.post(f"/v1/ops/endpoints/{ONE_STOP}/pause", json={"reason": "维护"})
    await province.decide(ONE_STOP, number, "status", code="05")
    await province.tell(ONE_STOP, "refer", {"机构编码": LIXIA})
    await _lose_pages(province)
    await province.ops.post(f"/v1/ops/endpoints/{ONE_STOP}/resume", json={"reason": "完成"})
    await later(province, 60)
    found = await reconciled(province, ONE_STOP)
    assert (found["method"], found["sees"]) == ("words", ["foreign", "differing"])
    assert codes(found) == [("differing", "unheard", "open"), ("foreign", "offered", "open")]
    assert (await province.get("/v1/referrals"))["items"] == []
    assert codes(await healed(province, found["id"])) == [
        ("differing", "unheard", "healed"),
        ("foreign", "offered", "healed"),
    ]
    await province.reaches(f"/v1/cases/{case}", "mediating")

    async def offered() -> list[Any]:
        items: list[Any] = (await province.get("/v1/referrals"))["items"]
        return items

    assert len(await province.until(offered, "the referral that was lost")) == 1
    assert (await reconciled(province, ONE_STOP))["items"] == []


async def test_the_union_cannot_be_compared(province: Province) -> None:
    found = await reconciled(province, UNION)
    assert (found["method"], found["comparable"], found["sees"], found["code"]) == (
        "nothing",
        False,
        [],
        "not_comparable",
    )
    reply = await province.ops.post(f"/v1/ops/reconciliations/{found['id']}/heal", json=HEAL)
    assert reply.status_code == 202


@pytest.mark.parametrize("platform", [HR, COURT])
async def test_what_never_came_cannot_be_lost(province: Province, platform: str) -> None:
    reply = await province.http.post(f"{province.urls[platform]}/_mock/lose", json={"message_id": "dlv_nothing"})
    assert reply.status_code == 422
    reply = await province.http.post(f"{province.urls[platform]}/_mock/lose", json={})
    assert reply.status_code == 422


async def _wire(province: Province, identifier: str) -> Any:
    row = await province.house.store.row("delivery_wire", identifier)
    assert row is not None
    assert row["wire_sealed"] is not None
    return wires.unpack(province.house.store.unseal(row["wire_sealed"], f"deliveries.wire:{identifier}"))


def _exchange(province: Province, endpoint: str) -> HttpExchange:
    return province.house.lines[endpoint].exchange(province.house.store.now_ms, 10.0)


async def _lose_pages(province: Province) -> None:
    """Pull to the end and keep the cursor alone: the pages are lost, as by a restored database."""
    house = province.house
    rows = {row["name"]: row for row in await house.store.rows("all_endpoints")}
    cursor = rows[ONE_STOP]["cursor"]
    for _ in range(6):
        page = await house.lines[ONE_STOP].endpoint.adapter.poll(cursor, _exchange(province, ONE_STOP))
        cursor = page.cursor
        await later(province, 6)
    await house.store.write("set_cursor", (ONE_STOP, cursor))
