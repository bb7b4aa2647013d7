"""What pages say of the same thing is the same on all of them, and in words that people know."""

from __future__ import annotations

import re
from collections import Counter as Counts

import pytest

from gateway.store.console import Figures
from gateway.web.console.flow_map import draw
from tests.console.counter import Counter


def figures(standing: dict[str, int], series: dict[str, int]) -> Figures:
    """What stands with the union and what flowed to it."""
    return Figures(
        now=0,
        since=0,
        step=60,
        endpoints=[],
        standing={"union": Counts(standing)},
        oldest={},
        series=Counts(series),
        buckets={},
        callbacks=Counts(),
        tasks=0,
        newest_task="",
        clocks=[],
        over=[],
        jobs=[],
        position=1,
    )


def test_what_was_relayed_and_then_delivered_is_one_message_on_the_map() -> None:
    """The tallies hold both words of it; the table beside the map counts it once."""
    flowed = {"out|union|relayed": 40, "out|union|delivered": 36, "out|union|rejected": 1}
    (node,) = draw(figures({"relayed": 3, "pending": 2}, flowed), {}, {"union": "工会"}).right
    assert node.count == 36 + 1 + 3 + 2
    assert node.failing == 1


async def test_whoever_sees_metadata_alone_is_told_so(counter: Counter) -> None:
    await counter.journey()
    case = f"cases/{counter.ids['case']}"
    told = "您的角色只看元数据"
    assert told in (await counter.visitors["auditor"].get(case)).text
    shown = (await counter.viewer.get(case)).text
    assert told not in shown
    agreement = await counter.site.house.store.row("matter", counter.ids["agreement"])
    assert agreement is not None
    assert f'<a href="/console/messages/{agreement["message"]}">调解协议</a>' in shown


async def test_on_paper_every_time_has_its_year(counter: Counter) -> None:
    await counter.journey()
    page = (await counter.viewer.get(f"cases/{counter.ids['case']}")).text
    times = re.findall(r'<time datetime="(\d{4}-)[^>]*>(.*?)</time>', page)
    assert len(times) > 5
    assert all(said.startswith(f'<span class="y">{year}</span>') for year, said in times)


async def test_an_alert_names_the_case_by_its_number(counter: Counter) -> None:
    case = await counter.site.case()
    document = (await counter.site.up.get(f"/v1/cases/{case}")).json()["document"]
    store = counter.site.house.store
    await store.write("open_alert", (store.ids.new("alert"), "deadline", case, "4"))
    page = (await counter.viewer.get("alerts")).text
    assert f">{document['source_case_no']}</a>" in page


async def test_a_period_is_told_by_its_title_and_its_code_stands_beside(counter: Counter) -> None:
    case = await counter.site.case()
    for path in ("cases", f"cases/{case}"):
        page = (await counter.operator.get(path)).text
        assert 'title="D03"' in page or 'title="D01"' in page, path
        assert not re.search(r">[^<]*\bD\d\d[^<]*<", page), f"a rule's code among the words of {path}"
    assert "中止：" in page


async def test_a_record_that_is_not_there_leads_on(counter: Counter) -> None:
    page = await counter.viewer.get("cases/case_01M4HZFH0TE0CWKR19Y11Q24RY")
    assert page.status_code == 404
    assert "未找到该记录" in page.text
    assert 'href="/console/cases">返回案件</a>' in page.text
    assert 'href="/console/search">' in page.text
    number = await counter.viewer.get("cases/370102-LX001-2026-77777")
    assert (number.status_code, number.headers["location"]) == (303, "/console/cases?case=370102-LX001-2026-77777")


async def test_an_empty_list_says_what_was_looked_at(counter: Counter) -> None:
    assert "放宽时间" not in (await counter.viewer.get("messages?state=dead")).text
    assert "放宽时间" in (await counter.viewer.get("messages?state=dead&from=2026-01-01T00:00")).text
    found = (await counter.viewer.get("search?q=00057-none")).text
    assert "查找：00057-none" in found
    assert "姓名或号码的一部分" not in found, "whoever may not search for people is told just that"
    assert "您的角色没有此项权限" in found
    assert "姓名或号码的一部分" in (await counter.operator.get("search")).text
    case = await counter.site.case()
    assert '<p class="empty">–</p>' not in (await counter.viewer.get(f"cases/{case}")).text


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-13-45", "junk"])
async def test_a_file_of_any_period_is_whole(counter: Counter, day: str) -> None:
    for path in ("ledger", "ledger/export.csv", "ledger/export.xlsx", "statistics"):
        for name in ("from", "to"):
            page = await counter.operator.get(f"{path}?{name}={day}")
            assert page.status_code == 200, (path, name)


async def test_an_address_with_a_word_that_nobody_knows(counter: Counter) -> None:
    """What was done is told by the address; a word that somebody made up is told nothing about."""
    await counter.journey()
    for path in ("platforms/union", f"tasks/{counter.ids['task']}", f"deliveries/{counter.ids['rejected']}"):
        assert (await counter.operator.get(f"{path}?done=nothing")).status_code == 200, path
    assert (await counter.visitors["administrator"].get("users?done=nothing")).status_code == 200
