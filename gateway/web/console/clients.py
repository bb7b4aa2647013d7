"""上报方: who posts, with which keys, how much and how long ago; keys are rotated with both valid for a while."""

from __future__ import annotations

from typing import Any, Final

import orjson
from starlette.responses import Response

from gateway.flow.operate import audited
from gateway.flow.order import Refused
from gateway.security.clients import OPERATOR_SCOPES, UPSTREAM_SCOPES, make_key
from gateway.store.engine import Operation, Row
from gateway.store.journal import AuditEntry, append_audit
from gateway.web.console.desk import Page, Visit

_OVERLAP_H: Final = (0, 24, 72, 168)


async def clients(visit: Visit) -> Response:
    """The list."""
    return await _list(visit)


async def _list(visit: Visit, status: int = 200, *, problem: str | None = None, fresh: Any = None) -> Response:
    day, week = await visit.desk.pulse.look("24h"), await visit.desk.pulse.look("7d")
    grouped: dict[str, list[Row]] = {}
    for row in await visit.desk.store.rows("all_keys"):
        grouped.setdefault(row["client"], []).append(row)
    last = {client: max(week.buckets.get(f"from|{client}", {}), default=None) for client in grouped}
    return visit.render(
        "clients.html",
        status,
        clients=[
            {
                "id": client,
                "name": rows[0]["name"],
                "organizations": orjson.loads(rows[0]["organizations"]),
                "operator": "ops:write" in orjson.loads(rows[0]["scopes"]),
                "held": rows,
                "day": day.series[f"from|{client}"],
                "week": week.series[f"from|{client}"],
                "last": last[client],
            }
            for client, rows in grouped.items()
        ],
        overlaps=_OVERLAP_H,
        problem=problem,
        fresh=fresh,
    )


async def add(visit: Visit) -> Response:
    """A new client; its key is shown once."""
    name, codes = visit.form.text("name", 100), visit.form.text("organizations", 2_000).replace("，", ",").split(",")
    organizations = [code.strip() for code in codes if code.strip()]
    operating = visit.form.text("role") == "operator"
    if not name or (not organizations and not operating):
        return await _list(visit, 422, problem="client_form")
    key = make_key()
    client = visit.desk.store.ids.new("client")
    scopes = OPERATOR_SCOPES if operating else UPSTREAM_SCOPES
    row = (key.prefix, client, name, key.secret_hash, _json(scopes), _json(organizations or ["*"]), None)
    await visit.desk.store.run(_added, row, AuditEntry(visit.actor, "client.add", client), visit.now)
    return await _list(visit, fresh={"name": name, "key": key.shown})


async def rotate(visit: Visit) -> Response:
    """A new key beside the old ones, which end after the overlap."""
    client = visit.request.path_params["id"]
    hours = visit.form.number("hours", 0, 168)
    rows = [row for row in await visit.desk.store.rows("all_keys") if row["client"] == client]
    if not rows or hours is None:
        raise Refused(404, "not_found")
    newest, key = rows[-1], make_key()
    row = (key.prefix, client, newest["name"], key.secret_hash, newest["scopes"], newest["organizations"], None)
    entry = AuditEntry(visit.actor, "client.rotate", client, None, _json({"hours": hours}))
    await visit.desk.store.run(_added, row, entry, visit.now)
    for old in rows:
        await visit.desk.store.write("end_key", (old["prefix"], hours * 3_600_000))
    return await _list(visit, fresh={"name": newest["name"], "key": key.shown})


async def disable(visit: Visit) -> Response:
    """A key is good no more, at once (in five seconds everywhere)."""
    prefix = visit.request.path_params["prefix"]
    entry = AuditEntry(visit.actor, "client.disable_key", prefix)
    if not await visit.desk.store.run(audited, "disable_key", (prefix,), entry, visit.now):
        raise Refused(404, "not_found")
    return visit.to("clients")


def _json(value: Any) -> str:
    return orjson.dumps(list(value) if isinstance(value, tuple) else value).decode()


def _added(row: tuple[object, ...], entry: AuditEntry, at: int) -> Operation[None]:
    yield "add_client", [row]
    yield from append_audit([entry], at)


PAGES = (
    Page("/clients", clients, "view"),
    Page("/clients", add, "clients", "POST"),
    Page("/clients/{id:str}/rotate", rotate, "clients", "POST"),
    Page("/clients/keys/{prefix:str}", disable, "clients", "POST"),
)
