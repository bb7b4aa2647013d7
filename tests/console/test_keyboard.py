"""Menus, help and pictures in a real browser: what opens closes again, takes the focus and gives it back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect

from contracts.messages import HR
from gateway.store.unit import NewTask
from tests.console.browser import Room, open_room
from tests.console.counter import Counter

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
