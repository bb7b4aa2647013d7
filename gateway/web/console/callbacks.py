"""One stored call of a platform: what it says in our words, what that is about, and an orphan's match by hand (人工对应)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from starlette.responses import Response

from contracts.adapter import InboundCall
from contracts.errors import UnreadableCallback
from contracts.moments import to_ms
from contracts.update import Inbound, KeyKind, ReferralOffered
from gateway.flow.applying.correlate import Contradicting, find
from gateway.flow.moving.order import Refused
from gateway.flow.receive import unpack_call
from gateway.security.disclosure import Redactor
from gateway.security.field_classes import covered
from gateway.store import console
from gateway.store.console import DeliveryFilter
from gateway.store.engine import Row
from gateway.store.ids import is_id
from gateway.store.places import of_call
from gateway.web.console import messages, words
from gateway.web.console.desk import Page, Visit
from gateway.web.console.search import looks_personal

_CANDIDATES: Final = 60
_PERSONAL: Final = re.compile(
    r"(?<!\d)1[3-9]\d{9}(?!\d)"
    r"|(19\d\d|200\d|201[0-4])(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
    r"|[1-9]\d{5}(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
)
"""A telephone number, somebody's birthday, a resident's number: no platform's number looks so, and none is shown."""


@dataclass(frozen=True, slots=True)
class Said:
    """One word of a call: what it is about, in which status, by which numbers, and the thing that these name today."""

    about: str
    status: str
    raw: str
    at: str
    keys: list[tuple[str, str]]
    subject: str = ""
    number: str = ""
    contradicting: bool = False


async def callback(visit: Visit) -> Response:
    """The page."""
    return await _page(visit)


async def _page(visit: Visit, status: int = 200, problem: str | None = None) -> Response:
    row = await visit.desk.store.row("callback", visit.request.path_params["id"])
    if row is None:
        raise Refused(404, "not_found")
    call = unpack_call(visit.desk.store.unseal(row["call_sealed"], of_call(row["id"])))
    redactor = visit.desk.house.disclosure.by([], row["endpoint"])
    given = (visit.query.get("case", "").strip() or visit.form.text("case", 100))[:100]
    if looks_personal(given):
        raise Refused(400, "person_in_address")
    found = await _candidates(visit, row["endpoint"], given) if row["state"] == "orphan" and given else []
    return visit.render(
        "callback.html",
        status,
        row=row,
        call=call,
        size=len(call.body),
        rows=redactor.body(call.body) if visit.may("bodies") else None,
        said=[await _said(visit, row["endpoint"], word, redactor) for word in _words(visit, row, call)],
        tasks=await visit.desk.store.rows("tasks_of", row["id"]),
        given=given,
        found=found,
        chosen=visit.form.text("delivery", 40),
        typed=visit.form.text("reason"),
        problem=problem,
        done=visit.query.get("done", ""),
    )


def _words(visit: Visit, row: Row, call: InboundCall) -> tuple[Inbound, ...]:
    endpoint = visit.desk.house.endpoints.get(row["endpoint"])
    if endpoint is None:
        return ()
    try:
        return tuple(endpoint.adapter.parse_callback(call))
    except UnreadableCallback:
        return ()
    except Exception:  # hostile bytes: the engine has kept them for a person, and the page shows them masked
        return ()


async def _said(visit: Visit, endpoint: str, word: Inbound, redactor: Redactor) -> Said:
    if isinstance(word, ReferralOffered):
        number = word.referral.task_no
        return Said(
            "referral", visit.title("referral", "offered"), "", _at(word.at), [("task_no", _number(visit, number))]
        )
    about = word.about.value
    shown = (
        visit.title(about, word.status) if about in ("case", "confirmation", "transfer", "referral") else word.status
    )
    made = Said(
        about,
        shown or visit.t("callback.note"),
        redactor.value(word.raw_status)[0] if visit.may("bodies") else "",
        _at(word.at),
        [(_kind(key.kind, key.scope), _number(visit, key.value)) for key in word.keys] if visit.may("bodies") else [],
    )
    try:
        thing = await find(visit.desk.store, endpoint, word.about, word.keys)
    except Contradicting:
        return replace(made, contradicting=True)
    if thing is None:
        return made
    matter = await visit.desk.store.row("matter", thing.subject)
    number = matter["business_key"].partition("|")[2] if matter is not None else thing.subject
    return replace(made, subject=thing.subject, number=number)


def _at(at: datetime) -> str:
    return words.full_time(to_ms(at))[:16]


def _kind(kind: KeyKind, scope: str) -> str:
    return scope or "platform_no" if kind is KeyKind.REFERENCE else kind.value


def _number(visit: Visit, value: str) -> str:
    """A number as the person may see it: those who match orphans see a platform's own."""
    if not visit.may("tasks"):
        return visit.desk.house.disclosure.by([]).value(value)[0]
    return covered(value) if _PERSONAL.search(value) else value


async def _candidates(visit: Visit, endpoint: str, given: str) -> list[dict[str, Any]]:
    """The deliveries of a case at the platform that called, newest first."""
    wanted = DeliveryFilter(endpoints=(endpoint,), subjects=await messages.subjects_of(visit, given))
    if not wanted.subjects:
        return []
    page = await visit.desk.store.runner.read(console.find_deliveries, wanted, [endpoint], _CANDIDATES)
    return [messages.row_view(visit, page, row, {}, {}) for row in page.rows]


async def match(visit: Visit) -> Response:
    """Say what an orphan is about; the ordinary way applies it."""
    identifier, delivery = visit.request.path_params["id"], visit.form.text("delivery", 40)
    reason = visit.form.text("reason")
    if not reason:
        return await _page(visit, 422, problem="reason_missing")
    if not is_id(delivery, "delivery"):
        return await _page(visit, 422, problem="match_delivery")
    standing = await visit.desk.hands.operator.match(visit.principal, identifier, delivery, reason)
    if not standing.found:
        raise Refused(404, "not_found")
    if standing.refused is not None:
        return await _page(visit, 409, problem=f"match_{standing.refused}")
    visit.desk.house.bells.stored()
    return visit.to(f"callbacks/{identifier}", done="match")


async def again(visit: Visit) -> Response:
    """Once more by the ordinary way."""
    identifier, reason = visit.request.path_params["id"], visit.form.text("reason")
    if not reason:
        return await _page(visit, 422, problem="reason_missing")
    standing = await visit.desk.hands.operator.apply_again(visit.principal, identifier, reason)
    if not standing.found:
        raise Refused(404, "not_found")
    if standing.refused is not None:
        return await _page(visit, 409, problem="match_state")
    visit.desk.house.bells.stored()
    return visit.to(f"callbacks/{identifier}", done="again")


PAGES = (
    Page("/callbacks/{id:str}", callback, "view"),
    Page("/callbacks/{id:str}/match", match, "tasks", "POST"),
    Page("/callbacks/{id:str}/again", again, "tasks", "POST"),
)
