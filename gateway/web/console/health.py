"""体检: loops, store, disk, clock, endpoints, keys: each a line with a verdict and a cure."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from starlette.responses import Response

from gateway.store import months
from gateway.store.migrate import newest
from gateway.web.console.desk import Page, Visit

_SLOW_MS: Final = 200
_BACKLOG_OLD_MS: Final = 1_800_000
_DISK_LOW: Final = 0.10
_LAG: Final = 5_000


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what, how it stands (``good``, ``warn``, ``bad``), the figure, and a key of the cure's text."""

    name: str
    tone: str
    figure: str
    cure: str = ""


async def health(visit: Visit) -> Response:
    """The page."""
    checks = [*_loops(visit), *await _store(visit), await asyncio.to_thread(_disk, visit), *await _platforms(visit)]
    checks += [*await _months(visit), *await _channels(visit)]
    facts = [
        ("version", _version()),
        ("python", sys.version.split()[0]),
        ("schema", newest()),
        ("env", visit.desk.house.settings.env),
        ("database", visit.desk.house.settings.database.partition("://")[0]),
        ("site", visit.desk.house.settings.site),
        ("public_base", visit.desk.house.settings.public_base),
        ("endpoints", str(len(visit.desk.house.endpoints))),
    ]
    return visit.render("health.html", checks=checks, facts=facts, bad=sum(check.tone == "bad" for check in checks))


def _version() -> str:
    try:
        return version("mediation-gateway")
    except PackageNotFoundError:
        return "?"


def _loops(visit: Visit) -> list[Check]:
    stuck = visit.desk.house.worker.stuck()
    if stuck:
        return [Check("loops", "bad", ", ".join(stuck), "loops")]
    return [Check("loops", "good", "")]


async def _store(visit: Visit) -> list[Check]:
    started = time.monotonic()
    await visit.desk.store.row("log_position")
    took = round(1000 * (time.monotonic() - started))
    unnumbered = await visit.desk.store.row("count_unnumbered", _LAG)
    lag = unnumbered["many"] if unnumbered is not None else 0
    drift = abs(visit.desk.store.now_ms() - round(time.time() * 1000))
    return [
        Check("store", "good" if took < _SLOW_MS else "warn", f"{took} ms", "" if took < _SLOW_MS else "store"),
        Check("feed", "good" if lag < _LAG else "warn", f"{lag}", "" if lag < _LAG else "feed"),
        Check("clock", "good" if drift < 2000 else "warn", f"{drift} ms", "" if drift < 2000 else "clock"),
    ]


def _disk(visit: Visit) -> Check:
    data = visit.desk.house.settings.data
    usage = shutil.disk_usage(data if data.exists() else data.parent)
    free = usage.free / usage.total
    figure = f"{usage.free // 2**30} GiB · {free:.0%}"
    return Check("disk", "good", figure) if free > _DISK_LOW else Check("disk", "bad", figure, "disk")


async def _platforms(visit: Visit) -> list[Check]:
    figures = await visit.desk.pulse.look("1h")
    found = []
    for row in figures.endpoints:
        name = visit.platform(row["name"])
        oldest = figures.oldest.get(row["name"])
        age = visit.now - oldest if oldest is not None else 0
        if row["paused"]:
            found.append(Check(name, "warn", row["reason"] or "", "paused"))
        elif row["breaker"] != "closed":
            found.append(Check(name, "bad", f"{row['failures']}", "breaker"))
        elif age > _BACKLOG_OLD_MS:
            found.append(Check(name, "warn", visit.t("health.oldest", minutes=age // 60_000), "old"))
        else:
            found.append(Check(name, "good", ""))
    return found


async def _months(visit: Visit) -> list[Check]:
    """Where tables are partitioned: rows that lie in no month, and months that are missing."""
    parts = await visit.desk.store.runner.months()
    if not parts:
        return []
    wrong = months.troubles(parts, visit.now)
    if wrong:
        return [Check("partitions", "warn", " · ".join(f"{table} {figure}" for table, figure in wrong), "partitions")]
    last = max(part.month for part in parts if part.month is not None)
    return [Check("partitions", "good", f"… {last}")]


async def _channels(visit: Visit) -> list[Check]:
    """Where alerts are told: one that failed, or lies for long, is a fault of its own that no alert can tell."""
    notices = visit.desk.house.notices
    found = []
    for one in [] if notices is None else await notices.standing():
        name = f"{visit.t('health_check.channel')} {one.name}"
        if one.tries:
            found.append(Check(name, "bad", f"{one.waiting} · {one.code or ''}", "channel"))
        else:
            found.append(Check(name, "good", str(one.waiting) if one.waiting else ""))
    return found


PAGES = (Page("/health", health, "view"),)
