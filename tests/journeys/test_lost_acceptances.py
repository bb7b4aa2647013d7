"""Three in ten filings are accepted and never answered, at all four platforms: counted, no outcome is false, and everything is
settled or stands before a person."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from contracts.messages import COURT, HR, ONE_STOP, UNION
from gateway.store.lists import list_deliveries
from tests.flow import papers
from tests.house import Gateways
from tests.journeys import province as places
from tests.journeys.province import Province
from tests.journeys.test_failures import AUTHORITIES, failed_case

CASES = 12
SHARE = 0.3
FILINGS = {HR: "TJ1003", ONE_STOP: "reportCase", COURT: "transfer/add", UNION: "support"}
"""What is lost at each platform: one operation, of which each case brings one at the most."""

_TO = ("court", "legal_aid")
_LIMITS: dict[str, Any] = {"deadline_s": 1.5, "deadline_files_s": 1.5, "connect_s": 0.5}


@pytest.fixture
async def province(gateway: Gateways, tmp_path: Any) -> AsyncIterator[Province]:
    """The platforms, and attempts that soon give up waiting."""
    with pytest.MonkeyPatch.context() as patch:
        for name in FILINGS:
            more = {"exchange_s": 1.2} if name == ONE_STOP else {}
            patch.setitem(places._OURS, name, places._OURS[name] | _LIMITS | more)
        opened = await Province.open(gateway, tmp_path / "mocks")
    yield opened
    await opened.close()


async def _rest(province: Province) -> list[dict[str, Any]]:
    """Every delivery, once none is under way."""

    async def there() -> list[dict[str, Any]] | None:
        rows = [dict(row) for row in await province.house.store.run(list_deliveries, "", "", "", 10_000)]
        return None if any(row["state"] in ("pending", "relayed") for row in rows) else rows

    found: list[dict[str, Any]] = await province.until(there, "every delivery has come to rest", 60)
    return found


@pytest.mark.timeout(180)
async def test_no_outcome_is_false_where_three_in_ten_answers_are_lost(province: Province) -> None:
    chance, lost = Random(20_261_010), Counter[str]()
    cases = []
    for number in range(CASES):
        for platform, operation in FILINGS.items():
            if chance.random() < SHARE:
                fault = {"op": operation, "action": "accept_then_silent"}
                await province.http.post(f"{province.urls[platform]}/_mock/faults", json=[fault])
        case = await failed_case(province)
        to = _TO[number % 2]
        body = papers.body("transfer", {"/to": to, "/authority": AUTHORITIES[to]})
        await province.post(f"/v1/cases/{case}/transfers", body)
        cases.append(case)
        await asyncio.sleep(0.1)
    rows = await _rest(province)
    tasks = {task["about"] for task in await province.tasks()}
    for platform in FILINGS:
        filings = {one.operation for one in province.house.endpoints[platform].adapter.info.capabilities}
        entries = [one for one in await province.journal(platform) if one["kind"] in filings]
        booked = Counter(one["message_id"] for one in entries if one["effect"] == "created")
        for row in (row for row in rows if row["endpoint"] == platform):
            there = max(booked[row["id"]], booked[row["message"]])
            what = f"{platform}: {row['type']} is {row['state']}, and the platform has {there}"
            assert there <= 1, what
            if row["state"] == "delivered":
                assert there == 1, what
            else:
                assert row["state"] == "in_doubt", what
                assert row["id"] in tasks, "a person knows"
            lost[platform] += row["doubt_at"] is not None or row["attempts"] > 1
    assert sum(lost.values()) >= 6, f"hardly anything was lost: {lost}"
    states = Counter((row["endpoint"], row["state"]) for row in rows)
    assert not any(state in ("dead", "rejected", "expired") for _, state in states), states
    for name in (HR, ONE_STOP, COURT):
        assert states[name, "in_doubt"] == 0, "what can be repeated or asked for bothers nobody"
