"""Pictures of the console from a demonstration: those that the README shows, or every screen.

python .ci/pictures.py readme                      the README's, into gateway/web/console/pictures; starts its own demonstration

gateway demo --seed 7 --cases 60 --data stage      in one terminal: every screen, in both languages and of the wall
python .ci/pictures.py stage docs/console [names]  in another
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "gateway" / "web" / "console" / "pictures"
LARGEST = 200_000
"""Bytes of one of the README's pictures at the most."""

COLOURS = 256
FAILING = "one_stop"
SETTLED_S = 300

SCREENS = {
    "overview": "",
    "messages": "messages",
    "cases": "cases",
    "failures": "failures",
    "platforms": "platforms",
    "waiting": "waiting",
    "tasks": "tasks",
    "ledger": "ledger",
    "statistics": "statistics",
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


def readme() -> None:
    """The README's pictures from a demonstration of their own: overview and wall while one platform fails, then, healed, a case
    and a message that it delayed."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        stage, log = Path(home) / "stage", Path(home) / "log"
        asked = ["--seed", "7", "--cases", "60", "--rate", "4", "--data", str(stage)]
        with log.open("wb") as out:
            command = [sys.executable, "-m", "gateway", "demo", *asked]
            demo = subprocess.Popen(command, stdout=out, stderr=out)  # noqa: S603 -- our own interpreter
        try:
            _until(demo, log, r"cases ([1-9]\d)/60")
            told = json.loads((stage / "demo.json").read_text("utf-8"))
            _fault(told, True)
            _until(demo, log, rf"{FAILING}: \S+( \S+)* ?pending=([6-9]|\d\d)")
            with sync_playwright() as driver:
                chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
                browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                pages = {
                    language: _signed_in(browser, told, locale)
                    for language, locale in (("zh", "zh-CN"), ("en", "en-US"))
                }
                _failing(pages, f"{told['console']}/")
                _fault(told, False)
                _until(demo, log, "the stage is yours")
                _healed(pages, f"{told['console']}/")
                browser.close()
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(60)


def _until(demo: subprocess.Popen[bytes], log: Path, pattern: str) -> None:
    """Wait until the demonstration says something."""
    until = time.monotonic() + SETTLED_S
    while not re.search(pattern, log.read_text("utf-8", "replace")):
        if demo.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"the demonstration never said {pattern}")
        time.sleep(0.5)


def _fault(told: dict[str, Any], on: bool) -> None:
    """Let the platform fail, or heal it."""
    address = f"{told['mocks'][FAILING]}/_mock/faults"
    faults = [{"op": "*", "action": "http", "status": 503, "times": 0}]
    body = json.dumps(faults).encode() if on else None
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, body, headers, method="POST" if on else "DELETE")  # noqa: S310 -- ours
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 -- ours
        pass


def _signed_in(browser: Browser, told: dict[str, Any], locale: str) -> Page:
    page = browser.new_context(locale=locale, timezone_id="Asia/Shanghai").new_page()
    page.goto(f"{told['console']}/login")
    page.fill("[name=name]", "operator")
    page.fill("[name=password]", told["logins"]["operator"])
    page.click("button.main")
    return page


def _failing(pages: dict[str, Page], base: str) -> None:
    """The overview with its flow map, and the wall."""
    for language, page in pages.items():
        page.set_viewport_size({"width": 1366, "height": 900})
        page.goto(f"{base}?window=15m")
        _small(page, f"overview-{language}")
    pages["zh"].set_viewport_size({"width": 1920, "height": 1080})
    pages["zh"].goto(f"{base}wall?window=15m")
    _small(pages["zh"], "wall")


def _healed(pages: dict[str, Page], base: str) -> None:
    """A case that waited for the platform, with its confirmation where one did, and the message that was tried again."""
    root = base.removesuffix("/console/")
    for language, page in pages.items():
        page.set_viewport_size({"width": 1366, "height": 860})
        found: list[tuple[bool, bool, str, str]] = []
        for kind in ("case.submitted", "case.progressed", "case.revised", "agreement.concluded"):
            page.goto(f"{base}messages?state=delivered&platform={FAILING}&type={kind}")
            retried = page.locator("tbody tr", has=page.locator("td:nth-child(7)", has_text=re.compile(r"^[2-9]$")))
            rows = [[str(row.locator("a").nth(n).get_attribute("href")) for n in (0, 1)] for row in retried.all()]
            for message, case in rows:
                page.goto(f"{root}{case}")
                if page.locator(".newest .j-due").count():
                    confirmed = page.locator(".newest svg text", has_text=re.compile("确认|[Cc]onfirm")).count() > 2
                    found.append((not confirmed, page.locator("svg.snug").count() == 0, message, case))
        if not found:
            raise SystemExit("no case that was tried again fits the picture")
        *_, message, case = min(found)
        page.goto(f"{root}{case}")
        _small(page, f"case-{language}")
        page.goto(f"{root}{message}")
        _small(page, f"message-{language}")


def _small(page: Page, name: str) -> None:
    """One picture with few colours."""
    page.wait_for_timeout(1500)
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    path = PICTURES / f"{name}.png"
    taken.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        raise SystemExit(f"{path.name} has {path.stat().st_size} bytes")
    print(path.relative_to(ROOT), path.stat().st_size)


def _shot(page: Page, path: Path, *, whole: bool) -> None:
    page.wait_for_timeout(600)
    page.screenshot(path=path, full_page=whole)
    print(path)


if __name__ == "__main__":
    if sys.argv[1:2] == ["readme"]:
        readme()
        raise SystemExit(0)
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
