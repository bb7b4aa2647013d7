"""Pages in Chinese speak Chinese: no word of the code stands among them but ids, codes in their own columns, and names."""

from __future__ import annotations

import html
import re

from contracts.messages import HR, ONE_STOP, UNION
from tests.console.counter import PASSWORDS, Counter

KNOWN = frozenset(
    {
        *(
            "http",
            "https",
            "ms",
            "min",
            "px",
            "csv",
            "xlsx",
            "json",
            "api",
            "curl",
            "python",
            "gib",
            "mib",
            "totp",
            "otpauth",
        ),
        *("gb", "ga", "utf", "sm", "put", "area", "alert_channels", "webhook", "syslog", "lx", "up", "ops", "openapi"),
        *("gateway", "partitions", "mend", "docs", "code", "errors", "application", "problem", "iso", "id"),
    }
)
"""Names of products, formats and units, and what is typed as it stands."""

_ID = re.compile(
    r"\b(?:[a-z]{2,4}_[0-9A-Z]{26}|[0-9A-Z][0-9A-Z/.\-]*[0-9][0-9A-Z/.\-]*|mg[0-9a-f]{12}|[0-9a-f]{12,64})\b"
)
_BESIDE = (
    r"<script.*?</script>",
    r"<head>.*?</head>",
    r'<div id="texts".*?</div>',
    r"<pre.*?</pre>",
    r"<kbd>.*?</kbd>",
    r'<(\w+)[^>]*\bclass="[^"]*\bmono\b[^"]*"[^>]*>.*?</\1>',
    r'<td class="">.*?</td>',
    r'<tr><td><span class="d\d">.*?</tr>',
    r'<[^>]*lang="en".*?</\w+>',
)
"""What is not prose: scripts, samples, and columns of codes and ids; the other language's link."""


def foreign_words(page: str) -> set[str]:
    """ASCII words that people read on a page."""
    text = re.sub(r'<td class="mono"><span class="d\d">.*?</td><td>.*?</td>', "", page, flags=re.S)
    for pattern in _BESIDE:
        text = re.sub(pattern, " ", text, flags=re.S)
    text = re.sub(r"\w+ 甲|\b(?:up|op|stranger)\b", " ", text)  # what the users and the client of this house are called
    read = _ID.sub(" ", html.unescape(re.sub(r"<[^>]*>", "\n", text)))
    found = set(re.findall(r"[A-Za-z][A-Za-z_]*[A-Za-z]", read))
    return {word for word in found if word.lower() not in KNOWN and not word.isupper()}


def test_a_word_of_the_code_is_found_and_an_id_is_not() -> None:
    assert foreign_words("<p>状态 official_account，由 dlv_01M4HZFFBJD4GJK7JGKTTHH3T7 引起</p>") == {"official_account"}
    assert foreign_words('<p title="official_account">公众号 <span class="mono">http_400</span></p>') == set()


async def test_pages_in_chinese_hold_no_words_of_the_code(counter: Counter) -> None:
    """Every page, with a platform that a person paused, one that the gateway paused, a job, and acts in the audit trail."""
    await counter.journey()
    admin, store = counter.visitors["administrator"], counter.site.house.store
    await admin.post(f"platforms/{UNION}/pause", {"reason": "周六维护"})
    await store.write("pause_endpoint", (ONE_STOP, "gateway", "http_400"))
    await admin.post(f"platforms/{HR}/probe")
    await admin.post("clients", {"name": "历下区系统", "organizations": "SD-JN-LX-001"})
    await admin.post(f"tasks/{counter.ids['task']}/assign", {"assignee": "oper01"})
    chosen = {"state": "rejected", "platform": "court_mediation", "reason": "已更正"}
    job = await admin.post("jobs", {**chosen, "per_minute": "120", "canary": "10", "stop_percent": "20"})
    assert job.status_code == 303
    seen = [*counter.addresses(), job.headers["location"].removeprefix("/console/"), "jobs/new?state=failed"]
    found: dict[str, set[str]] = {}
    for path in seen:
        if path.startswith(("api", "adapters")) or "export" in path:
            continue  # the interface's own description speaks of its fields and codes
        for role in ("administrator", "auditor"):
            page = await counter.visitors[role].get(path, **{"Accept-Language": "zh-CN"})
            if page.status_code in (200, 404) and (words := foreign_words(page.text)):
                found.setdefault(path, set()).update(words)
    assert found == {}, "\n".join(f"{path}: {sorted(words)}" for path, words in found.items())


async def test_who_did_it_is_told_by_name(counter: Counter) -> None:
    assert set(PASSWORDS) >= {"auditor"}
    page = (await counter.visitors["auditor"].get("audit?act=登录")).text
    rows = re.findall(r"<tr><td class=\"num\">.*?</tr>", page, re.S)
    assert rows
    assert all('title="session.open">登录' in row for row in rows), "an act is found by its title"
    assert 'title="user:oper01">operator 甲<' in page
    assert "角色：操作员" in page
    assert "None" not in page
