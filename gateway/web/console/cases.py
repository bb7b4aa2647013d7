"""案件与全程: the list of cases, and one case over all platforms with its clocks, fit to be printed for the file."""

from __future__ import annotations

from typing import Any, Final

import orjson
from starlette.responses import Response

from contracts.case import Case
from contracts.lists import PartyRole
from contracts.status import CaseStatus
from contracts.statutes import Rule
from gateway.flow.moving.order import Refused
from gateway.flow.operating.disclosing import document_leaves
from gateway.flow.timing.next_steps import next_steps
from gateway.flow.timing.overdue import waits
from gateway.security.field_classes import Leaf
from gateway.store import console
from gateway.store.casefile import CaseFile, Matter
from gateway.store.console import id_at
from gateway.store.engine import Row, Rows
from gateway.store.ids import is_id, kind_of
from gateway.store.places import of_document
from gateway.web.api.views import clock_view
from gateway.web.console import holds, journey, words
from gateway.web.console.desk import Page, Visit
from gateway.web.console.messages import subjects_of
from gateway.web.console.reach import own_matters
from gateway.web.console.risks import rule_of, stuck_at
from gateway.web.console.search import looks_personal

_SIZE: Final = 50
_LOOKED: Final = 2_000


async def cases(visit: Visit) -> Response:
    """The list, newest first."""
    status, organization = (
        visit.query.get("status", ""),
        await visit.desk.names.code_of(visit.query.get("org", "")[:100]),
    )
    number = visit.query.get("case", "")[:100]
    before = visit.query.get("before", "")
    rows, cursor = await _find(visit, number, status, organization, before if is_id(before, "case") else console.LAST)
    names = await visit.desk.names.organizations(row["organization"] for row in rows)
    subjects = [row["id"] for row in rows]
    read = visit.desk.store.runner.read
    opened = await read(console.for_subjects, subjects, "open_deliveries_of")
    clocks = await read(console.for_subjects, subjects, "clocks_of")
    return visit.render(
        "cases.html",
        rows=[await _row(visit, row, opened[row["id"]], clocks[row["id"]]) for row in rows],
        names=names,
        status=status,
        statuses=[word for word in CaseStatus if word != "unknown"],
        org=organization,
        organizations=await visit.desk.names.choices(visit.reach),
        number=number,
        before=cursor,
    )


async def _find(visit: Visit, number: str, status: str, organization: str, before: str) -> tuple[Rows, str | None]:
    store = visit.desk.store
    if number:
        matters = await own_matters(visit, await subjects_of(visit, number))
        rows = [row for row in matters.values() if row["kind"] == "case"]
        return [row for row in rows if not organization or row["organization"] == organization], None
    if organization and not visit.within(organization):
        return [], None
    wanted = [organization] if organization else None if visit.reach is None else sorted(visit.reach)
    kept: Rows = []
    looked = 0
    while True:
        chunk = 400 if status else _SIZE + 1
        if wanted is not None:
            rows = await store.runner.read(console.newest_cases_in, wanted, id_at("case", 0), before, chunk)
        else:
            rows = await store.rows("newest_cases", id_at("case", 0), min(before, "case_zzz"), chunk)
        looked += len(rows)
        kept += [row for row in rows if not status or row["status"] == status]
        if len(kept) > _SIZE:
            return kept[:_SIZE], kept[_SIZE - 1]["id"]
        if len(rows) < chunk:
            return kept, None
        before = rows[-1]["id"]
        if looked >= _LOOKED:
            return kept, before


async def _row(visit: Visit, row: Row, opened: Rows, clocks: Rows) -> dict[str, Any]:
    running = [clock for clock in clocks if clock["state"] == "running"]
    cause = ""
    if visit.may("bodies"):
        message = await visit.desk.store.row("message", row["message"])
        if message is not None:
            document = orjson.loads(visit.desk.store.unseal(message["document_sealed"], of_document(message["id"])))
            path = document.get("cause", {}).get("path", [])
            cause = path[-1] if path else ""
    over = [
        clock
        for clock in clocks
        if clock["state"] == "expired" and clock["about"] == row["id"] and waits(clock["rule"], "case", row["status"])
    ]
    first = next(iter([*over, *running]), None)
    return {
        "id": row["id"],
        "number": row["business_key"].partition("|")[2],
        "organization": row["organization"],
        "cause": cause,
        "status": row["status"],
        "platforms": sorted({visit.platform(one["endpoint"]) for one in opened}),
        "due": words.day_end(first["due_on"]) if first is not None else None,
        "due_on": first["due_on"] if first is not None else "",
        "rule": first["rule"] if first is not None else "",
        "rule_title": _rule_title(visit, first) if first is not None else "",
        "stuck": stuck_at(visit, opened, row["status"]),
        "updated": row["updated_at"],
    }


def _rule_title(visit: Visit, clock: Row) -> str:
    """What a clock's rule is called; its code where nobody knows it."""
    rule = rule_of(clock["rule"], clock["due_on"])
    return clock["rule"] if rule is None else rule.zh if visit.chinese else rule.en


async def case(visit: Visit) -> Response:
    """One case's whole way."""
    return await show_case(visit)


async def show_case(visit: Visit, status: int = 200, problem: str = "") -> Response:
    """The page of the case that the address names; ``problem`` says why an act was refused.

    Raises:
        Refused: 404.
    """
    store = visit.desk.store
    identifier = visit.request.path_params["id"]
    file = await store.load(identifier)
    if file is None:
        file = await store.load_of_matter(identifier)
        if file is None and kind_of(identifier) is None and not looks_personal(identifier):
            return visit.to(
                "cases", case=identifier[:100]
            )  # a number where an id of ours belongs: the list looks for it
        if file is None:
            raise Refused(404, "not_found")
        return visit.to(f"cases/{file.subject}")
    events = await store.rows("events_of", file.subject)
    messages = await store.rows("messages_of", file.subject)
    clocks = await store.rows("clocks_of", file.subject)
    met = await holds.of_deliveries(visit, file.deliveries)
    steps = [*journey.moves(visit, file, events, messages), *journey.held(visit, met)]
    steps.sort(key=lambda step: (step.at, step.order, step.target))
    head = await _head(visit, file)
    opened = [d for d in file.deliveries if d.state not in ("delivered", "cancelled", "superseded")]
    shown = [clock_view(clock) for clock in clocks]
    document, referral = await visit.desk.house.contexts.case_of(file), None
    # An agreement and its confirmation offer the same step: it is told once.
    following = {
        tuple(sorted((name, str(value)) for name, value in step.items())): (matter, step)
        for matter in file.matters.values()
        for step in next_steps(matter, shown, file, document, referral)
    }.values()
    names = await visit.desk.names.organizations([file.organization])
    return visit.render(
        "case.html",
        status,
        problem=problem,
        done=visit.query.get("done", ""),
        file=file,
        matter=file.matters.get(file.subject),
        number=head["number"],
        head=head,
        organization=names.get(file.organization, file.organization),
        steps=steps,
        picture=journey.draw(visit, steps, clocks),
        clocks=[_clock(visit, clock, file.matters.get(clock["about"])) for clock in clocks],
        opened=opened,
        held=await holds.held(visit),
        deliveries=file.deliveries,
        matters=[matter for matter in file.matters.values() if matter.id != file.subject],
        references=file.references,
        papers=await store.rows("papers_of", file.subject),
        tasks=await store.rows("tasks_of", file.subject),
        links=await _linked(visit, file.subject),
        following=following,
        document=next((m["id"] for m in reversed(messages) if m["type"] in ("case.submitted", "case.revised")), None),
    )


async def _linked(visit: Visit, case: str) -> list[dict[str, Any]]:
    """The cases of which a person said that they are the same dispute, or another."""
    found = []
    for link in await visit.desk.hands.case_links.of(case):
        matter = await visit.desk.store.row("matter", link.case)
        if visit.scoped and (matter is None or not visit.within(matter["organization"])):
            continue
        number = link.case if matter is None else matter["business_key"].partition("|")[2]
        found.append({"case": link.case, "number": number, "verdict": link.verdict, "at": link.at, "by": link.by})
    return found


def _clock(visit: Visit, row: Row, matter: Matter | None) -> dict[str, Any]:
    rule = rule_of(row["rule"], row["due_on"])
    due = words.day_end(row["due_on"])
    return {
        "id": row["id"],
        "extends": rule is not None and rule.extension is not None,
        "most": rule.extension.length if rule is not None and rule.extension is not None else None,
        "pause_article": _pause_article(visit, rule),
        "rule": row["rule"],
        "title": _rule_title(visit, row),
        "article": (rule.citation if visit.chinese else rule.citation_en) if rule is not None else "",
        "about": row["about"],
        "started": row["started_on"],
        "due_on": row["due_on"],
        "due": due,
        "left": due - visit.now,
        "safe": row["safe_at"],
        "state": row["state"],
        "overdue": row["state"] == "expired" and matter is not None and waits(row["rule"], matter.kind, matter.status),
        "provisional": bool(row["provisional"]),
        "extended": row["extended_by"],
        "unit": "" if rule is None else (rule.unit.zh if visit.chinese else rule.unit.en),
        "suspended_on": orjson.loads(row["pauses"])[-1][0] if row["state"] == "suspended" else "",
    }


def _pause_article(visit: Visit, rule: Rule | None) -> str:
    """The article that lets the period stand still, where the law's data know one."""
    cited = None if rule is None else rule.pause_citation
    return "" if cited is None else cited[0 if visit.chinese else 1]


async def _head(visit: Visit, file: CaseFile) -> dict[str, Any]:
    """What stands over the case: number, cause, masked parties, amount, times."""
    matter = file.matters.get(file.subject)
    number = matter.business_key.partition("|")[2] if matter is not None else file.subject
    head: dict[str, Any] = {"number": number, "cause": "", "parties": [], "amount": "", "received": "", "accepted": ""}
    head |= {"collective": None, "more_parties": 0}
    if matter is None or not visit.may("bodies"):
        return head
    row = await visit.desk.store.row("message", matter.message)
    if row is None or row["type"] not in ("case.submitted", "case.revised"):
        return head
    raw = visit.desk.store.unseal(row["document_sealed"], of_document(row["id"]))
    known = {leaf.pointer: leaf for leaf in document_leaves(Case, raw)}
    document = orjson.loads(raw)
    parties = document.get("parties", [])
    head |= {
        "cause": " › ".join(document["cause"]["path"][-2:]),
        "amount": words.yuan(document["amount"]),
        "received": document["received_at"][:16].replace("T", " "),
        "accepted": (document.get("accepted_at") or "")[:16].replace("T", " "),
        "parties": [_party(known, place, party, visit.chinese) for place, party in enumerate(parties[:12])],
        "more_parties": max(len(parties) - 12, 0),
        "collective": document.get("collective", {}).get("worker_count") if document.get("collective") else None,
    }
    return head


def _party(known: dict[str, Leaf], place: int, party: dict[str, Any], chinese: bool) -> tuple[str, str, str]:
    """Standing, name and number as they may be seen."""
    at = f"/parties/{place}"
    number = known.get(f"{at}/id_number") or known.get(f"{at}/credit_code")
    role = PartyRole(party["role"])
    return role.zh if chinese else role.en, known[f"{at}/name"].masked, number.masked if number is not None else ""


PAGES = (Page("/cases", cases, "view", narrows=True), Page("/cases/{id:str}", case, "view", narrows=True))
