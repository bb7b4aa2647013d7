"""A real browser at the counter: Debian's Chromium, driven by Playwright, over a gateway that listens on a port."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from gateway.web.listen import Listener, listening_socket
from tests.console.counter import PASSWORDS, Counter, name_of

PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)


def chromium() -> str:
    """Where the browser is; ``CHROMIUM`` names another one.

    Raises:
        FileNotFoundError: there is none. ``.ci/run`` installs it; by hand: ``apt-get install chromium``.
    """
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None or not Path(found).exists():
        raise FileNotFoundError("no Chromium: apt-get install chromium, or name one by CHROMIUM")
    return found


@dataclass
class Room:
    """A counter on a port, and a browser before it. ``troubles`` holds what pages complained of: errors of scripts, breaches of
    the policy, requests to other hosts."""

    counter: Counter
    browser: Browser
    port: int
    listener: Listener
    troubles: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        """The console's address."""
        return f"http://127.0.0.1:{self.port}/console/"

    async def context(self, *, scripts: bool = True, bypass_csp: bool = False, locale: str = "zh-CN") -> BrowserContext:
        """A browser of somebody's own."""
        made = await self.browser.new_context(
            java_script_enabled=scripts,
            bypass_csp=bypass_csp,
            locale=locale,
            viewport={"width": 1366, "height": 768},
            timezone_id="Asia/Shanghai",
        )
        made.set_default_timeout(PATIENCE_MS)
        made.on("page", self.watch)
        return made

    def watch(self, page: Page) -> None:
        """Keep what a page complains of."""
        page.on("pageerror", lambda error: self.troubles.append(f"{page.url}: {error}"))
        page.on("console", lambda line: self._complaint(page, line.type, line.text))
        page.on("request", lambda request: self._request(request.url))

    def _complaint(self, page: Page, kind: str, text: str) -> None:
        # A refused fetch while the server is away is what the page itself tells the person.
        if kind in ("error", "warning") and not re.search(
            r"ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY|status of 4\d\d", text
        ):
            self.troubles.append(f"{page.url}: {text}")

    def _request(self, url: str) -> None:
        if not url.startswith((f"http://127.0.0.1:{self.port}/", "data:", "about:")):
            self.troubles.append(f"foreign request: {url}")

    async def enter(self, context: BrowserContext, role: str, path: str = "") -> Page:
        """Sign in and go to a page."""
        page = await context.new_page()
        await page.goto(f"{self.base}login?next={path}")
        await page.fill("[name=name]", name_of(role))
        await page.fill("[name=password]", PASSWORDS[role])
        await page.click("button.main")
        await expect(page.locator("nav .menu")).to_be_visible()
        return page

    async def away(self) -> None:
        """The server goes."""
        await self.listener.stop()

    async def back(self) -> None:
        """The server comes again, on the same port."""
        self.listener = Listener(self.counter.site.application, listening_socket("127.0.0.1", self.port))
        await self.listener.start()


@asynccontextmanager
async def open_room(counter: Counter) -> AsyncIterator[Room]:
    """A room for a while."""
    bound = listening_socket("127.0.0.1", 0)
    listener = Listener(counter.site.application, bound)
    await listener.start()
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        room = Room(counter, browser, bound.getsockname()[1], listener)
        try:
            yield room
        finally:
            await browser.close()
            counter.site.application.framework.state.desk.close()
            await room.listener.stop()
