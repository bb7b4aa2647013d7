"""期限的中止、恢复、延长: a person's word on a clock of a case, with its reason and its article."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Final

from starlette.responses import Response

from gateway.flow.moving.order import Principal, Refused
from gateway.flow.timing.clock_acts import Act
from gateway.store.engine import Row
from gateway.web.api.clocks import ARTICLE, LONGEST
from gateway.web.console.cases import show_case
from gateway.web.console.desk import Page, Visit

_WRONG: Final = {"no_suspension": "article", "no_extension": "extended_by"}
"""The field that a refusal is about, where the refusal does not name it."""

_SAID: Final = frozenset({"clock_state", "no_suspension", "no_extension", "busy"})


async def act(visit: Visit) -> Response:
    """Suspend, resume or extend one of the case's clocks; what is wrong is told on the case's page."""
    case, name = visit.request.path_params["id"], visit.request.path_params["act"]
    does = _verb(visit, name)
    row = await visit.desk.store.row("clock", visit.form.text("clock", 40))
    if row is None or row["subject"] != case:
        raise Refused(404, "not_found")
    try:
        wanted = _read(visit, extends=name == "extend")
        await does(visit.principal, row["id"], wanted)
    except Refused as refusal:
        if refusal.status == 404:
            raise
        visit.wrong = _WRONG.get(refusal.code) or _field(refusal)
        return await show_case(visit, refusal.status, _problem(visit, refusal))
    return visit.to(f"cases/{case}", done=f"clock_{name}")


def _verb(visit: Visit, name: str) -> Callable[[Principal, str, Act], Awaitable[Row]]:
    acts = visit.desk.hands.clock_acts
    found = {"suspend": acts.suspend, "resume": acts.resume, "extend": acts.extend}.get(name)
    if found is None:
        raise Refused(404, "not_found")
    return found


def _read(visit: Visit, *, extends: bool) -> Act:
    """The form's act: a reason; the day (today without), the article (the law's own without); how long in all."""
    form = visit.form
    reason, day, article = form.text("reason"), form.text("on", 10), form.text("article", 200)
    if not reason:
        raise Refused(422, "reason_missing")
    if form.has("article") and form.secret("article").strip() and not ARTICLE.fullmatch(article):
        raise Refused(422, "parameter", extra={"parameter": "article"})
    by = form.number("extended_by", 1, LONGEST) if extends else 0
    if by is None:
        raise Refused(422, "parameter", extra={"parameter": "extended_by"})
    try:
        on = date.fromisoformat(day) if day else None
    except ValueError:
        raise Refused(422, "parameter", extra={"parameter": "on"}) from None
    return Act(reason, on, article or None, by)


def _field(refusal: Refused) -> str:
    """What of the form it is about: the place of its finding, or what it names itself."""
    if refusal.findings:
        return refusal.findings[0].pointer.removeprefix("/")
    return str(refusal.extra.get("parameter", "reason"))


def _problem(visit: Visit, refusal: Refused) -> str:
    """Why not, in the person's language."""
    if refusal.code == "reason_missing":
        return visit.t("problem.reason_missing")
    if refusal.code in ("parameter", "body_field"):
        return visit.t(f"clock.problem.{_field(refusal)}")
    if refusal.code == "no_extension" and "most" in refusal.extra:
        return visit.t("clock.problem.too_long", n=refusal.extra["most"])
    return visit.t(f"clock.problem.{refusal.code if refusal.code in _SAID else 'clock_state'}")


PAGES = (Page("/cases/{id:str}/clocks/{act:str}", act, "clocks", "POST", narrows=True),)
