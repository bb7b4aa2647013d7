"""批量作业: choose, look at what would happen, say why, let it run; the list of all jobs and the page of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import orjson
from starlette.responses import Response

from gateway.flow.moving.acts import ActRefused
from gateway.flow.moving.order import Refused
from gateway.flow.operating.bulk import ACTS, CAP, MOST, Preview
from gateway.flow.operating.replay import ReplayKind
from gateway.store.console import LAST, DeliveryFilter
from gateway.store.engine import Row
from gateway.store.ids import is_bound, is_id
from gateway.web.console import corrections
from gateway.web.console.conditions import understood
from gateway.web.console.desk import Page, Visit
from gateway.web.console.live import versions
from gateway.web.console.messages import subjects_of

_SIZE: Final = 50
_ITEMS: Final = 200
_RESULTS: Final = ("failed", "sent", "waiting", "ok", "skipped")
"""What may have become of a job's deliveries; where nobody chose one, the first that there is stands open."""

_OF_THE_FORM: Final = frozenset({"bound", "kind", "overtaken", "weigh_kind", "weigh_overtaken"})
"""Fields that the page makes anew: those of the job, and those of another look (``weigh_…``)."""

_RATES: Final = (30, 60, 120, 300, 600)
_NUMBERS: Final = {"per_minute": "120", "canary": "10", "stop_percent": "20"}
"""How a job runs unless somebody says otherwise."""


class NotUnderstood(ActRefused):
    """A filter with conditions that nobody understands: without them the job would be over more than was meant."""

    def __init__(self, unknown: tuple[tuple[str, str], ...]) -> None:
        super().__init__("job.not_understood")
        self.unknown = unknown


async def _not_made(visit: Visit, refusal: ActRefused) -> Response:
    unknown = refusal.unknown if isinstance(refusal, NotUnderstood) else ()
    return visit.render("job_refused.html", refusal.status, problem=refusal.text, unknown=unknown)


async def jobs(visit: Visit) -> Response:
    """Every job, newest first."""
    given = visit.query.get("before", "")
    before = given if is_id(given, "job") else LAST
    rows = await visit.desk.store.rows("newest_jobs", before, _SIZE + 1)
    counts = {row["id"]: await _counts(visit, row["id"]) for row in rows[:_SIZE]}
    return visit.render(
        "jobs.html",
        rows=rows[:_SIZE],
        counts=counts,
        told={row["id"]: in_words(visit, orjson.loads(row["filter"])) for row in rows[:_SIZE]},
        before=rows[_SIZE - 1]["id"] if len(rows) > _SIZE else None,
        corrections=await corrections.waiting(visit),
    )


async def _counts(visit: Visit, job: str) -> dict[str, int]:
    found = dict.fromkeys(("waiting", "sent", "ok", "failed", "skipped"), 0)
    for row in await visit.desk.store.rows("job_counts", job):
        found[row["state"]] = row["many"]
    return found


def in_words(visit: Visit, told: dict[str, Any]) -> str:
    """A frozen filter as a sentence."""
    if "chosen" in told:
        return visit.t("job.chosen", n=told["chosen"])
    if "job" in told:
        return visit.t("job.of_job", job=told["job"])
    parts = []
    for name, value in told.items():
        titled = {
            "state": lambda one: visit.say("state", one),
            "platform": visit.platform,
            "type": visit.type_title,
            "cause": visit.cause,
        }.get(name, str)
        shown = ", ".join(titled(one) for one in (value if isinstance(value, list) else [value]))  # a list: by the API
        parts.append(f"{visit.t(f'filter_name.{name}')}{visit.colon}{shown}")
    return " · ".join(parts)


async def preview(visit: Visit) -> Response:
    """What a job over the address's filter, over chosen rows, or over what is left of another job would do."""
    fields, chosen = _asked(visit)
    if "weigh_kind" in fields:
        fields |= {"kind": fields["weigh_kind"], "overtaken": fields.get("weigh_overtaken", "")}
    return await _preview(visit, fields, chosen)


def _asked(visit: Visit) -> tuple[dict[str, str], list[str]]:
    if visit.request.method == "GET":
        return dict(visit.query), []
    form = visit.form
    names = ("state", "platform", "org", "type", "cause", "case", "from", "to", "q", "job", *sorted(_OF_THE_FORM))
    fields = {name: form.text(name, 200) for name in names if form.text(name, 200)}
    return fields, [one for one in form.all("id") if is_id(one, "delivery")][:CAP]


async def _preview(
    visit: Visit, fields: dict[str, str], chosen: list[str], status: int = 200, problem: str | None = None
) -> Response:
    made, told = await _weighed(visit, fields, chosen)
    return visit.render(
        "job_new.html",
        status,
        preview=made,
        told=told,
        words=in_words(visit, told),
        fields={name: value for name, value in fields.items() if name not in _OF_THE_FORM},
        kinds=[kind.value for kind in ReplayKind],
        chosen=chosen,
        rates=_RATES,
        cap=CAP,
        most=MOST,
        problem=problem,
        reason=visit.form.text("reason"),
        typed={name: visit.form.text(name, 12) or usual for name, usual in _NUMBERS.items()},
    )


async def _weighed(visit: Visit, fields: dict[str, str], chosen: list[str]) -> tuple[Preview, dict[str, Any]]:
    bulk = visit.desk.hands.bulk
    kind = ReplayKind(fields["kind"]) if fields.get("kind") in set(ReplayKind) else ReplayKind.SAME
    overtaken = fields.get("overtaken") == "yes"
    if chosen:
        return await bulk.preview_of(chosen, kind, overtaken=overtaken), {"chosen": len(chosen)}
    if is_id(fields.get("job"), "job"):
        left = []
        for state in ("failed", "waiting"):
            left += await visit.desk.store.rows("job_items_in", fields["job"], state, 0, CAP)
        found = [row["delivery"] for row in left]
        return await bulk.preview_of(found, kind, overtaken=overtaken), {"job": fields["job"]}
    asked = await understood(visit, fields)
    if asked.unknown:
        raise NotUnderstood(asked.unknown)
    wanted, told = asked.filter, asked.fields
    if "case" in told:
        subjects = await subjects_of(visit, told["case"])
        if not subjects:
            raise ActRefused("job.nothing")
        wanted = replace(wanted, subjects=subjects)
    bound = fields.get("bound", "")
    if is_bound(bound, "delivery"):
        wanted = _bounded(wanted, bound)
    return await bulk.preview(wanted, kind, overtaken=overtaken), dict(told)


def _bounded(wanted: DeliveryFilter, bound: str) -> DeliveryFilter:
    return replace(wanted, before=min(wanted.before, bound))


async def ask(visit: Visit) -> Response:
    """Make the job over the list as it was frozen."""
    fields, chosen = _asked(visit)
    rate = visit.form.number("per_minute", 1, 6000)
    canary = visit.form.number("canary", 1, 100)
    stop = visit.form.number("stop_percent", 1, 100)
    reason = visit.form.text("reason")
    if rate is None or canary is None or stop is None:
        return await _preview(visit, fields, chosen, 422, "job_problem.numbers")
    if not reason:
        return await _preview(visit, fields, chosen, 422, "job_problem.reason_missing")
    made, told = await _weighed(visit, fields, chosen)
    job = await visit.desk.hands.bulk.ask(
        visit.principal, made, reason=reason, told=told, per_minute=rate, canary=canary, stop_percent=stop
    )
    return visit.to(f"jobs/{job}")


async def job(visit: Visit) -> Response:
    """One job."""
    return await _one(visit)


async def _one(visit: Visit, status: int = 200, problem: str | None = None) -> Response:
    row: Row | None = await visit.desk.store.row("job", visit.request.path_params["id"])
    if row is None:
        raise Refused(404, "not_found")
    counts = await _counts(visit, row["id"])
    shown = visit.query.get("show", "")
    if shown not in _RESULTS:
        shown = next((one for one in _RESULTS if counts[one]), _RESULTS[0])
    after = visit.query.get("after", "0")
    after_place = int(after) if after.isascii() and after.isdigit() and len(after) < 8 else 0
    items = await visit.desk.store.rows("job_items_in", row["id"], shown, after_place, _ITEMS + 1)
    figures = await visit.desk.pulse.look("1h")
    return visit.render(
        "job.html",
        status,
        row=row,
        counts=counts,
        told=in_words(visit, orjson.loads(row["filter"])),
        shown=shown,
        items=items[:_ITEMS],
        after=items[_ITEMS - 1]["place"] if len(items) > _ITEMS else None,
        problem=problem,
        versions=versions(figures),
    )


async def act(visit: Visit) -> Response:
    """Approve, pause, go on, cancel."""
    what, identifier = visit.request.path_params["act"], visit.request.path_params["id"]
    if what not in ACTS:
        raise Refused(404, "not_found")
    if what == "approve" and not visit.may("approve"):
        raise Refused(403, "forbidden")
    await visit.desk.hands.bulk.move(visit.principal, identifier, what, visit.form.text("reason") or None)
    return visit.to(f"jobs/{identifier}")


async def _not_moved(visit: Visit, refusal: ActRefused) -> Response:
    return await _one(visit, refusal.status, refusal.text)


PAGES = (
    Page("/jobs", jobs, "view"),
    Page("/jobs/new", preview, "bulk", again=_not_made),
    Page("/jobs/preview", preview, "bulk", "POST", again=_not_made),
    Page("/jobs", ask, "bulk", "POST", again=_not_made),
    Page("/jobs/{id:str}", job, "view"),
    Page("/jobs/{id:str}/{act:str}", act, "bulk", "POST", again=_not_moved),
)
