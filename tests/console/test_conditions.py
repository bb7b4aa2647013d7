"""Conditions: what is not understood widens no list and no job; what people know by name is chosen by name."""

from __future__ import annotations

import re

import pytest

from gateway.web.console.audit import acts_meant
from tests.console.counter import Counter
from tests.console.test_lists import shown

MISREAD = (
    "q=状态:没有",
    "q=foo:bar",
    "q=什么都有",
    "state=nonsense",
    "type=nonsense",
    "platform=nobody",
    "from=yesterday",
)


@pytest.mark.parametrize("query", MISREAD)
async def test_a_condition_that_is_not_understood_lists_nothing(counter: Counter, query: str) -> None:
    await counter.journey()
    page = (await counter.operator.get(f"messages?{query}")).text
    assert "没有识别：" in page
    assert query.partition("=")[2].rpartition(":")[2] in page
    assert await shown(counter.operator, f"messages?{query}") == []
    assert "没有识别" not in (await counter.operator.get("messages?q=状态:被拒绝")).text


@pytest.mark.parametrize("query", MISREAD)
async def test_no_job_is_made_of_it(counter: Counter, query: str) -> None:
    await counter.journey()
    name, _, value = query.partition("=")
    fields = {"state": "rejected", name: value}
    answers = [
        await counter.operator.get(f"jobs/new?state=rejected&{query}"),
        await counter.operator.post("jobs/preview", fields),
        await counter.operator.post(
            "jobs", {**fields, "reason": "x", "per_minute": "60", "canary": "10", "stop_percent": "20"}
        ),
    ]
    for answer in answers:
        assert answer.status_code == 422
        assert "没有识别：" in answer.text
    assert await counter.site.house.store.rows("newest_jobs", "zzz", 9) == []


async def test_what_was_typed_into_the_box_is_of_the_job_as_well(counter: Counter) -> None:
    """The form of the preview carries the conditions on: without them the job would be over more than was shown."""
    await counter.journey()
    page = (await counter.operator.get("jobs/new?state=rejected&q=platform:union")).text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    told = {"reason": "x", "per_minute": "60", "canary": "10", "stop_percent": "20"}
    assert (await counter.operator.post("jobs", {**fields, **told})).status_code == 422, (
        "nothing of the union was refused"
    )


async def test_no_view_is_kept_of_it(counter: Counter) -> None:
    assert (await counter.operator.post("views", {"name": "错", "state": "dead", "q": "foo:bar"})).status_code == 422


@pytest.mark.parametrize("path", ["messages", "cases", "ledger"])
async def test_an_organisation_is_chosen_by_its_name(counter: Counter, path: str) -> None:
    await counter.journey()
    file = await counter.site.house.store.row("matter", counter.ids["case"])
    assert file is not None
    code = file["organization"]
    page = (await counter.operator.get(path)).text
    option = re.search(rf'<option value="{code}">([^<]+)</option>', page)
    assert option is not None
    named = await counter.operator.get(f"{path}?org={option.group(1)}")
    assert f'<option value="{code}" selected>' in named.text
    assert "data-open" in named.text


async def test_causes_and_acts_are_chosen_by_title(counter: Counter) -> None:
    await counter.journey()
    page = (await counter.operator.get("messages?cause=对方响应超时")).text
    assert '<option value="对方响应超时"></option>' in page
    assert 'name="cause" list="causes" value="对方响应超时"' in page
    assert await shown(counter.operator, "messages?cause=对方响应超时") == await shown(
        counter.operator, "messages?cause=timeout"
    )
    assert acts_meant("登录") == {"session.open"}
    assert acts_meant("endpoint.window") == {"endpoint.window"}, "not what begins with it"
    assert acts_meant("job") >= {"job.ask", "job", "job.done"}
    assert '<option value="session.open">登录</option>' in (await counter.operator.get("audit")).text
