"""Maintenance windows by the pages: planned, shown everywhere, held, told in the journey, taken back; resuming at a rate."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.chinese_calendar import BEIJING
from contracts.messages import HR
from contracts.moments import in_beijing
from gateway.store.lists import list_deliveries
from tests.console.counter import Counter
from tests.flow.stage import until


def local(counter: Counter, **shift: float) -> str:
    """A time as a field holds it, from the house's now on."""
    moment: datetime = in_beijing(counter.site.house.store.now_ms()) + timedelta(**shift)
    return moment.astimezone(BEIJING).strftime("%Y-%m-%dT%H:%M:%S")


async def plan(counter: Counter, since: str, until_: str, reason: str = "周六维护", **more: str) -> int:
    told = {"from": since, "to": until_, "reason": reason, **more}
    return (await counter.operator.post(f"platforms/{HR}/window", told)).status_code


async def test_a_window_is_planned_shown_and_taken_back(counter: Counter) -> None:
    assert await plan(counter, local(counter, hours=2), local(counter, hours=4)) == 303
    assert await plan(counter, local(counter, hours=3), local(counter, hours=5)) == 409
    assert await plan(counter, local(counter, hours=5), local(counter, hours=5)) == 409
    assert await plan(counter, "", local(counter, hours=5)) == 422
    assert await plan(counter, local(counter, hours=5), local(counter, hours=6), "") == 422
    assert (await counter.viewer.post(f"platforms/{HR}/window", {"reason": "x"})).status_code == 403
    page = (await counter.operator.get(f"platforms/{HR}")).text
    assert "未开始" in page
    assert "周六维护" in page
    assert "下次维护" in (await counter.viewer.get("platforms")).text
    assert "周六维护" in (await counter.viewer.get("")).text
    rows = await counter.site.house.store.rows("holds_of", HR, 9)
    back = {"window": rows[0]["id"], "reason": "改期"}
    assert (await counter.operator.post(f"platforms/{HR}/window_back", back)).status_code == 303
    assert (await counter.operator.post(f"platforms/{HR}/window_back", back)).status_code == 409
    assert "已撤销" in (await counter.operator.get(f"platforms/{HR}")).text
    assert "周六维护" not in (await counter.viewer.get("")).text


async def test_a_window_holds_tells_and_lets_go(counter: Counter) -> None:
    store = counter.site.house.store
    assert await plan(counter, local(counter), local(counter, seconds=4), per_minute="600") == 303

    async def begun() -> bool:
        return any(row["paused"] for row in await store.rows("all_endpoints"))

    await until(begun, "the window has begun")
    case = await counter.site.case()
    for path in (f"platforms/{HR}", "platforms", ""):
        assert "维护中" in (await counter.viewer.get(path)).text, path
    waiting = await store.run(list_deliveries, "pending", HR, "", 9)
    page = (await counter.viewer.get(f"deliveries/{waiting[0]['id']}")).text
    assert "周六维护" in page

    async def delivered() -> bool:
        return not await store.run(list_deliveries, "pending", HR, "", 9)

    await until(delivered, "what waited went by itself")
    journey = (await counter.viewer.get(f"cases/{case}")).text
    assert "维护（operator 甲）：周六维护" in journey
    assert "恢复：到点自动恢复" in journey
    english = (await counter.viewer.get(f"cases/{case}", **{"Accept-Language": "en"})).text
    assert "flows again: by itself, on time" in english


async def test_a_pause_by_hand_stands_in_the_journey_with_names_and_reasons(counter: Counter) -> None:
    await counter.operator.post(f"platforms/{HR}/pause", {"reason": "证书更换"})
    case = await counter.site.case()
    await counter.operator.post(f"platforms/{HR}/resume", {"reason": "证书已换", "per_minute": "1200"})
    journey = (await counter.viewer.get(f"cases/{case}")).text
    assert "暂停（operator 甲）：证书更换" in journey
    assert "恢复：operator 甲 证书已换" in journey
    await counter.operator.post(f"platforms/{HR}/pause", {"reason": "与本案无关"})

    async def delivered() -> bool:
        return not await counter.site.house.store.run(list_deliveries, "pending", HR, "", 9)

    await counter.operator.post(f"platforms/{HR}/resume", {"reason": "好了"})
    await until(delivered, "it is delivered")
    await counter.operator.post(f"platforms/{HR}/pause", {"reason": "以后的暂停"})
    assert "以后的暂停" not in (await counter.viewer.get(f"cases/{case}")).text
