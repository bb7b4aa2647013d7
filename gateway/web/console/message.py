"""消息详情: one delivery with its attempts, the document beside its wire, what is lost, what waits, and what may be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.responses import Response

from contracts.deliveries import FAILED_STATES, MOVES, DeliveryState, Hand
from gateway.flow.moving.acts import ActRefused
from gateway.flow.moving.order import Refused
from gateway.flow.operating.disclosing import canonical_leaves
from gateway.flow.operating.operate import Standing
from gateway.flow.operating.replay import STATES, ReplayKind
from gateway.flow.operating.reveal import REVEALED_S
from gateway.flow.operating.reveal import reveal as disclose
from gateway.security.field_classes import covered
from gateway.store.engine import Row
from gateway.store.places import of_reasons
from gateway.store.store import Store
from gateway.web.console import bodies, corrections, holds
from gateway.web.console.desk import Page, Visit

_ATTEMPTS: Final = 60
_ACTS: Final = {
    "redrive": FAILED_STATES,
    "lookup": STATES[ReplayKind.LOOKUP],
    "cancel": MOVES[Hand.OPERATOR][DeliveryState.CANCELLED],
    "resolve": (DeliveryState.IN_DOUBT,),
}


@dataclass(slots=True)
class Waiting:
    """What a delivery waits for, and until when."""

    kind: str
    until: int | None = None
    other: str = ""
    why: str = ""
    endpoint: str = ""


async def _delivery(visit: Visit) -> Row:
    row = await visit.desk.store.row("delivery", visit.request.path_params["id"])
    if row is None:
        raise Refused(404, "not_found")
    return row


async def by_message(visit: Visit) -> Response:
    """A message: its deliveries, or the document alone where nobody was to have it."""
    identifier = visit.request.path_params["id"]
    message = await visit.desk.store.row("message", identifier)
    if message is None:
        raise Refused(404, "not_found")
    rows = await visit.desk.store.rows("deliveries_for_message", identifier)
    if len(rows) == 1:
        return visit.to(f"deliveries/{rows[0]['id']}")
    return visit.render("message.html", **await _message_view(visit, message), siblings=rows)


async def _message_view(visit: Visit, message: Row) -> dict[str, Any]:
    store = visit.desk.store
    known = canonical_leaves(store, message) if visit.may("bodies") else []
    matter = await store.row("matter", message["subject"])
    organization = matter["organization"] if matter is not None else ""
    names = await visit.desk.names.organizations([organization])
    return {
        "message": message,
        "number": matter["business_key"].partition("|")[2] if matter is not None else "",
        "organization": names.get(organization, ""),
        "source": await _source(visit, message["source"]),
        "canonical": bodies.headed(bodies.canonical_rows(known, None, visit.chinese)),
        "values": len(known),
    }


async def _source(visit: Visit, source: str) -> str:
    if source in visit.desk.house.endpoints:
        return visit.platform(source)
    return await visit.desk.names.client(source)


async def detail(visit: Visit) -> Response:
    """The page of one delivery."""
    return await _detail(visit)


async def _detail(visit: Visit, status: int = 200, problem: str | None = None, revealed: Any = None) -> Response:
    store, row = visit.desk.store, await _delivery(visit)
    message = await store.row("message", row["message"])
    if message is None:
        raise Refused(404, "not_found")
    may = visit.may("bodies")
    known = canonical_leaves(store, message) if may else []
    wire = bodies.wire_of(store, row) if may else None
    redactor = (
        await visit.desk.house.disclosure.of(row["subject"], row["endpoint"], message=row["message"]) if may else None
    )
    attempts = (await store.rows("attempts_of", row["id"]))[-_ATTEMPTS:]
    steps = {a["number"]: bodies.steps_of(store, a, redactor) for a in attempts} if redactor is not None else {}
    reasons = _reasons(store, row)
    if redactor is not None:
        told = visit.may("replay")
        reasons = [
            (code, redactor.prose(place), redactor.prose(text))
            if told
            else (code, redactor.value(place)[0], covered(text))
            for code, place, text in reasons
        ]
    else:
        reasons = [(code, "", "") for code, _, _ in reasons]
    view = await _message_view(visit, message)
    siblings = await store.rows("deliveries_for_message", row["message"])
    acts = [act for act, states in _ACTS.items() if row["state"] in states]
    view |= {"siblings": siblings, "canonical": bodies.headed(bodies.canonical_rows(known, wire, visit.chinese))}
    return visit.render(
        "delivery.html",
        status,
        **view,
        row=row,
        state="retrying" if row["state"] == "pending" and row["code"] else row["state"],
        attempts=attempts,
        steps=steps,
        wire=wire,
        wire_rows=redactor.tree(wire.payload, ours=True) if redactor is not None and wire is not None else [],
        losses=bodies.other_losses(known, wire),
        reasons=reasons,
        waits=await _waits(visit, row),
        held=(await holds.held(visit)).get(row["endpoint"]) if row["state"] == "pending" else None,
        audit_tasks=[task for task in await store.rows("tasks_of", row["subject"]) if task["about"] == row["id"]],
        acts=acts,
        kinds=[kind.value for kind, states in STATES.items() if row["state"] in states],
        passed=(await visit.desk.hands.replayer.overtaken([row["id"]])).get(row["id"]),
        **await corrections.view(visit, row),
        problem=problem,
        revealed=revealed,
        done=visit.query.get("done", ""),
        revealed_s=REVEALED_S,
    )


def _reasons(store: Store, row: Row) -> list[tuple[str, str, str]]:
    """The platform's reasons: code, place, text."""
    if row["reasons_sealed"] is None:
        return []
    kept = orjson.loads(store.unseal(row["reasons_sealed"], of_reasons(row["id"])))
    return [(str(one.get("code", "")), str(one.get("place") or ""), str(one.get("text") or "")) for one in kept]


async def _waits(visit: Visit, row: Row) -> list[Waiting]:
    """Why nothing happens just now, in the order in which it must pass."""
    store = visit.desk.store
    if row["state"] == "relayed":
        return [Waiting("word", row["word_due_at"])]
    if row["state"] == "in_doubt":
        return [Waiting("decision")]
    if row["state"] != "pending":
        return []
    found = []
    endpoints = {each["name"]: each for each in await store.rows("all_endpoints")}
    endpoint = endpoints.get(row["endpoint"])
    hold = (await holds.held(visit)).get(row["endpoint"])
    if endpoint is not None and hold is not None and hold.word == "paused":
        lasting = [one for one in await holds.of_platform(visit, row["endpoint"]) if one["word"] == "lasting"]
        why = f"{lasting[0]['who']}{visit.colon}{lasting[0]['reason']}" if lasting else visit.cause(endpoint["reason"])
        found.append(Waiting("paused", lasting[0]["ends"] if lasting else None, why=why))
    elif hold is not None:
        found.append(Waiting(hold.word, hold.until))
    if row["requires"] is not None:
        before = await store.row("delivery", row["requires"])
        if before is not None and before["state"] != "delivered":
            found.append(Waiting("requires", other=before["id"], endpoint=before["endpoint"]))
    lane = await store.row("lane_of", row["endpoint"], row["subject"])
    if lane is not None and lane["head"] == row["id"]:
        flying = lane["token"] is not None and (lane["lease_until"] or 0) > lane["now"]
        if flying:
            found.append(Waiting("flying", lane["lease_until"]))
        elif hold is None:  # a line that is held has no turn: its time may be long past
            found.append(Waiting("due", lane["due_at"]))
    elif lane is not None:
        found.append(
            Waiting("lane", None if hold is not None else lane["due_at"], other=lane["head"], endpoint=row["endpoint"])
        )
    return found


async def _acted(visit: Visit, standing: Standing, done: str) -> Response:
    if standing.refused is None:
        return visit.to(f"deliveries/{standing.id}", done=done)
    if not standing.found:
        raise Refused(404, "not_found")
    visit.wrong = "overtaken" if standing.refused in ("newer_version", "overtaken") else "reason"
    return await _detail(visit, 409, problem=f"act_{standing.refused}")


async def _replay(visit: Visit, identifier: str, reason: str) -> Response:
    """Again: the same bytes, translated anew, or only asked for. What was overtaken goes on a second word alone."""
    given = visit.form.text("kind", 20) or ReplayKind.SAME.value
    if given not in set(ReplayKind):
        raise Refused(404, "not_found")
    kind = ReplayKind(given)
    standing = await visit.desk.hands.replayer.replay(
        visit.principal, identifier, reason, kind, anyway=visit.form.has("overtaken")
    )
    if kind is not ReplayKind.LOOKUP:
        return await _acted(visit, standing, "redrive" if kind is ReplayKind.SAME else "retranslate")
    found, sure = standing.extra.get("found"), standing.extra.get("conclusive")
    return await _acted(visit, standing, "lookup_found" if found else "lookup_none" if sure else "lookup_unsure")


async def act(visit: Visit) -> Response:
    """Redrive, cancel, or decide a delivery in doubt; each with a reason."""
    what, identifier = visit.request.path_params["act"], visit.request.path_params["id"]
    reason = visit.form.text("reason")
    if not reason:
        return await _detail(visit, 422, problem="reason_missing")
    operator = visit.desk.hands.operator
    if what == "redrive":
        return await _replay(visit, identifier, reason)
    if what == "cancel":
        return await _acted(visit, await operator.cancel(visit.principal, identifier, reason), "cancel")
    if what == "resolve" and visit.form.text("arrived") in ("yes", "no"):
        arrived = visit.form.text("arrived") == "yes"
        return await _acted(visit, await operator.resolve(visit.principal, identifier, arrived, reason), "resolve")
    if what == "resolve":
        visit.wrong = "arrived"
        return await _detail(visit, 422, problem="arrived_missing")
    raise Refused(404, "not_found")


async def correct(visit: Visit) -> Response:
    """Ask a second person for other codes; what is wrong with the form is told in the form."""
    if not visit.form.text("reason"):
        return await _detail(visit, 422, problem="reason_missing")
    return await corrections.ask(visit)


async def _not_asked(visit: Visit, refusal: ActRefused) -> Response:
    return await _detail(visit, refusal.status, problem=refusal.text)


async def reveal(visit: Visit) -> Response:
    """One field in plain text, for a minute, with a reason; the audit row is written before the value is read."""
    row = await _delivery(visit)
    side, pointer, reason = visit.form.text("side", 20), visit.form.text("pointer", 300), visit.form.text("reason")
    if not reason:
        return await _detail(visit, 422, problem="reason_missing")
    value = await disclose(visit.desk.store, visit.actor, row, side, pointer, reason)
    if value is None:
        raise Refused(404, "not_found")
    return await _detail(visit, revealed={"side": side, "pointer": pointer, "value": value})


PAGES = (
    Page("/messages/{id:str}", by_message, "view", narrows=True),
    Page("/deliveries/{id:str}", detail, "view", narrows=True),
    Page("/deliveries/{id:str}/reveal", reveal, "reveal", "POST", narrows=True),
    Page("/deliveries/{id:str}/correct", correct, "replay", "POST", narrows=True, again=_not_asked),
    Page("/deliveries/{id:str}/{act:str}", act, "replay", "POST", narrows=True),
)
