"""平台: how each stands, what waits for it and since when; pause, resume, probe."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from contracts.deliveries import FAILED_STATES
from gateway.flow.delivering.probe import probe
from gateway.flow.moving.envelope import compact
from gateway.flow.moving.order import Refused
from gateway.store import console, pauses
from gateway.store.console import DeliveryFilter, Figures
from gateway.store.engine import Row
from gateway.store.journal import AuditEntry
from gateway.web.console import holds, messages, words
from gateway.web.console.desk import Page, Visit
from gateway.web.console.failures import group_rows
from gateway.web.console.live import versions
from gateway.web.console.overview import latency

_RECENT: Final = 12
_HOLDS: Final = 8


async def platforms(visit: Visit) -> Response:
    """All of them."""
    figures = await visit.desk.pulse.look("1h")
    speeds = {row["endpoint"]: row for row in latency(figures)}
    rows = [_standing(visit, figures, row) | speeds[row["name"]] for row in figures.endpoints]
    next_windows: dict[str, Any] = {}
    for window in await holds.open_windows(visit):
        next_windows.setdefault(window["endpoint"], window)
    return visit.render("platforms.html", rows=rows, windows=next_windows, versions=versions(figures))


def _standing(visit: Visit, figures: Figures, row: Row) -> dict[str, Any]:
    counts = figures.standing[row["name"]]
    info = visit.desk.house.endpoints[row["name"]].adapter.info
    if row["paused"]:
        word = "window" if (row["paused_by"] or "").startswith(pauses.WINDOW) else "paused"
    elif row["breaker"] != "closed":
        word = "open"
    elif row["quiet_until"] > row["now"]:
        word = "quiet"
    else:
        word = "normal"
    return {
        "name": row["name"],
        "title": visit.platform(row["name"]),
        "adapter": row["adapter"],
        "full_title": info.title_zh if visit.chinese else info.title_en,
        "word": word,
        "paused": bool(row["paused"]),
        "held": _why_paused(visit, row) if row["paused"] else "",
        "breaker": row["breaker"],
        "failures": row["failures"],
        "quiet_until": row["quiet_until"] if row["quiet_until"] > row["now"] else None,
        "changed": row["changed_at"] or None,
        "slots": row["slots"],
        "queued": counts["pending"],
        "retrying": counts["retrying"],
        "waiting": counts["relayed"],
        "doubt": counts["in_doubt"],
        "dead": sum(counts[state] for state in FAILED_STATES),
        "oldest": figures.oldest.get(row["name"]),
        "delivery_class": info.delivery_class.value,
    }


def _why_paused(visit: Visit, row: Row) -> str:
    if (row["paused_by"] or "").startswith(pauses.WINDOW):
        return visit.t("platform.in_window", reason=row["reason"] or "")
    return visit.paused(row["paused_by"], row["reason"])


async def platform(visit: Visit) -> Response:
    """One platform."""
    return await _one(visit)


async def _one(visit: Visit, status: int = 200, problem: str | None = None, probed: Any = None) -> Response:
    name = visit.request.path_params["name"]
    figures = await visit.desk.pulse.look("1h")
    row = next((row for row in figures.endpoints if row["name"] == name), None)
    if row is None:
        raise Refused(404, "not_found")
    fresh = next((one for one in await visit.desk.store.rows("all_endpoints") if one["name"] == name), row)
    speed = next(one for one in latency(figures) if one["endpoint"] == name)
    line = visit.desk.house.lines[name]
    groups = await visit.desk.store.runner.read(console.groups, [name], visit.now - 3_600_000)
    page = await visit.desk.store.runner.read(
        console.find_deliveries, DeliveryFilter(endpoints=(name,)), [name], _RECENT
    )
    organizations = await visit.desk.names.organizations(m["organization"] for m in page.matters.values())
    held = await holds.held(visit)
    return visit.render(
        "platform.html",
        status,
        one=_standing(visit, figures, fresh) | speed,
        info=line.endpoint.adapter.info,
        limits=line.limits,
        organizations=await visit.desk.names.organizations(line.endpoint.organizations or ()),
        groups=group_rows(visit, groups),
        holds=await holds.of_platform(visit, name, _HOLDS),
        rates=holds.RATES,
        rows=[messages.row_view(visit, page, each, organizations, held) for each in page.rows],
        problem=problem,
        probed=probed,
        done=visit.query.get("done", ""),
    )


async def act(visit: Visit) -> Response:
    """Pause, resume, plan a window or take it back, each with a reason; or probe."""
    name, what = visit.request.path_params["name"], visit.request.path_params["act"]
    if name not in visit.desk.house.endpoints:
        raise Refused(404, "not_found")
    if what == "probe":
        found = await probe(visit.desk.house.lines[name], visit.desk.store.now_ms)
        facts = compact({"code": found.code, "took_ms": found.took_ms})
        await visit.desk.store.audit(AuditEntry(visit.actor, "endpoint.probe", name, None, facts))
        return await _one(visit, probed=found)
    reason = visit.form.text("reason")
    if not reason:
        return await _one(visit, 422, problem="reason_missing")
    operator, per_minute = visit.desk.hands.operator, visit.form.number("per_minute", 1, 60_000)
    if what == "pause":
        standing = await operator.pause(visit.principal, name, reason)
    elif what == "resume":
        standing = await operator.resume(visit.principal, name, reason, per_minute)
    elif what == "window":
        since, until = words.read_local(visit.form.text("from", 40)), words.read_local(visit.form.text("to", 40))
        if since is None or until is None:
            visit.wrong = "from" if since is None else "to"
            return await _one(visit, 422, problem="window_times")
        standing = await operator.plan_window(visit.principal, name, reason, since, until, per_minute)
    elif what == "window_back":
        standing = await operator.take_back_window(visit.principal, visit.form.text("window", 40), reason)
    else:
        raise Refused(404, "not_found")
    if not standing.found:
        raise Refused(404, "not_found")
    if standing.refused is not None:
        visit.wrong = "to" if standing.refused == "times" else "from"
        code = f"window_{standing.refused}" if what.startswith("window") else "act_paused"
        return await _one(visit, 409, problem=code)
    visit.desk.pulse.forget()
    return visit.to(f"platforms/{name}", done=what)


PAGES = (
    Page("/platforms", platforms, "view"),
    Page("/platforms/{name:str}", platform, "view"),
    Page("/platforms/{name:str}/{act:str}", act, "endpoints", "POST"),
)
