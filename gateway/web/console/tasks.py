"""任务: what the engine put before a person; take it, hand it on, close it with evidence."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Final

import orjson
from starlette.responses import Response

from contracts.status import TaskKind
from gateway.flow.moving.order import Refused
from gateway.flow.moving.task_details import open_detail
from gateway.flow.operating import case_links
from gateway.security.field_classes import covered
from gateway.security.roles import role_book
from gateway.store.console import LAST
from gateway.store.engine import Row, Rows
from gateway.store.ids import is_id
from gateway.store.store import Store
from gateway.web.console import words
from gateway.web.console.desk import Page, Visit

_SIZE: Final = 50
_LOOKED: Final = 2_000
_ALIKE: Final = 5
"""So many open tasks of one kind, platform and cause are told in one line."""


async def tasks(visit: Visit) -> Response:
    """The list, newest first."""
    state = "resolved" if visit.query.get("state") == "resolved" else "open"
    mine = visit.person is not None and visit.query.get("mine") == "1"
    asked = Asked(
        state,
        visit.query.get("kind", ""),
        visit.query.get("platform", ""),
        visit.query.get("cause", "")[:100],
        visit.person.name if mine and visit.person is not None else "",
    )
    given = visit.query.get("before", "")
    given = given if is_id(given, "task") else ""
    alike = await _alike(visit, asked)
    rows, before = await _find(visit, asked, given or LAST, alike)
    numbers = await _numbers(visit, (row["subject"] for row in rows))
    return visit.render(
        "tasks.html",
        rows=rows,
        alike=[] if given else list(alike.values()),
        numbers=numbers,
        state=state,
        kind=asked.kind,
        kinds=list(TaskKind),
        platform=asked.endpoint,
        cause=asked.cause,
        every=sorted(visit.desk.house.endpoints),
        mine=mine,
        before=before,
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list shows; empty: any."""

    state: str
    kind: str = ""
    endpoint: str = ""
    cause: str = ""
    assignee: str = ""

    def takes(self, row: Row) -> bool:
        """Whether a task is among it."""
        return (
            (not self.kind or row["kind"] == self.kind)
            and (not self.endpoint or row["endpoint"] == self.endpoint)
            and (not self.cause or row["code"] == self.cause)
            and (not self.assignee or row["assignee"] == self.assignee)
        )


@dataclass(slots=True)
class Alike:
    """Open tasks of one kind, platform and cause (同类任务): how many, from when to when, and the earliest deadline."""

    kind: str
    endpoint: str | None
    code: str | None
    many: int = 0
    unassigned: int = 0
    first: int = 0
    last: int = 0
    due: int = 0

    def add(self, row: Row) -> None:
        """One more, older than those before."""
        self.many += 1
        self.unassigned += not row["assignee"]
        self.first, self.last = row["created_at"], self.last or row["created_at"]
        self.due = min(self.due or row["due_at"], row["due_at"]) if row["due_at"] else self.due


_Key = tuple[str, str | None, str | None]


def _key(row: Row) -> _Key:
    return row["kind"], row["endpoint"], row["code"]


async def _alike(visit: Visit, asked: Asked) -> dict[_Key, Alike]:
    """What is told in one line, the most first: an outage must not push everything else off the page. Of the newest
    ``_LOOKED`` tasks; none where the list asks for a kind, which shows each."""
    if asked.state != "open" or asked.kind:
        return {}
    found: dict[_Key, Alike] = {}
    for row in await visit.desk.store.rows("newest_tasks", asked.state, LAST, _LOOKED):
        if asked.takes(row) and visit.within(row["organization"]):
            found.setdefault(_key(row), Alike(*_key(row))).add(row)
    many = [(key, group) for key, group in found.items() if group.many >= _ALIKE]
    return dict(sorted(many, key=lambda one: -one[1].many))


async def _find(visit: Visit, asked: Asked, before: str, alike: Container[_Key]) -> tuple[Rows, str | None]:
    """A page of tasks without those that are told in one line, and where the next page begins."""
    kept: Rows = []
    looked = 0
    while True:
        rows = await visit.desk.store.rows("newest_tasks", asked.state, before, 200)
        looked += len(rows)
        kept += [
            row for row in rows if asked.takes(row) and visit.within(row["organization"]) and _key(row) not in alike
        ]
        if len(kept) > _SIZE:
            return kept[:_SIZE], kept[_SIZE - 1]["id"]
        if len(rows) < 200:
            return kept, None
        before = rows[-1]["id"]
        if looked >= _LOOKED:
            return kept, before


async def has_own(store: Store, name: str) -> bool:
    """Whether one of the newest open tasks is this person's."""
    return any(row["assignee"] == name for row in await store.rows("newest_tasks", "open", LAST, _LOOKED))


async def _numbers(visit: Visit, subjects: Iterable[str]) -> dict[str, str]:
    found = {}
    for subject in {subject for subject in subjects if subject.startswith("case_")}:
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
    numbers = await _numbers(visit, [row["subject"]])
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
    numbers = await _numbers(visit, others)
    return [(other, numbers.get(other, other)) for other in others if other in numbers or not visit.scoped]


async def _details(visit: Visit, row: Row) -> list[tuple[str, str]]:
    """What the engine noted: words as they are, sentences of platforms masked, for those who act; folded for others."""
    if row["detail_sealed"] is None or row["kind"] == case_links.KIND or not visit.may("bodies"):
        return []
    kept = open_detail(visit.desk.store, row)
    redactor = await visit.desk.house.disclosure.of(row["subject"], row["endpoint"] or "")
    found = []
    for key, value in kept.items():
        for one in value if isinstance(value, list) else [value]:
            if one is None or one == "":
                continue
            text = one if isinstance(one, str) else orjson.dumps(one).decode()
            if key in ("kept", "said", "at"):
                found.append((key, redactor.value(text)[0]))
            else:
                found.append((key, redactor.prose(text) if visit.may("tasks") else covered(text)))
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
