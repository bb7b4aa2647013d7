"""告警: what holds now, what is over, and where to act; acknowledged by a person."""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import Response

from gateway.flow.operate import audited
from gateway.store.console import LAST
from gateway.store.engine import Row
from gateway.store.journal import AuditEntry
from gateway.web.console.desk import Page, Visit

_SIZE: Final = 50
_ID: Final = re.compile(r"alt_[0-9A-HJKMNP-TV-Z]{26}")


async def alerts(visit: Visit) -> Response:
    """Open ones first, then the history."""
    given = visit.query.get("before", "")
    rows = await visit.desk.store.rows("newest_alerts", given if _ID.fullmatch(given) else LAST, _SIZE + 1)
    opened = await visit.desk.store.rows("open_alerts")
    shown = {row["id"]: _place(visit, row) for row in [*opened, *rows]}
    return visit.render(
        "alerts.html",
        opened=opened,
        rows=[row for row in rows[:_SIZE] if row["closed_at"] is not None],
        places=shown,
        before=rows[_SIZE - 1]["id"] if len(rows) > _SIZE else None,
    )


def _place(visit: Visit, row: Row) -> tuple[str, str]:
    """What an alert is about, and where to act."""
    if row["about"].startswith("case_"):
        return row["about"], visit.path(f"cases/{row['about']}")
    if row["about"] in visit.desk.house.endpoints:
        return visit.platform(row["about"]), visit.path(f"platforms/{row['about']}")
    if row["rule"].startswith("callback_"):
        return visit.t("nav.waiting"), visit.path("waiting", kind=row["rule"].partition("_")[2])
    return visit.t("nav.health"), visit.path("health")


async def see(visit: Visit) -> Response:
    """A person knows."""
    identifier = visit.request.path_params["id"]
    entry = AuditEntry(visit.actor, "alert.see", identifier)
    await visit.desk.store.run(audited, "see_alert", (identifier, visit.actor), entry, visit.now)
    return visit.to("alerts")


PAGES = (Page("/alerts", alerts, "view"), Page("/alerts/{id:str}", see, "notes", "POST"))
