"""任务: what the engine put before a person; take it, hand it on, close it with evidence."""

from __future__ import annotations

import re
from typing import Final

import orjson
from starlette.responses import Response

from contracts.status import TaskKind
from gateway.flow import case_links
from gateway.flow.order import Refused
from gateway.flow.task_details import open_detail
from gateway.security.roles import role_book
from gateway.store.console import LAST
from gateway.store.engine import Row, Rows
from gateway.web.console import bodies, words
from gateway.web.console.desk import Page, Visit

_SIZE: Final = 50
_LOOKED: Final = 2_000
_ID: Final = re.compile(r"tsk_[0-9A-HJKMNP-TV-Z]{26}")


async def tasks(visit: Visit) -> Response:
    """The list, newest first."""
    state = "resolved" if visit.query.get("state") == "resolved" else "open"
    kind, endpoint, mine = visit.query.get("kind", ""), visit.query.get("platform", ""), visit.query.get("mine") == "1"
    given = visit.query.get("before", "")
    rows, before = await _find(visit, state, kind, endpoint, mine, given if _ID.fullmatch(given) else LAST)
    numbers = await _numbers(visit, rows)
    return visit.render(
        "tasks.html",
        rows=rows,
        numbers=numbers,
        state=state,
        kind=kind,
        kinds=list(TaskKind),
        platform=endpoint,
        every=sorted(visit.desk.house.endpoints),
        mine=mine,
        before=before,
    )


async def _find(visit: Visit, state: str, kind: str, endpoint: str, mine: bool, before: str) -> tuple[Rows, str | None]:
    kept: Rows = []
    looked = 0
    name = visit.person.name if visit.person is not None else ""
    while True:
        rows = await visit.desk.store.rows("newest_tasks", state, before, 200)
        looked += len(rows)
        kept += [
            row
            for row in rows
            if (not kind or row["kind"] == kind)
            and (not endpoint or row["endpoint"] == endpoint)
            and (not mine or row["assignee"] == name)
            and visit.within(row["organization"])
        ]
        if len(kept) > _SIZE:
            return kept[:_SIZE], kept[_SIZE - 1]["id"]
        if len(rows) < 200:
            return kept, None
        before = rows[-1]["id"]
        if looked >= _LOOKED:
            return kept, before


async def _numbers(visit: Visit, rows: Rows) -> dict[str, str]:
    found = {}
    for subject in {row["subject"] for row in rows if row["subject"].startswith("case_")}:
        matter = await visit.desk.store.row("matter", subject)
        if matter is not None and visit.within(matter["organization"]):
            found[subject] = matter["business_key"].partition("|")[2]
    return found


async def task(visit: Visit) -> Response:
    """One task."""
    return await _one(visit)


async def _one(visit: Visit, status: int = 200, problem: str | None = None) -> Response:
    store = visit.desk.store
    row = await store.row("task", visit.request.path_params["id"])
    if row is None:
        raise Refused(404, "not_found")
    delivery = await store.row("delivery", row["about"]) if row["about"].startswith("dlv_") else None
    numbers = await _numbers(visit, [row])
    roles = role_book(visit.desk.house.settings.console.roles)
    listed = await visit.desk.hands.accounts.listed() if visit.may("tasks") else []
    users = [user["name"] for user in listed if user["enabled"] and roles.may(user["role"], "tasks")]
    return visit.render(
        "task.html",
        status,
        row=row,
        number=numbers.get(row["subject"], ""),
        details=await _details(visit, row),
        resolved=words.resolution(row["resolution"] or "", visit.who, lambda word: _resolution(visit, word)),
        delivery=delivery,
        twins=await _twins(visit, row),
        users=users,
        problem=problem,
        done=visit.query.get("done", ""),
    )


def _resolution(visit: Visit, word: str) -> str:
    return visit.words_of("resolution", word.replace(" ", "_")) or visit.standing(word)


async def _twins(visit: Visit, row: Row) -> list[tuple[str, str]]:
    """The other cases of a possible duplicate: id and number."""
    if row["kind"] != case_links.KIND:
        return []
    others = case_links.cases_of(visit.desk.store, row)
    numbers = await _numbers(visit, [{"subject": other} for other in others])
    return [(other, numbers.get(other, other)) for other in others if other in numbers or not visit.scoped]


async def _details(visit: Visit, row: Row) -> list[tuple[str, str]]:
    """What the engine noted: words as they are, sentences of platforms masked, for those who act; folded for others."""
    if row["detail_sealed"] is None or row["kind"] == case_links.KIND or not visit.may("bodies"):
        return []
    kept = open_detail(visit.desk.store, row)
    redactor = await bodies.redactor_of(visit.desk.store, row["subject"], (row["endpoint"] or "",))
    found = []
    for key, value in kept.items():
        for one in value if isinstance(value, list) else [value]:
            if one is None or one == "":
                continue
            text = one if isinstance(one, str) else orjson.dumps(one).decode()
            if key in ("kept", "said", "at"):
                found.append((key, redactor.value(text)[0]))
            else:
                found.append((key, redactor.prose(text) if visit.may("tasks") else f"[{len(text)}]"))
    return found


async def assign(visit: Visit) -> Response:
    """Take it, or hand it to somebody."""
    identifier, assignee = visit.request.path_params["id"], visit.form.text("assignee", 64)
    if not assignee:
        return await _one(visit, 422, problem="assignee_missing")
    reason = visit.form.text("reason") or visit.t("task.assigned_reason")
    standing = await visit.desk.hands.operator.assign(visit.principal, identifier, assignee, reason)
    if standing.refused is not None:
        return await _refused(visit, standing.found)
    return visit.to(f"tasks/{identifier}", done="assign")


async def resolve(visit: Visit) -> Response:
    """Close it with evidence."""
    identifier, evidence = visit.request.path_params["id"], visit.form.text("reason")
    if not evidence:
        return await _one(visit, 422, problem="reason_missing")
    row = await visit.desk.store.row("task", identifier)
    decision = visit.form.text("decision", 16) or None
    if row is not None and row["kind"] == case_links.KIND and decision not in (case_links.LINK, case_links.KEEP_APART):
        visit.wrong = "decision"
        return await _one(visit, 422, problem="decision_missing")
    standing = await visit.desk.hands.operator.close_task(visit.principal, identifier, evidence, decision)
    if standing.refused is not None:
        return await _refused(visit, standing.found)
    return visit.to(f"tasks/{identifier}", done="resolve")


async def fetch(visit: Visit) -> Response:
    """Fetch the decision document again that the task is about; that closes the task."""
    identifier, reason = visit.request.path_params["id"], visit.form.text("reason")
    row = await visit.desk.store.row("task", identifier)
    if row is None:
        raise Refused(404, "not_found")
    if not reason:
        return await _one(visit, 422, problem="reason_missing")
    standing = await visit.desk.hands.operator.fetch_paper(visit.principal, row["about"], reason)
    if standing.refused is not None:
        return await _refused(visit, standing.found)
    return visit.to(f"tasks/{identifier}", done="fetch")


async def _refused(visit: Visit, found: bool) -> Response:
    if not found:
        raise Refused(404, "not_found")
    return await _one(visit, 409, problem="act_resolved")


PAGES = (
    Page("/tasks", tasks, "view", narrows=True),
    Page("/tasks/{id:str}", task, "view", narrows=True),
    Page("/tasks/{id:str}/assign", assign, "tasks", "POST", narrows=True),
    Page("/tasks/{id:str}/resolve", resolve, "tasks", "POST", narrows=True),
    Page("/tasks/{id:str}/fetch", fetch, "replay", "POST", narrows=True),
)
