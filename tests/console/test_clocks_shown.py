"""A case's page says which of its clocks was prolonged or stands still, and since when."""

from __future__ import annotations

import re

from gateway.flow.clock import Alarms
from tests.console.counter import Counter
from tests.flow import papers


async def test_a_prolonged_and_a_suspended_clock(counter: Counter) -> None:
    case = await counter.site.case({"/received_at": "2026-10-08T09:00:00+08:00", "/accepted_at": papers.DROP})
    rules = {row["rule"]: row["id"] for row in await counter.site.house.store.rows("clocks_of", case)}
    longer = {"reason": "双方同意", "extended_by": 15}
    assert (await counter.site.post(f"/v1/clocks/{rules['D03']}/extend", longer)).status_code == 200
    force = {"reason": "不可抗力", "on": "2026-10-09"}
    assert (await counter.site.post(f"/v1/clocks/{rules['D13']}/suspend", force)).status_code == 200
    page = (await counter.viewer.get(f"cases/{case}")).text
    assert "已延长15日" in page
    assert "自2026-10-09起中止" in page
    assert "2026-11-09 24:00" in page


async def test_a_case_past_its_mediation_period_is_shown_everywhere(counter: Counter) -> None:
    """On the overview, in the list and on its own page, in red; once it has ended, no more."""
    house = counter.site.house
    case = await counter.site.case(
        {"/received_at": "2026-09-01T09:00:00+08:00", "/accepted_at": "2026-09-02T09:00:00+08:00"}
    )
    for _ in range(3):
        await Alarms(house.store).turn()
    states = {row["rule"]: row["state"] for row in await house.store.rows("clocks_of", case)}
    assert states["D03"] == "expired", "received on September 1, fifteen days"
    over = re.compile(r"已超期 \d+ 天")
    for page in ("", "cases", f"cases/{case}"):
        text = (await counter.viewer.get(page)).text
        assert over.search(text), page
    assert re.search(r'data-number="overdue">1<', (await counter.viewer.get("")).text)
    await counter.site.stage.progress(case, "failed", "2026-09-30T14:00:00+08:00")
    for page in ("cases", f"cases/{case}"):
        assert not over.search((await counter.viewer.get(page)).text), page
