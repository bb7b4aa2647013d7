"""Menus, help and pictures in a real browser: what opens closes again, takes the focus and gives it back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from contracts.messages import COURT, HR
from gateway.store.lists import list_deliveries
from gateway.store.unit import NewTask
from tests.console.browser import Room, open_room
from tests.console.counter import Counter
from tests.flow.stage import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
async def room(counter: Counter) -> AsyncIterator[Room]:
    """A browser before the console of a house at work."""
    async with open_room(counter) as made:
        yield made
        assert made.troubles == []


async def test_more_closes_on_escape_and_beside_it(room: Room) -> None:
    page = await room.enter(await room.context(), "operator")
    more = page.locator("details.more")
    await page.click("details.more summary")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Escape")
    await expect(more).not_to_have_attribute("open", "")
    assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"
    await page.click("details.more summary")
    await page.click("h1")
    await expect(more).not_to_have_attribute("open", "")


async def test_the_help_takes_the_focus_and_gives_it_back(room: Room) -> None:
    page = await room.enter(await room.context(), "operator", "messages")
    await page.focus("button.main")
    await page.keyboard.press("?")
    await expect(page.locator("#keys")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#keys")).to_be_hidden()
    await expect(page.locator("button.main")).to_be_focused()


async def test_a_form_that_comes_back_has_the_cursor_in_the_wrong_field(room: Room) -> None:
    page = await room.enter(await room.context(), "operator", f"platforms/{HR}")
    await page.click("#act-window summary")
    await page.fill("#act-window textarea", "周六维护")
    await page.fill("#act-window [name=from]", "2099-12-05T10:00")
    await page.fill("#act-window [name=to]", "2099-12-05T09:00")
    await page.click("#act-window button")
    await expect(page.locator("#act-window [name=to]")).to_be_focused()
    await expect(page.locator("#act-window textarea")).to_have_value("周六维护")
    await page.goto(page.url)
    assert page.url == f"{room.base}platforms/{HR}"


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_journey_shows_its_newest_end(room: Room, scripts: bool) -> None:
    await room.counter.journey()
    page = await room.enter(await room.context(scripts=scripts), "operator", f"cases/{room.counter.ids['case']}")
    await page.set_viewport_size({"width": 700, "height": 700})
    if scripts:  # a page without scripts tells nothing of its boxes; its picture was looked at
        ends = await page.evaluate(
            "(() => { const box = document.querySelector('.newest').getBoundingClientRect();"
            " const drawn = document.querySelector('.newest svg').getBoundingClientRect();"
            " return [drawn.width > box.width, Math.abs(drawn.right - box.right) < 3]; })()"
        )
        assert ends == [True, True]


TOUCHING = """() => {
const found = [];
const meet = (a, b) => a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5;
const drawn = document.querySelector('.newest svg');
const frame = drawn.getBoundingClientRect();
const texts = Array.from(drawn.querySelectorAll('text'), one => [one.textContent, one.getBoundingClientRect()]);
const lines = Array.from(drawn.querySelectorAll('.j-line,.j-dueline'), one => one.getBoundingClientRect());
texts.forEach(([said, box], place) => {
  if (box.left < frame.left - 1 || box.right > frame.right + 1) found.push(said + ' is cut off');
  for (const [other, there] of texts.slice(place + 1)) if (meet(box, there)) found.push(said + ' on ' + other);
  if (lines.some(line => meet(box, line))) found.push(said + ' on a line');
});
return found;
}"""
"""Texts of a journey that touch another text, a line, or the picture's edge."""


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
async def test_no_text_of_a_journey_touches_another_or_a_line(room: Room, locale: str) -> None:
    stage, site = room.counter.site.stage, room.counter.site
    case = await site.case()
    confirmation = await site.confirmation(await site.agreement(case), "judicial")

    async def arrived() -> bool:
        return bool(await site.house.store.run(list_deliveries, "delivered", COURT, "", 9))

    await until(arrived, "the court has the application")
    for status in ("correction_required", "accepted", "not_accepted", "withdrawn"):
        await stage.tell(stage.word("confirmation", status, ("confirmation", confirmation, "")), endpoint=COURT)
    page = await room.enter(await room.context(locale=locale), "operator", f"cases/{case}")
    assert await page.locator(".newest .j-due").count() >= 4
    for width in (1920, 1366, 1024, 700):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate(TOUCHING) == [], width


ROWS = "Array.from(document.querySelectorAll('{}'), one => Math.round(one.getBoundingClientRect().bottom))"
"""Where things end: the same place for those that stand in one line."""


async def test_an_office_screen_shows_figures_filters_and_the_menu_in_one_line_each(room: Room) -> None:
    await room.counter.journey()
    page = await room.enter(await room.context(), "administrator")
    assert len(set(await page.evaluate(ROWS.format(".cards .card")))) == 1
    await page.goto(f"{room.base}messages?state=failed")
    assert len(set(await page.evaluate(ROWS.format("form.filters button, form.filters select, form.filters a")))) <= 2
    english = await room.enter(await room.context(locale="en-US"), "administrator")
    for one in (page, english):
        assert await one.evaluate("document.querySelector('header.top').offsetHeight") < 60, one.url


async def test_a_badge_follows_what_happens_elsewhere(room: Room) -> None:
    page = await room.enter(await room.context(), "operator", "tasks")
    badge = page.locator("nav .menu sup[data-number=tasks]")
    await expect(badge).to_be_hidden()
    store = room.counter.site.house.store
    for number in range(101):
        identifier = store.ids.new("task")
        await store.write("open_task", NewTask(identifier, "dead", f"dlv_{number}", HR).row(f"dlv_{number}", ""))
    await expect(badge).to_have_text("99+")


async def test_nothing_is_cut_off_on_a_narrow_screen_or_on_paper(room: Room) -> None:
    await room.counter.journey()
    page = await room.enter(await room.context(), "administrator")
    await page.set_viewport_size({"width": 1024, "height": 768})
    for path in ("messages", "cases", "ledger", "clients"):
        await page.goto(f"{room.base}{path}")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 1024, path
    await page.goto(f"{room.base}ledger")
    narrow = await page.evaluate(
        "Math.min(...Array.from(document.querySelectorAll('.c-cause'), one => one.offsetWidth))"
    )
    assert narrow >= 100, "a cause is read in words"
    await page.emulate_media(media="print")
    await page.set_viewport_size({"width": 720, "height": 1018})
    assert await page.evaluate("document.documentElement.scrollWidth") <= 720
    await expect(page.locator(".print")).to_contain_text("台账")
    await expect(page.locator(".print")).to_contain_text("administrator 甲 打印于")
    sizes = (
        "Array.from(document.querySelectorAll('th,td,.tag,.dim'), one => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert len(set(await page.evaluate(sizes))) == 1, "heads and tags as large as the text"
