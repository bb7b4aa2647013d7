"""审计: who did what to what and why; the chain is followed on demand and its first broken row named."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any, Final

import orjson
from starlette.responses import Response

from contracts.moments import in_beijing
from gateway.flow.moving.envelope import compact
from gateway.report.sheets import cell
from gateway.security.roles import role_book
from gateway.store import console
from gateway.store.engine import Row
from gateway.store.journal import GENESIS, AuditEntry, audit_hash
from gateway.texts import console_texts
from gateway.web.console import words
from gateway.web.console.desk import Page, Visit
from gateway.web.console.messages import subjects_of
from gateway.web.console.search import place_of

_SIZE: Final = 50
_LOOKED: Final = 4_000
_VERIFY_BATCH: Final = 2_000
_VERIFY_MOST: Final = 200_000
_NEWEST: Final = 2**62
_EXPORTED: Final = 20_000
_TITLES: Final = (
    "col.time",
    "audit.who",
    "audit.act",
    "audit.target",
    "reason",
    "audit.facts",
    "audit.hash",
)


async def audit(visit: Visit) -> Response:
    """The trail, newest first; without the auditor's permission one's own acts alone."""
    everything = visit.may("audit")
    actor = visit.query.get("actor", "")[:80] if everything else visit.actor
    act, target = visit.query.get("act", "")[:60], visit.query.get("target", "")[:80]
    given = visit.query.get("before", "")
    before = int(given) if given.isascii() and given.isdigit() and len(given) < 18 else _NEWEST
    rows, cursor = await _find(visit, before, actor, act, await _things(visit, target))
    return visit.render(
        "audit.html",
        rows=await _views(visit, rows),
        everything=everything,
        actor=actor if everything else "",
        act=act,
        acts=acts(visit.language),
        chosen=acts_meant(act) if act else frozenset(),
        target=target,
        before=cursor,
        verified=None,
    )


def _actors(visit: Visit, given: str) -> frozenset[str]:
    """Who is meant: a person by name or title, or any other actor as it stands in the trail."""
    titled = {name for name, title in visit.people.items() if title == given}
    return frozenset({given, *(f"user:{name}" for name in (given, *titled))})


def acts(language: str) -> list[tuple[str, str]]:
    """Every act of the trail by code and title, the titles in order."""
    found = {key.partition(".")[2]: texts for key, texts in console_texts().items() if key.startswith("audit_act.")}
    return sorted(
        ((code.replace("_", ".", 1), texts[language]) for code, texts in found.items()),
        key=lambda one: (one[1], one[0]),
    )


def acts_meant(given: str) -> frozenset[str]:
    """The acts that somebody named: by title in either language, by code, or by the beginning of codes (``job``)."""
    every = [*acts("zh"), *acts("en")]
    exact = frozenset(code for code, title in every if given in (code, title))
    return exact or frozenset({given, *(code for code, _ in every if code.startswith(given))})


async def _things(visit: Visit, given: str) -> frozenset[str]:
    """What is meant by an object: itself; by a case's number or id everything of the case."""
    if not given:
        return frozenset()
    found, store = {given}, visit.desk.store
    for subject in await subjects_of(visit, given):
        file = await store.load(subject)
        if file is not None:
            found |= {subject, *file.matters, *(delivery.id for delivery in file.deliveries)}
        for statement in ("messages_of", "tasks_of", "clocks_of"):
            found |= {str(row["id"]) for row in await store.rows(statement, subject)}
    return frozenset(found)


async def _find(
    visit: Visit, before: int, actor: str, act: str, targets: frozenset[str]
) -> tuple[list[Row], int | None]:
    kept: list[Row] = []
    looked, wanted = 0, acts_meant(act) if act else None
    while True:
        rows = await visit.desk.store.rows("newest_audit", before, 400)
        looked += len(rows)
        kept += [
            row
            for row in rows
            if (not actor or row["actor"] in _actors(visit, actor))
            and (wanted is None or row["act"] in wanted)
            and (not targets or row["target"] in targets)
        ]
        if len(kept) > _SIZE:
            return kept[:_SIZE], kept[_SIZE - 1]["number"]
        if len(rows) < 400:
            return kept, None
        before = rows[-1]["number"]
        if looked >= _LOOKED:
            return kept, before


def _facts(visit: Visit, facts: Any) -> str:
    """What else is known of an act, in words; what is empty is left out."""
    told = []
    for key, value in facts.items() if isinstance(facts, dict) else ():
        if value is None or value == [] or value == "":
            continue
        name = visit.words_of("audit_fact", key) or key
        told.append(f"{name}{visit.colon}{_fact(visit, key, value)}")
    return ("，" if visit.chinese else ", ").join(told)


def _fact(visit: Visit, key: str, value: Any) -> str:
    if isinstance(value, bool):
        return visit.t("stats.yes" if value else "stats.no")
    if isinstance(value, list):
        return ("、" if visit.chinese else ", ").join(_fact(visit, key, one) for one in value)
    roles = role_book(visit.desk.house.settings.console.roles).roles
    if key == "role" and value in roles:
        return roles[value].titles.of(visit.language)
    if key == "kind" and (titled := visit.words_of("replay_kind", str(value))):
        return titled
    if key == "scopes":
        return visit.say("api_scope", str(value).replace(":", "_"))
    if key == "code":
        return visit.cause(str(value))
    if key in ("endpoint", "platform"):
        return visit.platform(str(value))
    return str(value) if value != "*" else visit.t("all")


async def _views(visit: Visit, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows as they are shown; a client is told by its name."""
    return [{**_view(visit, row), "who": await _who(visit, row["actor"])} for row in rows]


async def _who(visit: Visit, actor: str) -> str:
    return await visit.desk.names.client(actor) if actor.startswith("cli_") else visit.who(actor)


def _view(visit: Visit, row: Row) -> dict[str, Any]:
    facts = orjson.loads(row["data"])
    return {
        "number": row["number"],
        "at": row["at"],
        "actor": row["actor"],
        "act": row["act"],
        "target": row["target"],
        "place": place_of(row["target"]),
        "reason": row["reason"] or "",
        "facts": _facts(visit, facts),
        "hash": row["hash"].hex()[:12],
    }


async def export(visit: Visit) -> Response:
    """The trail as a file, newest first, at most so many rows; that it was taken is a row of its own."""
    actor, act = visit.query.get("actor", "")[:80], visit.query.get("act", "")[:60]
    targets = await _things(visit, visit.query.get("target", "")[:80])
    rows: list[Row] = []
    before: int | None = _NEWEST
    while before is not None and len(rows) < _EXPORTED:
        found, before = await _find(visit, before, actor, act, targets)
        rows += found
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow(["#", *(visit.t(key) for key in _TITLES)])
    for row in (_view(visit, one) for one in rows[:_EXPORTED]):
        told = (row["number"], words.full_time(row["at"]), row["actor"], row["act"], row["target"], row["reason"])
        writer.writerow([cell(str(value)) for value in (*told, row["facts"], row["hash"])])
    facts = compact({"rows": len(rows[:_EXPORTED])})
    await visit.desk.store.audit(AuditEntry(visit.actor, "audit.export", "audit", None, facts))
    stamp = in_beijing(visit.now).strftime("%Y%m%d-%H%M%S")
    headers = {"Content-Disposition": f'attachment; filename="audit-{stamp}.csv"'}
    return Response(b"\xef\xbb\xbf" + made.getvalue().encode(), 200, headers, "text/csv; charset=utf-8")


def _digest(row: Row, previous: bytes) -> bytes:
    entry = AuditEntry(row["actor"], row["act"], row["target"], row["reason"], row["data"])
    return audit_hash(row["number"], row["at"], entry, previous)


async def verify(visit: Visit) -> Response:
    """Follow the chain from its first row."""
    after, previous, broken = 0, GENESIS, None
    while after < _VERIFY_MOST:
        last, previous, broken = await visit.desk.store.runner.read(
            console.verify_audit, after, previous, _VERIFY_BATCH, _digest
        )
        if broken is not None or last == after:
            break
        after = last
    facts = compact({"rows": after, "broken": broken})
    await visit.desk.store.audit(AuditEntry(visit.actor, "audit.verify", "audit", None, facts))
    rows, cursor = await _find(visit, _NEWEST, "", "", frozenset())
    return visit.render(
        "audit.html",
        rows=await _views(visit, rows),
        everything=True,
        actor="",
        act="",
        acts=acts(visit.language),
        chosen=frozenset(),
        target="",
        before=cursor,
        verified={"rows": after, "broken": broken, "head": previous.hex()[:16]},
    )


PAGES = (
    Page("/audit/export.csv", export, "audit"),
    Page("/audit", audit, "view"),
    Page("/audit/verify", verify, "audit", "POST"),
)
