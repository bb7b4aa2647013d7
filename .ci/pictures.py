"""Pictures of every screen, in both languages and of the wall, from a running demonstration: the README shows some of them.

gateway demo --seed 7 --cases 60 --data stage      in one terminal
python .ci/pictures.py stage docs/console          in another
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

SCREENS = {
    "overview": "",
    "messages": "messages",
    "cases": "cases",
    "failures": "failures",
    "platforms": "platforms",
    "waiting": "waiting",
    "tasks": "tasks",
    "ledger": "ledger",
    "alerts": "alerts",
    "jobs": "jobs",
    "clients": "clients",
    "adapters": "adapters",
    "health": "health",
    "users": "users",
    "audit": "audit",
    "account": "account",
    "search": "search",
    "codes": "codes?platform=hr_arbitration",
    "api": "api",
    "api-call": "api?call=post+/v1/cases",
}

FIRST_OF = (
    ("callbacks", "waiting?kind=applied", r"waiting\?kind=applied"),
    ("callback", "waiting?kind=applied", r"callbacks/cbk_\w+"),
    ("task", "tasks", r"tasks/tsk_\w+"),
    ("platform", "platforms", r"platforms/\w+"),
)
"""Screens of one thing: what is first in a list."""


def main(stage: Path, out: Path, only: list[str]) -> None:
    """Take them all, or those that are named."""
    told = json.loads((stage / "demo.json").read_text("utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for language, locale in (("zh", "zh-CN"), ("en", "en-US")):
            _take(browser, f"{told['console']}/", told["logins"]["admin"], out, language, locale, only)
        browser.close()


def _take(browser: Browser, base: str, password: str, out: Path, language: str, locale: str, only: list[str]) -> None:
    context = browser.new_context(locale=locale, viewport={"width": 1366, "height": 768}, timezone_id="Asia/Shanghai")
    page = context.new_page()
    page.goto(base + "login")
    if not only or "login" in only:
        _shot(page, out / f"login-{language}.png", whole=False)
    page.fill("[name=name]", "admin")
    page.fill("[name=password]", password)
    page.click("button.main")
    screens = dict(SCREENS)
    page.goto(base + "cases?status=agreed")
    screens["case"] = _first(page, r"cases/case_\w+")
    page.goto(base + screens["case"])
    screens["delivery"] = _first(page, r"deliveries/dlv_\w+")
    for name, place, pattern in FIRST_OF:
        page.goto(base + place)
        screens[name] = _first(page, pattern)
    for name, path in screens.items():
        if not only or name in only:
            page.goto(base + path)
            _shot(
                page,
                out / f"{name}-{language}.png",
                whole=name not in ("messages", "cases", "ledger", "case", "delivery"),
            )
    if not only or "wall" in only:
        page.set_viewport_size({"width": 1920, "height": 1080})
        page.goto(base + "wall")
        _shot(page, out / f"wall-{language}.png", whole=False)
    context.close()


def _first(page: Page, pattern: str) -> str:
    found = re.search(pattern, page.content())
    if found is None:
        raise SystemExit(f"{page.url} names nothing like {pattern}")
    return found.group()


def _shot(page: Page, path: Path, *, whole: bool) -> None:
    page.wait_for_timeout(600)
    page.screenshot(path=path, full_page=whole)
    print(path)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
