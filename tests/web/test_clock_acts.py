"""A person's word on a clock: suspended, resumed, prolonged; with its article, audited, once."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from contracts.messages import COURT, HR
from tests.flow import papers
from tests.web.site import Site

AGREED = {"reason": "双方签署延长调解期限同意书"}


async def clock(site: Site, case: str, rule: str) -> dict[str, Any]:
    items = (await site.up.get(f"/v1/clocks?case={case}")).json()["items"]
    found: dict[str, Any] = next(one for one in items if one["rule"] == rule)
    return found


async def events(site: Site, case: str, kind: str) -> list[dict[str, Any]]:
    items = (await site.up.get(f"/v1/cases/{case}/timeline")).json()["items"]
    return [one["data"] for one in items if one["type"] == kind]


async def test_both_sides_agree_to_prolong_the_mediation(site: Site) -> None:
    case = await site.case({"/received_at": "2026-10-08T09:00:00+08:00", "/accepted_at": papers.DROP})
    before = await clock(site, case, "D03")
    assert (before["due"], before["title"]) == ("2026-10-23", "调解期限，届满未达成协议的可申请仲裁")
    path = f"/v1/clocks/{before['id']}/extend"
    answer = await site.post(path, AGREED | {"extended_by": 15})
    assert answer.status_code == 200, answer.text
    longer = answer.json()
    assert (longer["due"], longer["extended_by"], longer["state"]) == ("2026-11-09", 15, "running")
    assert longer == await clock(site, case, "D03")
    assert (await site.post(path, AGREED | {"extended_by": 15})).json() == longer, "the same again changes nothing"
    (told,) = await events(site, case, "clock.extended")
    assert told["clock"]["due"] == "2026-11-09"
    assert told["article"] == "《企业劳动争议协商调解规定》第29条"
    assert told["extended_by"] == 15
    steps = (await site.up.get(f"/v1/cases/{case}")).json()
    assert [one["due"] for one in steps["clocks"] if one["rule"] == "D03"] == ["2026-11-09"]
    rows = await site.house.store.rows("audit_after", 0, 100)
    (row,) = [row for row in rows if row["act"] == "clock.extended"]
    assert (row["actor"], row["target"], row["reason"]) == ("up", before["id"], AGREED["reason"])
    assert orjson.loads(row["data"])["due"] == "2026-11-09"


async def test_days_of_force_majeure_are_not_counted(site: Site) -> None:
    """调解仲裁法 art. 27 ¶3: the limitation is suspended and goes on; while it is, nothing rings."""
    case = await site.case()
    limitation = await clock(site, case, "D13")
    path = f"/v1/ops/clocks/{limitation['id']}"
    force = {"reason": "台风致交通中断", "on": "2026-10-05"}
    stopped = (await site.post(f"{path}/suspend", force, site.op)).json()
    assert (stopped["state"], stopped["pauses"]) == ("suspended", [{"from": "2026-10-05", "until": None}])
    kept = await site.house.store.row("clock", limitation["id"])
    assert kept is not None
    assert kept["alarm_at"] is None
    assert (await site.post(f"{path}/suspend", force, site.op)).json() == stopped
    resumed = (await site.post(f"{path}/resume", force | {"on": "2026-10-09"}, site.op)).json()
    assert resumed["state"] == "running"
    assert resumed["pauses"] == [{"from": "2026-10-05", "until": "2026-10-09"}]
    assert (limitation["due"], resumed["due"]) == ("2027-09-16", "2027-09-20")
    (told,) = await events(site, case, "clock.suspended")
    assert told["article"] == "《中华人民共和国劳动争议调解仲裁法》第27条"
    assert told["clock"]["state"] == "suspended"
    (again,) = await events(site, case, "clock.resumed")
    assert again["clock"]["due"] == "2027-09-20"


async def test_what_waits_has_the_new_latest_safe_time(site: Site) -> None:
    case = await site.case()
    await site.post(f"/v1/cases/{case}/progress", papers.body("failed"))
    transfer = (await site.post(f"/v1/cases/{case}/transfers", papers.body("transfer"))).json()["id"]
    limitation = await clock(site, case, "D13")
    path = f"/v1/clocks/{limitation['id']}"
    await site.post(f"{path}/suspend", {"reason": "不可抗力", "on": "2026-10-01"})
    await site.post(f"{path}/resume", {"reason": "不可抗力已消除", "on": "2026-10-08"})
    kept = await site.house.store.row("clock", limitation["id"])
    file = await site.house.store.load(case)
    assert kept is not None
    assert file is not None
    (waiting,) = [row for row in file.deliveries if row.about == transfer and row.endpoint == HR]
    assert waiting.safe_at == kept["safe_at"]


async def test_the_law_sets_the_bounds(site: Site) -> None:
    case = await site.case()
    agreement = await site.agreement(case)
    window = await clock(site, case, "D04")
    assert window["about"] == agreement
    refused = await site.post(f"/v1/clocks/{window['id']}/extend", AGREED | {"extended_by": 1})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_extension")
    refused = await site.post(f"/v1/clocks/{window['id']}/suspend", AGREED)
    assert (refused.status_code, refused.json()["code"]) == (409, "no_suspension")
    named = AGREED | {"article": "《中华人民共和国民事诉讼法》第86条"}
    assert (await site.post(f"/v1/clocks/{window['id']}/suspend", named)).json()["state"] == "suspended"
    (told,) = await events(site, case, "clock.suspended")
    assert told["article"] == named["article"]
    met = await clock(site, case, "D03")
    refused = await site.post(f"/v1/clocks/{met['id']}/extend", AGREED | {"extended_by": 5})
    assert (refused.status_code, refused.json()["code"], refused.json()["state"]) == (409, "clock_state", "met")
    refused = await site.post(f"/v1/clocks/{met['id']}/resume", AGREED)
    assert (refused.status_code, refused.json()["code"]) == (409, "clock_state")


async def test_an_approved_extension_has_the_laws_own_limit(busy: Site) -> None:
    """办案规则 art. 76: five days more, with approval."""
    case, _, confirmation = await busy.stage.chain()
    await busy.stage.delivered(case)
    await busy.stage.tell(busy.stage.word("confirmation", "accepted", ("confirmation", confirmation, "")))
    review = await clock(busy, case, "D06")
    assert review["due"] == "2026-10-15"
    for days, status in ((6, 409), (5, 200), (3, 409)):
        answer = await busy.post(
            f"/v1/ops/clocks/{review['id']}/extend", {"reason": "主任批准", "extended_by": days}, busy.op
        )
        assert answer.status_code == status, answer.text
    assert (await clock(busy, case, "D06"))["due"] == "2026-10-20"


async def test_an_expired_limit_that_is_prolonged_runs_again(site: Site) -> None:
    case = await site.case({"/received_at": "2026-09-16T09:00:00+08:00", "/accepted_at": papers.DROP})
    limit = await clock(site, case, "D03")
    await site.house.store.write("set_alarm", (limit["id"], None, "expired"))
    path = f"/v1/clocks/{limit['id']}/extend"
    assert (await site.post(path, AGREED | {"extended_by": 1})).json()["state"] == "expired", "its new end is past too"
    again = (await site.post(path, AGREED | {"extended_by": 20})).json()
    assert (again["state"], again["due"]) == ("running", "2026-10-21")


@pytest.mark.parametrize(
    ("act", "body", "status", "code"),
    [
        ("extend", {"extended_by": 5}, 422, "reason_missing"),
        ("extend", AGREED, 422, "body_field"),
        ("extend", AGREED | {"extended_by": 0}, 422, "body_field"),
        ("extend", AGREED | {"extended_by": True}, 422, "body_field"),
        ("extend", AGREED | {"extended_by": 5, "until": "2026-11-01"}, 422, "body_field"),
        ("suspend", AGREED | {"extended_by": 5}, 422, "body_field"),
        ("suspend", AGREED | {"on": "2026-13-01", "article": "第1条"}, 422, "body_field"),
        ("suspend", AGREED | {"on": 20261001, "article": "第1条"}, 422, "body_field"),
        ("suspend", AGREED | {"on": "2026-10-11", "article": "第1条"}, 422, "body_field"),
        ("suspend", AGREED | {"on": "2026-09-01", "article": "第1条"}, 422, "body_field"),
        ("suspend", AGREED | {"article": "张三的电话"}, 422, "body_field"),
        ("suspend", [], 400, "json_invalid"),
    ],
)
async def test_what_is_no_act(site: Site, act: str, body: Any, status: int, code: str) -> None:
    case = await site.case({"/accepted_at": papers.DROP})
    limit = await clock(site, case, "D03")
    counts = await site.counts()
    answer = await site.post(f"/v1/clocks/{limit['id']}/{act}", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await site.counts() == counts


async def test_a_clock_is_its_organisations_alone(site: Site) -> None:
    case = await site.case({"/accepted_at": papers.DROP})
    limit = await clock(site, case, "D03")
    body = AGREED | {"extended_by": 5}
    path = f"/v1/clocks/{limit['id']}/extend"
    assert (await site.post(path, body, site.stranger)).status_code == 404
    assert (await site.post(path, body, site.nobody)).status_code == 401
    assert (await site.post(f"/v1/ops{path.removeprefix('/v1')}", body)).status_code == 403
    assert (await site.post("/v1/clocks/clk_none/extend", body)).status_code == 404
    assert (await site.post(f"/v1/ops{path.removeprefix('/v1')}", body, site.op)).status_code == 200


async def test_a_correction_stops_the_courts_days_and_its_answer_ends_them(busy: Site) -> None:
    """民事诉讼法 art. 226, 解释 art. 126: the time of correction is not counted."""
    stage = busy.stage
    for to, rule, endpoint in (("arbitration", "D14", HR), ("payment_order", "D10", HR), ("court", None, COURT)):
        case = await stage.case()
        await stage.progress(case, "failed")
        transfer = await stage.transfer(case, to)
        await stage.delivered(case)
        named = ("transfer", transfer, "")
        await stage.tell(stage.word("transfer", "correction_required", named), endpoint=endpoint)
        if rule is not None:
            stopped = await clock(busy, case, rule)
            assert (stopped["state"], stopped["pauses"]) == ("suspended", [{"from": "2026-10-10", "until": None}])
            assert await events(busy, case, "clock.suspended")
        await stage.tell(stage.word("transfer", "filed", named), endpoint=endpoint)
        if rule is not None:
            assert (await clock(busy, case, rule))["state"] == "met"
        started = {one["clock"]["rule"] for one in await events(busy, case, "clock.started") if "transfer" in one}
        assert started == {"arbitration": {"D14", "D17"}, "payment_order": {"D10", "D11"}, "court": set()}[to]


async def test_the_award_is_awaited_until_its_day_and_then_the_parties_may_sue(busy: Site) -> None:
    """调解仲裁法 art. 43: 45 days from acceptance; after them suit."""
    stage = busy.stage
    case = await stage.case()
    await stage.progress(case, "failed")
    transfer = await stage.transfer(case)
    await stage.delivered(case)
    await stage.tell(stage.word("transfer", "filed", ("transfer", transfer, "")))
    (step,) = (await busy.up.get(f"/v1/transfers/{transfer}")).json()["next_steps"]
    assert (step["action"], step["until"]) == ("await_award", "2026-11-24")
    assert step["article"] == "《中华人民共和国劳动争议调解仲裁法》第43条"
    award = await clock(busy, case, "D17")
    await busy.house.store.write("set_alarm", (award["id"], None, "expired"))
    (step,) = (await busy.up.get(f"/v1/transfers/{transfer}")).json()["next_steps"]
    assert step["action"] == "sue_without_award"
    await stage.progress(case, "closed")
    other = await stage.case()
    await stage.progress(other, "failed")
    second = await stage.transfer(other)
    await stage.delivered(other)
    await stage.tell(stage.word("transfer", "filed", ("transfer", second, "")))
    await stage.progress(other, "closed", "2026-10-10T10:00:00+08:00")
    assert (await clock(busy, other, "D17"))["state"] == "cancelled"
    assert (await busy.up.get(f"/v1/transfers/{second}")).json()["next_steps"] == []
