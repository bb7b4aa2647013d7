"""The operator's verbs in a real browser: find by 案号, understand why, replay safely in bulk; pause, wait, resume; and what
must hold when two work at once, eight tabs are open, the server goes away, or no script runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, Page, expect

from contracts.errors import PermanentError
from contracts.messages import HR
from gateway.store.lists import list_deliveries
from tests.console.browser import Room, open_room
from tests.console.counter import Counter
from tests.flow.stage import until

WAITING = 200
"""Deliveries that wait while a platform is paused."""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
async def room(counter: Counter) -> AsyncIterator[Room]:
    """A browser before the console of a house at work."""
    async with open_room(counter) as made:
        yield made
        assert made.troubles == []


async def refused(counter: Counter, many: int) -> str:
    """So many cases that a platform refuses; the first one's number."""
    counter.site.stage.puppet(HR).acts["case.submitted"].extend([PermanentError("E1001")] * many)
    cases = [await counter.site.case() for _ in range(many)]

    async def all_of_them() -> bool:
        return len(await counter.site.house.store.run(list_deliveries, "rejected", "", "", 99)) >= many

    await until(all_of_them, "they are refused")
    await counter.tallied()
    row = await counter.site.house.store.row("matter", cases[0])
    assert row is not None
    return str(row["business_key"].partition("|")[2])


async def test_find_understand_replay(room: Room) -> None:
    number = await refused(room.counter, 5)
    page = await room.enter(await room.context(), "operator")
    await page.keyboard.press("/")
    await page.keyboard.type(number)
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_contain_text(number)
    await expect(page.locator("main")).to_contain_text("被拒绝")
    await page.click("a:has-text('发往智慧人社：案件报送')")
    await expect(page.locator("h1")).to_contain_text("案件报送 → 智慧人社")
    await expect(page.locator("main")).to_contain_text("平台返回 E1001")
    await page.goto(f"{room.base}failures")
    row = page.locator("tbody tr").first
    await expect(row).to_contain_text("平台返回 E1001")
    await expect(row).to_contain_text("按平台理由更正后重报")
    await row.locator("text=批量重投").click()
    await expect(page.locator(".card b").first).to_have_text("5")
    await page.fill("textarea[name=reason]", "平台码表已修正")
    await page.select_option("select[name=per_minute]", "600")
    await page.click("text=开始 >> nth=-1")
    await expect(page.locator("h1")).to_have_text("批量重投")
    await expect(page.locator(".facts .chip")).to_have_text("已完成")
    await expect(page.locator(".facts")).to_contain_text("5 / 5")
    await expect(page.locator("nav.filters")).to_contain_text("成功 5")
    await expect(page.locator("text=暂停作业")).to_have_count(0)
    await expect(page.locator("text=终止作业")).to_have_count(0)
    await page.goto(f"{room.base}failures")
    await expect(page.locator("main")).to_contain_text("没有需要处理的失败")


async def test_pause_many_wait_resume(room: Room) -> None:
    page = await room.enter(await room.context(), "operator", f"platforms/{HR}")
    await page.click("summary:has-text('暂停平台')")
    await page.fill("#act-pause textarea", "周六维护")
    await page.click("#act-pause button")
    await expect(page.locator(".note")).to_contain_text("周六维护")
    watching = await room.enter(await room.context(), "viewer")
    for _ in range(WAITING):
        await room.counter.site.case()
    queued = watching.locator("svg [data-number=queued]")
    await expect(queued).to_have_text(str(WAITING))
    await expect(watching.locator("svg a", has_text="智慧人社")).to_contain_text("已暂停")
    await page.click("summary:has-text('恢复平台')")
    await page.fill("#act-resume textarea", "维护结束")
    await page.select_option("#act-resume select", "1200")
    sent_before, began = len(room.counter.site.stage.puppet(HR).sent), time.monotonic()
    await page.click("#act-resume button")
    await expect(page.locator(".ok")).to_be_visible()
    await asyncio.sleep(2)
    gone = len(room.counter.site.stage.puppet(HR).sent)
    assert sent_before == 0
    assert 0 < gone <= 20 * (time.monotonic() - began)
    await expect(queued).to_have_text("0", timeout=60_000)
    lasted = time.monotonic() - began
    print(f"{WAITING} waiting, resumed at 20/s: {lasted:.1f} s")  # noqa: T201 -- the figure is to be read
    assert lasted >= (WAITING - 1) / 20
    await expect(watching.locator("svg a", has_text="智慧人社")).to_contain_text("正常")
    sent = [wire.id for wire in room.counter.site.stage.puppet(HR).sent]
    assert len(sent) == len(set(sent)) == WAITING
    case = await room.counter.site.house.store.rows("newest_cases", "case_0", "case_zzz", 1)
    await watching.goto(f"{room.base}cases/{case[0]['id']}")
    await expect(watching.locator("main")).to_contain_text("暂停（operator 甲）：周六维护")
    await expect(watching.locator("main")).to_contain_text("恢复：operator 甲 维护结束")


async def test_a_second_operator_sees_the_job_and_an_administrator_lets_it_run(room: Room) -> None:
    await room.counter.journey()
    asking = await room.enter(await room.context(), "operator", "messages?state=rejected")
    await asking.click("text=重投全部符合条件的")
    await asking.fill("textarea[name=reason]", "法院已恢复")
    await asking.click("text=提交审批")
    await expect(asking.locator(".facts .chip")).to_have_text("待批准")
    approving = await room.enter(await room.context(), "administrator", "jobs")
    await approving.click("tbody tr a >> nth=0")
    await expect(approving.locator("main")).to_contain_text("法院已恢复")
    await approving.click("text=批准并开始")
    await expect(approving.locator(".facts .chip")).to_have_text("已完成")
    await expect(asking.locator(".facts .chip")).to_have_text("已完成")


async def test_the_eighth_tab_loads(room: Room) -> None:
    await room.counter.journey()
    context = await room.context()
    await room.enter(context, "operator")
    started = time.monotonic()
    pages = [await context.new_page() for _ in range(7)]
    for page in pages:
        await page.goto(room.base)
        await expect(page.locator("#live")).to_be_visible()
    assert time.monotonic() - started < 30
    await pages[-1].click("text=消息 >> nth=0")
    await expect(pages[-1].locator("h1")).to_have_text("消息")


async def test_the_server_goes_and_comes_and_nothing_chosen_is_lost(room: Room) -> None:
    await refused(room.counter, 3)
    page = await room.enter(await room.context(), "operator", "messages?state=failed")
    await page.check("tbody input >> nth=1")
    await expect(page.locator("#live")).to_contain_text("实时")
    began = time.monotonic()
    await room.away()
    assert time.monotonic() - began < 5
    await expect(page.locator("#stale")).to_be_visible(timeout=8_000)
    await expect(page.locator("#stale")).to_contain_text("实时连接中断")
    await room.back()
    await expect(page.locator("#stale")).to_be_hidden(timeout=20_000)
    await expect(page.locator("#live")).to_contain_text("实时")
    await expect(page.locator("tbody input >> nth=1")).to_be_checked()
    await page.reload()
    await expect(page.locator("tbody input >> nth=1")).to_be_checked()


async def test_new_messages_are_told_and_the_list_does_not_move(room: Room) -> None:
    await refused(room.counter, 3)
    page = await room.enter(await room.context(), "viewer", "messages")
    first = await page.locator("tbody tr").first.get_attribute("data-open")
    await room.counter.site.case()
    await expect(page.locator("#fresh")).to_be_visible()
    await expect(page.locator("#fresh")).to_contain_text("条新消息")
    assert await page.locator("tbody tr").first.get_attribute("data-open") == first
    await page.click("#fresh a")
    await expect(page.locator("tbody tr").first).not_to_have_attribute("data-open", first or "")


async def test_without_a_script_one_reads_filters_and_replays(room: Room) -> None:
    number = await refused(room.counter, 2)
    page = await room.enter(await room.context(scripts=False), "operator", "messages")
    await page.select_option("select[name=state]", "rejected")
    await page.click("button:has-text('查询')")
    await expect(page.locator("tbody tr[data-open]")).to_have_count(2)
    await page.fill("#q", number)
    await page.press("#q", "Enter")
    await expect(page.locator("h1")).to_contain_text(number)
    await page.goto(f"{room.base}messages?state=rejected")
    await page.click("tbody tr a >> nth=0")
    await page.click("summary:has-text('重新投递')")
    await page.fill("#act-redrive textarea", "无脚本也可以")
    await page.click("#act-redrive button")
    await expect(page.locator("main")).to_contain_text("已重新排队")


async def test_keys_move_open_and_can_be_switched_off(room: Room) -> None:
    await refused(room.counter, 3)
    page = await room.enter(await room.context(), "operator", "messages?state=failed")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await expect(page.locator("tbody input >> nth=1")).to_be_checked()
    await page.keyboard.press("?")
    await expect(page.locator("#keys")).to_be_visible()
    await page.uncheck("#keys-toggle")
    await page.keyboard.press("Escape")
    await page.click("h1")
    await page.keyboard.press("g")
    await page.keyboard.press("o")
    await expect(page.locator("h1")).to_have_text("消息")


async def test_a_revealed_field_is_hidden_again(room: Room) -> None:
    await room.counter.journey()
    page = await room.enter(await room.context(), "operator", f"deliveries/{room.counter.ids['delivered']}")
    await page.clock.install()
    place = page.locator("tr", has_text="姓名或者名称").first
    await place.locator("summary").click()
    await place.locator("input[name=reason]").fill("核对身份")
    await place.locator("button").click()
    shown = page.locator(".note .plain")
    await expect(shown).to_be_visible()
    value = await shown.inner_text()
    assert len(value) >= 2
    assert "*" not in value
    await page.clock.fast_forward(61_000)
    await expect(page.locator("body")).not_to_contain_text(value)


async def audited(page: Page, address: str, language: str) -> list[str]:
    """What the rules of accessibility find on a page."""
    await page.goto(address)
    await page.wait_for_timeout(150)
    found = (await Axe().run(page)).response["violations"]
    return [f"{address} {language} {one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_no_page_breaks_a_rule_of_accessibility(room: Room, language: str) -> None:
    await room.counter.journey()
    await refused(room.counter, 2)
    await room.counter.tallied()
    context: BrowserContext = await room.context(bypass_csp=True, locale="zh-CN" if language == "zh" else "en-US")
    front = await context.new_page()
    found = await audited(front, f"{room.base}login", language)
    page = await room.enter(context, "administrator")
    addresses = [*room.counter.addresses(), "jobs", "jobs/new?state=rejected", "users", "messages?state=failed"]
    for path in addresses:
        if path != "messages/newer" and "export" not in path:
            found += await audited(page, room.base + path, language)
    assert found == []
