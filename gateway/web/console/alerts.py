"""告警: what holds now, what is over, and where to act; acknowledged or muted by a person; the channels, and their tests."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from starlette.responses import Response

from gateway.flow.alerting.channels.wording import RULES, place
from gateway.flow.moving.envelope import compact
from gateway.flow.moving.order import Refused
from gateway.store.console import LAST
from gateway.store.engine import Row
from gateway.store.ids import is_id
from gateway.store.journal import AuditEntry
from gateway.web.console.desk import Page, Visit

_SIZE: Final = 50
_BY_CODE: Final = ("paused_by_fault", "reconciliation")
"""Rules whose figure may be the code of a cause."""

_MUTES_H: Final = (1, 8, 24, 72)


async def alerts(visit: Visit) -> Response:
    """Open ones first, then the history."""
    return await _list(visit)


async def _list(visit: Visit, status: int = 200, tested: dict[str, Any] | None = None) -> Response:
    given = visit.query.get("before", "")
    rows = await visit.desk.store.rows("newest_alerts", given if is_id(given, "alert") else LAST, _SIZE + 1)
    opened = await visit.desk.store.rows("open_alerts")
    shown = {row["id"]: await _place(visit, row) for row in [*opened, *rows]}
    return visit.render(
        "alerts.html",
        status,
        opened=opened,
        rows=[row for row in rows[:_SIZE] if row["closed_at"] is not None],
        places=shown,
        figures={row["id"]: _figure(visit, row) for row in [*opened, *rows]},
        before=rows[_SIZE - 1]["id"] if len(rows) > _SIZE else None,
        severities={row["id"]: RULES.get(row["rule"], "warning") for row in [*opened, *rows]},
        mutes={(row["rule"], row["about"]): row for row in await visit.desk.store.rows("mutes")},
        hours=_MUTES_H,
        channels=await _channels(visit),
        tested=tested,
        done=visit.query.get("done", ""),
    )


async def _channels(visit: Visit) -> list[dict[str, Any]]:
    notices = visit.desk.house.notices
    if notices is None:
        return []
    return [
        asdict(one) | {"severities": notices.board.channels[one.name].settings.severities}
        for one in await notices.standing()
    ]


async def _place(visit: Visit, row: Row) -> tuple[str, str]:
    """What an alert is about, and where to act."""
    about, where = row["about"], visit.path(place(row["rule"], row["about"]))
    if about in visit.desk.house.endpoints:
        return visit.platform(about), where
    if row["rule"].startswith("callback_"):
        return visit.t("nav.waiting"), where
    if about.startswith("case_"):
        case = await visit.desk.store.row("matter", about)
        return about if case is None else str(case["business_key"]).partition("|")[2], where
    notices = visit.desk.house.notices
    named = None if notices is None else notices.wording.named(about, visit.language)
    return named or about, where


def _figure(visit: Visit, row: Row) -> str:
    """What was measured, with what it counts; a code by what it means."""
    figure, rule = row["figure"] or "", row["rule"]
    if rule in _BY_CODE and not figure.isdigit():
        return visit.cause(figure)
    counted = figure.isdigit() and visit.known(f"alert_figure.{rule}")
    return visit.t(f"alert_figure.{rule}", figure=figure) if counted else figure


async def see(visit: Visit) -> Response:
    """A person knows."""
    identifier = visit.request.path_params["id"]
    entry = AuditEntry(visit.actor, "alert.see", identifier)
    await visit.desk.store.audited("see_alert", (identifier, visit.actor), entry)
    return visit.to("alerts")


async def mute(visit: Visit) -> Response:
    """Nobody is told of this rule about this thing for some hours; 0 ends that."""
    notices = visit.desk.house.notices
    row = await visit.desk.store.row("alert", visit.request.path_params["id"])
    hours = visit.form.number("hours", 0, max(_MUTES_H))
    if notices is None or row is None:
        raise Refused(404, "not_found")
    if hours is None or hours not in (0, *_MUTES_H):
        raise Refused(422, "form")
    facts = compact({"rule": row["rule"], "about": row["about"], "hours": hours})
    await visit.desk.store.audit(AuditEntry(visit.actor, "alert.mute", row["id"], None, facts))
    await notices.mute(row["rule"], row["about"], hours, visit.actor)
    return visit.to("alerts", done="mute")


async def test(visit: Visit) -> Response:
    """A test message to one channel; the page says what became of it."""
    notices, name = visit.desk.house.notices, visit.request.path_params["name"]
    if notices is None or name not in notices.board.channels:
        raise Refused(404, "not_found")
    code = await notices.board.test(name, notices.wording)
    facts = compact({"code": code})
    await visit.desk.store.audit(AuditEntry(visit.actor, "alert.test", name, None, facts))
    return await _list(visit, tested={"name": name, "code": code})


PAGES = (
    Page("/alerts", alerts, "view"),
    Page("/alerts/channels/{name:str}/test", test, "endpoints", "POST"),
    Page("/alerts/{id:str}", see, "notes", "POST"),
    Page("/alerts/{id:str}/mute", mute, "notes", "POST"),
)
