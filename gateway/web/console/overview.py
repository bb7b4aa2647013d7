"""总览: six numbers, the flow map, flow and latency per platform, failures by cause, deadlines at risk; and the wall."""

from __future__ import annotations

from collections import Counter
from typing import Any

from starlette.responses import Response

from contracts.deliveries import FAILED_STATES
from gateway.flow.timing import overdue
from gateway.store import console
from gateway.store.console import Figures
from gateway.store.tally import quantile
from gateway.web.console import charts, failures, holds, own
from gateway.web.console.desk import Page, Visit
from gateway.web.console.flow_map import draw
from gateway.web.console.live import WINDOWS, numbers, versions
from gateway.web.console.risks import risks

_GROUPS = 6
_RISKS = 6
_SOON_MS = 86_400_000


async def overview(visit: Visit) -> Response:
    """The page, and the wall (the same figures, larger, without hands)."""
    if visit.scoped:
        return await own.overview(visit)
    window = visit.query.get("window", "1h")
    if window not in WINDOWS:
        window = "1h"
    desk = visit.desk
    figures = await desk.pulse.look(window)
    organizations = await desk.names.organizations(
        name.partition("|")[2] for name in figures.series if name.startswith("in|")
    )
    names = sorted(figures.standing)
    since = visit.now - WINDOWS["1h"]
    rows = await desk.store.runner.read(console.groups, names, since)
    groups = failures.group_rows(visit, rows)
    wall = visit.request.url.path.endswith("/wall")
    platforms = {name: visit.platform(name) for name in names}
    return visit.render(
        "wall.html" if wall else "overview.html",
        window=window,
        windows=list(WINDOWS),
        numbers=numbers(figures),
        versions=versions(figures),
        most=console.COUNTED,
        flow=draw(figures, organizations, platforms),
        volume=charts.lines(volume(figures), figures.since, figures.now, figures.step, platforms),
        latency=latency(figures),
        platforms=platforms,
        groups=groups[:_GROUPS],
        more_groups=max(len(groups) - _GROUPS, 0),
        holding=await holds.held(visit),
        risks=await risks(visit, [*overdue.still(figures.over), *figures.clocks], _RISKS),
        held=[one for one in await holds.open_windows(visit) if one["starts"] < visit.now + _SOON_MS],
        nothing=not figures.position,
    )


def volume(figures: Figures) -> dict[str, dict[int, int]]:
    """Delivered per platform and bucket."""
    return {name: figures.buckets.get(f"out|{name}|delivered", {}) for name in sorted(figures.standing)}


def latency(figures: Figures) -> list[dict[str, Any]]:
    """Per platform the median and the 95th percentile of acceptance → receipt, the success rate, and the counts behind."""
    found = []
    for name in sorted(figures.standing):
        classes: Counter[int] = Counter()
        for series, many in figures.series.items():
            if series.startswith(f"took|{name}|"):
                classes[int(series.rpartition("|")[2])] += many
        delivered = figures.series[f"out|{name}|delivered"]
        gone = sum(figures.series[f"out|{name}|{state}"] for state in FAILED_STATES)
        found.append(
            {
                "endpoint": name,
                "p50": quantile(classes, 0.5),
                "p95": quantile(classes, 0.95),
                "delivered": delivered,
                "failed": gone,
                "rate": round(100 * delivered / (delivered + gone), 1) if delivered + gone else None,
                "bars": charts.bars(classes),
            }
        )
    return found


PAGES = (Page("/", overview, "view", narrows=True), Page("/wall", overview, "view"))
