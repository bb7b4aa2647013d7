"""One box for every number: ids of ours, 案号 and 流水号 of everybody, a party's number by blind index."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from starlette.responses import Response

from gateway.flow.order import Refused
from gateway.flow.references import fold, phone_digits
from gateway.store import console
from gateway.store.engine import Rows
from gateway.store.ids import kind_of
from gateway.store.journal import AuditEntry
from gateway.web.console.desk import Page, Visit
from gateway.web.console.reach import own_matters

_MOST: Final = 20
_BLIND: Final = re.compile(r"[0-9a-f]{32}")
_HOMES: Final = {
    "delivery": "deliveries",
    "message": "messages",
    "task": "tasks",
    "callback": "callbacks",
    "case": "cases",
    "agreement": "cases",
    "confirmation": "cases",
    "transfer": "cases",
    "referral": "cases",
    "mediator": "cases",
}
_PHONE: Final = re.compile(r"(\+?86-?)?(1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8})")
"""A telephone number as people write it: mobile, or with an area code."""

_LONG: Final = re.compile(r"[0-9]{11}|[0-9]{9}[0-9A-Z]{9}|[0-9A-Z]{2}[0-9]{6}[0-9A-Z]{10}")


async def ask(visit: Visit) -> Response:
    """What was typed. It comes by POST: a person's number never stands in an address. Sent on to an address that says no
    more than the number of a case does, or the number's keyed fingerprint."""
    typed = visit.form.text("q", 200)
    if not typed:
        return visit.to("search")
    kind = kind_of(typed)
    if kind in _HOMES and re.fullmatch(r"[a-z]{3,4}_[0-9A-Z]{26}", typed):
        return visit.to(f"{_HOMES[kind]}/{typed}")
    if looks_personal(typed):
        return await _personal(visit, typed)
    if ":" in typed or "：" in typed:
        return visit.to("messages", q=typed)
    return visit.to("search", q=typed)


def looks_personal(typed: str) -> bool:
    """Whether it may be a person's number: it then never stands in an address."""
    plain = "".join(unicodedata.normalize("NFKC", typed).split())
    return _LONG.search(plain) is not None or _PHONE.fullmatch(plain) is not None


async def _personal(visit: Visit, typed: str) -> Response:
    """A long number: somebody's case number, or a party's own or telephone."""
    folded = fold(typed)
    given = await visit.desk.store.rows("find_folded", folded)
    own: Rows = await visit.desk.store.runner.read(console.find_numbers, folded, _MOST)
    exact = await _exact(visit, folded, given, own)
    if len(exact) == 1:
        return visit.to(f"cases/{exact.pop()}")
    if not visit.may("person"):
        raise Refused(403, "forbidden")
    plain = "".join(unicodedata.normalize("NFKC", typed).split())
    phone = _PHONE.fullmatch(plain) is not None
    sealer = visit.desk.store.sealer
    blind = sealer.blind("phone", phone_digits(plain)) if phone else sealer.blind("number", typed)
    await visit.desk.store.audit(AuditEntry(visit.actor, "person.search", blind))
    return visit.to("search", b=blind)


async def search(visit: Visit) -> Response:
    """What was found; one exact hit is gone to at once."""
    typed, blind = visit.query.get("q", "")[:200], visit.query.get("b", "")
    if looks_personal(typed):
        raise Refused(400, "person_in_address")
    if blind:
        if not visit.may("person") or not _BLIND.fullmatch(blind):
            raise Refused(403, "forbidden")
        people = await visit.desk.store.rows("find_person", blind)
        found = await _found(visit, [(row["subject"], row["role"], "person") for row in people[:200]])
        return visit.render("search.html", typed="", by_person=True, found=found)
    if not typed.strip():
        return visit.render("search.html", typed="", by_person=False, found=[])
    folded = fold(typed)
    given = await visit.desk.store.rows("find_folded", folded)
    own: Rows = await visit.desk.store.runner.read(console.find_numbers, folded, _MOST)
    exact = await _exact(visit, folded, given, own)
    if len(exact) == 1:
        return visit.to(f"cases/{exact.pop()}")
    hits = [(row["subject"], row["value"], row["kind"]) for row in given]
    hits += [(row["subject"], row["folded"], "own") for row in own]
    return visit.render("search.html", typed=typed, by_person=False, found=await _found(visit, hits[:_MOST]))


async def _exact(visit: Visit, folded: str, given: Rows, own: Rows) -> set[str]:
    """The subjects that a number names exactly, of those that the person may see."""
    exact = {row["subject"] for row in given} | {row["subject"] for row in own if row["folded"] == folded}
    return set(await own_matters(visit, exact)) if visit.scoped else exact


async def _found(visit: Visit, hits: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    found = []
    matters = {}
    for subject, number, kind in hits:
        if subject not in matters:
            matters[subject] = await visit.desk.store.row("matter", subject)
        matter = matters[subject]
        if matter is not None and visit.within(matter["organization"]):
            found.append(
                {
                    "subject": subject,
                    "number": number,
                    "kind": kind,
                    "case": matter["business_key"].partition("|")[2],
                    "status": matter["status"],
                    "noun": matter["kind"],
                    "organization": matter["organization"],
                    "updated": matter["updated_at"],
                }
            )
    names = await visit.desk.names.organizations(one["organization"] for one in found)
    return [{**one, "organization": names.get(one["organization"], one["organization"])} for one in found]


PAGES = (Page("/search", search, "view", narrows=True), Page("/search", ask, "view", "POST", narrows=True))
