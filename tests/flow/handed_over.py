"""A case that a platform hands over (委派): its referral, its offer by a callback, its answer."""

from __future__ import annotations

from typing import Any

from contracts.messages import HR
from tests.flow.stage import Stage, at

ACCEPT = {"schema_version": "1.0", "answer": "accept", "at": at(5)}


def referral(task: str = "RW1", **more: Any) -> dict[str, Any]:
    return {
        "schema_version": "1.0",
        "kind": "arbitration_entrusted",
        "endpoint": HR,
        "task_no": task,
        "letter_no": "示例劳人仲委调〔2026〕第1号",
        "organization_code": "SD-JN-LX-001",
        "due_at": "2026-10-13T17:00:00+08:00",
        "mediation_due_at": "2026-10-28T17:00:00+08:00",
        "case": {"facts": "拖欠工资三个月。", "parties": [{"role": "applicant", "kind": "person", "name": "赵一"}]},
    } | more


async def offered(stage: Stage, task: str = "RW1", endpoint: str = HR, **more: Any) -> str:
    word = {"event": f"offer-{task}", "at": at(1), "referral": referral(task, endpoint=endpoint, **more)}
    await stage.tell(word, endpoint=endpoint)
    row = await stage.house.store.row("find_matter", "referral", f"{endpoint}|{task}")
    assert row is not None
    return str(row["id"])
