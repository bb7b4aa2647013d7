"""What an operator does by the pages: each act has a reason, an audit row, and an answer that says what happened."""

from __future__ import annotations

import asyncio
import re

from contracts.messages import COURT, HR, UNION
from gateway.store.lists import list_deliveries
from gateway.store.unit import NewTask
from tests.console.counter import Counter, Visitor
from tests.flow.stage import until


async def last_acts(counter: Counter, most: int = 3) -> list[tuple[str, str, str | None]]:
    rows = await counter.site.house.store.rows("newest_audit", 2**62, most)
    return [(row["actor"], row["act"], row["reason"]) for row in rows]


async def state_of(counter: Counter, delivery: str) -> str:
    row = await counter.site.house.store.row("delivery", delivery)
    assert row is not None
    return str(row["state"])


async def test_a_refused_delivery_is_sent_again_under_its_id(counter: Counter) -> None:
    await counter.journey()
    delivery = counter.ids["rejected"]
    without = await counter.operator.post(f"deliveries/{delivery}/redrive", {"reason": "  "})
    assert without.status_code == 422
    done = await counter.operator.post(f"deliveries/{delivery}/redrive", {"reason": "平台已更正"})
    assert done.status_code == 303
    page = (await counter.operator.http.get(done.headers["location"])).text
    assert "已重新排队" in page
    assert ("user:oper01", "delivery.redrive", "平台已更正") in await last_acts(counter)

    async def arrived() -> bool:
        return await state_of(counter, delivery) == "delivered"

    await until(arrived, "it is delivered")
    assert counter.site.stage.puppet(COURT).sent[-1].id == delivery
    late = await counter.operator.post(f"deliveries/{delivery}/redrive", {"reason": "again"})
    assert late.status_code == 409


async def test_a_delivery_in_doubt_is_decided_with_evidence(counter: Counter) -> None:
    await counter.journey()
    delivery = counter.ids["doubt"]
    assert (await counter.operator.post(f"deliveries/{delivery}/resolve", {"reason": "电话核实"})).status_code == 422
    told = {"reason": "工会王老师电话确认已收到", "arrived": "yes"}
    assert (await counter.operator.post(f"deliveries/{delivery}/resolve", told)).status_code == 303
    assert await state_of(counter, delivery) == "delivered"
    assert (await counter.operator.post(f"deliveries/{delivery}/resolve", told)).status_code == 409


async def test_a_paused_platform_holds_and_goes_on(counter: Counter) -> None:
    assert (await counter.operator.post(f"platforms/{HR}/pause", {"reason": ""})).status_code == 422
    assert (await counter.operator.post(f"platforms/{HR}/pause", {"reason": "周六维护"})).status_code == 303
    assert (await counter.operator.post(f"platforms/{HR}/pause", {"reason": "周六维护"})).status_code == 409
    cases = [await counter.site.case() for _ in range(5)]
    await asyncio.sleep(0.2)
    page = (await counter.viewer.get(f"platforms/{HR}")).text
    assert "周六维护" in page
    store = counter.site.house.store
    waiting = await store.run(list_deliveries, "pending", HR, "", 99)
    assert len(waiting) == 5
    assert (await counter.operator.post(f"platforms/{HR}/resume", {"reason": "维护结束"})).status_code == 303

    async def gone() -> bool:
        return not await store.run(list_deliveries, "pending", HR, "", 99)

    await until(gone, "they went out")
    assert len(counter.site.stage.puppet(HR).sent) == len(cases)
    assert [act for _, act, _ in await last_acts(counter, 2)] == ["endpoint.resume", "endpoint.pause"]


async def test_a_probe_tells_how_the_platform_stands(counter: Counter) -> None:
    answer = await counter.operator.post(f"platforms/{UNION}/probe")
    assert answer.status_code == 200
    assert "探测成功" in answer.text
    assert (await counter.operator.post("platforms/nobody/probe")).status_code == 404


async def test_a_task_is_taken_handed_on_and_closed_once(counter: Counter) -> None:
    await counter.journey()
    task = counter.ids["task"]
    offered = re.findall(r'<option value="(\w+01)"', (await counter.operator.get(f"tasks/{task}")).text)
    assert offered == ["admi01", "oper01"], "who may not work on tasks is given none"
    assert (await counter.operator.post(f"tasks/{task}/assign", {"assignee": "oper01"})).status_code == 303
    mine = (await counter.operator.get("tasks?mine=1")).text
    assert task in mine
    assert (await counter.operator.post(f"tasks/{task}/resolve", {"reason": ""})).status_code == 422
    assert (await counter.operator.post(f"tasks/{task}/resolve", {"reason": "已通知组织更正"})).status_code == 303
    assert (await counter.operator.post(f"tasks/{task}/resolve", {"reason": "again"})).status_code == 409
    assert task not in (await counter.operator.get("tasks")).text
    assert task in (await counter.operator.get("tasks?state=resolved")).text


async def test_a_group_of_failures_carries_a_note(counter: Counter) -> None:
    await counter.journey()
    page = (await counter.operator.get("failures")).text
    key = re.search(r'name="key" value="(court_mediation[^"]*)"', page)
    assert key is not None
    note = {"key": key.group(1), "note": "等对方周六维护结束<script>"}
    assert (await counter.operator.post("failures/note", note)).status_code == 303
    page = (await counter.viewer.get("failures")).text
    assert "等对方周六维护结束&lt;script&gt;" in page
    assert "<script>" not in page


async def test_what_is_forbidden_is_visible_and_says_why(counter: Counter) -> None:
    await counter.journey()
    page = (await counter.viewer.get(f"deliveries/{counter.ids['rejected']}")).text
    button = re.search(r'<button class="main"([^>]*)>重新投递', page)
    assert button is not None
    assert "disabled" in button.group(1)
    assert "您的角色没有此项权限" in button.group(1)


async def test_two_operators_do_not_undo_each_other(counter: Counter) -> None:
    await counter.journey()
    path = f"deliveries/{counter.ids['rejected']}/redrive"
    admin: Visitor = counter.visitors["administrator"]
    answers = await asyncio.gather(counter.operator.post(path, {"reason": "一"}), admin.post(path, {"reason": "二"}))
    assert sorted(answer.status_code for answer in answers) == [303, 409]


async def test_cases_that_may_be_one_dispute_are_linked_by_a_person(counter: Counter) -> None:
    first = await counter.site.case()
    second = await counter.site.case()
    (task,) = await counter.site.stage.tasks("possible_duplicate")
    path = f"tasks/{task['id']}"
    page = (await counter.operator.get(path)).text
    assert f"cases/{first}" in page
    assert 'name="decision" value="keep_apart"' in page
    without = await counter.operator.post(f"{path}/resolve", {"reason": "核实为同一欠薪"})
    assert without.status_code == 422
    assert "请选择关联或者分开" in without.text
    assert await counter.site.stage.tasks("possible_duplicate")
    done = await counter.operator.post(f"{path}/resolve", {"reason": "核实为同一欠薪", "decision": "link"})
    assert done.status_code == 303
    assert await counter.site.stage.tasks("possible_duplicate") == []
    for case, other in ((first, second), (second, first)):
        read = (await counter.viewer.get(f"cases/{case}")).text
        assert "已关联：同一争议" in read
        assert f"cases/{other}" in read
    assert ("user:oper01", "task.resolve", "核实为同一欠薪") in await last_acts(counter)


async def test_a_paper_that_was_given_up_is_fetched_again(counter: Counter) -> None:
    store = counter.site.house.store
    case = await counter.site.case()
    sealed = store.seal(
        b'{"ref":"WS1","kind":"decision","name":"x","link":null,"expires_at":null}', "papers.link:ppr_1"
    )
    await store.write("add_paper", ("ppr_1", "gone", case, case, "WS1", sealed))
    await store.write("move_paper", ("ppr_1", "failed", None, "link_ended", 0))
    await store.write("open_task", NewTask("tsk_PAPER", "dead", "ppr_1", COURT, "link_ended").row(case, ""))
    page = (await counter.operator.get("tasks/tsk_PAPER")).text
    assert "重新下载文书" in page
    assert (await counter.operator.post("tasks/tsk_PAPER/fetch", {"reason": ""})).status_code == 422
    assert (await counter.operator.post("tasks/tsk_PAPER/fetch", {"reason": "法院已恢复"})).status_code == 303
    kept = await store.row("paper", "ppr_1")
    assert kept is not None
    assert kept["state"] == "pending"
    assert await counter.site.stage.tasks("dead") == []
    assert ("user:oper01", "paper.fetch", "法院已恢复") in await last_acts(counter)
    assert (await counter.operator.post("tasks/tsk_PAPER/fetch", {"reason": "再次"})).status_code == 409
