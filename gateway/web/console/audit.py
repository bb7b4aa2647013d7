"""审计: who did what to what and why; the chain is followed on demand and its first broken row named."""

from __future__ import annotations

import csv
import io
from typing import Any, Final

import orjson
from starlette.responses import Response

from gateway.report.sheets import cell
from gateway.store import console
from gateway.store.engine import Row
from gateway.store.journal import GENESIS, AuditEntry, audit_hash
from gateway.web.console import words
from gateway.web.console.desk import Page, Visit

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
    rows, cursor = await _find(visit, before, actor, act, target)
    return visit.render(
        "audit.html",
        rows=[_view(row) for row in rows],
        everything=everything,
        actor=actor if everything else "",
        act=act,
        target=target,
        before=cursor,
        verified=None,
    )


async def _find(visit: Visit, before: int, actor: str, act: str, target: str) -> tuple[list[Row], int | None]:
    kept: list[Row] = []
    looked = 0
    while True:
        rows = await visit.desk.store.rows("newest_audit", before, 400)
        looked += len(rows)
        kept += [
            row
            for row in rows
            if (not actor or row["actor"] in (actor, f"user:{actor}"))
            and (not act or row["act"].startswith(act))
            and (not target or row["target"] == target)
        ]
        if len(kept) > _SIZE:
            return kept[:_SIZE], kept[_SIZE - 1]["number"]
        if len(rows) < 400:
            return kept, None
        before = rows[-1]["number"]
        if looked >= _LOOKED:
            return kept, before


def _view(row: Row) -> dict[str, Any]:
    facts = orjson.loads(row["data"])
    return {
        "number": row["number"],
        "at": row["at"],
        "actor": row["actor"],
        "act": row["act"],
        "target": row["target"],
        "reason": row["reason"] or "",
        "facts": ", ".join(f"{key}={value}" for key, value in facts.items()) if isinstance(facts, dict) else "",
        "hash": bytes(row["hash"]).hex()[:12],
    }


async def export(visit: Visit) -> Response:
    """The trail as a file, newest first, at most so many rows; that it was taken is a row of its own."""
    actor, act = visit.query.get("actor", "")[:80], visit.query.get("act", "")[:60]
    rows: list[Row] = []
    before: int | None = _NEWEST
    while before is not None and len(rows) < _EXPORTED:
        found, before = await _find(visit, before, actor, act, visit.query.get("target", "")[:80])
        rows += found
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow(["#", *(visit.t(key) for key in _TITLES)])
    for row in map(_view, rows[:_EXPORTED]):
        told = (row["number"], words.full_time(row["at"]), row["actor"], row["act"], row["target"], row["reason"])
        writer.writerow([cell(str(value)) for value in (*told, row["facts"], row["hash"])])
    facts = orjson.dumps({"rows": len(rows[:_EXPORTED])}).decode()
    await visit.desk.store.audit(AuditEntry(visit.actor, "audit.export", "audit", None, facts))
    stamp = words.beijing(visit.now).strftime("%Y%m%d-%H%M%S")
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
    facts = orjson.dumps({"rows": after, "broken": broken}).decode()
    await visit.desk.store.audit(AuditEntry(visit.actor, "audit.verify", "audit", None, facts))
    rows, cursor = await _find(visit, _NEWEST, "", "", "")
    return visit.render(
        "audit.html",
        rows=[_view(row) for row in rows],
        everything=True,
        actor="",
        act="",
        target="",
        before=cursor,
        verified={"rows": after, "broken": broken, "head": previous.hex()[:16]},
    )


PAGES = (
    Page("/audit/export.csv", export, "audit"),
    Page("/audit", audit, "view"),
    Page("/audit/verify", verify, "audit", "POST"),
)
