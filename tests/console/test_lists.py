"""Lists: filters stand in the address, pages go by cursor, counts are bounded, every number finds its case."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from gateway.store import console
from gateway.store.console import DeliveryFilter, id_at, made_at
from gateway.store.ids import Ids
from gateway.store.lists import list_deliveries
from gateway.web.console import words
from gateway.web.console.conditions import read_filter
from tests.console.counter import Counter, Visitor
from tests.servers.databases import table


async def shown(visitor: Visitor, path: str) -> list[str]:
    """The deliveries of a list, in order."""
    return list(dict.fromkeys(re.findall(r'data-open="/console/deliveries/(dlv_\w+)"', (await visitor.get(path)).text)))


def test_an_id_tells_its_time_and_bounds_a_time() -> None:
    now = 1_790_672_703_123
    made = Ids(lambda: now, lambda size: b"\xff" * size).new("delivery")
    assert made_at(made) == now
    assert id_at("delivery", now) <= made < id_at("delivery", now + 1)
    assert made_at("nonsense") is None


def test_typed_conditions_override_the_fields() -> None:
    asked = read_filter({"q": "platform:union 状态：dead case:2026-7", "state": "rejected", "type": "nonsense"})
    wanted, fields = asked.filter, asked.fields
    assert wanted.states == ("dead",)
    assert wanted.endpoints == ("union",)
    assert fields == {"state": "dead", "platform": "union", "case": "2026-7"}
    assert asked.unknown == (("type", "nonsense"),)
    read = read_filter({"state": "nonsense", "from": "yesterday", "q": "状态:没有 foo:bar 别的"})
    assert read.filter == DeliveryFilter()
    assert read.unknown == (("foo", "bar"), ("", "别的"), ("状态", "没有"), ("from", "yesterday"))


@pytest.mark.parametrize("typed", ["状态:重试用尽", "state:dead", "STATUS:DEAD"])
def test_a_condition_may_be_typed_by_its_title(typed: str) -> None:
    assert read_filter({"q": typed}).filter.states == ("dead",)


def test_lengths_of_time_are_said_in_two_units() -> None:
    assert words.span(11_520_000, chinese=True) == "3 小时 12 分"
    assert words.span(90_061_000, chinese=False) == "1 d 1 h"
    assert words.span(400, chinese=True) == "0 秒"
    assert words.fit("济南市历下区", 6) == "济南…"
    assert words.fit("Court", 6) == "Court"


def test_a_bound_is_told_in_one_unit_and_an_amount_to_the_cent() -> None:
    told = [words.within(ms, chinese=True) for ms in (None, 100, 750, 1_000, 12_500, 90_000)]
    assert told == ["–", "≤ 0.1 秒", "≤ 0.75 秒", "≤ 1 秒", "≤ 12.5 秒", "≤ 1 分 30 秒"]
    assert words.within(1_000, chinese=False) == "≤ 1 s"
    assert [words.yuan(amount) for amount in ("12559.390000", "12559.4", "0", "1295553", "一万")] == [
        "12,559.39",
        "12,559.40",
        "0.00",
        "1,295,553.00",
        "一万",
    ]


async def test_pages_follow_each_other_without_gap_or_repeat(counter: Counter) -> None:
    for _ in range(60):
        await counter.site.case()
    everything = []
    path = "messages"
    while True:
        page = (await counter.viewer.get(path)).text
        everything += re.findall(r'data-open="/console/deliveries/(dlv_\w+)"', page)
        older = re.search(r'href="/console/(messages\?before=dlv_\w+)"', page)
        if older is None:
            break
        path = older.group(1)
    assert len(everything) == len(set(everything)) >= 120
    assert everything == sorted(everything, reverse=True)


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("state=rejected", "rejected"),
        ("state=failed&platform=court_mediation", "rejected"),
        ("cause=E2003", "rejected"),
        ("state=in_doubt&type=case.submitted", "doubt"),
        ("q=platform:union%20state:in_doubt", "doubt"),
        ("state=in_doubt&org=SD-LY-LS-007", "doubt"),
    ],
)
async def test_a_filter_shows_what_matches_alone(counter: Counter, query: str, key: str) -> None:
    await counter.journey()
    assert await shown(counter.viewer, f"messages?{query}") == [counter.ids[key]]


async def test_a_filter_that_matches_nothing_says_so(counter: Counter) -> None:
    await counter.journey()
    for query in ("state=dead", "platform=nobody", "case=unknown", "from=2030-01-01T00:00", "cause=none"):
        answer = await counter.viewer.get(f"messages?{query}")
        assert answer.status_code == 200
        assert await shown(counter.viewer, f"messages?{query}") == [], query


async def test_new_rows_are_told_not_pushed(counter: Counter) -> None:
    await counter.journey()
    newest = (await shown(counter.viewer, "messages"))[0]
    none = await counter.viewer.get(f"messages/newer?since={newest}", **{"X-Fragment": "bar"})
    assert none.json()["bar"].strip() == ""
    await counter.site.case()
    some = await counter.viewer.get(f"messages/newer?since={newest}", **{"X-Fragment": "bar"})
    assert re.search(r"[2-9]", some.json()["bar"])


async def test_a_case_is_found_by_every_number(counter: Counter) -> None:
    await counter.journey()
    await counter.tallied()
    store = counter.site.house.store
    case = counter.ids["case"]
    matter = await store.row("matter", case)
    assert matter is not None
    number = matter["business_key"].partition("|")[2]
    reference = (await store.rows("references_of", case))[0]["value"]
    for typed in (number, number.lower(), f" {number[:10]} {number[10:]}", reference, case, counter.ids["agreement"]):
        asked = await counter.viewer.post("search", {"q": typed})
        place = asked.headers["location"]
        while "/cases/" not in place or "agr_" in place:
            place = (await counter.viewer.http.get(place)).headers["location"]
        assert place.endswith(case), typed
    part = await counter.viewer.get(f"search?q={quote(number[-5:])}")
    assert case in part.text
    assert (await counter.viewer.get("search?q=%25%25")).status_code == 200


async def test_the_page_of_a_case_says_who_waits_for_whom(counter: Counter) -> None:
    await counter.journey()
    page = (await counter.viewer.get(f"cases/{counter.ids['case']}")).text
    assert page.count("<circle") >= 5
    assert "被拒绝" in page
    assert "第205条" in page
    assert "王**" in page
    assert (await counter.viewer.get("cases/case_00000000000000000000000000")).status_code == 404


async def test_a_rare_match_is_looked_for_within_bounds(counter: Counter) -> None:
    for _ in range(12):
        await counter.site.case()
    house = counter.site.house
    every = sorted(house.endpoints)
    wanted = DeliveryFilter(codes=("never",))
    page = await house.store.runner.read(console.find_deliveries, wanted, every, 50)
    assert page.rows == []
    assert page.before is None
    assert page.looked >= 24
    assert await house.store.runner.read(console.count_matching, wanted, every) is None


async def test_the_audit_trail_is_whole_and_a_change_in_it_is_found(counter: Counter) -> None:
    await counter.journey()
    await counter.operator.post("platforms/union/pause", {"reason": "维护"})
    auditor = counter.visitors["auditor"]
    assert "链条完整" in (await auditor.post("audit/verify")).text
    own = (await counter.operator.get("audit")).text
    assert 'title="endpoint.pause"' in own
    assert 'title="user.add"' not in own
    assert 'title="user.add"' in (await auditor.get("audit")).text
    await table(counter.site.house.store, "UPDATE audit SET reason = '别的' WHERE act = 'endpoint.pause'")
    broken = (await auditor.post("audit/verify")).text
    assert "断裂" in broken


async def test_the_audit_trail_of_a_case_is_found_by_its_number(counter: Counter) -> None:
    await counter.journey()
    await counter.tallied()  # a number is found by its spelling once it is counted
    for path, form in (
        ("platforms/union/pause", {"reason": "维护"}),
        (f"tasks/{counter.ids['task']}/assign", {"assignee": "oper01"}),
        (f"deliveries/{counter.ids['rejected']}/redrive", {"reason": "平台已更正"}),
    ):
        done = await counter.operator.post(path, form)
        assert done.status_code == 303, f"{path}: {done.status_code}"
    auditor = counter.visitors["auditor"]
    row = await counter.site.house.store.row("matter", counter.ids["case"])
    assert row is not None
    number = str(row["business_key"]).partition("|")[2]
    for given in (number, counter.ids["case"]):
        page = (await auditor.get(f"audit?target={quote(given)}")).text
        assert re.findall(r'<td class="nowrap" title="([a-z._]+)"', page) == ["delivery.redrive", "task.assign"]
        assert f'<a href="/console/deliveries/{counter.ids["rejected"]}">' in page
    exported = (await auditor.get(f"audit/export.csv?target={quote(number)}")).text
    assert ("delivery.redrive" in exported, "endpoint.pause" in exported) == (True, False)
    assert "没有这个对象的审计记录" in (await auditor.get("audit?target=nobody")).text
    assert f"/console/audit?target={counter.ids['case']}" in (await auditor.get(f"cases/{counter.ids['case']}")).text
    assert "/console/audit?target" not in (await counter.operator.get(f"cases/{counter.ids['case']}")).text


async def test_figures_add_up(counter: Counter) -> None:
    await counter.journey()
    await counter.tallied()
    figures = await counter.site.application.framework.state.desk.pulse.look("1h")
    store = counter.site.house.store
    delivered = await store.run(list_deliveries, "delivered", "", "", 1000)
    counted = sum(many for name, many in figures.series.items() if name.endswith("|delivered"))
    assert counted == len(delivered)
    assert sum(many for name, many in figures.series.items() if name.startswith("took|")) == counted
    messages = [row for case in ("case", "collective") for row in await store.rows("messages_of", counter.ids[case])]
    assert sum(many for name, many in figures.series.items() if name.startswith("in|")) == len(messages)
    assert figures.total("in_doubt") == 1
    page = (await counter.viewer.get("")).text
    assert re.search(r'data-number="delivered">' + str(counted) + "<", page)


async def test_regions_are_fetched_by_name_and_tagged(counter: Counter) -> None:
    await counter.journey()
    await counter.tallied()
    asked = {"X-Fragment": "flow,groups,nonsense"}
    found = await counter.viewer.get("", **asked)
    regions = found.json()
    assert set(regions) == {"flow", "groups"}
    assert regions["flow"].count("<svg") == 1
    assert "<html" not in regions["flow"]
    whole = (await counter.viewer.get("")).text
    assert regions["groups"] in whole
    same = await counter.viewer.get("", **asked, **{"If-None-Match": found.headers["etag"]})
    assert same.status_code in (200, 304)
    assert set((await counter.viewer.get("platforms", **{"X-Fragment": "table"})).json()) == {"table"}
