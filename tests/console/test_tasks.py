"""任务 as a list: what is alike stands in one line, the own ones are the first page, and the menu counts what waits."""

from __future__ import annotations

import re

from contracts.messages import COURT, HR, UNION
from contracts.status import TaskKind
from gateway.store.unit import NewTask
from gateway.texts import console_texts
from gateway.web.console.badges import MOST
from tests.console.counter import PASSWORDS, Counter, name_of

DAY_MS = 86_400_000


async def told(counter: Counter, many: int, kind: str = "orphan_callback", endpoint: str = UNION) -> list[str]:
    """So many tasks of one kind; their ids, oldest first."""
    store = counter.site.house.store
    made = []
    for number in range(many):
        identifier = store.ids.new("task")
        due = store.now_ms() + (number + 1) * DAY_MS
        task = NewTask(identifier, kind, f"cbk_{kind}{number}", endpoint, "not_found", due_at=due)
        await store.write("open_task", task.row(f"cbk_{kind}{number}", ""))
        made.append(identifier)
    return made


def listed(page: str) -> list[str]:
    return re.findall(r'data-open="/console/tasks/(tsk_\w+)"', page)


def badge(page: str, place: str) -> str | None:
    """What stands beside the menu's word; ``None``: nothing."""
    found = re.search(rf'href="/console/{place}"[^>]*>[^<]*<sup([^>]*)>([^<]*)</sup>', page)
    assert found is not None
    return None if " hidden" in found[1] else found[2]


async def test_tasks_that_are_alike_stand_in_one_line(counter: Counter) -> None:
    alike = await told(counter, 60)
    (other,) = await told(counter, 1, "unreadable_callback", COURT)
    page = (await counter.operator.get("tasks")).text
    assert listed(page) == [other], "an outage does not push everything else off the page"
    line = re.search(r'<tr data-open="/console/tasks\?([^"]*)">(.*?)</tr>', page, re.S)
    assert line is not None
    assert line[1] == f"kind=orphan_callback&amp;platform={UNION}&amp;cause=not_found"
    assert '<td class="num"><b>60</b></td><td class="num">60</td>' in line[2]
    assert "/console/waiting?kind=orphan" in line[2]
    each = (await counter.operator.get("tasks?" + line[1].replace("&amp;", "&"))).text
    assert listed(each) == sorted(alike, reverse=True)[:50]
    older = re.search(r'href="/console/(tasks\?[^"]*before=tsk_\w+)"', each)
    assert older is not None
    rest = (await counter.operator.get(older[1].replace("&amp;", "&"))).text
    assert listed(rest) == sorted(alike, reverse=True)[50:]


async def test_a_few_that_are_alike_stand_for_themselves(counter: Counter) -> None:
    made = await told(counter, 4)
    assert listed((await counter.operator.get("tasks")).text) == sorted(made, reverse=True)


async def test_a_line_tells_the_earliest_deadline_and_who_has_none(counter: Counter) -> None:
    made = await told(counter, 5, "dead", HR)
    await counter.operator.post(f"tasks/{made[0]}/assign", {"assignee": "oper01"})
    page = (await counter.operator.get("tasks")).text
    assert '<td class="num"><b>5</b></td><td class="num">4</td>' in page
    assert f"/console/failures?state=dead&amp;endpoint={HR}" in page
    mine = (await counter.operator.get("tasks?mine=1")).text
    assert "<h1>我的待办</h1>" in mine
    assert listed(mine) == [made[0]]


async def test_a_closed_task_asks_for_nothing(counter: Counter) -> None:
    (made,) = await told(counter, 1)
    assert "核对流水号或案号后手工对应" in (await counter.operator.get(f"tasks/{made}")).text
    await counter.operator.post(f"tasks/{made}/resolve", {"reason": "已核实"})
    assert "核对流水号或案号后手工对应" not in (await counter.operator.get(f"tasks/{made}")).text


def test_every_kind_of_task_has_an_advice_of_its_own() -> None:
    assert [kind for kind in TaskKind if f"task.advice.{kind}" not in console_texts()] == []


async def test_whoever_has_tasks_begins_with_them(counter: Counter) -> None:
    made = await told(counter, 1)

    async def first(role: str) -> str:
        answer = await (await counter.stranger()).sign_in(name_of(role), PASSWORDS[role])
        return answer.headers["location"]

    assert await first("operator") == "/console/"
    await counter.operator.post(f"tasks/{made[0]}/assign", {"assignee": name_of("operator")})
    assert await first("operator") == "/console/tasks?mine=1"
    assert await first("administrator") == "/console/"
    led = await (await counter.stranger()).sign_in(name_of("operator"), PASSWORDS["operator"], next="cases")
    assert led.headers["location"] == "/console/cases", "whoever wanted to go somewhere goes there"
    await counter.operator.post(f"tasks/{made[0]}/resolve", {"reason": "已核实"})
    assert await first("operator") == "/console/"


async def test_the_menu_counts_what_waits_and_not_beyond_its_bound(counter: Counter) -> None:
    page = (await counter.viewer.get("cases")).text
    assert (badge(page, "tasks"), badge(page, "waiting")) == (None, None)
    made = await told(counter, 3)
    stage = counter.site.stage
    await stage.say(stage.word("confirmation", "confirmed", ("reference", "ZZ-1", "platform_no")), HR)
    counter.site.application.framework.state.desk.badges.forget()
    page = (await counter.viewer.get("cases")).text
    assert badge(page, "tasks") == "3"
    await counter.operator.post(f"tasks/{made[0]}/resolve", {"reason": "已核实"})
    assert badge((await counter.operator.get("cases")).text, "tasks") == "2", "counted anew after an act"
    await told(counter, MOST, "dead")
    counter.site.application.framework.state.desk.badges.forget()
    assert badge((await counter.viewer.get("cases")).text, "tasks") == "99+"
