"""数据范围: an account with a scope sees its own organisations' things alone, on every page, in every file and stream."""

from __future__ import annotations

import re

import pytest

from gateway.flow.moving.acts import ActRefused
from gateway.security.data_scope import DataScope, ScopeRefused, kept_scope, parse_scope, scope_text
from gateway.web.console.mount import PAGES
from tests.console.counter import Counter, Visitor
from tests.console.test_access import filled
from tests.flow import papers

PASSWORD = "Only-for-one-county-7"
OWN, FOREIGN = "SD-LY-LS-007", "SD-JN-LX-001"


async def scoped(counter: Counter, scope: str, role: str = "administrator", name: str = "narrow01") -> Visitor:
    """Somebody with a data scope, signed in."""
    await counter.accounts.add("cli", name, "某县", role, PASSWORD, must_change=False, scope=scope)
    visitor = await counter.stranger()
    assert (await visitor.sign_in(name, PASSWORD)).status_code == 303
    return visitor


async def foreign_words(counter: Counter) -> list[str]:
    """What would tell of a case of another organisation: ids and numbers of it and of all that hangs on it."""
    store = counter.site.house.store
    case = counter.ids["case"]
    matter = await store.row("matter", case)
    assert matter is not None
    assert matter["organization"] == FOREIGN
    found = [case, matter["business_key"].partition("|")[2], FOREIGN, papers.body("wages")["organization"]["name"]]
    found += [row["id"] for row in await store.rows("matters_of", case)]
    found += [row["id"] for row in await store.rows("messages_of", case)]
    found += [row["value"] for row in await store.rows("references_of", case)]
    return found


def told(text: str, words: list[str]) -> list[str]:
    """Which of the words a text holds."""
    return [word for word in words if word in text]


@pytest.mark.parametrize("role", ["viewer", "operator", "administrator", "auditor"])
async def test_no_page_tells_of_a_foreign_case(counter: Counter, role: str) -> None:
    await counter.journey()
    await counter.tallied()
    words = await foreign_words(counter)
    whole = (await counter.viewer.get("cases")).text
    assert told(whole, words), "the words are those that pages would show"
    narrow = await scoped(counter, OWN, role)
    paths = [filled(counter, page.path) for page in PAGES if page.method == "GET" and page.path != "/stream"]
    for path in [*paths, *counter.addresses()]:
        for headers in ({}, {"Accept-Language": "en"}, {"X-Fragment": "table,risk,failed,cards,bar,groups,flow"}):
            answer = await narrow.get(path, **headers)
            assert answer.status_code < 500, path
            shown = answer.text + answer.headers.get("location", "")
            asked = [word for word in words if word in path]
            assert [word for word in told(shown, words) if word not in asked] == [], path
            if asked and "search" not in path and "X-Fragment" not in headers:
                assert answer.status_code in (403, 404), path


async def test_filters_that_name_a_foreign_thing_find_nothing(counter: Counter) -> None:
    await counter.journey()
    words = await foreign_words(counter)
    narrow = await scoped(counter, OWN)
    number = words[1]
    for path in (
        f"messages?case={number}",
        f"messages?case={counter.ids['case']}",
        f"messages?org={FOREIGN}",
        f"cases?case={number}",
        f"cases?case={counter.ids['case']}",
        f"cases?org={FOREIGN}",
        "messages?state=rejected",
        "tasks?kind=rejected",
    ):
        answer = await narrow.get(path)
        assert answer.status_code == 200, path
        assert "data-open" not in answer.text, path
        assert "/console/cases/case_" not in answer.text, path
    for path in (f"ledger?org={FOREIGN}", f"ledger/export.csv?org={FOREIGN}", f"statistics?org={FOREIGN}"):
        assert (await narrow.get(path)).status_code == 404, path
    found = await narrow.post("search", {"q": number})
    answer = await narrow.http.get(found.headers["location"])
    assert answer.status_code == 200
    assert counter.ids["case"] not in answer.text


async def test_its_own_things_are_there(counter: Counter) -> None:
    await counter.journey()
    narrow = await scoped(counter, OWN)
    own = counter.ids["collective"]
    for path in ("cases", "ledger", "messages"):
        assert own in (await narrow.get(path)).text, path
    assert (await narrow.get(f"cases/{own}")).status_code == 200
    assert (await narrow.get(f"deliveries/{counter.ids['doubt']}")).status_code == 200
    page = (await narrow.get("")).text
    assert "全网关的状态" in page
    assert "data-number" not in page
    menu = set(re.findall(r'data-key="\w" ?[^>]*>([^<]+)</a>', page))
    assert {"案件", "消息", "台账", "统计"} <= menu
    assert not menu & {"平台", "失败", "审计", "用户", "批量作业", "告警"}
    csv = await narrow.get("ledger/export.csv")
    assert len(csv.text.strip().splitlines()) == 2
    totals = (await narrow.get("statistics?from=2026-01-01&to=2026-12-31")).text
    assert re.search(r"N01</td>.*?>1</a>", totals)


async def test_acts_reach_no_foreign_thing(counter: Counter) -> None:
    await counter.journey()
    narrow = await scoped(counter, OWN, "operator")
    clock = (await counter.site.house.store.rows("clocks_of", counter.ids["case"]))[0]["id"]
    reason = {"reason": "x"}
    for path, fields in (
        (f"deliveries/{counter.ids['rejected']}/redrive", reason),
        (f"deliveries/{counter.ids['rejected']}/reveal", reason | {"side": "canonical", "pointer": "/facts"}),
        (f"deliveries/{counter.ids['rejected']}/correct", reason),
        (f"tasks/{counter.ids['task']}/resolve", reason),
        (f"tasks/{counter.ids['task']}/assign", {"assignee": "narrow01"}),
        (f"cases/{counter.ids['case']}/clocks/suspend", reason | {"clock": clock}),
        (f"cases/{counter.ids['collective']}/clocks/suspend", reason | {"clock": clock}),
    ):
        assert (await narrow.post(path, fields)).status_code == 404, path
    for path in ("platforms/union/pause", "jobs", "failures/note", f"callbacks/{counter.ids['callback']}/match"):
        answer = await narrow.post(path, reason)
        assert answer.status_code == 403, path
        assert "数据范围" in answer.text


async def test_a_region_is_that_of_the_organisations_cases(counter: Counter) -> None:
    await counter.journey()
    region = papers.body("collective")["organization"]["region_code"]
    other = papers.body("wages")["organization"]["region_code"]
    assert region[:4] != other[:4]
    narrow = await scoped(counter, f"area:{region[:4]}")
    page = (await narrow.get("cases")).text
    assert counter.ids["collective"] in page
    assert counter.ids["case"] not in page
    nobody = await scoped(counter, "area:65", name="narrow02")
    assert "data-open" not in (await nobody.get("cases")).text
    assert "data-open" not in (await nobody.get("messages")).text
    assert "data-open" not in (await nobody.get("ledger")).text


async def test_the_stream_tells_a_scoped_account_no_numbers(counter: Counter) -> None:
    await counter.journey()
    pulse = counter.site.application.framework.state.desk.pulse

    async def valid() -> bool:
        return True

    heard = b""
    async for part in pulse.stream("narrow", "1h", valid, counts=False):
        heard += part
        if b"versions" in heard:
            break
    assert b"numbers" not in heard
    assert b"delivered" not in heard


async def test_an_administrator_narrows_an_account_and_it_holds_at_once(counter: Counter) -> None:
    await counter.journey()
    narrow = await scoped(counter, "*", "viewer")
    assert counter.ids["case"] in (await narrow.get("cases")).text
    admin = counter.visitors["administrator"]
    change = {"title": "某县", "role": "viewer", "enabled": "yes", "scope": f"{OWN}，area:3713"}
    assert (await admin.post("users/narrow01", change)).status_code == 303
    assert (await narrow.get("cases")).status_code == 303
    await narrow.sign_in("narrow01", PASSWORD)
    assert counter.ids["case"] not in (await narrow.get("cases")).text
    assert f"{OWN} area:3713" in (await narrow.get("account")).text
    for wrong in ("", "area:", "area:37x", "* SD-1", "area:3702;drop"):
        answer = await admin.post("users/narrow01", change | {"scope": wrong})
        assert answer.status_code == 422, wrong
        assert "数据范围填" in answer.text
    with pytest.raises(ActRefused, match="scope_form"):
        await counter.accounts.add("cli", "narrow03", "某县", "viewer", PASSWORD, scope=" ")


def test_what_cannot_be_read_lets_nothing_be_seen() -> None:
    assert kept_scope("*") == DataScope(whole=True)
    for kept in ("", "area:", "**", "* *", "area:3", "area:3702000"):
        assert kept_scope(kept) == DataScope()
        with pytest.raises(ScopeRefused):
            parse_scope(kept)
    made = parse_scope("area:3713, B A  area:3702")
    assert made == DataScope(frozenset({"A", "B"}), ("3702", "3713"))
    assert parse_scope(scope_text(made)) == made
    assert made.covers("370211")
    assert not made.covers("110101")
    assert not DataScope(whole=True).covers("370211")
