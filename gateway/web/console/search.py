"""One box for every number: ids of ours, 案号 and 流水号 of everybody, a party's number or whole name by blind index."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from gateway.flow.moving.order import Refused
from gateway.flow.moving.references import fold, name_letters, phone_digits
from gateway.store import console
from gateway.store.engine import Rows
from gateway.store.ids import kind_of
from gateway.store.journal import AuditEntry
from gateway.web.console.desk import Page, Visit
from gateway.web.console.reach import own_matters

_MOST: Final = 20
_MOST_CASES: Final = 200
"""Cases of one person or company that are listed."""

_OURS: Final = re.compile(r"[a-z]{3,4}_[0-9A-Z]{26}")
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

_IDEOGRAPH: Final = re.compile(r"[\u3400-\u9fff]")
_NAMED: Final = 4
"""Chinese characters from which on a text with digits may be a company's name."""

_LONG: Final = re.compile(r"[0-9]{11}|[0-9]{9}[0-9A-Z]{9}|[0-9A-Z]{2}[0-9]{6}[0-9A-Z]{10}")


async def ask(visit: Visit) -> Response:
    """What was typed. It comes by POST: a person's number or name never stands in an address. Sent on to an address that says
    no more than the number of a case does, or a keyed fingerprint."""
    typed = visit.form.text("q", 200)
    if not typed:
        return visit.to("search")
    if (place := place_of(typed)) is not None:
        return visit.to(place)
    if looks_personal(typed):
        return await _personal(visit, typed)
    if ":" in typed or "：" in typed:
        return visit.to("messages", q=typed)
    if looks_named(typed) or (len(_IDEOGRAPH.findall(typed)) >= _NAMED and not await _numbered(visit, typed)):
        return await _personal(visit, typed)
    return visit.to("search", q=typed)


def place_of(typed: str) -> str | None:
    """The page of a thing by its id; ``None``: it has none, or this is no id of ours."""
    kind = kind_of(typed)
    return f"{_HOMES[kind]}/{typed}" if kind in _HOMES and _OURS.fullmatch(typed) else None


def looks_personal(typed: str) -> bool:
    """Whether it may be a person's number: it then never stands in an address."""
    plain = "".join(unicodedata.normalize("NFKC", typed).split())
    return _LONG.search(plain) is not None or _PHONE.fullmatch(plain) is not None


def looks_named(typed: str) -> bool:
    """Whether it may be somebody's name: letters without a digit. Every number that is searched by has one."""
    return sum(c.isalpha() for c in typed) > 1 and not any(c.isdigit() for c in typed)


async def _numbered(visit: Visit, typed: str) -> bool:
    """Whether any case has such a number. A company's name may hold digits, too."""
    folded = fold(typed)
    if await visit.desk.store.rows("find_folded", folded):
        return True
    return bool(await visit.desk.store.runner.read(console.find_numbers, folded, 1))


async def _personal(visit: Visit, typed: str) -> Response:
    """A long number or a name: somebody's case number, or a party's number, telephone or name."""
    folded = fold(typed)
    given = await visit.desk.store.rows("find_folded", folded)
    own: Rows = await visit.desk.store.runner.read(console.find_numbers, folded, _MOST)
    exact = await _exact(visit, folded, given, own)
    if len(exact) == 1:
        return visit.to(f"cases/{exact.pop()}")
    if not visit.may("person"):
        return _page(visit, 403, forbidden=True)
    blind = visit.desk.store.sealer.blind(*_searched(typed))
    await visit.desk.store.audit(AuditEntry(visit.actor, "person.search", blind))
    return visit.to("search", b=blind)


def _searched(typed: str) -> tuple[str, str]:
    """The kind of index and what is looked for in it."""
    plain = "".join(unicodedata.normalize("NFKC", typed).split())
    if _PHONE.fullmatch(plain) is not None:
        return "phone", phone_digits(plain)
    return ("number", typed) if looks_personal(typed) else ("name", name_letters(typed))


async def search(visit: Visit) -> Response:
    """What was found; one exact hit is gone to at once."""
    typed, blind = visit.query.get("q", "")[:200], visit.query.get("b", "")
    if looks_personal(typed) or looks_named(typed):
        raise Refused(400, "person_in_address")
    if blind:
        if not visit.may("person") or not _BLIND.fullmatch(blind):
            raise Refused(403, "forbidden")
        people = await visit.desk.store.rows("find_person", blind)
        newest = sorted(people, key=lambda row: row["subject"], reverse=True)
        found = await _found(visit, [(row["subject"], row["role"], "person") for row in newest[:_MOST_CASES]])
        return _page(visit, found=found, by_person=True, more=len(people) > _MOST_CASES)
    if not typed.strip():
        return _page(visit)
    folded = fold(typed)
    given = await visit.desk.store.rows("find_folded", folded)
    own: Rows = await visit.desk.store.runner.read(console.find_numbers, folded, _MOST)
    exact = await _exact(visit, folded, given, own)
    if len(exact) == 1:
        return visit.to(f"cases/{exact.pop()}")
    hits = [(row["subject"], row["value"], row["kind"]) for row in given]
    hits += [(row["subject"], row["folded"], "own") for row in own]
    return _page(visit, found=await _found(visit, hits[:_MOST]), typed=typed, more=len(hits) > _MOST)


def _page(
    visit: Visit,
    status: int = 200,
    *,
    found: Sequence[Mapping[str, Any]] = (),
    typed: str = "",
    by_person: bool = False,
    forbidden: bool = False,
    more: bool = False,
) -> Response:
    return visit.render(
        "search.html", status, found=found, typed=typed, by_person=by_person, forbidden=forbidden, more=more
    )


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
