"""The console's budgets (``console.md`` §3.8), printed and held: weight, first paint on a slow machine, lists and searches over
a million deliveries."""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page

from gateway.store.store import Store
from tests.console.browser import Room, open_room
from tests.console.counter import Counter, Visitor
from tests.servers.databases import table

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

FIRST_LOAD = 60 * 1024
SCRIPT = 20 * 1024
FIRST_PAINT_MS = 1_000
SLOWER = 6
LIST_MS = 300
GROUPS_MS = 500
CASES, DELIVERIES = 100_000, 1_000_000


@pytest.fixture
async def room(counter: Counter) -> AsyncIterator[Room]:
    """A browser before the console of a house at work."""
    async with open_room(counter) as made:
        yield made
        assert made.troubles == []


def told(line: str) -> None:
    """Print a measured budget."""
    print(line)  # noqa: T201 -- budgets are to be read


async def test_the_first_load_is_light_and_the_first_paint_quick_on_a_slow_machine(room: Room) -> None:
    await room.counter.journey()
    await room.counter.tallied()
    context = await room.context()
    await (await room.enter(context, "viewer")).close()
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    await session.send("Network.enable")
    await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    await page.goto(room.base)
    await page.wait_for_timeout(300)
    weight, many = sum(received), len(received)
    script = len(await (await page.request.get(await _script(page))).body())
    await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    paints = []
    for _ in range(3):
        await page.goto(room.base)
        await page.wait_for_timeout(400)
        paints.append(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
    paint = statistics.median(paints)
    told(f"\nfirst load {weight / 1024:.1f} KB in {many} answers (<= 60), script {script / 1024:.1f} KB (<= 20)")
    told(f"first paint {paint:.0f} ms on a {SLOWER} times slower machine (< {FIRST_PAINT_MS})")
    assert weight <= FIRST_LOAD
    assert script <= SCRIPT
    assert paint < FIRST_PAINT_MS


async def _script(page: Page) -> str:
    return str(await page.evaluate("document.querySelector('script[src]').src"))


_FILL = (
    (
        CASES,
        """
WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < :many),
  m AS (SELECT i, 'case_01K00000000000' || substr(CAST(1000000000000 + i AS TEXT), 2) AS id,
    '370102-2025-' || substr(CAST(1000000 + i AS TEXT), 2) AS no FROM n)
INSERT INTO matters (id, kind, subject, organization, business_key, status, version, message, active, created_at, updated_at)
SELECT id, 'case', id, 'SD-JN-LX-001', 'SD-JN-LX-001|' || no, 'mediating', 1, 'msg_0', TRUE,
  1760000000000 + i, 1760000000000 + i FROM m
""",
    ),
    (
        CASES,
        """
WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < :many),
  m AS (SELECT i, 'case_01K00000000000' || substr(CAST(1000000000000 + i AS TEXT), 2) AS id,
    '370102-2025-' || substr(CAST(1000000 + i AS TEXT), 2) AS no FROM n)
INSERT INTO numbers (folded, about, backwards, subject) SELECT no, id, 'x' || i, id FROM m
""",
    ),
    (
        DELIVERIES,
        """
WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < :many)
INSERT INTO deliveries (id, message, type, about, endpoint, subject, sequence, class, state, next_at, attempts, code,
  created_at, finished_at)
SELECT 'dlv_01K00000000000' || substr(CAST(1000000000000 + i AS TEXT), 2), 'msg_' || i, 'case.submitted', '',
  CASE i % 3 WHEN 0 THEN 'court_mediation' WHEN 1 THEN 'hr_arbitration' ELSE 'one_stop' END,
  'case_01K00000000000' || substr(CAST(1000000000001 + i % 100000 AS TEXT), 2), i, 'standard',
  CASE WHEN i % 50 = 0 THEN 'dead' ELSE 'delivered' END, 0, 1,
  CASE WHEN i % 50 = 0 THEN 'http_503' END, 1760000000000 + i, 1760000000000 + i FROM n
""",
    ),
)
"""A hundred thousand cases of ten deliveries each; one in fifty failed, the others arrived."""


async def fill(store: Store) -> None:
    """Write them on either engine, past the gateway."""
    for many, statement in _FILL:
        await table(store, statement.replace(":many", str(many)))
    await table(store, "ANALYZE")


async def p95(visitor: Visitor, path: str, *, post: dict[str, str] | None = None) -> float:
    """The slowest but one of twenty calls, in ms."""
    lasted = []
    for _ in range(20):
        began = time.perf_counter()
        answer = await (visitor.get(path) if post is None else visitor.post(path, post))
        lasted.append(1000 * (time.perf_counter() - began))
        assert answer.status_code in (200, 303), (path, answer.status_code)
    return sorted(lasted)[-2]


async def test_lists_and_searches_are_quick_over_a_million_deliveries(counter: Counter) -> None:
    await counter.site.case()
    began = time.monotonic()
    await fill(counter.site.house.store)
    told(f"\n{DELIVERIES:,} deliveries of {CASES:,} cases made in {time.monotonic() - began:.0f} s")
    operator = counter.operator
    page = (await operator.get("messages")).text
    assert page.count("data-open=") == 50
    lists = {
        "messages": await p95(operator, "messages"),
        "messages, failed": await p95(operator, "messages?state=failed"),
        "messages, one platform": await p95(operator, "messages?platform=court_mediation"),
        "messages, page 2": await p95(operator, "messages?before=dlv_01K00000000000000000500000"),
        "messages of a case": await p95(operator, "messages?case=370102-2025-077777"),
        "cases": await p95(operator, "cases"),
        "search by 案号": await p95(operator, "search", post={"q": "370102-2025-077777"}),
        "search page": await p95(operator, "search?q=077777"),
    }
    groups = {"failures": await p95(operator, "failures"), "overview": await p95(operator, "")}
    for name, lasted in lists.items():
        told(f"{name}: p95 {lasted:.0f} ms (< {LIST_MS})")
    for name, lasted in groups.items():
        told(f"{name}: p95 {lasted:.0f} ms (< {GROUPS_MS})")
    assert max(lists.values()) < LIST_MS
    assert max(groups.values()) < GROUPS_MS
