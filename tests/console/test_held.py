"""What is held says by whom: a time that is over is no next time, and our breaker is not the platform's word."""

from __future__ import annotations

import re

from contracts.errors import RetryableError
from contracts.messages import HR
from gateway.store.lists import list_deliveries
from tests.console.counter import Counter
from tests.flow.stage import until


async def waiting(counter: Counter) -> str:
    """A delivery that waits for the platform."""

    async def there() -> bool:
        return bool(await counter.site.house.store.run(list_deliveries, "pending", HR, "", 9))

    await until(there, "it waits")
    rows = await counter.site.house.store.run(list_deliveries, "pending", HR, "", 9)
    return str(rows[0]["id"])


async def test_what_a_pause_holds_names_no_time(counter: Counter) -> None:
    await counter.operator.post(f"platforms/{HR}/pause", {"reason": "维护"})
    case = await counter.site.case()
    delivery = await waiting(counter)
    for path in (f"messages?platform={HR}", f"platforms/{HR}", f"cases/{case}", f"deliveries/{delivery}"):
        assert "平台已暂停" in (await counter.viewer.get(path)).text, path
    page = (await counter.viewer.get(f"deliveries/{delivery}")).text
    assert "轮到它投递" not in page
    assert re.search(r"下一次计划 · <span[^>]*>平台已暂停", page)


async def test_our_breaker_is_told_as_ours(counter: Counter) -> None:
    store = counter.site.house.store
    counter.site.stage.puppet(HR).acts["case.submitted"].extend([RetryableError("http_503")] * 99)
    await counter.site.case()
    delivery = await waiting(counter)
    await store.write("set_flow", (HR, 4, store.now_ms() + 600_000))
    await store.write("set_breaker", (HR, 9, "open"))
    for path in (f"messages?platform={HR}", f"platforms/{HR}", "platforms", f"deliveries/{delivery}"):
        page = (await counter.viewer.get(path)).text
        assert re.search(r"熔断中，(\d\d:\d\d:\d\d 起|到时先投一条)试探", page), path
        assert "平台要求稍后再试" not in page, path
    await store.write("set_breaker", (HR, 0, "closed"))
    assert "平台要求稍后再试" in (await counter.viewer.get(f"deliveries/{delivery}")).text


async def test_a_group_at_a_platform_that_is_held_is_not_said_to_be_tried_by_itself(counter: Counter) -> None:
    store = counter.site.house.store
    counter.site.stage.puppet(HR).acts["case.submitted"].extend([RetryableError("timeout")] * 99)
    await counter.site.case()

    async def tried() -> bool:
        return any(one["code"] for one in await store.run(list_deliveries, "pending", HR, "", 9))

    await until(tried, "it failed once")
    assert "恢复平台后继续投递" not in (await counter.viewer.get("failures")).text
    await counter.operator.post(f"platforms/{HR}/pause", {"reason": "维护"})
    await counter.site.case()
    for path in ("failures", ""):
        page = (await counter.viewer.get(path)).text
        assert '<span class="warn">平台已暂停</span>：恢复平台后继续投递' in page, path
    counter.site.application.framework.state.desk.pulse.forget()
    queued = len([one for one in await store.run(list_deliveries, "pending", "", "", 99) if one["code"] is None])
    assert f">排队中 {queued} 条</a>" in (await counter.viewer.get("failures")).text


async def test_a_next_time_that_is_over_is_left_out(counter: Counter) -> None:
    """The row is picked up at any moment: until then its time says nothing."""
    await counter.operator.post(f"platforms/{HR}/pause", {"reason": "维护"})
    await counter.site.case()
    await waiting(counter)
    row = re.search(
        r"<tr data-open=\"/console/deliveries/dlv_.*?</tr>",
        (await counter.viewer.get(f"messages?platform={HR}")).text,
        re.S,
    )
    assert row is not None
    assert row.group().count("<time") == 1, "the time of the row, and no other"
