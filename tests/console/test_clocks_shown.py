"""A case's page says which of its clocks was prolonged or stands still, and since when."""

from __future__ import annotations

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
