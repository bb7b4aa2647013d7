"""中止, 恢复, 延长 by the forms of a case's page: without a script, with a reason, told in both languages, audited."""

from __future__ import annotations

import re

import pytest

from tests.console.counter import Counter
from tests.flow import papers


async def clocks(counter: Counter) -> tuple[str, dict[str, str]]:
    """A case under mediation, and its clocks by rule."""
    case = await counter.site.case({"/received_at": "2026-10-08T09:00:00+08:00", "/accepted_at": papers.DROP})
    rows = await counter.site.house.store.rows("clocks_of", case)
    return case, {row["rule"]: row["id"] for row in rows}


async def test_a_period_is_prolonged_by_the_form_of_the_page(counter: Counter) -> None:
    case, rules = await clocks(counter)
    page = (await counter.operator.get(f"cases/{case}")).text
    form = re.search(rf'id="extend-{rules["D03"]}".*?</form>', page, re.S)
    assert form is not None
    action = re.search(r'action="/console/([^"]+)"', form.group())
    assert action is not None
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form.group()))
    assert set(fields) == {"form", "form_token", "clock"}
    answer = await counter.operator.post(action.group(1), fields | {"reason": "双方同意延长", "extended_by": "15"})
    assert answer.status_code == 303, answer.text
    done = (await counter.operator.http.get(answer.headers["location"])).text
    assert "已延长，到期日已重算" in done
    assert "2026-11-09 24:00" in done
    row = (await counter.site.house.store.rows("newest_audit", 2**62, 1))[0]
    assert (row["actor"], row["act"], row["target"], row["reason"]) == (
        "user:oper01",
        "clock.extended",
        rules["D03"],
        "双方同意延长",
    )


async def test_a_clock_stands_still_and_goes_on(counter: Counter) -> None:
    case, rules = await clocks(counter)
    path, clock = f"cases/{case}/clocks", {"clock": rules["D13"], "reason": "不可抗力"}
    assert (await counter.operator.post(f"{path}/suspend", clock | {"on": "2026-10-09"})).status_code == 303
    page = (await counter.viewer.get(f"cases/{case}")).text
    assert "自2026-10-09起中止" in page
    assert f'id="resume-{rules["D13"]}"' in page
    assert f'id="suspend-{rules["D13"]}"' not in page
    assert (await counter.operator.post(f"{path}/resume", clock | {"on": "2026-10-10"})).status_code == 303
    row = await counter.site.house.store.row("clock", rules["D13"])
    assert row is not None
    assert row["state"] == "running"


@pytest.mark.parametrize(
    ("act", "rule", "fields", "status", "zh", "en"),
    [
        ("extend", "D03", {"reason": ""}, 422, "请填写理由", "Give a reason"),
        ("extend", "D03", {"extended_by": "0"}, 422, "正整数", "whole number"),
        ("extend", "D13", {"extended_by": "9"}, 409, "法律不允许延长", "The law allows no extension"),
        ("suspend", "D13", {"on": "2030-01-01"}, 422, "不得早于期限起算日", "That day cannot be"),
        ("suspend", "D13", {"on": "yesterday"}, 422, "不得早于期限起算日", "That day cannot be"),
        ("suspend", "D13", {"article": "某条"}, 422, "写明第几条", "must be given by number"),
        ("resume", "D13", {}, 409, "状态已经改变", "state has changed"),
    ],
)
async def test_what_is_wrong_is_told_on_the_page_in_both_languages(
    counter: Counter, act: str, rule: str, fields: dict[str, str], status: int, zh: str, en: str
) -> None:
    case, rules = await clocks(counter)
    sent = {"clock": rules[rule], "reason": "双方同意", "extended_by": "1"} | fields
    path = f"cases/{case}/clocks/{act}"
    before = await counter.site.house.store.row("clock", rules[rule])
    chinese = await counter.operator.post(path, sent)
    english = await counter.operator.post(path, sent, **{"Accept-Language": "en"})
    assert (chinese.status_code, english.status_code) == (status, status)
    for text, said in ((chinese.text, zh), (english.text, en)):
        problem = re.search(r'<p class="problem" role="alert">([^<]+)</p>', text)
        assert problem is not None
        assert said in problem.group(1)
    assert await counter.site.house.store.row("clock", rules[rule]) == before


async def test_nobody_else_and_no_other_case(counter: Counter) -> None:
    case, rules = await clocks(counter)
    other, _ = await clocks(counter)
    sent = {"clock": rules["D03"], "reason": "x", "extended_by": "5"}
    assert (await counter.viewer.post(f"cases/{case}/clocks/extend", sent)).status_code == 403
    assert (await counter.operator.post(f"cases/{other}/clocks/extend", sent)).status_code == 404
    assert (await counter.operator.post(f"cases/{case}/clocks/erase", sent)).status_code == 404
    blind = await counter.operator.post(f"cases/{case}/clocks/extend", sent | {"form_token": "0" * 64})
    assert blind.status_code == 403
    row = await counter.site.house.store.row("clock", rules["D03"])
    assert row is not None
    assert row["extended_by"] == 0
    page = (await counter.viewer.get(f"cases/{case}")).text
    assert re.search(rf'id="extend-{rules["D03"]}".*?<button class="main" disabled', page, re.S)
