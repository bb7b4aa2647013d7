"""A collective dispute: 23 workers, one case, three platforms told at once and each acknowledgement tracked."""

from __future__ import annotations

from contracts.messages import HR, ONE_STOP, UNION
from gateway.flow.timing.reminders import Reminders
from tests.flow import papers
from tests.journeys.province import Province


async def test_the_alert_of_23_workers_is_acknowledged_by_three_platforms(province: Province) -> None:
    case = await province.case(name="collective")
    await province.post(f"/v1/cases/{case}/alerts", papers.body("alert"))
    for platform in (HR, ONE_STOP, UNION):
        await province.delivered(case, "case.alerted", platform)
    read = await province.get(f"/v1/cases/{case}/platforms")
    for view in read["platforms"]:
        assert {"case.alerted": "delivered"}.items() <= {told["type"]: told["state"] for told in view["told"]}.items()
    assert await province.tasks("alert_unanswered") == []


async def test_an_alert_that_one_platform_does_not_take_goes_to_a_person(province: Province) -> None:
    case = await province.case(name="collective")
    for platform in (HR, ONE_STOP, UNION):
        await province.delivered(case, "case.submitted", platform)
    await province.house.store.write("pause_endpoint", (UNION, "operator", "test"))
    await province.post(f"/v1/cases/{case}/alerts", papers.body("alert"))
    for platform in (HR, ONE_STOP):
        await province.delivered(case, "case.alerted", platform)
    province.gateway.clock.skip(2 * 3600 + 1)
    await province.set_clocks()
    await Reminders(province.house.store).alerts()
    (task,) = await province.tasks("alert_unanswered")
    assert task["endpoint"] == UNION
    await province.house.store.write("resume_endpoint", (UNION,))
    province.house.bells.committed()
    await province.delivered(case, "case.alerted", UNION)
    assert await province.tasks("alert_unanswered") == [], "its delivery answered the task"
