"""上报方: who posts, with which keys, how much and how long ago; keys are rotated with both valid for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import orjson
from starlette.responses import Response

from contracts.chinese_calendar import Calendar
from contracts.findings import Code, Language, register
from contracts.moments import in_beijing
from gateway.flow.moving.acts import ActRefused
from gateway.flow.moving.order import Refused
from gateway.flow.registering.clients import Admitted
from gateway.security.clients import OPERATOR_SCOPES, UPSTREAM_SCOPES
from gateway.store.console import Figures
from gateway.store.engine import Row
from gateway.texts import problem_texts
from gateway.web.console.desk import Page, Visit

_OVERLAP_H: Final = (0, 24, 72, 168)
_CAUSES: Final = 4
_NAMED: Final = 4
"""Organisations of a client that its line names; of the others their number is told."""

_SILENT_DAYS: Final = 1
"""Whole working days without a word that make a silence."""


async def clients(visit: Visit) -> Response:
    """The list."""
    return await _list(visit)


async def _list(
    visit: Visit,
    status: int = 200,
    *,
    problem: str | None = None,
    fresh: Admitted | None = None,
    unseen: Sequence[str] = (),
) -> Response:
    day, week = await visit.desk.pulse.look("24h"), await visit.desk.pulse.look("7d")
    grouped: dict[str, list[Row]] = {}
    for row in await visit.desk.store.rows("all_keys"):
        grouped.setdefault(row["client"], []).append(row)
    hour = await visit.desk.pulse.look("1h")
    minutes = {client: max(hour.buckets.get(f"from|{client}", {}), default=None) for client in grouped}
    hours = {client: max(week.buckets.get(f"from|{client}", {}), default=None) for client in grouped}
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
                "last": minutes[client] or hours[client],
                "to_minute": minutes[client] is not None,
                "silent": _silent(minutes[client] or hours[client], visit.now, visit.desk.house.law.calendar),
                "errors": _errors(day, client),
            }
            for client, rows in grouped.items()
        ],
        overlaps=_OVERLAP_H,
        code_title=lambda code: code_title(code, visit.chinese),
        problem=problem,
        fresh=fresh,
        unseen=unseen,
        added=visit.kept(visit.path("clients")),
        names=await visit.desk.names.organizations(
            code for rows in grouped.values() for code in orjson.loads(rows[0]["organizations"])[:_NAMED]
        ),
        named=_NAMED,
    )


@dataclass(frozen=True, slots=True)
class Errors:
    """A client's last 24 hours: its calls ``refused`` at the door, what it sent that ``failed`` at platforms, each by cause
    (code, count), the most first; the shares in percent, ``None`` where there was nothing."""

    refused: list[tuple[str, int]]
    failed: list[tuple[str, int]]
    refused_percent: float | None
    failed_percent: float | None


def _errors(day: Figures, client: str) -> Errors:
    refused, failed = _by_code(day, f"refused|{client}|"), _by_code(day, f"bad|{client}|")
    turned, taken = sum(many for _, many in refused), day.series[f"from|{client}"]
    gone, delivered = sum(many for _, many in failed), day.series[f"good|{client}"]
    return Errors(refused[:_CAUSES], failed[:_CAUSES], _percent(turned, taken), _percent(gone, delivered))


def _by_code(day: Figures, start: str) -> list[tuple[str, int]]:
    found = [(name.removeprefix(start), many) for name, many in day.series.items() if name.startswith(start) and many]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def code_title(code: str, chinese: bool) -> str:
    """The title of a refusal's code, as its caller was told; the code itself where the catalogues do not have it."""
    texts = problem_texts(code)
    if texts is not None:
        return texts["title_zh"] if chinese else texts["title_en"]
    if code in set(Code):
        return register()[Code(code)].texts(Language.ZH if chinese else Language.EN).title
    return code


def _percent(bad: int, good: int) -> float | None:
    return round(100 * bad / (bad + good), 1) if bad + good else None


def _silent(last: int | None, now: int, calendar: Calendar) -> bool:
    """Whether a client that reports has been silent for a whole working day (weekends and holidays are nobody's silence)."""
    if last is None:
        return False
    until = in_beijing(now).date()
    day, working = in_beijing(last).date() + timedelta(days=1), 0
    while day < until and working < _SILENT_DAYS:
        working += calendar.is_working_day(day)
        day += timedelta(days=1)
    return working >= _SILENT_DAYS


async def add(visit: Visit) -> Response:
    """A new client; its key is shown once."""
    name, codes = visit.form.text("name", 100), visit.form.text("organizations", 2_000).replace("，", ",").split(",")
    organizations = [code for code in codes if code.strip()]
    operating = visit.form.text("role") == "operator"
    scopes, all_of_them = (OPERATOR_SCOPES, ["*"]) if operating else (UPSTREAM_SCOPES, [])
    made = await visit.desk.hands.clients.add(visit.actor, name, scopes, organizations or all_of_them)
    unseen = await visit.desk.names.unseen(code.strip() for code in organizations)
    return await _list(visit, fresh=made, unseen=unseen)


async def _add_again(visit: Visit, refusal: ActRefused) -> Response:
    return await _list(visit, refusal.status, problem=refusal.text)


async def rotate(visit: Visit) -> Response:
    """A new key beside the old ones, which end after the overlap."""
    hours, reason = visit.form.number("hours", 0, 168), visit.form.text("reason")
    if hours is None:
        raise Refused(404, "not_found")
    if not reason:
        return await _list(visit, 422, problem="reason_missing")
    made = await visit.desk.hands.clients.rotate(visit.actor, visit.request.path_params["id"], hours, reason)
    return await _list(visit, fresh=made)


async def disable(visit: Visit) -> Response:
    """A key is good no more, at once (in five seconds everywhere)."""
    reason = visit.form.text("reason")
    if not reason:
        return await _list(visit, 422, problem="reason_missing")
    await visit.desk.hands.clients.disable(visit.actor, visit.request.path_params["prefix"], reason)
    return visit.to("clients")


PAGES = (
    Page("/clients", clients, "view"),
    Page("/clients", add, "clients", "POST", again=_add_again),
    Page("/clients/{id:str}/rotate", rotate, "clients", "POST"),
    Page("/clients/keys/{prefix:str}", disable, "clients", "POST"),
)
