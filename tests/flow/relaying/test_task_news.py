"""Every task is told of once when it is opened and once when it is resolved: to its case's owner, thin."""

from __future__ import annotations

from typing import Any

import orjson

from contracts.messages import HR, MessageType
from gateway.flow.operating.operate import Operator
from gateway.flow.relaying.task_news import TaskNews
from gateway.store.unit import NewTask
from tests.flow.stage import OPERATOR, PDF, Stage, until

RESTED = "2026-10-20T18:00:00+08:00"


async def told(stage: Stage) -> list[dict[str, Any]]:
    """What was told of tasks, oldest first."""
    rows = await stage.house.store.rows("events_after", 0, 1000)
    unnumbered = [
        row for subject in await _subjects(stage) for row in await stage.house.store.rows("events_of", subject)
    ]
    found = {row["id"]: row for row in [*rows, *unnumbered] if row["type"].startswith("task.")}
    return [
        {
            "type": row["type"],
            "subject": row["subject"],
            "organization": row["organization"],
            **orjson.loads(row["data"]),
        }
        for _, row in sorted(found.items())
    ]


async def _subjects(stage: Stage) -> set[str]:
    rows = [
        row for state in ("open", "resolved") for row in await stage.house.store.rows("list_tasks", state, "", "", 99)
    ]
    return {row["subject"] for row in rows} | {row["id"] for row in rows}


async def test_a_correction_opens_a_task_and_its_papers_resolve_it(stage: Stage) -> None:
    case, _, confirmation = await stage.chain()
    await stage.delivered(case)
    asked = stage.word("confirmation", "correction_required", ("confirmation", confirmation, ""), due_at=RESTED)
    await stage.tell(asked)

    async def opened() -> list[dict[str, Any]]:
        return await told(stage)

    (word,) = await until(opened, "the task is told of")
    (task,) = await stage.tasks("correction_due")
    assert word["at"].startswith("2026-10-10T")
    assert word == {
        "type": "task.opened",
        "subject": case,
        "organization": "SD-JN-LX-001",
        "task": task["id"],
        "kind": "correction_due",
        "confirmation": confirmation,
        "due_at": "2026-10-20T18:00:00.000+08:00",
        "at": word["at"],
    }
    proof = await stage.house.attachments.keep("SD-JN-LX-001", "identity_proof", "身份证.pdf", PDF)
    paper = {"id": proof.id, "kind": "identity_proof", "name": "身份证.pdf"}
    body = {"schema_version": "1.0", "at": "2026-10-10T11:00:00+08:00", "attachments": [paper]}
    await stage.post(MessageType.CONFIRMATION_SUPPLEMENTED, body, confirmation)

    async def closed() -> bool:
        return len(await told(stage)) == 2

    await until(closed, "its end is told of")
    assert [one["type"] for one in await told(stage)] == ["task.opened", "task.resolved"]


async def test_each_word_is_told_once_however_often_it_is_looked(still: Stage) -> None:
    case = await still.case()
    await still.house.store.write("open_task", NewTask("tsk_1", "word_overdue", "dlv_1", HR).row(case, ""))
    news = TaskNews(still.house.store)
    assert [await news.turn() for _ in range(3)] == [1, 0, 0]
    await Operator(still.house.store).close_task(OPERATOR, "tsk_1", "平台已回电")
    assert [await news.turn() for _ in range(3)] == [1, 0, 0]
    first, second = await told(still)
    assert (first["type"], second["type"]) == ("task.opened", "task.resolved")
    assert (first["delivery"], first["subject"]) == ("dlv_1", case)
    assert first["organization"] == "SD-JN-LX-001", "the owner of the case hears of it, though the task named nobody"
    assert "平台已回电" not in str(second), "a person's words stay in the audit"


async def test_what_was_opened_and_closed_between_two_looks_is_told_in_order(still: Stage) -> None:
    await still.house.store.write("open_task", NewTask("tsk_1", "orphan_callback", "cbk_1", HR).row("cbk_1", ""))
    await still.house.store.write("resolve_task", ("tsk_1", "done"))
    news = TaskNews(still.house.store)
    assert [await news.turn() for _ in range(3)] == [1, 1, 0]
    words = await told(still)
    assert [(one["type"], one["subject"], one["organization"]) for one in words] == [
        ("task.opened", "tsk_1", ""),
        ("task.resolved", "tsk_1", ""),
    ], "a task of no case has a file of its own"


async def test_an_owner_hears_nothing_of_another_organisations_case(still: Stage) -> None:
    first = await still.case()
    second = await still.case({"/organization/code": "SD-LY-LS-007", "/source_case_no": "371302-LS007-2026-00077"})
    (task,) = await still.tasks("possible_duplicate")
    assert task["about"] == second
    assert await TaskNews(still.house.store).turn() == 1
    (word,) = await told(still)
    assert (word["subject"], word["organization"]) == (task["id"], "")
    for case in (first, second):
        assert not [kind for kind in await still.types(case) if kind.startswith("task.")]
